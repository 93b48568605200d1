/* habitd: arguments, configuration, run, one exit. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "app.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "config/changes.h"
#include "config/keys.h"
#include "in_force.h"
#include "offline.h"
#include "reload.h"
#include "wire/parse.h"

enum { EXIT_USAGE = 2 }; /* also for a broken configuration */

struct arguments {
    const char *config;
    const char *explain; /* machine ID */
    const char *backup;  /* file to restore */
    bool sure, replace;
    int (*action)(const struct config *config, const struct arguments *arguments);
};

/* ----------------------------------------------------------------------------------------------------------- actions */

/* What differs from what a running habitd has in force. */
static void print_changes(const struct config *config, const char *path)
{
    char reloaded[400], restarted[400];
    struct config in_force;

    if (!in_force_read(&in_force, path))
        return;
    config_changes(&in_force, config, BY_RELOAD, reloaded, sizeof(reloaded));
    config_changes(&in_force, config, BY_RESTART, restarted, sizeof(restarted));
    if (reloaded[0] != '\0')
        printf("changed, taken by a reload: %s\n", reloaded);
    if (restarted[0] != '\0')
        printf("changed, taken only by a restart: %s\n", restarted);
    if (reloaded[0] == '\0' && restarted[0] == '\0')
        printf("the running habitd has the same in force\n");
    config_free(&in_force);
}

static int check_config(const struct config *config, const struct arguments *arguments)
{
    printf("%s: fine: %zu machine sections, %zu inputs\n", arguments->config, config->pattern_count,
           config->input_count);
    for (size_t i = 1; i < config->file_count; i++)
        printf("%s: fine\n", config->files[i]);
    print_changes(config, arguments->config);
    return EXIT_SUCCESS;
}

static int print_config(const struct config *config, const struct arguments *arguments)
{
    (void)arguments;
    config_print(config, stdout, true);
    return EXIT_SUCCESS;
}

static int show_limits(const struct config *config, const struct arguments *arguments)
{
    static const struct {
        const char *name, *unit, *beyond;
        long value;
    } limits[] = {
#define LIMIT_ROW(name, value, unit, beyond) { #name, (unit), (beyond), (value) },
        LIMITS(LIMIT_ROW)
#undef LIMIT_ROW
    };

    (void)config;
    (void)arguments;
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
        printf("%-20s %8ld %-45s %s\n", limits[i].name, limits[i].value, limits[i].unit, limits[i].beyond);
    return EXIT_SUCCESS;
}

static int list_keys(const struct config *config, const struct arguments *arguments)
{
    (void)config;
    (void)arguments;
    config_list_keys(stdout);
    return EXIT_SUCCESS;
}

static int explain_machine(const struct config *config, const struct arguments *arguments)
{
    struct settings settings;
    bool create;

    if (!machine_id_valid(arguments->explain, strlen(arguments->explain))) {
        fprintf(stderr, "habitd: %s: not a machine ID: " MACHINE_ID_RULE "\n", arguments->explain);
        return EXIT_USAGE;
    }
    config_settings(config, arguments->explain, &settings, &create);
    for (size_t i = 0; i < SETTINGS_COUNT; i++) {
        const struct settings_field *field = &settings_fields[i];
        const struct config_pattern *pattern = config_origin(config, arguments->explain, field);
        char text[SETTING_TEXT_SIZE];

        printf("%-14s %-16s", field->key, settings_text(&settings, field, text));
        if (pattern)
            printf(" %s:%u [machine \"%s\"]\n", config->files[pattern->places[i].file], pattern->places[i].line,
                   pattern->pattern);
        else
            printf(" default\n");
    }
    printf("%-14s %-16s\n", "create", create ? "yes" : "no");
    return EXIT_SUCCESS;
}

static int restore(const struct config *config, const struct arguments *arguments)
{
    return offline_restore(config, arguments->backup, arguments->replace);
}

static int wipe(const struct config *config, const struct arguments *arguments)
{
    return offline_wipe(config, arguments->sure);
}

