/* Anomalies, daily reports, history. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/media.h"
#include "http/own.h"
#include "http/query.h"
#include "report/days.h"
#include "report/history.h"
#include "wire/document.h"

/* -------------------------------------------------------------------------------------------------------- anomalies */

static int read_anomaly_query(struct request *request, struct anomaly_query *query)
{
    uint64_t before = 0;
    int r = query_machine(request, "machine", &query->machine);

    query->asset = query_text(request, "asset");
    if (r == 0)
        r = query_time(request, "from", &query->from);
    if (r == 0)
        r = query_time(request, "to", &query->to);
    if (r == 0)
        r = query_number(request, "before", 1, INT64_MAX, 0, &before);
    query->before = (int64_t)before;
    return r != 0 ? r : query_limit(request, &query->limit);
}

static int answer_anomalies(struct request *request, const struct anomaly *anomalies, size_t count, size_t limit)
{
    int64_t next = count > limit ? anomalies[limit - 1].id : 0;
    char cursor[24];
    int r = answer_take_json(request, MHD_HTTP_OK, wire_anomalies(anomalies, next ? limit : count, next));

    snprintf(cursor, sizeof(cursor), "%" PRId64, next);
    return r != 0 ? r : answer_next(request, "before", next ? cursor : NULL);
}

static void free_anomalies(struct anomaly *anomalies, size_t count)
{
    for (size_t i = 0; i < count; i++)
        free(anomalies[i].explanation);
    free(anomalies);
}

int anomalies_list(struct request *request)
{
    struct anomaly_query query = { 0 };
    struct anomaly *anomalies;
    size_t limit;
    int count, r = read_anomaly_query(request, &query);

    if (r != 0)
        return r;
    limit = query.limit++; /* one more tells whether there is a next page */
    anomalies = calloc(query.limit, sizeof(*anomalies));
    if (!anomalies)
        return fault(-ENOMEM);
    count = own_anomalies(request, query, anomalies);
    r = count < 0 ? count : answer_anomalies(request, anomalies, (size_t)count, limit);
    free_anomalies(anomalies, count < 0 ? 0 : (size_t)count);
    return r;
}

int anomaly_show(struct request *request)
{
    const struct anomaly_query query = { .id = (int64_t)request->number, .limit = 1 };
    struct anomaly anomaly = { 0 };
    int r = request->number == 0 ? 0 : own_anomalies(request, query, &anomaly);

    if (r == 0)
        return refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "there is no anomaly %" PRIu64, request->number);
    if (r > 0)
        r = answer_take_json(request, MHD_HTTP_OK, wire_anomaly(&anomaly));
    free(anomaly.explanation);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- reports */

struct reports_query {
    struct report_query reports;
    const char *group; /* NULL = machine by machine */
    bool csv;
};

static int read_day(struct request *request, struct civil_day *day)
{
    const char *date = query_text(request, "date");

    if (!date)
        civil_day_of_time(request->now.wall, day);
    else if (civil_day_of_date(date, day) != 0)
        return refuse(&request->refusal, REFUSAL_REQUEST, "date", "date is a day such as 2026-11-22");
    return 0;
}

/* What is taken together is always all machines, and JSON. */
static int check_group(struct request *request, const struct reports_query *query)
{
    if (!query->group)
        return 0;
    if (strcmp(query->group, "asset") != 0 && strcmp(query->group, "fleet") != 0)
        return refuse(&request->refusal, REFUSAL_REQUEST, "group", "group is asset or fleet");
    if (query->reports.machine || query->reports.after || query->reports.asset)
        return refuse(&request->refusal, REFUSAL_REQUEST, "group", "group goes with date only");
    if (token_bound(&request->who))
        return refuse(&request->refusal, REFUSAL_FORBIDDEN, "group",
                      "group is of all machines, and the token %s is for %.100s", request->who.name,
                      request->who.machines);
    if (query->csv)
        return refuse(&request->refusal, REFUSAL_NOT_ACCEPTABLE, "Accept", "with group there is application/json only");
    return 0;
}

static int read_report_query(struct request *request, struct reports_query *query)
{
    const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    int r = query_machine(request, "machine", &query->reports.machine);

    query->reports.asset = query_text(request, "asset");
    query->group = query_text(request, "group");
    if (r == 0)
        r = query_machine(request, "after", &query->reports.after);
    if (r == 0)
        r = read_day(request, &query->reports.day);
    if (r == 0)
        r = query_limit(request, &query->reports.limit);
    if (r == 0)
        r = media_prefers_csv(accept, &query->csv, &request->refusal);
    return r != 0 ? r : check_group(request, query);
}

static int answer_reports(struct request *request, bool csv, size_t limit, const struct daily_report *reports,
                          size_t count)
{
    const char *next = count > limit ? reports[limit - 1].machine : NULL;
    size_t shown = next ? limit : count;
    int r = csv ? answer_take_text(request, MHD_HTTP_OK, "text/csv; charset=utf-8", wire_reports_csv(reports, shown))
                : answer_take_json(request, MHD_HTTP_OK, wire_reports(reports, shown, next));

    return r != 0 ? r : answer_next(request, "after", next);
}

