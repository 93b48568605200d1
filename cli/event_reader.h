/* Reads server-sent events out of bytes as they come: https://html.spec.whatwg.org/multipage/server-sent-events.html. */
#ifndef HABIT_CLI_EVENT_READER_H
#define HABIT_CLI_EVENT_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_reader {
    bool (*event)(void *user, const char *type, const char *data); /* one whole event; false ends it */
    void *user;
    int64_t id;        /* of the last event; -1 = none was seen */
    char *line, *data; /* heap: what of a line, and of an event, has come so far */
    size_t line_size, data_size;
    char type[32];
};

/* event and user are the caller's to set before. */
void event_reader_init(struct event_reader *reader);
void event_reader_deinit(struct event_reader *reader);

/* False where the event function said so, memory ran out, or a line is longer than any of ours. */
bool event_reader_take(struct event_reader *reader, const char *bytes, size_t size);

/* The connection begins anew: what was not complete is forgotten. */
void event_reader_reset(struct event_reader *reader);

#endif
