/* Lists of what a token may see: of one that is bound to machines, those of its machines only, in pages as full as of any other
 * token. Internal to http/. */
#ifndef HABIT_HTTP_OWN_H
#define HABIT_HTTP_OWN_H

#include "http/request.h"

/* Whether a route without a machine answers a bound token, because its handler uses what is here. */
bool own_lists(const struct route *route);

/* registry_list, store_anomalies and registry_reports for the token of a request. */
int own_machines(struct request *request, const char *after, struct machine_view *views, size_t limit);
int own_anomalies(struct request *request, struct anomaly_query query, struct anomaly *anomalies);
int own_reports(struct request *request, struct report_query query, struct daily_report *reports);

#endif
