/* Any body as buffers: raw, JSON and CSV, in any geometry, format, layout and scale. What is taken are whole buffers of finite
 * numbers; written again in each encoding, they read as the same bits. Channel maps likewise.
 *
 * The first bytes choose the shape, the rest is the body. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/map.h"
#include "fuzz.h"
#include "refusals.h"
#include "wire/buffer.h"
#include "wire/document.h"
#include "wire/json.h"

/* -------------------------------------------------------------------------------------------------- written again */

static struct wire_shape plain_shape(const struct wire_shape *shape, enum wire_encoding encoding)
{
    return (struct wire_shape){
        .encoding = encoding, .buffer_size = shape->buffer_size, .axes = shape->axes, .scale = 1.0f
    };
}

static void check_same(const struct wire_shape *shape, const void *bytes, size_t size,
                       const struct wire_buffers *buffers, size_t values)
{
    struct wire_buffers again;
    struct refusal refusal;

    CLAIM(wire_decode(shape, bytes, size, NULL, &again, &refusal) == 0);
    CLAIM(again.count == buffers->count);
    CLAIM(memcmp(again.samples, buffers->samples, values * sizeof(float)) == 0);
    wire_buffers_free(&again);
}

/* x0 y0 x1 y1 -> x0 x1 y0 y1, buffer by buffer. */
static float *planar_of(const struct wire_shape *shape, const struct wire_buffers *buffers, size_t values)
{
    float *planar = malloc(values * sizeof(*planar));
    const size_t length = values / buffers->count;

    CLAIM(planar != NULL);
    for (size_t i = 0; i < values; i++) {
        const size_t within = i % length;

        planar[i - within + within % shape->axes * shape->buffer_size + within / shape->axes] = buffers->samples[i];
    }
    return planar;
}

static void check_raw(const struct wire_shape *shape, const struct wire_buffers *buffers, size_t values)
{
    struct wire_shape plain = plain_shape(shape, ENCODING_RAW);
    float *planar = planar_of(shape, buffers, values);

    check_same(&plain, buffers->samples, values * sizeof(float), buffers, values);
    plain.layout = LAYOUT_PLANAR;
    check_same(&plain, planar, values * sizeof(float), buffers, values);
    free(planar);
}

static void check_csv(const struct wire_shape *shape, const struct wire_buffers *buffers, size_t values)
{
    const struct wire_shape plain = plain_shape(shape, ENCODING_CSV);
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    CLAIM(file != NULL);
    for (size_t i = 0; i < values; i++)
        fprintf(file, "%.9g%s", (double)buffers->samples[i], (i + 1) % (values / buffers->count) != 0 ? "," : "\n");
    CLAIM(fclose(file) == 0);
    check_same(&plain, text, size, buffers, values);
    free(text);
}

/* As habit export and GET .../buffers write them, and as POST /v1/buffers reads them. */
static void check_lines(const struct wire_shape *shape, const struct wire_buffers *buffers, size_t values)
{
    struct wire_shape plain = plain_shape(shape, ENCODING_JSON);
    char *text = wire_stored("pump-1", 1, 0, shape->axes, buffers->samples, values);
    struct wire_line *line = NULL;
    struct refusal refusal;

    CLAIM(text != NULL && wire_line_read(text, strlen(text), NULL, &line, &refusal) == 0);
    CLAIM(strcmp(wire_line_machine(line), "pump-1") == 0);
    plain.line = line;
    check_same(&plain, NULL, 0, buffers, values);
    wire_line_free(line);
    free(text);
}

/* ---------------------------------------------------------------------------------------------- another reader of JSON */

static const json_t *array_of(const json_t *root)
{
    return json_is_array(root) ? root : json_object_get(root, "data");
}

static float sample_of(const struct wire_shape *shape, double number)
{
    const float sample = fabs(number) <= 1e38 ? (float)number : INFINITY;
    const float product = sample * shape->scale;

    return shape->scale == 1.0f && shape->offset == 0.0f ? sample : product + shape->offset;
}

/* The numbers are those that jansson finds. */
static void check_numbers(const struct wire_shape *shape, const uint8_t *bytes, size_t size,
                          const struct wire_buffers *buffers, size_t values)
{
    struct refusal refusal;
    const json_t *array;
    json_t *root;

    if (shape->encoding != ENCODING_JSON || shape->layout == LAYOUT_PLANAR || shape->json_path)
        return;
    CLAIM(wire_load(bytes, size, &root, &refusal) == 0);
    array = array_of(root);
    CLAIM(json_array_size(array) == values);
    for (size_t i = 0; i < values; i++) {
        const float sample = sample_of(shape, json_number_value(json_array_get(array, i)));

        CLAIM(memcmp(&sample, &buffers->samples[i], sizeof(sample)) == 0);
    }
    json_decref(root);
}

/* ---------------------------------------------------------------------------------------------------------- decoding */

static void check_buffers(const struct wire_shape *shape, const uint8_t *bytes, size_t size,
                          const struct wire_buffers *buffers)
{
    const size_t values = buffers->count * shape->buffer_size * shape->axes;

    CLAIM(buffers->count > 0 && values <= LIMIT_NUMBERS);
    for (size_t i = 0; i < values; i++)
        CLAIM(fabsf(buffers->samples[i]) <= 1e15f);
    fuzz_check_meta(&buffers->meta);
    check_numbers(shape, bytes, size, buffers, values);
    check_raw(shape, buffers, values);
    check_csv(shape, buffers, values);
    check_lines(shape, buffers, values);
}

