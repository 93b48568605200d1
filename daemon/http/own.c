#include "http/own.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool own_lists(const struct route *route)
{
    static const char *const paths[] = { "/v1/machines", "/v1/anomalies",     "/v1/anomalies/{n}",
                                         "/v1/episodes", "/v1/reports/daily", "/v1/anomalies/{n}/buffers",
                                         "/v1/events" };

    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
        if (strcmp(route->path, paths[i]) == 0)
            return strcmp(route->method, "GET") == 0;
    return false;
}

/* Portions are asked for until the page is full or there are no more; what is not the token's is taken out of each, and its room
 * is zeros again, as whoever fills it expects. */

int own_machines(struct request *request, const char *after, struct machine_view *views, size_t limit)
{
    char last[MACHINE_ID_SIZE];
    size_t kept = 0, asked;
    int got;

    snprintf(last, sizeof(last), "%s", after);
    do {
        struct machine_view *portion = &views[kept];

        asked = limit - kept;
        got = registry_list(request->http->options.registry, last, portion, asked, request->now);
        if (got > 0)
            snprintf(last, sizeof(last), "%s", portion[got - 1].id);
        for (int i = 0; i < got; i++)
            if (token_covers(&request->who, portion[i].id))
                views[kept++] = portion[i];
        if (got > 0)
            memset(&views[kept], 0, (size_t)(portion + got - &views[kept]) * sizeof(*views));
    } while (got > 0 && (size_t)got == asked && kept < limit);
    return got < 0 ? got : (int)kept;
}

int own_anomalies(struct request *request, struct anomaly_query query, struct anomaly *anomalies)
{
    const size_t limit = query.limit;
    size_t kept = 0;
    int got;

    do {
        struct anomaly *portion = &anomalies[kept];

        query.limit = limit - kept;
        got = store_anomalies(request->http->options.store, &query, portion);
        if (got > 0)
            query.before = portion[got - 1].id;
        for (int i = 0; i < got; i++)
            if (token_covers(&request->who, portion[i].machine))
                anomalies[kept++] = portion[i];
            else
                free(portion[i].explanation);
        if (got > 0)
            memset(&anomalies[kept], 0, (size_t)(portion + got - &anomalies[kept]) * sizeof(*anomalies));
    } while (got > 0 && (size_t)got == query.limit && kept < limit);
    for (size_t i = 0; got < 0 && i < kept; i++)
        free(anomalies[i].explanation);
    return got < 0 ? got : (int)kept;
}

int own_reports(struct request *request, struct report_query query, struct daily_report *reports)
{
    const size_t limit = query.limit;
    char last[MACHINE_ID_SIZE];
    size_t kept = 0;
    int got;

    do {
        struct daily_report *portion = &reports[kept];

        query.limit = limit - kept;
        got = registry_reports(request->http->options.registry, &query, request->now.wall, portion, &request->refusal);
        if (got > 0) {
            snprintf(last, sizeof(last), "%s", portion[got - 1].machine);
            query.after = last;
        }
        for (int i = 0; i < got; i++)
            if (token_covers(&request->who, portion[i].machine))
                reports[kept++] = portion[i];
            else
                registry_reports_clear(&portion[i], 1);
        if (got > 0)
            memset(&reports[kept], 0, (size_t)(portion + got - &reports[kept]) * sizeof(*reports));
    } while (got > 0 && !query.machine && (size_t)got == query.limit && kept < limit);
    if (got < 0)
        registry_reports_clear(reports, kept);
    return got < 0 ? got : (int)kept;
}
