#include "mqtt/mqtt.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "mqtt/door.h"

enum {
    TURN_MS = 1000,    /* the longest that a turn waits */
    SUBACK_MS = 5000,  /* until a subscription that is not granted is a reason to be degraded */
    LEAVE_MS = 1500,   /* for the last publications and their acknowledgments */
    PATIENCE_MS = 2000 /* of those who stop us */
};

/* ----------------------------------------------------------------------------------------------------------- stages */

static enum stage wanted(struct mqtt *mqtt)
{
    return (enum stage)atomic_load(&mqtt->wanted);
}

/* Sets one of the flags that others wait for. */
static void tell(struct mqtt *mqtt, bool *flag, bool value)
{
    pthread_mutex_lock(&mqtt->lock);
    *flag = value;
    pthread_cond_broadcast(&mqtt->news);
    pthread_mutex_unlock(&mqtt->lock);
}

void mqtt_wake(struct mqtt *mqtt)
{
    const uint64_t one = 1;
    ssize_t written = mqtt ? write(mqtt->wake_fd, &one, sizeof(one)) : 0;

    (void)written; /* fails only when it would overflow: then it is awake */
}

static void want(struct mqtt *mqtt, enum stage stage)
{
    if (wanted(mqtt) < stage)
        atomic_store(&mqtt->wanted, stage);
    mqtt_wake(mqtt);
}

/* Waits for something to read or write, or a call of mqtt_wake, which *woken tells. Returns what the socket is ready
 * for. */
static short wait_for_work(struct mqtt *mqtt, short events, int timeout, bool *woken)
{
    struct pollfd fds[] = { { .fd = session_socket(mqtt), .events = events },
                            { .fd = mqtt->wake_fd, .events = POLLIN } };
    uint64_t count;

    if (poll(fds, 2, timeout) <= 0)
        fds[0].revents = fds[1].revents = 0;
    *woken = (fds[1].revents & POLLIN) && read(mqtt->wake_fd, &count, sizeof(count)) > 0;
    return fds[0].revents;
}

/* ------------------------------------------------------------------------------------------------------------ turns */

/* Take in, commit, and only then let PUBACKs and publications leave. Returns 0, or -EIO when the connection is over. */
static int turn(struct mqtt *mqtt)
{
    bool draining = wanted(mqtt) != STAGE_RUN, woken;
    short want_out = mosquitto_want_write(mqtt->session.client) ? POLLOUT : 0;
    int patience = mqtt->intake.more && !draining ? 0 : outlet_patience(mqtt, TURN_MS, clock_now());
    short ready = wait_for_work(mqtt, draining ? want_out : (short)(want_out | POLLIN), patience, &woken);
    int r = 0;

    if (ready & (POLLERR | POLLHUP) && draining)
        return session_lost_by(mqtt, MOSQ_ERR_CONN_LOST);
    if (ready & (POLLIN | POLLERR | POLLHUP) || (session_has_tls(mqtt) && !draining))
        r = intake_read(mqtt);
    if (intake_settle(mqtt) < 0 || r < 0 || session_socket(mqtt) < 0) /* settle in any case: there are receipts */
        return -EIO;
    r = outlet_run(mqtt, woken, clock_now());
    if (r == 0)
        r = session_care(mqtt);
    if (r == 0)
        r = session_write(mqtt);
    if (r == 0 && wanted(mqtt) != STAGE_RUN && !mosquitto_want_write(mqtt->session.client))
        tell(mqtt, &mqtt->drained, true);
    return r;
}

static int say_last_words(struct mqtt *mqtt)
{
    int r = outlet_end(mqtt);

    return r == 0 ? session_write(mqtt) : r;
}

/* Reads acknowledgments until all have come. A buffer that comes with them is not taken: then nothing is written any
 * more, and the broker, which sees a connection break, publishes our will instead of us and keeps the buffer. */
static void say_goodbye(struct mqtt *mqtt)
{
    int64_t until = clock_awake() + LEAVE_MS, left = LEAVE_MS;
    struct intake *intake = &mqtt->intake;
    int r = say_last_words(mqtt);
    short events;
    bool woken;

    intake->closed = true;
    while (r == 0 && left > 0 && !outlet_idle(mqtt)) {
        events = !intake->tainted && mosquitto_want_write(mqtt->session.client) ? POLLIN | POLLOUT : POLLIN;
        wait_for_work(mqtt, events, (int)left, &woken);
        r = intake_read(mqtt);
        if (r == 0 && !intake->tainted)
            r = say_last_words(mqtt);
        left = until - clock_awake();
    }
    if (r == 0 && !intake->tainted && mosquitto_disconnect(mqtt->session.client) == MOSQ_ERR_SUCCESS)
        session_write(mqtt);
}

/* One connection, until it is lost or we leave. */
static void serve(struct mqtt *mqtt)
{
    int r = 0;

    mqtt->intake.failed = mqtt->intake.tainted = mqtt->intake.more = false;
    tell(mqtt, &mqtt->serving, true);
    while (r == 0 && wanted(mqtt) != STAGE_LEAVE) {
        atomic_store(&mqtt->turn_since, clock_awake());
        r = turn(mqtt);
    }
    atomic_store(&mqtt->turn_since, 0);
    if (r == 0 && mqtt->session.accepted)
        say_goodbye(mqtt);
    tell(mqtt, &mqtt->serving, false);
}

