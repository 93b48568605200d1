/* Why a buffer is strange, in the user's terms. */
#include <string.h>

#include "wire/document.h"
#include "wire/write.h"

/* Where on an axis a reason lies: frequencies where the sampling rate is known, else bins; samples of a waveform. */
static const struct place {
    const char *from, *to;
} in_hz = { "from_hz", "to_hz" }, in_bins = { "from_bin", "to_bin" }, in_samples = { "from_sample", "to_sample" };

static const struct place *place_of(const struct reason *reason)
{
    if (reason->in_hz)
        return &in_hz;
    return strcmp(reason->kind, "waveform") == 0 ? &in_samples : &in_bins;
}

static void write_place(struct writer *writer, const char *name, float value)
{
    writer_name(writer, name);
    writer_figure(writer, (double)value);
}

static void write_reason(struct writer *writer, const struct reason *reason)
{
    const struct place *place = place_of(reason);

    writer_open(writer, '{');
    writer_name(writer, "axis");
    writer_integer(writer, reason->axis);
    writer_name(writer, "kind");
    writer_text(writer, reason->kind);
    if (reason->from < reason->to || reason->from > 0.0f) {
        write_place(writer, place->from, reason->from);
        write_place(writer, place->to, reason->to);
    }
    write_place(writer, "sigmas", reason->sigmas);
    writer_close(writer, '}');
}

void write_explanation(struct writer *writer, const struct detection *detection)
{
    writer_open(writer, '[');
    for (size_t i = 0; i < detection->reasons; i++)
        write_reason(writer, &detection->reason[i]);
    writer_close(writer, ']');
}

char *wire_explanation(const struct detection *detection)
{
    struct writer writer = { 0 };

    write_explanation(&writer, detection);
    return writer_take(&writer);
}
