#include "wire/buffer_json.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/json.h"
#include "wire/line.h"
#include "wire/meta.h"
#include "wire/samples.h"

/* ------------------------------------------------------------------------------------------------------- the document */

static const char *path_or_data(const char *path)
{
    return path && path[0] != '\0' ? path : "data";
}

static const char *path_of(const struct wire_shape *shape)
{
    return path_or_data(shape->json_path);
}

/* What stands beside the array, with an empty one in its place: jansson says whether that is a document. */
static int load_beside(const char *text, size_t size, struct json_buffer *document, struct refusal *refusal)
{
    static const char empty[] = { '[', ']' };
    char beside[NUMBERS_BESIDE + sizeof(empty)];
    size_t before = (size_t)(document->numbers.from - text), after = size - (size_t)(document->numbers.to - text);

    memcpy(beside, text, before);
    memcpy(beside + before, empty, sizeof(empty));
    memcpy(beside + before + sizeof(empty), document->numbers.to, after);
    if (before + after == 0)
        return 0;
    return wire_load(beside, before + after + sizeof(empty), &document->root, refusal);
}

int json_buffer_load(const void *bytes, size_t size, const char *path, struct json_buffer *document,
                     struct refusal *refusal)
{
    *document = (struct json_buffer){ 0 };
    if (size <= LIMIT_BODY && numbers_read(bytes, size, path_or_data(path), &document->numbers)) {
        if (load_beside(bytes, size, document, refusal) == 0)
            return 0;
        json_buffer_free(document);
    }
    return wire_load(bytes, size, &document->root, refusal); /* in whose words it is refused */
}

void json_buffer_free(struct json_buffer *document)
{
    json_decref(document->root);
    free(document->numbers.values);
    *document = (struct json_buffer){ 0 };
}

/* -------------------------------------------------------------------------------------------------------- its numbers */

/* The value at a path with dots, or NULL. */
static const json_t *follow(const json_t *value, const char *path)
{
    while (value && *path != '\0') {
        size_t length = strcspn(path, ".");

        value = json_object_getn(value, path, length);
        path += length + (path[length] == '.');
    }
    return value;
}

/* The array of numbers in a document. */
static int find_array(const json_t *root, const struct wire_shape *shape, const json_t **array, struct refusal *refusal)
{
    const char *path = path_of(shape);
    bool bare = json_is_array(root) && strcmp(path, "data") == 0;
    const json_t *found = bare ? root : follow(root, path);

    if (!found)
        return refuse(refusal, REFUSAL_SYNTAX, path, "there is no %s: the numbers of the buffer go there", path);
    if (!json_is_array(found))
        return refuse(refusal, REFUSAL_SYNTAX, path, "%s is %s, not an array of numbers", path, wire_type_name(found));
    *array = found;
    return 0;
}

static int read_number(const json_t *value, size_t index, float *sample, struct refusal *refusal)
{
    double number;

    if (!json_is_number(value))
        return refuse(refusal, REFUSAL_SYNTAX, "data", "data[%zu] is %s, not a number", index, wire_type_name(value));
    number = json_number_value(value);
    *sample =
        fabs(number) <= 1e38 ? (float)number : INFINITY; /* beyond float the conversion is undefined; refused later */
    return 0;
}

static int read_numbers(const json_t *array, const struct wire_shape *shape, float **ret_values, size_t *count,
                        struct refusal *refusal)
{
    size_t length = json_array_size(array);
    float *values;
    int r = samples_count(shape, length, refusal);

    if (r != 0)
        return r;
    values = malloc(length * sizeof(*values));
    if (!values)
        return fault(-ENOMEM);
    for (size_t i = 0; r == 0 && i < length; i++)
        r = read_number(json_array_get(array, i), i, &values[i], refusal);
    if (r != 0) {
        free(values);
        return r;
    }
    *ret_values = values;
    *count = length;
    return 0;
}

/* A line may be read again, where the store was full: its numbers stay with it. */
static int copy_numbers(const struct numbers *numbers, const struct wire_shape *shape, float **ret_values,
                        size_t *count, struct refusal *refusal)
{
    int r = samples_count(shape, numbers->count, refusal);
    float *values;

    if (r != 0)
        return r;
    values = malloc(numbers->count * sizeof(*values));
    if (!values)
        return fault(-ENOMEM);
    memcpy(values, numbers->values, numbers->count * sizeof(*values));
    *ret_values = values;
    *count = numbers->count;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------ beside numbers */

/* Fields that nobody knows are counted: a sensor may say more than we use. */
static int read_fields(json_t *root, const struct wire_shape *shape, struct wire_meta *meta, struct refusal *refusal)
{
    const char *path = path_of(shape), *name;
    size_t head = strcspn(path, ".");
    json_t *value;

    json_object_foreach(root, name, value)
    {
        int r = strcmp(name, "context") == 0 ? meta_set_context(meta, value, refusal)
                                             : meta_set_json(meta, name, value, refusal);

        if (r == -ENOENT)
            meta->ignored += strlen(name) != head || strncmp(name, path, head) != 0;
        else if (r != 0)
            return r;
    }
    return 0;
}

static int read_document(const struct json_buffer *document, const struct wire_shape *shape, struct wire_meta *meta,
                         float **values, size_t *count, struct refusal *refusal)
{
    const json_t *array = NULL;
    int r = document->numbers.values ? 0 : find_array(document->root, shape, &array, refusal);

    if (r == 0)
        r = read_fields(document->root, shape, meta, refusal);
    if (r != 0)
        return r;
    return document->numbers.values ? copy_numbers(&document->numbers, shape, values, count, refusal)
                                    : read_numbers(array, shape, values, count, refusal);
}

int samples_of_json(const struct wire_shape *shape, const void *bytes, size_t size, struct wire_meta *meta,
                    float **values, size_t *count, struct refusal *refusal)
{
    struct json_buffer document;
    int r;

    if (shape->line)
        return read_document(line_document(shape->line), shape, meta, values, count, refusal);
    r = json_buffer_load(bytes, size, shape->json_path, &document, refusal);
    if (r != 0)
        return r;
    r = read_document(&document, shape, meta, values, count, refusal);
    json_buffer_free(&document);
    return r;
}
