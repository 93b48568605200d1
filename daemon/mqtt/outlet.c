#include "mqtt/door.h"

#include <errno.h>
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/topic.h"
#include "wire/document.h"

enum {
    TICK_MS = 1000,
    PORTION = 8, /* machines between two looks at what is in flight */
    INFO_MS = 60000,
    OTHERS_IN_FLIGHT = 64 /* beyond, the next round of states waits: a slow broker gets the latest values only */
};

/* ------------------------------------------------------------------------------------------------------- publishing */

/* What comes with an answer; NULL where the session knows no properties, or there is nothing. */
static mosquitto_property *answer_properties(const struct mqtt *mqtt, const struct outbox_message *message)
{
    mosquitto_property *properties = NULL;

    if (mqtt->session.version == MQTT_PROTOCOL_V5 && message->correlation)
        mosquitto_property_add_binary(&properties, MQTT_PROP_CORRELATION_DATA, message->correlation,
                                      (uint16_t)message->correlation_size);
    return properties;
}

/* Publishes at QoS 1. Returns the packet identifier, or -EIO when the connection is over, or -EINVAL where this message can
 * never be published. */
static int publish(struct mqtt *mqtt, const char *topic, const char *payload, bool retain,
                   const mosquitto_property *properties)
{
    uint64_t suppressed;
    int mid, rc;

    rc = mosquitto_publish_v5(mqtt->session.client, &mid, topic, (int)strlen(payload), payload, 1, retain, properties);
    if (rc == MOSQ_ERR_SUCCESS)
        return mid;
    if (rc == MOSQ_ERR_NOMEM || rc == MOSQ_ERR_NO_CONN || rc == MOSQ_ERR_CONN_LOST || rc == MOSQ_ERR_ERRNO)
        return session_lost_by(mqtt, rc);
    if (log_gate_pass(&mqtt->outlet.unfit, clock_now().mono, &suppressed))
        log_error("cannot publish %zu bytes on %s: %s (and %llu more)", strlen(payload), topic, mosquitto_strerror(rc),
                  (unsigned long long)suppressed);
    return -EINVAL;
}

void outlet_publish_latest(struct mqtt *mqtt, const char *topic, const char *payload, bool retain)
{
    if (publish(mqtt, topic, payload, retain, NULL) > 0)
        mqtt->outlet.others++;
}

