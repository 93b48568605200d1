#include "fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "knowledge_file.h"
#include "message.h"
#include "options.h"
#include "record/settings.h"
#include "wire/document.h"

/* Beside its own settings, a machine may have every row of the table, and its ID. */
enum { COLUMNS = SETTINGS_COUNT + 1, CELL_SIZE = 512 };

struct reader {
    const char *path;
    const char *at, *end;
    char separator;
    unsigned int line, column; /* of *at, from 1 */
    int complaints;
    struct fleet *fleet;
    const struct settings_field *fields[COLUMNS]; /* NULL = the ID */
    size_t columns;
};

struct cell {
    char text[CELL_SIZE];
    unsigned int line, column;
    bool last; /* of its line */
};

/* ---------------------------------------------------------------------------------------------------------- complaints */

static void wrong(struct reader *reader, unsigned int line, unsigned int column, const char *what, const char *more)
{
    if (reader->complaints++ < FLEET_COMPLAINTS)
        complain("%s:%u:%u: %s%s", reader->path, line, column, what, more);
}

static void wrong_cell(struct reader *reader, const struct cell *cell, const char *what, const char *more)
{
    wrong(reader, cell->line, cell->column, what, more);
}

/* --------------------------------------------------------------------------------------------------------------- cells */

static char take(struct reader *reader)
{
    char c = *reader->at++;

    if (c == '\n') {
        reader->line++;
        reader->column = 1;
    } else if (((unsigned char)c & 0xc0) != 0x80) { /* a character of several bytes is one column */
        reader->column++;
    }
    return c;
}

static bool is_at(const struct reader *reader, char c)
{
    return reader->at < reader->end && *reader->at == c;
}

static bool at_end_of_cell(const struct reader *reader)
{
    return reader->at == reader->end || *reader->at == reader->separator || *reader->at == '\n' || *reader->at == '\r';
}

static void put(struct reader *reader, struct cell *cell, size_t *size, char c)
{
    if (*size + 1 < CELL_SIZE)
        cell->text[(*size)++] = c;
    else if (*size + 1 == CELL_SIZE) {
        wrong_cell(reader, cell, "a cell is longer than any setting", "");
        (*size)++;
    }
}

static void read_quoted(struct reader *reader, struct cell *cell, size_t *size)
{
    take(reader);
    while (reader->at < reader->end) {
        char c = take(reader);

        if (c == '"' && !is_at(reader, '"'))
            return;
        if (c == '"')
            take(reader);
        put(reader, cell, size, c);
    }
    wrong_cell(reader, cell, "a quote is not closed", "");
}

static void trim(char *text)
{
    size_t length = strlen(text), blank = strspn(text, " \t");

    memmove(text, text + blank, length - blank + 1);
    length -= blank;
    while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        text[--length] = '\0';
}

/* One cell, and what ends it. */
static void read_cell(struct reader *reader, struct cell *cell)
{
    size_t size = 0;

    *cell = (struct cell){ .line = reader->line, .column = reader->column };
    if (is_at(reader, '"')) {
        read_quoted(reader, cell, &size);
        if (!at_end_of_cell(reader))
            wrong_cell(reader, cell, "something follows the closing quote", "");
    }
    while (!at_end_of_cell(reader))
        put(reader, cell, &size, take(reader));
    cell->text[size < CELL_SIZE ? size : CELL_SIZE - 1] = '\0';
    trim(cell->text);
    if (is_at(reader, '\r'))
        take(reader);
    cell->last = !is_at(reader, reader->separator);
    if (reader->at < reader->end)
        take(reader);
}

/* --------------------------------------------------------------------------------------------------------------- header */

static bool is_id(const char *name)
{
    return strcmp(name, "id") == 0 || strcmp(name, "machine") == 0;
}

static void add_column(struct reader *reader, const struct cell *cell)
{
    const struct settings_field *field = is_id(cell->text) ? NULL : settings_find(cell->text);
    char text[SHOWN_SIZE];

    if (!field && !is_id(cell->text)) {
        wrong_cell(reader, cell, "there is no such setting of a machine: ", shown(cell->text, text));
        return;
    }
    for (size_t i = 0; i < reader->columns; i++)
        if (reader->fields[i] == field)
            wrong_cell(reader, cell, "a second column ", cell->text);
    if (reader->columns < COLUMNS)
        reader->fields[reader->columns++] = field;
}

static int read_header(struct reader *reader)
{
    struct cell cell;
    bool has_id = false;

    do {
        read_cell(reader, &cell);
        add_column(reader, &cell);
    } while (!cell.last);
    for (size_t i = 0; i < reader->columns; i++)
        has_id = has_id || !reader->fields[i];
    if (!has_id)
        wrong(reader, 1, 1, "no column is called id", "");
    return reader->complaints > 0 ? EXIT_DATA : 0;
}

/* ----------------------------------------------------------------------------------------------------------------- rows */

static void check_id(struct reader *reader, const struct cell *cell, char id[MACHINE_ID_SIZE])
{
    const struct fleet *fleet = reader->fleet;
    char text[160];

    if (!machine_id_valid(cell->text, strlen(cell->text))) {
        wrong_cell(reader, cell, "not a machine ID: " MACHINE_ID_RULE, "");
        return;
    }
    snprintf(id, MACHINE_ID_SIZE, "%.*s", MACHINE_ID_SIZE - 1, cell->text);
    for (size_t i = 0; i < fleet->count; i++)
        if (strcmp(fleet->rows[i].id, id) == 0) {
            snprintf(text, sizeof(text), "%s is in line %u already", id, fleet->rows[i].line);
            wrong_cell(reader, cell, text, "");
        }
}

