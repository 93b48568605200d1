/* What knowledge can hold. A block from outside may have a good CRC and be nonsense all the same: after this check every
 * count can be trusted as an index, every sum is finite, and nothing that is computed from them can become NaN. The bounds
 * are far beyond what an engine writes. */
#include "knowledge.h"

#include <string.h>

#include "keep.h"
#include "maths.h"
#include "view.h"

/* Reads words from a block that may lie at any address. */
struct reader {
    const uint8_t *block;
    uint32_t at; /* in words */
    bool valid;
};

static uint32_t read_word(struct reader *r)
{
    uint32_t word;

    memcpy(&word, r->block + 4 * (size_t)r->at++, sizeof(word));
    return word;
}

/* A counter or index that is at most `limit`. */
static uint32_t read_count(struct reader *r, uint32_t limit)
{
    const uint32_t count = read_word(r);

    r->valid &= count <= limit;
    return count <= limit ? count : 0;
}

/* Subnormal numbers are refused with the rest: no engine writes them. */
static float read_float(struct reader *r, float least, float most)
{
    const float value = habit_from_bits(read_word(r));

    r->valid &= value >= least && value <= most && (value == 0.0f || fabsf(value) > 1e-37f);
    return value;
}

static void read_floats(struct reader *r, uint32_t count, float least, float most)
{
    for (uint32_t i = 0; i < count; i++)
        (void)read_float(r, least, most);
}

static void read_zeros(struct reader *r, uint32_t words)
{
    for (uint32_t i = 0; i < words; i++)
        r->valid &= read_word(r) == 0;
}

#define LARGEST_FEATURE  200.0f /* of the spectrum view: logarithms and angles */
#define LARGEST_SPECTRUM 1e12f  /* sums of their squares */
#define LARGEST_VALUE    1.1e15f
#define LARGEST_SQUARES  1e37f
#define LARGEST_COUNT    1e6f
#define LARGEST_EXCESS   1e3f /* of a log distance */
#define LARGEST_WEIGHTS  1e9f

/* Either nothing was weighted yet, or the two sums can belong to weights of at least `least`. */
static void read_weights(struct reader *r, bool any, float least)
{
    const float sum = read_float(r, 0.0f, LARGEST_WEIGHTS);
    const float squares = read_float(r, 0.0f, LARGEST_WEIGHTS * 1e3f);

    if (any)
        r->valid &= sum >= least && squares >= least * least && squares <= 1.001f * sum * sum;
    else
        r->valid &= sum == 0.0f && squares == 0.0f;
}

static void read_scatter(struct reader *r, const struct habit_shape *shape, float most)
{
    for (uint32_t block = 0; block < shape->blocks; block++)
        for (uint32_t i = 0; i < shape->part; i++) {
            read_floats(r, i, -most, most);
            (void)read_float(r, 0.0f, most);
        }
}

static void read_calibration(struct reader *r)
{
    const uint32_t scores = read_count(r, HABIT_COUNT_LIMIT);

    read_weights(r, scores > 2, 1.0f);
    read_floats(r, 1, 0.0f, 1.0f);
    read_floats(r, 1, 0.0f, LARGEST_WEIGHTS);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        read_floats(r, 1, -LARGEST_FEATURE, LARGEST_FEATURE);
        read_floats(r, 1, -LARGEST_SPECTRUM, LARGEST_SPECTRUM);
        read_floats(r, 1, 0.0f, LARGEST_SPECTRUM);
    }
}

static void read_score_scatter(struct reader *r)
{
    const uint32_t scores = read_count(r, HABIT_COUNT_LIMIT);

    read_weights(r, scores > 0, 1.0f);
    read_floats(r, 1, -1e5f, 1e5f);
    read_floats(r, 1, 0.0f, 1e18f);
    read_floats(r, 1, -1e18f, 1e18f);
    read_floats(r, 1, -1e5f, 1e5f);
    read_floats(r, 1, -1e5f, 1e5f);
    read_floats(r, 1, 0.0f, 1e18f);
    read_floats(r, 1, -1e18f, 1e18f);
    read_floats(r, 1, -1e6f, 1e6f);
}

