/* Publishes with QoS 1 over MQTT 5. The library's thread keeps the connection, sends again after a lost one, and counts
 * acknowledgments; a few may be outstanding, none at the end. */
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "message.h"
#include "options.h"
#include "sink.h"

enum { IN_FLIGHT = 16, WAIT_SECONDS = 30, KEEPALIVE = 60, DEFAULT_PORT = 1883, REFUSED_FROM = 0x80, TURN_MS = 100 };

struct mqtt_state {
    struct mosquitto *client;
    pthread_mutex_t lock; /* of all below, which the library's thread changes */
    pthread_cond_t changed;
    int connected; /* 1 = accepted, 0 = not yet, below = refused for good */
    uint64_t outstanding, unheard, refused;
};

/* -------------------------------------------------------------------------------------------- on the library's thread */

static void on_connect(struct mosquitto *client, void *user, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct mqtt_state *state = user;

    (void)client;
    (void)flags;
    (void)properties;
    pthread_mutex_lock(&state->lock);
    state->connected = reason == 0 ? 1 : -reason;
    pthread_cond_broadcast(&state->changed);
    pthread_mutex_unlock(&state->lock);
}

static void on_publish(struct mosquitto *client, void *user, int id, int reason, const mosquitto_property *properties)
{
    struct mqtt_state *state = user;

    (void)client;
    (void)id;
    (void)properties;
    pthread_mutex_lock(&state->lock);
    state->outstanding--;
    state->refused += reason >= REFUSED_FROM;
    state->unheard += reason == MQTT_RC_NO_MATCHING_SUBSCRIBERS;
    pthread_cond_broadcast(&state->changed);
    pthread_mutex_unlock(&state->lock);
}

/* ------------------------------------------------------------------------------------------------------------- waiting */

static bool is_settled(const struct mqtt_state *state, uint64_t most)
{
    return state->connected != 0 && state->outstanding <= most;
}

/* Until the broker has answered the connection and at most `most` messages wait for it. Returns whether it came to that. */
static bool wait_for(struct mqtt_state *state, uint64_t most)
{
    struct timespec until;
    bool settled;
    int r = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += WAIT_SECONDS;
    pthread_mutex_lock(&state->lock);
    while (r == 0 && !is_settled(state, most))
        r = pthread_cond_timedwait(&state->changed, &state->lock, &until);
    settled = is_settled(state, most);
    pthread_mutex_unlock(&state->lock);
    return settled;
}

/* ---------------------------------------------------------------------------------------------------------------- open */

/* "host", "host:1883", "[::1]:1883" into host[] and a port. */
static bool read_address(const char *address, char *host, size_t size, uint64_t *port)
{
    const char *end = address[0] == '[' ? strchr(address, ']') : strchrnul(address, ':');
    const char *start = address + (address[0] == '[');
    const char *rest = end && *end == ']' ? end + 1 : end;

    *port = DEFAULT_PORT;
    if (!end || end == start || (size_t)(end - start) >= size)
        return false;
    memcpy(host, start, (size_t)(end - start));
    host[end - start] = '\0';
    return *rest == '\0' || (*rest == ':' && text_to_unsigned(rest + 1, 65535, port) && *port > 0);
}

static int refuse_broker(const struct sink *sink, const char *why)
{
    complain("no broker at %s: %s", sink->setup.mqtt, why);
    return EXIT_FAILED;
}

/* The first line of a file. */
static int read_password(const char *path, char *password, size_t size)
{
    FILE *file = fopen(path, "re");
    bool read = file && fgets(password, (int)size, file);

    if (file)
        fclose(file);
    if (!read)
        return complain_errno("read", path);
    password[strcspn(password, "\r\n")] = '\0';
    return 0;
}

/* Who we are, and who the broker must be: its certificate and name are verified. */
static int identify(struct sink *sink)
{
    const struct sink_setup *setup = &sink->setup;
    struct mqtt_state *state = sink->state;
    char password[256] = "";
    int r = setup->password_file ? read_password(setup->password_file, password, sizeof(password)) : 0;

    if (r != 0)
        return r;
    if (setup->username)
        r = mosquitto_username_pw_set(state->client, setup->username, setup->password_file ? password : NULL);
    explicit_bzero(password, sizeof(password));
    if (r == MOSQ_ERR_SUCCESS && setup->ca)
        r = mosquitto_tls_set(state->client, setup->ca, NULL, NULL, NULL, NULL);
    if (r == MOSQ_ERR_INVAL && setup->ca) {
        complain("cannot read %s: no certificate of a CA in PEM form", setup->ca);
        return EXIT_FAILED;
    }
    return r == MOSQ_ERR_SUCCESS ? 0 : refuse_broker(sink, mosquitto_strerror(r));
}

/* Until the broker has accepted or refused us: its answer is in state->connected. Here and not on the library's thread, which would try
 * again for ever, and does not tell of a TLS that fails. Returns the library's error of a connection that ends before. */
static int wait_for_answer(struct mqtt_state *state)
{
    time_t until = time(NULL) + WAIT_SECONDS;
    int r = MOSQ_ERR_SUCCESS;

    while (r == MOSQ_ERR_SUCCESS && state->connected == 0 && time(NULL) < until)
        r = mosquitto_loop(state->client, TURN_MS, 1);
    return state->connected != 0 ? MOSQ_ERR_SUCCESS : r;
}

