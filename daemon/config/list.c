/* What documents say of the keys: made of the tables that read them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "config/changes.h"
#include "config/keys.h"

static void put_durations(FILE *file, double low, double high)
{
    char a[DURATION_TEXT_SIZE], b[DURATION_TEXT_SIZE];

    fprintf(file, "duration, %s to %s", text_of_duration((uint64_t)low, a), text_of_duration((uint64_t)high, b));
}

static void put_words(FILE *file, const char *const *words)
{
    for (size_t i = 0; words[i]; i++)
        fprintf(file, "%s%s", i > 0 ? " | " : "", words[i]);
}

static void put_values(FILE *file, const struct config_key *key)
{
    switch (key->type) {
    case KEY_UNSIGNED:
        fprintf(file, "%.0f to %.0f", key->low, key->high);
        break;
    case KEY_NUMBER:
        fprintf(file, "number, %g to %g", key->low, key->high);
        break;
    case KEY_DURATION:
        put_durations(file, key->low, key->high);
        break;
    case KEY_BOOLEAN:
        fputs("yes | no", file);
        break;
    case KEY_TEXT:
        fprintf(file, "text, at most %.0f bytes", key->high - 1);
        break;
    case KEY_CHOICE:
        put_words(file, key->choices);
        break;
    case KEY_CLOCK:
        fputs("hh:mm", file);
        break;
    }
}

static void put_setting(FILE *file, const struct settings_field *field)
{
    const char *const *choices = settings_choices(field);

    if (choices)
        put_words(file, choices);
    else if (field->type == TYPE_UNSIGNED)
        fprintf(file, "%.0f to %.0f", field->low, field->high);
    else if (field->type == TYPE_NUMBER)
        fprintf(file, "number, %g to %g", field->low, field->high);
    else if (field->type == TYPE_DURATION)
        put_durations(file, field->low, field->high);
    else if (field->type == TYPE_BOOLEAN)
        fputs("yes | no", file);
    else if (field->type == TYPE_TEXT)
        fprintf(file, "text, at most %.0f bytes", field->high - 1);
    else
        fputs("in words", file);
}

static void list_settings(FILE *file)
{
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];

        fprintf(file, "machine\t%s\t", field->key);
        put_setting(file, field);
        fprintf(file, "\t%s\t%s\t%s\n", field->fallback, config_taken("machine", field->key), field->help);
    }
}

void config_list_keys(FILE *file)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++) {
        const struct config_key *key = &config_keys[i];

        fprintf(file, "%s\t%s\t", key->section, key->key);
        put_values(file, key);
        fprintf(file, "\t%s\t%s\t%s\n", key->fallback, config_taken(key->section, key->key), key->help);
        if (strcmp(key->section, "machine") == 0 && strcmp(key->key, "create") == 0)
            list_settings(file);
    }
}
