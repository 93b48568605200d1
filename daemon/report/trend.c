#include "report/trend.h"

#include <math.h>
#include <stdlib.h>

enum { PAIRS = TREND_DAYS * (TREND_DAYS - 1) / 2 };

static const double z_90 = 1.645; /* of the normal distribution, 5 % on each side */

struct points {
    double x[TREND_DAYS], y[TREND_DAYS];
    size_t count;
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
    qsort(values, count, sizeof(*values), compare);
    return count % 2 == 1 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

static void take_known(struct points *points, const double means[TREND_DAYS])
{
    points->count = 0;
    for (size_t i = 0; i < TREND_DAYS; i++)
        if (isfinite(means[i])) {
            points->x[points->count] = (double)i - (TREND_DAYS - 1); /* 0 = today */
            points->y[points->count++] = means[i];
        }
}

/* Sorted. Returns how many. */
static size_t pair_slopes(const struct points *points, double slopes[PAIRS])
{
    size_t count = 0;

    for (size_t i = 0; i < points->count; i++)
        for (size_t j = i + 1; j < points->count; j++)
            slopes[count++] = (points->y[j] - points->y[i]) / (points->x[j] - points->x[i]);
    qsort(slopes, count, sizeof(slopes[0]), compare);
    return count;
}

static double intercept(const struct points *points, double slope)
{
    double rest[TREND_DAYS];

    for (size_t i = 0; i < points->count; i++)
        rest[i] = points->y[i] - slope * points->x[i];
    return median(rest, points->count);
}

/* How much wider the interval is where what is left of a day resembles what was left of the day before: so many independent
 * days fewer there are. Correlation of ranks would do as well; a single strange day can only make it smaller. */
static double widening(const struct points *points, double slope, double level)
{
    double before = 0, product = 0, square = 0, correlation;

    for (size_t i = 0; i < points->count; i++) {
        double rest = points->y[i] - slope * points->x[i] - level;

        product += i > 0 ? before * rest : 0;
        square += rest * rest;
        before = rest;
    }
    correlation = square > 0 ? product / square + 1 / (double)points->count : 0; /* the line has taken some away */
    if (correlation < 0)
        return 1;
    correlation = fmin(correlation, 0.9);
    return sqrt((1 + correlation) / (1 - correlation));
}

static void find_interval(struct trend *trend, const struct points *points, const double *slopes, size_t pairs)
{
    double n = (double)points->count;
    double half = z_90 * sqrt(n * (n - 1) * (2 * n + 5) / 18) / 2 * widening(points, trend->slope, trend->level);
    double low = floor((double)pairs / 2 - half) - 1, high = ceil((double)pairs / 2 + half);

    trend->slope_low = slopes[low > 0 ? (size_t)low : 0];
    trend->slope_high = slopes[high < (double)pairs - 1 ? (size_t)high : pairs - 1];
    trend->rising = low >= 0 && trend->slope_low > 0;
}

/* Days until a line of this slope through the points meets the alarm line. */
static double days_to(const struct points *points, double slope, double line)
{
    return fmax(line - intercept(points, slope), 0) / slope;
}

static void find_days_to_line(struct trend *trend, const struct points *points, double line)
{
    if (!trend->rising)
        return;
    trend->to_line = days_to(points, trend->slope, line);
    trend->to_line_low = days_to(points, trend->slope_high, line);
    trend->to_line_high = days_to(points, trend->slope_low, line);
}

void trend_find(struct trend *trend, const double means[TREND_DAYS], double line)
{
    struct points points;
    double slopes[PAIRS];
    size_t pairs;

    take_known(&points, means);
    *trend = (struct trend){ .days = (uint32_t)points.count,
                             .level = NAN,
                             .slope = NAN,
                             .slope_low = NAN,
                             .slope_high = NAN,
                             .to_line = NAN,
                             .to_line_low = NAN,
                             .to_line_high = NAN };
    if (points.count < TREND_LEAST || !isfinite(means[TREND_DAYS - 1]))
        return;
    pairs = pair_slopes(&points, slopes);
    trend->slope = pairs % 2 == 1 ? slopes[pairs / 2] : (slopes[pairs / 2 - 1] + slopes[pairs / 2]) / 2;
    trend->level = intercept(&points, trend->slope);
    find_interval(trend, &points, slopes, pairs);
    find_days_to_line(trend, &points, line);
}
