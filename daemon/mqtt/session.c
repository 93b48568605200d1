#include "mqtt/door.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/tcp.h>
#include <mqtt_protocol.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mqtt/probe.h"
#include "mqtt/topic.h"

enum {
    RECEIVE_MAXIMUM = 2 * LIMIT_MQTT_BATCH, /* the broker can send the next batch while we commit this one */
    PACKET_MAXIMUM = LIMIT_BODY + 4096,     /* topic and properties */
    CONNACK_MS = 10000,
    ASK_AGAIN_MS = 60000,
    STABLE_MS = 10000, /* a connection that lasted so long starts the back-off anew */
    BACKOFF_LOW_MS = 1000,
    BACKOFF_HIGH_MS = 60000,
    LEAVING_MS = 300, /* a broker that stops closes its door within that */
    PROBE_MS = 1000,
    CONTESTED_MS = 3 * BACKOFF_HIGH_MS, /* the other one comes back within that, if it is there still */
    PASSWORD_SIZE = 256
};

int session_lost(struct mqtt *mqtt, const char *format, ...)
{
    struct session *session = &mqtt->session;
    va_list arguments;

    if (session->why[0] != '\0')
        return -EIO;
    va_start(arguments, format);
    vsnprintf(session->why, sizeof(session->why), format, arguments);
    va_end(arguments);
    return -EIO;
}

/* What the library of Debian 12 has no words for. */
static const char *words_of(int rc)
{
    switch (rc) {
    case MOSQ_ERR_ERRNO:
        return strerror(errno);
    case MOSQ_ERR_KEEPALIVE:
        return "no answer to a ping within the keepalive";
    default:
        return mosquitto_strerror(rc);
    }
}

int session_lost_by(struct mqtt *mqtt, int rc)
{
    return session_lost(mqtt, "%s", words_of(rc));
}

/* ---------------------------------------------------------------------------------------------------- subscriptions */

/* The session at the broker may be of an older configuration. */
static void unsubscribe(struct mqtt *mqtt)
{
    char filters[2][TOPIC_SIZE];
    size_t count = topic_unwanted(mqtt->config, filters);

    for (size_t i = 0; i < count; i++)
        if (mosquitto_unsubscribe(mqtt->session.client, NULL, filters[i]) != MOSQ_ERR_SUCCESS)
            session_lost(mqtt, "could not unsubscribe from %s", filters[i]);
}

static void subscribe(struct mqtt *mqtt)
{
    char text[TOPIC_FILTERS][TOPIC_SIZE];
    char *filters[TOPIC_FILTERS];
    size_t count = topic_filters(mqtt->config);
    int rc;

    for (size_t i = 0; i < count; i++) { /* the configuration has LIMIT_INPUTS at the most */
        topic_filter(mqtt->config, i, text[i]);
        filters[i] = text[i];
    }
    mqtt->session.subscribed = false;
    mqtt->session.asked_at = clock_awake();
    if (atomic_load(&mqtt->deaf_since) == 0)
        atomic_store(&mqtt->deaf_since, clock_awake());
    rc = mosquitto_subscribe_multiple(mqtt->session.client, &mqtt->session.asked, (int)count, filters, 1, 0, NULL);
    if (rc != MOSQ_ERR_SUCCESS)
        session_lost_by(mqtt, rc);
    unsubscribe(mqtt);
}

static void on_subscribe(struct mosquitto *client, void *user, int mid, int count, const int *granted,
                         const mosquitto_property *properties)
{
    struct mqtt *mqtt = user;
    size_t wanted = topic_filters(mqtt->config);
    bool all = (size_t)count == wanted; /* a broker may answer nonsense */
    char filter[TOPIC_SIZE];

    mqtt->session.heard = true;
    (void)client, (void)properties;
    if (mid != mqtt->session.asked)
        return;
    for (int i = 0; i < count && (size_t)i < wanted; i++) {
        if (granted[i] == 1)
            continue;
        all = false;
        topic_filter(mqtt->config, (size_t)i, filter);
        if (granted[i] >= 0x80)
            log_error("broker refuses the subscription to %s (%s): nothing comes in by it", filter,
                      mosquitto_reason_string(granted[i]));
        else
            log_warning("broker grants QoS %d on %s: messages can be lost on the way", granted[i], filter);
    }
    mqtt->session.subscribed = all;
    if (all)
        atomic_store(&mqtt->deaf_since, 0);
}

/* -------------------------------------------------------------------------------------------------------- callbacks */

