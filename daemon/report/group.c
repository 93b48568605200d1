#include "report/group.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void group_begin(struct group_report *group, const struct civil_day *day, const char *asset)
{
    memset(group, 0, sizeof(*group));
    group->day = *day;
    snprintf(group->asset, sizeof(group->asset), "%s", asset);
    group->hours = (double)(day->to - day->from) / HOUR_MS;
    group->total = (struct hour){ .start = day->from, .similarity_min = 101 };
    group->to_line = group->to_line_low = group->to_line_high = NAN;
}

static bool is_worse(const struct group_report *group, const struct hour *total)
{
    if (total->detected == 0)
        return false;
    if (group->worst[0] == '\0' || total->anomaly_ms != group->longest)
        return group->worst[0] == '\0' || total->anomaly_ms > group->longest;
    return total->similarity_min < group->lowest;
}

static void note_worst(struct group_report *group, const struct daily_report *report)
{
    if (!is_worse(group, &report->total))
        return;
    memcpy(group->worst, report->machine, sizeof(group->worst));
    group->longest = report->total.anomaly_ms;
    group->lowest = report->total.similarity_min;
}

static void note_trend(struct group_report *group, const struct daily_report *report)
{
    const struct trend *trend = &report->trend;

    if (!trend->rising)
        return;
    group->rising++;
    if (trend->to_line >= group->to_line) /* false while it is NAN */
        return;
    memcpy(group->next, report->machine, sizeof(group->next));
    group->to_line = trend->to_line;
    group->to_line_low = trend->to_line_low;
    group->to_line_high = trend->to_line_high;
}

void group_add(struct group_report *group, const struct daily_report *report)
{
    note_worst(group, report);
    note_trend(group, report);
    group->machines++;
    group->heard += hour_heard(&report->total);
    hour_add(&group->total, &report->total);
}

void group_end(struct group_report *group, int64_t now)
{
    const struct civil_day *day = &group->day;
    double passed = (double)((now < day->to ? now : day->to) - day->from) / HOUR_MS;

    group->complete = now >= day->to;
    group->anomalies_per_hour =
        passed > 0 && group->machines > 0 ? group->total.anomalies / passed / group->machines : 0;
    group->similarity_mean = group->total.detected > 0 ? group->total.similarity_sum / group->total.detected : NAN;
}
