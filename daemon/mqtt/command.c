/* Commands: <machine>/cmd/<verb>, off unless the configuration says otherwise. Each is answered on the response topic that its
 * sender named (MQTT 5), else on <machine>/rsp/<verb>. The answer waits in the store like an anomaly, and the command is
 * acknowledged when both its effect and its answer are there. */
#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "mqtt/door.h"
#include "mqtt/topic.h"
#include "wire/command.h"
#include "wire/document.h"

/* A command on its way through this file. */
struct command {
    const char *machine, *verb;
    char *id, *rest; /* see wire/command.h */
    struct moment now;
    char *response_topic; /* NULL = ours */
    void *correlation;
    uint16_t correlation_size;
};

/* ------------------------------------------------------------------------------------------------------------- verbs */

static int check_empty(const struct command *command, struct refusal *refusal)
{
    if (strcmp(command->rest, "{}") == 0)
        return 0;
    return refuse(refusal, REFUSAL_UNKNOWN_FIELD, "", "%s takes nothing but an id", command->verb);
}

static int commission(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    int r = check_empty(command, refusal);

    return r != 0 ? r : registry_commission(registry, command->machine, command->now, refusal);
}

static int initialize(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    int r = check_empty(command, refusal);

    return r != 0 ? r : registry_initialize(registry, command->machine, command->now, refusal);
}

static int set_sensitivity(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    float sensitivity;
    int r = wire_read_sensitivity(command->rest, strlen(command->rest), &sensitivity, refusal);

    return r != 0 ? r : registry_set_sensitivity(registry, command->machine, sensitivity, "", refusal);
}

static int mute(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    struct mute mute;
    int r = wire_read_mute(command->rest, strlen(command->rest), command->now.wall, &mute, refusal);

    return r != 0 ? r : registry_mute(registry, command->machine, &mute, command->now, refusal);
}

static int unmute(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    int r = check_empty(command, refusal);

    return r != 0 ? r : registry_unmute(registry, command->machine, command->now, refusal);
}

static int snapshot(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    char note[SNAPSHOT_NOTE_SIZE];
    int r = wire_read_note(command->rest, strlen(command->rest), note, refusal);

    return r != 0 ? r : registry_take_snapshot(registry, command->machine, note, command->now, refusal);
}

static const struct {
    const char *verb;
    int (*run)(struct registry *registry, const struct command *command, struct refusal *refusal);
} verbs[] = {
    { "commission", commission },
    { "initialize", initialize },
    { "sensitivity", set_sensitivity },
    { "snapshot", snapshot },
    { "mute", mute },
    { "unmute", unmute },
};

static int run(struct registry *registry, const struct command *command, struct refusal *refusal)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (strcmp(verbs[i].verb, command->verb) == 0)
            return verbs[i].run(registry, command, refusal);
    return refuse(refusal, REFUSAL_NO_ROUTE, "topic",
                  "there is no command %s: commission, initialize, sensitivity, snapshot, mute and unmute",
                  command->verb);
}

/* The broker does not say who published. Returns as run does; STORE where there is no record: then nothing is done. */
static int run_recorded(struct mqtt *mqtt, const struct command *command, struct refusal *refusal)
{
    struct audit audit = { .at = command->now.wall, .actor = "mqtt", .door = "mqtt" };
    int r;

    snprintf(audit.action, sizeof(audit.action), "cmd/%s", command->verb);
    snprintf(audit.machine, sizeof(audit.machine), "%s", command->machine);
    snprintf(audit.detail, sizeof(audit.detail), "%s", command->rest);
    text_clean(audit.detail, ' ');
    if (store_audit_begin(mqtt->store, &audit) < 0)
        return refuse(refusal, REFUSAL_STORE, "", "the record of this command cannot be stored, so it was not done");
    r = run(mqtt->registry, command, refusal);
    store_audit_end(mqtt->store, audit.id, r == 0 ? 200 : refusal_kind(r > 0 ? refusal->code : REFUSAL_BROKEN)->status);
    return r;
}

/* ----------------------------------------------------------------------------------------------------------- envelope */

