/* The last steps that all encodings share: from numbers as they were sent to interleaved samples in the machine's unit.
 * Internal to wire/. */
#ifndef HABIT_WIRE_SAMPLES_H
#define HABIT_WIRE_SAMPLES_H

#include <stddef.h>

#include "base/error.h"
#include "wire/buffer.h"

/* Numbers in a buffer. */
size_t samples_length(const struct wire_shape *shape);

/* Refuses a count that is not one or more whole buffers (LENGTH), or too many numbers (TOO_LARGE). */
int samples_count(const struct wire_shape *shape, size_t values, struct refusal *refusal);

/* Scales, checks and interleaves whole buffers in place. Returns 0, NOT_FINITE naming the value, or -ENOMEM. */
int samples_finish(const struct wire_shape *shape, float *values, size_t count, struct refusal *refusal);

/* float32 or int16 as they come from a wire. *values is heap. Returns 0, LENGTH, TOO_LARGE or -ENOMEM. */
int samples_of_raw(const struct wire_shape *shape, const void *bytes, size_t size, float **values, size_t *count,
                   struct refusal *refusal);

#endif
