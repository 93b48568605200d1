#include "report/daily.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { DAY_SECONDS = 86400, QUARTER = 900, FARTHEST = 16 * 3600 };

static int64_t floor_division(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Seconds east of UTC. */
static int64_t offset_at(int64_t seconds)
{
    time_t moment = (time_t)seconds;
    struct tm tm;

    localtime_r(&moment, &tm);
    return tm.tm_gmtoff;
}

/* The local date of a moment, as a number of days. */
static int64_t local_date(int64_t seconds)
{
    return floor_division(seconds + offset_at(seconds), DAY_SECONDS);
}

/* The first second whose date is this one or a later one: midnight, or what comes after a midnight that the zone skipped.
 * Where the clock goes back over midnight (St John's until 2011) the day has begun and stays. So days lie end to end, and a
 * date that a zone left out has no length. mktime would choose one of two midnights by what it was asked before.
 * No zone is farther than 16 h from UTC; all change their clocks, and have their midnights, at quarters of UTC's hours. */
static int64_t first_second(int64_t date)
{
    int64_t last = date * DAY_SECONDS - FARTHEST, first = last, offset = offset_at(first);

    if (offset == offset_at(date * DAY_SECONDS + FARTHEST)) /* nothing changes: nearly always */
        return date * DAY_SECONDS - offset;
    while (local_date(first) < date) {
        last = first;
        first += QUARTER;
    }
    while (first - last > 1) { /* but older zones had odd seconds */
        int64_t middle = last + (first - last) / 2;

        if (local_date(middle) < date)
            last = middle;
        else
            first = middle;
    }
    return first;
}

static void fill(struct civil_day *day, int64_t date)
{
    time_t noon = (time_t)(date * DAY_SECONDS + DAY_SECONDS / 2);
    struct tm tm;

    gmtime_r(&noon, &tm);
    if (strftime(day->date, sizeof(day->date), "%Y-%m-%d", &tm) == 0)
        day->date[0] = '\0'; /* year 10000 */
    day->from = first_second(date) * 1000;
    day->to = first_second(date + 1) * 1000;
}

/* "2026-11-22" -> number of days; false where there is no such date. */
static int digits(const char *text, size_t count)
{
    int number = 0;

    while (count-- > 0)
        number = number * 10 + (*text++ - '0');
    return number;
}

static bool read_date(const char *text, int64_t *date)
{
    static const char form[] = "0000-00-00";
    struct tm tm = { 0 };
    int month, day;

    if (strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    month = digits(text + 5, 2);
    day = digits(text + 8, 2);
    tm.tm_year = digits(text, 4) - 1900;
    tm.tm_mon = month - 1;
    tm.tm_mday = day;
    *date = floor_division(timegm(&tm), DAY_SECONDS);
    return tm.tm_mon == month - 1 && tm.tm_mday == day; /* 31 February became 3 March */
}

int civil_day_of_date(const char *date, struct civil_day *day)
{
    struct civil_day found;
    int64_t number;

    tzset();
    if (!read_date(date, &number))
        return -EINVAL;
    fill(&found, number);
    if (found.from == found.to) /* the zone left it out */
        return -EINVAL;
    *day = found;
    return 0;
}

void civil_day_of_time(int64_t wall, struct civil_day *day)
{
    int64_t seconds = floor_division(wall, 1000), date;

    tzset();
    date = local_date(seconds);
    if (first_second(date + 1) <= seconds) /* the clock went back over midnight: the next day had begun */
        date++;
    fill(day, date);
}

/* One empty row for each hour that starts in the day. */
static void lay_out(struct daily_report *report)
{
    int64_t first = floor_division(report->day.from + HOUR_MS - 1, HOUR_MS) * HOUR_MS;

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
    report->similarity_mean = report->total.detected > 0 ? report->total.similarity_sum / report->total.detected : NAN;
}
