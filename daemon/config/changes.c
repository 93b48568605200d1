#include "config/changes.h"

#include <stdarg.h>
#include <string.h>

#include "config/keys.h"

/* Keys that a reload takes. Where one of these is empty in one of two configurations, other parts than what it names would have to
 * change too: that wants a restart. */
static const struct {
    const char *section, *key;
} live[] = { { "gateway", "log_level" }, { "http", "tokens" }, { "http", "certificate" }, { "http", "key" } };

struct listing {
    char *text;
    size_t size;
    enum change_taken taken;
};

static void put(const struct listing *listing, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(const struct listing *listing, const char *format, ...)
{
    size_t used = strlen(listing->text);
    char name[MACHINE_ID_SIZE + 64];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(name, sizeof(name), format, arguments);
    va_end(arguments);
    if (used + strlen(name) + sizeof(", ...") < listing->size)
        snprintf(listing->text + used, listing->size - used, "%s%s", used > 0 ? ", " : "", name);
    else if (used >= 3 && strcmp(listing->text + used - 3, "...") != 0)
        snprintf(listing->text + used, listing->size - used, ", ...");
}

static bool is_live(const char *section, const char *key)
{
    for (size_t i = 0; i < sizeof(live) / sizeof(live[0]); i++)
        if (strcmp(live[i].section, section) == 0 && strcmp(live[i].key, key) == 0)
            return true;
    return false;
}

const char *config_taken(const char *section, const char *key)
{
    return is_live(section, key) ? "reload" : "restart";
}

/* ---------------------------------------------------------------------------------------------------- plain sections */

static void list_key(const struct listing *listing, const struct config_key *key, const struct config *before,
                     const struct config *after)
{
    char old[CONFIG_TEXT_SIZE], new[CONFIG_TEXT_SIZE];
    enum change_taken taken;

    config_key_text(before, key, old);
    config_key_text(after, key, new);
    taken = is_live(key->section, key->key) && old[0] != '\0' && new[0] != '\0' ? BY_RELOAD : BY_RESTART;
    if (taken == listing->taken && strcmp(old, new) != 0)
        put(listing, "[%s] %s", key->section, key->key);
}

/* ---------------------------------------------------------------------------------------------------------- machines */

static const struct config_pattern *pattern_of(const struct config *config, const char *pattern)
{
    for (size_t i = 0; i < config->pattern_count; i++)
        if (strcmp(config->patterns[i].pattern, pattern) == 0)
            return &config->patterns[i];
    return NULL;
}

static void list_pattern(const struct listing *listing, const struct config_pattern *before,
                         const struct config_pattern *after)
{
    if ((before->create_place.line > 0) != (after->create_place.line > 0) || before->create != after->create)
        put(listing, "[machine \"%s\"] create", after->pattern);
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if ((before->places[i].line > 0) != (after->places[i].line > 0) ||
            !settings_equal(&before->settings, &after->settings, &settings_fields[i]))
            put(listing, "[machine \"%s\"] %s", after->pattern, settings_fields[i].key);
}

static void list_patterns(const struct listing *listing, const struct config *before, const struct config *after)
{
    for (size_t i = 0; i < before->pattern_count; i++)
        if (!pattern_of(after, before->patterns[i].pattern))
            put(listing, "[machine \"%s\"]", before->patterns[i].pattern);
    for (size_t i = 0; i < after->pattern_count; i++) {
        const struct config_pattern *old = pattern_of(before, after->patterns[i].pattern);

        if (old)
            list_pattern(listing, old, &after->patterns[i]);
        else
            put(listing, "[machine \"%s\"]", after->patterns[i].pattern);
    }
}

/* ------------------------------------------------------------------------------------------------------------ inputs */

static const struct config_input *input_of(const struct config *config, const char *name)
{
    for (size_t i = 0; i < config->input_count; i++)
        if (strcmp(config->inputs[i].name, name) == 0)
            return &config->inputs[i];
    return NULL;
}

static void list_input(const struct listing *listing, const struct config_input *before,
                       const struct config_input *after)
{
    char old[CONFIG_TEXT_SIZE], new[CONFIG_TEXT_SIZE];

    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].section, "input") == 0 &&
            strcmp(config_key_text(before, &config_keys[i], old), config_key_text(after, &config_keys[i], new)) != 0)
            put(listing, "[input \"%s\"] %s", after->name, config_keys[i].key);
}

static void list_inputs(const struct listing *listing, const struct config *before, const struct config *after)
{
    for (size_t i = 0; i < before->input_count; i++)
        if (!input_of(after, before->inputs[i].name))
            put(listing, "[input \"%s\"]", before->inputs[i].name);
    for (size_t i = 0; i < after->input_count; i++) {
        const struct config_input *old = input_of(before, after->inputs[i].name);

        if (old)
            list_input(listing, old, &after->inputs[i]);
        else
            put(listing, "[input \"%s\"]", after->inputs[i].name);
    }
}

void config_changes(const struct config *before, const struct config *after, enum change_taken taken, char *text,
                    size_t size)
{
    const struct listing listing = { .text = text, .size = size, .taken = taken };

    text[0] = '\0';
    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].section, "machine") != 0 && strcmp(config_keys[i].section, "input") != 0)
            list_key(&listing, &config_keys[i], before, after);
    if (taken == BY_RESTART) {
        list_patterns(&listing, before, after);
        list_inputs(&listing, before, after);
    }
}
