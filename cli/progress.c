#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 30, EVERY_MS = 100, LATER_MS = 300 }; /* what is done at once needs no bar */

static int64_t now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static bool is_terminal(void)
{
    const char *kind = getenv("TERM");

    return isatty(STDERR_FILENO) && kind && strcmp(kind, "dumb") != 0;
}

void progress_clear_line(void)
{
    if (is_terminal())
        fputs("\r\033[K", stderr);
}

void progress_begin(struct progress *progress, const char *what, uint64_t total, bool bytes)
{
    *progress = (struct progress){ .what = what, .total = total, .bytes = bytes, .shown = is_terminal() };
    progress->drawn = now_ms() + LATER_MS - EVERY_MS;
}

static void draw(const struct progress *progress, uint64_t done)
{
    const double unit = progress->bytes ? 1048576 : 1;
    const int decimals = progress->bytes ? 1 : 0;
    char bar[WIDTH + 1];
    size_t filled;

    fprintf(stderr, "\r%s", progress->what);
    if (progress->total > 0) {
        filled = done >= progress->total ? WIDTH : (size_t)(done * WIDTH / progress->total);
        memset(bar, '#', filled);
        memset(bar + filled, '-', WIDTH - filled);
        bar[WIDTH] = '\0';
        fprintf(stderr, " [%s] %.*f of %.*f", bar, decimals, (double)done / unit, decimals,
                (double)progress->total / unit);
    } else {
        fprintf(stderr, " %.*f", decimals, (double)done / unit);
    }
    fprintf(stderr, "%s\033[K", progress->bytes ? " MiB" : "");
    fflush(stderr);
}

void progress_step(struct progress *progress, uint64_t done)
{
    const int64_t now = progress->shown ? now_ms() : 0;

    if (!progress->shown || now - progress->drawn < EVERY_MS)
        return;
    draw(progress, done);
    progress->drawn = now;
}

void progress_hide(struct progress *progress)
{
    if (progress->shown)
        progress_clear_line();
}

void progress_end(struct progress *progress)
{
    progress_hide(progress);
    progress->shown = false;
}
