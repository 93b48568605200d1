#include "mqtt/door.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config/map.h"
#include "mqtt/topic.h"
#include "wire/buffer.h"

/* A message on its way through this file. */
struct incoming {
    const struct mosquitto_message *message;
    struct topic topic;
    struct wire_meta meta;
    enum wire_encoding encoding;
    struct moment now;
};

/* --------------------------------------------------------------------------------------------------------- refusals */

/* At most a line a minute for each reason; the counters have them all. */
static void log_refusal(struct mqtt *mqtt, const char *topic, const struct refusal *refusal)
{
    struct log_gate *gate = &mqtt->intake.gates[refusal->code];
    uint64_t suppressed;

    if (log_gate_pass(gate, clock_now().mono, &suppressed))
        log_warning("dropped a message on %s: %s: %s (%llu more of this kind since the last line)",
                    text_printable(topic, 160) ? topic : "a topic that cannot be printed",
                    refusal_kind(refusal->code)->type, refusal->detail, (unsigned long long)suppressed);
}

/* Drops a message that did not get as far as the registry, which counts its own refusals. */
static void drop(struct mqtt *mqtt, const char *topic, const struct refusal *refusal)
{
    registry_count_refusal(mqtt->registry, refusal->code);
    log_refusal(mqtt, topic, refusal);
}

/* ------------------------------------------------------------------------------------------------ what is announced */

/* "application/json; charset=utf-8" is application/json. */
static bool media_is(const char *type, const char *wanted)
{
    size_t length = strcspn(type, "; ");

    return length == strlen(wanted) && strncasecmp(type, wanted, length) == 0;
}

static const struct {
    const char *type;
    enum wire_encoding encoding;
} media[] = {
    { "application/json", ENCODING_JSON },
    { "application/octet-stream", ENCODING_RAW },
    { "text/csv", ENCODING_CSV },
};

static int set_encoding(struct incoming *incoming, const char *type, struct refusal *refusal)
{
    for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
        if (media_is(type, media[i].type)) {
            incoming->encoding = media[i].encoding;
            return 0;
        }
    return refuse(refusal, REFUSAL_MEDIA_TYPE, "content type",
                  "use application/json, application/octet-stream or text/csv");
}

/* Of an input the configuration knows better: what a sensor that knows nothing of us calls its messages does not count. */
static int read_content_type(struct incoming *incoming, const mosquitto_property *properties, struct refusal *refusal)
{
    const struct config_input *input = incoming->topic.input;
    char *type = NULL;
    int r;

    /* RAW is also the machine's own format, which may be json */
    incoming->encoding = input && input->format == FORMAT_JSON ? ENCODING_JSON : ENCODING_RAW;
    if (input)
        return 0;
    if (!mosquitto_property_read_string(properties, MQTT_PROP_CONTENT_TYPE, &type, false))
        return 0;
    r = set_encoding(incoming, type, refusal);
    free(type);
    return r;
}

static int read_user_property(struct wire_meta *meta, const mosquitto_property *property, bool skip,
                              const mosquitto_property **found, struct refusal *refusal)
{
    char *name = NULL, *value = NULL;
    int r = 0;

    *found = mosquitto_property_read_string_pair(property, MQTT_PROP_USER_PROPERTY, &name, &value, skip);
    if (*found)
        r = wire_meta_set(meta, name, value, refusal);
    free(name);
    free(value);
    return r == -ENOENT ? 0 : r;
}

/* seq, boot, source, time and age_ms come as user properties; others are none of our business. */
static int read_meta(struct incoming *incoming, const mosquitto_property *properties, struct refusal *refusal)
{
    const mosquitto_property *found;
    int r = read_user_property(&incoming->meta, properties, false, &found, refusal);

    while (r == 0 && found)
        r = read_user_property(&incoming->meta, found, true, &found, refusal);
    return r;
}

