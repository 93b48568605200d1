/* From features to one figure: each view has its own distance and says how many deviations that is from what it expects; what
 * is strange for several views is stranger than each of them says. */
#include "call.h"

#include "block.h"
#include "coupling.h"
#include "maths.h"

#define LEVEL_GROUND     1.0f /* added to the mean square distance of levels: keeps its logarithm from running away */
#define REPEATS          0.5f /* coherence above which the waveform view may judge */
#define LARGEST_SCORE    1e4f
#define LARGEST_EXPONENT 80.0f /* e^80 times a sensitivity of 100 is still finite */
#define FARTHEST_TAIL    12.0f /* as far as habit_normal_tail() goes; beyond, parts of a probability become subnormal */

static uint32_t nominal_points(const struct habit_call *call, uint32_t view, bool seasoned)
{
    const uint32_t active = *call->view[view].active;

    if (view == HABIT_LEVEL && seasoned)
        return habit_prototypes_seasoned(&call->prototypes, active, call->ledger->count);
    return active;
}

/* The same as the view's distance from a point, without what axes have in common. */
static float coupled_square(struct habit_call *call, uint32_t nearest)
{
    const struct habit_view *view = &call->view[HABIT_SPECTRUM];
    const uint32_t d = view->shape->dimension;

    habit_blocks_whiten(view->factor, view->shape, view->inverse_sd, call->features.view[HABIT_SPECTRUM],
                        view->positions + nearest * d, call->whitened);
    return habit_coupling_square(view->coupling, view->shape, call->whitened, call->work) * view->discount[nearest] /
           (float)d;
}

float habit_square_to(struct habit_call *call, uint32_t v, uint32_t points, uint32_t *nearest)
{
    const float square = habit_view_distance(&call->view[v], call->features.view[v], points, call->work, nearest);

    return habit_is_coupled(call->view[v].shape) ? coupled_square(call, *nearest) : square;
}

float habit_log_of_square(uint32_t v, float square)
{
    return habit_log_distance(sqrtf(v == HABIT_LEVEL ? square + LEVEL_GROUND : square));
}

float habit_square_of_log(uint32_t v, float log_distance)
{
    const float square = habit_exp(2.0f * log_distance);

    return v == HABIT_LEVEL ? square - LEVEL_GROUND : square;
}

static uint32_t pinned_points(const struct habit_call *call, uint32_t v)
{
    const uint32_t pinned[HABIT_VIEWS] = {
        [HABIT_SPECTRUM] = habit_has_view(call, HABIT_SPECTRUM) ? call->modes.model->pinned : 0,
        [HABIT_LEVEL] = call->prototypes.model->pinned,
        [HABIT_WAVEFORM] = ~1u,
    };

    return pinned[v];
}

static float log_distance(const struct habit_call *call, uint32_t v, float square, uint32_t nearest)
{
    const float y = habit_log_of_square(v, square);

    return v == HABIT_SPECTRUM ? y - habit_modes_offset(&call->modes, nearest) : y;
}

/* Accepted states are asked only where the others find a buffer strange: so neither the scores of what was learned nor what is
 * expected of them changes with an accept. In the spectrum, which says best what state it is, a state that scatters much does
 * not stand for what is nearer to the others; in the other views one often lies around them. */
static void measure(struct habit_call *call, struct habit_judgement *judgement, uint32_t v, bool seasoned)
{
    const uint32_t points = nominal_points(call, v, seasoned), pinned = points & pinned_points(call, v);
    const float square = habit_square_to(call, v, points & ~pinned, &judgement->nearest[v]);
    float *y = &judgement->log_distance[v], accepted;
    uint32_t nearest;

    *y = log_distance(call, v, square, judgement->nearest[v]);
    if (pinned == 0 || habit_calibration_beyond(&call->ledger->calibration, v, *y, call->ledger->count) <= 0.0f)
        return;
    accepted = habit_square_to(call, v, pinned, &nearest);
    if (accepted < square * (v == HABIT_SPECTRUM ? call->view[v].discount[nearest] : 1.0f)) {
        judgement->nearest[v] = nearest;
        *y = log_distance(call, v, accepted, nearest);
    } else if (habit_is_coupled(call->view[v].shape)) {
        (void)coupled_square(call, judgement->nearest[v]); /* what is whitened is explained, and learned */
    }
}

