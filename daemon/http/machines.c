/* Machines: list, settings, phase, sensitivity; and the IDs that wait to become machines. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/own.h"
#include "http/query.h"
#include "wire/document.h"

static struct registry *registry_of(struct request *request)
{
    return request->http->options.registry;
}

static int show(struct request *request, struct machine_view *view, char etag[ETAG_SIZE])
{
    return registry_show(registry_of(request), request->id, view, etag, request->now, &request->refusal);
}

int answer_machine(struct request *request, unsigned int status)
{
    struct machine_view view;
    char etag[ETAG_SIZE];
    int r = show(request, &view, etag);

    if (r == 0)
        r = answer_take_json(request, status, wire_machine(&view, true));
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_ETAG, etag);
}

int answer_created(struct request *request)
{
    char location[MACHINE_ID_SIZE + 16];
    int r = answer_machine(request, MHD_HTTP_CREATED);

    snprintf(location, sizeof(location), "/v1/machines/%s", request->id);
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_LOCATION, location);
}

/* ---------------------------------------------------------------------------------------------------- preconditions */

static const char *header_of(struct request *request, const char *name)
{
    const char *value = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);

    return value ? value : "";
}

static const char *if_match(struct request *request)
{
    return header_of(request, MHD_HTTP_HEADER_IF_MATCH);
}

int read_precondition(struct request *request, const char **asked)
{
    bool only_new = strcmp(header_of(request, MHD_HTTP_HEADER_IF_NONE_MATCH), "*") == 0;

    *asked = header_of(request, MHD_HTTP_HEADER_IF_MATCH);
    if (only_new && (*asked)[0] != '\0')
        return refuse(&request->refusal, REFUSAL_PRECONDITION, "If-Match", "no machine is new and has an ETag");
    if (only_new)
        *asked = registry_only_new;
    return 0;
}

/* --------------------------------------------------------------------------------------------------------- settings */

static int answer_list(struct request *request, const struct machine_view *views, size_t count, size_t limit)
{
    const char *next = count > limit ? views[limit - 1].id : NULL;
    int r = answer_take_json(request, MHD_HTTP_OK, wire_machines(views, next ? limit : count, next));

    return r != 0 ? r : answer_next(request, "after", next);
}

int machines_list(struct request *request)
{
    struct machine_view *views;
    const char *after;
    size_t limit;
    int r = query_machine(request, "after", &after);

    if (r == 0)
        r = query_limit(request, &limit);
    if (r != 0)
        return r;
    views = calloc(limit + 1, sizeof(*views)); /* one more tells whether there is a next page */
    if (!views)
        return fault(-ENOMEM);
    r = own_machines(request, after ? after : "", views, limit + 1);
    if (r >= 0)
        r = answer_list(request, views, (size_t)r, limit);
    free(views);
    return r;
}

int machine_show(struct request *request)
{
    return answer_machine(request, MHD_HTTP_OK);
}

int machine_put(struct request *request)
{
    bool created = false;
    const char *asked;
    int r = read_precondition(request, &asked);

    if (r == 0)
        r = registry_put(registry_of(request), request->id, request->body, request->size, asked, &created,
                         &request->refusal);
    if (r != 0)
        return r;
    return created ? answer_created(request) : answer_machine(request, MHD_HTTP_OK);
}

int machine_patch(struct request *request)
{
    int r = registry_patch(registry_of(request), request->id, request->body, request->size, if_match(request),
                           &request->refusal);

    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}

int machine_delete(struct request *request)
{
    int r = registry_delete(registry_of(request), request->id, if_match(request), &request->refusal);

    return r != 0 ? r : answer_empty(request, MHD_HTTP_NO_CONTENT);
}

/* -------------------------------------------------------------------------------------------- phase and sensitivity */

int machine_commission(struct request *request)
{
    int r = registry_commission(registry_of(request), request->id, request->now, &request->refusal);

    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}

int machine_initialize(struct request *request)
{
    int r = registry_initialize(registry_of(request), request->id, request->now, &request->refusal);

    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}

int sensitivity_show(struct request *request)
{
    struct wire_member members[] = { { .name = "machine", .type = MEMBER_TEXT, .text = request->id },
                                     { .name = "sensitivity", .type = MEMBER_NUMBER } };
    struct machine_view view;
    char etag[ETAG_SIZE];
    int r = show(request, &view, etag);

    if (r != 0)
        return r;
    members[1].number = (double)view.settings.sensitivity;
    r = answer_take_json(request, MHD_HTTP_OK, wire_object(members, 2));
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_ETAG, etag);
}

int sensitivity_put(struct request *request)
{
    float sensitivity;
    int r = wire_read_sensitivity(request->body, request->size, &sensitivity, &request->refusal);

    if (r == 0)
        r = registry_set_sensitivity(registry_of(request), request->id, sensitivity, if_match(request),
                                     &request->refusal);
    return r != 0 ? r : sensitivity_show(request);
}

/* ---------------------------------------------------------------------------------------------------------- pending */

static int answer_pendings(struct request *request, const struct pending *pendings, size_t count, size_t limit)
{
    const char *next = count > limit ? pendings[limit - 1].id : NULL;
    int r = answer_take_json(request, MHD_HTTP_OK, wire_pendings(pendings, next ? limit : count, next));

    return r != 0 ? r : answer_next(request, "after", next);
}

int pending_list(struct request *request)
{
    struct pending *pendings;
    const char *after;
    size_t limit;
    int r = query_machine(request, "after", &after);

    if (r == 0)
        r = query_limit(request, &limit);
    if (r != 0)
        return r;
    pendings = calloc(limit + 1, sizeof(*pendings));
    if (!pendings)
        return fault(-ENOMEM);
    r = registry_pending(registry_of(request), after ? after : "", pendings, limit + 1);
    if (r >= 0)
        r = answer_pendings(request, pendings, (size_t)r, limit);
    free(pendings);
    return r;
}

int pending_adopt(struct request *request)
{
    const void *json = request->size > 0 ? (const void *)request->body : "{}";
    int r = registry_adopt(registry_of(request), request->id, json, request->size > 0 ? request->size : 2,
                           &request->refusal);

    return r != 0 ? r : answer_created(request);
}
