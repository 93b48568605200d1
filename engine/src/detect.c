#include "call.h"

#include <string.h>

#include "maths.h"

#define LOG2_OF_09 (-0.152003093f) /* log2 0.9 */

uint8_t habit_similarity(float distance, float sensitivity)
{
    const float d = habit_smaller(distance * sensitivity, 1e3f); /* so is what is no number */
    const float similarity = 100.0f * habit_exp2(LOG2_OF_09 * d * d);

    if (d <= 1.0f)
        return (uint8_t)habit_larger(HABIT_THRESHOLD, similarity + 0.5f);
    return (uint8_t)habit_smaller(HABIT_THRESHOLD - 1, similarity);
}

static void describe(const struct habit_call *call, const struct habit_judgement *judgement,
                     struct habit_result *result)
{
    const float strangeness = habit_strangeness(judgement);

    memset(result, 0, sizeof(*result));
    result->distance = habit_distance(strangeness);
    result->similarity = habit_similarity(result->distance, call->header->sensitivity);
    result->p_value = habit_tail(HABIT_ALARM_SIGMAS * strangeness, judgement->views);
    result->score = judgement->score;
    result->extrapolated = habit_extrapolates(result->p_value, call->header->learned);
    result->constant = call->features.constant;
    result->clipped = call->features.clipped;
    for (uint32_t a = 0; a < call->layout.axes; a++) {
        result->level[a] = call->features.view[HABIT_LEVEL][a];
        result->amplitude[a] = call->features.rms[a];
    }
    if (HABIT_KEEPS_EXPLANATION)
        habit_explain(call, judgement, result);
}

/* Never inline: see habit_call_open(). */
__attribute__((noinline)) static int judge(struct habit_engine *engine, const struct habit_source *source, size_t count,
                                           struct habit_result *result)
{
    struct habit_call call;
    struct habit_judgement judgement;
    int status;

    habit_call_open(&call, engine);
    status = habit_call_take(&call, source, count);
    if (status == HABIT_OK && habit_needed(&call) > 0)
        status = HABIT_ENOTREADY;
    if (status != HABIT_OK)
        return status;
    habit_judge(&call, &judgement, false);
    describe(&call, &judgement, result);
    return HABIT_OK;
}

static int detect(struct habit_engine *engine, const struct habit_source *source, size_t count,
                  struct habit_result *result)
{
    int status;

    if (!engine || !result)
        return HABIT_ENULL;
    status = habit_ensure(engine);
    return status == HABIT_OK ? judge(engine, source, count, result) : status;
}

int habit_detect(struct habit_engine *engine, const float *samples, size_t count, struct habit_result *result)
{
    const struct habit_source source = { .floats = samples };

    return detect(engine, &source, count, result);
}

int habit_detect_i16(struct habit_engine *engine, const int16_t *samples, size_t count, struct habit_result *result)
{
    const struct habit_source source = { .integers = samples, .scale = engine ? engine->config.scale : 0.0f };

    return detect(engine, &source, count, result);
}
