#include "app.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "http/http.h"
#include "mqtt/mqtt.h"
#include "registry/registry.h"
#include "store/store.h"

struct app {
    const struct config *config;
    struct store *store;
    struct registry *registry;
    struct mqtt *mqtt;
    struct http *http;
    struct log_gate flush_gate;
};

static sigset_t handled_signals(void)
{
    sigset_t signals;

    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    return signals;
}

void app_block_signals(void)
{
    sigset_t signals = handled_signals();

    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

/* ---------------------------------------------------------------------------------------------------- start and stop */

static int broker_connected(void *user)
{
    const struct app *app = user;

    return mqtt_connected(app->mqtt);
}

static uint64_t broker_reconnects(void *user)
{
    const struct app *app = user;

    return mqtt_reconnects(app->mqtt);
}

static int open_store(struct app *app, char message[APP_MESSAGE_SIZE])
{
    char why[STORE_MESSAGE_SIZE] = "";
    int r = store_open(&app->store, app->config->store_path, why);

    if (r != 0)
        snprintf(message, APP_MESSAGE_SIZE, "%s", why);
    else if (app->config->mqtt_host[0] == '\0')
        store_without_broker(app->store);
    return r;
}

static int load_machines(struct app *app, char message[APP_MESSAGE_SIZE])
{
    int r = registry_new(&app->registry, app->config, app->store);

    if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "the machines cannot be loaded: %s (%s)", strerror(-r), fault_place());
    return r;
}

static void wake_doors(void *user)
{
    const struct app *app = user;

    mqtt_wake(app->mqtt);
    http_wake(app->http);
}

/* When both doors are there: the hook comes on a thread of the store's. */
static void listen_to_store(struct app *app)
{
    store_on_outgoing(app->store, wake_doors, app);
}

static int open_mqtt(struct app *app, char message[APP_MESSAGE_SIZE])
{
    int r = 0;

    if (app->config->mqtt_host[0] != '\0')
        r = mqtt_start(&app->mqtt, app->config, app->registry, app->store);
    if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "the MQTT door does not open: %s (%s)", strerror(-r), fault_place());
    return r;
}

static int open_http(struct app *app, char message[APP_MESSAGE_SIZE])
{
    struct http_options options = { .config = app->config,
                                    .registry = app->registry,
                                    .store = app->store,
                                    .broker_connected = app->mqtt ? broker_connected : NULL,
                                    .broker_reconnects = broker_reconnects,
                                    .user = app };
    int r = http_start(&app->http, &options);

    if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "%s:%u: %s: choose another [http] port, or stop what listens there",
                 app->config->http_address, app->config->http_port, strerror(-r));
    return r;
}

int app_new(struct app **ret_app, const struct config *config, char message[APP_MESSAGE_SIZE])
{
    static int (*const steps[])(struct app *, char *) = { open_store, load_machines, open_mqtt, open_http };
    struct app *app = calloc(1, sizeof(*app));
    int r = app ? 0 : -ENOMEM;

    snprintf(message, APP_MESSAGE_SIZE, "out of memory");
    if (app)
        app->config = config;
    for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]) && r == 0; i++)
        r = steps[i](app, message);
    if (r != 0) {
        app_free(app);
        return r;
    }
    listen_to_store(app);
    *ret_app = app;
    return 0;
}

struct app *app_free(struct app *app)
{
    if (!app)
        return NULL;
    if (app->store) /* each door looks for itself on its way out */
        store_on_outgoing(app->store, NULL, NULL);
    app->http = http_stop(app->http); /* no new requests; those under way are answered */
    mqtt_stop_intake(app->mqtt);
    if (app->registry && registry_flush(app->registry, clock_now()) < 0)
        log_error("counters of the last seconds are not in the store: see the line above");
    app->mqtt = mqtt_stop(app->mqtt);
    app->registry = registry_free(app->registry);
    app->store = store_close(app->store);
    free(app);
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------------- work */

static void flush(struct app *app)
{
    struct moment now = clock_now();
    uint64_t suppressed;
    int r = registry_flush(app->registry, now);

    if (r < 0 && log_gate_pass(&app->flush_gate, now.mono, &suppressed))
        log_error("the store does not commit (%s): detection goes on, learning is refused until it does", strerror(-r));
}

/* Waits for a signal until the next flush. Returns the signal, 0 when it is time. */
static int wait_signal(int64_t milliseconds)
{
    struct timespec timeout = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 };
    sigset_t signals = handled_signals();
    int caught = sigtimedwait(&signals, NULL, &timeout);

    return caught > 0 ? caught : 0;
}

int app_run(struct app *app)
{
    int64_t next = clock_now().mono + (int64_t)app->config->store_flush;

    log_notice("habitd " HABIT_VERSION " answers on http://%s:%u", app->config->http_address, http_port(app->http));
    sd_notify(0, "READY=1");
    for (;;) {
        int64_t left = next - clock_now().mono;
        int caught = left > 0 ? wait_signal(left) : 0;

        if (caught == SIGHUP)
            log_warning("SIGHUP: a changed configuration is taken by a restart");
        else if (caught != 0)
            break;
        if (clock_now().mono >= next) {
            flush(app);
            next = clock_now().mono + (int64_t)app->config->store_flush;
        }
    }
    log_notice("stopping");
    sd_notify(0, "STOPPING=1");
    return 0;
}
