/* Text with a buffer a line: read whole by the same reader as the daemon's doors, then handed out row by row. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "message.h"
#include "options.h"
#include "samples_file.h"

enum { CHUNK_BYTES = 1 << 20, TEXT_BYTES = 1 << 30 };

/* Reads to the end of the file, with a zero behind. */
static int read_text(const struct samples *samples, char **ret_text, size_t *ret_size)
{
    char *text = NULL;
    size_t size = 0, room = 0, got = 1;

    while (got > 0 && size < TEXT_BYTES) {
        char *larger = size + CHUNK_BYTES >= room ? realloc(text, room = 2 * room + CHUNK_BYTES + 1) : text;

        if (!larger)
            break;
        text = larger;
        got = fread(text + size, 1, CHUNK_BYTES, samples->file);
        size += got;
    }
    if (got > 0 || ferror(samples->file)) {
        errno = size >= TEXT_BYTES ? EFBIG : errno;
        free(text);
        return complain_errno("read", samples->path);
    }
    text[size] = '\0';
    *ret_text = text;
    *ret_size = size;
    return 0;
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
    char *text = NULL;
    size_t size = 0;
    int r = read_text(samples, &text, &size);

    if (r != 0)
        return r;
    options.header = has_header(text);
    r = csv_read(text, size, &options, &samples->table, &refusal);
    free(text);
    if (r == 0)
        return 0;
    if (r < 0) {
        errno = -r;
        return complain_errno("read", samples->path);
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