/* An old broker's answer, code 1 in the form of 3.1.1, arrives as UNSUPPORTED_PROTOCOL_VERSION too. */
static void refused(struct mqtt *mqtt, int reason)
{
    struct session *session = &mqtt->session;
    bool new_protocol = session->version == MQTT_PROTOCOL_V5;

    if (new_protocol && reason == MQTT_RC_UNSUPPORTED_PROTOCOL_VERSION) {
        session->version = MQTT_PROTOCOL_V311;
        session->at_once = true;
        session_lost(mqtt, "broker does not speak MQTT 5");
    } else {
        session_lost(mqtt, "broker refused us: %s",
                     new_protocol ? mosquitto_reason_string(reason) : mosquitto_connack_string(reason));
    }
}

static void on_connect(struct mosquitto *client, void *user, int reason, int flags,
                       const mosquitto_property *properties)
{
    struct mqtt *mqtt = user;
    struct session *session = &mqtt->session;
    bool present = flags & 1;

    mqtt->session.heard = true;
    (void)client, (void)properties;
    if (reason != 0) {
        refused(mqtt, reason);
        return;
    }
    session->accepted = true;
    session->since = clock_awake();
    session->accepted_at = clock_now().wall;
    log_notice("connected to broker %s:%u with MQTT %s, %s session", mqtt->config->mqtt_host, mqtt->config->mqtt_port,
               session->version == MQTT_PROTOCOL_V5 ? "5" : "3.1.1", present ? "resumed the" : "new");
    if (!present && session->subscribed)
        log_warning("the broker has forgotten our session: what was sent meanwhile is lost");
    if (!present || !session->subscribed)
        subscribe(mqtt);
    outlet_begin(mqtt);
    mqtt->connections++;
    atomic_store(&mqtt->connected, true);
}

static void session_taken(struct mqtt *mqtt, const char *what)
{
    mqtt->session.taken = mqtt->session.why[0] == '\0';
    session_lost(mqtt, "%s: is there another client with id 'habit-%s'?", what, mqtt->config->gateway);
}

/* What is behind it shows a moment later: see session_backoff. */
static void lost_early(struct mqtt *mqtt)
{
    mqtt->session.ended_early = mqtt->session.why[0] == '\0';
    session_lost(mqtt, "closed soon after it was accepted");
}

/* Twice, and the broker went on listening: so it looks when two clients with one ID throw each other out; mosquitto 2.0.11 does
 * not send the reason. One that stops, or starts anew, does not listen for a moment. */
static void judge_early_end(struct mqtt *mqtt)
{
    struct session *session = &mqtt->session;

    session->ended_early = false;
    usleep(LEAVING_MS * 1000);
    if (!probe_listens(mqtt->config->mqtt_host, mqtt->config->mqtt_port, PROBE_MS))
        session->early = 0;
    else if (++session->early > 1) {
        session->why[0] = '\0';
        session_taken(mqtt, "closed soon after it was accepted");
    }
}

static void on_disconnect(struct mosquitto *client, void *user, int reason, const mosquitto_property *properties)
{
    struct mqtt *mqtt = user;

    (void)client, (void)properties;
    if (reason == MQTT_RC_SESSION_TAKEN_OVER)
        session_taken(mqtt, "another client took over our session");
    else if (reason >= 0x80)
        session_lost(mqtt, "broker disconnected us: %s", mosquitto_reason_string(reason));
    else if (reason == MOSQ_ERR_CONN_LOST && mqtt->session.accepted && clock_awake() - mqtt->session.since < STABLE_MS)
        lost_early(mqtt);
    else
        session_lost_by(mqtt, reason == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : reason);
}

static void on_message(struct mosquitto *client, void *user, const struct mosquitto_message *message,
                       const mosquitto_property *properties)
{
    struct mqtt *mqtt = user;

    (void)client;
    mqtt->session.heard = true;
    intake_message(mqtt, message, properties);
}

static void on_publish(struct mosquitto *client, void *user, int mid, int reason, const mosquitto_property *properties)
{
    struct mqtt *mqtt = user;

    (void)client, (void)properties;
    mqtt->session.heard = true;
    outlet_published(mqtt, mid, reason);
}

/* ------------------------------------------------------------------------------------------------------- connecting */

/* The first line of the password file, read anew for each connection. Returns 0, or -EIO with why. */
static int read_password(struct mqtt *mqtt, char password[PASSWORD_SIZE])
{
    char path[SECRET_PATH_SIZE];
    struct stat status;
    ssize_t got;
    int fd;

    config_secret_path(mqtt->config->mqtt_password_file, path);
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return session_lost(mqtt, "password file %.80s: %s", path, strerror(errno));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) || (status.st_mode & S_IROTH)) {
        close(fd);
        return session_lost(mqtt, "password file %.80s must be a file that others cannot read", path);
    }
    got = read(fd, password, PASSWORD_SIZE - 1);
    close(fd);
    password[got > 0 ? got : 0] = '\0';
    password[strcspn(password, "\r\n")] = '\0';
    return password[0] != '\0' ? 0 : session_lost(mqtt, "password file %.80s is empty", path);
}