/* The same below our root, retained. */
static void publish_latest(struct mqtt *mqtt, const char *below, const char *payload)
{
    char topic[TOPIC_SIZE];

    outlet_publish_latest(mqtt, topic_below_root(mqtt->config, below, topic), payload, true);
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
        if (reason < 0x80)
            store_outbox_done(mqtt->store, outlet->flying[i].id);
        else if (outlet->refused == 0 || outlet->flying[i].id < outlet->refused)
            outlet->refused = outlet->flying[i].id; /* stays in the store for the next connection */
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

/* Empty retained messages are the last that is said of a machine. Its device goes with its state, and first, so that the broker has
 * both when it acknowledges this one. Another machine of that name may have spoken meanwhile: it says all again. */
static void say_farewell(struct mqtt *mqtt, const struct outbox_message *message)
{
    size_t length = strcspn(message->topic, "/");
    char machine[MACHINE_ID_SIZE];

    if (message->whole || !message->retain || message->payload[0] != '\0' || length >= sizeof(machine))
        return;
    memcpy(machine, message->topic, length);
    machine[length] = '\0';
    if (strcmp(message->topic + length, "/state") == 0)
        discovery_take_back(mqtt, machine);
    registry_tell_again(mqtt->registry, machine);
}

static int send_outgoing(struct mqtt *mqtt, const struct outbox_message *message)
{
    mosquitto_property *properties = answer_properties(mqtt, message);
    char topic[TOPIC_SIZE];
    int mid;

    say_farewell(mqtt, message);
    mid = publish(mqtt, message->whole ? message->topic : topic_below_root(mqtt->config, message->topic, topic),
                  message->payload, message->retain, properties);
    mosquitto_property_free_all(&properties);
    if (mid == -EIO)
        return mid;
    if (mid > 0)
        remember(&mqtt->outlet, mid, message->id);
    else
        store_outbox_drop(mqtt->store, message->id); /* would be in the way for ever */
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

    for (int i = 0; i < count && r == 0; i++)
        r = send_outgoing(mqtt, &messages[i]);
    store_free_messages(messages, count > 0 ? (size_t)count : 0);
    outlet->more = room == 0 || count == (int)room;
    return r;
}

/* --------------------------------------------------------------------------------------------------------- machines */

static void publish_state(struct mqtt *mqtt, const struct machine_view *view)
{
    char below[MACHINE_ID_SIZE + 16];
    char *state = wire_state(view);

    snprintf(below, sizeof(below), "%s/state", view->id);
    if (state)
        publish_latest(mqtt, below, state);
    free(state);
}

static void publish_availability(struct mqtt *mqtt, const struct machine_view *view)
{
    char below[MACHINE_ID_SIZE + 16];

    snprintf(below, sizeof(below), "%s/availability", view->id);
    publish_latest(mqtt, below, view->online ? "online" : "offline");
}

static void publish_machine(void *user, const struct machine_view *view, unsigned int what)
{
    struct mqtt *mqtt = user;

    if (what & NEWS_SETTINGS) /* first: whoever reads it subscribes to the others then */
        discovery_announce(mqtt, view);
    if (what & NEWS_ONLINE)
        publish_availability(mqtt, view);
    if (what & NEWS_STATE)
        publish_state(mqtt, view);
}

/* As much of the round as the broker takes at a time: a slow one gets the latest values only. */
static void publish_machines(struct mqtt *mqtt, struct moment now)
{
    struct outlet *outlet = &mqtt->outlet;
    int r = 1;

    while (outlet->news.under_way && outlet->others < OTHERS_IN_FLIGHT && r > 0)
        r = registry_news_next(mqtt->registry, &outlet->news, now, PORTION, publish_machine, mqtt);
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

/* The first that the broker may not have; what it acknowledged is not said again, even where the store could not note it. */
static int64_t resume_after(const struct outlet *outlet)
{
    int64_t last = outlet->last;

    if (outlet->refused != 0)
        last = outlet->refused - 1;
    for (size_t i = 0; i < OUTBOX_IN_FLIGHT; i++)
        if (outlet->flying[i].mid != 0 && outlet->flying[i].id <= last)
            last = outlet->flying[i].id - 1;
    return last;
}

void outlet_begin(struct mqtt *mqtt)
{
    const struct outlet before = { .last = resume_after(&mqtt->outlet),
                                   .gate = mqtt->outlet.gate,
                                   .unfit = mqtt->outlet.unfit };

    mqtt->outlet = before; /* ticks are due at once, nothing is in flight or known */
    publish_latest(mqtt, "status", "online");
    discovery_announce_gateway(mqtt);
}

void outlet_announce_again(struct mqtt *mqtt, int64_t due)
{
    if (due != 0)
        mqtt->outlet.birth_due = due;
}

static void announce_again(struct mqtt *mqtt)
{
    struct outlet *outlet = &mqtt->outlet;

    outlet->birth_due = 0;
    outlet->news = (struct registry_news){ 0 };
    outlet->info[0] = '\0';
    outlet->next_tick = outlet->next_info = 0;
    publish_latest(mqtt, "status", "online");
    discovery_announce_gateway(mqtt);
}

int outlet_patience(const struct mqtt *mqtt, int longest, struct moment now)
{
    const struct outlet *outlet = &mqtt->outlet;
    int64_t due =
        outlet->birth_due != 0 && outlet->birth_due < outlet->next_tick ? outlet->birth_due : outlet->next_tick;
    int64_t left = due - now.mono;

    if (!mqtt->session.accepted || left > longest)
        return longest;
    return left > 0 ? (int)left : 0;
}

/* What happens once a second. */
static void tick(struct mqtt *mqtt, struct moment now)
{
    struct outlet *outlet = &mqtt->outlet;

    outlet->next_tick = now.mono + TICK_MS;
    registry_news_begin(mqtt->registry, &outlet->news, now); /* out of memory: the next tick tries again */
    if (now.mono < outlet->next_info)
        return;
    outlet->next_info = now.mono + INFO_MS;
    publish_info(mqtt);
}

int outlet_run(struct mqtt *mqtt, bool woken, struct moment now)
{
    struct outlet *outlet = &mqtt->outlet;
    bool ticks;

    if (!mqtt->session.accepted)
        return 0;
    if (outlet->birth_due != 0 && now.mono >= outlet->birth_due)
        announce_again(mqtt);
    ticks = now.mono >= outlet->next_tick;
    if ((woken || ticks || outlet->more) && pump_outbox(mqtt) < 0)
        return -EIO;
    if (ticks)
        tick(mqtt, now);
    publish_machines(mqtt, now);
    return mqtt->session.why[0] == '\0' ? 0 : -EIO;
}

int outlet_end(struct mqtt *mqtt)
{
    if (!mqtt->outlet.ended)
        publish_latest(mqtt, "status", "offline");
    mqtt->outlet.ended = true;
    return pump_outbox(mqtt);
}
