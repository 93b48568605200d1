#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

static enum log_level threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    threshold = level;
}

void log_line(enum log_level level, const char *format, ...)
{
    static const char *const names[] = { "error", "warning", "notice", "info", "debug" };
    static const int priorities[] = { 3, 4, 5, 6, 7 }; /* syslog's */
    char text[512], when[CLOCK_TEXT_SIZE];
    va_list arguments;

    if (level > threshold)
        return;
    va_start(arguments, format);
    vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    if (getenv("JOURNAL_STREAM"))
        fprintf(stderr, "<%d>%s\n", priorities[level], text);
    else
        fprintf(stderr, "%s %s: %s\n", clock_text(clock_now().wall, when), names[level], text);
}

int log_gate_pass(struct log_gate *gate, int64_t mono, uint64_t *suppressed)
{
    if (mono < gate->open_at) {
        gate->suppressed++;
        return 0;
    }
    *suppressed = gate->suppressed;
    gate->suppressed = 0;
    gate->open_at = mono + 60000;
    return 1;
}
