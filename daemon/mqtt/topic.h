/* Topics to machines and back. Pure. */
#ifndef HABIT_MQTT_TOPIC_H
#define HABIT_MQTT_TOPIC_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"

enum topic_kind {
    TOPIC_BUFFER,
    TOPIC_LEARN,
    TOPIC_DETECT,
    TOPIC_CONTEXT,
    TOPIC_KINDS,                 /* of those that always come in; the next two only where the configuration says so: */
    TOPIC_COMMAND = TOPIC_KINDS, /* <machine>/cmd/<verb> */
    TOPIC_BIRTH                  /* Home Assistant says that it begins, or ends */
};

struct topic {
    enum topic_kind kind;
    char machine[MACHINE_ID_SIZE];    /* "" of BIRTH, and where an [input] with a map has no {machine} */
    char verb[16];                    /* of COMMAND */
    const struct config_input *input; /* the [input] it came by; NULL = one of our own topics */
};

/* What an incoming topic stands for. Returns 0, or a refusal: NO_ROUTE where it is none that we take in (our own
 * publications come under this), MACHINE_ID where the level of the machine is none. */
int topic_read(const struct config *config, const char *text, struct topic *topic, struct refusal *refusal);

/* "pump-1/state" -> "habit/v1/<gateway>/pump-1/state" */
enum { TOPIC_SIZE = 320 };
const char *topic_below_root(const struct config *config, const char *below, char topic[TOPIC_SIZE]);

/* Whether a topic is below our root. */
bool topic_is_ours(const struct config *config, const char *text);

/* Where a device of Home Assistant's is announced; machine NULL = the gateway itself. */
const char *topic_of_discovery(const struct config *config, const char *machine, char topic[TOPIC_SIZE]);

/* What to subscribe to: our own topics, one filter for each [input], and what the configuration adds. */
enum { TOPIC_FILTERS = TOPIC_KINDS + LIMIT_INPUTS + 2 };
size_t topic_filters(const struct config *config);
const char *topic_filter(const struct config *config, size_t i, char filter[TOPIC_SIZE]);

/* What a session at the broker may still hold of another configuration: filters to unsubscribe from. Returns how many. */
size_t topic_unwanted(const struct config *config, char filters[2][TOPIC_SIZE]);

#endif
