/* Any messages at the MQTT door: topics, envelopes, payloads, commands. What is dropped changed nothing; no message makes the door
 * fail; what a stream cuts does not depend on how its samples came in messages.
 *
 * Messages are separated by the byte 0x1e: topic, line feed, envelope, line feed, payload. Envelope: "retain|content type|response
 * topic|name=value|name=value ...", of which everything may be missing. */
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "gateway.h"
#include "mqtt/door.h"
#include "mqtt/topic.h"
#include "refusals.h"

enum { SEPARATOR = 0x1e, MOST_MESSAGES = 24 };

/* -------------------------------------------------------------------------------------------------------------- parts */

struct part {
    const char *at;
    size_t length;
};

/* Takes a part off the front, up to `end` or all there is. */
static struct part take_part(struct part *rest, char end)
{
    const char *found = rest->length > 0 ? memchr(rest->at, end, rest->length) : NULL;
    const size_t length = found ? (size_t)(found - rest->at) : rest->length;
    const struct part part = { rest->at, length };

    rest->at += length + (found != NULL);
    rest->length -= length + (found != NULL);
    return part;
}

static char *text_of(struct part part)
{
    char *text = strndup(part.length > 0 ? part.at : "", part.length);

    CLAIM(text != NULL);
    return text;
}

/* What the library itself would not have taken off the wire. */
static bool is_text(const char *text)
{
    return text[0] != '\0' && strlen(text) < 65536 &&
           mosquitto_validate_utf8(text, (int)strlen(text)) == MOSQ_ERR_SUCCESS;
}

static void add_pair(mosquitto_property **properties, struct part pair)
{
    char *name = text_of(take_part(&pair, '=')), *value = text_of(pair);

    if (is_text(name) && (value[0] == '\0' || is_text(value)))
        mosquitto_property_add_string_pair(properties, MQTT_PROP_USER_PROPERTY, name, value);
    free(name);
    free(value);
}

static void add_text(mosquitto_property **properties, int property, struct part part)
{
    char *text = text_of(part);

    if (is_text(text))
        mosquitto_property_add_string(properties, property, text);
    free(text);
}

/* Returns whether the message is a retained one. */
static bool read_envelope(struct part envelope, mosquitto_property **properties)
{
    const bool retain = take_part(&envelope, '|').length > 0;

    add_text(properties, MQTT_PROP_CONTENT_TYPE, take_part(&envelope, '|'));
    add_text(properties, MQTT_PROP_RESPONSE_TOPIC, take_part(&envelope, '|'));
    while (envelope.length > 0)
        add_pair(properties, take_part(&envelope, '|'));
    return retain;
}

/* -------------------------------------------------------------------------------------------------------------- topics */

static void check_topic(const struct config *config, const char *text)
{
    struct topic topic;
    struct refusal refusal;
    int r = topic_read(config, text, &topic, &refusal);

    fuzz_check_answer(r, &refusal);
    if (r != 0)
        return;
    CLAIM(topic.kind <= TOPIC_BIRTH);
    CLAIM(topic.kind == TOPIC_BIRTH || machine_id_valid(topic.machine, strlen(topic.machine)));
    CLAIM((topic.kind == TOPIC_COMMAND) == (topic.verb[0] != '\0'));
    CLAIM(!topic.input || (topic.input >= config->inputs && topic.input < config->inputs + config->input_count));
}

/* ------------------------------------------------------------------------------------------------------------ messages */

/* But those of a dead sensor: they are news of the machine, and the first that it sends makes it where a pattern says so. */
static uint64_t refusals_of(struct registry *registry)
{
    struct registry_figures figures;
    uint64_t sum = 0;

    registry_figures(registry, &figures);
    for (int i = 0; i < REFUSAL_CODES; i++)
        sum += i == REFUSAL_CONSTANT ? 0 : figures.refusals[i];
    return sum;
}

/* One message may be for several machines, of which some take it; and one of a stream is taken where it drops what was before. */
static bool may_be_taken_in_part(const struct config *config, const char *text)
{
    struct topic topic;
    struct refusal refusal;

    return topic_read(config, text, &topic, &refusal) == 0 && topic.input &&
           (topic.input->stream || topic.input->targets > 0);
}

