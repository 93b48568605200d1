/* What readiness is made of, for those who show more. Internal to http/. */
#ifndef HABIT_HTTP_HEALTH_H
#define HABIT_HTTP_HEALTH_H

#include "http/request.h"

/* JSON, heap, NULL when memory ran out: the list of reasons, and the last backup, or null. */
char *health_reasons(struct request *request);
char *health_backup(const struct store_figures *figures, struct moment now);

/* The word for that list. */
const char *health_status(struct request *request, const char *list);

#endif
