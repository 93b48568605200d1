/* Text with a buffer a line: read whole by the same reader as the daemon's doors, then handed out row by row. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "message.h"
#include "options.h"
#include "samples_file.h"

enum { FIRST_BYTES = 1 << 20, TEXT_BYTES = 1 << 30 };

/* Frees the text where it cannot have more room. */
static char *enlarge(char *text, size_t room)
{
    char *larger = room <= TEXT_BYTES ? realloc(text, room) : NULL;

    if (!larger) {
        errno = room <= TEXT_BYTES ? ENOMEM : EFBIG;
        free(text);
    }
    return larger;
}

/* Reads to the end of the file, with a zero behind. NULL with errno set where that fails. */
static char *read_text(FILE *file, size_t *ret_size)
{
    size_t size = 0, room = FIRST_BYTES;
    char *text = malloc(room);

    while (text && !feof(file) && !ferror(file)) {
        size += fread(text + size, 1, room - 1 - size, file);
        if (size == room - 1)
            text = enlarge(text, room *= 2);
    }
    if (text && ferror(file)) {
        free(text);
        text = NULL;
    }
    if (text)
        text[size] = '\0';
    *ret_size = size;
    return text;
}

/* Whether a cell can only be a name: a number that is spoiled begins like one, and nan and inf are what some programs write
 * for one. Such a line must be refused, not taken for a header. */
static bool is_name(const char *cell)
{
    cell += strspn(cell, " \t\"");
    return strchr("+-.,;0123456789\r\n", *cell) == NULL && strncasecmp(cell, "nan", 3) != 0 &&
           strncasecmp(cell, "inf", 3) != 0;
}

static bool has_header(const char *text)
{
    const char *end = strchrnul(text, '\n');

    if (*end == '\0') /* a header has a line after it; a zero byte in a line is no text */
        return false;
    if (strncmp(text, "\xef\xbb\xbf", 3) == 0) /* a byte order mark */
        text += 3;
    while (is_name(text)) {
        text += strcspn(text, ",;\t\n");
        if (text >= end)
            return true;
        text++;
    }
    return false;
}

static int read_table(struct samples *samples)
{
    struct csv_options options = { .columns = samples->values };
    struct refusal refusal;
    size_t size;
    char *text = read_text(samples->file, &size);
    int r;

    if (!text) {
        complain_errno("read", samples->path);
        return EXIT_FAILED;
    }
    options.header = has_header(text);
    r = csv_read(text, size, &options, &samples->table, &refusal);
    free(text);
    if (r == 0)
        return 0;
    if (r < 0) {
        complain("%s: %s", samples->path, strerror(-r));
        return EXIT_FAILED;
    }
    complain("%s: %s", samples->path, refusal.detail);
    if (refusal.code == REFUSAL_LENGTH)
        complain("a line is a buffer: %u samples x %u axes = %zu values", samples->shape.buffer_size,
                 samples->shape.axes, samples->values);
    return EXIT_DATA;
}

int samples_next_csv(struct samples *samples, float *buffer)
{
    int r = samples->table.values ? 0 : read_table(samples);

    if (r == 0 && samples->count == samples->table.rows)
        return SAMPLES_END;
    if (r == 0)
        memcpy(buffer, samples->table.values + samples->count * samples->values, samples->values * sizeof(float));
    return r;
}
