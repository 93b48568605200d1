#include "sink.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"

enum { VALUE_BYTES = 16 }; /* of the longest text of a float and its comma */

static void put_little_endian(unsigned char *bytes, uint32_t value, size_t count)
{
    for (size_t i = 0; i < count; i++)
        bytes[i] = (unsigned char)(value >> (8 * i));
}

static size_t encode_f32(const struct samples_shape *shape, const float *samples, unsigned char *bytes)
{
    size_t count = samples_values(shape);

    for (size_t i = 0; i < count; i++) {
        uint32_t bits;

        memcpy(&bits, &samples[i], sizeof(bits));
        put_little_endian(bytes + 4 * i, bits, 4);
    }
    return 4 * count;
}

/* As a converter does: rounded, and clipped where its range ends. */
static size_t encode_i16(const struct samples_shape *shape, const float *samples, unsigned char *bytes)
{
    size_t count = samples_values(shape);

    for (size_t i = 0; i < count; i++) {
        double step = fmin(INT16_MAX, fmax(INT16_MIN, rint((double)(samples[i] / shape->scale))));

        put_little_endian(bytes + 2 * i, (uint32_t)(int32_t)step, 2);
    }
    return 2 * count;
}

static size_t encode_csv(const struct samples_shape *shape, const float *samples, unsigned char *bytes)
{
    size_t count = samples_values(shape), length = 0;

    for (size_t i = 0; i < count; i++)
        length += (size_t)sprintf((char *)bytes + length, "%.9g%c", (double)samples[i], i + 1 < count ? ',' : '\n');
    return length;
}

static size_t (*const encoders[])(const struct samples_shape *shape, const float *samples, unsigned char *bytes) = {
    [SAMPLES_F32] = encode_f32,
    [SAMPLES_I16] = encode_i16,
    [SAMPLES_CSV] = encode_csv,
};

int sink_open(struct sink *sink, const struct sink_setup *setup)
{
    *sink = (struct sink){ .setup = *setup };
    sink->kind = setup->http ? &sink_http : setup->mqtt ? &sink_mqtt : &sink_file;
    sink->bytes = malloc(samples_values(&setup->shape) * VALUE_BYTES + 1);
    if (!sink->bytes)
        return complain_errno("hold", "a buffer");
    return sink->kind->open(sink);
}

int sink_send(struct sink *sink, const struct sink_buffer *buffer)
{
    size_t size = encoders[sink->setup.format](&sink->setup.shape, buffer->samples, sink->bytes);

    return sink->kind->send(sink, buffer, sink->bytes, size);
}

int sink_finish(struct sink *sink)
{
    return sink->kind->finish(sink);
}

void sink_close(struct sink *sink)
{
    if (sink->kind && sink->state)
        sink->kind->close(sink);
    free(sink->bytes);
}
