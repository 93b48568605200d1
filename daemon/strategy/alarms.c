/* Why persistence, and not only a higher line: a model made of n buffers is off by chance, for good, so of machines that are
 * equally healthy a few lie near the line all the time. Their windows are not independent; given how far a machine is off,
 * they are, nearly. So the chance that P windows in a row lie beyond is worked out for each way to be off, and averaged. The
 * window's own scatter is that of a mean of K - 1 scores; what the mean of past scores is off by, and what remains however
 * many were learned, are the figures of the engine's window (engine/src/window.c). tests/daemon/test_false_alarms.c measures
 * whether it holds. */
#include "strategy/alarms.h"

#include <math.h>

#define OFF_OF_PAST 1.7  /* variance of the past mean times buffers learned, in variances of one score */
#define OFF_ALWAYS  0.01 /* and what remains of it */
#define HOLD \
    0.9 /* of the line: a run goes on down to here, so that one lucky window does not end that of a weak fault */
#define SAFETY        2.0 /* fewer than ordered are aimed at: a single machine that is far off alarms many times */
#define RUNS_A_WINDOW 3.0 /* windows overlap: so often a run begins where independent ones would begin once */
#define HIGHEST_LINE \
    1.1 /* of the engine's logarithmic scale, on which the line is 1; a changed machine gets above it even where
                               hardly anything was learned */
#define FARTHEST    5.0   /* standard deviations over which machines that are off are averaged */
#define GUESSED_MS  1000. /* between judgements, where nothing is known: rather too many than too few */
#define SHORTEST_MS 1.0

enum { GRID = 48, POINTS = 2 * GRID + 1, MOST_WINDOWS = 24, HALVINGS = 16, MEAN_OVER = 32, LONGEST_STEP = 4 };

/* ----------------------------------------------------------------------------------------------------------- the chance */

static double beyond(double x)
{
    return erfc(x * M_SQRT1_2) / 2;
}

/* Where a standard normal variable lies with this chance. */
static double quantile(double chance)
{
    double low = 0, high = 10;

    for (int i = 0; i < 3 * HALVINGS; i++) {
        double middle = (low + high) / 2;

        *(beyond(middle) > chance ? &low : &high) = middle;
    }
    return low;
}

struct scatter {
    double own, off; /* standard deviations of a window, and of how far a machine is off */
    double sigmas;   /* at which the engine's line lies */
    double weight[POINTS];
    double weights; /* their sum */
};

static double off_at(int point)
{
    return FARTHEST * (point - GRID) / GRID;
}

static struct scatter scatter_of(const struct alarm_figures *figures)
{
    double taken =
        figures->window > 2 ? figures->window - 1 : figures->window; /* the strangest of more than two is left out */
    double learned = figures->learned > 8 ? figures->learned : 8;
    struct scatter scatter = { .own = sqrt(1 / taken),
                               .off = sqrt(OFF_OF_PAST / learned + OFF_ALWAYS),
                               .sigmas = quantile((double)figures->window_rate) };

    for (int i = 0; i < POINTS; i++) {
        scatter.weight[i] = exp(-off_at(i) * off_at(i) / 2);
        scatter.weights += scatter.weight[i];
    }
    return scatter;
}

/* Chance of a window beyond a line, for each way to be off. */
struct chances {
    double beyond[POINTS];
};

static void chances_of(const struct scatter *scatter, double line, struct chances *chances)
{
    double edge = HOLD * line * scatter->sigmas * hypot(scatter->own, scatter->off);

    for (int i = 0; i < POINTS; i++)
        chances->beyond[i] = beyond((edge - off_at(i) * scatter->off) / scatter->own);
}

static double power(double base, uint32_t exponent)
{
    double product = 1;

    while (exponent > 0) {
        if (exponent % 2 != 0)
            product *= base;
        exponent /= 2;
        base *= base;
    }
    return product;
}

