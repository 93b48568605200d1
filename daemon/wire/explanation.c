/* Why a buffer is strange, in the user's terms. */
#include <string.h>

#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"

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

static json_t *build_reason(const struct reason *reason)
{
    const struct place *place = place_of(reason);
    json_t *item = json_object();

    wire_put(&item, "axis", json_integer(reason->axis));
    wire_put(&item, "kind", json_string(reason->kind));
    if (reason->from < reason->to || reason->from > 0.0f) {
        wire_put(&item, place->from, wire_figure((double)reason->from));
        wire_put(&item, place->to, wire_figure((double)reason->to));
    }
    wire_put(&item, "sigmas", wire_figure((double)reason->sigmas));
    return item;
}

json_t *build_explanation(const struct detection *detection)
{
    json_t *items = json_array();

    for (size_t i = 0; i < detection->reasons; i++)
        wire_append(&items, build_reason(&detection->reason[i]));
    return items;
}

char *wire_explanation(const struct detection *detection)
{
    return wire_dump(build_explanation(detection));
}
