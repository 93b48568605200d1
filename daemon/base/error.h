/* Two kinds of failure.
 *
 * Negative (-errno) means broken: nobody inspects it, it goes up unchanged; fault() notes the first place it was seen.
 * A refusal means expected: somebody asked for something that cannot be done. It says what, where and what to do, and every
 * door translates it through the same table. */
#ifndef HABIT_BASE_ERROR_H
#define HABIT_BASE_ERROR_H

#include <stdint.h>

/* Notes file and line of a broken call on this thread, passes r on. */
#define fault(r) fault_at((r), __FILE__, __LINE__)
int fault_at(int r, const char *file, int line);

/* The place that fault() noted last on this thread, "store/writer.c:120"; "" if none. */
const char *fault_place(void);

/* name, HTTP status, stable type, title. The type is part of the contract: problem types, drop counters and logs use it. */
#define REFUSALS(X)                                                          \
    X(SYNTAX, 400, "syntax", "not well formed")                              \
    X(NOT_FINITE, 400, "not-finite", "a number is not finite or too large")  \
    X(MACHINE_ID, 400, "machine-id", "not a machine ID")                     \
    X(REQUEST, 400, "request", "not a valid request")                        \
    X(UNAUTHORIZED, 401, "unauthorized", "a token is required")              \
    X(CREDENTIALS, 401, "credentials", "not a token, or not any more")       \
    X(FORBIDDEN, 403, "forbidden", "this token may not do that")             \
    X(CERTIFICATE, 403, "certificate", "a client certificate is required")   \
    X(ORIGIN, 403, "origin", "a web page from elsewhere")                    \
    X(NO_ROUTE, 404, "no-route", "no such route")                            \
    X(NO_MACHINE, 404, "no-machine", "no such machine")                      \
    X(NOT_FOUND, 404, "not-found", "no such thing")                          \
    X(METHOD, 405, "method", "this route has other methods")                 \
    X(NOT_ACCEPTABLE, 406, "not-acceptable", "no such representation")       \
    X(GEOMETRY, 409, "geometry", "not the geometry of the knowledge")        \
    X(STATE, 409, "state", "not in this state")                              \
    X(DRIFT, 409, "drift", "beyond the drift budget")                        \
    X(PRECONDITION, 412, "precondition", "changed meanwhile")                \
    X(TOO_LARGE, 413, "too-large", "larger than the limit")                  \
    X(MEDIA_TYPE, 415, "media-type", "content type not known here")          \
    X(HOST, 421, "host", "not a name of this host")                          \
    X(LENGTH, 422, "length", "not the length of a buffer")                   \
    X(RANGE, 422, "range", "outside its range")                              \
    X(UNKNOWN_FIELD, 422, "unknown-field", "no such field")                  \
    X(CONSTANT, 422, "constant", "all axes are constant")                    \
    X(KNOWLEDGE, 422, "knowledge", "not a knowledge block of this machine")  \
    X(GAP, 422, "gap", "a part of a stream is missing")                      \
    X(RETAINED, 422, "retained", "a retained message is not a fresh buffer") \
    X(LIMIT, 429, "limit", "a bound is reached")                             \
    X(ATTEMPTS, 429, "attempts", "too many wrong tokens")                    \
    X(STORE, 503, "store", "the store cannot commit")                        \
    X(DISK, 507, "disk", "the disk is full")                                 \
    X(DAMAGED, 500, "damaged", "the database is damaged")                    \
    X(BROKEN, 500, "broken", "habitd failed")

enum refusal_code {
    REFUSAL_NONE,
#define REFUSAL_ENUM(name, status, type, title) REFUSAL_##name,
    REFUSALS(REFUSAL_ENUM)
#undef REFUSAL_ENUM
        REFUSAL_CODES
};

struct refusal_kind {
    int status;        /* HTTP */
    const char *type;  /* stable */
    const char *title; /* for people */
};

/* Row of the table above; code in 1 .. REFUSAL_CODES - 1. */
const struct refusal_kind *refusal_kind(enum refusal_code code);

struct refusal {
    enum refusal_code code;
    char field[48];   /* what it is about: "data", "axes", "sensitivity"; "" = the whole */
    char detail[240]; /* what is wrong and what to do, one sentence */
    int64_t limit;    /* the bound that was passed; -1 = none */
};

/* Fills refusal (may be NULL) and returns code, a positive number, so that callers can write
 * `return refuse(refusal, REFUSAL_LENGTH, "data", "%zu values, ...", n);` */
int refuse(struct refusal *refusal, enum refusal_code code, const char *field, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The same with the bound that was passed. */
int refuse_limit(struct refusal *refusal, enum refusal_code code, const char *field, int64_t limit, const char *format,
                 ...) __attribute__((format(printf, 5, 6)));

/* What a caller answers when r < 0: DAMAGED for -EUCLEAN, which only the store's file gives, else BROKEN with the place, details stay
 * in the log. Returns which. */
int refuse_fault(struct refusal *refusal, int r);

#endif
