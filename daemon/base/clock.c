#include "base/clock.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static int64_t milliseconds(clockid_t id)
{
    struct timespec time;

    clock_gettime(id, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct moment clock_now(void)
{
    return (struct moment){ .wall = milliseconds(CLOCK_REALTIME), .mono = milliseconds(CLOCK_BOOTTIME) };
}

const char *clock_text(int64_t wall, char text[CLOCK_TEXT_SIZE])
{
    time_t seconds = (time_t)((wall >= 0 ? wall : wall - 999) / 1000);
    int fraction = (int)(wall - (int64_t)seconds * 1000);
    struct tm tm;
    size_t length;

    gmtime_r(&seconds, &tm);
    length = strftime(text, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + length, CLOCK_TEXT_SIZE - length, ".%03dZ", fraction);
    return text;
}

/* ".25" -> 250; leaves *text behind the digits. */
static int64_t parse_fraction(const char **text)
{
    int64_t value = 0, unit = 100;

    if (**text != '.')
        return 0;
    for (++*text; **text >= '0' && **text <= '9'; ++*text, unit /= 10)
        value += (**text - '0') * unit;
    return value;
}

/* "Z", "+01:00", "-05:30" -> minutes east of UTC. */
static bool parse_offset(const char *text, int *minutes)
{
    int hours, rest, used = 0;

    *minutes = 0;
    if (strcmp(text, "Z") == 0 || strcmp(text, "z") == 0)
        return true;
    if ((*text != '+' && *text != '-') || sscanf(text + 1, "%2d:%2d%n", &hours, &rest, &used) != 2 ||
        text[1 + used] != '\0' || used != 5 || hours > 23 || rest > 59)
        return false;
    *minutes = (hours * 60 + rest) * (*text == '-' ? -1 : 1);
    return true;
}

int clock_parse(const char *text, int64_t *wall)
{
    struct tm tm = { 0 }, check;
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
    int64_t fraction;
    int minutes, day;
    time_t seconds;

    if (!rest || strlen(text) > 40)
        return -EINVAL;
    fraction = parse_fraction(&rest);
    if (!parse_offset(rest, &minutes))
        return -EINVAL;
    day = tm.tm_mday; /* timegm makes 3 March of 31 February, in tm too */
    seconds = timegm(&tm);
    gmtime_r(&seconds, &check);
    if (check.tm_mday != day)
        return -EINVAL;
    *wall = ((int64_t)seconds - minutes * 60) * 1000 + fraction;
    return 0;
}
