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

static const char *path_of(const struct wire_shape *shape)
{
    return shape->json_path && shape->json_path[0] != '\0' ? shape->json_path : "data";
}

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

static int read_document(json_t *root, const struct wire_shape *shape, struct wire_meta *meta, float **values,
                         size_t *count, struct refusal *refusal)
{
    const json_t *array = NULL;
    int r = find_array(root, shape, &array, refusal);

    if (r == 0)
        r = read_fields(root, shape, meta, refusal);
    return r == 0 ? read_numbers(array, shape, values, count, refusal) : r;
}

int samples_of_json(const struct wire_shape *shape, const void *bytes, size_t size, struct wire_meta *meta,
                    float **values, size_t *count, struct refusal *refusal)
{
    json_t *root;
    int r;

    if (shape->line)
        return read_document(line_document(shape->line), shape, meta, values, count, refusal);
    r = wire_load(bytes, size, &root, refusal);
    if (r != 0)
        return r;
    r = read_document(root, shape, meta, values, count, refusal);
    json_decref(root);
    return r;
}
