/* Learned buffers as int16: at most half a step is lost, whatever the range, and nothing of one axis on another. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry/commissioning.h"

enum { MOST = 4096 };

static float samples[MOST];
static int16_t packed[MOST];
static float step[16], offset[16];

/* Packs and unpacks; each value within half a step, give or take the rounding of step and offset themselves. */
static void check(size_t count, size_t axes)
{
    memset(packed, 0x55, sizeof(packed));
    commissioning_pack(samples, count, axes, packed, step, offset);
    for (size_t axis = 0; axis < axes; axis++) {
        float low = INFINITY, high = -INFINITY;

        for (size_t i = axis; i < count; i += axes) {
            low = fminf(low, samples[i]);
            high = fmaxf(high, samples[i]);
        }
        if (!isfinite(step[axis]) || !isfinite(offset[axis]) || step[axis] < 0 || offset[axis] < low ||
            offset[axis] > high)
            fail_msg("axis %zu: step %g, offset %g in %g..%g", axis, (double)step[axis], (double)offset[axis],
                     (double)low, (double)high);
        /* The step covers the axis' own range: twice the range at the most, where the middle itself had to be rounded. */
        if ((double)step[axis] * 32767 > ((double)high - (double)low) * 1.01 + DBL_MIN)
            fail_msg("axis %zu: step %g for %g..%g", axis, (double)step[axis], (double)low, (double)high);
        for (size_t i = axis; i < count; i += axes) {
            double value = (double)offset[axis] + (double)step[axis] * packed[i],
                   error = fabs(value - (double)samples[i]);

            if (error > 0.505 * (double)step[axis] + (double)FLT_MIN) /* what is smaller is 0 to the engine */
                fail_msg("axis %zu: %.9g became %.9g, %g steps", axis, (double)samples[i], value,
                         error / (double)step[axis]);
        }
    }
}

static void fill(uint64_t *seed, size_t count, size_t axes, const double *low, const double *high)
{
    for (size_t i = 0; i < count; i++) {
        double part = (double)chance_below(seed, 1u << 24) / ((1u << 24) - 1);

        samples[i] = (float)(low[i % axes] + part * (high[i % axes] - low[i % axes]));
    }
}

static void test_error_is_at_most_half_a_step(void **state)
{
    static const double low[] = { -1, 0, 9.81, -1e-6, 1e6, -3e4, 0.001 },
                        high[] = { 1, 1, 9.82, 1e-6, 1e6 + 10, 3e4, 1e3 };
    uint64_t seed = chance_seed();

    (void)state;
    for (size_t axes = 1; axes <= COUNT(low); axes++)
        for (int i = 0; i < 20; i++) {
            fill(&seed, 256 * axes, axes, low, high);
            check(256 * axes, axes);
        }
}

static void test_the_whole_range_of_int16_is_used(void **state)
{
    uint64_t seed = chance_seed();

    (void)state;
    fill(&seed, 1000, 1, &(double){ -2 }, &(double){ 6 });
    samples[10] = -2;
    samples[20] = 6;
    check(1000, 1);
    assert_true(packed[10] <= -32766 && packed[20] >= 32766);
    assert_true(fabsf(step[0] - 8.0f / 65534) < 1e-9f);
}

static void test_constant_axes(void **state)
{
    static const float values[] = { 0, 1, -1, 1e-30f, FLT_MIN, FLT_TRUE_MIN, 1e15f, -1e15f, 123456.789f };

    (void)state;
    for (size_t v = 0; v < COUNT(values); v++) {
        for (size_t i = 0; i < 300; i++)
            samples[i] = i % 3 == 1 ? values[v] : (float)i;
        check(300, 3);
        for (size_t i = 1; i < 300; i += 3) {
            float value = offset[1] + step[1] * packed[i];

            assert_true(value == values[v]);
        }
    }
}

static void test_one_sample(void **state)
{
    (void)state;
    for (size_t axes = 1; axes <= 16; axes++) {
        for (size_t i = 0; i < axes; i++)
            samples[i] = (float)i - 7.5f;
        check(axes, axes);
    }
}

static void test_extremes(void **state)
{
    static const float extremes[][2] = {
        { -1e15f, 1e15f },  { 0, 1e15f },      { -1e15f, 0 },         { 9.99999e14f, 1e15f }, { -1e-15f, 1e-15f },
        { 0, 1e-15f },      { 1e-15f, 1e15f }, { -FLT_MIN, FLT_MIN }, { 0, FLT_TRUE_MIN },    { 0, 100 * FLT_TRUE_MIN },
        { -1e-38f, 1e15f },
    };
    uint64_t seed = chance_seed();

    (void)state;
    for (size_t e = 0; e < COUNT(extremes); e++) {
        fill(&seed, 500, 1, &(double){ (double)extremes[e][0] }, &(double){ (double)extremes[e][1] });
        samples[0] = extremes[e][0];
        samples[499] = extremes[e][1];
        check(500, 1);
    }
}

/* A small movement on a large offset: the middle of the range is no float then, and rounding it must not cut the ends off. */
static void test_small_movement_on_a_large_offset(void **state)
{
    static const float offsets[] = { 1, 9.81f, 1e3f, 1e6f, 1e7f, 16777215, 1e10f, 1e15f, -1e7f };

    (void)state;
    for (size_t o = 0; o < COUNT(offsets); o++)
        for (int ulps = 1; ulps < 10; ulps++) {
            float value = offsets[o];

            for (int i = 0; i <= ulps; i++, value = nextafterf(value, 0))
                samples[i] = value;
            check((size_t)ulps + 1, 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error_is_at_most_half_a_step),
        cmocka_unit_test(test_the_whole_range_of_int16_is_used),
        cmocka_unit_test(test_constant_axes),
        cmocka_unit_test(test_one_sample),
        cmocka_unit_test(test_extremes),
        cmocka_unit_test(test_small_movement_on_a_large_offset),
    };

    return cmocka_run_group_tests_name("commissioning", tests, NULL, NULL);
}
