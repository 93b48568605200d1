#include "mqtt/topic.h"

#include <stdio.h>
#include <string.h>

static const char *const kinds[TOPIC_KINDS] = {
    [TOPIC_BUFFER] = "buffer", [TOPIC_LEARN] = "learn", [TOPIC_DETECT] = "detect", [TOPIC_CONTEXT] = "context"
};

static const char placeholder[] = "{machine}";

const char *topic_below_root(const struct config *config, const char *below, char topic[TOPIC_SIZE])
{
    snprintf(topic, TOPIC_SIZE, "habit/v1/%s/%s", config->gateway, below);
    return topic;
}

static int take_machine(struct topic *topic, const char *id, size_t length, struct refusal *refusal)
{
    if (!machine_id_valid(id, length))
        return refuse(refusal, REFUSAL_MACHINE_ID, "topic",
                      "not a machine ID: 1 to %d letters, digits, '_', '-', the first a letter or digit",
                      MACHINE_ID_SIZE - 1);
    memcpy(topic->machine, id, length);
    topic->machine[length] = '\0';
    return 0;
}

/* --------------------------------------------------------------------------------------------------- our own topics */

static int read_own(const char *below, struct topic *topic, struct refusal *refusal)
{
    size_t length = strcspn(below, "/");

    for (int kind = 0; kind < TOPIC_KINDS; kind++)
        if (below[length] == '/' && strcmp(below + length + 1, kinds[kind]) == 0) {
            topic->kind = (enum topic_kind)kind;
            return take_machine(topic, below, length, refusal);
        }
    return refuse(refusal, REFUSAL_NO_ROUTE, "topic",
                  "below the root only <machine>/buffer, learn, detect and context come in");
}

/* ----------------------------------------------------------------------------------------------------------- inputs */

/* Whether a topic matches an input's pattern, and where in it the machine's level begins; NULL where the pattern has none. The pattern
 * is valid: its wildcards stand alone between slashes. */
static bool match(const char *pattern, const char *topic, const char **id)
{
    *id = NULL;
    for (;;) {
        size_t want = strcspn(pattern, "/"), got = strcspn(topic, "/");
        bool machine = want == strlen(placeholder) && memcmp(pattern, placeholder, want) == 0;
        bool any = machine || (want == 1 && *pattern == '+');

        if (machine)
            *id = topic;
        if (!any && (want != got || memcmp(pattern, topic, want) != 0))
            return false;
        if (pattern[want] != topic[got])
            return false;
        if (pattern[want] == '\0')
            return true;
        pattern += want + 1;
        topic += got + 1;
    }
}

static enum topic_kind kind_of(const struct config_input *input)
{
    static const enum topic_kind kinds_of_action[] = {
        [INPUT_BUFFER] = TOPIC_BUFFER, [INPUT_LEARN] = TOPIC_LEARN, [INPUT_DETECT] = TOPIC_DETECT
    };

    return kinds_of_action[input->action];
}

static int read_input(const struct config *config, const char *text, struct topic *topic, struct refusal *refusal)
{
    for (size_t i = 0; i < config->input_count; i++) {
        const char *id;

        if (!match(config->inputs[i].topic, text, &id))
            continue;
        topic->input = &config->inputs[i];
        topic->kind = kind_of(topic->input);
        topic->machine[0] = '\0';
        return id ? take_machine(topic, id, strcspn(id, "/"), refusal) : 0;
    }
    return refuse(refusal, REFUSAL_NO_ROUTE, "topic", "no [input] section has a pattern for this topic");
}

int topic_read(const struct config *config, const char *text, struct topic *topic, struct refusal *refusal)
{
    char root[TOPIC_SIZE];
    size_t length = strlen(topic_below_root(config, "", root));

    topic->input = NULL;
    if (strncmp(text, root, length) == 0)
        return read_own(text + length, topic, refusal);
    return read_input(config, text, topic, refusal);
}

/* ---------------------------------------------------------------------------------------------------- subscriptions */

size_t topic_filters(const struct config *config)
{
    return TOPIC_KINDS + config->input_count;
}

const char *topic_filter(const struct config *config, size_t i, char filter[TOPIC_SIZE])
{
    char below[32];
    const char *pattern, *machine;

    if (i < TOPIC_KINDS) {
        snprintf(below, sizeof(below), "+/%s", kinds[i]);
        return topic_below_root(config, below, filter);
    }
    pattern = config->inputs[i - TOPIC_KINDS].topic;
    machine = strstr(pattern, placeholder);
    if (machine)
        snprintf(filter, TOPIC_SIZE, "%.*s+%s", (int)(machine - pattern), pattern, machine + strlen(placeholder));
    else
        snprintf(filter, TOPIC_SIZE, "%s", pattern);
    return filter;
}
