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

static size_t root_length(const struct config *config)
{
    char root[TOPIC_SIZE];

    return strlen(topic_below_root(config, "", root));
}

bool topic_is_ours(const struct config *config, const char *text)
{
    char root[TOPIC_SIZE];

    return strncmp(text, topic_below_root(config, "", root), root_length(config)) == 0;
}

const char *topic_of_discovery(const struct config *config, const char *machine, char topic[TOPIC_SIZE])
{
    snprintf(topic, TOPIC_SIZE, "%s/device/habit_%s%s%s/config", config->mqtt_discovery_prefix, config->gateway,
             machine ? "_" : "", machine ? machine : "");
    return topic;
}

static const char *birth_topic(const struct config *config, char topic[TOPIC_SIZE])
{
    snprintf(topic, TOPIC_SIZE, "%s/status", config->mqtt_discovery_prefix);
    return topic;
}

static int take_machine(struct topic *topic, const char *id, size_t length, struct refusal *refusal)
{
    if (!machine_id_valid(id, length))
        return refuse(refusal, REFUSAL_MACHINE_ID, "topic", "not a machine ID: " MACHINE_ID_RULE);
    memcpy(topic->machine, id, length);
    topic->machine[length] = '\0';
    return 0;
}

/* --------------------------------------------------------------------------------------------------- our own topics */

/* "cmd/<verb>"; which verbs there are is the table's to say. */
static bool read_verb(const char *text, char verb[16])
{
    if (strncmp(text, "cmd/", 4) != 0 || strlen(text + 4) >= sizeof(((struct topic *)0)->verb))
        return false;
    snprintf(verb, sizeof(((struct topic *)0)->verb), "%s", text + 4);
    return verb[0] != '\0' && !strchr(verb, '/');
}

static int read_own(const struct config *config, const char *below, struct topic *topic, struct refusal *refusal)
{
    size_t length = strcspn(below, "/");

    if (below[length] == '/' && read_verb(below + length + 1, topic->verb)) {
        if (!config->mqtt_commands)
            return refuse(refusal, REFUSAL_NO_ROUTE, "topic", "commands are off: [mqtt] commands = yes takes them");
        topic->kind = TOPIC_COMMAND;
        return take_machine(topic, below, length, refusal);
    }
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
    char birth[TOPIC_SIZE];

    topic->input = NULL;
    topic->verb[0] = topic->machine[0] = '\0';
    if (topic_is_ours(config, text))
        return read_own(config, text + root_length(config), topic, refusal);
    if (config->mqtt_discovery == DISCOVERY_OFF || strcmp(text, birth_topic(config, birth)) != 0)
        return read_input(config, text, topic, refusal);
    topic->kind = TOPIC_BIRTH;
    return 0;
}

/* ---------------------------------------------------------------------------------------------------- subscriptions */

static const char *filter_of_kind(const struct config *config, const char *kind, char filter[TOPIC_SIZE])
{
    char below[32];

    snprintf(below, sizeof(below), "+/%s", kind);
    return topic_below_root(config, below, filter);
}

static const char *filter_of_input(const struct config_input *input, char filter[TOPIC_SIZE])
{
    const char *machine = strstr(input->topic, placeholder);

    if (machine)
        snprintf(filter, TOPIC_SIZE, "%.*s+%s", (int)(machine - input->topic), input->topic,
                 machine + strlen(placeholder));
    else
        snprintf(filter, TOPIC_SIZE, "%s", input->topic);
    return filter;
}

size_t topic_filters(const struct config *config)
{
    return TOPIC_KINDS + config->input_count + config->mqtt_commands + (config->mqtt_discovery != DISCOVERY_OFF);
}

const char *topic_filter(const struct config *config, size_t i, char filter[TOPIC_SIZE])
{
    if (i < TOPIC_KINDS)
        return filter_of_kind(config, kinds[i], filter);
    i -= TOPIC_KINDS;
    if (i < config->input_count)
        return filter_of_input(&config->inputs[i], filter);
    if (i == config->input_count && config->mqtt_commands)
        return filter_of_kind(config, "cmd/+", filter);
    return birth_topic(config, filter);
}

size_t topic_unwanted(const struct config *config, char filters[2][TOPIC_SIZE])
{
    size_t count = 0;

    if (!config->mqtt_commands)
        filter_of_kind(config, "cmd/+", filters[count++]);
    if (config->mqtt_discovery == DISCOVERY_OFF)
        birth_topic(config, filters[count++]);
    return count;
}
