#include "wire/csv.h"

#include <errno.h>
#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

struct span {
    const char *at, *end;
};

struct reader {
    struct span rest; /* of the text */
    const struct csv_options *options;
    struct csv_table *table;
    struct refusal *refusal;
    size_t room;  /* numbers that fit */
    size_t count; /* numbers read */
    size_t line;  /* 1.. */
    char separator;
};

/* -------------------------------------------------------------------------------------------------- lines and cells */

static struct span trimmed(struct span span)
{
    while (span.at < span.end && (*span.at == ' ' || *span.at == '\t'))
        span.at++;
    while (span.at < span.end && (span.end[-1] == ' ' || span.end[-1] == '\t'))
        span.end--;
    return span;
}

static bool take_line(struct span *rest, struct span *line)
{
    const char *end;

    if (rest->at == rest->end)
        return false;
    end = memchr(rest->at, '\n', (size_t)(rest->end - rest->at));
    *line = (struct span){ rest->at, end ? end : rest->end };
    rest->at = end ? end + 1 : rest->end;
    if (line->at < line->end && line->end[-1] == '\r')
        line->end--;
    return true;
}

static bool contains(struct span span, char c)
{
    return memchr(span.at, c, (size_t)(span.end - span.at)) != NULL;
}

/* "1,5 2,5": a space with no comma beside it separates, so the commas are decimal ones. */
static bool has_lone_space(struct span line)
{
    for (const char *c = line.at + 1; c + 1 < line.end; c++) {
        const char *before = c - 1, *after = c + 1;

        if (*c != ' ')
            continue;
        while (after < line.end && *after == ' ')
            after++;
        if (*before != ',' && *after != ',')
            return true;
        c = after;
    }
    return false;
}

static char separator_of(struct span line)
{
    line = trimmed(line);
    if (contains(line, ';'))
        return ';';
    if (contains(line, '\t'))
        return '\t';
    return contains(line, ',') && !has_lone_space(line) ? ',' : ' ';
}

/* One cell, or false at the end of the line. */
static bool take_cell(struct span *line, char separator, struct span *cell)
{
    const char *end;

    if (separator == ' ')
        *line = trimmed(*line);
    if (line->at >= line->end)
        return false;
    end = memchr(line->at, separator, (size_t)(line->end - line->at));
    *cell = trimmed((struct span){ line->at, end ? end : line->end });
    line->at = end ? end + 1 : line->end;
    return true;
}

/* ---------------------------------------------------------------------------------------------------------- numbers */

/* Copies a cell in the form that text_to_number reads. */
static bool normalise(struct span cell, char separator, char *text, size_t size)
{
    size_t length;

    if (cell.at < cell.end && *cell.at == '+')
        cell.at++;
    length = (size_t)(cell.end - cell.at);
    if (length == 0 || length >= size || memchr(cell.at, '\0', length))
        return false;
    memcpy(text, cell.at, length);
    text[length] = '\0';
    if (separator != ',' && strchr(text, ','))
        *strchr(text, ',') = '.';
    return true;
}

static bool cell_number(struct span cell, char separator, float *value)
{
    char text[64];
    double number;

    if (!normalise(cell, separator, text, sizeof(text)) || !text_to_number(text, &number))
        return false;
    *value = fabs(number) <= 1e38 ? (float)number : INFINITY; /* beyond float the conversion is undefined */
    return true;
}

static bool line_is_numbers(struct span line)
{
    char separator = separator_of(line);
    struct span cell;
    float value;

    while (take_cell(&line, separator, &cell))
        if (!cell_number(cell, separator, &value))
            return false;
    return true;
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static bool grow(struct reader *reader)
{
    size_t room = reader->room > 0 ? reader->room * 2 : 1024;
    float *values = NULL;

    if (reader->room < SIZE_MAX / 4 / sizeof(*values))
        values = realloc(reader->table->values, room * sizeof(*values));
    if (!values)
        return false;
    reader->table->values = values;
    reader->room = room;
    return true;
}

static int add_value(struct reader *reader, float value, size_t column)
{
    size_t most = reader->options->most;

    if (!(fabsf(value) <= 1e15f))
        return refuse(reader->refusal, REFUSAL_NOT_FINITE, "data", "line %zu, column %zu: larger than 1e15",
                      reader->line, column);
    if (most > 0 && reader->count >= most)
        return refuse_limit(reader->refusal, REFUSAL_TOO_LARGE, "data", (int64_t)most,
                            "line %zu: more than %zu numbers", reader->line, most);
    if (reader->count == reader->room && !grow(reader))
        return fault(-ENOMEM);
    reader->table->values[reader->count++] = value;
    return 0;
}

static int end_row(struct reader *reader, size_t columns)
{
    struct csv_table *table = reader->table;

    if (table->columns == 0)
        table->columns = columns;
    if (columns != table->columns)
        return refuse(reader->refusal, REFUSAL_LENGTH, "data", "line %zu: %zu values, %zu expected", reader->line,
                      columns, table->columns);
    table->rows++;
    return 0;
}

static int read_row(struct reader *reader, struct span line)
{
    struct span cell;
    size_t column = 0;
    float value;

    if (reader->table->rows == 0)
        reader->separator = separator_of(line);
    while (take_cell(&line, reader->separator, &cell)) {
        int r;

        column++;
        if (!cell_number(cell, reader->separator, &value))
            return refuse(reader->refusal, REFUSAL_SYNTAX, "data", "line %zu, column %zu: not a number", reader->line,
                          column);
        r = add_value(reader, value, column);
        if (r != 0)
            return r;
    }
    return end_row(reader, column);
}

static bool is_blank(struct span span)
{
    while (span.at < span.end && strchr(" \t\r\n", *span.at) && *span.at != '\0')
        span.at++;
    return span.at == span.end;
}

static int read_rows(struct reader *reader)
{
    struct span line;
    int r = 0;

    while (r == 0 && !is_blank(reader->rest) && take_line(&reader->rest, &line)) {
        reader->line++;
        if (reader->line == 1 && reader->options->header && !line_is_numbers(line))
            continue;
        r = is_blank(line) ? refuse(reader->refusal, REFUSAL_SYNTAX, "data", "line %zu is empty", reader->line)
                           : read_row(reader, line);
    }
    if (r == 0 && reader->table->rows == 0)
        return refuse(reader->refusal, REFUSAL_LENGTH, "data", "no line of numbers");
    return r;
}

/* Spreadsheets put a byte order mark in front of UTF-8. */
static struct span without_mark(struct span text)
{
    if (text.end - text.at >= 3 && memcmp(text.at, "\xef\xbb\xbf", 3) == 0)
        text.at += 3;
    return text;
}

int csv_read(const char *text, size_t size, const struct csv_options *options, struct csv_table *table,
             struct refusal *refusal)
{
    struct csv_table result = { .columns = options->columns };
    struct reader reader = {
        .rest = without_mark((struct span){ text, text + size }),
        .options = options,
        .table = &result,
        .refusal = refusal,
    };
    int r = read_rows(&reader);

    if (r == 0)
        *table = result;
    else
        csv_free(&result);
    return r;
}

void csv_free(struct csv_table *table)
{
    free(table->values);
    *table = (struct csv_table){ 0 };
}
