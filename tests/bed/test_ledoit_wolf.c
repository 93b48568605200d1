/* The covariance of Ledoit and Wolf against a slow and obvious twin. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ledoit_wolf.h"

static void check_near(const char *what, double got, double expected, double tolerance)
{
    if (!(fabs(got - expected) <= tolerance))
        fail_msg("%s is %.9g, not %.9g +- %.2g", what, got, expected, tolerance);
}

enum { ROWS = 40, SIZE = 7, SKIPPED = 5 };

struct twin {
    double mean[SIZE], deviation[SIZE], inverse[SIZE][SIZE], shrinkage;
};

static void twin_standardise(struct twin *twin, double (*x)[SIZE], const bool *use, double (*z)[SIZE])
{
    double n = ROWS - SKIPPED;

    for (int f = 0; f < SIZE; f++) {
        double sum = 0, square = 0;

        for (int i = 0; i < ROWS; i++)
            sum += use[i] ? x[i][f] : 0;
        twin->mean[f] = sum / n;
        for (int i = 0; i < ROWS; i++)
            square += use[i] ? pow(x[i][f] - twin->mean[f], 2) : 0;
        twin->deviation[f] = sqrt(square / n);
        for (int i = 0, row = 0; i < ROWS; i++)
            if (use[i])
                z[row++][f] = (x[i][f] - twin->mean[f]) / twin->deviation[f];
    }
}

static double squared_distance(double (*a)[SIZE], double (*b)[SIZE])
{
    double sum = 0;

    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            sum += pow(a[i][j] - b[i][j], 2);
    return sum;
}

/* Gauss and Jordan. */
static void invert(double (*a)[SIZE], double (*inverse)[SIZE])
{
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            inverse[i][j] = i == j;
    for (int i = 0; i < SIZE; i++) {
        double pivot = a[i][i];

        for (int j = 0; j < SIZE; j++) {
            a[i][j] /= pivot;
            inverse[i][j] /= pivot;
        }
        for (int k = 0; k < SIZE; k++) {
            double factor = k == i ? 0 : a[k][i];

            for (int j = 0; j < SIZE; j++) {
                a[k][j] -= factor * a[i][j];
                inverse[k][j] -= factor * inverse[i][j];
            }
        }
    }
}

/* The paper, word by word: lemma 3.2 to 3.4. */
static void twin_learn(struct twin *twin, double (*x)[SIZE], const bool *use)
{
    double z[ROWS][SIZE], s[SIZE][SIZE] = { 0 }, target[SIZE][SIZE] = { 0 }, one[SIZE][SIZE], mu = 0, b2 = 0, d2;
    int n = ROWS - SKIPPED;

    twin_standardise(twin, x, use, z);
    for (int row = 0; row < n; row++)
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                s[i][j] += z[row][i] * z[row][j] / n;
    for (int i = 0; i < SIZE; i++)
        mu += s[i][i] / SIZE;
    for (int i = 0; i < SIZE; i++)
        target[i][i] = mu;
    d2 = squared_distance(s, target);
    for (int row = 0; row < n; row++) {
        for (int i = 0; i < SIZE; i++)
            for (int j = 0; j < SIZE; j++)
                one[i][j] = z[row][i] * z[row][j];
        b2 += squared_distance(one, s) / n / n;
    }
    twin->shrinkage = fmin(b2, d2) / d2;
    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            s[i][j] = (1 - twin->shrinkage) * s[i][j] + twin->shrinkage * target[i][j];
    invert(s, twin->inverse);
}

static double twin_distance(const struct twin *twin, const double *x)
{
    double sum = 0;

    for (int i = 0; i < SIZE; i++)
        for (int j = 0; j < SIZE; j++)
            sum += (x[i] - twin->mean[i]) / twin->deviation[i] * twin->inverse[i][j] * (x[j] - twin->mean[j]) /
                   twin->deviation[j];
    return sqrt(sum);
}

static void test_ledoit_wolf_is_as_in_the_paper(void **state)
{
    static struct ledoit_wolf model;
    double x[ROWS][SIZE];
    bool use[ROWS];
    struct twin twin;
    struct chance chance = { 8 };

    (void)state;
    for (int i = 0; i < ROWS; i++) {
        double common = chance_gauss(&chance);

        use[i] = i < 10 || i >= 10 + SKIPPED;
        for (int f = 0; f < SIZE; f++)
            x[i][f] = 100 * f + (f + 1) * (common + 0.5 * chance_gauss(&chance));
    }
    ledoit_wolf_learn(&model, &x[0][0], use, ROWS, SIZE);
    twin_learn(&twin, x, use);
    assert_true(twin.shrinkage > 0.01 && twin.shrinkage < 0.5);
    check_near("shrinkage", model.shrinkage, twin.shrinkage, 1e-9);
    for (int i = 0; i < ROWS; i++)
        check_near("distance", ledoit_wolf_distance(&model, x[i]), twin_distance(&twin, x[i]), 1e-6);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_ledoit_wolf_is_as_in_the_paper) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
