/* What one machine did in one civil day: a pure sum over its hours. */
#ifndef HABIT_REPORT_DAILY_H
#define HABIT_REPORT_DAILY_H

#include "report/days.h"

/* An empty report of a day. */
void daily_report_begin(struct daily_report *report, const struct civil_day *day, const char *machine,
                        const char *asset);

/* Adds one of the machine's hours; those outside the day are left out. Any order. */
void daily_report_add(struct daily_report *report, const struct hour *hour);

/* Rates and means, when all is added. now: how much of the day has passed. */
void daily_report_end(struct daily_report *report, int64_t now);

#endif
