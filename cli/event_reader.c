#include "event_reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LONGEST = 4 << 20 };

void event_reader_init(struct event_reader *reader)
{
    reader->id = -1;
    reader->line = reader->data = NULL;
    event_reader_reset(reader);
}

void event_reader_deinit(struct event_reader *reader)
{
    free(reader->line);
    free(reader->data);
}

void event_reader_reset(struct event_reader *reader)
{
    reader->line_size = reader->data_size = 0;
    reader->type[0] = '\0';
}

/* Appends, with a NUL behind it that does not count. */
static bool append(char **text, size_t *size, const char *bytes, size_t more)
{
    char *grown = *size + more < LONGEST ? realloc(*text, *size + more + 1) : NULL;

    if (!grown)
        return false;
    memcpy(grown + *size, bytes, more);
    *size += more;
    grown[*size] = '\0';
    *text = grown;
    return true;
}

/* An empty line ends an event; one without data is none. */
static bool end_event(struct event_reader *reader)
{
    bool go_on = true;

    if (reader->data_size > 0)
        go_on = reader->event(reader->user, reader->type[0] != '\0' ? reader->type : "message", reader->data);
    reader->data_size = 0;
    reader->type[0] = '\0';
    return go_on;
}

static bool take_field(struct event_reader *reader, const char *name, size_t length, const char *value)
{
    if (length == 5 && memcmp(name, "event", 5) == 0)
        snprintf(reader->type, sizeof(reader->type), "%s", value);
    else if (length == 2 && memcmp(name, "id", 2) == 0)
        reader->id = strtoll(value, NULL, 10);
    else if (length == 4 && memcmp(name, "data", 4) == 0)
        return (reader->data_size == 0 || append(&reader->data, &reader->data_size, "\n", 1)) &&
               append(&reader->data, &reader->data_size, value, strlen(value));
    return true;
}

/* "name: value"; what begins with a colon is a comment. */
static bool end_line(struct event_reader *reader)
{
    const char *line = reader->line_size > 0 ? reader->line : "", *colon = strchr(line, ':'), *value;
    size_t length = colon ? (size_t)(colon - line) : strlen(line);
    bool go_on;

    if (reader->line_size == 0)
        return end_event(reader);
    value = colon ? colon + 1 + (colon[1] == ' ') : "";
    go_on = take_field(reader, line, length, value);
    reader->line_size = 0;
    return go_on;
}

bool event_reader_take(struct event_reader *reader, const char *bytes, size_t size)
{
    while (size > 0) {
        const char *newline = memchr(bytes, '\n', size);
        size_t part = newline ? (size_t)(newline - bytes) : size;

        if (part > 0 && !append(&reader->line, &reader->line_size, bytes, part))
            return false;
        if (newline && !end_line(reader))
            return false;
        part += newline != NULL;
        bytes += part;
        size -= part;
    }
    return true;
}
