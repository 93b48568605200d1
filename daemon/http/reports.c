/* Anomalies and daily reports. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/media.h"
#include "http/query.h"
#include "report/daily.h"
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
    count = store_anomalies(request->http->options.store, &query, anomalies);
    r = count < 0 ? count : answer_anomalies(request, anomalies, (size_t)count, limit);
    free_anomalies(anomalies, count < 0 ? 0 : (size_t)count);
    return r;
}

int anomaly_show(struct request *request)
{
    const struct anomaly_query query = { .id = (int64_t)request->number, .limit = 1 };
    struct anomaly anomaly = { 0 };
    int r = request->number == 0 ? 0 : store_anomalies(request->http->options.store, &query, &anomaly);

    if (r == 0)
        return refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "there is no anomaly %" PRIu64, request->number);
    if (r > 0)
        r = answer_take_json(request, MHD_HTTP_OK, wire_anomaly(&anomaly));
    free(anomaly.explanation);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- reports */

struct report_query {
    const char *machine, *after;
    struct civil_day day;
    size_t limit;
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

static int read_report_query(struct request *request, struct report_query *query)
{
    const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_ACCEPT);
    int r = query_machine(request, "machine", &query->machine);

    if (r == 0)
        r = query_machine(request, "after", &query->after);
    if (r == 0)
        r = read_day(request, &query->day);
    if (r == 0)
        r = query_limit(request, &query->limit);
    return r != 0 ? r : media_prefers_csv(accept, &query->csv, &request->refusal);
}

static int answer_reports(struct request *request, const struct report_query *query, const struct daily_report *reports,
                          size_t count)
{
    const char *next = count > query->limit ? reports[query->limit - 1].machine : NULL;
    size_t shown = next ? query->limit : count;
    int r = query->csv
                ? answer_take_text(request, MHD_HTTP_OK, "text/csv; charset=utf-8", wire_reports_csv(reports, shown))
                : answer_take_json(request, MHD_HTTP_OK, wire_reports(reports, shown, next));

    return r != 0 ? r : answer_next(request, "after", next);
}

int reports_daily(struct request *request)
{
    struct report_query query = { 0 };
    struct daily_report *reports;
    int r = read_report_query(request, &query);

    if (r != 0)
        return r;
    reports = calloc(query.limit + 1, sizeof(*reports));
    if (!reports)
        return fault(-ENOMEM);
    r = registry_reports(request->http->options.registry, query.machine, query.after ? query.after : "", &query.day,
                         request->now.wall, reports, query.limit + 1, &request->refusal);
    if (r == 0 && request->refusal.code != REFUSAL_NONE)
        r = (int)request->refusal.code;
    else if (r >= 0)
        r = answer_reports(request, &query, reports, (size_t)r);
    free(reports);
    return r;
}