static int check_response_topic(const struct mqtt *mqtt, const char *topic, struct refusal *refusal)
{
    if (topic[0] == '\0' || strpbrk(topic, "+#") || !text_printable(topic, TOPIC_SIZE))
        return refuse(refusal, REFUSAL_REQUEST, "response topic", "not a topic that can be published to");
    if (topic_is_ours(mqtt->config, topic)) /* we may publish there, the sender perhaps not */
        return refuse(refusal, REFUSAL_REQUEST, "response topic", "must not be below habitd's own root");
    return 0;
}

static int read_properties(const struct mqtt *mqtt, struct command *command, const mosquitto_property *properties,
                           struct refusal *refusal)
{
    int r;

    mosquitto_property_read_binary(properties, MQTT_PROP_CORRELATION_DATA, &command->correlation,
                                   &command->correlation_size, false);
    mosquitto_property_read_string(properties, MQTT_PROP_RESPONSE_TOPIC, &command->response_topic, false);
    r = command->response_topic ? check_response_topic(mqtt, command->response_topic, refusal) : 0;
    if (r != 0) {
        free(command->response_topic);
        command->response_topic = NULL;
    }
    return r;
}

static int check_message(const struct mosquitto_message *message, struct refusal *refusal)
{
    if (message->retain) /* else it would be done again with each connection */
        return refuse(refusal, REFUSAL_RETAINED, "retain", "publish commands without retain");
    if (message->payloadlen > LIMIT_COMMAND)
        return refuse_limit(refusal, REFUSAL_TOO_LARGE, "", LIMIT_COMMAND, "a command is at most %d bytes",
                            LIMIT_COMMAND);
    return 0;
}

static int read_command(const struct mqtt *mqtt, struct command *command, const struct mosquitto_message *message,
                        const mosquitto_property *properties, struct refusal *refusal)
{
    int r = read_properties(mqtt, command, properties, refusal);

    if (r == 0)
        r = check_message(message, refusal);
    if (r == 0)
        r = wire_take_command(message->payload ? message->payload : "", (size_t)message->payloadlen, &command->id,
                              &command->rest, refusal);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- answer */

static char *answer_done(struct mqtt *mqtt, const struct command *command)
{
    struct machine_view view;
    struct refusal refusal;
    char etag[ETAG_SIZE];

    if (registry_show(mqtt->registry, command->machine, &view, etag, command->now, &refusal) != 0)
        return wire_command_refused(command->machine, command->verb, command->id, &refusal);
    return wire_command_done(&view, command->verb, command->id);
}

/* Returns 0, or negative where the answer is not in the store. */
static int publish_answer(struct mqtt *mqtt, const struct command *command, const char *payload)
{
    char topic[MACHINE_ID_SIZE + 32];
    const struct store_outgoing outgoing = { .topic = command->response_topic ? command->response_topic : topic,
                                             .whole = command->response_topic != NULL,
                                             .payload = payload,
                                             .correlation = command->correlation,
                                             .correlation_size = command->correlation_size };

    snprintf(topic, sizeof(topic), "%s/rsp/%s", command->machine, command->verb);
    return store_publish(mqtt->store, &outgoing, 1, command->now.wall);
}

static int answer(struct mqtt *mqtt, const struct command *command, int r, const struct refusal *refusal)
{
    char *payload = r == 0 ? answer_done(mqtt, command)
                           : wire_command_refused(command->machine, command->verb, command->id, refusal);

    r = payload ? publish_answer(mqtt, command, payload) : fault(-ENOMEM);
    free(payload);
    return r;
}

int command_take(struct mqtt *mqtt, const struct topic *topic, const struct mosquitto_message *message,
                 const mosquitto_property *properties, struct moment now, struct refusal *refusal)
{
    struct command command = { .machine = topic->machine, .verb = topic->verb, .now = now };
    int r = read_command(mqtt, &command, message, properties, refusal), answered;

    if (r == 0)
        r = run_recorded(mqtt, &command, refusal);
    if (r < 0)
        r = refuse_fault(refusal, r);
    answered = answer(mqtt, &command, r, refusal);
    free(command.id);
    free(command.rest);
    free(command.response_topic);
    free(command.correlation);
    return answered < 0 ? answered : r;
}
