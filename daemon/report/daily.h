/* What one machine did in one civil day: a pure sum over its hours. */
#ifndef HABIT_REPORT_DAILY_H
#define HABIT_REPORT_DAILY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"
#include "record/hour.h"

enum { REPORT_HOURS = 26 }; /* the longest civil day has 25; one to spare */

struct civil_day {
    char date[11];    /* "2026-11-22" */
    int64_t from, to; /* wall ms: local midnight to local midnight; 23, 24 or 25 h and stranger ones */
};

/* The civil day of a date in the process's time zone (TZ). Returns 0, or -EINVAL where the text is no date, or one that the zone
 * left out (Apia 2011-12-30). */
int civil_day_of_date(const char *date, struct civil_day *day);

/* The civil day in which a moment lies. Days lie end to end: each moment is in exactly one. */
void civil_day_of_time(int64_t wall, struct civil_day *day);

struct daily_report {
    struct civil_day day;
    char machine[MACHINE_ID_SIZE], asset[64];
    double hours;      /* length of the day */
    bool complete;     /* the day is over */
    struct hour total; /* of the day; start is the day's */
    struct hour hour[REPORT_HOURS];
    size_t hour_count;         /* one for each hour of UTC that begins in the day, those without buffers too */
    double anomalies_per_hour; /* over the hours that have passed */
    double similarity_mean;    /* NAN = nothing was detected */
};

/* hours: any of the machine's, in any order; those outside the day are left out. now: how much of the day has passed. */
void daily_report_make(struct daily_report *report, const struct civil_day *day, const char *machine, const char *asset,
                       const struct hour *hours, size_t count, int64_t now);

#endif
