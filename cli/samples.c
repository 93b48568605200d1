#include "samples.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "habit/engine.h"
#include "message.h"
#include "options.h"
#include "samples_file.h"

static const struct {
    size_t value_bytes; /* 0 = text */
    int (*next)(struct samples *samples, float *buffer);
} readers[] = {
    [SAMPLES_F32] = { 4, samples_next_f32 },
    [SAMPLES_I16] = { 2, samples_next_i16 },
    [SAMPLES_CSV] = { 0, samples_next_csv },
};

size_t samples_values(const struct samples_shape *shape)
{
    return (size_t)shape->buffer_size * shape->axes;
}

enum samples_format samples_format_of(const char *path, enum samples_format format)
{
    size_t length = strlen(path);

    if (format != SAMPLES_AUTO)
        return format;
    return length >= 4 && strcmp(path + length - 4, ".csv") == 0 ? SAMPLES_CSV : SAMPLES_F32;
}

/* -------------------------------------------------------------------------------------------------------------- raw */

static size_t buffer_bytes(const struct samples *samples)
{
    return samples->values * readers[samples->shape.format].value_bytes;
}

static int refuse_size(const struct samples *samples, unsigned long long bytes)
{
    complain("%s: %llu bytes are no multiple of a buffer's %zu (%u samples x %u axes x %zu bytes)", samples->path,
             bytes, buffer_bytes(samples), samples->shape.buffer_size, samples->shape.axes,
             readers[samples->shape.format].value_bytes);
    return EXIT_DATA;
}

static int read_raw(struct samples *samples)
{
    size_t wanted = buffer_bytes(samples), got = fread(samples->bytes, 1, wanted, samples->file);

    if (ferror(samples->file))
        return complain_errno("read", samples->path);
    if (got == 0)
        return SAMPLES_END;
    if (got < wanted) /* a pipe: its size was not known before */
        return refuse_size(samples, (unsigned long long)samples->count * wanted + got);
    return 0;
}

static uint32_t little_endian(const unsigned char *bytes, size_t count)
{
    uint32_t value = 0;

    for (size_t i = 0; i < count; i++)
        value |= (uint32_t)bytes[i] << (8 * i);
    return value;
}

static int check_value(const struct samples *samples, size_t i, float value)
{
    const char *wrong = !isfinite(value) ? "not finite" : fabsf(value) > HABIT_MAX_VALUE ? "beyond 1e15" : NULL;

    if (!wrong)
        return 0;
    complain("%s: buffer %zu (the first is 0): axis %zu of sample %zu is %s", samples->path, samples->count,
             i % samples->shape.axes, i / samples->shape.axes, wrong);
    return EXIT_DATA;
}

int samples_next_f32(struct samples *samples, float *buffer)
{
    int r = read_raw(samples);

    for (size_t i = 0; r == 0 && i < samples->values; i++) {
        uint32_t bits = little_endian(samples->bytes + 4 * i, 4);

        memcpy(&buffer[i], &bits, sizeof(bits));
        r = check_value(samples, i, buffer[i]);
    }
    return r;
}

int samples_next_i16(struct samples *samples, float *buffer)
{
    int r = read_raw(samples);

    for (size_t i = 0; r == 0 && i < samples->values; i++) {
        buffer[i] = (float)(int16_t)little_endian(samples->bytes + 2 * i, 2) * samples->shape.scale;
        r = check_value(samples, i, buffer[i]);
    }
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- file */

/* A device never ends, a directory never begins. */
static int check_kind(const struct samples *samples)
{
    struct stat about;

    if (fstat(fileno(samples->file), &about) != 0)
        return complain_errno("read", samples->path);
    if (S_ISREG(about.st_mode) && buffer_bytes(samples) > 0 && (size_t)about.st_size % buffer_bytes(samples) != 0)
        return refuse_size(samples, (unsigned long long)about.st_size);
    if (S_ISREG(about.st_mode) || S_ISFIFO(about.st_mode) || S_ISSOCK(about.st_mode))
        return 0;
    complain("%s: neither a file nor a pipe", samples->path);
    return EXIT_FAILED;
}

static int open_file(struct samples *samples)
{
    size_t bytes = buffer_bytes(samples);

    samples->file = strcmp(samples->path, "-") == 0 ? stdin : fopen(samples->path, "rbe");
    if (!samples->file)
        return complain_errno("open", samples->path);
    samples->bytes = malloc(bytes > 0 ? bytes : 1);
    if (!samples->bytes)
        return complain_errno("read", samples->path);
    return check_kind(samples);
}

int samples_open(struct samples **ret_samples, const char *path, const struct samples_shape *shape)
{
    struct samples *samples = calloc(1, sizeof(*samples));
    int r;

    if (!samples)
        return complain_errno("open", path);
    samples->path = path;
    samples->shape = *shape;
    samples->shape.format = samples_format_of(path, shape->format);
    samples->values = samples_values(shape);
    r = open_file(samples);
    if (r != 0)
        samples_close(samples);
    else
        *ret_samples = samples;
    return r;
}

int samples_next(struct samples *samples, float *buffer)
{
    int r = readers[samples->shape.format].next(samples, buffer);

    if (r == 0)
        samples->count++;
    if (r == SAMPLES_END && samples->count == 0) {
        complain("%s: holds no buffer", samples->path);
        return EXIT_DATA;
    }
    return r;
}

int64_t samples_time(const struct samples *samples)
{
    return samples->times && samples->count > 0 ? samples->times[samples->count - 1] : 0;
}

struct samples *samples_close(struct samples *samples)
{
    if (!samples)
        return NULL;
    if (samples->file && samples->file != stdin)
        fclose(samples->file);
    csv_free(&samples->table);
    free(samples->times);
    free(samples->bytes);
    free(samples);
    return NULL;
}
