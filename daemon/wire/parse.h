/* jansson's parser, made safe where memory runs out. Internal to wire/. */
#ifndef HABIT_WIRE_PARSE_H
#define HABIT_WIRE_PARSE_H

#include <jansson.h>
#include <stddef.h>

/* Sets our functions before those that jansson allocates with. Before there are threads, since jansson reads them without a lock;
 * again where a test has set its own. */
void wire_parse_begin(void);

/* As json_loadb, but out of memory is told from a faulty text: then NULL, and error->text is "". error NULL: nobody asks.
 * Any thread. Where wire_parse_begin was not called, as jansson does it. */
json_t *wire_parse(const void *bytes, size_t size, size_t flags, json_error_t *error);

/* A text of our own, of any type. NULL in gives NULL out; so does one that is not JSON. */
json_t *wire_parse_text(const char *text);

#endif
