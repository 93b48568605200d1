#include "registry/commissioning.h"

#include <math.h>
#include <stdlib.h>

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

/* One allocation holds samples, steps and offsets. */
static bool make_buffer(struct store_commissioning *buffer, const float *samples, size_t count, size_t axes, int64_t at)
{
    float *step = malloc(2 * axes * sizeof(*step) + count * sizeof(int16_t));
    int16_t *packed;

    if (!step)
        return false;
    packed = (int16_t *)(step + 2 * axes);
    commissioning_pack(samples, count, axes, packed, step, step + axes);
    *buffer = (struct store_commissioning){
        .samples = packed, .count = count, .step = step, .offset = step + axes, .axes = (uint32_t)axes, .at = at
    };
    return true;
}

void commissioning_add(struct commissioning_list *list, struct machine *machine, const float *samples, int64_t at)
{
    size_t axes = machine->settings.axes, count = machine->settings.buffer_size * axes;
    uint64_t bytes = machine->commissioning_bytes + count * sizeof(int16_t);
    struct store_commissioning *grown;

    if (machine->commissioning_count >= LIMIT_COMMISSIONING || bytes > LIMIT_COMMISSIONING_BYTES)
        return;
    grown = realloc(list->buffer, (list->count + 1) * sizeof(*grown));
    if (!grown)
        return;
    list->buffer = grown;
    if (!make_buffer(&grown[list->count], samples, count, axes, at))
        return;
    list->count++;
    machine->commissioning_count++;
    machine->commissioning_bytes = bytes;
}

void commissioning_free(struct commissioning_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        free((float *)list->buffer[i].step);
    free(list->buffer);
    *list = (struct commissioning_list){ 0 };
}
