/* Hours added up to steps, for a view of weeks and months. */
#ifndef HABIT_REPORT_HISTORY_H
#define HABIT_REPORT_HISTORY_H

#include <stddef.h>

#include "record/hour.h"

struct history_point {
    int64_t to;      /* wall ms: end of the step */
    struct hour sum; /* start: of the step */
};

/* Adds up hours, oldest first. step: so many whole hours each, counted from the moment `from`, before which none of them starts; 0 =
 * civil days. Steps in which nothing was counted are left out. Returns how many points there are; those beyond `limit` are not
 * written. */
size_t history_make(const struct hour *hours, size_t count, int64_t from, unsigned int step,
                    struct history_point *points, size_t limit);

#endif
