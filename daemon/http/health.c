/* How habitd itself does: for people and supervisors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/health.h"
#include "wire/document.h"

int live_show(struct request *request)
{
    return answer_take_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", strdup("ok\n"));
}

/* -------------------------------------------------------------------------------------------------------- readiness */

static bool broker_is_away(const struct http_options *options)
{
    return options->broker_connected && !options->broker_connected(options->user);
}

static bool backup_is_overdue(const struct request *request, const struct store_figures *store)
{
    const uint64_t most = request->http->options.config->store_backup_age;

    return most != 0 && (store->backup_at == 0 || request->now.wall - store->backup_at > (int64_t)most);
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
    if (backup_is_overdue(request, &store))
        write_reason(file, &first,
                     "backup: the last one is older than [store] backup_age, or there is none: habit backup FILE");
    fputc(']', file);
}

char *health_reasons(struct request *request)
{
    return answer_text_of(request, write_reasons);
}

const char *health_status(struct request *request, const char *reasons)
{
    (void)request;
    return strcmp(reasons, "[]") == 0 ? "ok" : "degraded";
}

/* 503 only where nothing can be acknowledged: whoever balances on this should not leave because a broker restarts. */
int ready_show(struct request *request)
{
    char *reasons = health_reasons(request), *backup;
    struct store_figures store;
    int r = -ENOMEM;

    store_figures(request->http->options.store, &store);
    backup = health_backup(&store, request->now);
    if (reasons && backup) {
        const struct wire_member members[] = { member_text("status", health_status(request, reasons)),
                                               member_json("reasons", reasons), member_json("backup", backup) };

        r = answer_take_json(request, store.last_error != 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK,
                             wire_object(members, sizeof(members) / sizeof(members[0])));
    }
    free(reasons);
    free(backup);
    return fault(r);
}
