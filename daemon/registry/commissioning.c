#include "registry/commissioning.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"

enum { STEPS = 32767 }; /* on either side of the offset */

static void pack_axis(const float *samples, size_t count, size_t axes, int16_t *packed, float *step, float *offset)
{
    float low = samples[0], high = samples[0];

    for (size_t i = 0; i < count; i += axes) {
        low = fminf(low, samples[i]);
        high = fmaxf(high, samples[i]);
    }
    *offset = low + (high - low) / 2; /* rounded: a small range on a large level has no float in its middle */
    *step = fmaxf(high - *offset, *offset - low) / STEPS;
    for (size_t i = 0; i < count; i += axes) {
        float steps = *step > 0 ? roundf((samples[i] - *offset) / *step) : 0;

        packed[i] = (int16_t)fmaxf(-STEPS, fminf(STEPS, steps));
    }
}

void commissioning_pack(const float *samples, size_t count, size_t axes, int16_t *packed, float *step, float *offset)
{
    for (size_t axis = 0; axis < axes; axis++)
        pack_axis(samples + axis, count - axis, axes, packed + axis, &step[axis], &offset[axis]);
}

bool buffer_pack(struct store_buffer *buffer, const float *samples, size_t count, size_t axes, int64_t at)
{
    float *step = malloc(2 * axes * sizeof(*step) + count * sizeof(int16_t));
    int16_t *packed;

    if (!step)
        return false;
    packed = (int16_t *)(step + 2 * axes);
    commissioning_pack(samples, count, axes, packed, step, step + axes);
    *buffer = (struct store_buffer){
        .samples = packed, .count = count, .step = step, .offset = step + axes, .axes = (uint32_t)axes, .at = at
    };
    return true;
}

void buffer_unpack(const struct store_buffer *buffer, float *samples)
{
    const char *packed = (const char *)buffer->samples, *steps = (const char *)buffer->step,
               *offsets = (const char *)buffer->offset;

    for (size_t i = 0; i < buffer->count; i++) {
        size_t axis = i % buffer->axes;
        float step, offset;
        int16_t sample;

        memcpy(&sample, packed + i * sizeof(sample), sizeof(sample)); /* in a database page nothing is aligned */
        memcpy(&step, steps + axis * sizeof(step), sizeof(step));
        memcpy(&offset, offsets + axis * sizeof(offset), sizeof(offset));
        samples[i] = offset + step * (float)sample;
    }
}

void buffer_free(struct store_buffer *buffer)
{
    free((float *)buffer->step);
    free((char *)buffer->features);
    *buffer = (struct store_buffer){ 0 };
}

void commissioning_add(struct commissioning_list *list, struct machine *machine, const float *samples, int64_t at)
{
    size_t axes = machine->settings.axes, count = machine->settings.buffer_size * axes;
    uint64_t bytes = machine->commissioning_bytes + count * sizeof(int16_t);
    struct store_buffer *grown;

    if (machine->settings.store_buffers != BUFFERS_RAW || machine->commissioning_count >= LIMIT_COMMISSIONING ||
        bytes > LIMIT_COMMISSIONING_BYTES)
        return;
    grown = realloc(list->buffer, (list->count + 1) * sizeof(*grown));
    if (!grown)
        return;
    list->buffer = grown;
    if (!buffer_pack(&grown[list->count], samples, count, axes, at))
        return;
    list->count++;
    machine->commissioning_count++;
    machine->commissioning_bytes = bytes;
}

void commissioning_free(struct commissioning_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        buffer_free(&list->buffer[i]);
    free(list->buffer);
    *list = (struct commissioning_list){ 0 };
}
