/* What was said on a topic, read again: for the journal. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "wire/document.h"
#include "wire/json.h"
#include "wire/parse.h"

static void copy(const json_t *object, const char *name, char *text, size_t size)
{
    const char *found = json_string_value(json_object_get(object, name));

    snprintf(text, size, "%s", found ? found : "");
    for (char *c = text; *c != '\0'; c++) /* texts come from people and sensors */
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = ' ';
}

static double figure(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* "axis 1, band 400..425 Hz, +8.2 sigma" of the first reason. */
static void describe(const json_t *reasons, char *text, size_t size)
{
    static const struct {
        const char *from, *to, *unit;
    } ranges[] = { { "from_hz", "to_hz", "Hz" },
                   { "from_bin", "to_bin", "(bins)" },
                   { "from_sample", "to_sample", "(samples)" } };
    const json_t *reason = json_array_get(reasons, 0);
    char kind[24], range[64] = "";

    text[0] = '\0';
    if (!reason)
        return;
    copy(reason, "kind", kind, sizeof(kind));
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (json_object_get(reason, ranges[i].from))
            snprintf(range, sizeof(range), " %.4g..%.4g %s", figure(reason, ranges[i].from),
                     figure(reason, ranges[i].to), ranges[i].unit);
    snprintf(text, size, "axis %.0f, %s%s, %+.1f sigma", figure(reason, "axis"), kind, range, figure(reason, "sigmas"));
}

bool wire_read_said(const char *payload, struct wire_said *said)
{
    json_t *root = wire_parse_text(payload);

    if (!json_is_object(root)) {
        json_decref(root);
        return false;
    }
    copy(root, "machine", said->machine, sizeof(said->machine));
    copy(root, "event", said->event, sizeof(said->event));
    copy(root, "state", said->state, sizeof(said->state));
    copy(root, "meaning", said->meaning, sizeof(said->meaning));
    said->id = (int64_t)figure(root, "id");
    said->similarity = (int)figure(root, "similarity");
    said->distance = figure(root, "distance");
    describe(json_object_get(root, "explanation"), said->reason, sizeof(said->reason));
    json_decref(root);
    return true;
}
