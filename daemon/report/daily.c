#include "report/daily.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* The first moment of a civil day. Where midnight is skipped by a change to summer time, mktime gives the moment that the
 * skipped hour would have had, which is the change itself or inside the day before: step to the first second of the date. */
static int64_t midnight(int year, int month, int day)
{
    struct tm tm = { .tm_year = year, .tm_mon = month, .tm_mday = day, .tm_isdst = -1 };
    struct tm wanted = { .tm_year = year, .tm_mon = month, .tm_mday = day, .tm_hour = 12, .tm_isdst = -1 }, seen;
    time_t moment = mktime(&tm);

    mktime(&wanted); /* normalises 32 January */
    localtime_r(&moment, &seen);
    while (seen.tm_year * 400 + seen.tm_yday < wanted.tm_year * 400 + wanted.tm_yday) {
        moment += 60;
        localtime_r(&moment, &seen);
    }
    for (;;) { /* and back, where mktime chose the later one of two midnights or landed behind the change */
        time_t earlier = moment - 60;

        localtime_r(&earlier, &seen);
        if (seen.tm_year * 400 + seen.tm_yday != wanted.tm_year * 400 + wanted.tm_yday)
            return (int64_t)moment * 1000;
        moment = earlier;
    }
}

static void fill(struct civil_day *day, const struct tm *tm)
{
    strftime(day->date, sizeof(day->date), "%Y-%m-%d", tm);
    day->from = midnight(tm->tm_year, tm->tm_mon, tm->tm_mday);
    day->to = midnight(tm->tm_year, tm->tm_mon, tm->tm_mday + 1);
}

int civil_day_of_date(const char *date, struct civil_day *day)
{
    struct tm tm = { 0 }, noon;
    const char *rest = strptime(date, "%Y-%m-%d", &tm);

    if (!rest || *rest != '\0' || strlen(date) != 10)
        return -EINVAL;
    noon = tm;
    noon.tm_hour = 12;
    noon.tm_isdst = -1;
    mktime(&noon);
    if (noon.tm_mday != tm.tm_mday) /* 31 February; a day that a zone skipped */
        return -EINVAL;
    fill(day, &tm);
    return 0;
}

void civil_day_of_time(int64_t wall, struct civil_day *day)
{
    time_t seconds = (time_t)(wall / 1000);
    struct tm tm;

    localtime_r(&seconds, &tm);
    fill(day, &tm);
}

static void hour_add(struct hour *sum, const struct hour *hour)
{
#define HOUR_ADD(name, help) sum->name += hour->name;
    HOUR_COUNTERS(HOUR_ADD)
#undef HOUR_ADD
    sum->similarity_sum += hour->similarity_sum;
    sum->log_distance_sum += hour->log_distance_sum;
    sum->anomaly_ms += hour->anomaly_ms;
    if (hour->similarity_min < sum->similarity_min)
        sum->similarity_min = hour->similarity_min;
}

/* One empty row for each hour that starts in the day. */
static void lay_out(struct daily_report *report)
{
    int64_t first = (report->day.from + HOUR_MS - 1) / HOUR_MS * HOUR_MS;

    report->hour_count = 0;
    for (int64_t start = first; start < report->day.to && report->hour_count < REPORT_HOURS; start += HOUR_MS)
        report->hour[report->hour_count++] = (struct hour){ .start = start, .similarity_min = 101 };
}

void daily_report_make(struct daily_report *report, const struct civil_day *day, const char *machine, const char *asset,
                       const struct hour *hours, size_t count, int64_t now)
{
    int64_t passed = now < day->to ? now - day->from : day->to - day->from;

    memset(report, 0, sizeof(*report));
    report->day = *day;
    snprintf(report->machine, sizeof(report->machine), "%s", machine);
    snprintf(report->asset, sizeof(report->asset), "%s", asset);
    report->hours = (double)(day->to - day->from) / HOUR_MS;
    report->complete = now >= day->to;
    report->total = (struct hour){ .start = day->from, .similarity_min = 101 };
    lay_out(report);
    for (size_t i = 0; i < count; i++) {
        int64_t index = report->hour_count > 0 ? (hours[i].start - report->hour[0].start) / HOUR_MS : -1;

        if (hours[i].start < day->from || hours[i].start >= day->to || index < 0 ||
            index >= (int64_t)report->hour_count)
            continue;
        hour_add(&report->hour[index], &hours[i]);
        hour_add(&report->total, &hours[i]);
    }
    report->anomalies_per_hour = passed > 0 ? report->total.anomalies / ((double)passed / HOUR_MS) : 0;
    report->similarity_mean =
        report->total.detected > 0 ? report->total.similarity_sum / report->total.detected : NAN;
}
