/* Gathering reports, a portion of machines in memory at a time. Internal to registry/. */
#ifndef HABIT_REGISTRY_GATHER_H
#define HABIT_REGISTRY_GATHER_H

#include "registry/registry.h"

/* Calls `each` with the reports of all machines for a day, as registry_reports gives them; they are freed afterwards. Stops at the
 * first negative result and returns that. */
int gather_portions(struct registry *registry, const struct civil_day *day, int64_t now,
                    int (*each)(void *user, struct daily_report *reports, size_t count), void *user);

#endif
