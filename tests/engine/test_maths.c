/* The engine's own functions against libm's in double, the transform against its definition, the CRC against RFC 3720. */
#include <math.h>
#include <string.h>

#include "machine.h"

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
        cmocka_unit_test(test_crc_has_the_known_values),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
