#include "config/config.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/files.h"
#include "config/keys.h"
#include "config/map.h"
#include "config/parse.h"
#include "config/whole.h"

/* The host name with what an ID cannot hold replaced: "pi.local" -> "pi-local". */
static void gateway_default(char gateway[GATEWAY_ID_SIZE])
{
    char host[256] = "";

    if (gethostname(host, sizeof(host) - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof(host), "gateway");
    snprintf(gateway, GATEWAY_ID_SIZE, "%.*s", GATEWAY_ID_SIZE - 1, host);
    for (char *c = gateway; *c != '\0'; c++)
        if (!gateway_id_valid((char[]){ *c, '\0' }))
            *c = '-';
}

static void store_path_default(char *path, size_t size)
{
    const char *directory = getenv("STATE_DIRECTORY"); /* set by systemd */

    if (!directory || directory[0] != '/' || strlen(directory) + sizeof("/habit.db") > size)
        directory = "/var/lib/habit";
    snprintf(path, size, "%s/habit.db", directory);
}

void config_secret_path(const char *name, char path[SECRET_PATH_SIZE])
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");

    if (name[0] == '/')
        snprintf(path, SECRET_PATH_SIZE, "%s", name);
    else if (directory) /* habit_: systemd puts the name of LoadCredential= in front of each file of a folder */
        snprintf(path, SECRET_PATH_SIZE, "%s/habit_%s", directory, name);
    else
        snprintf(path, SECRET_PATH_SIZE, "/etc/habit/credentials/%s", name);
}

/* Keys whose empty value stands for what only this machine knows. */
static void fill_in(struct config *config)
{
    if (config->gateway[0] == '\0')
        gateway_default(config->gateway);
    if (config->store_path[0] == '\0')
        store_path_default(config->store_path, sizeof(config->store_path));
}

static void set_defaults(struct config *config)
{
    static const char *const plain[] = { "gateway", "http", "mqtt", "store", "report" };

    memset(config, 0, sizeof(*config));
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        config_keys_default(config, plain[i]);
    fill_in(config);
}

int config_default(struct config *config)
{
    set_defaults(config);
    return 0;
}

int config_read(struct config *config, const char *path, char message[CONFIG_MESSAGE_SIZE])
{
    int r;

    set_defaults(config);
    r = config_files(config, path, message);
    for (uint32_t i = 0; r == 0 && i < config->file_count; i++)
        r = config_parse(config, i, message);
    fill_in(config);
    for (size_t i = 0; i < config->input_count; i++) /* each was checked when its line was read */
        map_read(config->inputs[i].map, config->inputs[i].target, &config->inputs[i].targets, NULL);
    if (r == 0)
        r = config_whole(config, message);
    if (r < 0)
        config_free(config);
    return r;
}

void config_free(struct config *config)
{
    free(config->patterns);
    free(config->inputs);
    for (size_t i = 0; i < config->file_count; i++)
        free(config->files[i]);
    free(config->files);
    config->patterns = NULL;
    config->inputs = NULL;
    config->files = NULL;
    config->pattern_count = config->input_count = config->file_count = 0;
}

/* --------------------------------------------------------------------------------------------------- of one machine */

static bool is_later(const struct config_place *place, const struct config_place *other)
{
    return place->file != other->file ? place->file > other->file : place->line > other->line;
}

/* Of two sections that both match and have a key, at these places: the more specific one; where they are equal, the later. */
static bool outranks(const struct config_pattern *pattern, const struct config_place *place,
                     const struct config_pattern *best, const struct config_place *place_of_best)
{
    unsigned int weight = pattern_weight(pattern->pattern), weight_of_best = pattern_weight(best->pattern);

    return weight != weight_of_best ? weight > weight_of_best : is_later(place, place_of_best);
}

const struct config_pattern *config_origin(const struct config *config, const char *id,
                                           const struct settings_field *field)
{
    const size_t key = (size_t)(field - settings_fields);
    const struct config_pattern *best = NULL;

    for (size_t i = 0; i < config->pattern_count; i++) {
        const struct config_pattern *pattern = &config->patterns[i];

        if (pattern->settings.origin[key] == ORIGIN_FILE && pattern_match(pattern->pattern, id) &&
            (!best || outranks(pattern, &pattern->places[key], best, &best->places[key])))
            best = pattern;
    }
    return best;
}

static bool creates(const struct config *config, const char *id)
{
    const struct config_pattern *best = NULL;

    for (size_t i = 0; i < config->pattern_count; i++) {
        const struct config_pattern *pattern = &config->patterns[i];

        if (pattern->create_place.line > 0 && pattern_match(pattern->pattern, id) &&
            (!best || outranks(pattern, &pattern->create_place, best, &best->create_place)))
            best = pattern;
    }
    return best && best->create;
}

void config_settings(const struct config *config, const char *id, struct settings *settings, bool *create)
{
    settings_default(settings);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct config_pattern *origin = config_origin(config, id, &settings_fields[i]);

        if (origin)
            settings_copy(settings, &origin->settings, &settings_fields[i]);
    }
    *create = creates(config, id);
}

/* --------------------------------------------------------------------------------------------------------- printing */

struct printing {
    const struct config *config;
    FILE *file;
    bool places;
};

static void print_place(const struct printing *printing, const struct config_place *place)
{
    if (printing->places && place->line > 0)
        fprintf(printing->file, "# %s:%u\n", printing->config->files[place->file], place->line);
}

/* Of plain sections and inputs, where each row has its place. */
static void print_keys(const struct printing *printing, const char *section, const void *target,
                       const struct config_place *places)
{
    char text[CONFIG_TEXT_SIZE];

    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].section, section) == 0) {
            print_place(printing, &places[i]);
            fprintf(printing->file, "%s = %s\n", config_keys[i].key, config_key_text(target, &config_keys[i], text));
        }
}

static void print_pattern(const struct printing *printing, const struct config_pattern *pattern)
{
    char text[SETTING_TEXT_SIZE];

    fprintf(printing->file, "\n[machine \"%s\"]\n", pattern->pattern);
    if (pattern->create_place.line > 0) {
        print_place(printing, &pattern->create_place);
        fprintf(printing->file, "create = %s\n", pattern->create ? "yes" : "no");
    }
    for (size_t i = 0; i < SETTINGS_COUNT; i++)
        if (pattern->places[i].line > 0) {
            print_place(printing, &pattern->places[i]);
            fprintf(printing->file, "%s = %s\n", settings_fields[i].key,
                    settings_text(&pattern->settings, &settings_fields[i], text));
        }
}

void config_print(const struct config *config, FILE *file, bool places)
{
    static const char *const plain[] = { "gateway", "http", "mqtt", "store", "report" };
    const struct printing printing = { .config = config, .file = file, .places = places };

    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++) {
        fprintf(file, "%s[%s]\n", i > 0 ? "\n" : "", plain[i]);
        print_keys(&printing, plain[i], config, config->places);
    }
    for (size_t i = 0; i < config->pattern_count; i++)
        print_pattern(&printing, &config->patterns[i]);
    for (size_t i = 0; i < config->input_count; i++) {
        fprintf(file, "\n[input \"%s\"]\n", config->inputs[i].name);
        print_keys(&printing, "input", &config->inputs[i], config->inputs[i].places);
    }
}
