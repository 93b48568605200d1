/* IDs that send but are not known, with what they might be. */
#include "wire/document.h"
#include "wire/json.h"

static const struct {
    const char *name;
    uint64_t width; /* bytes of a number; 0 = varies */
} formats[] = {
    [FORMAT_F32] = { "f32", 4 },
    [FORMAT_I16] = { "i16", 2 },
    [FORMAT_I16BE] = { "i16be", 2 },
    [FORMAT_JSON] = { "json", 0 },
};

static json_t *build_geometry(uint64_t buffer_size, unsigned int axes)
{
    json_t *geometry = json_object();

    wire_put(&geometry, "buffer_size", json_integer((json_int_t)buffer_size));
    wire_put(&geometry, "axes", json_integer(axes));
    return geometry;
}

/* Three axes (an accelerometer) before one before two and six; each with the buffer size that the last message
 * gives. */
static json_t *build_likely(const struct pending *pending)
{
    static const unsigned int axes[] = { 3, 1, 2, 6 };
    uint64_t width = formats[pending->format].width;
    json_t *likely = json_array();

    for (size_t i = 0; width > 0 && i < sizeof(axes) / sizeof(axes[0]); i++) {
        uint64_t sample = width * axes[i], size = pending->bytes / sample;

        if (pending->bytes % sample == 0 && size >= 1 && size <= 4096)
            wire_append(&likely, build_geometry(size, axes[i]));
    }
    return likely;
}

static json_t *build_pending(const struct pending *pending)
{
    json_t *object = json_object();

    wire_put(&object, "machine", json_string(pending->id));
    wire_put(&object, "topic", wire_text(pending->topic));
    wire_put(&object, "count", json_integer((json_int_t)pending->count));
    wire_put(&object, "bytes", json_integer((json_int_t)pending->bytes));
    wire_put(&object, "format", json_string(formats[pending->format].name));
    wire_put(&object, "first", wire_time(pending->first));
    wire_put(&object, "last", wire_time(pending->last));
    wire_put(&object, "likely", build_likely(pending));
    return object;
}

char *wire_pendings(const struct pending *pendings, size_t count, const char *next)
{
    json_t *page = json_object(), *array = json_array();

    for (size_t i = 0; i < count; i++)
        wire_append(&array, build_pending(&pendings[i]));
    wire_put(&page, "pending", array);
    wire_put(&page, "next", wire_text(next));
    return wire_dump(page);
}
