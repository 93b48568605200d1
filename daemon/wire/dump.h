/* jansson's writer, made safe where memory runs out. Internal to wire/. */
#ifndef HABIT_WIRE_DUMP_H
#define HABIT_WIRE_DUMP_H

#include <jansson.h>
#include <stddef.h>

/* As json_dumps: the caller's to free, or NULL; never a text with something missing. */
char *wire_dump_value(const json_t *value, size_t flags);

#endif
