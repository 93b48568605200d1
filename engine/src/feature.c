#include "feature.h"

#include <string.h>

#include "fft.h"
#include "lanes.h"
#include "maths.h"

#define LEAST_VALUE 1e-15f /* smaller samples count as 0: products of them would be subnormal */
#define ROUNDING    1e-7f  /* of a sample, in proportion to the largest one: what float32 cannot tell from silence */
#define DUST        1e-9f  /* of a standardised sample, see habit_without_dust */

/* Arrays are filled up to a multiple of the lanes. One more is written, for those who look at the neighbour. */
static uint32_t padded(uint32_t samples)
{
    return (samples + HABIT_LANES - 1) & ~(uint32_t)(HABIT_LANES - 1);
}

static void pad(float *x, uint32_t samples, float value)
{
    for (uint32_t i = samples; i <= padded(samples); i++)
        x[i] = value;
}

static float sum_of(const float *x, uint32_t count)
{
    lanes sum = lanes_of(0.0f);
    float rest = 0.0f;
    uint32_t i = 0;

    for (; i + HABIT_LANES <= count; i += HABIT_LANES)
        sum += lanes_load(x + i);
    for (; i < count; i++)
        rest += x[i];
    return lanes_sum(sum) + rest;
}

/* One axis while it is looked at. Everything the features need is in the samples and these figures. */
struct axis {
    float *x; /* samples; from centre() on without their mean; from standardise() on in units of `size` */
    uint32_t samples;
    float lowest, highest;
    float mean, rms;
    float floor; /* what counts as silence on this axis */
    float size;  /* rms and floors: never 0 */
};

/* ------------------------------------------------------------------------------------------------ samples to an axis */

static bool load_floats(float *x, const float *samples, uint32_t count, uint32_t step)
{
    bool valid = true;

    for (uint32_t i = 0; i < count; i++, samples += step) {
        valid &= fabsf(*samples) <= HABIT_MAX_VALUE; /* false for NaN too */
        x[i] = habit_without_dust(*samples, LEAST_VALUE);
    }
    return valid;
}

static bool load_integers(float *x, const int16_t *samples, float scale, uint32_t count, uint32_t step)
{
    bool valid = true;

    for (uint32_t i = 0; i < count; i++, samples += step) {
        const float value = (float)*samples * scale;

        valid &= fabsf(value) <= HABIT_MAX_VALUE;
        x[i] = habit_without_dust(value, LEAST_VALUE);
    }
    return valid;
}

static bool load(const struct axis *axis, const struct habit_source *source, uint32_t index, uint32_t axes)
{
    if (source->floats)
        return load_floats(axis->x, source->floats + index, axis->samples, axes);
    return load_integers(axis->x, source->integers + index, source->scale, axis->samples, axes);
}

static void find_range(struct axis *axis)
{
    lanes low = lanes_of(axis->x[0]), high = low;

    pad(axis->x, axis->samples, axis->x[0]);
    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES) {
        low = lanes_smaller(low, lanes_load(axis->x + i));
        high = lanes_larger(high, lanes_load(axis->x + i));
    }
    axis->lowest = habit_smaller(habit_smaller(low[0], low[1]), habit_smaller(low[2], low[3]));
    axis->highest = habit_larger(habit_larger(high[0], high[1]), habit_larger(high[2], high[3]));
}

/* A sensor beyond its range stays at an extreme for several samples, time and again: one in sixteen, three at least. */
static bool is_clipped(const struct axis *axis)
{
    uint32_t stays = 0;

    if (axis->lowest == axis->highest)
        return false;
    for (uint32_t i = 1; i < axis->samples; i++)
        stays += axis->x[i] == axis->x[i - 1] && (axis->x[i] == axis->lowest || axis->x[i] == axis->highest);
    return stays >= 3 && stays >= axis->samples / 16;
}

/* Behind the end there is silence afterwards. */
static void subtract(float *x, uint32_t samples, float value)
{
    for (uint32_t i = 0; i < samples; i += HABIT_LANES)
        lanes_store(x + i, lanes_load(x + i) - lanes_of(value));
    pad(x, samples, 0.0f);
}

/* The mean of what is left after the first mean was taken off is what rounding cost: it is taken off as well. */
static void centre(struct axis *axis)
{
    const float first = sum_of(axis->x, axis->samples) / (float)axis->samples;
    float rest;

    subtract(axis->x, axis->samples, first);
    rest = sum_of(axis->x, axis->samples) / (float)axis->samples;
    subtract(axis->x, axis->samples, rest);
    axis->mean = habit_without_dust(first + rest, LEAST_VALUE);
}

