#include "strategy/stream.h"

#include <math.h>
#include <string.h>

/* Times in whole milliseconds are off by up to one at either end. */
#define ROUNDING_MS 2.0
/* Networks hold messages back, and let several go at once. */
#define ARRIVAL_MS 1000.0

static double length_ms(size_t samples, float sampling_hz)
{
    return sampling_hz > 0 ? 1000.0 * (double)samples / (double)sampling_hz : 0;
}

/* How long a pause may be. */
static double patience(bool timed, double shorter, uint64_t gap, float sampling_hz)
{
    if (gap > 0)
        return (double)gap;
    if (!(sampling_hz > 0))
        return INFINITY;
    return timed ? fmax(ROUNDING_MS, shorter / 2) : ARRIVAL_MS;
}

/* Whether the times leave room for something between the two. A sender may stamp the first sample of a message or its last: the
 * longer one of both is what may lie between their times. */
static bool pauses(const struct stream_message *last, const struct stream_message *next, uint64_t gap,
                   float sampling_hz)
{
    bool timed = last->timed && next->timed;
    double passed = (double)(timed ? next->measured - last->measured : next->came - last->came);
    double one = length_ms(last->samples, sampling_hz), other = length_ms(next->samples, sampling_hz);
    double most = patience(timed, fmin(one, other), gap, sampling_hz);

    return passed - fmax(one, other) > most || (timed && passed < -most);
}

enum stream_break stream_follows(const struct stream_message *last, const struct stream_message *next, uint64_t gap,
                                 float sampling_hz)
{
    bool numbered = last->numbered && next->numbered;

    if (strcmp(last->source, next->source) != 0 || strcmp(last->boot, next->boot) != 0 ||
        last->numbered != next->numbered)
        return STREAM_OTHER;
    if (numbered && next->seq != last->seq + 1)
        return STREAM_NUMBER;
    if ((!numbered || gap > 0) && pauses(last, next, gap, sampling_hz))
        return STREAM_PAUSE;
    return STREAM_FOLLOWS;
}

const char *stream_break_text(enum stream_break reason)
{
    static const char *const texts[STREAM_BREAKS] = {
        [STREAM_FOLLOWS] = "nothing is missing",
        [STREAM_OTHER] = "another source, or boot, goes on with it",
        [STREAM_NUMBER] = "the number of a message is not the next one",
        [STREAM_PAUSE] = "the time between two messages is longer than what they hold",
    };

    return texts[reason];
}
