/* Civil days of the process's time zone (TZ). Days lie end to end: each moment is in exactly one. */
#ifndef HABIT_REPORT_DAYS_H
#define HABIT_REPORT_DAYS_H

#include "record/report.h"

/* The civil day of a date. Returns 0, or -EINVAL where the text is no date, or one that the zone left out (Apia 2011-12-30). */
int civil_day_of_date(const char *date, struct civil_day *day);

/* The civil day in which a moment lies. */
void civil_day_of_time(int64_t wall, struct civil_day *day);

/* What is to be reported when all before `end` was, the last day under `date` ("" = none): the day in which `end` lies, from
 * there on. That is a whole day, unless the zone was changed. */
void civil_day_after(int64_t end, const char *date, struct civil_day *day);

/* The first moment of a day at which the local clock shows so many minutes since midnight, or more. */
int64_t civil_time_of_day(const struct civil_day *day, uint32_t minutes);

/* Where the row of counters begins into which a moment belongs: the hour of UTC, or the day, whichever is later. */
int64_t civil_hour_start(int64_t wall);

#endif
