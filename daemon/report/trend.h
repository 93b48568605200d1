/* Where a machine goes: a robust line through the daily means of the logarithm of its distance. */
#ifndef HABIT_REPORT_TREND_H
#define HABIT_REPORT_TREND_H

#include "record/report.h"

enum { TREND_DAYS = 28, TREND_LEAST = 7 };

/* means[i]: of the day i, the last one is today's; NAN where nothing was judged. line: the logarithm of the distance at which a
 * buffer alarms. The slope is the median of the slopes of all pairs (Theil and Sen), which a few strange days do not move; its
 * interval comes from Kendall's rank statistic, made wider where the days resemble the one before. Below TREND_LEAST days with
 * buffers, or where today has none, only `days` is known. */
void trend_find(struct trend *trend, const double means[TREND_DAYS], double line);

#endif
