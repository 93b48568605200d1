/* Wrong tokens by address: FAILURES_FREE at once, then one in FAILURES_MS. It keeps the log, the audit and our work small; it does
 * not keep a right token out, so that nobody can lock out others who come from the same address. Pure. */
#ifndef HABIT_ACCESS_FAILURES_H
#define HABIT_ACCESS_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

enum { FAILURES_FREE = 10, FAILURES_MS = 6000 };

struct failures {
    struct {
        uint64_t address; /* 0 = free */
        int64_t full_at;  /* mono ms: when all FAILURES_FREE are there again */
        bool limited;     /* beyond the limit since it last had any left */
    } rows[LIMIT_FAILURES];
};

/* Counts one. Returns 0 where it is within the limit, else how many seconds to wait for the next. *first: it went beyond just now. */
int failures_add(struct failures *failures, uint64_t address, int64_t mono, bool *first);

#endif
