#include "explanation.h"

#include <stdio.h>

/* Where on an axis a reason lies, for people and as the daemon's JSON names it. */
static const struct place {
    const char *unit, *from, *to;
} in_hz = { "Hz", "from_hz", "to_hz" }, in_bins = { "bins", "from_bin", "to_bin" },
  in_samples = { "samples", "from_sample", "to_sample" };

/* NULL for what has no place: level, amplitude, ... */
static const struct place *place_of(const struct habit_reason *reason)
{
    if (reason->kind == HABIT_KIND_WAVEFORM)
        return &in_samples;
    if (reason->kind == HABIT_KIND_BAND)
        return reason->in_hz ? &in_hz : &in_bins;
    return NULL;
}

const char *reason_text(const struct habit_reason *reason, char text[REASON_TEXT_SIZE])
{
    const struct place *place = place_of(reason);
    char range[48] = "";

    if (place)
        snprintf(range, sizeof(range), " %.4g..%.4g %s", (double)reason->from, (double)reason->to, place->unit);
    snprintf(text, REASON_TEXT_SIZE, "axis %u: %s%s %+.1f sigma", reason->axis, habit_kind_name(reason->kind), range,
             (double)reason->sigmas);
    return text;
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static json_t *reason_json(const struct habit_reason *reason)
{
    const struct place *place = place_of(reason);
    json_t *object = json_object();

    json_object_set_new(object, "axis", json_integer(reason->axis));
    json_object_set_new(object, "kind", json_string(habit_kind_name(reason->kind)));
    if (place) {
        json_object_set_new(object, place->from, json_real((double)reason->from));
        json_object_set_new(object, place->to, json_real((double)reason->to));
    }
    json_object_set_new(object, "sigmas", json_real((double)reason->sigmas));
    return object;
}

static json_t *reasons_json(const struct habit_result *result)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < result->reasons; i++)
        json_array_append_new(array, reason_json(&result->reason[i]));
    return array;
}

static json_t *values_json(const float *values, unsigned int count)
{
    json_t *array = json_array();

    for (unsigned int i = 0; i < count; i++)
        json_array_append_new(array, json_real((double)values[i]));
    return array;
}

/* "constant:1": axis 1 did not move. */
static void append_flags(json_t *flags, const char *name, unsigned int bits)
{
    for (unsigned int axis = 0; axis < HABIT_MAX_AXES; axis++)
        if (bits & (1U << axis))
            json_array_append_new(flags, json_sprintf("%s:%u", name, axis));
}

json_t *result_json(const struct habit_result *result, unsigned int axes)
{
    json_t *flags = json_array();

    append_flags(flags, "constant", result->constant);
    append_flags(flags, "clipped", result->clipped);
    return json_pack("{s:i, s:f, s:f, s:b, s:o, s:o, s:o, s:o}", "similarity", result->similarity, "distance",
                     (double)result->distance, "p_value", (double)result->p_value, "extrapolated", result->extrapolated,
                     "level", values_json(result->level, axes), "amplitude", values_json(result->amplitude, axes),
                     "flags", flags, "explanation", reasons_json(result));
}

void progress_print(const struct habit_progress *progress)
{
    printf("settled %.0f %%, missing: %s\n", 100 * (double)progress->settled, habit_missing_text(progress->missing));
    if (progress->states > 0)
        printf("normal states: %u\n", progress->states);
    if (progress->rare > 0)
        printf("another state was seen %u times\n", progress->rare);
    if (progress->needed == 0)
        printf("own estimate of false alarms: %.2g %% of nominal buffers%s\n", 100 * (double)progress->false_alarms,
               progress->extrapolated ? " (extrapolated)" : "");
}

json_t *progress_json(const struct habit_progress *progress)
{
    return json_pack("{s:I, s:I, s:f, s:f, s:b, s:I, s:I, s:s}", "learned", (json_int_t)progress->learned, "needed",
                     (json_int_t)progress->needed, "settled", (double)progress->settled, "false_alarms",
                     (double)progress->false_alarms, "extrapolated", progress->extrapolated, "states",
                     (json_int_t)progress->states, "rare", (json_int_t)progress->rare, "missing",
                     habit_missing_text(progress->missing));
}
