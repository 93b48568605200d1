#include "report/daily.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static int64_t whole_hour(int64_t wall)
{
    return wall - (wall % HOUR_MS + HOUR_MS) % HOUR_MS;
}

/* One empty row for each part of an hour of UTC in the day. */
static void lay_out(struct daily_report *report)
{
    int64_t start = report->day.from;

    for (; start < report->day.to && report->hour_count < REPORT_HOURS; start = whole_hour(start) + HOUR_MS)
        report->hour[report->hour_count++] = (struct hour){ .start = start, .similarity_min = 101 };
}

void daily_report_begin(struct daily_report *report, const struct civil_day *day, const char *machine,
                        const char *asset)
{
    memset(report, 0, sizeof(*report));
    report->day = *day;
    snprintf(report->machine, sizeof(report->machine), "%s", machine);
    snprintf(report->asset, sizeof(report->asset), "%s", asset);
    report->hours = (double)(day->to - day->from) / HOUR_MS;
    report->total = (struct hour){ .start = day->from, .similarity_min = 101 };
    report->worst_distance = NAN;
    report->trend = (struct trend){ .level = NAN,
                                    .slope = NAN,
                                    .slope_low = NAN,
                                    .slope_high = NAN,
                                    .to_line = NAN,
                                    .to_line_low = NAN,
                                    .to_line_high = NAN };
    lay_out(report);
}

void daily_report_add(struct daily_report *report, const struct hour *hour)
{
    int64_t index = (hour->start - whole_hour(report->day.from)) / HOUR_MS;

    if (hour->start < report->day.from || hour->start >= report->day.to)
        return;
    hour_add(&report->total, hour);
    if (index < (int64_t)report->hour_count) /* a day of more than two: of a zone that does not exist yet */
        hour_add(&report->hour[index], hour);
}

void daily_report_end(struct daily_report *report, int64_t now)
{
    const struct civil_day *day = &report->day;
    int64_t passed = now < day->to ? now - day->from : day->to - day->from;

    report->complete = now >= day->to;
    report->anomalies_per_hour = passed > 0 ? report->total.anomalies / ((double)passed / HOUR_MS) : 0;
    report->similarity_mean = report->total.detected > 0 ? report->total.similarity_sum / report->total.detected : NAN;
}
