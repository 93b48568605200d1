/* Why a buffer is strange, in the user's terms. Deviations are not whitened: a figure that mixes all features could not be
 * read. */
#include "call.h"

#include "maths.h"

#define WORTH_TELLING  2.0f /* standard deviations */
#define LARGEST_SIGMAS 1e9f

/* Kinds of the features behind the bands. */
static const uint8_t shape_kinds[HABIT_SHAPES] = { HABIT_KIND_AMPLITUDE, HABIT_KIND_IMPULSIVENESS, HABIT_KIND_ASYMMETRY,
                                                   HABIT_KIND_IMPULSIVENESS, HABIT_KIND_IMPULSIVENESS };

static void name_band(const struct habit_call *call, uint32_t band, struct habit_reason *reason)
{
    const float rate = call->engine->config.sampling_hz;
    const uint16_t *edges = call->features.edges;
    float bin;

    reason->kind = HABIT_KIND_BAND;
    reason->in_hz = rate > 0.0f;
    bin = reason->in_hz ? rate / (float)call->layout.transform : 1.0f;
    reason->from = bin * (float)edges[band];
    reason->to = bin * (float)(edges[band + 1] - 1);
}

static void name_spectrum(const struct habit_call *call, uint32_t feature, struct habit_reason *reason)
{
    if (feature < call->layout.bands)
        name_band(call, feature, reason);
    else
        reason->kind = shape_kinds[feature - call->layout.bands];
}

static void name_level(const struct habit_call *call, uint32_t feature, struct habit_reason *reason)
{
    (void)call;
    reason->kind = HABIT_KIND_LEVEL;
    reason->axis = (uint8_t)feature;
}

/* First and last sample of a part, see describe_waveform() in feature.c. */
static void name_waveform(const struct habit_call *call, uint32_t feature, struct habit_reason *reason)
{
    const uint32_t parts = call->layout.view[HABIT_WAVEFORM].part, samples = call->layout.samples;
    const uint32_t first = (2 * feature * samples + parts) / (2 * parts);
    const uint32_t behind = (2 * (feature + 1) * samples + parts) / (2 * parts);

    reason->kind = HABIT_KIND_WAVEFORM;
    reason->from = (float)first;
    reason->to = (float)(behind - 1);
}

static void (*const name_feature[HABIT_VIEWS])(const struct habit_call *, uint32_t, struct habit_reason *) = {
    [HABIT_SPECTRUM] = name_spectrum,
    [HABIT_LEVEL] = name_level,
    [HABIT_WAVEFORM] = name_waveform,
};

/* Three features stand for impulsiveness: told once an axis is enough. Returns whether reason[k] is of the same and is as
 * strong, having removed it where it is weaker. */
static bool told_already(struct habit_result *result, const struct habit_reason *reason)
{
    uint32_t k = 0;

    if (reason->kind != HABIT_KIND_IMPULSIVENESS)
        return false;
    while (k < result->reasons && (result->reason[k].kind != reason->kind || result->reason[k].axis != reason->axis))
        k++;
    if (k == result->reasons)
        return false;
    if (fabsf(result->reason[k].sigmas) >= fabsf(reason->sigmas))
        return true;
    for (result->reasons--; k < result->reasons; k++)
        result->reason[k] = result->reason[k + 1];
    return false;
}

static void insert(struct habit_result *result, const struct habit_reason *reason)
{
    uint32_t at = result->reasons;

    while (at > 0 && fabsf(result->reason[at - 1].sigmas) < fabsf(reason->sigmas))
        at--;
    if (at == HABIT_MAX_REASONS)
        return;
    if (result->reasons < HABIT_MAX_REASONS)
        result->reasons++;
    for (uint32_t k = result->reasons - 1u; k > at; k--)
        result->reason[k] = result->reason[k - 1];
    result->reason[at] = *reason;
}

static void collect(const struct habit_call *call, const struct habit_judgement *judgement, float least,
                    struct habit_result *result)
{
    const uint32_t v = judgement->winner;
    const struct habit_view *view = &call->view[v];
    const uint32_t part = view->shape->part;
    const float *position = view->positions + judgement->nearest[v] * view->shape->dimension;

    for (uint32_t i = 0; i < view->shape->dimension; i++) {
        struct habit_reason reason = { .axis = (uint8_t)(i / part) };

        reason.sigmas = habit_within((call->features.view[v][i] - position[i]) * view->inverse_sd[i], LARGEST_SIGMAS);
        if (fabsf(reason.sigmas) < least)
            continue;
        name_feature[v](call, i % part, &reason);
        if (!told_already(result, &reason))
            insert(result, &reason);
    }
}

/* An alarm always has a reason, though it may be that many small ones add up. */
void habit_explain(const struct habit_call *call, const struct habit_judgement *judgement, struct habit_result *result)
{
    result->reasons = 0;
    collect(call, judgement, WORTH_TELLING, result);
    if (result->reasons == 0 && habit_strangeness(judgement) > 1.0f) {
        collect(call, judgement, 0.0f, result);
        result->reasons = 1;
    }
}
