#include "feature.h"

#include <string.h>

#include "fft.h"
#include "lanes.h"
#include "maths.h"

#define LEAST_VALUE 1e-15f /* what is smaller counts as 0 */
#define LEAST_ORIGIN \
    0x1p-49f                 /* instead of 0: differences from it are never subnormal, as some units flush these to 0 */
#define LEAST_SQUARE 1e-30f  /* for the same reason sums of squares start with it */
#define ROUNDING     1e-7f   /* of a sample, in proportion to the largest one: what float32 cannot tell from silence */
#define UNIT         0x1p20f /* standardised samples are whole multiples of 1 / UNIT */

static float sum_of(const float *x, uint32_t count)
{
    lanes sum = lanes_of(0.0f);
    float rest = 0.0f;

    for (; count >= HABIT_LANES; x += HABIT_LANES, count -= HABIT_LANES)
        sum = lanes_add(sum, lanes_load(x));
    for (; count > 0; count--)
        rest += *x++;
    return lanes_sum(sum) + rest;
}

/* One axis while it is looked at. */
struct axis {
    float *x; /* samples without their origin; from standardise() on without their mean, in units of size / UNIT */
    uint32_t samples;
    float origin; /* the first sample: what is left without it is exact where the offset is large */
    float mean;   /* without the origin */
    float lowest, highest;
    float rms;
    float floor; /* what counts as silence on this axis */
    float size;  /* rms and floors: never 0 */
    bool clipped;
};

/* ------------------------------------------------------------------------------------------------ samples to an axis */

struct range {
    float lowest, highest;
    uint32_t low_stays, high_stays; /* samples at an extreme that are as the one before */
    bool valid;                     /* nothing was NaN or too large */
};

static inline void note_extreme(struct range *range, float value, bool stays)
{
    range->valid &= fabsf(value) <= HABIT_MAX_VALUE;
    if (value >= range->highest) {
        range->high_stays = value > range->highest ? 0 : range->high_stays + stays;
        range->highest = value;
    }
    if (value <= range->lowest) {
        range->low_stays = value < range->lowest ? 0 : range->low_stays + stays;
        range->lowest = value;
    }
}

/* First sample of a part of the coarse waveform: all parts have the same number of them, or one more. */
static uint32_t part_start(uint32_t part, uint32_t parts, uint32_t samples)
{
    return (2 * part * samples + parts) / (2 * parts);
}

/* A sensor beyond its range stays at an extreme for several samples, time and again: one in sixteen, three at least. */
static bool is_clipped(const struct range *range, uint32_t samples)
{
    const uint32_t stays = range->low_stays + range->high_stays;

    return range->lowest < range->highest && stays >= 3 && stays >= samples / 16;
}

/* Fills the axis, and sums up each part. One pass over the samples: few are extremes. False where one means nothing. */
static bool load(struct axis *axis, const float *samples, uint32_t step, float *sums, uint32_t parts)
{
    struct range range = { .lowest = INFINITY, .highest = -INFINITY, .valid = true };
    const float origin = fabsf(*samples) < LEAST_VALUE ? LEAST_ORIGIN : *samples;
    float *x = axis->x;

    axis->origin = origin;
    for (uint32_t part = 0; part < parts; part++) {
        const float *end = axis->x + part_start(part + 1, parts, axis->samples);
        float sum = 0.0f;

        do {
            const float difference = *samples - origin;

            if (!(*samples<range.highest && * samples> range.lowest)) /* NaN too */
                note_extreme(&range, *samples, x > axis->x && difference == x[-1]);
            *x++ = difference;
            sum += difference;
            samples += step;
        } while (x != end);
        sums[part] = sum;
    }
    axis->lowest = range.lowest;
    axis->highest = range.highest;
    axis->clipped = is_clipped(&range, axis->samples);
    return range.valid;
}

/* Where every sample counts as 0 it is 0. */
static void silence(struct axis *axis, float *sums, uint32_t parts)
{
    if (axis->highest >= LEAST_VALUE || axis->lowest <= -LEAST_VALUE)
        return;
    axis->highest = axis->lowest = axis->origin = 0.0f;
    memset(axis->x, 0, 4 * (size_t)axis->samples);
    memset(sums, 0, 4 * (size_t)parts);
}

/* Lanes read up to three samples behind the end: the last one again. */
static uint32_t repeat_last(const struct axis *axis)
{
    const uint32_t more = (0u - axis->samples) % HABIT_LANES;

    for (uint32_t i = 0; i < more; i++)
        axis->x[axis->samples + i] = axis->x[axis->samples - 1];
    return more;
}