static int list_reports(struct request *request, struct reports_query *query)
{
    size_t limit = query->reports.limit++; /* one more tells whether there is a next page */
    struct daily_report *reports = calloc(query->reports.limit, sizeof(*reports));
    int count, r;

    if (!reports)
        return fault(-ENOMEM);
    count = own_reports(request, query->reports, reports);
    if (count == 0 && request->refusal.code != REFUSAL_NONE)
        r = (int)request->refusal.code;
    else
        r = count < 0 ? count : answer_reports(request, query->csv, limit, reports, (size_t)count);
    registry_reports_clear(reports, count < 0 ? 0 : (size_t)count);
    free(reports);
    return r;
}

static int list_groups(struct request *request, const struct reports_query *query)
{
    struct group_report *groups = calloc(LIMIT_PAGE, sizeof(*groups));
    size_t left_out = 0;
    int count, r;

    if (!groups)
        return fault(-ENOMEM);
    count =
        registry_report_groups(request->http->options.registry, &query->reports.day, strcmp(query->group, "asset") == 0,
                               request->now.wall, groups, LIMIT_PAGE, &left_out);
    r = count < 0 ? count : answer_take_json(request, MHD_HTTP_OK, wire_groups(groups, (size_t)count, left_out));
    free(groups);
    return r;
}

int reports_daily(struct request *request)
{
    struct reports_query query = { 0 };
    int r = read_report_query(request, &query);

    if (r != 0)
        return r;
    return query.group ? list_groups(request, &query) : list_reports(request, &query);
}

/* ---------------------------------------------------------------------------------------------------------- history */

struct history_query {
    int64_t from, to;
    unsigned int step; /* hours; 0 = civil days */
};

/* A whole number of hours ("1h", "6h", "7d"), or "day". */
static int read_step(struct request *request, unsigned int *step)
{
    const char *text = query_text(request, "step");
    uint64_t milliseconds = HOUR_MS;

    *step = 1;
    if (text && strcmp(text, "day") == 0) {
        *step = 0;
        return 0;
    }
    if (text && (!text_to_duration(text, &milliseconds) || milliseconds == 0 || milliseconds % HOUR_MS != 0 ||
                 milliseconds / HOUR_MS > LIMIT_HOURS))
        return refuse(&request->refusal, REFUSAL_REQUEST, "step",
                      "step is a whole number of hours, such as 1h, 6h or 7d; or day, for civil days");
    *step = (unsigned int)(milliseconds / HOUR_MS);
    return 0;
}

static int read_history_query(struct request *request, struct history_query *query)
{
    static const int64_t week = 7 * 24 * (int64_t)HOUR_MS;
    int r = query_time(request, "from", &query->from);

    if (r == 0)
        r = query_time(request, "to", &query->to);
    if (r == 0)
        r = read_step(request, &query->step);
    if (r != 0)
        return r;
    if (!query_text(request, "to"))
        query->to = request->now.wall + 1;
    if (!query_text(request, "from"))
        query->from = query->to - week;
    if (query->from >= query->to)
        return refuse(&request->refusal, REFUSAL_REQUEST, "from", "from is not before to");
    query->from = civil_hour_start(query->from); /* counters are of whole hours */
    return 0;
}

static int answer_history(struct request *request, const struct history_query *query, const struct hour *hours,
                          size_t count)
{
    struct history_point *points = calloc(LIMIT_PAGE, sizeof(*points));
    size_t made;
    int r;

    if (!points)
        return fault(-ENOMEM);
    made = history_make(hours, count, query->from, query->step, points, LIMIT_PAGE);
    if (made > LIMIT_PAGE)
        r = refuse_limit(&request->refusal, REFUSAL_REQUEST, "step", LIMIT_PAGE,
                         "%zu steps, at most %d are answered: take a longer step, or ask for less time", made,
                         LIMIT_PAGE);
    else
        r = answer_take_json(request, MHD_HTTP_OK, wire_history(request->id, points, made));
    free(points);
    return r;
}

int history_show(struct request *request)
{
    struct history_query query = { 0 };
    struct hour *hours = NULL;
    int count = 0, r = read_history_query(request, &query);

    if (r == 0)
        count = registry_history(request->http->options.registry, request->id, query.from, query.to, &hours,
                                 &request->refusal);
    if (r == 0 && count == 0 && request->refusal.code != REFUSAL_NONE)
        r = (int)request->refusal.code;
    else if (r == 0)
        r = count < 0 ? count : answer_history(request, &query, hours, (size_t)count);
    free(hours);
    return r;
}

int recent_show(struct request *request)
{
    struct recent_point *points = calloc(LIMIT_RECENT, sizeof(*points));
    uint64_t after = 0, total;
    size_t count;
    int r = points ? query_number(request, "after", 0, INT64_MAX, 0, &after) : fault(-ENOMEM);

    if (r == 0)
        r = registry_recent(request->http->options.registry, request->id, after, points, &count, &total,
                            &request->refusal);
    if (r == 0)
        r = answer_take_json(request, MHD_HTTP_OK, wire_recent(request->id, points, count, total));
    free(points);
    return r;
}
