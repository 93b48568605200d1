#include "base/trust.h"

#include <stdlib.h>

static const int64_t longest_ms = INT64_C(400) * 86400000;

static void believe(struct clock_trust *trust, int64_t ahead, int64_t mono)
{
    trust->ahead = trust->other = ahead;
    trust->since = mono;
    trust->doubtful = ahead + mono < CLOCK_EARLIEST;
}

void clock_trust_begin(struct clock_trust *trust, int64_t passed, int64_t wall, int64_t mono)
{
    trust->begun = true;
    believe(trust, wall - mono, mono);
    if (passed != 0 && (wall < passed - TRUST_STEP_MS || wall > passed + longest_ms)) {
        trust->ahead = passed - mono;
        trust->doubtful = true;
    }
}

/* The system's clock shows something else than the time in force, by more than a correction. */
static void consider(struct clock_trust *trust, int64_t ahead, int64_t mono, bool synchronised)
{
    bool possible = ahead + mono >= CLOCK_EARLIEST;
    bool better = trust->ahead + mono < CLOCK_EARLIEST; /* than what is in force, which is 1970 */

    trust->doubtful = true;
    if (llabs(ahead - trust->other) > TRUST_STEP_MS) {
        trust->other = ahead;
        trust->since = mono;
    }
    if (possible && (synchronised || better || mono - trust->since >= TRUST_STAY_MS))
        believe(trust, ahead, mono);
}

struct moment clock_trust_apply(struct clock_trust *trust, int64_t wall, int64_t mono, bool synchronised)
{
    int64_t ahead = wall - mono;

    if (!trust->begun)
        clock_trust_begin(trust, 0, wall, mono);
    if (llabs(ahead - trust->ahead) <= TRUST_STEP_MS)
        believe(trust, ahead, mono);
    else
        consider(trust, ahead, mono, synchronised);
    return (struct moment){ .wall = trust->ahead + mono, .mono = mono, .doubtful = trust->doubtful };
}
