/* jansson behind a few strict functions. Internal to wire/: nobody else sees a json_t. */
#ifndef HABIT_WIRE_JSON_H
#define HABIT_WIRE_JSON_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

/* Reads an object or an array. The limits of bytes, depth and numbers are checked before jansson sees the text, so that
 * a small body cannot grow into much memory; a key given twice is refused; all numbers come as reals.
 * Returns 0 with *root (json_decref), or TOO_LARGE, SYNTAX, NOT_FINITE with line and column; or
 * -ENOMEM. */
int wire_load(const void *bytes, size_t size, json_t **root, struct refusal *refusal);

/* The same where the body must be an object; an array is refused as SYNTAX. */
int wire_load_object(const void *bytes, size_t size, json_t **root, struct refusal *refusal);

/* "a number", "a string", for messages. */
const char *wire_type_name(const json_t *value);

/* Building: the value is taken in any case. Where memory runs out the object or array is freed and becomes NULL, and
 * stays NULL through all that follows, so that a builder needs no checks on the way. */
void wire_put(json_t **object, const char *name, json_t *value);
void wire_append(json_t **array, json_t *value);

/* Compact text of a document, which is taken. NULL in gives NULL out. */
char *wire_dump(json_t *document);

/* Values; NULL when memory ran out. */
json_t *wire_figure(double number);  /* six digits; null where it is not finite */
json_t *wire_float(float number);    /* the fewest digits that read back as the same float */
json_t *wire_text(const char *text); /* bytes that are no UTF-8 become '?'; NULL gives null */
json_t *wire_time(int64_t wall);     /* RFC 3339; 0 = never gives null */
json_t *wire_id(int64_t id);         /* 0 = none gives null */

/* Counters, means and times of an hour, or of what is summed up in one. */
struct hour;
void wire_put_hour(json_t **object, const struct hour *hour);

#endif