static float mean_square(const struct axis *axis)
{
    const lanes mean = lanes_of(axis->mean);
    const uint32_t more = repeat_last(axis);
    const float last = axis->x[axis->samples - 1] - axis->mean;
    lanes sums = lanes_of(LEAST_SQUARE);
    float sum;

    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES) {
        const lanes y = lanes_subtract(lanes_load(axis->x + i), mean);

        sums = lanes_add(sums, lanes_multiply(y, y));
    }
    sum = lanes_sum(sums) - (float)HABIT_LANES * LEAST_SQUARE - (float)more * (last * last);
    return sum > 100.0f * LEAST_SQUARE ? sum / (float)axis->samples : 0.0f;
}

static float mean_of(const float *sums, uint32_t parts, uint32_t samples)
{
    float sum = 0.0f;

    for (uint32_t part = 0; part < parts; part++)
        sum += sums[part];
    return sum / (float)samples;
}

static void measure(struct axis *axis)
{
    const float peak = habit_larger(fabsf(axis->lowest), fabsf(axis->highest));

    axis->rms = sqrtf(mean_square(axis));
    axis->floor = ROUNDING * peak;
    axis->size = axis->rms + axis->floor + LEAST_VALUE;
}

/* ------------------------------------------------------------------------------------------------- coarse waveform */

/* Mean of each part, without that of all. */
static void describe_waveform(const struct axis *axis, const float *sums, float *feature, uint32_t parts)
{
    for (uint32_t part = 0; part < parts; part++) {
        const uint32_t length = part_start(part + 1, parts, axis->samples) - part_start(part, parts, axis->samples);

        feature[part] = habit_without_dust(sums[part] / (float)length - axis->mean, 1e-17f);
    }
}

/* -------------------------------------------------------------------------------------------- shape of distribution */

static inline lanes standardised(lanes x, lanes mean, lanes factor)
{
    return lanes_whole(lanes_multiply(lanes_subtract(x, mean), factor));
}

/* Five figures: size, tails, asymmetry, peaks, and the tails of the differences of neighbours, where short shocks show. On
 * the way the samples are standardised. Never inline: many registers are saved for the time of these sums only. */
__attribute__((noinline)) static void describe_shape(const struct axis *axis, float *feature)
{
    const lanes mean = lanes_of(axis->mean), factor = lanes_of(UNIT / axis->size);
    const float more = (float)repeat_last(axis);
    const float samples = (float)axis->samples, steps = samples - 1.0f, middle = axis->origin + axis->mean;
    lanes third = lanes_of(0.0f), fourth = third, step_second = third, step_fourth = third;
    lanes z = standardised(lanes_of(axis->x[0]), mean, factor);
    float last, spread;

    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES) {
        const lanes before = z;
        lanes square, step;

        z = standardised(lanes_load(axis->x + i), mean, factor);
        lanes_store(axis->x + i, z);
        square = lanes_multiply(z, z);
        third = lanes_add(third, lanes_multiply(square, z));
        fourth = lanes_add(fourth, lanes_multiply(square, square));
        step = lanes_subtract(z, lanes_previous(before, z));
        square = lanes_multiply(step, step);
        step_second = lanes_add(step_second, square);
        step_fourth = lanes_add(step_fourth, lanes_multiply(square, square));
    }
    last = lanes_last(z);
    spread = lanes_sum(step_second) * 0x1p-40f / steps + 1e-6f;
    feature[0] = habit_log(axis->size);
    feature[1] = habit_log((lanes_sum(fourth) - more * ((last * last) * (last * last))) * 0x1p-80f / samples + 0.1f);
    feature[2] = habit_atan((lanes_sum(third) - more * (last * last * last)) * 0x1p-60f / samples);
    feature[3] = habit_log(habit_larger(axis->highest - middle, middle - axis->lowest) / axis->size + 0.1f);
    feature[4] = habit_log(lanes_sum(step_fourth) * 0x1p-80f / steps / (spread * spread) + 0.1f);
}

/* --------------------------------------------------------------------------------------------------------- spectrum */

/* Logarithmic edges over the bins 1 .. transform / 2, each band at least one bin wide. */
static void make_edges(const struct habit_layout *layout, uint16_t edges[])
{
    const uint32_t end = layout->transform / 2 + 1;
    const float octaves = habit_log((float)end) * (1.0f / HABIT_LN2) / (float)layout->bands;

    for (uint32_t b = 0; b < layout->bands; b++) {
        const uint32_t edge = (uint32_t)(habit_exp2(octaves * (float)b) + 0.5f);

        edges[b] = (uint16_t)(edge > b + 1 ? edge : b + 1);
    }
    edges[layout->bands] = (uint16_t)end;
}

