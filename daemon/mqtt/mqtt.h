/* The MQTT door: one thread with its own loop over libmosquitto, of which it is the only user.
 *
 * In: read what is there (at most LIMIT_MQTT_BATCH messages), submit each, wait for the commits, and only then let the
 * library write its PUBACKs. Out: outbox, states, availability, status and info.
 *
 * NULL stands for a gateway without a broker in all calls but mqtt_start. */
#ifndef HABIT_MQTT_MQTT_H
#define HABIT_MQTT_MQTT_H

#include <stdbool.h>
#include <stdint.h>

#include "config/config.h"
#include "record/broker.h"
#include "registry/registry.h"
#include "store/store.h"

struct mqtt;

/* Starts the thread; needs no broker: it connects when one appears. config->mqtt_host must not be "". */
int mqtt_start(struct mqtt **ret_mqtt, const struct config *config, struct registry *registry, struct store *store);

/* Whether the broker has accepted us now. Any thread. */
bool mqtt_connected(const struct mqtt *mqtt);

/* Since when the thread has been at its present turn, which waits a second at the most, in awake milliseconds; 0 = it serves no
 * connection: a library that looks for the broker may take minutes. Any thread. */
int64_t mqtt_turn_since(const struct mqtt *mqtt);

/* How the door does; not for NULL. Any thread. */
void mqtt_state(struct mqtt *mqtt, struct broker_state *state);

/* Something to publish may be waiting (an anomaly in the outbox). Any thread. */
void mqtt_wake(struct mqtt *mqtt);

/* Takes no more messages in; what was read is committed and acknowledged. Any thread; waits for it, at most 2 s. */
void mqtt_stop_intake(struct mqtt *mqtt);

/* Publishes what waits and `offline`, disconnects, ends the thread within 2 s; always returns NULL. */
struct mqtt *mqtt_stop(struct mqtt *mqtt);

#endif
