#include "report/days.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { DAY_SECONDS = 86400, QUARTER = 900, FARTHEST = 16 * 3600 };

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
    return clock_floor(seconds + offset_at(seconds), DAY_SECONDS);
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
    const struct date written = clock_date(date);

    if (snprintf(day->date, sizeof(day->date), "%04lld-%02d-%02d", (long long)written.year, written.month,
                 written.day) >= (int)sizeof(day->date))
        day->date[0] = '\0'; /* year 10000 */
    day->from = first_second(date) * 1000;
    day->to = first_second(date + 1) * 1000;
}

static int digits(const char *text, size_t count)
{
    int number = 0;

    while (count-- > 0)
        number = number * 10 + (*text++ - '0');
    return number;
}

/* "2026-11-22" -> number of days; false where there is no such date. */
static bool read_date(const char *text, int64_t *date)
{
    static const char form[] = "0000-00-00";
    struct date written, real;

    if (strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '0' ? text[i] < '0' || text[i] > '9' : text[i] != form[i])
            return false;
    written = (struct date){ .year = digits(text, 4), .month = digits(text + 5, 2), .day = digits(text + 8, 2) };
    *date = clock_days(&written);
    real = clock_date(*date);
    return real.month == written.month && real.day == written.day; /* 31 February became 3 March */
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
    int64_t seconds = clock_floor(wall, 1000), date;

    tzset();
    date = local_date(seconds);
    if (first_second(date + 1) <= seconds) /* the clock went back over midnight: the next day had begun */
        date++;
    fill(day, date);
}

/* Nearly all zones have their midnights at whole hours of UTC: then no hour has two rows. */
static bool may_be_split(int64_t hour)
{
    return offset_at(hour) % 3600 != 0 || offset_at(hour + 3600) % 3600 != 0;
}

int64_t civil_hour_start(int64_t wall)
{
    int64_t seconds = clock_floor(wall, 1000), hour = clock_floor(seconds, 3600) * 3600;
    struct civil_day day;

    if (may_be_split(hour)) {
        civil_day_of_time(wall, &day);
        if (day.from > hour * 1000)
            return day.from;
    }
    return hour * 1000;
}

void civil_day_after(int64_t end, const char *date, struct civil_day *day)
{
    civil_day_of_time(end, day);
    while (strcmp(day->date, date) <= 0) /* the zone was changed to one farther west: this date had its report */
        civil_day_of_time(day->to, day);
    day->from = end;
}

/* Minutes since midnight by the local clock. */
static int64_t local_minute(int64_t seconds)
{
    int64_t local = seconds + offset_at(seconds);

    return (local - clock_floor(local, DAY_SECONDS) * DAY_SECONDS) / 60;
}

int64_t civil_time_of_day(const struct civil_day *day, uint32_t minutes)
{
    int64_t first = clock_floor(day->from, 1000), last = clock_floor(day->to, 1000), moment = first;

    tzset();
    while (moment < last && local_minute(moment) < (int64_t)minutes)
        moment += 60;
    return moment * 1000;
}