/* Everything about a buffer or a context but its topic and what its payload holds. Returns 0 or a refusal. */
static int read_envelope(struct incoming *incoming, const mosquitto_property *properties, struct refusal *refusal)
{
    const struct mosquitto_message *message = incoming->message;
    int r = 0;

    if (message->retain)
        r = refuse(refusal, REFUSAL_RETAINED, "retain",
                   "publish buffers without retain, or clear the retained message");
    if (r == 0 && message->payloadlen > LIMIT_BODY)
        r = refuse_limit(refusal, REFUSAL_TOO_LARGE, "", LIMIT_BODY, "%d bytes, at most %d are taken",
                         message->payloadlen, LIMIT_BODY);
    if (r == 0)
        r = read_content_type(incoming, properties, refusal);
    if (r == 0)
        r = read_meta(incoming, properties, refusal);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- buffers */

/* What several machines share is decoded once. */
static int decode_shared(const struct incoming *incoming, struct wire_message *decoded, struct refusal *refusal)
{
    const struct mosquitto_message *message = incoming->message;
    const struct config_input *input = incoming->topic.input;
    struct wire_shape shape = { .encoding = incoming->encoding,
                                .axes = map_channels(input),
                                .format = input->format,
                                .layout = input->layout,
                                .scale = input->scale,
                                .offset = input->offset,
                                .json_path = input->path };

    return wire_decode_message(&shape, message->payload ? message->payload : "", (size_t)message->payloadlen,
                               &incoming->meta, decoded, refusal);
}

/* id: the machine; shared, target: the message and what of it is this machine's, NULL = all is. */
static int submit(struct mqtt *mqtt, const struct incoming *incoming, const char *id, const struct wire_message *shared,
                  const struct config_target *target, struct refusal *refusal)
{
    static const enum intent intents[] = {
        [TOPIC_BUFFER] = INTENT_BUFFER, [TOPIC_LEARN] = INTENT_LEARN, [TOPIC_DETECT] = INTENT_DETECT
    };
    const struct mosquitto_message *message = incoming->message;
    struct arrival arrival = {
        .id = id,
        .intent = intents[incoming->topic.kind],
        .encoding = incoming->encoding,
        .bytes = message->payload ? message->payload : "",
        .size = (size_t)message->payloadlen,
        .format = -1,
        .message = shared,
        .target = target,
        .input = incoming->topic.input,
        .meta = &incoming->meta,
        .topic = message->topic,
        .now = incoming->now,
    };
    struct intake *intake = &mqtt->intake;
    struct receipt receipt = { 0 };
    size_t count;
    int r = registry_submit(mqtt->registry, &arrival, NULL, 0, &count, &receipt, refusal);

    if (r == 0 && receipt.op)
        intake->receipts[intake->count++] = receipt;
    return r;
}

/* What the store cannot take is not acknowledged, nor is what broke on our side: the broker sends it again. When the
 * store's queue is full, one more try after its commits: the reader waits. */
static void take_part(struct mqtt *mqtt, const struct incoming *incoming, const char *id,
                      const struct wire_message *shared, const struct config_target *target)
{
    struct intake *intake = &mqtt->intake;
    struct refusal refusal;
    int r;

    if (intake->count == LIMIT_MQTT_BATCH)
        intake_settle(mqtt);
    if (intake->failed) /* the message comes again: without a number it would be learned twice */
        return;
    r = submit(mqtt, incoming, id, shared, target, &refusal);
    if (r == REFUSAL_STORE && intake->count > 0) {
        if (intake_settle(mqtt) < 0)
            return;
        r = submit(mqtt, incoming, id, shared, target, &refusal);
    }
    if (r < 0)
        session_lost(mqtt, "a buffer of %s could not be taken: %s at %s", id, strerror(-r), fault_place());
    else if (r == REFUSAL_STORE || r == REFUSAL_BROKEN)
        session_lost(mqtt, "a buffer of %s could not be stored: %s", id, refusal.detail);
    else if (r > 0)
        log_refusal(mqtt, incoming->message->topic, &refusal);
    if (r < 0 || r == REFUSAL_STORE || r == REFUSAL_BROKEN)
        intake->failed = true;
}

/* Each machine of the map for itself: one that does not take its channels is no reason for the others. */
static void take_shared(struct mqtt *mqtt, const struct incoming *incoming)
{
    const struct config_input *input = incoming->topic.input;
    struct wire_message shared = { 0 };
    struct refusal refusal;
    char id[MACHINE_ID_SIZE];
    int r = decode_shared(incoming, &shared, &refusal);

    if (r < 0)
        refuse_fault(&refusal, r);
    if (r != 0)
        drop(mqtt, incoming->message->topic, &refusal);
    for (uint32_t i = 0; r == 0 && i < input->targets; i++)
        if (map_machine(&input->target[i], incoming->topic.machine, id, &refusal) == 0)
            take_part(mqtt, incoming, id, &shared, &input->target[i]);
        else
            drop(mqtt, incoming->message->topic, &refusal);
    wire_message_free(&shared);
}

static void take_buffer(struct mqtt *mqtt, const struct incoming *incoming)
{
    if (incoming->topic.input && incoming->topic.input->targets > 0)
        take_shared(mqtt, incoming);
    else
        take_part(mqtt, incoming, incoming->topic.machine, NULL, NULL);
}

/* ---------------------------------------------------------------------------------------------------------- context */

static void take_context(struct mqtt *mqtt, struct incoming *incoming)
{
    const struct mosquitto_message *message = incoming->message;
    struct refusal refusal;
    int r;

    if (incoming->encoding == ENCODING_CSV)
        r = refuse(&refusal, REFUSAL_MEDIA_TYPE, "content type", "context is application/json");
    else
        r = wire_decode_context(message->payload ? message->payload : "", (size_t)message->payloadlen, &incoming->meta,
                                &refusal);
    if (r > 0) {
        drop(mqtt, message->topic, &refusal);
        return;
    }
    if (r == 0)
        r = registry_context(mqtt->registry, incoming->topic.machine, &incoming->meta, incoming->now, &refusal);
    if (r < 0)
        refuse_fault(&refusal, r); /* only the latest values count: nothing to send again */
    if (r != 0)
        log_refusal(mqtt, message->topic, &refusal);
}

/* --------------------------------------------------------------------------------------------------------- commands */

/* A refused one was answered; one without an answer comes again. */
static void take_command(struct mqtt *mqtt, const struct incoming *incoming, const mosquitto_property *properties)
{
    struct refusal refusal;
    int r = command_take(mqtt, &incoming->topic, incoming->message, properties, incoming->now, &refusal);

    if (r > 0)
        drop(mqtt, incoming->message->topic, &refusal);
    if (r >= 0)
        return;
    session_lost(mqtt, "a command to %s could not be answered: %s at %s", incoming->topic.machine, strerror(-r),
                 fault_place());
    mqtt->intake.failed = true;
}

/* A buffer or a context: what they say beside their payload is read the same way. */
static void take_data(struct mqtt *mqtt, struct incoming *incoming, const mosquitto_property *properties)
{
    struct refusal refusal;

    if (read_envelope(incoming, properties, &refusal) != 0)
        drop(mqtt, incoming->message->topic, &refusal);
    else if (incoming->topic.kind == TOPIC_CONTEXT)
        take_context(mqtt, incoming);
    else
        take_buffer(mqtt, incoming);
}

static void take(struct mqtt *mqtt, struct incoming *incoming, const mosquitto_property *properties)
{
    if (incoming->topic.kind == TOPIC_BIRTH)
        outlet_announce_again(mqtt, discovery_birth(incoming->message, incoming->now));
    else if (incoming->topic.kind == TOPIC_COMMAND)
        take_command(mqtt, incoming, properties);
    else
        take_data(mqtt, incoming, properties);
}

void intake_message(struct mqtt *mqtt, const struct mosquitto_message *message, const mosquitto_property *properties)
{
    struct incoming incoming = { .message = message, .now = clock_now() };
    struct refusal refusal;

    if (mqtt->intake.closed || mqtt->intake.failed) { /* its PUBACK never leaves */
        mqtt->intake.tainted = true;
        return;
    }
    if (topic_read(mqtt->config, message->topic, &incoming.topic, &refusal) == 0)
        take(mqtt, &incoming, properties);
    else
        drop(mqtt, message->topic, &refusal);
}

/* ---------------------------------------------------------------------------------------------------------- batches */

static bool readable(int fd)
{
    struct pollfd pollfd = { .fd = fd, .events = POLLIN };

    return fd >= 0 && poll(&pollfd, 1, 0) > 0;
}

/* One call of the library reads a packet or a few more, so more may come than calls were made: take_buffer minds. */
int intake_read(struct mqtt *mqtt)
{
    const bool tls = session_has_tls(mqtt);
    int rc;

    mqtt->intake.more =
        tls; /* what TLS has decrypted already no longer shows at the socket: reading tells when it is all */
    for (int i = 0; i < LIMIT_MQTT_BATCH && (tls ? mqtt->intake.more : readable(session_socket(mqtt))); i++) {
        errno = 0; /* a stale EAGAIN would look like the end of what is there */
        rc = mosquitto_loop_read(mqtt->session.client, 1);
        mqtt->intake.more = tls && errno != EAGAIN;
        if (rc != MOSQ_ERR_SUCCESS)
            return session_lost_by(mqtt, rc);
    }
    return session_socket(mqtt) >= 0 ? session_check_size(mqtt) : -EIO;
}

int intake_settle(struct mqtt *mqtt)
{
    struct intake *intake = &mqtt->intake;
    struct refusal refusal = { 0 };

    for (size_t i = 0; i < intake->count; i++) {
        int r = registry_settle(mqtt->registry, &intake->receipts[i], &refusal);

        if (r != 0 && r != REFUSAL_DAMAGED) { /* such a one would come again for ever, and all others wait behind it */
            intake->failed = true;
            session_lost(mqtt, "what was read could not be stored: %.100s", refusal.detail);
        }
    }
    intake->count = 0;
    return intake->failed ? -EIO : 0;
}
