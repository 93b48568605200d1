/* What became of a buffer: the answer of detect, learn and buffers. */
#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"

static json_t *build_axes(const float *values, size_t axes)
{
    json_t *array = json_array();

    for (size_t i = 0; i < axes; i++)
        wire_append(&array, wire_figure((double)values[i]));
    return array;
}

static void append_flags(json_t **flags, const char *name, unsigned int bits)
{
    for (unsigned int axis = 0; axis < RECORD_AXES; axis++)
        if (bits & 1u << axis)
            wire_append(flags, json_sprintf("%s:%u", name, axis));
}

/* "constant:1": a dead sensor on axis 1; "clipped:0". */
static json_t *build_flags(const struct detection *detection)
{
    json_t *flags = json_array();

    append_flags(&flags, "constant", detection->constant);
    append_flags(&flags, "clipped", detection->clipped);
    return flags;
}

/* -------------------------------------------------------------------------------------------- what each status adds */

static void put_detection(json_t **object, const struct verdict *verdict)
{
    const struct detection *detection = &verdict->detection;
    const struct average *average = &verdict->average;

    wire_put(object, "similarity", json_integer(detection->similarity));
    wire_put(object, "distance", wire_figure((double)detection->distance));
    wire_put(object, "average", average->known ? json_integer(average->similarity) : json_null());
    wire_put(object, "anomaly", wire_id(verdict->anomaly));
    wire_put(object, "phase", json_string(phase_name(verdict->phase)));
    wire_put(object, "level", build_axes(detection->level, detection->axes));
    wire_put(object, "amplitude", build_axes(detection->amplitude, detection->axes));
    wire_put(object, "flags", build_flags(detection));
    wire_put(object, "explanation", build_explanation(detection));
    wire_put(object, "p_value", wire_figure((double)detection->p_value));
    wire_put(object, "extrapolated", json_boolean(detection->extrapolated));
}

static void put_learned(json_t **object, const struct verdict *verdict)
{
    const struct learning *learning = &verdict->learning;

    wire_put(object, "learned", json_integer(learning->learned));
    wire_put(object, "needed", json_integer(learning->needed));
    wire_put(object, "settled", wire_figure((double)learning->settled));
    wire_put(object, "weight", wire_figure((double)learning->weight));
    wire_put(object, "missing", wire_text(learning->missing));
    wire_put(object, "false_alarms", wire_figure((double)learning->false_alarms));
    wire_put(object, "extrapolated", json_boolean(learning->extrapolated));
    wire_put(object, "states", json_integer(learning->states));
    wire_put(object, "rare", json_integer(learning->rare));
    wire_put(object, "phase", json_string(phase_name(verdict->phase)));
}

static void put_not_ready(json_t **object, const struct verdict *verdict)
{
    wire_put(object, "similarity", json_null());
    wire_put(object, "learned", json_integer(verdict->learning.learned));
    wire_put(object, "needed", json_integer(verdict->learning.needed));
    wire_put(object, "phase", json_string(phase_name(verdict->phase)));
    wire_put(object, "note", wire_text(verdict->note));
}

static void put_idle(json_t **object, const struct verdict *verdict)
{
    wire_put(object, "anomaly", wire_id(verdict->anomaly));
    wire_put(object, "phase", json_string(phase_name(verdict->phase)));
    wire_put(object, "note", wire_text(verdict->note));
}

static void put_duplicate(json_t **object, const struct verdict *verdict)
{
    wire_put(object, "duplicate", json_true());
    wire_put(object, "phase", json_string(phase_name(verdict->phase)));
}

/* No status but the first has a score. */
static void (*const put_parts[VERDICTS])(json_t **object, const struct verdict *verdict) = {
    [VERDICT_OK] = put_detection, [VERDICT_LEARNED] = put_learned,     [VERDICT_NOT_READY] = put_not_ready,
    [VERDICT_IDLE] = put_idle,    [VERDICT_DUPLICATE] = put_duplicate,
};

json_t *build_verdict(const struct verdict *verdict)
{
    json_t *object = json_object();

    wire_put(&object, "status", json_string(verdict_name(verdict->status)));
    put_parts[verdict->status](&object, verdict);
    return object;
}

static json_t *build_list(const struct verdict *verdicts, size_t count)
{
    json_t *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_verdict(&verdicts[i]));
    return array;
}

json_t *build_verdicts(const struct verdict *verdicts, size_t shown, size_t count)
{
    json_t *answer;

    if (count == 1)
        return build_verdict(verdicts);
    answer = json_object();
    wire_put(&answer, "buffers", json_integer((json_int_t)count));
    wire_put(&answer, "verdicts", build_list(verdicts, shown));
    return answer;
}

char *wire_verdicts(const char *machine, const struct verdict *verdicts, size_t shown, size_t count)
{
    json_t *answer = json_object();

    wire_put(&answer, "machine", json_string(machine));
    wire_merge(&answer, build_verdicts(verdicts, shown, count));
    return wire_dump(answer);
}

/* ---------------------------------------------------------------------------------------------------------- features */

char *wire_features(const struct detection *detection, int64_t at)
{
    json_t *object = json_object();

    wire_put(&object, "time", wire_time(at));
    wire_put(&object, "similarity", json_integer(detection->similarity));
    wire_put(&object, "distance", wire_figure((double)detection->distance));
    wire_put(&object, "level", build_axes(detection->level, detection->axes));
    wire_put(&object, "amplitude", build_axes(detection->amplitude, detection->axes));
    wire_put(&object, "explanation", build_explanation(detection));
    return wire_dump(object);
}
