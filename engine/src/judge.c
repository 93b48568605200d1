/* From features to one figure: each view has its own distance and its own line, and the strangest view decides. */
#include "call.h"

#include "maths.h"

#define LEVEL_GROUND     0.09f /* added to the mean square distance of levels: keeps its logarithm from running away */
#define REPEATS          0.5f  /* coherence above which the waveform view may judge */
#define LARGEST_SCORE    1e4f
#define LARGEST_EXPONENT 80.0f /* e^80 times a sensitivity of 100 is still finite */

static uint32_t nominal_points(const struct habit_call *call, uint32_t view, bool seasoned)
{
    const uint32_t active = *call->view[view].active;

    if (view == HABIT_LEVEL && seasoned)
        return habit_prototypes_seasoned(&call->prototypes, active, call->ledger->count);
    return active;
}

static void measure(struct habit_call *call, struct habit_judgement *judgement, uint32_t v, bool seasoned)
{
    float square = habit_view_distance(&call->view[v], call->features.view[v], nominal_points(call, v, seasoned),
                                       call->whitened, &judgement->nearest[v]);

    if (v == HABIT_LEVEL)
        square += LEVEL_GROUND;
    judgement->log_distance[v] = habit_log_distance(sqrtf(square));
}

static bool may_judge(const struct habit_call *call, uint32_t v)
{
    return habit_has_view(call, v) && (v != HABIT_WAVEFORM || habit_waveform_coherence(&call->waveform) > REPEATS);
}

/* All views have as many scores of the same weights, so one line serves all. */
static void compare(const struct habit_call *call, struct habit_judgement *judgement)
{
    const struct habit_calibration *calibration = &call->ledger->calibration;

    judgement->line = habit_alarm_line(&calibration->weights);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
        struct habit_prediction p;
        float z;

        if (!may_judge(call, v))
            continue;
        p = habit_calibration_predict(calibration, v, call->ledger->count);
        z = habit_within((judgement->log_distance[v] - p.mean) / p.spread, LARGEST_SCORE);
        if (judgement->views == 0 || z > judgement->score) {
            judgement->score = z;
            judgement->winner = v;
        }
        judgement->views++;
    }
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

/* Largest of several normal variables is above x, where x is on the scale whose line is HABIT_ALARM_SIGMAS. */
float habit_tail(float x, uint32_t views)
{
    return habit_within((float)views * habit_normal_tail(x), 1.0f);
}

bool habit_extrapolates(float share, uint32_t learned)
{
    return share * ((float)learned + 1.0f) < 1.0f;
}
