/* The first buffers of a machine are kept until they can be compared with each other: one that was recorded while somebody
 * knocked at the sensor would otherwise be half of the first model. */
#include "call.h"

#include <string.h>

#include "maths.h"

#define FAR_OFF    3.0f  /* times the median score: an outlier */
#define LARGEST    20.0f /* deviation of one feature that counts */
#define NORMAL_MAD 1.4826f

enum { MOST_OUTLIERS = 2 };

static void sort(float values[HABIT_START])
{
    for (uint32_t i = 1; i < HABIT_START; i++) {
        const float value = values[i];
        uint32_t at = i;

        for (; at > 0 && values[at - 1] > value; at--)
            values[at] = values[at - 1];
        values[at] = value;
    }
}

static float median(const float values[HABIT_START])
{
    float sorted[HABIT_START];

    memcpy(sorted, values, sizeof(sorted));
    sort(sorted);
    return 0.5f * (sorted[HABIT_START / 2 - 1] + sorted[HABIT_START / 2]);
}

/* Adds each buffer's squared deviation in one feature to its score. */
static void add_deviations(float score[HABIT_START], const float *feature, uint32_t step, float floor)
{
    float value[HABIT_START], deviation[HABIT_START];
    float middle, unit;

    for (uint32_t i = 0; i < HABIT_START; i++)
        value[i] = feature[i * step];
    middle = median(value);
    for (uint32_t i = 0; i < HABIT_START; i++)
        deviation[i] = fabsf(value[i] - middle);
    unit = NORMAL_MAD * median(deviation) + floor;
    for (uint32_t i = 0; i < HABIT_START; i++) {
        const float z = habit_without_dust(habit_smaller(deviation[i] / unit, LARGEST), 1e-12f);

        score[i] += z * z;
    }
}

/* Bit i: buffer i is far from the others in this view. */
static uint32_t outliers_in(const struct habit_call *call, const float *vectors, uint32_t view, float floor)
{
    const float *feature = vectors + (call->features.view[view] - call->vector);
    float score[HABIT_START] = { 0.0f };
    float line;
    uint32_t outliers = 0;

    for (uint32_t i = 0; i < call->layout.view[view].dimension; i++)
        add_deviations(score, feature + i, call->layout.vector, floor);
    line = FAR_OFF * FAR_OFF * median(score); /* scores are squares: monotonous, so the median is the same buffer's */
    for (uint32_t i = 0; i < HABIT_START; i++)
        outliers |= (score[i] > line ? 1u : 0u) << i;
    return outliers;
}

static float mean_rms(const struct habit_call *call, const float *vectors)
{
    const float *rms = vectors + (call->features.rms - call->vector);
    float sum = 0.0f;

    for (uint32_t i = 0; i < HABIT_START; i++)
        for (uint32_t a = 0; a < call->layout.axes; a++)
            sum += rms[i * call->layout.vector + a];
    return sum / (float)(HABIT_START * call->layout.axes);
}

static uint32_t bits_in(uint32_t bits)
{
    uint32_t count = 0;

    for (; bits != 0; bits &= bits - 1)
        count++;
    return count;
}

/* Where more than a few look odd it is the machine that has more than one habit: then all are learned. */
static uint32_t find_outliers(const struct habit_call *call, const float *vectors)
{
    uint32_t outliers = outliers_in(call, vectors, HABIT_LEVEL, HABIT_FLOOR * mean_rms(call, vectors) + 1e-12f);

    if (habit_has_view(call, HABIT_SPECTRUM))
        outliers |= outliers_in(call, vectors, HABIT_SPECTRUM, HABIT_FLOOR);
    return bits_in(outliers) <= MOST_OUTLIERS ? outliers : 0;
}

/* The models take the place of the kept vectors, which move behind the one in hand: that is the last to be learned. They lie
 * where judging works, but nothing is judged before HABIT_FIRST_SCORED of them are learned, and it needs no more room than
 * those took. */
static void start(struct habit_call *call)
{
    const uint32_t size = call->layout.vector;
    uint32_t outliers;

    memcpy(call->vector + size, call->kept, 4 * (size_t)((HABIT_START - 1) * size));
    memset(call->kept, 0, 4 * (size_t)(call->layout.knowledge - call->layout.kept));
    outliers = find_outliers(call, call->vector);
    call->ledger->started = 1;
    call->ledger->count = 0;
    for (uint32_t i = 1; i <= HABIT_START; i++) {
        const uint32_t place = i % HABIT_START;

        habit_features_open(&call->features, &call->layout, call->vector + place * size);
        if (outliers >> place & 1u)
            call->ledger->weight = 0.0f;
        else
            habit_absorb(call);
    }
}

void habit_keep(struct habit_call *call)
{
    if (call->ledger->count == HABIT_START - 1) {
        start(call);
        return;
    }
    memcpy(call->kept + call->ledger->count * call->layout.vector, call->vector, 4 * (size_t)call->layout.vector);
    call->ledger->weight = 1.0f;
    call->ledger->count++;
}