static int set_login(struct mqtt *mqtt)
{
    const struct config *config = mqtt->config;
    char password[PASSWORD_SIZE];
    int rc;

    if (config->mqtt_username[0] == '\0')
        return 0;
    if (config->mqtt_password_file[0] != '\0' && read_password(mqtt, password) < 0)
        return -EIO;
    rc = mosquitto_username_pw_set(mqtt->session.client, config->mqtt_username,
                                   config->mqtt_password_file[0] != '\0' ? password : NULL);
    explicit_bzero(password, sizeof(password));
    return rc == MOSQ_ERR_SUCCESS ? 0 : session_lost_by(mqtt, rc);
}

bool session_has_tls(const struct mqtt *mqtt)
{
    return mqtt->config->mqtt_ca[0] != '\0';
}

static const char *or_null(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

/* For each connection anew: the files may have changed, and no reconnect can be less strict than the first connect. The broker's
 * certificate must be signed by the CA and be for the host that the configuration names; there is no way to turn that off. */
static int set_tls(struct mqtt *mqtt)
{
    const struct config *config = mqtt->config;
    struct mosquitto *client = mqtt->session.client;
    bool system = strcmp(config->mqtt_ca, "system") == 0;
    int rc;

    if (!session_has_tls(mqtt))
        return MOSQ_ERR_SUCCESS;
    rc = mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, system);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_tls_set(client, system ? NULL : config->mqtt_ca, NULL, or_null(config->mqtt_certificate),
                               or_null(config->mqtt_key), NULL);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_tls_opts_set(client, 1, NULL, NULL); /* 1: the peer is verified */
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_tls_insecure_set(client, false);
    if (rc == MOSQ_ERR_INVAL) /* what the library says where it cannot open one of them */
        session_lost(mqtt, "[mqtt] ca, certificate or key cannot be read");
    return rc;
}

static int set_options(struct mqtt *mqtt)
{
    struct mosquitto *client = mqtt->session.client;
    char status[TOPIC_SIZE];
    int rc;

    topic_below_root(mqtt->config, "status", status);
    rc = mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, mqtt->session.version);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, RECEIVE_MAXIMUM);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_threaded_set(client, true); /* PUBACKs wait for mosquitto_loop_write: see door.h */
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_will_set(client, status, (int)strlen("offline"), "offline", 1, true);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = set_tls(mqtt);
    return rc == MOSQ_ERR_SUCCESS ? set_login(mqtt) : session_lost_by(mqtt, rc);
}

static int make_client(struct mqtt *mqtt)
{
    struct mosquitto *client;
    char id[GATEWAY_ID_SIZE + 8];

    snprintf(id, sizeof(id), "habit-%s", mqtt->config->gateway);
    client = mosquitto_new(id, false, mqtt);
    if (!client)
        return session_lost_by(mqtt, MOSQ_ERR_NOMEM);
    mqtt->session.client = client;
    mosquitto_connect_v5_callback_set(client, on_connect);
    mosquitto_disconnect_v5_callback_set(client, on_disconnect);
    mosquitto_subscribe_v5_callback_set(client, on_subscribe);
    mosquitto_message_v5_callback_set(client, on_message);
    mosquitto_publish_v5_callback_set(client, on_publish);
    return set_options(mqtt);
}

/* What only MQTT 5 has. Without an expiry interval its session would end with the connection. */
static int add_properties(const struct mqtt *mqtt, mosquitto_property **properties)
{
    uint32_t expiry = (uint32_t)(mqtt->config->mqtt_session_expiry / 1000);
    int rc = MOSQ_ERR_SUCCESS;

    if (mqtt->session.version != MQTT_PROTOCOL_V5)
        return rc;
    rc = mosquitto_property_add_int32(properties, MQTT_PROP_SESSION_EXPIRY_INTERVAL, expiry);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_property_add_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, PACKET_MAXIMUM);
    return rc;
}

int session_open(struct mqtt *mqtt)
{
    const struct config *config = mqtt->config;
    mosquitto_property *properties = NULL;
    int rc;

    mqtt->session.why[0] = '\0';
    mqtt->session.at_once = mqtt->session.taken = false;
    if (make_client(mqtt) < 0)
        return -EIO;
    rc = add_properties(mqtt, &properties);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_connect_bind_v5(mqtt->session.client, config->mqtt_host, (int)config->mqtt_port,
                                       (int)config->mqtt_keepalive, NULL, properties);
    mosquitto_property_free_all(&properties);
    mqtt->session.since = clock_awake();
    if (rc == MOSQ_ERR_SUCCESS)
        return 0;
    mqtt->session.early = 0;
    return session_lost_by(mqtt, rc);
}

