#include "app.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "config/checks.h"
#include "http/http.h"
#include "in_force.h"
#include "journal.h"
#include "mqtt/mqtt.h"
#include "registry/registry.h"
#include "reload.h"
#include "service.h"
#include "store/store.h"

enum { TICK_MS = 1000, PACE_MACHINES = 32, PACE_MS = 24000, STRAINED_FLUSHES = 16, LONGEST_FLUSH_MS = 3600000 };

struct app {
    const struct config *config;
    const char *config_path;
    struct access *access;
    struct store *store;
    struct registry *registry;
    struct mqtt *mqtt;
    struct http *http;
    _Atomic bool reload_refused; /* the last one */
    struct log_gate flush_gate, report_gate, house_gate;
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
    signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error like a full disk, not the end */
}

/* ---------------------------------------------------------------------------------------------------- start and stop */

static void tell_broker(void *user, struct broker_state *state)
{
    const struct app *app = user;

    mqtt_state(app->mqtt, state);
}

static bool reload_refused(void *user)
{
    const struct app *app = user;

    return app->reload_refused;
}

static int open_store(struct app *app, char message[APP_MESSAGE_SIZE])
{
    char why[STORE_MESSAGE_SIZE] = "";
    int r = store_open(&app->store, app->config->store_path, why);

    if (r != 0) {
        snprintf(message, APP_MESSAGE_SIZE, "%s", why);
        return r;
    }
    if (app->config->mqtt_host[0] == '\0')
        store_without_broker(app->store);
    store_limit_writes(app->store, (uint64_t)app->config->store_daily_writes * 1048576);
    return 0;
}

/* The last day that was reported has passed, or else the newest hour that was counted. */
static int begin_clock(struct app *app, char message[APP_MESSAGE_SIZE])
{
    struct report_progress progress;
    int64_t oldest = 0, newest = 0;
    int r = store_report_progress(app->store, &progress);

    if (r == 0)
        r = store_hours_span(app->store, &oldest, &newest);
    clock_begin(progress.closed != 0 ? progress.closed : newest);
    if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "the store cannot be read: %s (%s)", strerror(-r), fault_place());
    else if (clock_now().doubtful)
        log_warning(
            "the clock is not believed yet: it shows less than 2026, less than what was counted already, or 400 "
            "days more; reports wait until a time server confirms it, or an hour has passed");
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

static void warn_of_clear_text(const struct config *config)
{
    if (config->mqtt_password_file[0] != '\0' && config->mqtt_ca[0] == '\0' && !is_loopback(config->mqtt_host))
        log_warning("the password for broker %s crosses the network readable by others: [mqtt] ca turns TLS on",
                    config->mqtt_host);
}

static int open_mqtt(struct app *app, char message[APP_MESSAGE_SIZE])
{
    int r = 0;

    warn_of_clear_text(app->config);
    if (app->config->mqtt_host[0] != '\0')
        r = mqtt_start(&app->mqtt, app->config, app->registry, app->store);
    if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "the MQTT door does not open: %s (%s)", strerror(-r), fault_place());
    return r;
}

/* Before anything listens: who may come in. */
static int open_access(struct app *app, char message[APP_MESSAGE_SIZE])
{
    char why[TOKEN_MESSAGE_SIZE] = "out of memory";
    int r = access_new(&app->access, app->config->http_tokens[0] != '\0');

    if (r == 0)
        r = load_tokens(app->config, app->access, why);
    if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "[http] tokens: %s", why);
    return r;
}

static int open_http(struct app *app, char message[APP_MESSAGE_SIZE])
{
    struct http_options options = { .config = app->config,
                                    .access = app->access,
                                    .registry = app->registry,
                                    .store = app->store,
                                    .reload_refused = reload_refused,
                                    .broker = app->mqtt ? tell_broker : NULL,
                                    .user = app,
                                    .socket = service_socket() };
    char why[HTTP_MESSAGE_SIZE] = "";
    int r = options.socket < -1 ? options.socket : http_start(&app->http, &options, why);

    if (r < 0 && why[0] != '\0')
        snprintf(message, APP_MESSAGE_SIZE, "%s", why);
    else if (r < 0 && options.socket != -1)
        snprintf(message, APP_MESSAGE_SIZE,
                 "habitd.socket: %s: one TCP socket is wanted, on loopback unless [http] address says more",
                 strerror(-r));
    else if (r < 0)
        snprintf(message, APP_MESSAGE_SIZE, "%s:%u: %s: choose another [http] port, or stop what listens there",
                 app->config->http_address, app->config->http_port, strerror(-r));
    return r;
}

