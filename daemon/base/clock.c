#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

#include "base/trust.h"

/* Tests run days in seconds: the file that HABIT_TEST_CLOCK names holds the ms by which both clocks are ahead. */
static int test_clock = -1;

static void __attribute__((constructor)) open_test_clock(void)
{
    const char *path = getenv("HABIT_TEST_CLOCK");

    if (path)
        test_clock = open(path, O_RDONLY | O_CLOEXEC);
}

static int64_t test_ahead(void)
{
    char text[24] = "";

    if (test_clock < 0 || pread(test_clock, text, sizeof(text) - 1, 0) <= 0)
        return 0;
    return strtoll(text, NULL, 10);
}

static int64_t milliseconds(clockid_t id)
{
    struct timespec time;

    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000 + test_ahead();
}

int clock_synchronised(void)
{
    struct timex timex = { .modes = 0 };
    int state = adjtimex(&timex);

    if (state < 0)
        return -1;
    return state != TIME_ERROR && !(timex.status & STA_UNSYNC);
}

/* One clock for all threads. */
static struct {
    pthread_mutex_t lock;
    struct clock_trust trust;
    int64_t asked; /* mono ms: the kernel was asked last */
    bool synchronised;
} ours = { .lock = PTHREAD_MUTEX_INITIALIZER };

enum { ASK_MS = 1000 };

static void ask_kernel(int64_t mono)
{
    if (ours.asked != 0 && mono - ours.asked < ASK_MS)
        return;
    ours.synchronised = clock_synchronised() == 1;
    ours.asked = mono;
}

struct moment clock_now(void)
{
    int64_t wall = milliseconds(CLOCK_REALTIME), mono = milliseconds(CLOCK_BOOTTIME);
    struct moment now;

    pthread_mutex_lock(&ours.lock);
    if (ours.trust.doubtful || llabs(wall - mono - ours.trust.ahead) > TRUST_STEP_MS)
        ask_kernel(mono);
    now = clock_trust_apply(&ours.trust, wall, mono, ours.synchronised);
    pthread_mutex_unlock(&ours.lock);
    return now;
}

void clock_begin(int64_t passed)
{
    int64_t wall = milliseconds(CLOCK_REALTIME), mono = milliseconds(CLOCK_BOOTTIME);

    pthread_mutex_lock(&ours.lock);
    clock_trust_begin(&ours.trust, passed, wall, mono);
    pthread_mutex_unlock(&ours.lock);
}

int64_t clock_ticks(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

int64_t clock_awake(void)
{
    return clock_ticks() / 1000000;
}

/* ---------------------------------------------------------------------------------------------------------- calendar */

int64_t clock_floor(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

/* Years are counted from March here: then the day that comes every four years is the last of one. */
enum { EPOCH = 719468 /* days from 1 March of the year 0 to 1970-01-01 */ };

static int64_t days_before_year(int64_t year)
{
    return 365 * year + clock_floor(year, 4) - clock_floor(year, 100) + clock_floor(year, 400);
}

/* March has 31 days, April 30, May 31, ...: five months have 153. */
static int days_before_month(int month)
{
    return (153 * month + 2) / 5;
}

int64_t clock_days(const struct date *date)
{
    int64_t year = date->year - (date->month < 3);

    return days_before_year(year) + days_before_month((date->month + 9) % 12) + date->day - 1 - EPOCH;
}

struct date clock_date(int64_t days)
{
    int64_t year = clock_floor((days + EPOCH) * 400, 146097) + 1; /* 400 years have 146,097 days */
    int rest, month = 11;

    while (days_before_year(year) > days + EPOCH)
        year--;
    rest = (int)(days + EPOCH - days_before_year(year));
    while (days_before_month(month) > rest)
        month--;
    return (struct date){ .year = year + (month > 9),
                          .month = (month + 2) % 12 + 1,
                          .day = rest - days_before_month(month) + 1 };
}

const char *clock_text(int64_t wall, char text[CLOCK_TEXT_SIZE])
{
    const int64_t day_ms = 86400000;
    const struct date date = clock_date(clock_floor(wall, day_ms));
    const int rest = (int)((wall % day_ms + day_ms) % day_ms), seconds = rest / 1000;

    snprintf(text, CLOCK_TEXT_SIZE, "%04lld-%02d-%02dT%02d:%02d:%02d.%03dZ", (long long)date.year, date.month, date.day,
             seconds / 3600, seconds / 60 % 60, seconds % 60, rest % 1000);
    return text;
}

/* Exactly `count` digits at *text, which then stands behind them; -1 where there are others. */
static int read_digits(const char **text, int count)
{
    int value = 0;

    for (; count > 0; count--, ++*text) {
        if (**text < '0' || **text > '9')
            return -1;
        value = value * 10 + (**text - '0');
    }
    return value;
}

/* A number of `count` digits in low..high, with the character after it; '\0': whatever comes. */
static bool read_field(const char **text, int count, int low, int high, char after, int *value)
{
    *value = read_digits(text, count);
    if (*value < low || *value > high)
        return false;
    if (after == '\0')
        return true;
    return *(*text)++ == after;
}

/* "2026-11-22T", whatever is behind -> days since 1970. */
static bool read_date(const char **text, int64_t *days)
{
    struct date date, real;
    int year;

    if (!read_field(text, 4, 0, 9999, '-', &year) || !read_field(text, 2, 1, 12, '-', &date.month) ||
        !read_field(text, 2, 1, 31, 'T', &date.day))
        return false;
    date.year = year;
    *days = clock_days(&date);
    real = clock_date(*days); /* 31 February would be 3 March */
    return real.month == date.month;
}

/* "13:19:31", whatever is behind. 60 is the second after 59, for leap seconds. */
static bool read_time(const char **text, int *seconds)
{
    int hour, minute, second;

    if (!read_field(text, 2, 0, 23, ':', &hour) || !read_field(text, 2, 0, 59, ':', &minute) ||
        !read_field(text, 2, 0, 60, '\0', &second))
        return false;
    *seconds = (hour * 60 + minute) * 60 + second;
    return second < 60 || minute == 59;
}

/* ".25" -> 250; finer digits are left out. Nothing -> 0. */
static bool read_fraction(const char **text, int *fraction)
{
    int unit = 100;

    *fraction = 0;
    if (**text != '.')
        return true;
    if ((*text)[1] < '0' || (*text)[1] > '9')
        return false;
    for (++*text; **text >= '0' && **text <= '9'; ++*text, unit /= 10)
        *fraction += (**text - '0') * unit;
    return true;
}

/* "Z", "+01:00", "-05:30" up to the end -> minutes east of UTC. */
static bool read_offset(const char *text, int *minutes)
{
    int sign = *text == '-' ? -1 : 1, hours, rest;

    *minutes = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if (*text != '+' && *text != '-')
        return false;
    text++;
    if (!read_field(&text, 2, 0, 23, ':', &hours) || !read_field(&text, 2, 0, 59, '\0', &rest) || *text != '\0')
        return false;
    *minutes = sign * (hours * 60 + rest);
    return true;
}

int clock_parse(const char *text, int64_t *wall)
{
    int seconds, fraction, minutes;
    int64_t days, read;

    if (!read_date(&text, &days) || !read_time(&text, &seconds) || !read_fraction(&text, &fraction) ||
        !read_offset(text, &minutes))
        return -EINVAL;
    read = (days * 86400 + seconds - minutes * 60) * 1000 + fraction;
    if (read < CLOCK_FIRST || read > CLOCK_LAST) /* in another zone its year has four digits */
        return -EINVAL;
    *wall = read;
    return 0;
}