/* Chance that so many windows in a row lie beyond the line, of any machine. */
static double chance_of_run(const struct scatter *scatter, const struct chances *chances, uint32_t windows)
{
    double sum = 0;

    for (int i = 0; i < POINTS; i++)
        sum += scatter->weight[i] * power(chances->beyond[i], windows);
    return sum / scatter->weights;
}

/* Between the lowest line, which does not keep the chance, and the highest, which does. */
static double line_between(const struct scatter *scatter, double chance, uint32_t windows)
{
    double low = 1, high = HIGHEST_LINE;
    struct chances chances;

    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;

        chances_of(scatter, middle, &chances);
        *(chance_of_run(scatter, &chances, windows) > chance ? &low : &high) = middle;
    }
    return high;
}

/* --------------------------------------------------------------------------------------------------------------- plan */

static void persist(struct alarm_plan *plan, uint32_t windows, const struct alarm_figures *figures)
{
    plan->windows = windows;
    plan->persistence = (windows - 1) * figures->window + 1;
    plan->buffers = windows * figures->window;
    plan->rise_ms = figures->interval * plan->buffers;
}

/* So few windows in a row that some line keeps the chance, and the lowest such line. */
static void keep(struct alarm_plan *plan, const struct alarm_figures *figures, double chance)
{
    const struct scatter scatter = scatter_of(figures);
    struct chances lowest, highest;
    double line = HIGHEST_LINE;
    uint32_t windows = 0;

    chances_of(&scatter, 1, &lowest);
    chances_of(&scatter, HIGHEST_LINE, &highest);
    plan->kept = false;
    while (!plan->kept && windows < MOST_WINDOWS)
        plan->kept = chance_of_run(&scatter, &highest, ++windows) <= chance;
    if (plan->kept)
        line = chance_of_run(&scatter, &lowest, windows) <= chance ? 1 : line_between(&scatter, chance, windows);
    persist(plan, windows, figures);
    plan->line = (float)exp(line - 1); /* from the logarithmic scale to distances */
    plan->hold = (float)exp(HOLD * line - 1);
}

struct alarm_plan alarm_plan_make(const struct alarm_figures *figures)
{
    const struct alarm_order *order = &figures->order;
    struct alarm_plan plan = { .line = 1, .hold = 1, .kept = true };
    double interval = figures->interval > 0 ? fmax(figures->interval, SHORTEST_MS) : GUESSED_MS;

    if (order->count == 0) {
        persist(&plan, 1, figures);
        return plan;
    }
    plan.ordered = true;
    plan.expected = (double)order->per / interval / order->count;
    plan.extrapolated = plan.expected > figures->learned;
    keep(&plan, figures, figures->window / (SAFETY * RUNS_A_WINDOW * plan.expected));
    return plan;
}

/* ------------------------------------------------------------------------------------------------------------- cadence */

static void note(struct strategy_memory *memory, double interval, uint32_t times)
{
    if (memory->judged > 0) /* a night, or a clock that jumped, is no cadence */
        interval = fmin(interval, LONGEST_STEP * fmax(memory->interval, SHORTEST_MS));
    for (uint32_t i = 0; i < times && i < MEAN_OVER; i++) {
        memory->judged += memory->judged < MEAN_OVER;
        memory->interval += (interval - memory->interval) / memory->judged;
    }
}

/* The buffers of a batch whose sender does not say when it measured them have one time: they share the time to the next. */
void alarm_interval_note(struct strategy_state *state, int64_t at)
{
    struct strategy_memory *memory = &state->memory;
    const int64_t gap = at - state->last_detect;
    const uint32_t shared = memory->together + 1;

    if (state->last_detect != 0 && gap == 0) {
        memory->together += memory->together < UINT32_MAX - 1;
        return;
    }
    memory->together = 0;
    if (state->last_detect == 0 || gap < 0)
        return;
    note(memory, (double)gap / shared, shared);
}

double alarm_interval(const struct settings *settings, const struct strategy_state *state)
{
    if (state->memory.judged > 0)
        return fmax(state->memory.interval, SHORTEST_MS);
    return fmax((double)settings->detect_every, (double)state->interval);
}
