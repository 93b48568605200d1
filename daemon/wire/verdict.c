/* What became of a buffer: the answer of detect, learn and buffers. */
#include <stdio.h>
#include <stdlib.h>

#include "wire/build.h"
#include "wire/document.h"
#include "wire/parse.h"
#include "wire/write.h"

static void write_axes(struct writer *writer, const char *name, const float *values, size_t axes)
{
    writer_name(writer, name);
    writer_open(writer, '[');
    for (size_t i = 0; i < axes; i++)
        writer_figure(writer, (double)values[i]);
    writer_close(writer, ']');
}

static void write_flag(struct writer *writer, const char *name, unsigned int bits)
{
    char flag[24];

    for (unsigned int axis = 0; axis < RECORD_AXES; axis++)
        if (bits & 1u << axis) {
            snprintf(flag, sizeof(flag), "%s:%u", name, axis);
            writer_text(writer, flag);
        }
}

/* "constant:1": a dead sensor on axis 1; "clipped:0". */
static void write_flags(struct writer *writer, const struct detection *detection)
{
    writer_name(writer, "flags");
    writer_open(writer, '[');
    write_flag(writer, "constant", detection->constant);
    write_flag(writer, "clipped", detection->clipped);
    writer_close(writer, ']');
}

static void write_id(struct writer *writer, const char *name, int64_t id)
{
    writer_name(writer, name);
    writer_id(writer, id);
}

static void write_phase(struct writer *writer, const struct verdict *verdict)
{
    writer_name(writer, "phase");
    writer_text(writer, phase_name(verdict->phase));
}

static void write_count(struct writer *writer, const char *name, int64_t count)
{
    writer_name(writer, name);
    writer_integer(writer, count);
}

static void write_number(struct writer *writer, const char *name, float number)
{
    writer_name(writer, name);
    writer_figure(writer, (double)number);
}

static void write_text(struct writer *writer, const char *name, const char *text)
{
    writer_name(writer, name);
    writer_text(writer, text);
}

static void write_truth(struct writer *writer, const char *name, bool truth)
{
    writer_name(writer, name);
    writer_truth(writer, truth);
}

/* -------------------------------------------------------------------------------------------- what each status adds */

static void write_average(struct writer *writer, const struct average *average)
{
    writer_name(writer, "average");
    if (average->known)
        writer_integer(writer, average->similarity);
    else
        writer_null(writer);
}

static void write_detection(struct writer *writer, const struct verdict *verdict)
{
    const struct detection *detection = &verdict->detection;

    write_count(writer, "similarity", detection->similarity);
    write_number(writer, "distance", detection->distance);
    write_average(writer, &verdict->average);
    write_id(writer, "anomaly", verdict->anomaly);
    write_phase(writer, verdict);
    write_axes(writer, "level", detection->level, detection->axes);
    write_axes(writer, "amplitude", detection->amplitude, detection->axes);
    write_flags(writer, detection);
    writer_name(writer, "explanation");
    write_explanation(writer, detection);
    write_number(writer, "p_value", detection->p_value);
    write_truth(writer, "extrapolated", detection->extrapolated);
}

static void write_learned(struct writer *writer, const struct verdict *verdict)
{
    const struct learning *learning = &verdict->learning;

    write_count(writer, "learned", learning->learned);
    write_count(writer, "needed", learning->needed);
    write_number(writer, "settled", learning->settled);
    write_number(writer, "weight", learning->weight);
    write_text(writer, "missing", learning->missing);
    write_number(writer, "false_alarms", learning->false_alarms);
    write_truth(writer, "extrapolated", learning->extrapolated);
    write_count(writer, "states", learning->states);
    write_count(writer, "rare", learning->rare);
    write_phase(writer, verdict);
}

static void write_not_ready(struct writer *writer, const struct verdict *verdict)
{
    writer_name(writer, "similarity");
    writer_null(writer);
    write_count(writer, "learned", verdict->learning.learned);
    write_count(writer, "needed", verdict->learning.needed);
    write_phase(writer, verdict);
    write_text(writer, "note", verdict->note);
}

static void write_idle(struct writer *writer, const struct verdict *verdict)
{
    write_id(writer, "anomaly", verdict->anomaly);
    write_phase(writer, verdict);
    write_text(writer, "note", verdict->note);
}

static void write_duplicate(struct writer *writer, const struct verdict *verdict)
{
    write_truth(writer, "duplicate", true);
    write_phase(writer, verdict);
}

/* No status but the first has a score. */
static void (*const write_parts[VERDICTS])(struct writer *writer, const struct verdict *verdict) = {
    [VERDICT_OK] = write_detection, [VERDICT_LEARNED] = write_learned,     [VERDICT_NOT_READY] = write_not_ready,
    [VERDICT_IDLE] = write_idle,    [VERDICT_DUPLICATE] = write_duplicate,
};

void write_verdict(struct writer *writer, const struct verdict *verdict)
{
    write_text(writer, "status", verdict_name(verdict->status));
    write_parts[verdict->status](writer, verdict);
}

void write_verdicts(struct writer *writer, const struct verdict *verdicts, size_t shown, size_t count)
{
    if (count == 1) {
        write_verdict(writer, verdicts);
        return;
    }
    write_count(writer, "buffers", (int64_t)count);
    writer_name(writer, "verdicts");
    writer_open(writer, '[');
    for (size_t i = 0; i < shown; i++) {
        writer_open(writer, '{');
        write_verdict(writer, &verdicts[i]);
        writer_close(writer, '}');
    }
    writer_close(writer, ']');
}

char *wire_verdicts(const char *machine, const struct verdict *verdicts, size_t shown, size_t count)
{
    struct writer writer = { 0 };

    writer_open(&writer, '{');
    write_text(&writer, "machine", machine);
    write_verdicts(&writer, verdicts, shown, count);
    writer_close(&writer, '}');
    return writer_take(&writer);
}

json_t *build_verdict(const struct verdict *verdict)
{
    struct writer writer = { 0 };
    json_t *object;
    char *text;

    writer_open(&writer, '{');
    write_verdict(&writer, verdict);
    writer_close(&writer, '}');
    text = writer_take(&writer);
    object = wire_parse_text(text);
    free(text);
    return object;
}

/* ---------------------------------------------------------------------------------------------------------- features */

char *wire_features(const struct detection *detection, int64_t at)
{
    struct writer writer = { 0 };

    writer_open(&writer, '{');
    writer_name(&writer, "time");
    writer_time(&writer, at);
    write_count(&writer, "similarity", detection->similarity);
    write_number(&writer, "distance", detection->distance);
    write_axes(&writer, "level", detection->level, detection->axes);
    write_axes(&writer, "amplitude", detection->amplitude, detection->axes);
    writer_name(&writer, "explanation");
    write_explanation(&writer, detection);
    writer_close(&writer, '}');
    return writer_take(&writer);
}
