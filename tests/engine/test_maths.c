/* The engine's own functions against libm's in double, transform and distances against their definitions, the CRC against
 * RFC 3720. */
#include <math.h>
#include <string.h>

#include "machine.h"

#include "block.h"
#include "crc32c.h"
#include "feature.h"
#include "fft.h"
#include "maths.h"

struct function {
    const char *name;
    float (*ours)(float);
    double (*theirs)(double);
    double from, to;
    bool geometric; /* steps are factors */
    double relative, absolute;
};

static double normal_tail(double x)
{
    return 0.5 * erfc(x / sqrt(2.0));
}

static const struct function functions[] = {
    { "log", habit_log, log, 1e-37, 3e38, true, 2e-7, 1e-7 },
    { "log near 1", habit_log, log, 0.9, 1.1, true, 2e-7, 1e-8 },
    { "exp2", habit_exp2, exp2, -126.0, 126.0, false, 3e-7, 0.0 },
    { "exp", habit_exp, exp, -80.0, 80.0, false, 1e-5, 0.0 },
    { "atan", habit_atan, atan, -50.0, 50.0, false, 3e-7, 0.0 },
    { "sin", habit_sin, sin, 0.0, 1.57079, false, 3e-7, 1e-7 },
    { "normal tail", habit_normal_tail, normal_tail, -10.0, 10.0, false, 2e-5, 0.0 },
};

static void test_functions_are_close_to_libm(void **state)
{
    enum { STEPS = 20000 };

    (void)state;
    for (size_t f = 0; f < sizeof(functions) / sizeof(functions[0]); f++)
        for (int i = 0; i <= STEPS; i++) {
            const struct function *t = &functions[f];
            const double part = (double)i / STEPS;
            const float x =
                (float)(t->geometric ? t->from * pow(t->to / t->from, part) : t->from + (t->to - t->from) * part);
            const double expected = t->theirs((double)x), got = (double)t->ours(x);

            if (!(fabs(got - expected) <= t->relative * fabs(expected) + t->absolute))
                fail_msg("%s(%.9g) is %.9g, not %.9g", t->name, (double)x, got, expected);
        }
}

static void test_functions_stay_finite_at_the_ends(void **state)
{
    (void)state;
    assert_true(isfinite(habit_log(0.0f)) && isfinite(habit_log(-1.0f)));
    assert_true(isfinite(habit_exp(1e30f)) && habit_exp(-1e30f) > 0.0f);
    assert_true(habit_normal_tail(1e30f) > 0.0f);
}

/* |X_k|^2 by definition, in double precision. */
static double power_of_bin(const float *samples, uint32_t size, uint32_t k)
{
    double re = 0.0, im = 0.0;

    for (uint32_t i = 0; i < size; i++) {
        re += (double)samples[i] * cos(2.0 * M_PI * (double)(k * i % size) / size);
        im -= (double)samples[i] * sin(2.0 * M_PI * (double)(k * i % size) / size);
    }
    return re * re + im * im;
}

static void check_transform(uint32_t size)
{
    static float samples[HABIT_MAX_BUFFER_SIZE], x[HABIT_MAX_BUFFER_SIZE];
    const float *power;
    uint32_t seed = size;
    double energy = 0.0;

    for (uint32_t i = 0; i < size; i++) {
        samples[i] = x[i] = noise(&seed);
        energy += (double)samples[i] * (double)samples[i];
    }
    memset(x + size, 0, size < HABIT_FFT_ROOM ? sizeof(*x) * (HABIT_FFT_ROOM - size) : 0);
    power = habit_fft_power(x, size);
    for (uint32_t k = 1; k <= size / 2; k += size > 512 && k + 37 < size / 2 ? 37 : 1) {
        const double expected = power_of_bin(samples, size, k);
        const double got = 0.25 * (double)power[k];

        if (fabs(got - expected) > 1e-6 * (expected + energy))
            fail_msg("size %u, bin %u: %.9g, not %.9g", size, k, got, expected);
    }
}

static void test_transform_is_a_fourier_transform(void **state)
{
    (void)state;
    for (uint32_t size = 8; size <= HABIT_MAX_BUFFER_SIZE; size *= 2)
        check_transform(size);
}

/* ------------------------------------------------------------------------------------------- blocks of a covariance */

enum { MOST_PART = HABIT_MAX_PART, BLOCKS = 2, TRIANGLE = MOST_PART * (MOST_PART + 1) / 2 };

/* A scatter of some random vectors, and vectors between which distances are taken. */
struct scattered {
    struct habit_shape shape;
    float scatter[BLOCKS * TRIANGLE], inverse_sd[BLOCKS * MOST_PART];
    float x[BLOCKS * MOST_PART], points[HABIT_POINTS][BLOCKS * MOST_PART];
};

