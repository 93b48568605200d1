#include "feature.h"

#include <string.h>

#include "fft.h"
#include "lanes.h"
#include "maths.h"

#define LEAST_VALUE  1e-15f   /* what is smaller counts as 0 */
#define LEAST_RANGE  2e-15f   /* what moves less stands still */
#define LEAST_ORIGIN 0x1p-49f /* instead of 0: differences from it are never subnormal, which takes some units long */
#define ROUNDING     1e-7f    /* of a sample, in proportion to the largest one: what float32 cannot tell from silence */
#define STEPS        0x1p24f  /* between the extremes of an axis */

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

/* Sums of powers of the whole numbers, and of the differences of neighbours. No more than 2^26 in magnitude, they add up to
 * nothing that is subnormal or infinite. */
struct moments {
    float second, third, fourth;
    float step_second, step_fourth;
};

/* One axis while it is looked at. */
struct axis {
    float *x; /* samples without their origin; from measure() on whole numbers, without their mean */
    uint32_t samples;
    float origin; /* the first sample: what is left without it is exact where the offset is large */
    float mean;   /* without the origin */
    float lowest, highest;
    bool clipped;
    struct moments moments;
    float unit; /* of the whole numbers; 0 where the axis stands still */
    float rms;
    float floor; /* what counts as silence on this axis: never 0 */
    float size;  /* rms and floor */
    float log_size;
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

    return range->highest - range->lowest > LEAST_RANGE && stays >= 3 && stays >= samples / 16;
}

/* Fills the axis; mean of each part, still without the origin. One pass over the samples: few are extremes. False where one
 * means nothing. */
__attribute__((noinline)) static bool load(struct axis *axis, const float *samples, uint32_t step, float *means,
                                           uint32_t parts)
{
    struct range range = { .lowest = INFINITY, .highest = -INFINITY, .valid = true };
    const float origin = fabsf(*samples) < LEAST_VALUE ? LEAST_ORIGIN : *samples;
    float *x = axis->x;
    float total = 0.0f;

    axis->origin = origin;
    for (uint32_t part = 0; part < parts; part++) {
        const float *begin = x, *end = axis->x + part_start(part + 1, parts, axis->samples);
        float sum = 0.0f;

        do {
            const float value = *samples, difference = value - origin;

            if (!(value < range.highest && value > range.lowest)) /* NaN too */
                note_extreme(&range, value, x > axis->x && difference == x[-1]);
            *x++ = difference;
            sum += difference;
            samples += step;
        } while (x != end);
        means[part] = sum / (float)(end - begin);
        total += sum;
    }
    axis->mean = total / (float)axis->samples;
    axis->lowest = range.lowest;
    axis->highest = range.highest;
    axis->clipped = is_clipped(&range, axis->samples);
    return range.valid;
}

/* Lanes read up to three samples behind the end: the last one again. */
static uint32_t repeat_last(const struct axis *axis)
{
    const uint32_t more = (0u - axis->samples) % HABIT_LANES;

    for (uint32_t i = 0; i < more; i++)
        axis->x[axis->samples + i] = axis->x[axis->samples - 1];
    return more;
}

static inline lanes whole_numbers(lanes x, lanes mean, lanes factor)
{
    return lanes_whole(lanes_multiply(lanes_subtract(x, mean), factor));
}

/* Samples become whole numbers. Never inline: many registers are saved for the time of these sums only. */
__attribute__((noinline)) static void sum_powers(struct axis *axis)
{
    const lanes mean = lanes_of(axis->mean), factor = lanes_of(axis->unit > 0.0f ? 1.0f / axis->unit : 0.0f);
    const float more = (float)repeat_last(axis);
    lanes seconds = lanes_of(0.0f), third = seconds, fourth = seconds, step_fourth = seconds;
    lanes z = whole_numbers(lanes_of(axis->x[0]), mean, factor);
    struct moments *m = &axis->moments;
    float last;

    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES) {
        const lanes before = z;
        lanes square, step;

        z = whole_numbers(lanes_load(axis->x + i), mean, factor);
        lanes_store(axis->x + i, z);
        step = lanes_subtract(z, lanes_previous(before, z));
        step = lanes_multiply(step, step);
        square = lanes_multiply(z, z);
        seconds = lanes_add(seconds, lanes_pairs(square, step));
        third = lanes_add(third, lanes_multiply(square, z));
        fourth = lanes_add(fourth, lanes_multiply(square, square));
        step_fourth = lanes_add(step_fourth, lanes_multiply(step, step));
    }
    last = lanes_last(z);
    m->second = lanes_first_sum(seconds) - more * (last * last);
    m->third = lanes_sum(third) - more * (last * last * last);
    m->fourth = lanes_sum(fourth) - more * ((last * last) * (last * last));
    m->step_second = lanes_second_sum(seconds);
    m->step_fourth = lanes_sum(step_fourth);
}

static void measure(struct axis *axis)
{
    const float peak = habit_without_dust(habit_larger(fabsf(axis->lowest), fabsf(axis->highest)), LEAST_VALUE);
    const float range = axis->highest - axis->lowest;

    axis->unit = range > LEAST_RANGE ? range / STEPS : 0.0f;
    sum_powers(axis);
    axis->rms = sqrtf(axis->moments.second / (float)axis->samples) * axis->unit;
    axis->floor = ROUNDING * peak + LEAST_VALUE;
    axis->size = axis->rms + axis->floor;
    axis->log_size = habit_log(axis->size);
}

/* -------------------------------------------------------------------------------------------- shape of distribution */

