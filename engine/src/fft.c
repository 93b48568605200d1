#include "fft.h"

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

static struct twiddle twiddle_times(struct twiddle a, struct twiddle b)
{
    struct twiddle w = { a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };

    return w;
}

/* Four values a quarter apart become four neighbours; `stride` such butterflies share their twiddles. */
static void butterflies(const float *restrict re, const float *restrict im, float *restrict to_re, float *restrict to_im,
                        uint32_t quarter, uint32_t stride, struct twiddle w1)
{
    const struct twiddle w2 = twiddle_times(w1, w1);
    const struct twiddle w3 = twiddle_times(w1, w2);

    for (uint32_t q = 0; q < stride; q++) {
        const float sum02_re = re[q] + re[q + 2 * quarter], sum02_im = im[q] + im[q + 2 * quarter];
        const float dif02_re = re[q] - re[q + 2 * quarter], dif02_im = im[q] - im[q + 2 * quarter];
        const float sum13_re = re[q + quarter] + re[q + 3 * quarter], sum13_im = im[q + quarter] + im[q + 3 * quarter];
        const float dif13_re = re[q + quarter] - re[q + 3 * quarter], dif13_im = im[q + quarter] - im[q + 3 * quarter];
        const float a_re = dif02_re + dif13_im, a_im = dif02_im - dif13_re;
        const float b_re = sum02_re - sum13_re, b_im = sum02_im - sum13_im;
        const float c_re = dif02_re - dif13_im, c_im = dif02_im + dif13_re;

        to_re[q] = sum02_re + sum13_re;
        to_im[q] = sum02_im + sum13_im;
        to_re[q + stride] = a_re * w1.re - a_im * w1.im;
        to_im[q + stride] = a_re * w1.im + a_im * w1.re;
        to_re[q + 2 * stride] = b_re * w2.re - b_im * w2.im;
        to_im[q + 2 * stride] = b_re * w2.im + b_im * w2.re;
        to_re[q + 3 * stride] = c_re * w3.re - c_im * w3.im;
        to_im[q + 3 * stride] = c_re * w3.im + c_im * w3.re;
    }
}

/* One step: `length` points are left to be combined at this stride. */
static void radix4(struct habit_complex from, struct habit_complex to, uint32_t length, uint32_t stride)
{
    const uint32_t quarter = length / 4;

    for (uint32_t p = 0; p < quarter; p++)
        butterflies(from.re + p * stride, from.im + p * stride, to.re + 4 * p * stride, to.im + 4 * p * stride,
                    quarter * stride, stride, twiddle_at(p * (HABIT_TWIDDLES / length)));
}

static void radix2(struct habit_complex from, struct habit_complex to, uint32_t stride)
{
    for (uint32_t q = 0; q < stride; q++) {
        to.re[q] = from.re[q] + from.re[q + stride];
        to.im[q] = from.im[q] + from.im[q + stride];
        to.re[q + stride] = from.re[q] - from.re[q + stride];
        to.im[q + stride] = from.im[q] - from.im[q + stride];
    }
}

struct habit_complex habit_fft(struct habit_complex packed, struct habit_complex other, uint32_t size)
{
    struct habit_complex from = packed, to = other, swap;
    uint32_t length = size / 2, stride = 1;

    while (length > 1) {
        if (length >= 4)
            radix4(from, to, length, stride);
        else
            radix2(from, to, stride);
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