static float mean_square(const struct axis *axis)
{
    lanes sum = lanes_of(0.0f);

    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES) {
        const lanes y = lanes_without_dust(lanes_load(axis->x + i), 1e-16f);

        sum += y * y;
    }
    return lanes_sum(sum) / (float)axis->samples;
}

static void measure(struct axis *axis)
{
    const float peak = habit_larger(fabsf(axis->lowest), fabsf(axis->highest));

    centre(axis);
    axis->rms = sqrtf(mean_square(axis));
    axis->floor = ROUNDING * peak;
    axis->size = axis->rms + axis->floor + LEAST_VALUE;
}

/* ------------------------------------------------------------------------------------------------- coarse waveform */

/* Mean of each part, the same number of samples in each or one more. */
static void describe_waveform(const struct axis *axis, float *feature, uint32_t parts)
{
    for (uint32_t part = 0, from = 0; part < parts; part++) {
        const uint32_t to = (2 * (part + 1) * axis->samples + parts) / (2 * parts);
        const float sum = sum_of(axis->x + from, to - from);

        feature[part] = habit_without_dust(sum / (float)(to - from), 1e-17f);
        from = to;
    }
}

/* -------------------------------------------------------------------------------------------- shape of distribution */

struct moments {
    float third, fourth, peak;
    float step_second, step_fourth; /* of the differences of neighbours */
};

static void standardise(struct axis *axis)
{
    const lanes factor = lanes_of(1.0f / axis->size);

    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES)
        lanes_store(axis->x + i, lanes_without_dust(lanes_load(axis->x + i) * factor, DUST));
}

static void measure_powers(const struct axis *axis, struct moments *m)
{
    lanes third = lanes_of(0.0f), fourth = third, peak = third;

    for (uint32_t i = 0; i < axis->samples; i += HABIT_LANES) {
        const lanes z = lanes_load(axis->x + i);
        const lanes z2 = z * z;

        third += z2 * z;
        fourth += z2 * z2;
        peak = lanes_larger(peak, lanes_absolute(z));
    }
    m->third = lanes_sum(third) / (float)axis->samples;
    m->fourth = lanes_sum(fourth) / (float)axis->samples;
    m->peak = habit_larger(habit_larger(peak[0], peak[1]), habit_larger(peak[2], peak[3]));
}

/* The last sample is repeated where lanes read beyond it: steps of 0 add nothing. */
static void measure_steps(const struct axis *axis, struct moments *m)
{
    lanes second = lanes_of(0.0f), fourth = second;
    const uint32_t steps = axis->samples - 1;

    pad(axis->x, axis->samples, axis->x[steps]);
    for (uint32_t i = 0; i < steps; i += HABIT_LANES) {
        const lanes step = lanes_without_dust(lanes_load(axis->x + i + 1) - lanes_load(axis->x + i), DUST);
        const lanes step2 = step * step;

        second += step2;
        fourth += step2 * step2;
    }
    m->step_second = lanes_sum(second) / (float)steps;
    m->step_fourth = lanes_sum(fourth) / (float)steps;
    pad(axis->x, axis->samples, 0.0f);
}

/* Five figures: size, tails, asymmetry, peaks, and the tails of the differences, where short shocks show. */
static void describe_shape(const struct axis *axis, float *feature)
{
    struct moments m;
    float spread;

    measure_powers(axis, &m);
    measure_steps(axis, &m);
    spread = m.step_second + 1e-6f;
    feature[0] = habit_log(axis->size);
    feature[1] = habit_log(m.fourth + 0.1f);
    feature[2] = habit_atan(m.third);
    feature[3] = habit_log(m.peak + 0.1f);
    feature[4] = habit_log(m.step_fourth / (spread * spread) + 0.1f);
}

/* --------------------------------------------------------------------------------------------------------- spectrum */

/* Logarithmic edges over the bins 1 .. transform / 2, each band at least one bin wide. */
static void make_edges(const struct habit_layout *layout, uint32_t edges[])
{
    const uint32_t end = layout->transform / 2 + 1;
    const float octaves = habit_log((float)end) * (1.0f / HABIT_LN2);

    edges[0] = 1;
    for (uint32_t b = 1; b < layout->bands; b++) {
        const uint32_t edge = (uint32_t)(habit_exp2(octaves * (float)b / (float)layout->bands) + 0.5f);

        edges[b] = edge > edges[b - 1] ? edge : edges[b - 1] + 1;
    }
    edges[layout->bands] = end;
}

