#include "fft.h"

#include "points.h"

/* A real signal of size N is transformed as N / 2 complex values: even samples are real parts, odd ones imaginary parts, as
 * they lie in memory. Steps of radix 4 by decimation in time, in place, where each block of a step has a twiddle of its own.
 * The values come out in mirrored order, which is the order in which the twiddles are needed too: one table in that order
 * serves every size. */

static const float *fine_twiddle(uint32_t b)
{
    return &habit_fine_twiddles[2 * (b % HABIT_FINE_TWIDDLES)];
}

/* The twiddles of block b and its neighbours, from what the table of the fine ones has for them. */
LANES_INLINE struct points turn(struct points fine, uint32_t b)
{
    if (b < HABIT_FINE_TWIDDLES)
        return fine;
    return points_multiply(fine, points_of(&habit_coarse_twiddles[2 * (b / HABIT_FINE_TWIDDLES)]));
}

/* Four values that are combined. */
struct quad {
    struct points a, b, c, d;
};

LANES_INLINE struct quad combine(struct quad v, struct points w1, struct points w2, struct points w3)
{
    const struct points b = points_multiply(v.b, w1), c = points_multiply(v.c, w2), d = points_multiply(v.d, w3);
    const struct points sum_ac = { v.a.re + c.re, v.a.im + c.im }, dif_ac = { v.a.re - c.re, v.a.im - c.im };
    const struct points sum_bd = { b.re + d.re, b.im + d.im }, dif_bd = { b.re - d.re, b.im - d.im };

    return (struct quad){ .a = { sum_ac.re + sum_bd.re, sum_ac.im + sum_bd.im },
                          .b = { sum_ac.re - sum_bd.re, sum_ac.im - sum_bd.im },
                          .c = { dif_ac.re + dif_bd.im, dif_ac.im - dif_bd.re },
                          .d = { dif_ac.re - dif_bd.im, dif_ac.im + dif_bd.re } };
}

/* Block b of a step: each quarter of it is `quarter` floats long. */
static void combine_quarters(float *x, uint32_t quarter, uint32_t b)
{
    const struct points w1 = turn(points_of(fine_twiddle(b)), b);
    const struct points w2 = points_multiply(w1, w1), w3 = points_multiply(w1, w2);
    float *xb = x + quarter, *xc = xb + quarter, *xd = xc + quarter;
    const float *end = xb;

    do {
        const struct quad v = { points_load(x), points_load(xb), points_load(xc), points_load(xd) };
        const struct quad w = combine(v, w1, w2, w3);

        points_store(x, w.a);
        points_store(xb, w.b);
        points_store(xc, w.c);
        points_store(xd, w.d);
        x += 2 * HABIT_POINTS;
        xb += 2 * HABIT_POINTS;
        xc += 2 * HABIT_POINTS;
        xd += 2 * HABIT_POINTS;
    } while (x != end);
}

/* The first step where the number of points is no power of four: its only twiddle is 1. */
static void combine_halves(float *x, uint32_t half)
{
    float *y = x + half;
    const float *end = y;

    do {
        const number a = number_load(x), b = number_load(y);

        number_store(x, a + b);
        number_store(y, a - b);
        x += HABIT_POINTS;
        y += HABIT_POINTS;
    } while (x != end);
}

#if HABIT_VECTORS

enum { SHORTEST = 32 }; /* block that one twiddle fills the lanes of */

/* The last step: its blocks have four values each, and are taken four at once. */
static void combine_neighbours(float *x, uint32_t size)
{
    for (uint32_t at = 0, b = 0; at < size; at += 32, b += 4) {
        const struct points w1 = turn(points_load(fine_twiddle(b)), b);
        const struct points w2 = points_multiply(w1, w1), w3 = points_multiply(w1, w2);
        struct quad v;

        points_load_across(x + at, &v.a, &v.b);
        points_load_across(x + at + 4, &v.c, &v.d);
        v = combine(v, w1, w2, w3);
        points_store_across(x + at, v.a, v.b);
        points_store_across(x + at + 4, v.c, v.d);
    }
}

#else

enum { SHORTEST = 8 };

#endif

static void transform(float *x, uint32_t size)
{
    uint32_t length = size;

    if (size & 0x55555555u) {
        length = size / 2;
        combine_halves(x, length);
    }
    for (; length >= SHORTEST; length /= 4)
        for (uint32_t at = 0, b = 0; at < size; at += length, b++)
            combine_quarters(x + at, length / 4, b);
#if HABIT_VECTORS
    combine_neighbours(x, size);
#endif
}