static void read_buffers(const struct wire_shape *shape, const uint8_t *bytes, size_t size)
{
    struct wire_buffers buffers, before;
    struct refusal refusal;
    int r;

    memset(&buffers, 0x5a, sizeof(buffers));
    memcpy(&before, &buffers, sizeof(before));
    r = wire_decode(shape, bytes, size, NULL, &buffers, &refusal);
    fuzz_check_answer(r, &refusal);
    if (r != 0) {
        CLAIM(memcmp(&buffers, &before, sizeof(before)) == 0);
        return;
    }
    check_buffers(shape, bytes, size, &buffers);
    wire_buffers_free(&buffers);
}

/* Whole samples, as many as there are. */
static void read_message(const struct wire_shape *shape, const uint8_t *bytes, size_t size)
{
    struct wire_message message;
    struct refusal refusal;
    int r = wire_decode_message(shape, bytes, size, NULL, &message, &refusal);

    fuzz_check_answer(r, &refusal);
    if (r != 0)
        return;
    CLAIM(message.channels == shape->axes && message.samples > 0);
    CLAIM(message.samples * message.channels <= LIMIT_NUMBERS);
    for (size_t i = 0; i < message.samples * message.channels; i++)
        CLAIM(fabsf(message.values[i]) <= 1e15f);
    wire_message_free(&message);
}

/* -------------------------------------------------------------------------------------------------------------- maps */

static char *write_map(const struct config_target *target, uint32_t targets)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    CLAIM(file != NULL);
    for (uint32_t i = 0; i < targets; i++) {
        fprintf(file, "%s%s:", i > 0 ? ", " : "", target[i].machine);
        for (uint32_t k = 0; k < target[i].count; k++)
            fprintf(file, " %u", target[i].channel[k]);
    }
    CLAIM(fclose(file) == 0);
    return text;
}

static void check_targets(const struct config_target *target, uint32_t targets)
{
    struct refusal refusal;
    char id[MACHINE_ID_SIZE];

    for (uint32_t i = 0; i < targets; i++) {
        CLAIM(target[i].count >= 1 && target[i].count <= sizeof(target[i].channel));
        for (uint32_t k = 0; k < target[i].count; k++)
            CLAIM(target[i].channel[k] < LIMIT_CHANNELS);
        if (map_machine(&target[i], "x", id, &refusal) == 0)
            CLAIM(machine_id_valid(id, strlen(id)));
        fuzz_check_answer(
            map_machine(&target[i], "a-machine-with-a-very-long-name-that-leaves-little-room", id, &refusal), &refusal);
    }
}

static void read_map(const uint8_t *bytes, size_t size)
{
    struct config_target target[LIMIT_MAPPED] = { 0 }, again[LIMIT_MAPPED] = { 0 };
    char text[256], *written;
    uint32_t targets = 77, count = 0;
    struct refusal refusal;
    int r;

    snprintf(text, sizeof(text), "%.*s", (int)size, (const char *)bytes);
    r = map_read(text, target, &targets, &refusal);
    fuzz_check_answer(r, &refusal);
    CLAIM(r == 0 ? targets <= LIMIT_MAPPED : targets == 0);
    check_targets(target, targets);
    written = write_map(target, targets);
    CLAIM(map_read(written, again, &count, &refusal) == 0);
    CLAIM(count == targets);
    for (uint32_t i = 0; i < targets; i++) {
        CLAIM(strcmp(target[i].machine, again[i].machine) == 0 && target[i].count == again[i].count);
        CLAIM(memcmp(target[i].channel, again[i].channel, target[i].count) == 0);
    }
    free(written);
}

/* ---------------------------------------------------------------------------------------------------------- the input */

static struct wire_shape shape_of(struct fuzz_input *input)
{
    static const float scales[] = { 1.0f, 1.0f, 1.0f, 0.00048828125f, -2.0f, 1e12f, 1e-12f, 3.0f };
    static const float offsets[] = { 0.0f, 0.0f, 0.0f, 0.0f, 1.0f, -1e15f, 1e15f, 1e-3f };
    static const uint32_t sizes[] = { 1, 2, 3, 4, 5, 8, 16, 4096 };
    const uint8_t kind = fuzz_byte(input), geometry = fuzz_byte(input), numbers = fuzz_byte(input);

    return (struct wire_shape){
        .encoding = (enum wire_encoding)(kind % 3),
        .format = kind / 3 % 4,
        .layout = kind / 12 % 2,
        .json_path = kind / 24 % 4 == 3 ? "accel.samples" : NULL,
        .buffer_size = sizes[geometry % 8],
        .axes = 1 + geometry / 8 % 16,
        .scale = scales[numbers % 8],
        .offset = offsets[numbers / 8 % 8],
    };
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const uint8_t reader = fuzz_byte(&input);
    struct wire_shape shape;

    if (reader % 8 == 7) {
        read_map(input.at, input.left);
        return 0;
    }
    shape = shape_of(&input);
    (reader % 8 == 6 ? read_message : read_buffers)(&shape, input.at, input.left);
    return 0;
}
