/* Lines on stderr, with the journal's <N> prefixes when stderr is the journal. Only doors, app and main log; the others
 * return. Control characters in arguments are the caller's to keep out: print IDs only after machine_id_valid. */
#ifndef HABIT_BASE_LOG_H
#define HABIT_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* Lines above this level are not written; default LOG_INFO. */
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define log_error(...)   log_line(LOG_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_WARNING, __VA_ARGS__)
#define log_notice(...)  log_line(LOG_NOTICE, __VA_ARGS__)
#define log_info(...)    log_line(LOG_INFO, __VA_ARGS__)
#define log_debug(...)   log_line(LOG_DEBUG, __VA_ARGS__)

/* At most one line a minute for each of these. */
struct log_gate {
    int64_t open_at;     /* monotonic ms */
    uint64_t suppressed; /* since the last line */
};

/* Whether a line may be written at `mono` now; *suppressed is how many were not since the last one. One thread a gate. */
int log_gate_pass(struct log_gate *gate, int64_t mono, uint64_t *suppressed);

#endif