static int run(const struct config *config, const struct arguments *arguments)
{
    char message[APP_MESSAGE_SIZE];
    struct app *app = NULL;
    int r;

    app_block_signals();
    wire_parse_begin();
    r = app_new(&app, config, arguments->config, message);
    if (r != 0) {
        log_error("%s", message);
        return EXIT_FAILURE;
    }
    r = app_run(app);
    app_free(app);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* --------------------------------------------------------------------------------------------------------- arguments */

static void print_help(FILE *file)
{
    fputs(
        "usage: habitd [--config FILE] [--check-config | --print-config | --list-keys | --explain-machine ID |\n"
        "       --show-limits | --restore FILE [--replace] | --wipe [--yes]]\n"
        "\n"
        "Learns what is normal for each machine and says when a machine breaks its habit.\n"
        "\n"
        "  --config FILE          default " HABIT_CONFIG "; then conf.d/*.conf beside it, by name\n"
        "  --check-config         read the configuration, say what is wrong with file and line, exit 2 if anything "
        "is;\n"
        "                         else what a running habitd has not in force yet, and what it takes\n"
        "  --print-config         the configuration, defaults included, secrets left out: with file and line of each\n"
        "                         value that is no default\n"
        "  --list-keys            every key there is, one a line, with tabs between: section, key, values, default, "
        "what\n"
        "                         takes a change (reload or restart), meaning\n"
        "  --explain-machine ID   each setting of a machine and where it comes from, before REST\n"
        "  --show-limits          every bound there is\n"
        "  --restore FILE         a backup becomes the store, while habitd is stopped; with --replace where there is "
        "one,\n"
        "                         which is kept beside\n"
        "  --wipe                 what the store has in files; with --yes these are overwritten and deleted\n"
        "  --version, --help\n",
        file);
}

static const struct option options[] = { { "config", required_argument, NULL, 'c' },
                                         { "check-config", no_argument, NULL, 'k' },
                                         { "print-config", no_argument, NULL, 'p' },
                                         { "explain-machine", required_argument, NULL, 'e' },
                                         { "show-limits", no_argument, NULL, 'l' },
                                         { "version", no_argument, NULL, 'v' },
                                         { "help", no_argument, NULL, 'h' },
                                         { "restore", required_argument, NULL, 'r' },
                                         { "replace", no_argument, NULL, 'R' },
                                         { "wipe", no_argument, NULL, 'w' },
                                         { "list-keys", no_argument, NULL, 'K' },
                                         { "yes", no_argument, NULL, 'y' },
                                         { NULL, 0, NULL, 0 } };

/* -1 = go on; else the exit status. */
static int take_option(int option, struct arguments *arguments)
{
    switch (option) {
    case 'c':
        arguments->config = optarg;
        return -1;
    case 'k':
        arguments->action = check_config;
        return -1;
    case 'p':
        arguments->action = print_config;
        return -1;
    case 'e':
        arguments->action = explain_machine;
        arguments->explain = optarg;
        return -1;
    case 'l':
        arguments->action = show_limits;
        return -1;
    case 'K':
        arguments->action = list_keys;
        return -1;
    case 'r':
        arguments->action = restore;
        arguments->backup = optarg;
        return -1;
    case 'R':
        arguments->replace = true;
        return -1;
    case 'w':
        arguments->action = wipe;
        return -1;
    case 'y':
        arguments->sure = true;
        return -1;
    case 'v':
        puts("habitd " HABIT_VERSION);
        return EXIT_SUCCESS;
    case 'h':
        print_help(stdout);
        return EXIT_SUCCESS;
    default:
        print_help(stderr);
        return EXIT_USAGE;
    }
}

static int read_arguments(int argc, char **argv, struct arguments *arguments)
{
    int option, status;

    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        status = take_option(option, arguments);
        if (status >= 0)
            return status;
    }
    if (optind == argc)
        return -1;
    fprintf(stderr, "habitd: %s: unexpected\n", argv[optind]);
    print_help(stderr);
    return EXIT_USAGE;
}

/* A database opened as descriptor 2 would be written into by the log. */
static void fill_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= 2);
    if (fd > 2)
        close(fd);
}

static void complain_of_configuration(const struct arguments *arguments, const char *message)
{
    bool missing = strcmp(arguments->config, HABIT_CONFIG) == 0 && access(HABIT_CONFIG, F_OK) != 0;

    fprintf(stderr, "habitd: %s%s\n", message, missing ? "; --config FILE names another" : "");
}

int main(int argc, char **argv)
{
    struct arguments arguments = { .config = HABIT_CONFIG, .action = run };
    char message[CONFIG_MESSAGE_SIZE];
    struct config config;
    int status;

    fill_standard_descriptors();
    status = read_arguments(argc, argv, &arguments);
    if (status >= 0)
        return status;
    if (arguments.action == show_limits || arguments.action == list_keys) /* the same whatever the file says */
        return arguments.action(NULL, &arguments);
    if (config_read(&config, arguments.config, message) < 0) {
        complain_of_configuration(&arguments, message);
        return EXIT_USAGE;
    }
    if (config.timezone[0] != '\0') {
        setenv("TZ", config.timezone, 1);
        tzset();
    }
    use_log_level(config.log_level);
    status = arguments.action(&config, &arguments);
    config_free(&config);
    return status;
}