static void check_setting(struct reader *reader, const struct cell *cell, const struct settings_field *field,
                          struct settings *settings)
{
    struct refusal refusal = { 0 };

    if (cell->text[0] != '\0' && settings_set_text(settings, field, cell->text, ORIGIN_REST, &refusal) != 0)
        wrong_cell(reader, cell, refusal.detail, "");
}

/* What single values do not show; a geometry may come from the daemon's configuration. */
static void check_whole(struct reader *reader, unsigned int line, const struct settings *settings)
{
    struct settings whole = *settings;
    struct refusal refusal = { 0 };

    whole.buffer_size = whole.buffer_size != 0 ? whole.buffer_size : 1;
    whole.axes = whole.axes != 0 ? whole.axes : 1;
    if (settings_check(&whole, &refusal) != 0)
        wrong(reader, line, 1, refusal.detail, "");
}

static int add_row(struct reader *reader, const char *id, unsigned int line, const struct settings *settings)
{
    struct fleet *fleet = reader->fleet;
    struct fleet_row *rows = realloc(fleet->rows, (fleet->count + 1) * sizeof(*rows));

    if (!rows)
        return complain_errno("hold", reader->path);
    fleet->rows = rows;
    rows[fleet->count] = (struct fleet_row){ .line = line, .settings = wire_settings(settings, ORIGIN_REST) };
    memcpy(rows[fleet->count].id, id, MACHINE_ID_SIZE);
    if (!rows[fleet->count].settings)
        return complain_errno("hold", reader->path);
    fleet->count++;
    return 0;
}

static void count_cells(struct reader *reader, const struct cell *cell, size_t columns)
{
    char text[80];

    if (columns == reader->columns && cell->last)
        return;
    snprintf(text, sizeof(text), "%s cells than the %zu columns that line 1 names", cell->last ? "fewer" : "more",
             reader->columns);
    wrong_cell(reader, cell, text, "");
}

static int read_row(struct reader *reader)
{
    char id[MACHINE_ID_SIZE] = "";
    struct settings settings;
    struct cell cell = { .last = false };
    unsigned int line = reader->line;
    int before = reader->complaints;
    size_t column = 0;

    settings_default(&settings);
    for (; column < reader->columns && !cell.last; column++) {
        read_cell(reader, &cell);
        if (reader->fields[column])
            check_setting(reader, &cell, reader->fields[column], &settings);
        else
            check_id(reader, &cell, id);
    }
    count_cells(reader, &cell, column);
    while (!cell.last)
        read_cell(reader, &cell);
    if (reader->complaints == before)
        check_whole(reader, line, &settings);
    return reader->complaints == before ? add_row(reader, id, line, &settings) : 0;
}

/* Lines without anything in them, at the end above all. */
static void skip_empty(struct reader *reader)
{
    while (is_at(reader, '\n') || is_at(reader, '\r'))
        take(reader);
}

static int read_all(struct reader *reader)
{
    int r = read_header(reader);

    for (skip_empty(reader); r == 0 && reader->at < reader->end; skip_empty(reader)) {
        if (reader->fleet->count == LIMIT_MACHINES) {
            wrong(reader, reader->line, 1, "more machines than a gateway can have", "");
            break;
        }
        r = read_row(reader);
    }
    if (r == 0 && reader->complaints == 0 && reader->fleet->count == 0)
        wrong(reader, reader->line, 1, "no machine is named", "");
    if (reader->complaints > FLEET_COMPLAINTS)
        complain("%s: %d more", reader->path, reader->complaints - FLEET_COMPLAINTS);
    return r != 0 ? r : reader->complaints > 0 ? EXIT_DATA : 0;
}

/* Excel's comma is a semicolon where the decimal point is a comma. */
static char separator_of(const char *text, const char *end)
{
    const char *newline = memchr(text, '\n', (size_t)(end - text));
    size_t length = (size_t)((newline ? newline : end) - text);

    return memchr(text, ';', length) && !memchr(text, ',', length) ? ';' : ',';
}

int fleet_read(struct fleet *fleet, const char *path)
{
    static const char mark[] = "\xef\xbb\xbf"; /* of byte order: some programs begin a text with it */
    struct reader reader = { .path = path, .line = 1, .column = 1, .fleet = fleet };
    void *bytes = NULL;
    size_t size = 0;
    int r = memory_read(path, &bytes, &size);

    *fleet = (struct fleet){ 0 };
    if (r != 0)
        return r;
    reader.at = bytes;
    reader.end = reader.at + size;
    if (size >= 3 && memcmp(bytes, mark, 3) == 0)
        reader.at += 3;
    reader.separator = separator_of(reader.at, reader.end);
    r = read_all(&reader);
    free(bytes);
    if (r != 0)
        fleet_free(fleet);
    return r;
}

void fleet_free(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        free(fleet->rows[i].settings);
    free(fleet->rows);
    *fleet = (struct fleet){ 0 };
}
