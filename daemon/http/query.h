/* Query parameters: each at most once, each known to the route, each read strictly. Internal to http/. */
#ifndef HABIT_HTTP_QUERY_H
#define HABIT_HTTP_QUERY_H

#include <stdint.h>

#include "http/request.h"

/* Refuses (REQUEST) what the route does not know, what comes twice, and what has no value. */
int query_check(struct request *request);

/* A parameter's text, or NULL. */
const char *query_text(struct request *request, const char *name);

/* A whole number in low..high; `fallback` where it is not there. */
int query_number(struct request *request, const char *name, uint64_t low, uint64_t high, uint64_t fallback,
                 uint64_t *value);

/* RFC 3339 or milliseconds; 0 where it is not there. */
int query_time(struct request *request, const char *name, int64_t *wall);

/* A machine ID; NULL where it is not there. */
int query_machine(struct request *request, const char *name, const char **id);

/* How many rows a page has: `limit`, default 100. */
int query_limit(struct request *request, size_t *limit);

#endif
