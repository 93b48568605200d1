/* habit adopt: makes machines of IDs that send buffers but are not known. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "habit/engine.h"
#include "matching.h"
#include "message.h"
#include "record/settings.h"

struct adopt_settings {
    const char *url;
    uint64_t buffer_size, axes; /* 0 = not given */
    struct words patterns, assignments;
};

#define ROW(kind, key, field, value, low, high, help)                                             \
    {                                                                                             \
        OPTION_##kind, false, key, offsetof(struct adopt_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    ROW(OPERANDS, "", patterns, "PATTERN...", 1, WORDS_MAX, "pending IDs; * and ? match, quote them"),
    ROW(UNSIGNED, "axes", axes, "A", 1, HABIT_MAX_AXES, "values in a sample"),
    ROW(UNSIGNED, "buffer-size", buffer_size, "N", 1, HABIT_MAX_BUFFER_SIZE,
        "samples in a buffer; default: from the size of their messages"),
    ROW(LIST, "set", assignments, "KEY=VALUE", 0, 0, "a setting, as in the configuration file; repeat it"),
    ROW(TEXT, "url", url, "URL", 0, 0, "of habitd; default $HABIT_URL, else " CLIENT_URL),
    { .type = OPTION_END },
};

/* A value as the daemon wants it in JSON: figures as numbers, yes and no as booleans, the rest as texts. It was checked. */
static json_t *setting_json(const struct settings *settings, const struct settings_field *field)
{
    char text[SETTING_TEXT_SIZE];

    switch (field->type) {
    case TYPE_UNSIGNED:
        return json_integer((json_int_t)settings_number(settings, field));
    case TYPE_NUMBER:
        return json_real(settings_number(settings, field));
    case TYPE_BOOLEAN:
        return json_boolean(strcmp(settings_text(settings, field, text), "yes") == 0);
    default:
        return json_string(settings_text(settings, field, text));
    }
}

/* "window=20" into the object. Returns 0 or EXIT_USAGE. */
static int add_assignment(const struct command *command, const char *word, json_t *object)
{
    const char *equals = strchr(word, '=');
    char key[32] = "";
    const struct settings_field *field;
    struct settings settings;
    struct refusal refusal;

    if (equals && (size_t)(equals - word) < sizeof(key))
        memcpy(key, word, (size_t)(equals - word));
    field = settings_find(key);
    if (!field)
        return options_refuse(command, "--set: '%s' is not KEY=VALUE of a known setting", word);
    if (json_object_get(object, key))
        return options_refuse(command, "--set: %s is given twice", key);
    settings_default(&settings);
    if (settings_set_text(&settings, field, equals + 1, ORIGIN_REST, &refusal) != 0)
        return options_refuse(command, "--set: %s", refusal.detail);
    json_object_set_new(object, key, setting_json(&settings, field));
    return 0;
}

static int fill_body(const struct command *command, const struct adopt_settings *settings, json_t *object)
{
    int r = 0;

    if (settings->buffer_size > 0)
        json_object_set_new(object, "buffer_size", json_integer((json_int_t)settings->buffer_size));
    if (settings->axes > 0)
        json_object_set_new(object, "axes", json_integer((json_int_t)settings->axes));
    for (size_t i = 0; r == 0 && i < settings->assignments.count; i++)
        r = add_assignment(command, settings->assignments.word[i], object);
    return r;
}

static int adopt(const struct command *command, const struct adopt_settings *settings, const char *body)
{
    return matching_post(command, &(struct matching){
                                      .url = settings->url,
                                      .list = "/v1/pending?limit=1000",
                                      .array = "pending",
                                      .patterns = &settings->patterns,
                                      .path = "/v1/pending/%s/adopt",
                                      .body = body,
                                      .done = "adopted",
                                      .otherwise = "an ID is pending once it has sent and while it is no machine; "
                                                   "PUT /v1/machines/ID or `habit machines import` makes one that has "
                                                   "not sent yet",
                                  });
}

static int run(const struct command *command, int argc, char **argv)
{
    struct adopt_settings settings = { 0 };
    json_t *object;
    char *body;
    int r;

    if (!options_read(command, &settings, argc, argv, &r))
        return r;
    object = json_object();
    r = fill_body(command, &settings, object);
    body = r == 0 ? json_dumps(object, JSON_REAL_PRECISION(9)) : NULL;
    json_decref(object);
    if (r == 0)
        r = body ? adopt(command, &settings, body) : complain_errno("hold", "the settings");
    free(body);
    return r;
}

const struct command adopt_command = {
    .name = "adopt",
    .synopsis = "PATTERN... [--axes A] [--buffer-size N] [--set KEY=VALUE] [--url URL]",
    .summary = "makes machines of pending IDs that match",
    .options = rows,
    .run = run,
};
