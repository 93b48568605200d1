/* An operator says: this is normal. In every view that finds the accepted buffers strange, their mean becomes a point of its
 * own, pinned so that it counts however rarely it comes again. A state may scatter more than what was learned, so the point
 * has a tolerance, which follows from how far each buffer is from the mean of the others. */
#include "call.h"

#include "maths.h"

#define ORDINARY      2.2f  /* standard errors above the expected, up to which buffers need no point */
#define LOUD          1.3f  /* power over the usual, from which level and waveform are expected to scatter more */
#define NOMINAL       1.6f  /* deviations above the expected at which the rarest of the state's buffers shall lie */
#define RARE          2.05f /* normal deviate beyond which are 2 of 100 buffers */
#define PRIOR         4.0f  /* buffers that say as much of the state as is said without them */
#define FEW           1.5f  /* squared coefficient of variation of a square of 1.33 degrees of freedom */
#define ONE_TOLERANCE 4.0f  /* of a state that is known by one buffer, which says nothing of its scatter */
#define MOST_SUPPORT  1024.0f
#define MOST_LOUDER   1e6f

/* Point of a view that finds the buffers ordinary. */
enum { NONE = HABIT_MAX_POINTS };

/* What is to be accepted. */
struct state {
    const float *buffers;
    size_t n;
    float louder;            /* power over the usual, on the axis where it grew most; at least 1 */
    float mean[HABIT_VIEWS]; /* of squared distances, first from what was learned, then from the state's own points */
    float scatter[HABIT_VIEWS];  /* of the latter */
    uint32_t point[HABIT_VIEWS]; /* or NONE */
};

static int take(struct habit_call *call, const struct state *state, size_t k)
{
    const size_t count = (size_t)call->layout.samples * call->layout.axes;
    const struct habit_source source = { .floats = state->buffers + k * count };
    int result = habit_call_take(call, &source, count);

    if (result == HABIT_OK && habit_all_constant(call))
        result = HABIT_ECONSTANT;
    return result;
}

static void add_to_mean(float *mean, float value, size_t k)
{
    *mean += (value - *mean) / (float)(k + 1);
}

/* Mean features, in call->total, and mean squares. Nothing is changed before all buffers were looked at. */
static int look(struct habit_call *call, struct state *state, bool ready)
{
    for (uint32_t i = 0; i < call->layout.vector; i++)
        call->total[i] = 0.0f;
    for (size_t k = 0; k < state->n; k++) {
        struct habit_judgement judgement;
        const int result = take(call, state, k);

        if (result != HABIT_OK)
            return result;
        for (uint32_t i = 0; i < call->layout.vector; i++)
            add_to_mean(&call->total[i], call->vector[i], k);
        if (!ready)
            continue;
        habit_judge(call, &judgement, false);
        for (uint32_t v = 0; v < HABIT_VIEWS; v++)
            add_to_mean(&state->mean[v], habit_square_of_log(v, judgement.log_distance[v]), k);
    }
    return HABIT_OK;
}

static float louder(const struct habit_call *call)
{
    const float *rms = call->total + (call->features.rms - call->vector);
    float most = 1.0f;

    for (uint32_t a = 0; a < call->layout.axes; a++)
        most = habit_larger(most, rms[a] / (call->rms[a] + 1e-12f));
    return habit_smaller(most, MOST_LOUDER) * habit_smaller(most, MOST_LOUDER);
}

/* As many buffers that were learned would hardly be as strange, in the mean. The scatter of levels and waveforms grows with
 * the power, which is known better than that scatter is by a few buffers. */
static bool is_ordinary(const struct habit_call *call, const struct state *state, uint32_t v)
{
    const struct habit_prediction p = habit_calibration_predict(&call->ledger->calibration, v, call->ledger->count);
    const float above = habit_log_of_square(v, state->mean[v]) - p.mean;

    return above <= p.spread * (p.spread + ORDINARY / sqrtf((float)state->n)) &&
           (v == HABIT_SPECTRUM || state->louder < LOUD);
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
    const float others = (float)state->n / (float)(state->n - 1);

    habit_call_prepare(call);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        state->mean[v] = state->scatter[v] = 0.0f;
    for (size_t k = 0; k < state->n; k++) {
        (void)take(call, state, k); /* which look() found well */
        for (uint32_t v = 0; v < HABIT_VIEWS; v++) {
            float square, before;

            if (state->point[v] == NONE)
                continue;
            square = habit_square_to(call, v, 1u << state->point[v], &state->point[v]) * others * others;
            square = habit_smaller(square, HABIT_LARGEST_TOLERANCE);
            before = square - state->mean[v];
            add_to_mean(&state->mean[v], square, k);
            state->scatter[v] += before * (square - state->mean[v]);
        }
    }
}

