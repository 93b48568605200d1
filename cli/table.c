#include "table.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

enum { CELL_SIZE = 65 };

/* The member behind a path of names with points between. */
static const json_t *find(const json_t *object, const char *path)
{
    char name[32];

    while (object && *path != '\0') {
        size_t length = strcspn(path, ".");

        snprintf(name, sizeof(name), "%.*s", (int)length, path);
        object = json_object_get(object, name);
        path += length + (path[length] == '.');
    }
    return object;
}

static void copy_printable(const char *text, char cell[CELL_SIZE])
{
    size_t length = 0;

    for (; text[length] != '\0' && length < CELL_SIZE - 1; length++)
        cell[length] = (unsigned char)text[length] < ' ' || text[length] == 0x7f ? '?' : text[length];
    cell[length] = '\0';
}

/* Texts of a list, as far as they fit. */
static void join(const json_t *list, char cell[CELL_SIZE])
{
    char part[CELL_SIZE];
    size_t i, length = 0;
    const json_t *value;

    cell[0] = '\0';
    json_array_foreach((json_t *)list, i, value)
    {
        copy_printable(json_is_string(value) ? json_string_value(value) : "?", part);
        if (length + strlen(part) + 2 > CELL_SIZE)
            break;
        length += (size_t)snprintf(cell + length, CELL_SIZE - length, "%s%s", i > 0 ? "," : "", part);
    }
}

static const char *cell_text(const json_t *value, char cell[CELL_SIZE])
{
    if (json_array_size(value) > 0)
        join(value, cell);
    else if (json_is_string(value) && json_string_length(value) > 0)
        copy_printable(json_string_value(value), cell);
    else if (json_is_integer(value))
        snprintf(cell, CELL_SIZE, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(cell, CELL_SIZE, "%.4g", json_real_value(value));
    else if (json_is_boolean(value))
        snprintf(cell, CELL_SIZE, "%s", json_is_true(value) ? "yes" : "no");
    else
        snprintf(cell, CELL_SIZE, "-");
    return cell;
}

static void measure(const struct column *columns, const json_t *rows, int widths[COLUMNS_MAX])
{
    char cell[CELL_SIZE];
    const json_t *row;
    size_t i;

    for (int c = 0; columns[c].title; c++) {
        widths[c] = (int)strlen(columns[c].title);
        json_array_foreach((json_t *)rows, i, row)
        {
            int width = (int)strlen(cell_text(find(row, columns[c].path), cell));

            widths[c] = width > widths[c] ? width : widths[c];
        }
    }
}

/* The last one is not padded. */
static void print_cell(const char *text, int width, bool last)
{
    if (last)
        printf("%s\n", text);
    else
        printf("%-*s  ", width, text);
}

void table_print(const struct column *columns, const json_t *rows)
{
    int widths[COLUMNS_MAX];
    char cell[CELL_SIZE];
    const json_t *row;
    size_t i;

    measure(columns, rows, widths);
    for (int c = 0; columns[c].title; c++)
        print_cell(columns[c].title, widths[c], !columns[c + 1].title);
    json_array_foreach((json_t *)rows, i, row) for (int c = 0; columns[c].title; c++)
        print_cell(cell_text(find(row, columns[c].path), cell), widths[c], !columns[c + 1].title);
}
