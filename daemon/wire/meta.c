#include "wire/meta.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "wire/json.h"

enum kind { KIND_COUNT, KIND_MOMENT, KIND_LABEL };

static const struct field {
    const char *name;
    enum kind kind;
    size_t value;   /* offset of uint64_t, int64_t or char[SOURCE_SIZE] */
    size_t present; /* offset of the bool that goes with it */
} fields[] = {
    { "seq", KIND_COUNT, offsetof(struct wire_meta, seq), offsetof(struct wire_meta, has_seq) },
    { "age_ms", KIND_COUNT, offsetof(struct wire_meta, age_ms), offsetof(struct wire_meta, has_age) },
    { "time", KIND_MOMENT, offsetof(struct wire_meta, time), offsetof(struct wire_meta, has_time) },
    { "source", KIND_LABEL, offsetof(struct wire_meta, source), 0 },
    { "boot", KIND_LABEL, offsetof(struct wire_meta, boot), 0 },
};

/* What a JSON number holds exactly; and what can be written in answers. */
static const double most_count = 9007199254740991.0, most_moment = (double)CLOCK_LAST;

static const struct field *find(const char *name)
{
    for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
        if (strcmp(fields[i].name, name) == 0)
            return &fields[i];
    return NULL;
}

static void *member(struct wire_meta *meta, size_t offset)
{
    return (char *)meta + offset;
}

static int set_number(struct wire_meta *meta, const struct field *field, double number, struct refusal *refusal)
{
    double most = field->kind == KIND_COUNT ? most_count : most_moment;

    if (field->kind == KIND_LABEL)
        return refuse(refusal, REFUSAL_RANGE, field->name, "%s is a text, not a number", field->name);
    if (!(number >= 0 && number <= most) || floor(number) != number)
        return refuse(refusal, REFUSAL_RANGE, field->name, "%s is a whole number from 0 to %.0f", field->name, most);
    if (field->kind == KIND_COUNT)
        *(uint64_t *)member(meta, field->value) = (uint64_t)number;
    else
        *(int64_t *)member(meta, field->value) = (int64_t)number;
    *(bool *)member(meta, field->present) = true;
    return 0;
}

static int set_moment(struct wire_meta *meta, const struct field *field, const char *text, struct refusal *refusal)
{
    int64_t wall;

    if (clock_parse(text, &wall) != 0 || wall < 0)
        return refuse(refusal, REFUSAL_RANGE, field->name,
                      "%s is RFC 3339 since 1970, such as 2026-11-22T13:19:31Z, or milliseconds", field->name);
    return set_number(meta, field, (double)wall, refusal);
}

static int set_label(struct wire_meta *meta, const struct field *field, const char *text, struct refusal *refusal)
{
    if (text[0] == '\0' || !text_printable(text, SOURCE_SIZE))
        return refuse(refusal, REFUSAL_RANGE, field->name, "%s is 1..%d printable bytes", field->name, SOURCE_SIZE - 1);
    snprintf(member(meta, field->value), SOURCE_SIZE, "%s", text);
    return 0;
}

int wire_meta_set(struct wire_meta *meta, const char *name, const char *value, struct refusal *refusal)
{
    const struct field *field = find(name);
    uint64_t number;

    if (!field)
        return -ENOENT;
    if (field->kind == KIND_LABEL)
        return set_label(meta, field, value, refusal);
    if (text_to_unsigned(value, (uint64_t)most_count, &number))
        return set_number(meta, field, (double)number, refusal);
    if (field->kind == KIND_MOMENT)
        return set_moment(meta, field, value, refusal);
    return set_number(meta, field, -1, refusal);
}

int meta_set_json(struct wire_meta *meta, const char *name, const json_t *value, struct refusal *refusal)
{
    const struct field *field = find(name);

    if (!field)
        return -ENOENT;
    if (json_is_number(value))
        return set_number(meta, field, json_number_value(value), refusal);
    if (json_is_string(value) && field->kind == KIND_LABEL)
        return set_label(meta, field, json_string_value(value), refusal);
    if (json_is_string(value) && field->kind == KIND_MOMENT)
        return set_moment(meta, field, json_string_value(value), refusal);
    return refuse(refusal, REFUSAL_RANGE, field->name, "%s cannot be %s", field->name, wire_type_name(value));
}

/* ---------------------------------------------------------------------------------------------------------- context */

static int add_context(struct wire_meta *meta, const char *name, const json_t *value, struct refusal *refusal)
{
    struct named_number *slot = &meta->context[meta->context_count];

    if (meta->context_count >= LIMIT_CONTEXT)
        return refuse_limit(refusal, REFUSAL_RANGE, "context", LIMIT_CONTEXT, "more than %d named numbers",
                            LIMIT_CONTEXT);
    if (name[0] == '\0' || !text_printable(name, sizeof(slot->name)))
        return refuse(refusal, REFUSAL_RANGE, "context", "a name is 1..%zu printable bytes", sizeof(slot->name) - 1);
    if (!json_is_number(value))
        return refuse(refusal, REFUSAL_SYNTAX, "context", "%s is %s, not a number", name, wire_type_name(value));
    snprintf(slot->name, sizeof(slot->name), "%s", name);
    slot->value = json_number_value(value);
    meta->context_count++;
    return 0;
}

int meta_set_context(struct wire_meta *meta, json_t *object, struct refusal *refusal)
{
    const char *name;
    json_t *value;

    if (!json_is_object(object))
        return refuse(refusal, REFUSAL_SYNTAX, "context", "context is %s, not an object of numbers",
                      wire_type_name(object));
    meta->context_count = 0;
    json_object_foreach(object, name, value)
    {
        int r = add_context(meta, name, value, refusal);

        if (r != 0)
            return r;
    }
    return 0;
}

int wire_decode_context(const void *bytes, size_t size, struct wire_meta *meta, struct refusal *refusal)
{
    struct wire_meta result = *meta;
    json_t *root;
    int r = wire_load(bytes, size, &root, refusal);

    if (r != 0)
        return r;
    r = meta_set_context(&result, root, refusal);
    json_decref(root);
    if (r == 0)
        *meta = result;
    return r;
}
