/* What systemd is told and asked: ready, status, watchdog, socket. Does nothing where something else started habitd. */
#ifndef HABIT_SERVICE_H
#define HABIT_SERVICE_H

#include "base/clock.h"
#include "http/http.h"
#include "mqtt/mqtt.h"
#include "registry/registry.h"
#include "store/store.h"

struct service {
    struct registry *registry;
    struct store *store;
    struct mqtt *mqtt; /* NULL = no broker configured */
    struct http *http;
    int64_t interval; /* ms between two looks at the rooms */
    int64_t next;     /* monotonic ms of the next one */
    bool watched;     /* by a watchdog */
    bool stalled;     /* at the last look */
};

/* The one socket that systemd has opened for us (habitd.socket); -1 = none; or negative: -EINVAL where there are several, or it is
 * none that listens for streams. */
int service_socket(void);

/* All rooms are open, or what service_reloading began is over: says so, and learns from the environment how often the watchdog wants to hear of us. */
void service_ready(struct service *service, struct moment now);

/* Tokens, certificates and configuration are read anew. To be followed by service_ready, whatever comes of it. */
void service_reloading(void);

/* When its time has come: looks at every room, writes the status, and feeds the watchdog if all of them are alive. */
void service_look(struct service *service, struct moment now);

void service_stopping(void);

#endif
