/* How habitd itself does: for people and supervisors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
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
    if (store.strain > 0)
        write_reason(
            file, &first,
            "store: [store] daily_writes is near: commits and flushes wait to gather more, answers come later");
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
    char *reasons = answer_text_of(request, write_reasons);
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
