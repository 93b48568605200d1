#include "wire/buffer.h"

#include <errno.h>
#include <stdlib.h>

#include "wire/buffer_json.h"
#include "wire/csv.h"
#include "wire/samples.h"

static int samples_of_csv(const struct wire_shape *shape, const void *bytes, size_t size, float **values, size_t *count,
                          struct refusal *refusal)
{
    struct csv_options options = { .columns = samples_length(shape), .most = LIMIT_NUMBERS };
    struct csv_table table;
    int r = csv_read(bytes, size, &options, &table, refusal);

    if (r != 0)
        return r;
    *values = table.values;
    *count = table.rows * table.columns;
    return 0;
}

/* Numbers as they were sent: whole buffers, in the order and unit of the wire. */
static int decode_numbers(const struct wire_shape *shape, const void *bytes, size_t size, struct wire_meta *meta,
                          float **values, size_t *count, struct refusal *refusal)
{
    switch (shape->encoding) {
    case ENCODING_RAW:
        return samples_of_raw(shape, bytes, size, values, count, refusal);
    case ENCODING_JSON:
        return samples_of_json(shape, bytes, size, meta, values, count, refusal);
    case ENCODING_CSV:
        return samples_of_csv(shape, bytes, size, values, count, refusal);
    }
    return fault(-EINVAL);
}

static int check_shape(const struct wire_shape *shape, size_t size, struct refusal *refusal)
{
    if (samples_length(shape) == 0 || samples_length(shape) > LIMIT_NUMBERS || shape->format > FORMAT_JSON)
        return fault(-EINVAL);
    if (size > LIMIT_BODY)
        return refuse_limit(refusal, REFUSAL_TOO_LARGE, "", LIMIT_BODY, "%zu bytes, at most %d in a body", size,
                            LIMIT_BODY);
    return 0;
}

int wire_decode(const struct wire_shape *shape, const void *bytes, size_t size, const struct wire_meta *meta,
                struct wire_buffers *buffers, struct refusal *refusal)
{
    struct wire_meta result = { 0 };
    float *values = NULL;
    size_t count = 0;
    int r = check_shape(shape, size, refusal);

    if (meta)
        result = *meta;
    if (r == 0)
        r = decode_numbers(shape, bytes, size, &result, &values, &count, refusal);
    if (r == 0)
        r = samples_finish(shape, values, count, refusal);
    if (r != 0) {
        free(values);
        return r;
    }
    *buffers = (struct wire_buffers){ .samples = values, .count = count / samples_length(shape), .meta = result };
    return 0;
}

int wire_decode_message(const struct wire_shape *shape, const void *bytes, size_t size, const struct wire_meta *meta,
                        struct wire_message *message, struct refusal *refusal)
{
    struct wire_shape sample = *shape;
    struct wire_buffers buffers;
    int r;

    sample.message = true;
    sample.buffer_size = 1;
    r = wire_decode(&sample, bytes, size, meta, &buffers, refusal);
    if (r != 0)
        return r;
    *message = (struct wire_message){
        .values = buffers.samples, .samples = buffers.count, .channels = shape->axes, .meta = buffers.meta
    };
    return 0;
}

void wire_message_free(struct wire_message *message)
{
    free(message->values);
    *message = (struct wire_message){ 0 };
}

void wire_buffers_free(struct wire_buffers *buffers)
{
    free(buffers->samples);
    buffers->samples = NULL;
    buffers->count = 0;
}