/* Five figures: size, tails, asymmetry, peaks, and the tails of the differences of neighbours, where short shocks show. */
static void describe_shape(const struct axis *axis, float *feature)
{
    const struct moments *m = &axis->moments;
    const float scale = axis->unit / axis->size, scale2 = scale * scale;
    const float samples = (float)axis->samples, steps = samples - 1.0f;
    const float up = axis->highest - axis->origin - axis->mean, down = axis->mean - (axis->lowest - axis->origin);
    const float spread = m->step_second * scale2 / steps + 1e-6f;

    feature[0] = axis->log_size;
    feature[1] = habit_log(m->fourth * (scale2 * scale2) / samples + 0.1f);
    feature[2] = habit_atan(m->third * (scale2 * scale) / samples);
    feature[3] = habit_log((scale > 0.0f ? habit_larger(up, down) / axis->size : 0.0f) + 0.1f);
    feature[4] = habit_log(m->step_fourth * (scale2 * scale2) / steps / (spread * spread) + 0.1f);
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

/* A Hann window from its second value on, up to the middle: it is symmetric. Every fourth value w follows from the one
 * before and the step to it, as a pendulum does: h = w - 1/2 has h'' = -4 sin^2(4 pi / samples) h. */
static void make_window(float *window, uint32_t samples)
{
    const float angle = HABIT_PI / (float)samples, far = habit_sin(4.0f * angle);
    const lanes pull = lanes_of(4.0f * (far * far)), half = lanes_of(0.5f);
    float first[HABIT_LANES], step[HABIT_LANES];
    lanes h, d;

    for (uint32_t i = 0; i < HABIT_LANES; i++) {
        const float s = habit_sin((float)(i + 1) * angle);

        first[i] = s * s - 0.5f;
        step[i] = habit_sin(2.0f * ((float)i - 1.0f) * angle) * far;
    }
    h = lanes_load(first);
    d = lanes_load(step);
    for (uint32_t i = 0; 2 * i < samples; i += HABIT_LANES) {
        lanes_store(window + i, lanes_add(h, half));
        d = lanes_subtract(d, lanes_multiply(pull, h));
        h = lanes_add(h, d);
    }
}

static inline void scale_lanes(float *x, lanes factor)
{
    lanes_store(x, lanes_multiply(lanes_load(x), factor));
}

/* From both ends to the middle. */
static void apply_window(float *x, const float *window, uint32_t samples)
{
    float *begin = x + 1, *end = x + samples;

    x[0] = 0.0f;
    for (; end - begin >= 2 * HABIT_LANES; begin += HABIT_LANES, window += HABIT_LANES) {
        const lanes w = lanes_load(window);

        end -= HABIT_LANES;
        scale_lanes(begin, w);
        scale_lanes(end, lanes_backwards(w));
    }
    for (; begin < end; begin++, window++) {
        *begin *= *window;
        if (--end > begin)
            *end *= *window;
    }
}

/* In proportion to the axis' size, of which twice the logarithm is added: its square may be too large or too small. */
static void describe_spectrum(const struct axis *axis, const struct habit_layout *layout, const uint16_t edges[],
                              const float *window, float *feature)
{
    const float unit = axis->unit / (axis->size * (float)axis->samples), scale = 0.25f * unit * unit;
    float silence = (axis->floor / axis->size) * (axis->floor / axis->size);
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
        feature[b] = habit_log(feature[b] + silence) + 2.0f * axis->log_size;
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

static bool take(struct axis *axis, const struct habit_source *source, uint32_t index, uint32_t axes, float *means,
                 uint32_t parts)
{
    if (source->floats)
        return load(axis, source->floats + index, axes, means, parts);
    return load(axis, convert(axis->x, source->integers + index, source->scale, axis->samples, axes), 1, means, parts);
}

static void describe(const struct axis *axis, const struct habit_layout *layout, const uint16_t edges[],
                     const float *window, float *spectrum)
{
    if (layout->transform > 0) {
        describe_shape(axis, spectrum + layout->bands);
        describe_spectrum(axis, layout, edges, window, spectrum);
    } else if (layout->view[HABIT_SPECTRUM].part > 0) {
        spectrum[0] = axis->log_size;
    }
}

bool habit_features_make(struct habit_features *features, const struct habit_layout *layout,
                         const struct habit_source *source, float *work)
{
    const uint32_t parts = layout->view[HABIT_WAVEFORM].part;
    float *window = work + habit_layout_room(layout), *spectrum = features->view[HABIT_SPECTRUM],
          *waveform = features->view[HABIT_WAVEFORM];
    float means[HABIT_SEGMENTS];

    features->constant = features->clipped = 0;
    if (layout->transform > 0) {
        make_window(window, layout->samples);
        make_edges(layout, features->edges);
    }
    for (uint32_t a = 0; a < layout->axes; a++) {
        struct axis axis = { .x = work, .samples = layout->samples };

        if (!take(&axis, source, a, layout->axes, means, parts > 0 ? parts : 1))
            return false;
        measure(&axis);
        for (uint32_t part = 0; part < parts; part++)
            *waveform++ = habit_without_dust(means[part] - axis.mean, LEAST_RANGE);
        describe(&axis, layout, features->edges, window, spectrum);
        features->constant |= (uint16_t)((layout->samples > 1 && axis.unit == 0.0f ? 1u : 0u) << a);
        features->clipped |= (uint16_t)((axis.clipped ? 1u : 0u) << a);
        features->view[HABIT_LEVEL][a] = habit_without_dust(axis.origin + axis.mean, LEAST_VALUE);
        features->rms[a] = axis.rms;
        spectrum += layout->view[HABIT_SPECTRUM].part;
    }
    return true;
}
