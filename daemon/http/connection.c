#include "http/connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "http/answer.h"
#include "http/audit.h"
#include "http/authorize.h"
#include "http/crowd.h"
#include "http/guard.h"
#include "http/media.h"
#include "http/query.h"
#include "http/route.h"

enum {
    MOST_DISCARDED = 4 * LIMIT_BODY /* bytes read only to be able to answer 413 */
};

/* ------------------------------------------------------------------------------------------------ making and ending */

void *connection_on_uri(void *user, const char *uri, struct MHD_Connection *connection)
{
    struct request *request = calloc(1, sizeof(*request));

    if (!request)
        return NULL;
    request->http = user;
    request->connection = connection;
    request->uri = strdup(uri);
    request->uri_at = (uintptr_t)uri;
    request->began = clock_now();
    if (request->uri)
        return request;
    free(request);
    return NULL;
}

static void count_under_way(struct http *http, bool more)
{
    pthread_mutex_lock(&http->lock);
    if (more)
        http->under_way++;
    else if (--http->under_way == 0)
        pthread_cond_broadcast(&http->idle);
    pthread_mutex_unlock(&http->lock);
}

void connection_on_completed(void *user, struct MHD_Connection *connection, void **state,
                             enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;

    crowd_next(((struct http *)user)->crowd, connection, CROWD_WAITS, 0);
    if (!request)
        return;
    if (request->ended)
        request->ended(request, code == MHD_REQUEST_TERMINATED_COMPLETED_OK);
    if (request->begun)
        count_under_way(user, false);
    free(request->body);
    free(request->uri);
    free(request);
    *state = NULL;
}

/* -------------------------------------------------------------------------------------------------- before the body */

static int refuse_size(struct request *request)
{
    return refuse_limit(&request->refusal, REFUSAL_TOO_LARGE, "", LIMIT_BODY, "a body is at most %d bytes", LIMIT_BODY);
}

static int check_body(struct request *request, const struct guard_headers *headers, uint64_t length)
{
    enum body body = request->route->body;

    if (length != UINT64_MAX && length > LIMIT_BODY)
        return refuse_size(request);
    if (body == BODY_NONE && length > 0)
        return refuse(&request->refusal, REFUSAL_REQUEST, "", "%s %s takes no body", request->route->method,
                      request->route->path);
    if (headers->encoding.value && strcasecmp(headers->encoding.value, "identity") != 0)
        return refuse(&request->refusal, REFUSAL_MEDIA_TYPE, "Content-Encoding",
                      "a body is sent as it is, not compressed");
    if (body == BODY_NONE || body == BODY_EMPTY || ((body == BODY_OPTION || body == BODY_KEPT) && length == 0))
        return 0;
    return media_of_body(body, headers->type.value, &request->encoding, &request->refusal);
}

static int check_head(struct request *request, const char *version, uint64_t *length)
{
    struct guard_headers headers;
    int r;

    guard_read_headers(request, version, &headers);
    r = guard_check(request, &headers, version, length);
    if (r == 0)
        r = route_find(request);
    if (r == 0)
        r = query_check(request);
    if (r == 0)
        r = authorize(request, &headers);
    return r != 0 ? r : check_body(request, &headers, *length);
}

static enum MHD_Result send_problem(struct request *request, int r)
{
    return answer_problem(request, r) < 0 ? MHD_NO : answer_send(request);
}

/* What is refused already is answered now if a body would follow, which then is not read; else when the request ends,
 * so that the connection lives on. */
static enum MHD_Result begin(struct request *request, const char *method, const char *version)
{
    uint64_t length = 0;

    request->begun = true;
    count_under_way(request->http, true);
    request->method = method;
    request->early = check_head(request, version, &length);
    request->close =
        request->close || length == UINT64_MAX; /* where chunks end is not ours to see: nothing follows them */
    crowd_next(request->http->crowd, request->connection, CROWD_READS, length <= LIMIT_BODY ? length : LIMIT_BODY);
    if (request->early == 0 || (length == 0 && !request->close))
        return MHD_YES;
    request->close = true;
    return send_problem(request, request->early);
}

/* --------------------------------------------------------------------------------------------------------- the body */

static bool make_room(struct request *request, size_t size)
{
    size_t room = request->room > 0 ? request->room : 4096;
    unsigned char *body;

    while (room < size)
        room *= 2;
    if (room == request->room)
        return true;
    body = realloc(request->body, room);
    if (!body)
        return false;
    request->body = body;
    request->room = room;
    return true;
}

/* A body that grows beyond the limit is read on for a while, so that its sender gets the answer; not for ever. */
static enum MHD_Result discard(struct request *request, size_t size)
{
    request->size = 0;
    request->discarded += size;
    return request->discarded <= MOST_DISCARDED ? MHD_YES : MHD_NO;
}

static enum MHD_Result collect(struct request *request, const char *bytes, size_t size)
{
    if (request->discarded > 0 || request->size + size > LIMIT_BODY)
        return discard(request, size);
    if (!make_room(request, request->size + size))
        return MHD_NO;
    memcpy(request->body + request->size, bytes, size);
    request->size += size;
    return MHD_YES;
}

/* ---------------------------------------------------------------------------------------------------------- the end */

/* "", "{}", "{ }" */
static bool is_empty_object(const unsigned char *body, size_t size)
{
    char seen[3] = "";
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        if (body[i] == '\0' || !strchr(" \t\r\n", body[i])) {
            if (count == 2)
                return false;
            seen[count++] = (char)body[i];
        }
    return count == 0 || strcmp(seen, "{}") == 0;
}

static int handle(struct request *request)
{
    if (request->early != 0)
        return request->early;
    if (request->discarded > 0)
        return refuse_size(request);
    if (!make_room(request, 1)) /* an empty body is no NULL */
        return fault(-ENOMEM);
    if (request->route->body == BODY_EMPTY && !is_empty_object(request->body, request->size))
        return refuse(&request->refusal, REFUSAL_REQUEST, "", "%s %s takes no body, or {}", request->route->method,
                      request->route->path);
    return audit_handle(request);
}

static enum MHD_Result finish(struct request *request)
{
    int r;

    request->now = clock_now();
    crowd_next(request->http->crowd, request->connection, CROWD_WORKS, 0);
    r = handle(request);
    return r == 0 ? answer_send(request) : send_problem(request, r);
}

enum MHD_Result connection_on_access(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                                     const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct request *request = *state;
    size_t size = *upload_size;

    (void)user;
    (void)connection;
    (void)url; /* decoded: the guard and the routes look at what was sent */
    if (!request)
        return MHD_NO;
    if (!request->begun)
        return begin(request, method, version);
    *upload_size = 0;
    return size > 0 ? collect(request, upload, size) : finish(request);
}
