/* The table of routes. Internal to http/. */
#ifndef HABIT_HTTP_ROUTE_H
#define HABIT_HTTP_ROUTE_H

#include "http/request.h"

/* Finds request->route and what its path captures. Returns 0; NO_ROUTE; METHOD with request->allow filled;
 * MACHINE_ID. */
int route_find(struct request *request);

/* A file of the web page by its name, which need not end there; NULL = there is none. */
const struct asset *route_file(const char *name, size_t length);

/* All routes, for those who list and describe them. Ends with a row whose method is NULL. */
extern const struct route routes[];

#endif
