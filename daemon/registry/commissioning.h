/* Learned buffers are kept as int16, bounded, so that a better engine can relearn them one day. */
#ifndef HABIT_REGISTRY_COMMISSIONING_H
#define HABIT_REGISTRY_COMMISSIONING_H

#include "store/store.h"

struct machine;

/* What one submission adds; heap. */
struct commissioning_list {
    struct store_buffer *buffer;
    size_t count;
};

/* Adds a learned buffer where the machine's bounds allow; without memory it is left out: knowledge does not depend on it. */
void commissioning_add(struct commissioning_list *list, struct machine *machine, const float *samples, int64_t at);
void commissioning_free(struct commissioning_list *list);

/* Packs a buffer into one allocation. Returns false where there is no memory. */
bool buffer_pack(struct store_buffer *buffer, const float *samples, size_t count, size_t axes, int64_t at);
void buffer_unpack(const struct store_buffer *buffer, float *samples); /* buffer->count of them */
void buffer_free(struct store_buffer *buffer);

/* value = offset + step * sample for one axis; the step covers the axis' own range, so that half a step is the error.
 * Exposed for its test. */
void commissioning_pack(const float *samples, size_t count, size_t axes, int16_t *packed, float *step, float *offset);

#endif
