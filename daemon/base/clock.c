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

const char *clock_text(int64_t wall, char text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)(wall / 1000 - (wall % 1000 < 0));
    int rest = (int)(wall % 1000), fraction = rest < 0 ? rest + 1000 : rest;
    struct tm tm;
    size_t length;

    gmtime_r(&seconds, &tm);
    length = (size_t)snprintf(text, CLOCK_TEXT_SIZE, "%04d", tm.tm_year + 1900); /* %Y does not pad */
    length += strftime(text + length, CLOCK_TEXT_SIZE - length, "-%m-%dT%H:%M:%S", &tm);
    snprintf(text + length, CLOCK_TEXT_SIZE - length, ".%03dZ", fraction);
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

/* "2026-11-22T13:19:31", whatever is behind. 60 is the second after 59, for leap seconds. */
static bool read_date_and_time(const char **text, struct tm *tm)
{
    int year, month;

    if (!read_field(text, 4, 0, 9999, '-', &year) || !read_field(text, 2, 1, 12, '-', &month) ||
        !read_field(text, 2, 1, 31, 'T', &tm->tm_mday) || !read_field(text, 2, 0, 23, ':', &tm->tm_hour) ||
        !read_field(text, 2, 0, 59, ':', &tm->tm_min) || !read_field(text, 2, 0, 60, '\0', &tm->tm_sec))
        return false;
    tm->tm_year = year - 1900;
    tm->tm_mon = month - 1;
    return tm->tm_sec < 60 || tm->tm_min == 59;
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

/* timegm makes 3 March of 31 February. */
static bool date_exists(const struct tm *tm)
{
    struct tm date = { .tm_year = tm->tm_year, .tm_mon = tm->tm_mon, .tm_mday = tm->tm_mday };

    timegm(&date);
    return date.tm_mday == tm->tm_mday;
}

int clock_parse(const char *text, int64_t *wall)
{
    struct tm tm = { 0 };
    int fraction, minutes;

    if (!read_date_and_time(&text, &tm) || !read_fraction(&text, &fraction) || !read_offset(text, &minutes) ||
        !date_exists(&tm))
        return -EINVAL;
    *wall = ((int64_t)timegm(&tm) - (int64_t)minutes * 60) * 1000 + fraction;
    return 0;
}
