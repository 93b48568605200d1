/* Whether the system's clock can be believed. Pure: what the clocks show comes in as arguments.
 *
 * A gateway without a battery starts in 1970; a wrong time server, or a hand, moves the clock by days. Days that are over are
 * reported once, so such a time must not be taken at once. Until somebody confirms it, the old time is carried on by the clock
 * that nobody sets, and marked as doubtful. */
#ifndef HABIT_BASE_TRUST_H
#define HABIT_BASE_TRUST_H

#include "base/clock.h"

enum {
    TRUST_STEP_MS = 3 * 3600000, /* a smaller step is a correction */
    TRUST_STAY_MS = 3600000      /* a larger one is believed when the clock has gone on from there for so long */
};

struct clock_trust {
    bool begun;
    bool doubtful;
    int64_t ahead;        /* of the time in force over mono */
    int64_t other, since; /* of what the system's clock shows instead, since mono `since` */
};

/* The store knows a time that has passed: a system's clock that shows less, or 400 days more, is not believed at once. 0 = it does
 * not know any. */
void clock_trust_begin(struct clock_trust *trust, int64_t passed, int64_t wall, int64_t mono);

/* The time in force. synchronised: the kernel says that a time server keeps the clock. */
struct moment clock_trust_apply(struct clock_trust *trust, int64_t wall, int64_t mono, bool synchronised);

#endif
