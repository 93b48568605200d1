/* An operator says: this is normal. In every view where the accepted buffers are strange, their mean becomes a point of its
 * own, pinned so that it counts however rarely it comes again. A state may scatter more than what was learned, so the point
 * has a tolerance, which follows from how far each buffer is from the mean of the others. */
#include "call.h"

#include "maths.h"

#define ORDINARY      2.2f /* standard errors by which the mean of buffers that need no point may be above the expected */
#define NOMINAL       2.0f /* deviations above the expected up to which the accepted state shall reach */
#define RARE          2.05f /* normal deviate beyond which are 2 of 100 buffers */
#define PRIOR         4.0f /* squares whose scatter counts as seen: that of independent features */
#define ONE_TOLERANCE 4.0f /* of a state that is known by one buffer, which says nothing of its scatter */

#define MOST_SUPPORT 1024.0f

#define FEW 1.0f
#define PRIOR_MEAN 2.0f
#define LOUD 1.3f

/* A view whose point is NONE finds the buffers ordinary. */
enum { NONE = HABIT_MAX_POINTS };

/* What is to be accepted. */
struct state {
    const float *buffers;
    size_t n;
    float mean[HABIT_VIEWS];      /* of log distances, then of squares of distances from the point */
    float squares[HABIT_VIEWS];   /* scatter of them */
    uint32_t point[HABIT_VIEWS];
    float louder; /* power over that of what was learned, on the axis where it grew most; at least 1 */
};

static void clear(float *sum, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        sum[i] = 0.0f;
}

static int take(struct habit_call *call, const struct state *state, size_t k)
{
    const size_t count = (size_t)call->layout.samples * call->layout.axes;
    const struct habit_source source = { .floats = state->buffers + k * count };
    int result = habit_call_take(call, &source, count);

    if (result == HABIT_OK && habit_all_constant(call))
        result = HABIT_ECONSTANT;
    return result;
}

/* Mean features, in call->total, and mean log distances. Nothing is changed before all buffers were looked at. */
static int look(struct habit_call *call, struct state *state, bool ready)
{
    struct habit_judgement judgement;

    clear(call->total, call->layout.vector);
    clear(state->mean, HABIT_VIEWS);
    for (size_t k = 0; k < state->n; k++) {
        const int result = take(call, state, k);

        if (result != HABIT_OK)
            return result;
        for (uint32_t i = 0; i < call->layout.vector; i++)
            call->total[i] += (call->vector[i] - call->total[i]) / (float)(k + 1);
        if (ready)
            habit_judge(call, &judgement, false);
        for (uint32_t v = 0; ready && v < HABIT_VIEWS; v++)
            state->mean[v] +=
                (habit_square_of_log(v, judgement.log_distance[v]) - state->mean[v]) / (float)(k + 1);
    }
    return HABIT_OK;
}

static struct habit_prediction expected(const struct habit_call *call, uint32_t v)
{
    return habit_calibration_predict(&call->ledger->calibration, v, call->ledger->count);
}

static float louder(const struct habit_call *call)
{
    const float *rms = call->total + (call->features.rms - call->vector);
    float most = 1.0f;

    for (uint32_t a = 0; a < call->layout.axes; a++)
        most = habit_larger(most, habit_smaller(rms[a] / (call->rms[a] + 1e-12f), 1e3f));
    return most * most;
}

static bool is_ordinary(const struct habit_call *call, const struct state *state, uint32_t v)
{
    const struct habit_prediction p = expected(call, v);

    if (v != HABIT_SPECTRUM && state->louder > LOUD)
        return false;
    return habit_log_of_square(v, state->mean[v]) <= p.mean + p.spread * (p.spread + ORDINARY / sqrtf((float)state->n));
}

static uint32_t pin(struct habit_call *call, const struct state *state, uint32_t v)
{
    const float *x = call->total + (call->features.view[v] - call->vector);
    const float count = habit_smaller((float)state->n, MOST_SUPPORT);

    switch (v) {
    case HABIT_SPECTRUM:
        return habit_modes_pin(&call->modes, x, count, call->whitened);
    case HABIT_LEVEL:
        return habit_prototypes_pin(&call->prototypes, x, count, call->rms, call->whitened);
    default:
        return habit_waveform_pin(&call->waveform, x, count, call->rms, call->whitened);
    }
}

static float *tolerance_of(struct habit_call *call, uint32_t v, uint32_t point)
{
    switch (v) {
    case HABIT_SPECTRUM:
        return &call->modes.tolerance[point];
    case HABIT_LEVEL:
        return &call->prototypes.tolerance[point];
    default:
        return &call->waveform.model->tolerance;
    }
}