/* Neither accepted nor refused: nearly always one of both speaks TLS and the other does not. */
static int refuse_silence(const struct sink *sink, int r)
{
    if (sink->setup.ca)
        return refuse_broker(sink,
                             "no TLS with it: --ca must be the CA that signed its certificate, which must be for this "
                             "name, and the port one with TLS");
    return refuse_broker(sink, r != MOSQ_ERR_SUCCESS
                                   ? "it closes the connection without an answer; a port with TLS, such as "
                                     "8883, wants --ca FILE"
                                   : "it answers nothing");
}

static int connect_broker(struct sink *sink)
{
    struct mqtt_state *state = sink->state;
    char host[256];
    uint64_t port;
    int r;

    if (!read_address(sink->setup.mqtt, host, sizeof(host), &port)) {
        complain("--mqtt: '%s' is not host:port", sink->setup.mqtt);
        return EXIT_USAGE;
    }
    r = identify(sink);
    if (r != 0)
        return r;
    r = mosquitto_connect_bind_v5(state->client, host, (int)port, KEEPALIVE, NULL, NULL);
    if (r != MOSQ_ERR_SUCCESS && r != MOSQ_ERR_TLS)
        return refuse_broker(sink, mosquitto_strerror(r));
    if (r == MOSQ_ERR_SUCCESS)
        r = wait_for_answer(state);
    if (state->connected == 0)
        return refuse_silence(sink, r);
    if (state->connected < 0)
        return refuse_broker(sink, mosquitto_reason_string(-state->connected));
    mosquitto_loop_start(state->client);
    return 0;
}

static int open_mqtt(struct sink *sink)
{
    struct mqtt_state *state = calloc(1, sizeof(*state));

    sink->state = state;
    if (!state)
        return complain_errno("hold", "a client");
    mosquitto_lib_init();
    pthread_mutex_init(&state->lock, NULL);
    pthread_cond_init(&state->changed, NULL);
    state->client = mosquitto_new(NULL, true, state);
    if (!state->client)
        return complain_errno("hold", "a client");
    mosquitto_int_option(state->client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
    mosquitto_int_option(state->client, MOSQ_OPT_TCP_NODELAY, 1);
    mosquitto_connect_v5_callback_set(state->client, on_connect);
    mosquitto_publish_v5_callback_set(state->client, on_publish);
    return connect_broker(sink);
}

/* ---------------------------------------------------------------------------------------------------------------- send */

static void add_property(mosquitto_property **properties, const char *name, const char *value)
{
    mosquitto_property_add_string_pair(properties, MQTT_PROP_USER_PROPERTY, name, value);
}

static int publish(struct sink *sink, const struct sink_buffer *buffer, const char *topic, const void *bytes,
                   size_t size)
{
    struct mqtt_state *state = sink->state;
    mosquitto_property *properties = NULL;
    char seq[24];
    int r;

    if (sink->setup.boot) {
        snprintf(seq, sizeof(seq), "%llu", (unsigned long long)buffer->number);
        add_property(&properties, "boot", sink->setup.boot);
        add_property(&properties, "seq", seq);
    }
    pthread_mutex_lock(&state->lock);
    state->outstanding++; /* before: the acknowledgment may be faster than this call */
    pthread_mutex_unlock(&state->lock);
    r = mosquitto_publish_v5(state->client, NULL, topic, (int)size, bytes, 1, false, properties);
    mosquitto_property_free_all(&properties);
    /* While the connection is away the library keeps the message, and sends it when it is back. */
    return r == MOSQ_ERR_SUCCESS || r == MOSQ_ERR_NO_CONN ? 0 : refuse_broker(sink, mosquitto_strerror(r));
}

static int send_mqtt(struct sink *sink, const struct sink_buffer *buffer, const void *bytes, size_t size)
{
    static const char *const actions[] = { "buffer", "learn", "detect" };
    char topic[512];
    int r;

    snprintf(topic, sizeof(topic), "%s/%s/%s", sink->setup.root, buffer->machine, actions[sink->setup.action]);
    r = publish(sink, buffer, topic, bytes, size);
    if (r == 0 && !wait_for(sink->state, IN_FLIGHT - 1))
        r = refuse_broker(sink, "it acknowledges nothing");
    if (r == 0 && !sink->setup.quiet) {
        printf("%s %llu sent\n", buffer->machine, (unsigned long long)buffer->number);
        fflush(stdout); /* somebody watches */
    }
    return r;
}

static int finish_mqtt(struct sink *sink)
{
    struct mqtt_state *state = sink->state;

    if (!wait_for(state, 0))
        return refuse_broker(sink, "it did not acknowledge everything");
    if (state->unheard > 0)
        complain("warning: nobody was subscribed to %llu buffers below %s", (unsigned long long)state->unheard,
                 sink->setup.root);
    if (state->refused == 0)
        return 0;
    complain("the broker refused %llu buffers", (unsigned long long)state->refused);
    return EXIT_FAILED;
}

static void close_mqtt(struct sink *sink)
{
    struct mqtt_state *state = sink->state;

    if (state->client) {
        bool lost = mosquitto_disconnect(state->client) != MOSQ_ERR_SUCCESS;

        mosquitto_loop_stop(state->client,
                            lost); /* force cancels the thread, wherever it is: only where it may never end */
        mosquitto_destroy(state->client);
    }
    pthread_cond_destroy(&state->changed);
    pthread_mutex_destroy(&state->lock);
    free(state);
    mosquitto_lib_cleanup();
}

const struct sink_kind sink_mqtt = { open_mqtt, send_mqtt, finish_mqtt, close_mqtt };
