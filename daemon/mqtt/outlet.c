#include "mqtt/door.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/topic.h"
#include "wire/document.h"

enum {
    TICK_MS = 1000,
    INFO_MS = 60000,
    OTHERS_IN_FLIGHT = 64 /* beyond, the next round of states waits: a slow broker gets the latest values only */
};

/* ------------------------------------------------------------------------------------------------------- publishing */

/* Publishes below the root at QoS 1. Returns the packet identifier, or -EIO when the connection is over, or -EINVAL
 * where this message can never be published. */
static int publish(struct mqtt *mqtt, const char *below, const char *payload, bool retain)
{
    char topic[TOPIC_SIZE];
    int mid, rc;

    topic_below_root(mqtt->config, below, topic);
    rc = mosquitto_publish(mqtt->session.client, &mid, topic, (int)strlen(payload), payload, 1, retain);
    if (rc == MOSQ_ERR_SUCCESS)
        return mid;
    if (rc == MOSQ_ERR_NOMEM || rc == MOSQ_ERR_NO_CONN || rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_ERRNO)
        return session_lost_by(mqtt, rc);
    log_error("cannot publish %zu bytes on %s: %s", strlen(payload), topic, mosquitto_strerror(rc));
    return -EINVAL;
}

/* The same for what only the latest value counts of. */
static void publish_latest(struct mqtt *mqtt, const char *below, const char *payload)
{
    if (publish(mqtt, below, payload, true) > 0)
        mqtt->outlet.others++;
}

void outlet_published(struct mqtt *mqtt, int mid, int reason)
{
    struct outlet *outlet = &mqtt->outlet;
    uint64_t suppressed;

    if (reason >= 0x80 && log_gate_pass(&outlet->gate, clock_now().mono, &suppressed))
        log_error("broker does not take what we publish: %s (and %llu more)", mosquitto_reason_string(reason),
                  (unsigned long long)suppressed);
    for (size_t i = 0; i < OUTBOX_IN_FLIGHT; i++) {
        if (outlet->flying[i].mid != mid)
            continue;
        if (reason < 0x80) /* what was refused stays in the store for the next connection */
            store_outbox_done(mqtt->store, outlet->flying[i].id);
        outlet->flying[i].mid = 0;
        outlet->flying_count--;
        return;
    }
    if (outlet->others > 0)
        outlet->others--;
}

bool outlet_idle(const struct mqtt *mqtt)
{
    return mqtt->outlet.flying_count == 0 && mqtt->outlet.others == 0 && !mqtt->outlet.more;
}

/* ----------------------------------------------------------------------------------------------------------- outbox */

static void remember(struct outlet *outlet, int mid, int64_t id)
{
    size_t i = 0;

    while (outlet->flying[i].mid != 0)
        i++;
    outlet->flying[i].mid = mid;
    outlet->flying[i].id = id;
    outlet->flying_count++;
}

static int send_outgoing(struct mqtt *mqtt, const struct outbox_message *message)
{
    int mid = publish(mqtt, message->topic, message->payload, message->retain);

    if (mid == -EIO)
        return mid;
    if (mid > 0)
        remember(&mqtt->outlet, mid, message->id);
    else
        store_outbox_done(mqtt->store, message->id); /* would be in the way for ever */
    mqtt->outlet.last = message->id;
    return 0;
}

/* Fills the window from the store. */
static int pump_outbox(struct mqtt *mqtt)
{
    struct outlet *outlet = &mqtt->outlet;
    struct outbox_message messages[OUTBOX_IN_FLIGHT];
    size_t room = OUTBOX_IN_FLIGHT - outlet->flying_count;
    int count = room > 0 ? store_outbox(mqtt->store, outlet->last, messages, room) : 0;
    int r = 0;

    for (int i = 0; i < count; i++) {
        if (r == 0)
            r = send_outgoing(mqtt, &messages[i]);
        free(messages[i].topic);
        free(messages[i].payload);
    }
    outlet->more = room == 0 || count == (int)room;
    return r;
}

/* ---------------------------------------------------------------------------------------------- state, availability */

/* FNV-1a with the last bit free for the value: what was published last for a machine, as far as its slot still
 * knows. */
static bool availability_is_news(struct outlet *outlet, const char *id, bool online)
{
    uint64_t hash = 0xcbf29ce484222325u, entry;
    uint64_t *slot;

    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * 0x100000001b3u;
    entry = (hash & ~UINT64_C(1)) | online;
    slot = &outlet->availability[(hash >> 32) % AVAILABILITY_CACHE];
    if (*slot == entry)
        return false;
    *slot = entry;
    return true;
}

static void publish_machine(void *user, const struct machine_view *view)
{
    struct mqtt *mqtt = user;
    char below[MACHINE_ID_SIZE + 16];
    char *state = wire_state(view);

    if (state) {
        snprintf(below, sizeof(below), "%s/state", view->id);
        publish_latest(mqtt, below, state);
        free(state);
    }
    if (availability_is_news(&mqtt->outlet, view->id, view->online)) {
        snprintf(below, sizeof(below), "%s/availability", view->id);
        publish_latest(mqtt, below, view->online ? "online" : "offline");
    }
}

static void publish_machines(struct mqtt *mqtt, struct moment now)
{
    struct outlet *outlet = &mqtt->outlet;

    if (outlet->others >= OTHERS_IN_FLIGHT)
        return;
    if (registry_take_changed(mqtt->registry, outlet->all, now, publish_machine, mqtt) >= 0)
        outlet->all = false;
}

static void publish_info(struct mqtt *mqtt)
{
    struct outlet *outlet = &mqtt->outlet;
    char *info = info_text(mqtt);

    if (info && strcmp(info, outlet->info) != 0) {
        snprintf(outlet->info, sizeof(outlet->info), "%s", info);
        publish_latest(mqtt, "info", info);
    }
    free(info);
}

/* --------------------------------------------------------------------------------------------------------- the door */

void outlet_begin(struct mqtt *mqtt)
{
    memset(&mqtt->outlet, 0, sizeof(mqtt->outlet)); /* ticks are due at once, nothing is in flight or known */
    mqtt->outlet.all = true;
    publish_latest(mqtt, "status", "online");
}

int outlet_run(struct mqtt *mqtt, bool woken, struct moment now)
{
    struct outlet *outlet = &mqtt->outlet;
    bool tick = now.mono >= outlet->next_tick;

    if (!mqtt->session.accepted)
        return 0;
    if ((woken || tick || outlet->more) && pump_outbox(mqtt) < 0)
        return -EIO;
    if (!tick)
        return 0;
    outlet->next_tick = now.mono + TICK_MS;
    publish_machines(mqtt, now);
    if (now.mono >= outlet->next_info) {
        outlet->next_info = now.mono + INFO_MS;
        publish_info(mqtt);
    }
    return mqtt->session.why[0] == '\0' ? 0 : -EIO;
}

int outlet_end(struct mqtt *mqtt)
{
    if (!mqtt->outlet.ended)
        publish_latest(mqtt, "status", "offline");
    mqtt->outlet.ended = true;
    return pump_outbox(mqtt);
}
