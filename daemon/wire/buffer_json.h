/* Buffers in JSON. Internal to wire/. */
#ifndef HABIT_WIRE_BUFFER_JSON_H
#define HABIT_WIRE_BUFFER_JSON_H

#include <jansson.h>
#include <stddef.h>

#include "base/error.h"
#include "wire/buffer.h"
#include "wire/numbers.h"

/* A document with the numbers of a buffer. */
struct json_buffer {
    json_t *root; /* numbers.values NULL: the whole document; else without them, NULL where nothing stood beside them */
    struct numbers numbers; /* that were read at the path; their places in the text do not count any more */
};

/* path: as in wire_shape, NULL or "" for "data". Returns 0 (free with json_buffer_free), a refusal as of wire_load, or -ENOMEM. */
int json_buffer_load(const void *bytes, size_t size, const char *path, struct json_buffer *document,
                     struct refusal *refusal);
void json_buffer_free(struct json_buffer *document);

/* Reads a bare array of numbers, or an object with one at shape->json_path ("data" where there is none) and with what
 * meta holds. *values is heap. Returns 0, a refusal, or -ENOMEM. */
int samples_of_json(const struct wire_shape *shape, const void *bytes, size_t size, struct wire_meta *meta,
                    float **values, size_t *count, struct refusal *refusal);

#endif
