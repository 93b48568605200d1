/* How the gateway is, at a glance: what `habit status` shows. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/health.h"
#include "http/stream.h"
#include "wire/document.h"

static char *write_phases(const struct registry_figures *figures)
{
    struct wire_member members[PHASES + 1] = { member_integer("total", figures->machines) };

    for (int phase = 0; phase < PHASES; phase++)
        members[phase + 1] = member_integer(phase_name((enum phase)phase), figures->phases[phase]);
    return wire_object(members, PHASES + 1);
}

static char *write_http(struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
    const struct config *config = http->options.config;
    const struct wire_member members[] = {
        member_text("address", config->http_address),
        member_integer("port", http->port),
        member_boolean("tls", config->http_certificate[0] != '\0'),
        member_boolean("tokens", access_required(http->options.access)),
        member_integer("connections", info ? info->num_connections : 0),
        member_integer("streams", stream_count(http)),
    };

    return wire_object(members, sizeof(members) / sizeof(members[0]));
}

static char *write_mqtt(const struct http_options *options)
{
    const struct config *config = options->config;
    struct broker_state broker = { 0 };

    if (options->broker)
        options->broker(options->user, &broker);
    const struct wire_member members[] = {
        member_text("host", config->mqtt_host),
        member_integer("port", config->mqtt_port),
        member_boolean("tls", config->mqtt_ca[0] != '\0'),
        member_boolean("connected", broker.connected),
        member_integer("reconnects", (int64_t)broker.reconnects),
    };

    return wire_object(members, options->broker ? sizeof(members) / sizeof(members[0]) : 0);
}

static char *write_store(const struct store_figures *figures)
{
    const struct wire_member members[] = {
        member_boolean("commits", figures->last_error == 0),
        member_integer("size_bytes", figures->size_bytes),
        member_integer("free_bytes", figures->free_bytes),
    };

    return wire_object(members, sizeof(members) / sizeof(members[0]));
}

static char *write_outbox(struct request *request, const struct store_figures *figures)
{
    uint64_t waiting = 0;
    int64_t since = 0;

    store_outbox_backlog(request->http->options.store, &waiting, &since);
    const struct wire_member members[] = {
        member_integer("waiting", (int64_t)waiting),
        member_integer("oldest_s", since != 0 && request->now.wall > since ? (request->now.wall - since) / 1000 : 0),
        member_integer("dropped", (int64_t)figures->outbox_dropped),
    };

    return wire_object(members, sizeof(members) / sizeof(members[0]));
}

char *health_backup(const struct store_figures *figures, struct moment now)
{
    const int64_t age = now.wall > figures->backup_at ? now.wall - figures->backup_at : 0;
    char at[CLOCK_TEXT_SIZE];
    const struct wire_member members[] = {
        member_text("at", clock_text(figures->backup_at, at)),
        member_integer("age_s", age / 1000),
        member_integer("size_bytes", figures->backup_size),
    };

    return figures->backup_at != 0 ? wire_object(members, sizeof(members) / sizeof(members[0])) : strdup("null");
}

/* The parts that are objects of their own; heap. */
enum { REASONS, PHASES_OF, HTTP, MQTT, STORE, OUTBOX, BACKUP, PARTS };

static char *compose(struct request *request, char *const parts[PARTS], const struct registry_figures *figures)
{
    const struct http *http = request->http;
    char now[CLOCK_TEXT_SIZE];
    const struct wire_member members[] = {
        member_text("status", health_status(request, parts[REASONS])),
        member_json("reasons", parts[REASONS]),
        member_text("gateway", http->options.config->gateway),
        member_text("version", HABIT_VERSION),
        member_text("time", clock_text(request->now.wall, now)),
        member_integer("uptime_s", (request->now.mono - http->began) / 1000),
        member_json("machines", parts[PHASES_OF]),
        member_integer("pending", figures->pending),
        member_integer("open_anomalies", figures->open_anomalies),
        member_json("http", parts[HTTP]),
        member_json("mqtt", strcmp(parts[MQTT], "{}") == 0 ? NULL : parts[MQTT]),
        member_json("store", parts[STORE]),
        member_json("outbox", parts[OUTBOX]),
        member_json("backup", parts[BACKUP]),
    };

    return wire_object(members, sizeof(members) / sizeof(members[0]));
}

int status_show(struct request *request)
{
    const struct http_options *options = &request->http->options;
    struct registry_figures registry;
    struct store_figures store;
    bool whole = true;
    char *text = NULL;

    registry_figures(options->registry, &registry);
    store_figures(options->store, &store);
    char *parts[PARTS] = { [REASONS] = health_reasons(request),
                           [PHASES_OF] = write_phases(&registry),
                           [HTTP] = write_http(request->http),
                           [MQTT] = write_mqtt(options),
                           [STORE] = write_store(&store),
                           [OUTBOX] = write_outbox(request, &store),
                           [BACKUP] = health_backup(&store, request->now) };

    for (int part = 0; part < PARTS; part++)
        whole = whole && parts[part];
    if (whole)
        text = compose(request, parts, &registry);
    for (int part = 0; part < PARTS; part++)
        free(parts[part]);
    return answer_take_json(request, MHD_HTTP_OK, text);
}
