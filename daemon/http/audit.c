#include "http/audit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "http/answer.h"
#include "http/authorize.h"
#include "http/handlers.h"
#include "http/media.h"
#include "http/query.h"
#include "wire/document.h"

/* ------------------------------------------------------------------------------------------------------- recording */

/* A backup changes nothing, but whoever takes it has everything. */
static bool is_change(const struct request *request)
{
    return strcmp(request->route->scope, "admin") == 0 &&
           (strcmp(request->route->method, "GET") != 0 || request->route->handle == backup_take);
}

/* The body where it is a text, else its size. */
static void describe(const struct request *request, struct audit *audit)
{
    enum body body = request->route->body;

    if (body == BODY_JSON || body == BODY_OPTION)
        snprintf(audit->detail, sizeof(audit->detail), "%.*s", (int)request->size, (const char *)request->body);
    else if (request->size > 0)
        snprintf(audit->detail, sizeof(audit->detail), "%zu bytes", request->size);
    text_clean(audit->detail, ' ');
}

static void fill(const struct request *request, struct audit *audit)
{
    char address[ADDRESS_SIZE];

    *audit = (struct audit){ .at = clock_now().wall, .door = "http" };
    snprintf(audit->actor, sizeof(audit->actor), "%s", request->who.name);
    authorize_address(request, address);
    snprintf(audit->address, sizeof(audit->address), "%s", address);
    if (request->route)
        snprintf(audit->action, sizeof(audit->action), "%s %s", request->route->method, request->route->path);
    snprintf(audit->machine, sizeof(audit->machine), "%s", request->id);
}

static int outcome_of(const struct request *request, int r)
{
    if (r == 0)
        return (int)request->status;
    return refusal_kind(r > 0 ? request->refusal.code : REFUSAL_BROKEN)->status;
}

int audit_handle(struct request *request)
{
    struct store *store = request->http->options.store;
    struct audit audit;
    int r;

    if (!is_change(request))
        return request->route->handle(request);
    fill(request, &audit);
    describe(request, &audit);
    if (store_audit_begin(store, &audit) < 0)
        return refuse(&request->refusal, REFUSAL_STORE, "",
                      "the record of this change cannot be stored, so nothing was changed; try again in a second");
    r = request->route->handle(request);
    store_audit_end(store, audit.id, outcome_of(request, r));
    return r;
}

void audit_attempts(struct request *request)
{
    struct audit audit;

    fill(request, &audit);
    snprintf(audit.actor, sizeof(audit.actor), "unknown");
    snprintf(audit.detail, sizeof(audit.detail), "too many wrong tokens from this address");
    audit.outcome = refusal_kind(REFUSAL_ATTEMPTS)->status;
    store_audit_begin(request->http->options.store, &audit);
}

/* --------------------------------------------------------------------------------------------------------- listing */

static int answer_audits(struct request *request, bool csv, const struct audit *audits, size_t count, size_t limit)
{
    int64_t next = count > limit ? audits[limit - 1].id : 0;
    size_t shown = next != 0 ? limit : count;
    char cursor[24];
    int r = csv ? answer_take_text(request, MHD_HTTP_OK, "text/csv; charset=utf-8", wire_audits_csv(audits, shown))
                : answer_take_json(request, MHD_HTTP_OK, wire_audits(audits, shown, next));

    snprintf(cursor, sizeof(cursor), "%lld", (long long)next);
    return r != 0 ? r : answer_next(request, "after", next != 0 ? cursor : NULL);
}

static int read_query(struct request *request, struct audit_query *query, bool *csv)
{
    const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    uint64_t after = 0;
    int r = query_machine(request, "machine", &query->machine);

    if (r == 0)
        r = query_time(request, "from", &query->from);
    if (r == 0)
        r = query_time(request, "to", &query->to);
    if (r == 0)
        r = query_number(request, "after", 0, INT64_MAX, 0, &after);
    if (r == 0)
        r = query_limit(request, &query->limit);
    query->after = (int64_t)after;
    return r != 0 ? r : media_prefers_csv(accept, csv, &request->refusal);
}

int audit_list(struct request *request)
{
    struct audit_query query = { 0 };
    struct audit *audits;
    size_t limit;
    bool csv;
    int r = read_query(request, &query, &csv);

    if (r != 0)
        return r;
    limit = query.limit++; /* one more tells whether there is a next page */
    audits = calloc(query.limit, sizeof(*audits));
    if (!audits)
        return fault(-ENOMEM);
    r = store_audits(request->http->options.store, &query, audits);
    if (r >= 0)
        r = answer_audits(request, csv, audits, (size_t)r, limit);
    free(audits);
    return r;
}