void session_close(struct mqtt *mqtt)
{
    struct session *session = &mqtt->session;

    atomic_store(&mqtt->connected, false);
    if (session->client)
        mosquitto_destroy(session->client);
    session->client = NULL;
    if (session->accepted)
        session->version = MQTT_PROTOCOL_V5; /* the broker may be a newer one next time */
    if (session->accepted && clock_awake() - session->since >= STABLE_MS) {
        session->failures = session->early = 0;
        session->said[0] = '\0';
    }
    session->accepted = false;
}

/* --------------------------------------------------------------------------------------------------- while it lasts */

int session_socket(const struct mqtt *mqtt)
{
    return mqtt->session.client && mqtt->session.why[0] == '\0' ? mosquitto_socket(mqtt->session.client) : -1;
}

int session_write(struct mqtt *mqtt)
{
    int rc = MOSQ_ERR_SUCCESS;

    errno = 0; /* a stale EAGAIN would end the library's loop early */
    if (mosquitto_want_write(mqtt->session.client))
        rc = mosquitto_loop_write(mqtt->session.client, 1);
    return rc == MOSQ_ERR_SUCCESS ? 0 : session_lost_by(mqtt, rc);
}

/* libmosquitto sets memory aside for whatever length a packet announces, up to 256 MiB, and fills it as the broker likes. It says
 * nothing meanwhile: what the kernel counts tells how much was read since it last did. */
int session_check_size(struct mqtt *mqtt)
{
    struct session *session = &mqtt->session;
    struct tcp_info info = { 0 };
    socklen_t size = sizeof(info);
    int unread = 0, fd = session_socket(mqtt);
    uint64_t taken;

    if (fd < 0 || getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0 || ioctl(fd, FIONREAD, &unread) < 0)
        return 0;
    taken = (uint64_t)info.tcpi_bytes_received - (uint64_t)unread;
    if (session->heard || taken < session->mark)
        session->mark = taken;
    session->heard = false;
    if (taken - session->mark <= 2 * PACKET_MAXIMUM)
        return 0;
    return session_lost(mqtt, "it sends a packet of more than the %d bytes that it was told", PACKET_MAXIMUM);
}

int session_care(struct mqtt *mqtt)
{
    int rc = mosquitto_loop_misc(mqtt->session.client);

    if (rc != MOSQ_ERR_SUCCESS)
        return session_lost_by(mqtt, rc);
    if (!mqtt->session.accepted && clock_awake() - mqtt->session.since > CONNACK_MS)
        return session_lost(mqtt, "no answer to CONNECT");
    if (mqtt->session.accepted && !mqtt->session.subscribed && clock_awake() - mqtt->session.asked_at > ASK_AGAIN_MS)
        subscribe(mqtt); /* whoever keeps the broker may have mended its ACL */
    return 0;
}

/* Between half and all of the step, so that gateways that lost the same broker do not come back together. */
static int jitter(int step)
{
    unsigned int chance;

    if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
        chance = 0;
    return step / 2 + (int)(chance % (unsigned int)(step / 2 + 1));
}

/* Another reason than the last line gave, or a minute has passed. */
static bool is_news(struct session *session)
{
    uint64_t suppressed;
    bool minute = log_gate_pass(&session->gate, clock_now().mono, &suppressed);
    bool other = strcmp(session->said, session->why) != 0;

    snprintf(session->said, sizeof(session->said), "%s", session->why);
    return minute || other;
}

/* For those who ask how the door does. */
static void publish_why(struct mqtt *mqtt)
{
    pthread_mutex_lock(&mqtt->lock);
    memcpy(mqtt->why, mqtt->session.why, sizeof(mqtt->why));
    if (mqtt->session.taken)
        mqtt->contested_until = clock_now().mono + CONTESTED_MS;
    pthread_mutex_unlock(&mqtt->lock);
}

int session_backoff(struct mqtt *mqtt)
{
    struct session *session = &mqtt->session;
    unsigned int doublings = session->failures < 6 ? session->failures : 6;
    int step = BACKOFF_LOW_MS << doublings;
    int delay;

    if (session->ended_early)
        judge_early_end(mqtt);
    publish_why(mqtt);
    if (session->at_once) {
        log_notice("%s: trying MQTT 3.1.1", session->why);
        return 0;
    }
    session->failures++;
    delay = jitter(step < BACKOFF_HIGH_MS ? step : BACKOFF_HIGH_MS);
    if (is_news(session))
        log_warning("broker %s:%u is not connected (%s), next try in %d s, then for ever", mqtt->config->mqtt_host,
                    mqtt->config->mqtt_port, session->why, (delay + 999) / 1000);
    return delay;
}
