#include "service.h"

#include <errno.h>
#include <stdio.h>
#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"

enum {
    LOOK_MS = 10000,     /* without a watchdog: for the status */
    PATIENCE_MS = 15000, /* with a transaction, or a turn of the MQTT thread: a bad card takes seconds */
    ANSWER_MS = 2000     /* for our own client at the HTTP door */
};

int service_socket(void)
{
    int count = sd_listen_fds(1);

    if (count == 0)
        return -1;
    if (count != 1 || sd_is_socket(SD_LISTEN_FDS_START, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
        return fault(-EINVAL);
    return SD_LISTEN_FDS_START;
}

/* ------------------------------------------------------------------------------------------------------------ status */

/* Counts the machines under their locks: it does not return while one of them is stuck, and so nothing is fed. */
static void tell_status(const struct service *service)
{
    struct registry_figures machines;
    struct store_figures store;

    registry_figures(service->registry, &machines);
    store_figures(service->store, &store);
    sd_notifyf(
        0,
        "STATUS=%u machines: %u new, %u learning, %u watching, %u with an anomaly; %u pending; broker: %s; store: %s",
        machines.machines, machines.phases[PHASE_NEW], machines.phases[PHASE_LEARNING], machines.phases[PHASE_WATCHING],
        machines.open_anomalies, machines.pending,
        !service->mqtt                  ? "none configured"
        : mqtt_connected(service->mqtt) ? "connected"
                                        : "away",
        store.last_error == 0 ? "fine" : "does not commit");
}

/* ---------------------------------------------------------------------------------------------------------- watchdog */

static bool is_late(int64_t since)
{
    return since != 0 && clock_awake() - since > PATIENCE_MS;
}

/* The room that has not been alive just now; NULL = all were. */
static const char *stalled_room(const struct service *service)
{
    if (is_late(store_busy_since(service->store)))
        return "the store's writer";
    if (is_late(mqtt_turn_since(service->mqtt)))
        return "the MQTT door";
    return http_alive(service->http, ANSWER_MS) ? NULL : "the HTTP door";
}

static void feed(struct service *service)
{
    const char *room = stalled_room(service);

    if (!room)
        sd_notify(0, "WATCHDOG=1");
    else if (!service->stalled)
        log_error("%s has been at the same thing for too long: the watchdog is not fed until it goes on", room);
    service->stalled = room;
}

/* ------------------------------------------------------------------------------------------------------------- calls */

void service_ready(struct service *service, struct moment now)
{
    uint64_t microseconds = 0;

    service->watched = sd_watchdog_enabled(0, &microseconds) > 0;
    service->interval = service->watched ? (int64_t)(microseconds / 1000 / 3) : LOOK_MS;
    service->next = now.mono;
    sd_notify(0, "READY=1");
}

void service_reloading(void)
{
    sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", (long long)(clock_ticks() / 1000));
}

void service_look(struct service *service, struct moment now)
{
    if (now.mono < service->next)
        return;
    tell_status(service);
    if (service->watched)
        feed(service);
    service->next = now.mono + service->interval;
}

void service_stopping(void)
{
    sd_notify(0, "STOPPING=1");
}
