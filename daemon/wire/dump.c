/* jansson 2.14 goes on where the text cannot grow for a moment, and json_dumps gives a text that lacks a colon or a quote. A
 * machine whose settings are stored so cannot be loaded any more. */
#include "wire/dump.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct text {
    char *bytes; /* heap */
    size_t size, room;
    bool failed; /* and stays so */
};

static bool make_room(struct text *text, size_t more)
{
    size_t room = 2 * (text->size + more) + 64;
    char *bytes;

    if (text->size + more <= text->room)
        return true;
    bytes = realloc(text->bytes, room);
    if (!bytes)
        return false;
    text->bytes = bytes;
    text->room = room;
    return true;
}

static int append(const char *bytes, size_t size, void *user)
{
    struct text *text = user;

    text->failed = text->failed || !make_room(text, size);
    if (text->failed)
        return -1;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    return 0;
}

char *wire_dump_value(const json_t *value, size_t flags)
{
    struct text text = { 0 };

    if (json_dump_callback(value, append, &text, flags) == 0 && append("", 1, &text) == 0)
        return text.bytes;
    free(text.bytes);
    return NULL;
}