/* Between two connections. */
static void rest(struct mqtt *mqtt)
{
    int64_t until = clock_awake(), left;
    bool woken;

    if (mqtt->intake.failed) /* that was our store, not the broker: no reason to stay away for long */
        mqtt->session.failures = 0;
    if (wanted(mqtt) == STAGE_RUN)
        until += session_backoff(mqtt);
    while (wanted(mqtt) == STAGE_RUN && (left = until - clock_awake()) > 0)
        wait_for_work(mqtt, 0, (int)left, &woken);
    if (wanted(mqtt) == STAGE_DRAIN)
        wait_for_work(mqtt, 0, TURN_MS, &woken);
}

/* ------------------------------------------------------------------------------------------------------- the thread */

static struct mqtt *mqtt_free(struct mqtt *mqtt)
{
    close(mqtt->wake_fd);
    pthread_cond_destroy(&mqtt->news);
    pthread_mutex_destroy(&mqtt->lock);
    free(mqtt);
    return NULL;
}

static void *run(void *user)
{
    struct mqtt *mqtt = user;
    bool abandoned;

    while (wanted(mqtt) != STAGE_LEAVE) {
        if (wanted(mqtt) == STAGE_RUN && session_open(mqtt) == 0)
            serve(mqtt);
        session_close(mqtt);
        rest(mqtt);
    }
    pthread_mutex_lock(&mqtt->lock);
    mqtt->ended = true;
    abandoned = mqtt->abandoned;
    pthread_cond_broadcast(&mqtt->news);
    pthread_mutex_unlock(&mqtt->lock);
    if (abandoned)
        mqtt_free(mqtt);
    return NULL;
}

static int init_waiting(struct mqtt *mqtt)
{
    pthread_condattr_t attributes;

    mqtt->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mqtt->wake_fd < 0)
        return fault(-errno);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&mqtt->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&mqtt->lock, NULL);
    return 0;
}

int mqtt_start(struct mqtt **ret_mqtt, const struct config *config, struct registry *registry, struct store *store)
{
    struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
    int r;

    if (!mqtt)
        return fault(-ENOMEM);
    mqtt->config = config;
    mqtt->registry = registry;
    mqtt->store = store;
    mqtt->session.version = MQTT_PROTOCOL_V5;
    mqtt->configuration = info_configuration(config);
    r = init_waiting(mqtt);
    if (r < 0) {
        free(mqtt);
        return r;
    }
    mosquitto_lib_init();
    r = pthread_create(&mqtt->thread, NULL, run, mqtt);
    if (r != 0) {
        mqtt_free(mqtt);
        return fault(-r);
    }
    *ret_mqtt = mqtt;
    return 0;
}

bool mqtt_connected(const struct mqtt *mqtt)
{
    return mqtt && atomic_load(&mqtt->connected);
}

int64_t mqtt_turn_since(const struct mqtt *mqtt)
{
    return mqtt ? atomic_load(&mqtt->turn_since) : 0;
}

void mqtt_state(struct mqtt *mqtt, struct broker_state *state)
{
    uint64_t connections = atomic_load(&mqtt->connections);
    int64_t since = atomic_load(&mqtt->deaf_since);

    state->connected = mqtt_connected(mqtt);
    state->deaf = state->connected && since != 0 && clock_awake() - since > SUBACK_MS;
    state->reconnects = connections > 0 ? connections - 1 : 0;
    pthread_mutex_lock(&mqtt->lock);
    state->contested = clock_now().mono < mqtt->contested_until;
    memcpy(state->why, mqtt->why, sizeof(state->why));
    pthread_mutex_unlock(&mqtt->lock);
}

/* --------------------------------------------------------------------------------------------------------- stopping */

/* Waits for news from the thread until the time is over. Returns 0, or ETIMEDOUT. With the lock held. */
static int await_news(struct mqtt *mqtt, const struct timespec *until)
{
    return pthread_cond_timedwait(&mqtt->news, &mqtt->lock, until);
}

static struct timespec patience_ends(void)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PATIENCE_MS / 1000;
    return until;
}

void mqtt_stop_intake(struct mqtt *mqtt)
{
    struct timespec until = patience_ends();

    if (!mqtt)
        return;
    want(mqtt, STAGE_DRAIN);
    pthread_mutex_lock(&mqtt->lock);
    while (mqtt->serving && !mqtt->drained && await_news(mqtt, &until) == 0)
        ;
    pthread_mutex_unlock(&mqtt->lock);
}

struct mqtt *mqtt_stop(struct mqtt *mqtt)
{
    struct timespec until = patience_ends();
    pthread_t thread;
    bool ended;

    if (!mqtt)
        return NULL;
    thread = mqtt->thread;
    want(mqtt, STAGE_LEAVE);
    pthread_mutex_lock(&mqtt->lock);
    while (!mqtt->ended && await_news(mqtt, &until) == 0)
        ;
    ended = mqtt->ended;
    mqtt->abandoned = !ended; /* from the unlock on it may free itself */
    pthread_mutex_unlock(&mqtt->lock);
    if (!ended) { /* the library waits for a connection, for minutes perhaps; nothing of ours is in its hands then */
        pthread_detach(thread);
        return NULL;
    }
    pthread_join(thread, NULL);
    mosquitto_lib_cleanup();
    return mqtt_free(mqtt);
}
