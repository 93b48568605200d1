#include "bands.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kinds.h"

enum { LEARNED = 20, TONES = 120 };

#define STRONG 30.0 /* times the noise */

static void insert(struct bands *bands, double from, double to)
{
    unsigned int at = bands->count;

    for (unsigned int b = 0; b < bands->count; b++)
        if (bands->from[b] == from)
            return;
    if (bands->count == MOST_BANDS)
        return;
    for (; at > 0 && bands->from[at - 1] > from; at--) {
        bands->from[at] = bands->from[at - 1];
        bands->to[at] = bands->to[at - 1];
    }
    bands->from[at] = from;
    bands->to[at] = to;
    bands->count++;
}

static void collect(struct bands *bands, const struct habit_result *result)
{
    for (unsigned int r = 0; r < result->reasons; r++) {
        const struct habit_reason *reason = &result->reason[r];

        if (reason->kind == HABIT_KIND_BAND)
            insert(bands, (double)reason->from, (double)reason->to);
    }
}

/* Between two bands there is one bin, as there is below the first one; the last ends at half the sampling rate. */
static bool gapless(const struct bands *bands, double sampling_hz)
{
    const double bin = bands->count > 0 ? bands->from[0] : 0;

    for (unsigned int b = 1; b < bands->count; b++)
        if (fabs(bands->from[b] - bands->to[b - 1] - bin) > 0.01 * bin)
            return false;
    return bands->count > 0 && fabs(bands->to[bands->count - 1] - sampling_hz / 2) < 0.01 * bin;
}

void bands_find(struct bands *bands, unsigned int samples, double sampling_hz)
{
    struct chance chance = { samples };
    struct signal noise;
    struct machine machine;

    bands->count = 0;
    kind_draw_sized(KIND_WHITE, &noise, samples, 1, &chance);
    machine_init(&machine, &noise, sampling_hz);
    machine_learn_from(&machine, &noise, LEARNED);
    noise.axis[0].tones = 1;
    for (int t = 0; t <= TONES; t++) {
        struct habit_result result;

        noise.axis[0].tone[0] = (struct tone){ .frequency = pow(samples / 2.0, (double)t / TONES) / samples,
                                               .amplitude = STRONG * noise.axis[0].noise };
        result = machine_detect_from(&machine, &noise);
        collect(bands, &result);
    }
    machine_deinit(&machine);
    if (!gapless(bands, sampling_hz)) {
        (void)fprintf(stderr, "%u samples: the reasons do not tell all bands\n", samples);
        exit(2);
    }
}

unsigned int bands_of_frequency(const struct bands *bands, double hz)
{
    unsigned int b = 0;

    while (b + 1 < bands->count && hz > 0.5 * (bands->to[b] + bands->from[b + 1]))
        b++;
    return b;
}

unsigned int bands_of_reason(const struct bands *bands, const struct habit_reason *reason)
{
    return bands_of_frequency(bands, 0.5 * (double)(reason->from + reason->to));
}
