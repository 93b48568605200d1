/* Recordings as text: CSV that spreadsheets, pandas and our own commands read, and lines that POST /v1/buffers takes. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "export_format.h"

/* The fewest digits that read back as the same float. */
static void put_float(FILE *file, float number)
{
    char text[32];

    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number)
            break;
    }
    fputs(text, file);
}

static size_t values_of(const struct recording *recording)
{
    return (size_t)recording->buffer_size * recording->axes;
}

/* "y7", "a12.7" beyond three axes; with the unit. */
static void put_name(const struct recording *recording, size_t i, FILE *file)
{
    size_t axis = i % recording->axes, sample = i / recording->axes;

    if (recording->axes <= 3)
        fprintf(file, ",%c%zu", "xyz"[axis], sample);
    else
        fprintf(file, ",a%zu.%zu", axis, sample);
    if (recording->unit[0] != '\0' && strcspn(recording->unit, ",;\t\"") == strlen(recording->unit))
        fprintf(file, " [%s]", recording->unit);
}

static void put_header(const struct recording *recording, FILE *file)
{
    fprintf(file,
            "# machine: %s\n# sampling_hz: %.9g%s\n# unit: %s\n# buffer_size: %u\n# axes: %u\n"
            "# a buffer a line; times are of measurement\ntime",
            recording->machine, (double)recording->sampling_hz, recording->sampling_hz > 0 ? "" : " (unknown)",
            recording->unit, recording->buffer_size, recording->axes);
    for (size_t i = 0; i < values_of(recording); i++)
        put_name(recording, i, file);
    fputc('\n', file);
}

int export_csv(const struct recording *recording, FILE *file)
{
    char time[CLOCK_TEXT_SIZE];

    put_header(recording, file);
    for (size_t k = 0; k < recording->count; k++) {
        fputs(clock_text(recording->at[k], time), file);
        for (size_t i = 0; i < values_of(recording); i++) {
            fputc(',', file);
            put_float(file, recording->samples[k * values_of(recording) + i]);
        }
        fputc('\n', file);
    }
    return 0;
}

int export_ndjson(const struct recording *recording, FILE *file)
{
    char time[CLOCK_TEXT_SIZE];

    for (size_t k = 0; k < recording->count; k++) {
        fprintf(file, "{\"machine\":\"%s\",\"time\":\"%s\",\"axes\":%u,\"data\":[", recording->machine,
                clock_text(recording->at[k], time), recording->axes);
        for (size_t i = 0; i < values_of(recording); i++) {
            if (i > 0)
                fputc(',', file);
            put_float(file, recording->samples[k * values_of(recording) + i]);
        }
        fputs("]}\n", file);
    }
    return 0;
}
