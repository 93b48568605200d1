/* Topics to machines and back. Pure. */
#ifndef HABIT_MQTT_TOPIC_H
#define HABIT_MQTT_TOPIC_H

#include <stddef.h>

#include "base/error.h"
#include "base/text.h"
#include "config/config.h"

enum topic_kind { TOPIC_BUFFER, TOPIC_LEARN, TOPIC_DETECT, TOPIC_CONTEXT, TOPIC_KINDS };

struct topic {
    enum topic_kind kind;
    char machine[MACHINE_ID_SIZE];    /* "" where an [input] with a map has no {machine} */
    const struct config_input *input; /* the [input] it came by; NULL = one of our own topics */
};

/* What an incoming topic stands for. Returns 0, or a refusal: NO_ROUTE where it is none that we take in (our own
 * publications come under this), MACHINE_ID where the level of the machine is none. */
int topic_read(const struct config *config, const char *text, struct topic *topic, struct refusal *refusal);

/* "pump-1/state" -> "habit/v1/<gateway>/pump-1/state" */
enum { TOPIC_SIZE = 320 };
const char *topic_below_root(const struct config *config, const char *below, char topic[TOPIC_SIZE]);

/* What to subscribe to: our own topics, then one filter for each [input]. */
size_t topic_filters(const struct config *config);
const char *topic_filter(const struct config *config, size_t i, char filter[TOPIC_SIZE]);

#endif
