/* Text with a buffer a line: read whole by the same reader as the daemon's doors, then handed out row by row. */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/clock.h"
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

/* Comments stand before everything else: habit export writes what the numbers are. */
static char *skip_comments(char *text)
{
    while (*text == '#') {
        text = strchrnul(text, '\n');
        text += *text == '\n';
    }
    return text;
}

/* Whether the first column of the header is called time. */
static bool has_times(const char *text)
{
    return strcspn(text, ",;\t\r\n") == 4 && strncasecmp(text, "time", 4) == 0 && strcspn(text, "\r\n") > 4;
}

static int take_time(struct samples *samples, size_t row, const char *cell, size_t length)
{
    char moment[CLOCK_TEXT_SIZE + 8];
    int64_t *grown = realloc(samples->times, (row + 1) * sizeof(*grown));

    if (!grown)
        return complain_errno("read", samples->path);
    samples->times = grown;
    snprintf(moment, sizeof(moment), "%.*s", (int)(length < sizeof(moment) ? length : 0), cell);
    if (clock_parse(moment, &grown[row]) == 0 && grown[row] >= 0)
        return 0;
    complain("%s: buffer %zu (the first is 0): its time is not RFC 3339 since 1970, such as 2026-11-22T13:19:31Z",
             samples->path, row);
    return EXIT_DATA;
}

/* Moves the first column out of a text with a header: what remains is a buffer a line. */
static int split_times(struct samples *samples, char *text, size_t *size, size_t *rows)
{
    char *to = strchrnul(text, '\n'), *from = to, *end = text + *size;
    size_t row = 0;
    int r = 0;

    while (r == 0 && from < end) { /* at the end of a line */
        size_t length;

        *to++ = *from++;
        length = strcspn(from, ",;\t\r\n");
        if (from[length] == '\0' || from[length] == '\r' || from[length] == '\n')
            break; /* the end, or a line that is to be refused */
        r = take_time(samples, row++, from, length);
        from += length + 1;
        while (from < end && *from != '\n')
            *to++ = *from++;
    }
    memmove(to, from, (size_t)(end - from) + 1);
    *size = (size_t)(to - text) + (size_t)(end - from);
    *rows = row;
    return r;
}

/* A line that is nothing but a number is a buffer of one value: the columns do not show that its time is missing. */
static int check_times(const struct samples *samples, size_t times)
{
    if (times == samples->table.rows)
        return 0;
    complain("%s: buffer %zu (the first is 0) has no time", samples->path, times);
    return EXIT_DATA;
}

static int parse(struct samples *samples, char *text, size_t size)
{
    struct csv_options options = { .columns = samples->values };
    struct refusal refusal;
    int r;

    options.header = has_header(text);
    r = csv_read(text, size, &options, &samples->table, &refusal);
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

static int read_table(struct samples *samples)
{
    size_t size, times = 0;
    char *text = read_text(samples->file, &size), *table;
    bool timed;
    int r;

    if (!text) {
        complain_errno("read", samples->path);
        return EXIT_FAILED;
    }
    table = skip_comments(text);
    size -= (size_t)(table - text);
    timed = has_times(table);
    r = timed ? split_times(samples, table, &size, &times) : 0;
    if (r == 0)
        r = parse(samples, table, size);
    if (r == 0 && timed)
        r = check_times(samples, times);
    free(text);
    return r;
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