static void take_message(struct mqtt *mqtt, const char *topic, struct part rest)
{
    struct mosquitto_message message = { .topic = strdup(topic), .qos = 1 };
    mosquitto_property *properties = NULL;
    void *payload;

    message.retain = read_envelope(take_part(&rest, '\n'), &properties);
    payload = malloc(rest.length > 0 ? rest.length : 1);
    CLAIM(message.topic != NULL && payload != NULL);
    if (rest.length > 0)
        memcpy(payload, rest.at, rest.length);
    message.payload = rest.length > 0 ? payload : NULL;
    message.payloadlen = (int)rest.length;
    intake_message(mqtt, &message, properties);
    CLAIM(intake_settle(mqtt) == 0);
    CLAIM(!mqtt->intake.failed && mqtt->session.why[0] == '\0');
    mosquitto_property_free_all(&properties);
    free(payload);
    free(message.topic);
}

/* Returns whether it changed a machine. */
static bool take_and_check(struct mqtt *mqtt, struct part rest)
{
    char *topic = text_of(take_part(&rest, '\n'));
    const uint64_t refused = refusals_of(mqtt->registry);
    bool changed = false;

    if (is_text(topic)) {
        check_topic(mqtt->config, topic);
        take_message(mqtt, topic, rest);
        changed = fuzz_gateway_moved(fuzz_gateway());
        CLAIM(!changed || refusals_of(mqtt->registry) == refused || may_be_taken_in_part(mqtt->config, topic));
    }
    free(topic);
    return changed;
}

static void take_messages(struct mqtt *mqtt, struct part rest)
{
    bool changed = false;

    for (int i = 0; rest.length > 0 && i < MOST_MESSAGES; i++)
        changed |= take_and_check(mqtt, take_part(&rest, SEPARATOR));
    if (changed)
        fuzz_gateway_changed();
}

/* ------------------------------------------------------------------------------------------------------------- streams */

static const float *ramp(void)
{
    static float samples[256];

    for (size_t i = 0; i < 256; i++)
        samples[i] = (float)(i * 7 % 31) + (float)i * 0.01f;
    return samples;
}

/* Submits `samples` of the ramp as one message of a stream; how many buffers came out. */
static size_t submit(struct fuzz_gateway *gateway, const struct config_input *input, size_t at, size_t samples)
{
    struct wire_meta meta = { 0 };
    struct arrival arrival = { .id = "stream-1",
                               .input = input,
                               .bytes = ramp() + at % 128,
                               .size = samples * sizeof(float),
                               .format = -1,
                               .meta = &meta,
                               .topic = "stream",
                               .now = fuzz_now };
    struct receipt receipt = { 0 };
    struct refusal refusal;
    size_t count = 0;

    CLAIM(registry_submit(gateway->registry, &arrival, NULL, 0, &count, &receipt, &refusal) == 0);
    CLAIM(registry_settle(gateway->registry, &receipt, &refusal) == 0);
    return count;
}

/* Each byte is the length of a message. */
static void cut_stream(const uint8_t *lengths, size_t messages, const char *name)
{
    enum { SIZE = 8 };
    struct fuzz_gateway *gateway = fuzz_gateway();
    const struct config_input *input = gateway->config.inputs;
    size_t samples = 0, buffers = 0, hop;

    while (strcmp(input->name, name) != 0)
        input++;
    hop = input->hop > 0 ? input->hop : SIZE;
    for (size_t i = 0; i < messages && i < 40; i++) {
        const size_t length = 1 + lengths[i] % 100;

        buffers += submit(gateway, input, samples, length);
        samples += length;
    }
    CLAIM(buffers == (samples >= SIZE ? (samples - SIZE) / hop + 1 : 0));
    fuzz_gateway_changed();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const streams[] = { "stream", "hop", "far" };
    static struct mqtt mqtt;
    struct fuzz_gateway *gateway = fuzz_gateway();

    if (size > 0 && data[0] < 3) {
        cut_stream(data + 1, size - 1, streams[data[0]]);
        return 0;
    }
    memset(&mqtt, 0, sizeof(mqtt));
    mqtt.config = &gateway->config;
    mqtt.registry = gateway->registry;
    mqtt.store = gateway->store;
    take_messages(&mqtt, (struct part){ (const char *)data, size });
    return 0;
}
