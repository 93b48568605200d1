/* Time comes in as an argument everywhere else; only doors and main read the clock. */
#ifndef HABIT_BASE_CLOCK_H
#define HABIT_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct moment {
    int64_t wall;  /* ms since 1970-01-01 UTC: for labels, hours and days; may jump */
    int64_t mono;  /* ms since some start: for intervals; never goes back */
    bool doubtful; /* wall is a guess: the system's clock is not set, or has jumped and nobody has confirmed it */
};

/* No clock that is right shows less: 2026-01-01. One without a battery begins in 1970. */
#define CLOCK_EARLIEST INT64_C(1767225600000)

/* What RFC 3339 can write, with its years of four digits, and so all that is read: 0000-01-01T00:00:00.000Z .. 9999-12-31T23:59:59.999Z. */
#define CLOCK_FIRST INT64_C(-62167219200000)
#define CLOCK_LAST  INT64_C(253402300799999)

/* The time in force, see base/trust.h. */
struct moment clock_now(void);

/* ns since some start, to measure how long something takes. */
int64_t clock_ticks(void);

/* The same in ms: for deadlines of our own work and of those who wait for it. It stands still while the system sleeps, so that nobody is
 * late for that; and it is not ahead in tests, where days pass between two requests. */
int64_t clock_awake(void);

/* Whether the kernel's clock is disciplined: 1, 0, or -1 where a sandbox forbids to ask. */
int clock_synchronised(void);
/* The store knows a time that has passed, wall ms; once, before the doors open. */
void clock_begin(int64_t passed);

/* a / b rounded down, for b > 0: times before 1970 are negative. */
int64_t clock_floor(int64_t a, int64_t b);

/* A date of the Gregorian calendar, and how many days it is after 1970-01-01: both ways for any year, whatever time_t holds. A day that
 * its month does not have is one of the next. */
struct date {
    int64_t year;
    int month, day; /* 1..12, 1..31 */
};
int64_t clock_days(const struct date *date);
struct date clock_date(int64_t days);

/* "2026-11-22T13:19:31.250Z"; any int64_t fits. */
enum { CLOCK_TEXT_SIZE = 32 };
const char *clock_text(int64_t wall, char text[CLOCK_TEXT_SIZE]);

/* Reads RFC 3339 ("2026-11-22T13:19:31Z"; fraction and offset allowed, finer than ms is cut off, a leap second is the one after).
 * Returns 0, or -EINVAL with *wall as it was. */
int clock_parse(const char *text, int64_t *wall);

#endif
