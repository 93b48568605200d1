/* What is counted here, at the door. Internal to http/. */
#ifndef HABIT_HTTP_METRICS_H
#define HABIT_HTTP_METRICS_H

#include "http/request.h"

/* Counts an answer by its route and status. */
void metrics_count(struct request *request);

#endif