/* Quantile at RARE of Fisher's distribution (Paulson, Annals of Mathematical Statistics 13, 1942). */
static float fisher(float above, float below)
{
    const float a = 2.0f / (9.0f * above), b = 2.0f / (9.0f * below);
    const float c = 1.0f - a, d = 1.0f - b, rare = RARE * RARE;
    const float root = (c * d + RARE * sqrtf(c * c * b + d * d * a - rare * a * b)) / (d * d - rare * b);

    return root * root * root;
}

/* Variance of squares with this mean, said without seeing them: what is more than usual is so in few directions. */
static float guess_variance(float mean, float usual, float variation)
{
    const float more = habit_larger(mean - usual, 0.0f), rest = mean - more;

    return variation * rest * rest + FEW * more * more;
}

/* A bound of nearly all further squares over the square that shall be nominal, also when the model has matured. A square has
 * about as many degrees of freedom as its mean and variance say. */
static float needed_tolerance(const struct habit_call *call, const struct state *state, uint32_t v)
{
    const struct habit_prediction p = habit_calibration_predict(&call->ledger->calibration, v, HABIT_COUNT_LIMIT);
    const float nominal = habit_larger(habit_square_of_log(v, p.mean + NOMINAL * p.spread), 0.01f);
    const float usual = v == HABIT_LEVEL ? 1.0f : habit_square_of_log(v, p.mean);
    const float variation = habit_larger(2.0f / (float)call->layout.view[v].dimension, 4.0f * p.spread * p.spread);
    const float prior = v == HABIT_SPECTRUM ? 0.0f : PRIOR, n = (float)state->n + prior;
    const float mean = ((float)state->n * state->mean[v] + prior * usual * state->louder) / n + 1e-12f;
    const float seen = (float)state->n - 1.0f;
    const float variance = (state->scatter[v] + PRIOR * guess_variance(mean, usual, variation)) / (seen + PRIOR);
    const float freedom = habit_larger(2.0f * mean * mean / variance, 1.0f);

    return mean * fisher(freedom, n * freedom) / nominal;
}

static void tolerate(struct habit_call *call, struct state *state)
{
    if (state->n > 1)
        measure(call, state);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        if (state->point[v] != NONE) {
            const float needed = state->n > 1 ? needed_tolerance(call, state, v) : ONE_TOLERANCE;
            float *tolerance = tolerance_of(call, v, state->point[v]);

            *tolerance = habit_smaller(*tolerance * habit_larger(needed, 1.0f), HABIT_LARGEST_TOLERANCE);
        }
}

static void adopt(struct habit_call *call, struct state *state)
{
    state->louder = louder(call);
    for (uint32_t v = 0; v < HABIT_VIEWS; v++)
        state->point[v] = !habit_has_view(call, v) || is_ordinary(call, state, v) ? NONE : pin(call, state, v);
    call->engine->cached = 0;
    tolerate(call, state);
    call->engine->cached = 0;
    call->ledger->weight = 1.0f;
    habit_count_learned(call, state->n);
    habit_touch(call->engine, call->total, call->layout.vector);
}

/* ENOTREADY where there is nothing to compare with. Never inline: see habit_call_open(). */
__attribute__((noinline)) static int accept_state(struct habit_engine *engine, const float *buffers, size_t n)
{
    struct state state = { .buffers = buffers, .n = n };
    struct habit_call call;
    bool ready;
    int result;

    habit_call_open(&call, engine);
    ready = habit_needed(&call) == 0;
    result = look(&call, &state, ready);
    if (result == HABIT_OK && !ready)
        result = HABIT_ENOTREADY;
    if (result == HABIT_OK)
        adopt(&call, &state);
    return result;
}

/* Before the engine can judge, accepted buffers are learned as any others. */
int habit_accept(struct habit_engine *engine, const float *buffers, size_t n)
{
    struct habit_source source = { .floats = buffers };
    size_t count;
    int result;

    if (!engine || !buffers)
        return HABIT_ENULL;
    result = habit_ensure(engine);
    if (result != HABIT_OK)
        return result;
    count = (size_t)engine->config.buffer_size * engine->config.axes;
    if (n < 1 || n > SIZE_MAX / sizeof(float) / count)
        return HABIT_ECOUNT;
    result = accept_state(engine, buffers, n);
    if (result != HABIT_ENOTREADY)
        return result;
    for (result = HABIT_OK; n > 0 && result == HABIT_OK; n--, source.floats += count)
        result = habit_take_in(engine, &source, count, NULL);
    return result;
}
