#include "http/route.h"

#include <stdio.h>
#include <string.h>

#include "http/handlers.h"
#include "page/asset.h"

#define META "seq boot source time age_ms format"

const struct route routes[] = {
    { "GET", "/", "", "", BODY_NONE, page_show, "the web page for browsers, this list for others", "",
      "200:text/html 200:text/plain" },
    { "GET", "/page/{file}", "", "", BODY_NONE, page_file, "a file of the web page", "", "200:*/* 304" },
    { "GET", "/openapi.json", "read", "", BODY_NONE, openapi_show, "this description", "", "200:Any" },
    { "GET", "/livez", "", "", BODY_NONE, live_show, "habitd answers", "", "200:text/plain" },
    { "GET", "/readyz", "", "", BODY_NONE, ready_show, "what is degraded", "", "200:Readiness 503:Readiness" },
    { "GET", "/metrics", "read", "", BODY_NONE, metrics_show, "figures for Prometheus", "", "200:text/plain" },
    { "GET", "/v1/machines", "read", "limit after", BODY_NONE, machines_list, "all machines, by pages", "",
      "200:Machines" },
    { "GET", "/v1/machines/{id}", "read", "", BODY_NONE, machine_show, "settings and state of a machine", "",
      "200:Machine" },
    { "PUT", "/v1/machines/{id}", "admin", "", BODY_JSON, machine_put,
      "make a machine, or replace all its REST settings", "Settings", "200:Machine 201:Machine" },
    { "PATCH", "/v1/machines/{id}", "admin", "", BODY_JSON, machine_patch,
      "change some settings; null = back to file or default", "SettingsPatch", "200:Machine" },
    { "DELETE", "/v1/machines/{id}", "admin", "", BODY_NONE, machine_delete,
      "delete a machine with all that is stored of it", "", "204" },
    { "POST", "/v1/machines/{id}/learn", "ingest", META, BODY_BUFFERS, buffers_learn, "learn buffers", "Buffers",
      "200:Verdicts" },
    { "POST", "/v1/machines/{id}/detect", "ingest", META " dry_run", BODY_BUFFERS, buffers_detect, "judge buffers",
      "Buffers", "200:Verdicts" },
    { "POST", "/v1/machines/{id}/buffers", "ingest", META, BODY_BUFFERS, buffers_submit,
      "buffers; the phase of the machine decides", "Buffers", "200:Verdicts" },
    { "POST", "/v1/machines/{id}/commission", "admin", "", BODY_EMPTY, machine_commission,
      "start learning, or learn on", "", "200:Machine" },
    { "POST", "/v1/machines/{id}/initialize", "admin", "", BODY_EMPTY, machine_initialize,
      "forget what was learned; it stays as a snapshot", "", "200:Machine" },
    { "GET", "/v1/machines/{id}/sensitivity", "read", "", BODY_NONE, sensitivity_show, "its sensitivity", "",
      "200:Sensitivity" },
    { "PUT", "/v1/machines/{id}/sensitivity", "admin", "", BODY_JSON, sensitivity_put, "set its sensitivity",
      "SensitivityChange", "200:Sensitivity" },
    { "GET", "/v1/machines/{id}/knowledge", "read", "", BODY_NONE, knowledge_show, "the knowledge block", "",
      "200:application/octet-stream 304" },
    { "PUT", "/v1/machines/{id}/knowledge", "admin", "", BODY_BLOCK, knowledge_put, "load a knowledge block", "",
      "200:Machine 201:Machine" },
    { "PUT", "/v1/machines/{id}/context", "ingest", "", BODY_JSON, context_put,
      "named numbers that come beside buffers", "Context", "204" },
    { "GET", "/v1/machines/{id}/history", "read", "from to step", BODY_NONE, history_show,
      "counters by hours, steps or days", "", "200:History" },
    { "GET", "/v1/machines/{id}/recent", "read", "after", BODY_NONE, recent_show, "the last judged buffers", "",
      "200:Recent" },
    { "GET", "/v1/pending", "read", "limit after", BODY_NONE, pending_list, "IDs that send but are not known", "",
      "200:PendingList" },
    { "POST", "/v1/pending/{id}/adopt", "admin", "", BODY_OPTION, pending_adopt, "make a machine of such an ID",
      "Settings", "201:Machine" },
    { "GET", "/v1/anomalies", "read", "machine asset from to before limit", BODY_NONE, anomalies_list,
      "anomalies, newest first", "", "200:Anomalies" },
    { "GET", "/v1/anomalies/{n}", "read", "", BODY_NONE, anomaly_show, "one anomaly", "", "200:Anomaly" },
    { "GET", "/v1/events", "read", "machine types after", BODY_NONE, events_stream, "server-sent events", "",
      "200:text/event-stream" },
    { "GET", "/v1/reports/daily", "read", "date machine asset group limit after", BODY_NONE, reports_daily,
      "reports of one civil day", "", "200:DailyReports 200:text/csv" },
    { NULL, NULL, NULL, NULL, BODY_NONE, NULL, NULL, NULL, NULL },
};

/* The part of a path that stands for {id}, {n} or {file}. */
struct capture {
    const char *at;
    size_t length;
};

static bool match(const char *pattern, const char *path, const char *end, struct capture *capture)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            capture->at = path;
            while (path < end && *path != '/')
                path++;
            capture->length = (size_t)(path - capture->at);
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

static int keep_id(struct request *request, const struct capture *capture)
{
    if (!machine_id_valid(capture->at, capture->length))
        return refuse(&request->refusal, REFUSAL_MACHINE_ID, "",
                      "a machine ID is 1 to 64 letters, digits, - and _, a letter or digit first");
    memcpy(request->id, capture->at, capture->length);
    request->id[capture->length] = '\0';
    return 0;
}

static int keep_number(struct request *request, const struct capture *capture)
{
    char text[24];

    snprintf(text, sizeof(text), "%.*s", (int)(capture->length < sizeof(text) ? capture->length : sizeof(text)),
             capture->at);
    if (!text_to_unsigned(text, INT64_MAX, &request->number))
        return refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "the last part of this path is a number");
    return 0;
}

const struct asset *route_file(const char *name, size_t length)
{
    for (const struct asset *asset = assets; asset->name; asset++)
        if (strlen(asset->name) == length && memcmp(asset->name, name, length) == 0)
            return asset;
    return NULL;
}

static int keep_file(struct request *request, const struct capture *capture)
{
    request->file = route_file(capture->at, capture->length);
    return request->file ? 0 : refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "the page has no such file");
}

static int take(struct request *request, const struct route *route, const struct capture *capture)
{
    request->route = route;
    if (!capture->at)
        return 0;
    if (strstr(route->path, "{file}"))
        return keep_file(request, capture);
    return strstr(route->path, "{id}") ? keep_id(request, capture) : keep_number(request, capture);
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