/* Bins k and h - k, h = size / 2, from what the transform Z of the complex values has for them. E being that of the even and
 * O that of the odd samples, * the conjugate: 2 E_k = Z_k + Z*_(h-k), 2 O_k = -i (Z_k - Z*_(h-k)), X_k = E_k + w^k O_k,
 * X*_(h-k) = E_k - w^k O_k. */
struct powers {
    number up, down;
};

LANES_INLINE struct powers separate(struct points z, struct points y, struct points w)
{
    const struct points even = { z.re + y.re, z.im - y.im }, odd = { z.im + y.im, y.re - z.re };
    const struct points turned = points_multiply(odd, w);
    const struct points up = { even.re + turned.re, even.im + turned.im };
    const struct points down = { even.re - turned.re, even.im - turned.im };

    return (struct powers){ up.re * up.re + up.im * up.im, down.re * down.re + down.im * down.im };
}

#if HABIT_VECTORS

enum { FIRST_RUN = 8 };

/* w^k of the bins at place j and behind. */
static struct points twiddles_from(uint32_t j)
{
    const lanes fine = lanes_load(fine_twiddle(j / 2));

    return turn((struct points){ fine, SELECT(fine, -fine, 1, 4, 3, 6) }, j / 2);
}

/* The runs that are shorter than the lanes. */
static void separate_first(float *x)
{
    static const uint8_t up[] = { 1, 2, 4, 5 }, down[] = { 1, 3, 7, 6 };
    const float *t = habit_fine_twiddles;
    const struct points z = { { x[2], x[4], x[8], x[10] }, { x[3], x[5], x[9], x[11] } };
    const struct points y = { { x[2], x[6], x[14], x[12] }, { x[3], x[7], x[15], x[13] } };
    const struct points w = { { 0.0f, t[2], t[4], t[5] }, { -1.0f, t[3], t[5], -t[4] } };
    const struct powers powers = separate(z, y, w);

    for (uint32_t i = 0; i < HABIT_LANES; i++) {
        x[up[i]] = powers.up[i];
        x[down[i]] = powers.down[i];
    }
}

#else

enum { FIRST_RUN = 1 };

static struct points twiddles_from(uint32_t j)
{
    const struct points w = turn(points_load(fine_twiddle(j / 2)), j / 2);

    return j % 2 == 0 ? w : (struct points){ w.im, -w.re };
}

#endif

/* Runs begin at powers of two; in mirrored order the bins k and h - k are as far from the two ends of a run. The power of what
 * lay at place j goes to x[j], which was read before. */
static void separate_all(float *x, uint32_t half)
{
#if HABIT_VECTORS
    separate_first(x);
#endif
    for (uint32_t run = FIRST_RUN; run < half; run *= 2)
        for (uint32_t j = run, m = 2 * run - HABIT_POINTS; j <= m; j += HABIT_POINTS, m -= HABIT_POINTS) {
            const struct points z = points_load(x + 2 * j), y = points_backwards(points_load(x + 2 * m));
            const struct powers powers = separate(z, y, twiddles_from(j));

            number_store(x + j, powers.up);
            number_store(x + m, number_backwards(powers.down));
        }
}

/* Powers into the order of their bins, four at once from the four quarters of x, backwards: what is overwritten has been
 * moved. The place of bin 4 q is q mirrored. */
static void sort_bins(const float *x, uint32_t half, float *power)
{
    const uint32_t quarter = half / 4;
    uint32_t place = quarter - 1;

    for (uint32_t bin = half; bin > 0;) {
        const float p0 = x[place], p1 = x[place + 2 * quarter], p2 = x[place + quarter], p3 = x[place + 3 * quarter];
        uint32_t bit = quarter;

        bin -= 4;
        power[bin] = p0;
        power[bin + 1] = p1;
        power[bin + 2] = p2;
        power[bin + 3] = p3;
        do {
            bit /= 2;
            place ^= bit;
        } while ((place & bit) != 0);
    }
}

float *habit_fft_power(float *x, uint32_t size)
{
    const uint32_t half = size / 2;
    float *power = x + half - 1;
    float last;

    transform(x, size);
    last = x[0] - x[1];
    separate_all(x, half);
    sort_bins(x, half, power);
    power[half] = 4.0f * (last * last);
    return power;
}