/* First half of a Hann window over the samples; it is symmetric: w(n - i) = w(i). */
static void make_window(float *window, uint32_t samples)
{
    for (uint32_t i = 0; i <= samples / 2; i++) {
        const float s = habit_sin(HABIT_PI * (float)i / (float)samples);

        window[i] = s * s;
    }
}

static void apply_window(float *x, const float *window, uint32_t samples)
{
    for (uint32_t i = 0; i <= samples / 2; i++)
        x[i] *= window[i];
    for (uint32_t i = samples / 2 + 1; i < samples; i++)
        x[i] *= window[samples - i];
}

/* Even samples become real parts, odd ones imaginary parts, zeros behind the end. */
static void pack(struct habit_complex packed, const float *x, uint32_t samples, uint32_t transform)
{
    const uint32_t whole = samples / 2;

    for (uint32_t i = 0; i < whole; i++) {
        packed.re[i] = x[2 * i];
        packed.im[i] = x[2 * i + 1];
    }
    for (uint32_t i = whole; i < transform / 2; i++)
        packed.re[i] = packed.im[i] = 0.0f;
    if (samples % 2 != 0)
        packed.re[whole] = x[samples - 1];
}

/* The samples are in the first half of the work area, which is overwritten once they are packed into the second; the window
 * lies behind both. */
static float *power_spectrum(const struct axis *axis, const struct habit_layout *layout, float *work)
{
    const float *window = work + 2 * layout->transform;
    const uint32_t half = layout->transform / 2;
    struct habit_complex packed = { work + 2 * half, work + 3 * half }, other = { work, work + half }, transformed;
    float *power;

    apply_window(axis->x, window, axis->samples);
    pack(packed, axis->x, axis->samples, layout->transform);
    transformed = habit_fft(packed, other, layout->transform);
    power = transformed.re == work ? work + 2 * half : work;
    habit_fft_power(transformed, layout->transform, power);
    return power;
}

/* The samples are standardised: the axis' size comes back as twice its logarithm, and silence in proportion to it. */
static void describe_spectrum(const struct axis *axis, const struct habit_layout *layout, const uint32_t edges[],
                              const float *power, float *feature)
{
    const float scale = 1.0f / ((float)axis->samples * (float)axis->samples);
    const float rounding = axis->floor / axis->size, least = LEAST_VALUE / axis->size;
    const float size = 2.0f * habit_log(axis->size);
    float silence = rounding * rounding + habit_without_dust(least, 1e-17f) * habit_without_dust(least, 1e-17f);
    float total = 0.0f;

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

static void describe(struct axis *axis, const struct habit_layout *layout, const uint32_t edges[], float *work,
                     float *spectrum, float *waveform)
{
    describe_waveform(axis, waveform, layout->view[HABIT_WAVEFORM].part);
    if (layout->transform == 0) {
        if (layout->view[HABIT_SPECTRUM].part > 0)
            spectrum[0] = habit_log(axis->size);
        return;
    }
    standardise(axis);
    describe_shape(axis, spectrum + layout->bands);
    describe_spectrum(axis, layout, edges, power_spectrum(axis, layout, work), spectrum);
}

bool habit_features_make(struct habit_features *features, const struct habit_layout *layout,
                         const struct habit_source *source, float *work)
{
    const uint32_t spectrum = layout->view[HABIT_SPECTRUM].part, waveform = layout->view[HABIT_WAVEFORM].part;

    features->constant = features->clipped = 0;
    if (layout->transform > 0) {
        make_window(work + 2 * layout->transform, layout->samples);
        make_edges(layout, features->edges);
    }
    for (uint32_t a = 0; a < layout->axes; a++) {
        struct axis axis = { .x = work, .samples = layout->samples };

        if (!load(&axis, source, a, layout->axes))
            return false;
        find_range(&axis);
        if (layout->samples > 1 && axis.lowest == axis.highest)
            features->constant |= (uint16_t)(1u << a);
        if (is_clipped(&axis))
            features->clipped |= (uint16_t)(1u << a);
        measure(&axis);
        describe(&axis, layout, features->edges, work, features->view[HABIT_SPECTRUM] + a * spectrum,
                 features->view[HABIT_WAVEFORM] + a * waveform);
        features->view[HABIT_LEVEL][a] = axis.mean;
        features->rms[a] = axis.rms;
    }
    return true;
}