static void scatter_fill(struct scattered *s, uint32_t part, uint32_t samples)
{
    uint32_t seed = part;
    float d[BLOCKS * MOST_PART];

    memset(s, 0, sizeof(*s));
    s->shape =
        (struct habit_shape){ .dimension = BLOCKS * part, .part = part, .blocks = BLOCKS, .points = HABIT_POINTS };
    for (uint32_t k = 0; k < samples; k++) {
        const float common = noise(&seed);

        for (uint32_t i = 0; i < BLOCKS * part; i++)
            d[i] = (float)(i + 1) * (noise(&seed) + common);
        habit_scatter_add(s->scatter, &s->shape, d, 1.0f);
    }
    habit_scatter_diagonal(s->scatter, &s->shape, s->inverse_sd);
    for (uint32_t i = 0; i < BLOCKS * part; i++) {
        s->inverse_sd[i] = 1.0f / sqrtf(s->inverse_sd[i] / (float)samples);
        s->x[i] = (float)(i + 1) * noise(&seed);
        for (uint32_t k = 0; k < HABIT_POINTS; k++)
            s->points[k][i] = (float)(i + 1) * noise(&seed);
    }
}

/* z' R^-1 z by elimination without any cleverness, R being positive definite. */
static double quadratic_form(double r[MOST_PART][MOST_PART], const double *z, uint32_t size)
{
    double x[MOST_PART], sum = 0.0;

    memcpy(x, z, sizeof(*x) * size);
    for (uint32_t i = 0; i < size; i++)
        for (uint32_t j = 0; j < size; j++) {
            const double factor = r[j][i] / r[i][i];

            if (j == i)
                continue;
            for (uint32_t k = 0; k < size; k++)
                r[j][k] -= factor * r[i][k];
            x[j] -= factor * x[i];
        }
    for (uint32_t i = 0; i < size; i++)
        sum += z[i] * x[i] / r[i][i];
    return sum;
}

/* Oracle approximating shrinkage by its formula, then the distance in the shrunk correlation. */
static double distance_in_block(const struct scattered *s, uint32_t block, uint32_t point, double samples)
{
    const uint32_t p = s->shape.part;
    const float *scatter = s->scatter + block * habit_triangle(p), *isd = s->inverse_sd + block * p;
    double r[MOST_PART][MOST_PART], z[MOST_PART], squares = 0.0, part, shrinkage;

    for (uint32_t i = 0; i < p; i++)
        for (uint32_t j = 0; j <= i; j++)
            r[i][j] = r[j][i] = (double)*scatter++ * (double)isd[i] * (double)isd[j] / samples;
    for (uint32_t i = 0; i < p; i++)
        for (uint32_t j = 0; j < p; j++)
            squares += i == j ? 0.0 : r[i][j] * r[i][j];
    part = 1.0 - 2.0 / p;
    shrinkage = fmin(1.0, (part * (p + squares) + (double)p * p) / fmax(1e-30, (samples + part) * squares));
    for (uint32_t i = 0; i < p; i++) {
        for (uint32_t j = 0; j < p; j++)
            r[i][j] = i == j ? 1.0 + 1e-6 : (1.0 - shrinkage) * r[i][j];
        z[i] = ((double)s->x[block * p + i] - (double)s->points[point][block * p + i]) * (double)isd[i];
    }
    return quadratic_form(r, z, p);
}

static void check_distances(uint32_t part, uint32_t samples)
{
    static struct scattered s;
    static float factor[BLOCKS * TRIANGLE], work[HABIT_POINTS * MOST_PART], distance[HABIT_POINTS];
    const float *points[HABIT_POINTS];

    scatter_fill(&s, part, samples);
    for (uint32_t k = 0; k < HABIT_POINTS; k++)
        points[k] = s.points[k];
    habit_blocks_factor(factor, s.scatter, &s.shape, 1.0f / (float)samples, s.inverse_sd, (float)samples);
    habit_blocks_distances(factor, &s.shape, s.inverse_sd, s.x, points, work, distance);
    for (uint32_t k = 0; k < HABIT_POINTS; k++) {
        const double expected = distance_in_block(&s, 0, k, samples) + distance_in_block(&s, 1, k, samples);

        if (!(fabs((double)distance[k] - expected) <= 1e-4 * expected))
            fail_msg("part %u, %u samples, point %u: %.9g, not %.9g", part, samples, k, (double)distance[k], expected);
    }
}

static void test_distances_are_those_of_the_shrunk_correlation(void **state)
{
    static const uint32_t samples[] = { 2, 10, 40, 1000 };

    (void)state;
    for (uint32_t part = 1; part <= MOST_PART; part++)
        for (size_t i = 0; i < sizeof(samples) / sizeof(samples[0]); i++)
            check_distances(part, samples[i]);
}

static void test_crc_has_the_known_values(void **state)
{
    uint8_t bytes[32];

    (void)state;
    assert_int_equal(habit_crc32c(0, "123456789", 9), 0xe3069283u);
    memset(bytes, 0, sizeof(bytes));
    assert_int_equal(habit_crc32c(0, bytes, sizeof(bytes)), 0x8a9136aau);
    memset(bytes, 0xff, sizeof(bytes));
    assert_int_equal(habit_crc32c(0, bytes, sizeof(bytes)), 0x62a8ab43u);
    assert_int_equal(habit_crc32c(habit_crc32c(0, "1234", 4), "56789", 5), 0xe3069283u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_close_to_libm),
        cmocka_unit_test(test_functions_stay_finite_at_the_ends),
        cmocka_unit_test(test_transform_is_a_fourier_transform),
        cmocka_unit_test(test_distances_are_those_of_the_shrunk_correlation),
        cmocka_unit_test(test_crc_has_the_known_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
