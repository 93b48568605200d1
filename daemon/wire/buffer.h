/* Bytes to buffers. One decoder for every door: what is wrong with a body is found here, with the same words. */
#ifndef HABIT_WIRE_BUFFER_H
#define HABIT_WIRE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/limits.h"
#include "record/machine.h"

enum wire_encoding { ENCODING_RAW, ENCODING_JSON, ENCODING_CSV };

/* A JSON document that was read already, to find out which machine it is of. */
struct wire_line;

/* What the bytes are of. */
struct wire_shape {
    enum wire_encoding encoding;
    uint32_t buffer_size, axes;
    uint32_t format;     /* enum sample_format, of RAW: f32, i16, i16be; all little-endian but the last */
    uint32_t layout;     /* enum sample_layout, of all encodings */
    float scale, offset; /* x = sample * scale + offset, in float32, multiplication rounded first; f32 of a machine's
                              own topics: 1, 0 */
    bool message; /* whole samples of `axes` values, as many as there are: buffer_size does not count; PLANAR is of
                     the whole message */
    const struct wire_line *line; /* of JSON: bytes do not count; NULL = they do */
    const char *json_path; /* "accel.samples": where the numbers are; NULL or "": the data field or a bare array */
};

/* What a message may say beside its buffers. Query parameters and MQTT 5 user properties fill the same struct. */
struct wire_meta {
    char source[SOURCE_SIZE]; /* "" = the default source */
    char boot[SOURCE_SIZE];
    bool has_seq, has_time, has_age;
    uint64_t seq;     /* 0 .. 2^53 - 1 */
    int64_t time;     /* wall ms when it was measured */
    uint64_t age_ms;  /* how old it was when sent */
    uint32_t ignored; /* unknown JSON fields: counted, not refused */
    uint32_t context_count;
    struct named_number context[LIMIT_CONTEXT];
};

/* Sets one of seq, boot, source, time, age_ms from text. Returns 0, a refusal, or -ENOENT where it is none of them. */
int wire_meta_set(struct wire_meta *meta, const char *name, const char *value, struct refusal *refusal);

struct wire_buffers {
    float *samples; /* buffers back to back, interleaved by axis, all finite and at most 1e15; heap */
    size_t count;   /* buffers, at least 1 */
    struct wire_meta meta;
};

/* Decodes a body. meta is what the door knows already; a JSON body may add to it.
 * A body of several buffers is a batch: raw, CSV by lines; JSON: data of a multiple of the length. With seq a batch
 * counts up from it, a number each.
 * Returns 0 with *buffers filled (free with wire_buffers_free), or a refusal: SYNTAX, NOT_FINITE, LENGTH, TOO_LARGE,
 * RANGE; or a negative error. */
int wire_decode(const struct wire_shape *shape, const void *bytes, size_t size, const struct wire_meta *meta,
                struct wire_buffers *buffers, struct refusal *refusal);
void wire_buffers_free(struct wire_buffers *buffers);

/* Reads one line of NDJSON: {"machine": "pump-1", "data": [...], ...}. nameless: the machine of a line that names none; NULL = it must.
 * *ret_line is to be given to wire_line_free; the machine's ID is not checked yet. Returns 0; SYNTAX, NOT_FINITE, TOO_LARGE, MACHINE_ID;
 * or -ENOMEM. */
int wire_line_read(const void *bytes, size_t size, const char *nameless, struct wire_line **ret_line,
                   struct refusal *refusal);
const char *wire_line_machine(const struct wire_line *line);
void wire_line_free(struct wire_line *line);

/* A message of a sensor whose samples are yet to be cut into buffers, or to be handed to several machines. */
struct wire_message {
    float *values; /* samples x channels, interleaved, as of wire_buffers; heap */
    size_t samples;
    uint32_t channels;
    struct wire_meta meta;
};

/* Decodes a message: shape->message, with shape->axes channels. As wire_decode; free with wire_message_free. */
int wire_decode_message(const struct wire_shape *shape, const void *bytes, size_t size, const struct wire_meta *meta,
                        struct wire_message *message, struct refusal *refusal);
void wire_message_free(struct wire_message *message);

/* Reads {"temperature": 61.5, ...}: the whole body of a context message. */
int wire_decode_context(const void *bytes, size_t size, struct wire_meta *meta, struct refusal *refusal);

#endif
