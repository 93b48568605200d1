/* The table of routes. Internal to http/. */
#ifndef HABIT_HTTP_ROUTE_H
#define HABIT_HTTP_ROUTE_H

#include "http/request.h"

/* Finds request->route and what its path captures. Returns 0; NO_ROUTE; METHOD with request->allow filled;
 * MACHINE_ID. */
int route_find(struct request *request);

/* All routes, for the page of hints. Ends with a row whose method is NULL. */
extern const struct route routes[];

#endif
