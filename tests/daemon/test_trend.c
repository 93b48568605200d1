/* Trends of simulated machines: how often one is seen where there is none, and whether the interval holds the truth. */
#include "support.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "report/trend.h"

enum { TRIALS = 2000 };

static double normal(uint64_t *seed)
{
    double sum = 0;

    for (int i = 0; i < 12; i++)
        sum += (double)chance_below(seed, 1u << 20) / (1u << 20);
    return sum - 6;
}

struct made {
    double slope, noise, memory; /* correlation with the day before */
    int known;                   /* days, of the last ones */
    int outliers;
};

static void make(uint64_t *seed, const struct made *made, double means[TREND_DAYS])
{
    double rest = normal(seed);

    for (int i = 0; i < TREND_DAYS; i++) {
        rest = made->memory * rest + sqrt(1 - made->memory * made->memory) * normal(seed);
        means[i] =
            i < TREND_DAYS - made->known ? (double)NAN : -2 + made->slope * (i - TREND_DAYS + 1) + made->noise * rest;
    }
    for (int i = 0; i < made->outliers; i++)
        means[TREND_DAYS - 2 - chance_below(seed, (uint32_t)made->known - 1)] += 3;
}

struct seen {
    int rising, covered, days_covered, days_known;
    double slope, days;
};

/* The level is -2 today and the line at 0: at `slope` there are 2 / slope days left. */
static struct seen watch(const struct made *made)
{
    struct seen seen = { 0 };
    uint64_t seed = 11;

    for (int i = 0; i < TRIALS; i++) {
        double means[TREND_DAYS];
        struct trend trend;

        make(&seed, made, means);
        trend_find(&trend, means, 0);
        assert_int_equal(trend.days, made->known);
        assert_true(trend.slope_low <= trend.slope && trend.slope <= trend.slope_high);
        seen.slope += trend.slope / TRIALS;
        seen.rising += trend.rising;
        seen.covered += trend.slope_low <= made->slope && made->slope <= trend.slope_high;
        assert_int_equal(trend.rising, isfinite(trend.to_line));
        if (!trend.rising)
            continue;
        assert_true(trend.to_line_low <= trend.to_line && trend.to_line <= trend.to_line_high);
        seen.days_known++;
        seen.days += trend.to_line;
        seen.days_covered += trend.to_line_low <= 2 / made->slope && 2 / made->slope <= trend.to_line_high;
    }
    seen.days = seen.days_known > 0 ? seen.days / seen.days_known : (double)NAN;
    printf("slope %.3f noise %.2f memory %.1f days %2d outliers %d: slope %.4f, interval holds it %.1f %%, rising %.1f "
           "%%, "
           "%.1f days, interval holds them %.1f %%\n",
           made->slope, made->noise, made->memory, made->known, made->outliers, seen.slope,
           100.0 * seen.covered / TRIALS, 100.0 * seen.rising / TRIALS, seen.days,
           seen.days_known > 0 ? 100.0 * seen.days_covered / seen.days_known : 0);
    return seen;
}

static void test_no_trend(void **state)
{
    (void)state;
    for (int known = TREND_LEAST; known <= TREND_DAYS; known += 7) {
        struct seen seen = watch(&(struct made){ .noise = 0.1, .known = known });

        assert_true(seen.rising < TRIALS * 7 / 100); /* 5 % by design */
        assert_true(seen.covered > TRIALS * 88 / 100);
        assert_true(fabs(seen.slope) < 0.001);
    }
    assert_true(watch(&(struct made){ .noise = 0.1, .known = 28, .memory = 0.4 }).rising < TRIALS * 8 / 100);
    assert_true(watch(&(struct made){ .noise = 0.1, .known = 28, .outliers = 3 }).rising < TRIALS * 7 / 100);
}

static void test_a_rise(void **state)
{
    struct seen seen;

    (void)state;
    seen = watch(&(struct made){ .slope = 0.05, .noise = 0.1, .known = 28 });
    assert_true(seen.rising == TRIALS && fabs(seen.days - 40) < 2);
    assert_true(seen.days_covered > TRIALS * 85 / 100);
    seen = watch(&(struct made){ .slope = 0.05, .noise = 0.1, .known = 28, .outliers = 3 });
    assert_true(seen.rising > TRIALS * 95 / 100 && fabs(seen.days - 40) < 4);
    seen = watch(&(struct made){ .slope = 0.05, .noise = 0.1, .known = 14, .memory = 0.3 });
    assert_true(seen.rising > TRIALS * 80 / 100);
    assert_true(watch(&(struct made){ .slope = -0.05, .noise = 0.1, .known = 28 }).rising == 0);
}

static void test_too_few_days(void **state)
{
    double means[TREND_DAYS];
    struct trend trend;

    (void)state;
    for (int i = 0; i < TREND_DAYS; i++)
        means[i] = i < TREND_DAYS - TREND_LEAST + 1 ? (double)NAN : i;
    trend_find(&trend, means, 0);
    assert_int_equal(trend.days, TREND_LEAST - 1);
    assert_true(isnan(trend.slope) && isnan(trend.level) && isnan(trend.to_line) && !trend.rising);
    for (int i = 0; i < TREND_DAYS; i++)
        means[i] = i == TREND_DAYS - 1 ? (double)NAN : i; /* today nothing was judged */
    trend_find(&trend, means, 0);
    assert_true(isnan(trend.slope) && !trend.rising);
}

static void test_met_already_and_exact(void **state)
{
    double means[TREND_DAYS];
    struct trend trend;

    (void)state;
    for (int i = 0; i < TREND_DAYS; i++)
        means[i] = 0.125 * (i - TREND_DAYS + 1) + 1;
    trend_find(&trend, means, 0);
    assert_true(trend.rising && trend.slope == 0.125 && trend.level == 1);
    assert_true(trend.to_line == 0 && trend.to_line_low == 0 && trend.to_line_high == 0);
    trend_find(&trend, means, 3);
    assert_true(trend.to_line == 16 && trend.to_line_low == 16 && trend.to_line_high == 16);
    for (int i = 0; i < TREND_DAYS; i++)
        means[i] = 5; /* exactly flat: no rise, no division by zero */
    trend_find(&trend, means, 3);
    assert_true(!trend.rising && trend.slope == 0 && isnan(trend.to_line));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_no_trend),
        cmocka_unit_test(test_a_rise),
        cmocka_unit_test(test_too_few_days),
        cmocka_unit_test(test_met_already_and_exact),
    };

    return cmocka_run_group_tests_name("trend", tests, NULL, NULL);
}