struct start {
    uint32_t started, count;
};

static struct start read_ledger(struct reader *r)
{
    struct start start;

    start.started = read_count(r, 1);
    start.count = read_count(r, start.started ? HABIT_COUNT_LIMIT - 1 : HABIT_START - 1);
    r->valid &= !start.started || start.count >= HABIT_START / 2;
    read_floats(r, 3, 0.0f, 1.0f);
    (void)read_count(r, start.started);
    read_calibration(r);
    read_score_scatter(r);
    return start;
}

static void read_baseline(struct reader *r, const struct habit_layout *layout, bool any)
{
    const uint32_t spectrum = layout->view[HABIT_SPECTRUM].dimension, axes = layout->axes;

    if (!any) {
        read_zeros(r, 2 * (spectrum + axes));
        return;
    }
    read_floats(r, spectrum, -LARGEST_FEATURE, LARGEST_FEATURE);
    read_floats(r, axes, -LARGEST_VALUE, LARGEST_VALUE);
    read_floats(r, spectrum, 1e-6f, LARGEST_SPECTRUM);
    read_floats(r, axes, 1e-25f, LARGEST_SQUARES);
}

/* Feature vectors of the first buffers; behind them nothing. */
static void read_kept(struct reader *r, const struct habit_layout *layout, uint32_t count)
{
    for (uint32_t k = 0; k < count; k++) {
        read_floats(r, layout->view[HABIT_SPECTRUM].dimension, -LARGEST_FEATURE, LARGEST_FEATURE);
        read_floats(r, layout->axes, -LARGEST_VALUE, LARGEST_VALUE);
        read_floats(r, layout->view[HABIT_WAVEFORM].dimension, -2.0f * LARGEST_VALUE, 2.0f * LARGEST_VALUE);
        read_floats(r, layout->axes, 0.0f, 2.0f * LARGEST_VALUE);
    }
    read_zeros(r, layout->knowledge - r->at);
}

/* At least one of the points is not pinned, and neither kind has taken more than it may. */
static uint32_t read_pinned(struct reader *r, uint32_t used, const struct habit_shape *shape)
{
    const uint32_t pinned = read_word(r);
    uint32_t ordinary = used;

    r->valid &= pinned >> used == 0;
    for (uint32_t k = 0; k < used; k++)
        ordinary -= pinned >> k & 1u;
    r->valid &= ordinary > 0 && ordinary <= shape->ordinary && used - ordinary <= shape->accepted;
    return pinned;
}

/* What is not pinned tolerates nothing. */
static void read_tolerances(struct reader *r, uint32_t pinned, uint32_t used, uint32_t points)
{
    for (uint32_t k = 0; k < used; k++)
        (void)read_float(r, 1.0f, (pinned >> k & 1u) != 0 ? HABIT_LARGEST_TOLERANCE : 1.0f);
    read_zeros(r, points - used);
}

/* Places that are not used are 0, apart from positions: what was dropped may still stand there. */
static void read_support(struct reader *r, uint32_t used, uint32_t points)
{
    read_floats(r, used, 1e-6f, LARGEST_COUNT);
    read_zeros(r, points - used);
}

/* Sums of excess, then how many buffers they are of. */
static void read_visits(struct reader *r, uint32_t used, uint32_t points)
{
    struct reader visits = { r->block, r->at + points, r->valid };

    for (uint32_t k = 0; k < used; k++) {
        const float count = read_float(&visits, 0.0f, LARGEST_COUNT);

        (void)read_float(r, -LARGEST_EXCESS * count, LARGEST_EXCESS * count);
    }
    read_zeros(r, points - used);
    read_zeros(&visits, points - used);
    visits.valid &= r->valid;
    *r = visits;
}

