#include "http/route.h"

#include <stdio.h>
#include <string.h>

#include "http/handlers.h"

#define META "seq boot source time age_ms format"

const struct route routes[] = {
    { "GET", "/", "read", "", BODY_NONE, hints_show },
    { "GET", "/livez", "", "", BODY_NONE, live_show },
    { "GET", "/readyz", "", "", BODY_NONE, ready_show },
    { "GET", "/metrics", "read", "", BODY_NONE, metrics_show },
    { "POST", "/v1/buffers", "ingest", "", BODY_LINES, lines_submit },
    { "GET", "/v1/machines", "read", "limit after", BODY_NONE, machines_list },
    { "GET", "/v1/machines/{id}", "read", "", BODY_NONE, machine_show },
    { "PUT", "/v1/machines/{id}", "admin", "", BODY_JSON, machine_put },
    { "PATCH", "/v1/machines/{id}", "admin", "", BODY_JSON, machine_patch },
    { "DELETE", "/v1/machines/{id}", "admin", "", BODY_NONE, machine_delete },
    { "POST", "/v1/machines/{id}/learn", "ingest", META, BODY_BUFFERS, buffers_learn },
    { "POST", "/v1/machines/{id}/detect", "ingest", META " dry_run", BODY_BUFFERS, buffers_detect },
    { "GET", "/v1/machines/{id}/buffers", "read", "anomaly", BODY_NONE, stored_list },
    { "POST", "/v1/machines/{id}/buffers", "ingest", META, BODY_BUFFERS, buffers_submit },
    { "POST", "/v1/machines/{id}/commission", "admin", "", BODY_EMPTY, machine_commission },
    { "POST", "/v1/machines/{id}/initialize", "admin", "", BODY_EMPTY, machine_initialize },
    { "GET", "/v1/machines/{id}/sensitivity", "read", "", BODY_NONE, sensitivity_show },
    { "PUT", "/v1/machines/{id}/sensitivity", "admin", "", BODY_JSON, sensitivity_put },
    { "GET", "/v1/machines/{id}/knowledge", "read", "", BODY_NONE, knowledge_show },
    { "PUT", "/v1/machines/{id}/knowledge", "admin", "", BODY_BLOCK, knowledge_put },
    { "PUT", "/v1/machines/{id}/context", "ingest", "", BODY_JSON, context_put },
    { "GET", "/v1/machines/{id}/history", "read", "from to step", BODY_NONE, history_show },
    { "PUT", "/v1/machines/{id}/mute", "admin", "", BODY_JSON, mute_put },
    { "DELETE", "/v1/machines/{id}/mute", "admin", "", BODY_NONE, mute_delete },
    { "GET", "/v1/machines/{id}/snapshots", "read", "", BODY_NONE, snapshots_list },
    { "POST", "/v1/machines/{id}/snapshots", "admin", "note", BODY_KEPT, snapshots_post },
    { "GET", "/v1/machines/{id}/snapshots/{n}", "read", "", BODY_NONE, snapshot_show },
    { "POST", "/v1/machines/{id}/snapshots/{n}/restore", "admin", "", BODY_EMPTY, snapshot_restore },
    { "GET", "/v1/machines/{id}/relearn", "read", "", BODY_NONE, relearn_show },
    { "POST", "/v1/machines/{id}/relearn", "admin", "", BODY_EMPTY, relearn_post },
    { "DELETE", "/v1/machines/{id}/relearn", "admin", "", BODY_NONE, relearn_delete },
    { "POST", "/v1/machines/{id}/relearn/switch", "admin", "", BODY_EMPTY, relearn_switch },
    { "GET", "/v1/pending", "read", "limit after", BODY_NONE, pending_list },
    { "POST", "/v1/pending/{id}/adopt", "admin", "", BODY_OPTION, pending_adopt },
    { "GET", "/v1/anomalies", "read", "machine asset from to before limit", BODY_NONE, anomalies_list },
    { "GET", "/v1/anomalies/{n}", "read", "", BODY_NONE, anomaly_show },
    { "GET", "/v1/anomalies/{n}/buffers", "read", "", BODY_NONE, anomaly_buffers },
    { "POST", "/v1/anomalies/{n}/accept", "admin", "", BODY_EMPTY, anomaly_accept },
    { "GET", "/v1/episodes", "read", "asset from to", BODY_NONE, episodes_list },
    { "GET", "/v1/events", "read", "machine types after", BODY_NONE, events_stream },
    { "GET", "/v1/reports/daily", "read", "date machine asset group limit after", BODY_NONE, reports_daily },
    { NULL, NULL, NULL, NULL, BODY_NONE, NULL },
};

/* The parts of a path that stand for {id} and {n}; at NULL = not there. */
struct part {
    const char *at;
    size_t length;
};

struct capture {
    struct part id, number;
};

static bool match(const char *pattern, const char *path, const char *end, struct capture *capture)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            struct part *part = pattern[1] == 'i' ? &capture->id : &capture->number;

            part->at = path;
            while (path < end && *path != '/')
                path++;
            part->length = (size_t)(path - part->at);
            pattern = strchr(pattern, '}') + 1;
        } else if (path == end || *pattern++ != *path++) {
            return false;
        }
    }
    return path == end;
}

static bool is_method(const struct route *route, const char *method)
{
    return strcmp(route->method, method) == 0 || (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

static void allow(struct request *request, const struct route *route)
{
    size_t used = strlen(request->allow);

    snprintf(request->allow + used, sizeof(request->allow) - used, "%s%s%s", used > 0 ? ", " : "", route->method,
             strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
}

static int keep_id(struct request *request, const struct part *part)
{
    if (!part->at)
        return 0;
    if (!machine_id_valid(part->at, part->length))
        return refuse(&request->refusal, REFUSAL_MACHINE_ID, "",
                      "a machine ID is 1 to 64 letters, digits, - and _, a letter or digit first");
    memcpy(request->id, part->at, part->length);
    request->id[part->length] = '\0';
    return 0;
}

static int keep_number(struct request *request, const struct part *part)
{
    char text[24];

    if (!part->at)
        return 0;
    snprintf(text, sizeof(text), "%.*s", (int)(part->length < sizeof(text) ? part->length : sizeof(text)), part->at);
    if (!text_to_unsigned(text, INT64_MAX, &request->number))
        return refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "one part of this path is a number");
    return 0;
}

static int take(struct request *request, const struct route *route, const struct capture *capture)
{
    int r = keep_id(request, &capture->id);

    request->route = route;
    return r != 0 ? r : keep_number(request, &capture->number);
}

int route_find(struct request *request)
{
    const char *path = request->uri, *end = path + strcspn(path, "?");

    for (const struct route *route = routes; route->method; route++) {
        struct capture capture = { 0 };

        if (!match(route->path, path, end, &capture))
            continue;
        if (is_method(route, request->method))
            return take(request, route, &capture);
        allow(request, route);
    }
    if (request->allow[0] == '\0')
        return refuse(&request->refusal, REFUSAL_NO_ROUTE, "", "GET / names the routes");
    return refuse(&request->refusal, REFUSAL_METHOD, "", "this path has %s", request->allow);
}