/* Squares of the distances of each buffer from the mean of the others, for as far as the point is the mean of all. */
static void measure(struct habit_call *call, struct state *state)
{
    const float n = (float)state->n, others = n / (n - 1.0f);

    clear(state->mean, HABIT_VIEWS);
    clear(state->squares, HABIT_VIEWS);
    habit_call_prepare(call);
    for (size_t k = 0; k < state->n; k++) {
        (void)take(call, state, k);
        for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
            float square, difference;

            if (state->point[v] == NONE)
                continue;
            square = habit_square_to(call, v, 1u << state->point[v], &state->point[v]) * others * others;
            difference = square - state->mean[v];
            state->mean[v] += difference / (float)(k + 1);
            state->squares[v] += difference * (square - state->mean[v]);
        }
    }
}

/* Quantile of Fisher's distribution of `above` and `below` degrees of freedom, at RARE (Wilson, Hilferty, PNAS 17, 1931;
 * Paulson, Annals of Mathematical Statistics 13, 1942). */
static float fisher(float above, float below)
{
    const float a = 2.0f / (9.0f * above), b = 2.0f / (9.0f * below);
    const float c = 1.0f - a, d = 1.0f - b, z2 = RARE * RARE;
    const float root = (c * d + sqrtf(z2 * (c * c * b + d * d * a - z2 * a * b))) / (d * d - z2 * b);

    return root * root * root;
}

/* What a state scatters more than what was learned, it does in few directions. */
static float usual_variance(const struct habit_call *call, uint32_t v, float mean, float spread, float usual)
{
    const float many = habit_larger(2.0f / (float)call->layout.view[v].dimension, 4.0f * spread * spread);
    const float more = habit_larger(mean - usual, 0.0f), as_usual = mean - more;

    return many * as_usual * as_usual + FEW * more * more;
}

/* Bound of nearly all further squares over the square that shall be nominal. A square is of about as many degrees of freedom
 * as its mean and variance say. */
static float excess(const struct habit_call *call, const struct state *state, uint32_t v)
{
    const struct habit_prediction p = habit_calibration_predict(&call->ledger->calibration, v, HABIT_COUNT_LIMIT);
    const float n = (float)state->n, usual = v == HABIT_LEVEL ? 1.0f : habit_square_of_log(v, p.mean);
    const float prior = v == HABIT_SPECTRUM ? 0.0f : PRIOR_MEAN, guess = usual * state->louder;
    const float off = state->mean[v] - guess;
    const float mean = (n * state->mean[v] + prior * guess) / (n + prior) + 1e-12f;
    const float nominal = habit_larger(habit_square_of_log(v, p.mean + NOMINAL * p.spread), 0.01f);
    const float squares = state->squares[v];
    const float variance = (squares + PRIOR * usual_variance(call, v, mean, p.spread, usual)) / (n - 1.0f + PRIOR);
    const float freedom = habit_larger(2.0f * mean * mean / variance, 1.0f);
    (void)off;

    return mean * fisher(freedom, (n + prior) * freedom) / nominal;
}

static void tolerate(struct habit_call *call, struct state *state)
{
    if (state->n > 1)
        measure(call, state);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        if (state->point[v] != NONE) {
            const float times = state->n > 1 ? excess(call, state, v) : ONE_TOLERANCE;
            float *tolerance = tolerance_of(call, v, state->point[v]);

            *tolerance = habit_smaller(*tolerance * habit_larger(times, 1.0f), HABIT_LARGEST_TOLERANCE);
        }
    call->engine->cached = 0;
}

static void adopt(struct habit_call *call, struct state *state)
{
    state->louder = louder(call);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        state->point[v] = habit_has_view(call, v) && !is_ordinary(call, state, v) ? pin(call, state, v) : NONE;
    call->engine->cached = 0;
    tolerate(call, state);
    call->ledger->weight = 1.0f;
}

/* Before the engine can judge there is nothing to compare with: the buffers are learned as any others. */
static int learn_each(struct habit_engine *engine, const struct state *state, size_t count)
{
    int result = HABIT_OK;

    for (size_t k = 0; k < state->n && result == HABIT_OK; k++)
        result = habit_learn(engine, state->buffers + k * count, count, NULL);
    return result;
}

int habit_accept(struct habit_engine *engine, const float *buffers, size_t n)
{
    struct state state = { .buffers = buffers, .n = n };
    struct habit_call call;
    size_t count;
    bool ready;
    int result;

    if (!engine || !buffers)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    habit_call_open(&call, engine);
    count = (size_t)call.layout.samples * call.layout.axes;
    if (n < 1 || n > SIZE_MAX / sizeof(float) / count)
        return HABIT_ECOUNT;
    ready = habit_needed(&call) == 0;
    result = look(&call, &state, ready);
    if (result != HABIT_OK)
        return result;
    if (!ready)
        return learn_each(engine, &state, count);
    adopt(&call, &state);
    habit_count_learned(&call, n);
    habit_touch(engine, call.total, call.layout.vector);
    return HABIT_OK;
}
