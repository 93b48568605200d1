/* Settings in JSON: a flat object of the keys in record/settings.h. */
#include <string.h>

#include "base/nearest.h"
#include "wire/build.h"
#include "wire/document.h"
#include "wire/json.h"

/* ---------------------------------------------------------------------------------------------------------- reading */

/* What JSON may give for a type of setting. */
static const struct acceptance {
    bool number, text, boolean;
    const char *words;
} accepted[] = {
    [TYPE_UNSIGNED] = { true, false, false, "a number" },
    [TYPE_NUMBER] = { true, false, false, "a number" },
    [TYPE_DURATION] = { true, true, false, "seconds, or a text such as \"24h\"" },
    [TYPE_BOOLEAN] = { false, false, true, "true or false" },
    [TYPE_TEXT] = { false, true, false, "a text" },
    [TYPE_LEARN] = { true, true, false, "\"auto\", a number of buffers, or a text such as \"24h\"" },
    [TYPE_RUN] = { false, true, false, "a text such as \"level auto\"" },
    [TYPE_ORDER] = { false, true, false, "a text such as \"1 per 90d\"" },
    [TYPE_RULES] = { false, true, false, "a text such as \"temperature > 60 for 10m : learn 50\"" },
    [TYPE_PROFILE] = { false, true, false, "a text" },
    [TYPE_FORMAT] = { false, true, false, "a text" },
    [TYPE_LAYOUT] = { false, true, false, "a text" },
    [TYPE_START] = { false, true, false, "a text" },
    [TYPE_BUFFERS] = { false, true, false, "a text" },
};
_Static_assert(sizeof(accepted) / sizeof(accepted[0]) == SETTINGS_TYPES, "a row for each type");

static int read_value(const struct settings_field *field, const json_t *value, struct settings *settings,
                      enum settings_origin origin, struct refusal *refusal)
{
    const struct acceptance *accept = &accepted[field->type];

    if (json_is_number(value) && accept->number)
        return settings_set_number(settings, field, json_number_value(value), origin, refusal);
    if (json_is_string(value) && accept->text)
        return settings_set_text(settings, field, json_string_value(value), origin, refusal);
    if (json_is_boolean(value) && accept->boolean)
        return settings_set_text(settings, field, json_is_true(value) ? "yes" : "no", origin, refusal);
    return refuse(refusal, REFUSAL_RANGE, field->key, "%s is %s, not %s", field->key, accept->words,
                  wire_type_name(value));
}

static int refuse_unknown(const char *key, struct refusal *refusal)
{
    struct nearest nearest = { 0 };

    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        nearest_offer(&nearest, key, settings_fields[i].key);
    return refuse(refusal, REFUSAL_UNKNOWN_FIELD, key, "there is no setting %.64s%s%s%s", key,
                  nearest.word ? "; did you mean " : "", nearest.word ? nearest.word : "", nearest.word ? "?" : "");
}

static int read_member(const char *key, const json_t *value, struct settings *settings, const struct settings *base,
                       enum settings_origin origin, struct refusal *refusal)
{
    const struct settings_field *field = settings_find(key);

    if (!field)
        return refuse_unknown(key, refusal);
    if (!json_is_null(value))
        return read_value(field, value, settings, origin, refusal);
    settings_copy(settings, base, field);
    return 0;
}

int wire_read_settings(const void *bytes, size_t size, struct settings *settings, const struct settings *base,
                       enum settings_origin origin, struct refusal *refusal)
{
    struct settings result = *settings;
    const char *key;
    json_t *root, *value;
    int r = wire_load_object(bytes, size, &root, refusal);

    if (r != 0)
        return r;
    json_object_foreach(root, key, value)
    {
        r = read_member(key, value, &result, base, origin, refusal);
        if (r != 0)
            break;
    }
    json_decref(root);
    if (r == 0)
        *settings = result;
    return r;
}

int wire_read_sensitivity(const void *bytes, size_t size, float *sensitivity, struct refusal *refusal)
{
    struct settings settings;
    json_t *root;
    int r = wire_load_object(bytes, size, &root, refusal);

    if (r != 0)
        return r;
    settings_default(&settings);
    if (json_object_size(root) != 1 || !json_object_get(root, "sensitivity"))
        r = refuse(refusal, REFUSAL_UNKNOWN_FIELD, "sensitivity",
                   "the body is {\"sensitivity\": number} and nothing else");
    else
        r = read_value(settings_find("sensitivity"), json_object_get(root, "sensitivity"), &settings, ORIGIN_REST,
                       refusal);
    json_decref(root);
    if (r == 0)
        *sensitivity = settings.sensitivity;
    return r;
}

/* An object with one text and nothing else. */
static int read_only_text(const void *bytes, size_t size, const char *name, char *text, size_t room,
                          struct refusal *refusal)
{
    const char *found;
    json_t *root;
    int r = wire_load_object(bytes, size, &root, refusal);

    if (r != 0)
        return r;
    found = json_string_value(json_object_get(root, name));
    if (!found || json_object_size(root) != 1 || strlen(found) >= room)
        r = refuse(refusal, REFUSAL_UNKNOWN_FIELD, name, "the body is {\"%s\": \"...\"} and nothing else", name);
    else
        snprintf(text, room, "%s", found);
    json_decref(root);
    return r;
}

int wire_read_token(const void *bytes, size_t size, char *text, size_t room, struct refusal *refusal)
{
    return read_only_text(bytes, size, "token", text, room, refusal);
}

int wire_read_gateway(const void *bytes, size_t size, char *text, size_t room, struct refusal *refusal)
{
    return read_only_text(bytes, size, "gateway", text, room, refusal);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static json_t *build_value(const struct settings *settings, const struct settings_field *field)
{
    char text[SETTING_TEXT_SIZE];

    switch (field->type) {
    case TYPE_UNSIGNED:
        return json_integer((json_int_t)settings_number(settings, field));
    case TYPE_NUMBER:
        return wire_float((float)settings_number(settings, field));
    case TYPE_BOOLEAN:
        return json_boolean(strcmp(settings_text(settings, field, text), "yes") == 0);
    default:
        return wire_text(settings_text(settings, field, text));
    }
}

json_t *build_settings(const struct settings *settings, enum settings_origin least)
{
    json_t *object = json_object();

    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (settings->origin[i] >= least)
            wire_put(&object, settings_fields[i].key, build_value(settings, &settings_fields[i]));
    return object;
}

char *wire_settings(const struct settings *settings, enum settings_origin least)
{
    return wire_dump(build_settings(settings, least));
}
