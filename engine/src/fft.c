#include "fft.h"

#include "lanes.h"

/* Stockham's self-sorting transform in steps of radix 4, by decimation in frequency: each step reads one pair of arrays and
 * writes the other, so no bit reversal is needed. A real signal of size N runs as N/2 complex values. */

struct twiddle {
    float re, im;
};

/* exp(-2 pi i step / HABIT_TWIDDLES) for the first quarter of the circle. */
static struct twiddle twiddle_at(uint32_t step)
{
    struct twiddle w = { habit_quarter_wave[HABIT_TWIDDLES / 4 - step], -habit_quarter_wave[step] };

    return w;
}

struct points {
    lanes re, im;
};

static inline struct points times(struct points a, struct points b)
{
    return (struct points){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

/* Four values a quarter of the length apart, in four lanes at once. */
static inline void butterfly(struct points v[4], struct points w1)
{
    const struct points w2 = times(w1, w1), w3 = times(w1, w2);
    const struct points sum02 = { v[0].re + v[2].re, v[0].im + v[2].im },
                        sum13 = { v[1].re + v[3].re, v[1].im + v[3].im };
    const struct points dif02 = { v[0].re - v[2].re, v[0].im - v[2].im },
                        dif13 = { v[1].re - v[3].re, v[1].im - v[3].im };

    v[0] = (struct points){ sum02.re + sum13.re, sum02.im + sum13.im };
    v[1] = times((struct points){ dif02.re + dif13.im, dif02.im - dif13.re }, w1);
    v[2] = times((struct points){ sum02.re - sum13.re, sum02.im - sum13.im }, w2);
    v[3] = times((struct points){ dif02.re - dif13.im, dif02.im + dif13.re }, w3);
}

/* The first `count` lanes only; zeros in the others. */
static inline lanes load_some(const float *x, uint32_t count)
{
    lanes v = lanes_of(0.0f);

    if (count == HABIT_LANES)
        return lanes_load(x);
    for (uint32_t i = 0; i < count; i++)
        v[i] = x[i];
    return v;
}

/* The first step, where neighbours need different twiddles and their results lie four apart. Of a transform that is shorter
 * than the lanes the last lanes hold zeros. */
static void first_step(struct habit_complex from, struct habit_complex to, uint32_t length)
{
    const uint32_t quarter = length / 4, turn = HABIT_TWIDDLES / length;
    const uint32_t side = quarter < HABIT_LANES ? quarter : HABIT_LANES;

    for (uint32_t p = 0; p < quarter; p += side) {
        struct points v[4], w = { lanes_of(0.0f), lanes_of(0.0f) };

        for (uint32_t k = 0; k < 4; k++) {
            v[k].re = load_some(from.re + p + k * quarter, side);
            v[k].im = load_some(from.im + p + k * quarter, side);
        }
        for (uint32_t i = 0; i < side; i++) {
            w.re[i] = twiddle_at((p + i) * turn).re;
            w.im[i] = twiddle_at((p + i) * turn).im;
        }
        butterfly(v, w);
        for (uint32_t i = 0; i < side; i++)
            for (uint32_t k = 0; k < 4; k++) {
                to.re[4 * (p + i) + k] = v[k].re[i];
                to.im[4 * (p + i) + k] = v[k].im[i];
            }
    }
}

/* A later step: `length` points are left to be combined, and `stride` neighbours, a multiple of the lanes, share twiddles. */
static void later_step(struct habit_complex from, struct habit_complex to, uint32_t length, uint32_t stride)
{
    const uint32_t quarter = length / 4 * stride;

    for (uint32_t p = 0; p < length / 4; p++) {
        const struct twiddle t = twiddle_at(p * (HABIT_TWIDDLES / length));
        const struct points w = { lanes_of(t.re), lanes_of(t.im) };

        for (uint32_t q = 0; q < stride; q += HABIT_LANES) {
            struct points v[4];

            for (uint32_t k = 0; k < 4; k++) {
                v[k].re = lanes_load(from.re + p * stride + q + k * quarter);
                v[k].im = lanes_load(from.im + p * stride + q + k * quarter);
            }
            butterfly(v, w);
            for (uint32_t k = 0; k < 4; k++) {
                lanes_store(to.re + (4 * p + k) * stride + q, v[k].re);
                lanes_store(to.im + (4 * p + k) * stride + q, v[k].im);
            }
        }
    }
}

/* What is left where the number of points is no power of four. */
static void last_pairs(const float *from, float *to, uint32_t stride)
{
    for (uint32_t q = 0; q < stride; q += HABIT_LANES) {
        const lanes a = lanes_load(from + q), b = lanes_load(from + q + stride);

        lanes_store(to + q, a + b);
        lanes_store(to + q + stride, a - b);
    }
}

struct habit_complex habit_fft(struct habit_complex packed, struct habit_complex other, uint32_t size)
{
    struct habit_complex from = packed, to = other, swap;
    uint32_t length = size / 2, stride = 1;

    while (length > 1) {
        if (stride == 1) {
            first_step(from, to, length);
        } else if (length >= 4) {
            later_step(from, to, length, stride);
        } else {
            last_pairs(from.re, to.re, stride);
            last_pairs(from.im, to.im, stride);
        }
        swap = from;
        from = to;
        to = swap;
        stride *= 4;
        length /= 4;
    }
    return from;
}

/* With Z the transform of the packed signal, E that of its even and O that of its odd samples, and * the conjugate:
 * 2 E_k = Z_k + Z*_(h-k), 2 O_k = -i (Z_k - Z*_(h-k)), X_k = E_k + w^k O_k, X*_(h-k) = E_k - w^k O_k, h = size / 2. */
void habit_fft_power(struct habit_complex z, uint32_t size, float *power)
{
    const uint32_t half = size / 2, step = HABIT_TWIDDLES / size;
    const float last = z.re[0] - z.im[0];

    power[0] = 0.0f;
    power[half] = last * last;
    for (uint32_t k = 1, m = half - 1; k <= m; k++, m--) {
        const struct twiddle w = twiddle_at(k * step);
        const float even_re = 0.5f * (z.re[k] + z.re[m]), even_im = 0.5f * (z.im[k] - z.im[m]);
        const float odd_re = 0.5f * (z.im[k] + z.im[m]), odd_im = 0.5f * (z.re[m] - z.re[k]);
        const float turned_re = odd_re * w.re - odd_im * w.im, turned_im = odd_re * w.im + odd_im * w.re;
        const float up_re = even_re + turned_re, up_im = even_im + turned_im;
        const float down_re = even_re - turned_re, down_im = even_im - turned_im;

        power[k] = up_re * up_re + up_im * up_im;
        power[m] = down_re * down_re + down_im * down_im;
    }
}
