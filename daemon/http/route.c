#include "http/route.h"

#include <stdio.h>
#include <string.h>

#include "http/handlers.h"
#include "page/asset.h"

#define META "seq boot source time age_ms format"

const struct route routes[] = {
    { "GET", "/", "", "", BODY_NONE, page_show, "the web page for browsers, this list for others", "",
      "200:text/html 200:text/plain 304" },
    { "GET", "/page/{file}", "", "", BODY_NONE, page_file, "a file of the web page", "", "200:*/* 304" },
    { "GET", "/openapi.json", "any", "", BODY_NONE, openapi_show, "this description", "", "200:Any" },
    { "GET", "/livez", "", "", BODY_NONE, live_show, "habitd answers", "", "200:text/plain" },
    { "GET", "/readyz", "", "", BODY_NONE, ready_show, "what is degraded", "", "200:Readiness 503:Readiness" },
    { "GET", "/metrics", "read", "", BODY_NONE, metrics_show, "figures for Prometheus", "", "200:text/plain" },
    { "POST", "/v1/login", "", "", BODY_JSON, login_post, "a token for a session, which comes as a cookie", "Login",
      "200:Session" },
    { "POST", "/v1/logout", "", "", BODY_EMPTY, logout_post, "end the session of the cookie", "", "204" },
    { "GET", "/v1/session", "any", "", BODY_NONE, session_show, "who asks, and what he may", "", "200:Session" },
    { "GET", "/v1/status", "read", "", BODY_NONE, status_show, "how the gateway is, at a glance", "", "200:Status" },
    { "GET", "/v1/backup", "admin", "", BODY_NONE, backup_take, "a copy of the store, of one moment", "",
      "200:application/vnd.sqlite3" },
    { "POST", "/v1/wipe", "admin", "", BODY_JSON, wipe_post, "delete everything, such that no byte of it remains",
      "Wipe", "200:Wiped" },
    { "GET", "/v1/audit", "admin", "machine from to after limit", BODY_NONE, audit_list,
      "who changed what, oldest first", "", "200:Audit 200:text/csv" },
    { "POST", "/v1/buffers", "ingest", "", BODY_LINES, lines_submit, "buffers of many machines, one a line", "",
      "200:application/x-ndjson" },
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
    { "GET", "/v1/machines/{id}/buffers", "read", "anomaly", BODY_NONE, stored_list,
      "the buffers that are stored, one a line", "", "200:application/x-ndjson" },
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
    { "PUT", "/v1/machines/{id}/mute", "admin", "", BODY_JSON, mute_put, "maintenance, with its end", "Mute",
      "200:Machine" },
    { "DELETE", "/v1/machines/{id}/mute", "admin", "", BODY_NONE, mute_delete, "maintenance is over", "",
      "200:Machine" },
    { "GET", "/v1/machines/{id}/snapshots", "read", "", BODY_NONE, snapshots_list, "knowledge that was kept", "",
      "200:Snapshots" },
    { "POST", "/v1/machines/{id}/snapshots", "admin", "note", BODY_KEPT, snapshots_post,
      "keep the knowledge in force, or the block sent", "Note", "201:Snapshot" },
    { "GET", "/v1/machines/{id}/snapshots/{n}", "read", "", BODY_NONE, snapshot_show, "the block of a snapshot", "",
      "200:application/octet-stream" },
    { "POST", "/v1/machines/{id}/snapshots/{n}/restore", "admin", "", BODY_EMPTY, snapshot_restore,
      "go back to a snapshot", "", "200:Machine" },
    { "GET", "/v1/machines/{id}/relearn", "read", "", BODY_NONE, relearn_show,
      "knowledge in force and relearned, compared", "", "200:Relearned" },
    { "POST", "/v1/machines/{id}/relearn", "admin", "", BODY_EMPTY, relearn_post,
      "learn the stored buffers again, beside", "", "200:Relearned" },
    { "DELETE", "/v1/machines/{id}/relearn", "admin", "", BODY_NONE, relearn_delete, "drop what was relearned", "",
      "204" },
    { "POST", "/v1/machines/{id}/relearn/switch", "admin", "", BODY_EMPTY, relearn_switch,
      "put what was relearned in force", "", "200:Machine" },
    { "GET", "/v1/pending", "read", "limit after", BODY_NONE, pending_list, "IDs that send but are not known", "",
      "200:PendingList" },
    { "POST", "/v1/pending/{id}/adopt", "admin", "", BODY_OPTION, pending_adopt, "make a machine of such an ID",
      "Settings", "201:Machine" },
    { "GET", "/v1/anomalies", "read", "machine asset from to before limit", BODY_NONE, anomalies_list,
      "anomalies, newest first", "", "200:Anomalies" },
    { "GET", "/v1/anomalies/{n}", "read", "", BODY_NONE, anomaly_show, "one anomaly", "", "200:Anomaly" },
    { "GET", "/v1/anomalies/{n}/buffers", "read", "", BODY_NONE, anomaly_buffers, "the buffers that raised it", "",
      "200:application/octet-stream" },
    { "GET", "/v1/anomalies/{n}/features", "read", "", BODY_NONE, anomaly_features,
      "what the engine made of them, where store_buffers = features", "", "200:Features" },
    { "POST", "/v1/anomalies/{n}/accept", "admin", "", BODY_EMPTY, anomaly_accept,
      "this was normal: learn its buffers, and clear it", "", "200:AcceptedAnomaly" },
    { "GET", "/v1/episodes", "read", "asset from to", BODY_NONE, episodes_list,
      "anomalies of one asset that belong together", "", "200:Episodes" },
    { "GET", "/v1/events", "read", "machine types after", BODY_NONE, events_stream, "server-sent events", "",
      "200:text/event-stream" },
    { "GET", "/v1/reports/daily", "read", "date machine asset group limit after", BODY_NONE, reports_daily,
      "reports of one civil day", "", "200:DailyReports 200:text/csv" },
    { NULL, NULL, NULL, NULL, BODY_NONE, NULL, NULL, NULL, NULL },
};

/* The parts of a path that stand for {id}, {n} and {file}; at NULL = not there. */
struct part {
    const char *at;
    size_t length;
};

struct capture {
    struct part id, number, file;
};

static struct part *part_of(struct capture *capture, char first)
{
    if (first == 'f')
        return &capture->file;
    return first == 'i' ? &capture->id : &capture->number;
}

static bool match(const char *pattern, const char *path, const char *end, struct capture *capture)
{
    while (*pattern != '\0') {
        if (*pattern == '{') {
            struct part *part = part_of(capture, pattern[1]);

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
        return refuse(&request->refusal, REFUSAL_MACHINE_ID, "", "not a machine ID: " MACHINE_ID_RULE);
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

const struct asset *route_file(const char *name, size_t length)
{
    for (const struct asset *asset = assets; asset->name; asset++)
        if (strlen(asset->name) == length && memcmp(asset->name, name, length) == 0)
            return asset;
    return NULL;
}

static int keep_file(struct request *request, const struct part *part)
{
    if (!part->at)
        return 0;
    request->file = route_file(part->at, part->length);
    return request->file ? 0 : refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "the page has no such file");
}

static int take(struct request *request, const struct route *route, const struct capture *capture)
{
    int r = keep_id(request, &capture->id);

    request->route = route;
    if (r == 0)
        r = keep_number(request, &capture->number);
    return r != 0 ? r : keep_file(request, &capture->file);
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
