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

enum { GRID = 48, MOST_WINDOWS = 24, HALVINGS = 24, MEAN_OVER = 32, LONGEST_STEP = 4 };

/* ----------------------------------------------------------------------------------------------------------- the chance */

static double beyond(double x)
{
    return erfc(x * M_SQRT1_2) / 2;
}

/* Where a standard normal variable lies with this chance. */
static double quantile(double chance)
{
    double low = 0, high = 10;

    for (int i = 0; i < 2 * HALVINGS; i++) {
        double middle = (low + high) / 2;

        *(beyond(middle) > chance ? &low : &high) = middle;
    }
    return low;
}

struct scatter {
    double own, off; /* standard deviations of a window, and of how far a machine is off */
    double sigmas;   /* at which the engine's line lies */
};

static struct scatter scatter_of(const struct alarm_figures *figures)
{
    double taken =
        figures->window > 2 ? figures->window - 1 : figures->window; /* the strangest of more than two is left out */
    double learned = figures->learned > 8 ? figures->learned : 8;

    return (struct scatter){ .own = sqrt(1 / taken),
                             .off = sqrt(OFF_OF_PAST / learned + OFF_ALWAYS),
                             .sigmas = quantile((double)figures->window_rate) };
}

/* Chance that so many windows in a row lie beyond the line, of any machine. */
static double chance_of_run(const struct scatter *scatter, double line, uint32_t windows)
{
    double edge = HOLD * line * scatter->sigmas * hypot(scatter->own, scatter->off), sum = 0, weights = 0;

    for (int i = -GRID; i <= GRID; i++) {
        double off = FARTHEST * i / GRID, weight = exp(-off * off / 2);

        sum += weight * pow(beyond((edge - off * scatter->off) / scatter->own), windows);
        weights += weight;
    }
    return sum / weights;
}

/* The lowest line that keeps the chance; beyond HIGHEST_LINE where none does. */
static double line_for(const struct scatter *scatter, double chance, uint32_t windows)
{
    double low = 1, high = HIGHEST_LINE;

    if (chance_of_run(scatter, low, windows) <= chance)
        return low;
    if (chance_of_run(scatter, high, windows) > chance)
        return 2 * HIGHEST_LINE;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = (low + high) / 2;

        *(chance_of_run(scatter, middle, windows) > chance ? &low : &high) = middle;
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

struct alarm_plan alarm_plan_make(const struct alarm_figures *figures)
{
    const struct alarm_order *order = &figures->order;
    struct alarm_plan plan = { .line = 1, .hold = 1, .kept = true };
    double interval = figures->interval > 0 ? fmax(figures->interval, SHORTEST_MS) : GUESSED_MS, chance;
    struct scatter scatter = scatter_of(figures);

    persist(&plan, 1, figures);
    if (order->count == 0)
        return plan;
    plan.ordered = true;
    plan.expected = (double)order->per / interval / order->count;
    plan.extrapolated = plan.expected > figures->learned;
    chance = figures->window / (SAFETY * RUNS_A_WINDOW * plan.expected);
    for (uint32_t windows = 1; windows <= MOST_WINDOWS; windows++) {
        double line = line_for(&scatter, chance, windows);

        persist(&plan, windows, figures);
        plan.kept = line <= HIGHEST_LINE;
        line = fmin(line, HIGHEST_LINE);
        plan.line = (float)exp(line - 1); /* from the logarithmic scale to distances */
        plan.hold = (float)exp(HOLD * line - 1);
        if (plan.kept)
            break;
    }
    return plan;
}

/* ------------------------------------------------------------------------------------------------------------- cadence */

void alarm_interval_note(struct strategy_state *state, int64_t at)
{
    struct strategy_memory *memory = &state->memory;
    double interval = (double)(at - state->last_detect);

    if (state->last_detect == 0 || interval < 0)
        return;
    if (memory->judged > 0) /* a night, or a clock that jumped, is no cadence */
        interval = fmin(interval, LONGEST_STEP * fmax(memory->interval, SHORTEST_MS));
    memory->judged += memory->judged < MEAN_OVER;
    memory->interval += (interval - memory->interval) / memory->judged;
}

double alarm_interval(const struct settings *settings, const struct strategy_state *state)
{
    if (state->memory.judged > 0)
        return fmax(state->memory.interval, SHORTEST_MS);
    return fmax((double)settings->detect_every, (double)state->interval);
}