/* First half of a Hann window over the samples; it is symmetric. */
static void make_window(float *window, uint32_t samples)
{
    const float step = HABIT_PI / (float)samples;

    for (uint32_t i = 0; 2 * i < samples; i++) {
        const float s = habit_sin(step * (float)i);

        window[i] = s * s;
    }
}

/* The sample in the middle is multiplied by 1. */
static void apply_window(float *x, const float *window, uint32_t samples)
{
    x[0] = 0.0f;
    for (uint32_t i = 1, j = samples - 1; i < j; i++, j--) {
        x[i] *= window[i];
        x[j] *= window[i];
    }
}

/* The samples are standardised: the axis' size comes back as twice its logarithm, and silence in proportion to it. */
static void describe_spectrum(const struct axis *axis, const struct habit_layout *layout, const uint16_t edges[],
                              const float *window, float *feature)
{
    const float scale = 0.25f / (UNIT * UNIT) / ((float)axis->samples * (float)axis->samples);
    const float rounding = axis->floor / axis->size, least = LEAST_VALUE / axis->size;
    const float size = 2.0f * habit_log(axis->size);
    float silence = rounding * rounding + habit_without_dust(least, 1e-17f) * habit_without_dust(least, 1e-17f);
    float total = 0.0f;
    const float *power;

    apply_window(axis->x, window, axis->samples);
    memset(axis->x + axis->samples, 0, 4 * (size_t)(habit_layout_room(layout) - axis->samples));
    power = habit_fft_power(axis->x, layout->transform);
    for (uint32_t b = 0; b < layout->bands; b++) {
        feature[b] = scale * sum_of(power + edges[b], edges[b + 1] - edges[b]);
        total += feature[b];
    }
    silence += 1e-9f * total;
    for (uint32_t b = 0; b < layout->bands; b++)
        feature[b] = habit_log(feature[b] + silence) + size;
}

/* -------------------------------------------------------------------------------------------------------- all of it */

void habit_features_open(struct habit_features *features, const struct habit_layout *layout, float *words)
{
    memset(features, 0, sizeof(*features));
    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        features->view[v] = words;
        words += layout->view[v].dimension;
    }
    features->rms = words;
}

/* Integers become floats in the axis itself, from where they are loaded as any others. */
static const float *convert(float *x, const int16_t *samples, float scale, uint32_t count, uint32_t step)
{
    for (uint32_t i = 0; i < count; i++)
        x[i] = (float)samples[(size_t)i * step] * scale;
    return x;
}

static bool take(struct axis *axis, const struct habit_source *source, uint32_t index, uint32_t axes, float *sums,
                 uint32_t parts)
{
    const float *samples = source->floats + index;

    if (!source->floats) {
        samples = convert(axis->x, source->integers + index, source->scale, axis->samples, axes);
        axes = 1;
    }
    if (!load(axis, samples, axes, sums, parts))
        return false;
    silence(axis, sums, parts);
    axis->mean = mean_of(sums, parts, axis->samples);
    return true;
}

static void describe(const struct axis *axis, const struct habit_layout *layout, const uint16_t edges[],
                     const float *window, float *spectrum)
{
    if (layout->transform > 0) {
        describe_shape(axis, spectrum + layout->bands);
        describe_spectrum(axis, layout, edges, window, spectrum);
    } else if (layout->view[HABIT_SPECTRUM].part > 0) {
        spectrum[0] = habit_log(axis->size);
    }
}

bool habit_features_make(struct habit_features *features, const struct habit_layout *layout,
                         const struct habit_source *source, float *work)
{
    const uint32_t parts = layout->view[HABIT_WAVEFORM].part;
    float *window = work + habit_layout_room(layout), *spectrum = features->view[HABIT_SPECTRUM],
          *waveform = features->view[HABIT_WAVEFORM];
    float sums[HABIT_SEGMENTS];

    features->constant = features->clipped = 0;
    if (layout->transform > 0) {
        make_window(window, layout->samples);
        make_edges(layout, features->edges);
    }
    for (uint32_t a = 0; a < layout->axes; a++) {
        struct axis axis = { .x = work, .samples = layout->samples };

        if (!take(&axis, source, a, layout->axes, sums, parts > 0 ? parts : 1))
            return false;
        measure(&axis);
        describe_waveform(&axis, sums, waveform, parts);
        describe(&axis, layout, features->edges, window, spectrum);
        features->constant |= (uint16_t)((layout->samples > 1 && axis.lowest == axis.highest ? 1u : 0u) << a);
        features->clipped |= (uint16_t)((axis.clipped ? 1u : 0u) << a);
        features->view[HABIT_LEVEL][a] = habit_without_dust(axis.origin + axis.mean, LEAST_VALUE);
        features->rms[a] = axis.rms;
        spectrum += layout->view[HABIT_SPECTRUM].part;
        waveform += parts;
    }
    return true;
}
