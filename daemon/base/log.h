/* Lines on stderr. Where stderr is the journal, they go there with fields, else with a time and the level before them. Only doors, app
 * and main log; the others return. Control characters in arguments are the caller's to keep out: print IDs only after
 * machine_id_valid. */
#ifndef HABIT_BASE_LOG_H
#define HABIT_BASE_LOG_H

#include <stdint.h>

enum log_level { LOG_ERROR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG };

/* What others may wait for in the journal: MESSAGE_ID of its lines, which never changes, and what it means. docs/running.md has the
 * same table. */
#define LOG_MESSAGES(X)                                                                                    \
    X(STARTED, "89b36461d10e45fe892ffbf029347514", "habitd answers")                                       \
    X(STOPPING, "33b5bd8b14ba4836965b61b33ed38304", "habitd stops")                                        \
    X(RAISED, "d9164e73cc464439a8532fb5d7b1a4ee", "an anomaly was raised")                                 \
    X(WORSENED, "f3626b8681564aa2bead4ce7ce7e5b3b", "an anomaly became worse")                             \
    X(CLEARED, "96b738bc8bf344a489995db453198033", "an anomaly is over, or was accepted")                  \
    X(TROUBLE, "c2b3f695b6c24bdf91368f1fc63d3208", "a trouble of a machine or its sensor began, or ended") \
    X(DEGRADED, "fa58184d9fcb458aafed6af3757333d0", "something degrades habitd")                           \
    X(RECOVERED, "8ef25edfa2e947cb873d4882fb560f26", "and does not any more")

enum log_message {
    MESSAGE_NONE,
#define LOG_ENUM(name, id, meaning) MESSAGE_##name,
    LOG_MESSAGES(LOG_ENUM)
#undef LOG_ENUM
};

/* Beside the text, in the journal: MESSAGE_ID, MACHINE, REASON (anomaly event, trouble, or what degrades), ANOMALY. What is 0, NULL or
 * "" is left out. */
struct log_fields {
    enum log_message message;
    const char *machine, *reason;
    int64_t anomaly;
};

/* Lines above this level are not written; default LOG_INFO. */
void log_set_level(enum log_level level);

void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
void log_with(enum log_level level, const struct log_fields *fields, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

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
