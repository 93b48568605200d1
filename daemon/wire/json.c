#include "wire/json.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/limits.h"
#include "wire/dump.h"
#include "wire/parse.h"

/* ---------------------------------------------------------------------------------------------------------- reading */

/* What a text could become, seen without building it. */
struct outline {
    size_t depth, deepest;
    size_t containers;      /* arrays and objects: each costs jansson some 100 bytes, for two of text */
    size_t commas;          /* a text has fewer values than twice its commas, and a few */
    size_t number, longest; /* characters of the number that is being read, and of the longest one */
};

static bool is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E';
}

static void outline_add(struct outline *outline, char c)
{
    if (is_of_number(c)) {
        outline->number++;
        if (outline->number > outline->longest)
            outline->longest = outline->number;
        return;
    }
    outline->number = 0;
    if (c == ',') {
        outline->commas++;
    } else if (c == '[' || c == '{') {
        outline->containers++;
        outline->depth++;
        if (outline->depth > outline->deepest)
            outline->deepest = outline->depth;
    } else if ((c == ']' || c == '}') && outline->depth > 0) {
        outline->depth--;
    }
}

static void outline_of(const char *text, size_t size, struct outline *outline)
{
    bool quoted = false;

    for (size_t i = 0; i < size; i++) {
        if (quoted && text[i] == '\\')
            i++; /* whatever is escaped does not end the string */
        else if (text[i] == '"')
            quoted = !quoted;
        else if (!quoted)
            outline_add(outline, text[i]);
    }
}

static int check_outline(const struct outline *outline, struct refusal *refusal)
{
    enum { FIELDS_BESIDE = 256 }; /* commas that are not between numbers */

    if (outline->deepest > LIMIT_JSON_DEPTH)
        return refuse_limit(refusal, REFUSAL_SYNTAX, "", LIMIT_JSON_DEPTH, "nested deeper than %d levels",
                            LIMIT_JSON_DEPTH);
    if (outline->longest > LIMIT_JSON_NUMBER)
        return refuse_limit(refusal, REFUSAL_SYNTAX, "", LIMIT_JSON_NUMBER, "a number is longer than %d characters",
                            LIMIT_JSON_NUMBER);
    if (outline->containers > LIMIT_JSON_CONTAINERS)
        return refuse_limit(refusal, REFUSAL_TOO_LARGE, "", LIMIT_JSON_CONTAINERS, "more than %d arrays and objects",
                            LIMIT_JSON_CONTAINERS);
    if (outline->commas >= LIMIT_NUMBERS + FIELDS_BESIDE)
        return refuse_limit(refusal, REFUSAL_TOO_LARGE, "data", LIMIT_NUMBERS, "more than %d numbers", LIMIT_NUMBERS);
    return 0;
}

static int check_limits(const void *bytes, size_t size, struct refusal *refusal)
{
    struct outline outline = { 0 };

    if (size > LIMIT_BODY)
        return refuse_limit(refusal, REFUSAL_TOO_LARGE, "", LIMIT_BODY, "%zu bytes of JSON, at most %d are read", size,
                            LIMIT_BODY);
    outline_of(bytes, size, &outline);
    return check_outline(&outline, refusal);
}

/* There are no words for it when memory runs out. */
static int refuse_error(const json_error_t *error, struct refusal *refusal)
{
    bool overflow = json_error_code(error) == json_error_numeric_overflow;

    if (error->text[0] == '\0')
        return fault(-ENOMEM);
    return refuse(refusal, overflow ? REFUSAL_NOT_FINITE : REFUSAL_SYNTAX, "", "line %d, column %d: %s", error->line,
                  error->column, error->text);
}

int wire_load(const void *bytes, size_t size, json_t **root, struct refusal *refusal)
{
    json_error_t error;
    int r = check_limits(bytes, size, refusal);

    if (r != 0)
        return r;
    if (size == 0)
        return refuse(refusal, REFUSAL_SYNTAX, "", "the body is empty");
    if (memchr(bytes, '\0', size)) /* jansson 2.14 passes over one that follows a number */
        return refuse(refusal, REFUSAL_SYNTAX, "", "there is a NUL byte in it");
    *root = wire_parse(bytes, size, JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL, &error);
    return *root ? 0 : refuse_error(&error, refusal);
}

int wire_load_object(const void *bytes, size_t size, json_t **root, struct refusal *refusal)
{
    int r = wire_load(bytes, size, root, refusal);

    if (r != 0 || json_is_object(*root))
        return r;
    json_decref(*root);
    return refuse(refusal, REFUSAL_SYNTAX, "", "the body is an object, not an array");
}

const char *wire_type_name(const json_t *value)
{
    static const char *const names[] = {
        [JSON_OBJECT] = "an object", [JSON_ARRAY] = "an array", [JSON_STRING] = "a string", [JSON_INTEGER] = "a number",
        [JSON_REAL] = "a number",    [JSON_TRUE] = "true",      [JSON_FALSE] = "false",     [JSON_NULL] = "null",
    };

    return names[json_typeof(value)];
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static void keep_if(json_t **document, int r)
{
    if (r == 0)
        return;
    json_decref(*document);
    *document = NULL;
}

void wire_put(json_t **object, const char *name, json_t *value)
{
    keep_if(object, json_object_set_new(*object, name, value));
}

void wire_append(json_t **array, json_t *value)
{
    keep_if(array, json_array_append_new(*array, value));
}

/* Nine digits hold every float; what is meant to be shorter was rounded before. */
char *wire_dump(json_t *document)
{
    char *text = document ? wire_dump_value(document, JSON_COMPACT | JSON_REAL_PRECISION(9)) : NULL;

    json_decref(document);
    return text;
}

json_t *wire_figure(double number)
{
    char text[32];

    if (!isfinite(number))
        return json_null();
    snprintf(text, sizeof(text), "%.6g", number);
    return json_real(strtod(text, NULL));
}

json_t *wire_float(float number)
{
    char text[32];

    if (!isfinite(number))
        return json_null();
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, sizeof(text), "%.*g", digits, (double)number);
        if (strtof(text, NULL) == number)
            break;
    }
    return json_real(strtod(text, NULL));
}

/* A refusal's detail may quote what somebody sent, cut in the middle of a character. */
static json_t *replaced_text(const char *text)
{
    char *copy = strdup(text);
    json_t *value = NULL;

    for (char *c = copy; copy && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    if (copy)
        value = json_string(copy);
    free(copy);
    return value;
}

json_t *wire_text(const char *text)
{
    json_t *value;

    if (!text)
        return json_null();
    value = json_string(text);
    return value ? value : replaced_text(text);
}

json_t *wire_time(int64_t wall)
{
    char text[CLOCK_TEXT_SIZE];

    return wall == 0 ? json_null() : json_string(clock_text(wall, text));
}

json_t *wire_id(int64_t id)
{
    return id == 0 ? json_null() : json_integer(id);
}
