#include "report/history.h"

#include "report/days.h"

/* The step in which an hour lies. */
static struct history_point step_of(const struct hour *hour, int64_t from, unsigned int step)
{
    struct history_point point = { .sum = { .similarity_min = 101 } };
    int64_t length = (int64_t)step * HOUR_MS;
    struct civil_day day;

    if (step == 0) {
        civil_day_of_time(hour->start, &day);
        point.sum.start = day.from;
        point.to = day.to;
    } else {
        point.sum.start = from + (hour->start - from) / length * length;
        point.to = point.sum.start + length;
    }
    return point;
}

size_t history_make(const struct hour *hours, size_t count, int64_t from, unsigned int step,
                    struct history_point *points, size_t limit)
{
    size_t made = 0;

    for (size_t i = 0; i < count; i++) {
        struct history_point point = step_of(&hours[i], from, step);

        if (made == 0 || made > limit || points[made - 1].sum.start != point.sum.start) {
            if (made < limit)
                points[made] = point;
            made++;
        }
        if (made <= limit)
            hour_add(&points[made - 1].sum, &hours[i]);
    }
    return made;
}