int app_new(struct app **ret_app, const struct config *config, const char *config_path, char message[APP_MESSAGE_SIZE])
{
    static int (*const steps[])(struct app *, char *) = { open_store,  begin_clock, load_machines,
                                                          open_access, open_mqtt,   open_http };
    struct app *app = calloc(1, sizeof(*app));
    int r = app ? 0 : -ENOMEM;

    snprintf(message, APP_MESSAGE_SIZE, "out of memory");
    if (app) {
        app->config = config;
        app->config_path = config_path;
    }
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
    app->access = access_free(app->access);
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

/* In the store's own words where it still fails. What was built on a commit that failed before is no news: it is tried again. */
static void complain_of_store(struct app *app, struct log_gate *gate, int r, const char *what)
{
    struct store_figures store;
    uint64_t suppressed;

    store_figures(app->store, &store);
    if (r == -ESTALE && store.last_error == 0)
        return;
    if (log_gate_pass(gate, clock_now().mono, &suppressed))
        log_error("%s: %s", what, store.last_error != 0 ? store.why : strerror(-r));
}

static void flush(struct app *app)
{
    struct moment now = clock_now();
    int watched = registry_watch(app->registry, now), r = registry_flush(app->registry, now);

    r = r < 0 ? r : watched;
    if (r < 0)
        complain_of_store(app, &app->flush_gate, r,
                          "the store does not commit; detection goes on, learning is refused until it does");
}

/* Maintenance that is over, and the day's snapshots. */
static void keep_house(struct app *app)
{
    struct moment now = clock_now();
    int ended = registry_end_mutes(app->registry, now), r = registry_daily_snapshots(app->registry, now);

    r = r < 0 ? r : ended;
    if (r < 0)
        complain_of_store(app, &app->house_gate, r,
                          "the day's snapshots are not in the store yet, they are tried again");
}

/* One day at the most, so that signals are heard between the days that a long downtime left. */
static bool make_reports(struct app *app)
{
    struct moment now = clock_now();
    uint64_t suppressed;
    bool more;
    int r = registry_make_reports(app->registry, now, &more);

    if (r < 0 && log_gate_pass(&app->report_gate, now.mono, &suppressed))
        log_error("daily reports cannot be made (%s at %s): tried again", strerror(-r), fault_place());
    return more;
}

/* Waits for a signal until the next flush. Returns the signal, 0 when it is time. */
static int wait_signal(int64_t milliseconds)
{
    struct timespec timeout = { .tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1000000 };
    sigset_t signals = handled_signals();
    int caught = sigtimedwait(&signals, NULL, &timeout);

    return caught > 0 ? caught : 0;
}

/* Counters go to disk every few seconds; of many machines not so often: each flush writes all pages that their rows lie on,
 * twice. 1,000 machines write less than 200 MiB a day so (tests/bench/reports.c). Near the day's ceiling up to sixteen times less
 * often. */
static int64_t flush_interval(const struct app *app)
{
    int64_t paced = (int64_t)registry_flushed(app->registry) / PACE_MACHINES * PACE_MS;
    int64_t interval = (int64_t)app->config->store_flush > paced ? (int64_t)app->config->store_flush : paced;
    int64_t strained = (int64_t)((double)interval * (1 + store_strain(app->store) * (STRAINED_FLUSHES - 1)));
    int64_t longest = interval > LONGEST_FLUSH_MS ? interval : LONGEST_FLUSH_MS;

    return strained < longest ? strained : longest;
}

static void take_changes(struct app *app, struct service *service)
{
    service_reloading();
    app->reload_refused = reload(app->config, app->config_path, app->access, app->store) != 0;
    if (!app->reload_refused)
        http_wake(app->http); /* streams of revoked tokens end */
    service_ready(service, clock_now());
}

int app_run(struct app *app)
{
    int64_t next = clock_now().mono + TICK_MS;
    int64_t next_flush = clock_now().mono + flush_interval(app);
    struct journal journal;
    struct service service = { .registry = app->registry, .store = app->store, .mqtt = app->mqtt, .http = app->http };

    journal_begin(&journal, app->store, app->http);
    log_with(LOG_NOTICE, &(struct log_fields){ .message = MESSAGE_STARTED },
             "habitd " HABIT_VERSION " answers on %s://%s:%u",
             app->config->http_certificate[0] != '\0' ? "https" : "http", app->config->http_address,
             http_port(app->http));
    in_force_write(app->config, app->config_path);
    service_ready(&service, clock_now());
    for (;;) {
        int64_t left = next - clock_now().mono;
        int caught = wait_signal(left > 0 ? left : 0);

        if (caught == SIGHUP)
            take_changes(app, &service);
        else if (caught != 0)
            break;
        service_look(&service, clock_now());
        journal_look(&journal, clock_now());
        if (clock_now().mono >= next_flush) {
            flush(app);
            next_flush = clock_now().mono + flush_interval(app);
        }
        keep_house(app);
        next = clock_now().mono + (make_reports(app) ? 0 : TICK_MS);
    }
    journal_look(&journal, clock_now());
    log_with(LOG_NOTICE, &(struct log_fields){ .message = MESSAGE_STOPPING }, "stopping");
    service_stopping();
    return 0;
}