static bool may_judge(const struct habit_call *call, uint32_t v)
{
    return habit_has_view(call, v) && (v != HABIT_WAVEFORM || habit_waveform_coherence(&call->waveform) > REPEATS);
}

/* What a deviation of a view counts: levels and waveforms have longer tails than spectra. */
static const float importance[HABIT_VIEWS] = {
    [HABIT_SPECTRUM] = 1.0f, [HABIT_LEVEL] = 0.75f, [HABIT_WAVEFORM] = 0.85f
};

/* Where the positive parts of so many standard normal variables, squared, summed and rooted, are as rare as one beyond
 * HABIT_ALARM_SIGMAS: the chi-bar-squared distribution of equal weights. In proportion to HABIT_ALARM_SIGMAS. */
static const float line_of_views[HABIT_VIEWS + 1] = { 1.0f, 1.0f, 1.1386f, 1.2353f };

/* All views have as many scores of the same weights, so one line serves all. Scores that resemble the ones before are fewer
 * than they look, and what was seen is less of what there is: a machine that wanders will wander on. */
static void draw_line(const struct habit_ledger *ledger, struct habit_judgement *judgement)
{
    const float memory = habit_scores_memory(&ledger->scatter);
    const float fewer = (1.0f - memory) / (1.0f + memory);
    const float worth = habit_weights_worth(&ledger->calibration.weights);

    judgement->line = habit_alarm_line(fewer * worth) * line_of_views[judgement->views] / sqrtf(fewer);
    judgement->steady = habit_line_at(HABIT_UNREST_SIGMAS, worth) * line_of_views[judgement->views];
}

static void compare(const struct habit_call *call, struct habit_judgement *judgement)
{
    float largest = -LARGEST_SCORE, squares = 0.0f;

    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        struct habit_prediction p;
        float z;

        if (!may_judge(call, v))
            continue;
        p = habit_calibration_predict(&call->ledger->calibration, v, call->ledger->count);
        z = importance[v] * habit_within((judgement->log_distance[v] - p.mean) / p.spread, LARGEST_SCORE);
        judgement->deviation[v] = z;
        if (judgement->views++ == 0 || z > largest) {
            largest = z;
            judgement->winner = v;
        }
        if (z > 0.0f)
            squares += habit_without_dust(z, 1e-12f) * habit_without_dust(z, 1e-12f);
    }
    judgement->score = largest > 0.0f ? sqrtf(squares) : largest;
    draw_line(call->ledger, judgement);
}

void habit_judge(struct habit_call *call, struct habit_judgement *judgement, bool seasoned)
{
    const struct habit_judgement none = { .line = HABIT_ALARM_SIGMAS };

    *judgement = none;
    habit_call_prepare(call);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        if (habit_has_view(call, v))
            measure(call, judgement, v, seasoned);
    if (call->ledger->calibration.scores >= HABIT_SCORES_NEEDED)
        compare(call, judgement);
}

float habit_distance(float strangeness)
{
    return habit_exp(habit_within(strangeness - 1.0f, LARGEST_EXPONENT));
}

float habit_tail(float x, uint32_t views)
{
    const float r = habit_within(x * line_of_views[views], FARTHEST_TAIL);
    const float one = habit_normal_tail(r), bell = r > 0.0f ? habit_exp(-0.5f * r * r) : 1.0f;

    switch (views) {
    case 1:
        return one;
    case 2:
        return habit_within(one + 0.25f * bell, 1.0f);
    default:
        return habit_within(one + bell * (0.375f + 0.0997355701f * habit_larger(r, 0.0f)), 1.0f);
    }
}

bool habit_extrapolates(float share, uint32_t learned)
{
    return share * ((float)learned + 1.0f) < 1.0f;
}
