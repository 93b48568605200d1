#include "wire/samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

size_t samples_length(const struct wire_shape *shape)
{
    return (size_t)shape->buffer_size * shape->axes;
}

int samples_count(const struct wire_shape *shape, size_t values, struct refusal *refusal)
{
    size_t length = samples_length(shape);

    if (values > LIMIT_NUMBERS)
        return refuse_limit(refusal, REFUSAL_TOO_LARGE, "data", LIMIT_NUMBERS, "%zu values, at most %d in a body",
                            values, LIMIT_NUMBERS);
    if (shape->message && (values == 0 || values % length != 0))
        return refuse(refusal, REFUSAL_LENGTH, "data", "%zu values are no whole number of samples of %u values", values,
                      shape->axes);
    if (values == 0 || values % length != 0)
        return refuse(refusal, REFUSAL_LENGTH, "data", "%zu values, this machine's buffer is %u x %u = %zu", values,
                      shape->buffer_size, shape->axes, length);
    return 0;
}

/* The multiplication is rounded before the addition, on every processor: the build forbids contraction. */
static void scale_all(const struct wire_shape *shape, float *values, size_t count)
{
    if (shape->scale == 1.0f && shape->offset == 0.0f)
        return;
    for (size_t i = 0; i < count; i++) {
        float product = values[i] * shape->scale;

        values[i] = product + shape->offset;
    }
}

static const float most = 1e15f;

static int refuse_value(const float *values, size_t count, struct refusal *refusal)
{
    for (size_t i = 0; i < count; i++)
        if (!(fabsf(values[i]) <= most)) /* catches NaN too */
            return refuse(refusal, REFUSAL_NOT_FINITE, "data",
                          "data[%zu] is %s: every value is finite and at most 1e15", i,
                          isfinite(values[i]) ? "too large" : "not finite");
    return 0;
}

/* All at once first: the compiler makes vectors of it. */
static int check_all(const float *values, size_t count, struct refusal *refusal)
{
    unsigned int wrong = 0;

    for (size_t i = 0; i < count; i++)
        wrong |= !(fabsf(values[i]) <= most);
    return wrong ? refuse_value(values, count, refusal) : 0;
}

/* x0 x1 y0 y1 z0 z1 -> x0 y0 z0 x1 y1 z1 */
static void interleave(const float *planar, size_t samples, size_t axes, float *interleaved)
{
    for (size_t axis = 0; axis < axes; axis++)
        for (size_t i = 0; i < samples; i++)
            interleaved[i * axes + axis] = *planar++;
}

static int interleave_all(const struct wire_shape *shape, float *values, size_t count)
{
    size_t length = shape->message ? count : samples_length(shape); /* what is planar in itself */
    float *planar;

    if (shape->layout != LAYOUT_PLANAR || shape->axes == 1)
        return 0;
    planar = malloc(length * sizeof(*planar));
    if (!planar)
        return fault(-ENOMEM);
    for (float *buffer = values; buffer < values + count; buffer += length) {
        memcpy(planar, buffer, length * sizeof(*planar));
        interleave(planar, length / shape->axes, shape->axes, buffer);
    }
    free(planar);
    return 0;
}

int samples_finish(const struct wire_shape *shape, float *values, size_t count, struct refusal *refusal)
{
    int r;

    scale_all(shape, values, count);
    r = check_all(values, count, refusal);
    return r != 0 ? r : interleave_all(shape, values, count);
}

/* -------------------------------------------------------------------------------------------------------------- raw */

static void read_f32(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++, bytes += 4) {
        uint32_t bits =
            (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;

        memcpy(&values[i], &bits, sizeof(bits));
    }
}

static float signed_16(unsigned int low, unsigned int high)
{
    int value = (int)(high << 8 | low);

    return (float)(value < 32768 ? value : value - 65536);
}

static void read_i16(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = signed_16(bytes[2 * i], bytes[2 * i + 1]);
}

static void read_i16be(float *values, const unsigned char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        values[i] = signed_16(bytes[2 * i + 1], bytes[2 * i]);
}

static const struct raw_format {
    const char *name;
    size_t width;
    void (*read)(float *values, const unsigned char *bytes, size_t count);
} raw_formats[] = {
    [FORMAT_F32] = { "float32", 4, read_f32 },
    [FORMAT_I16] = { "int16", 2, read_i16 },
    [FORMAT_I16BE] = { "int16", 2, read_i16be },
    [FORMAT_JSON] = { "float32", 4, read_f32 }, /* raw bytes for a machine that usually speaks JSON */
};

int samples_of_raw(const struct wire_shape *shape, const void *bytes, size_t size, float **values, size_t *count,
                   struct refusal *refusal)
{
    const struct raw_format *format = &raw_formats[shape->format];
    size_t numbers = size / format->width;
    int r;

    if (size % format->width != 0)
        return refuse(refusal, REFUSAL_LENGTH, "data", "%zu bytes are no whole number of %s values", size,
                      format->name);
    r = samples_count(shape, numbers, refusal);
    if (r != 0)
        return r;
    *values = malloc(numbers * sizeof(**values));
    if (!*values)
        return fault(-ENOMEM);
    format->read(*values, bytes, numbers);
    *count = numbers;
    return 0;
}
