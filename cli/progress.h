/* A bar on stderr for work that takes long: "import [#########---------] 310 of 1000". Only where stderr is a terminal; it goes away at
 * the end. What is printed meanwhile hides it first; complain() does so by itself. */
#ifndef HABIT_CLI_PROGRESS_H
#define HABIT_CLI_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what;
    uint64_t total; /* 0 = unknown: only counts */
    bool bytes;     /* total and done are bytes, shown as MiB */
    bool shown;     /* stderr is a terminal */
    int64_t drawn;  /* monotonic ms of the last time */
};

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool bytes);

/* So far. Draws ten times a second at the most. */
void progress_step(struct progress *progress, uint64_t done);

/* Until the next step. */
void progress_hide(struct progress *progress);
void progress_end(struct progress *progress);

/* Clears the line that a bar may stand on. */
void progress_clear_line(void);

#endif
