/* How habitd itself does: for people, for supervisors, for Prometheus. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/route.h"
#include "wire/document.h"

/* ------------------------------------------------------------------------------------------------------------- text */

/* Runs `write` into heap text; NULL when memory ran out. */
static char *text_of(struct request *request, void (*write)(FILE *file, struct request *request))
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    write(file, request);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

static void write_hints(FILE *file, struct request *request)
{
    fprintf(file,
            "habitd " HABIT_VERSION " learns what is normal for each machine. README.md says how; the routes are:\n\n");
    for (const struct route *route = routes; route->method; route++)
        fprintf(file, "%-7s%s%s%s\n", route->method, route->path, route->parameters[0] != '\0' ? "  ? " : "",
                route->parameters);
    fprintf(file, "\nFor example: curl http://127.0.0.1:%u/v1/machines\n", request->http->port);
}

int hints_show(struct request *request)
{
    return answer_take_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", text_of(request, write_hints));
}

int live_show(struct request *request)
{
    return answer_take_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", strdup("ok\n"));
}

/* -------------------------------------------------------------------------------------------------------- readiness */

static bool broker_is_away(const struct http_options *options)
{
    return options->broker_connected && !options->broker_connected(options->user);
}

static void write_reason(FILE *file, bool *first, const char *reason)
{
    fprintf(file, "%s\"%s\"", *first ? "" : ",", reason);
    *first = false;
}

/* A JSON array of plain texts. */
static void write_reasons(FILE *file, struct request *request)
{
    struct registry_figures registry;
    struct store_figures store;
    bool first = true;

    registry_figures(request->http->options.registry, &registry);
    store_figures(request->http->options.store, &store);
    fputc('[', file);
    if (store.last_error != 0)
        write_reason(file, &first, "store: the last commit failed; nothing is learned, detection goes on");
    if (request->now.doubtful)
        write_reason(file, &first, "clock: not set, or it has jumped: reports wait until that is confirmed");
    if (broker_is_away(&request->http->options))
        write_reason(file, &first, "mqtt: the broker is not connected");
    if (registry.conflicts > 0)
        write_reason(file, &first, "machines: settings and knowledge of some differ; see conflict in GET /v1/machines");
    fputc(']', file);
}

/* 503 only where nothing can be acknowledged: whoever balances on this should not leave because a broker restarts. */
int ready_show(struct request *request)
{
    struct wire_member members[] = { { .name = "status", .type = MEMBER_TEXT },
                                     { .name = "reasons", .type = MEMBER_RAW } };
    char *reasons = text_of(request, write_reasons);
    struct store_figures store;
    int r;

    if (!reasons)
        return fault(-ENOMEM);
    store_figures(request->http->options.store, &store);
    members[0].text = strcmp(reasons, "[]") == 0 ? "ok" : "degraded";
    members[1].text = reasons;
    r = answer_take_json(request, store.last_error != 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
                         wire_object(members, 2));
    free(reasons);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- metrics */

static void write_head(FILE *file, const char *name, const char *type, const char *help)
{
    fprintf(file, "# HELP habit_%s %s\n# TYPE habit_%s %s\n", name, help, name, type);
}

struct metric {
    const char *name, *type, *help;
    int64_t value;
};

static void write_metrics_of(FILE *file, const struct metric *metrics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_head(file, metrics[i].name, metrics[i].type, metrics[i].help);
        fprintf(file, "habit_%s %" PRId64 "\n", metrics[i].name, metrics[i].value);
    }
}

static void write_phases(FILE *file, const struct registry_figures *figures)
{
    write_head(file, "machines", "gauge", "Machines by phase.");
    for (int phase = 0; phase < PHASES; phase++)
        fprintf(file, "habit_machines{phase=\"%s\"} %" PRIu32 "\n", phase_name((enum phase)phase),
                figures->phases[phase]);
}

static void write_refusals(FILE *file, const struct registry_figures *figures)
{
    write_head(file, "refusals_total", "counter", "What was refused or dropped, by reason.");
    for (int code = REFUSAL_NONE + 1; code < REFUSAL_CODES; code++)
        fprintf(file, "habit_refusals_total{reason=\"%s\"} %" PRIu64 "\n", refusal_kind((enum refusal_code)code)->type,
                figures->refusals[code]);
}

static void write_registry(FILE *file, const struct registry_figures *figures)
{
    const struct metric metrics[] = {
        { "pending_machines", "gauge", "IDs that send but are not known.", figures->pending },
        { "open_anomalies", "gauge", "Anomalies that were raised and not cleared.", figures->open_anomalies },
        { "conflicting_machines", "gauge", "Machines whose settings and knowledge differ.", figures->conflicts },
        { "buffers_learned_total", "counter", "Buffers learned.", (int64_t)figures->learned },
        { "buffers_detected_total", "counter", "Buffers judged.", (int64_t)figures->detected },
        { "buffers_duplicate_total", "counter", "Buffers that were applied before.", (int64_t)figures->duplicates },
        { "pending_dropped_total", "counter", "Unknown IDs that had to make room for others.",
          (int64_t)figures->pending_dropped },
        { "ignored_fields_total", "counter", "Unknown JSON fields beside buffers.", (int64_t)figures->ignored_fields },
    };

    write_phases(file, figures);
    write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
    write_refusals(file, figures);
}

static void write_store(FILE *file, const struct store_figures *figures)
{
    const struct metric metrics[] = {
        { "store_up", "gauge", "Whether the last commit succeeded.", figures->last_error == 0 },
        { "store_commits_total", "counter", "Transactions committed.", (int64_t)figures->commits },
        { "store_failed_commits_total", "counter", "Transactions that failed.", (int64_t)figures->failed_commits },
        { "store_changes_total", "counter", "Changes in committed transactions.", (int64_t)figures->changes },
        { "store_size_bytes", "gauge", "Size of the database.", figures->size_bytes },
        { "store_free_bytes", "gauge", "Free space on its file system.", figures->free_bytes },
        { "outbox_dropped_total", "counter", "Messages that waited for the broker too long.",
          (int64_t)figures->outbox_dropped },
    };

    write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
}

static void write_broker(FILE *file, const struct http_options *options)
{
    const struct metric metric = { "broker_connected", "gauge", "Whether the MQTT broker is connected.",
                                   !broker_is_away(options) };

    if (options->broker_connected)
        write_metrics_of(file, &metric, 1);
}

static void write_metrics(FILE *file, struct request *request)
{
    struct registry_figures registry;
    struct store_figures store;

    registry_figures(request->http->options.registry, &registry);
    store_figures(request->http->options.store, &store);
    write_head(file, "info", "gauge", "Version of habitd.");
    fprintf(file, "habit_info{version=\"" HABIT_VERSION "\"} 1\n");
    write_registry(file, &registry);
    write_store(file, &store);
    write_broker(file, &request->http->options);
}

int metrics_show(struct request *request)
{
    return answer_take_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                            text_of(request, write_metrics));
}