static void read_coupling(struct reader *r, const struct habit_shape *shape)
{
    const struct habit_shape across = { .part = shape->blocks, .blocks = shape->coupled };

    if (!HABIT_KEEPS_COUPLING || shape->coupled == 0)
        return;
    read_floats(r, 1, 0.0f, LARGEST_COUNT);
    read_scatter(r, &across, LARGEST_WEIGHTS);
}

static void read_modes(struct reader *r, const struct habit_shape *shape)
{
    uint32_t used, pinned;

    if (shape->dimension == 0)
        return;
    used = read_count(r, shape->points);
    pinned = read_pinned(r, used, shape);
    read_floats(r, 1, 0.0f, LARGEST_COUNT);
    read_support(r, used, shape->points);
    read_visits(r, used, shape->points);
    read_tolerances(r, pinned, used, shape->points);
    read_support(r, used, shape->points);
    read_floats(r, shape->points * shape->dimension, -LARGEST_FEATURE, LARGEST_FEATURE);
    read_scatter(r, shape, LARGEST_SPECTRUM);
    read_coupling(r, shape);
}

static void read_prototypes(struct reader *r, const struct habit_shape *shape)
{
    const uint32_t used = read_count(r, shape->points);
    const uint32_t pinned = read_pinned(r, used, shape);
    uint32_t older, newer;

    older = read_count(r, HABIT_COUNT_LIMIT);
    newer = read_count(r, HABIT_COUNT_LIMIT);
    r->valid &= older <= newer;
    read_weights(r, true, 1e-6f);
    read_floats(r, 3 * shape->dimension, -LARGEST_VALUE, LARGEST_VALUE);
    read_scatter(r, shape, LARGEST_SQUARES);
    read_support(r, used, shape->points);
    read_tolerances(r, pinned, used, shape->points);
    read_floats(r, shape->points * shape->dimension, -LARGEST_VALUE, LARGEST_VALUE);
    for (uint32_t k = 0; k < shape->points; k++)
        (void)read_count(r, k < used ? HABIT_COUNT_LIMIT : 0);
}

static void read_waveform(struct reader *r, const struct habit_shape *shape)
{
    bool accepted;

    if (shape->dimension == 0)
        return;
    read_weights(r, true, 1e-6f);
    accepted = read_float(r, 0.0f, HABIT_COUNT_LIMIT) > 0.0f;
    read_floats(r, 1, accepted ? 1.0f : 0.0f, accepted ? HABIT_LARGEST_TOLERANCE : 0.0f);
    read_floats(r, shape->dimension, -2.0f * LARGEST_VALUE, 2.0f * LARGEST_VALUE);
    if (accepted)
        read_floats(r, shape->dimension, -2.0f * LARGEST_VALUE, 2.0f * LARGEST_VALUE);
    else
        read_zeros(r, shape->dimension);
    read_scatter(r, shape, LARGEST_SQUARES);
}

bool habit_body_valid(const uint8_t *block, const struct habit_layout *layout)
{
    struct reader r = { block, HABIT_HEADER_SIZE / 4, true };
    const struct start start = read_ledger(&r);
    struct habit_ledger ledger;

    memcpy(&ledger, block + HABIT_HEADER_SIZE, sizeof(ledger));
    read_floats(&r, layout->axes, 0.0f, 2.0f * LARGEST_VALUE);
    read_baseline(&r, layout, ledger.baseline != 0);
    if (!start.started) {
        read_kept(&r, layout, start.count);
        return r.valid;
    }
    read_modes(&r, &layout->view[HABIT_SPECTRUM]);
    read_prototypes(&r, &layout->view[HABIT_LEVEL]);
    if (HABIT_KEEPS_WAVEFORM)
        read_waveform(&r, &layout->view[HABIT_WAVEFORM]);
    read_zeros(&r, layout->knowledge - r.at);
    return r.valid;
}
