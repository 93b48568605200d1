/* Buffers in JSON. Internal to wire/. */
#ifndef HABIT_WIRE_BUFFER_JSON_H
#define HABIT_WIRE_BUFFER_JSON_H

#include <stddef.h>

#include "base/error.h"
#include "wire/buffer.h"

/* Reads a bare array of numbers, or an object with one at shape->json_path ("data" where there is none) and with what
 * meta holds. *values is heap. Returns 0, a refusal, or -ENOMEM. */
int samples_of_json(const struct wire_shape *shape, const void *bytes, size_t size, struct wire_meta *meta,
                    float **values, size_t *count, struct refusal *refusal);

#endif
