/* Recordings as WAV: float32 in the sensor's own unit, a channel an axis, the buffers one behind the other. */
#include <math.h>
#include <string.h>

#include "base/clock.h"
#include "export_format.h"
#include "little_endian.h"
#include "message.h"

enum { FLOAT_SAMPLES = 3, FORMAT_BYTES = 18, COMMENT_BYTES = 256 };

/* A name, its length, its bytes; a byte more where the length is odd. */
static void put_chunk(FILE *file, const char *name, const void *bytes, uint32_t size)
{
    fwrite(name, 1, 4, file);
    put_u32(file, size);
    fwrite(bytes, 1, size, file);
    if (size % 2 != 0)
        fputc(0, file);
}

static uint32_t chunk_size(uint32_t size)
{
    return 8 + size + size % 2;
}

static void put_format(const struct recording *recording, uint32_t rate, FILE *file)
{
    uint16_t frame = (uint16_t)(4 * recording->axes);

    fwrite("fmt ", 1, 4, file);
    put_u32(file, FORMAT_BYTES);
    put_u16(file, FLOAT_SAMPLES);
    put_u16(file, (uint16_t)recording->axes);
    put_u32(file, rate);
    put_u32(file, rate * frame);
    put_u16(file, frame);
    put_u16(file, 32);
    put_u16(file, 0); /* no extension */
}

static void put_samples(const struct recording *recording, uint32_t values, FILE *file)
{
    fwrite("data", 1, 4, file);
    put_u32(file, 4 * values);
    for (size_t i = 0; i < values; i++)
        put_f32(file, recording->samples[i]);
}

/* What WAV has no field for. */
static uint32_t describe(const struct recording *recording, char comment[COMMENT_BYTES])
{
    char time[CLOCK_TEXT_SIZE];
    int size =
        snprintf(comment, COMMENT_BYTES,
                 "unit: %s; sampling_hz: %.9g; buffer_size: %u; samples are values in the unit; first buffer: %s",
                 recording->unit[0] != '\0' ? recording->unit : "unknown", (double)recording->sampling_hz,
                 recording->buffer_size, clock_text(recording->at[0], time));

    return (uint32_t)size + 1; /* with its zero */
}

static int complain_of_size(const struct recording *recording, double values)
{
    if (!(recording->sampling_hz >= 1 && recording->sampling_hz < 1e9f))
        complain(
            "WAV needs a sampling rate of at least 1 Hz, machine %s has %.9g: set sampling_hz, or choose csv or numpy",
            recording->machine, (double)recording->sampling_hz);
    else
        complain("%.0f values are too many for WAV: choose numpy", values);
    return EXIT_DATA;
}

int export_wav(const struct recording *recording, FILE *file)
{
    char comment[COMMENT_BYTES];
    double all = (double)recording->count * recording->buffer_size * recording->axes;
    uint32_t values = all < 1e9 ? (uint32_t)all : 0, frames, rate, said, named, list;

    if (!(recording->sampling_hz >= 1 && recording->sampling_hz < 1e9f) || values == 0)
        return complain_of_size(recording, all);
    rate = (uint32_t)lroundf(recording->sampling_hz);
    frames = values / recording->axes;
    said = describe(recording, comment);
    named = (uint32_t)strlen(recording->machine) + 1;
    list = 4 + chunk_size(named) + chunk_size(said);
    fwrite("RIFF", 1, 4, file);
    put_u32(file, 4 + chunk_size(FORMAT_BYTES) + chunk_size(4) + chunk_size(list) + chunk_size(4 * values));
    fwrite("WAVE", 1, 4, file);
    put_format(recording, rate, file);
    put_chunk(file, "fact",
              (unsigned char[]){ (unsigned char)frames, (unsigned char)(frames >> 8), (unsigned char)(frames >> 16),
                                 (unsigned char)(frames >> 24) },
              4);
    fwrite("LIST", 1, 4, file);
    put_u32(file, list);
    fwrite("INFO", 1, 4, file);
    put_chunk(file, "INAM", recording->machine, named);
    put_chunk(file, "ICMT", comment, said);
    put_samples(recording, values, file);
    return 0;
}
