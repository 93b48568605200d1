/* habit setup: opens a gateway to its network: TLS, a token, a closed broker, in one command. */
#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "commands.h"
#include "config/checks.h"
#include "config/keys.h"
#include "message.h"
#include "qr.h"
#include "setup.h"

#define MAIN_FILE "/etc/habit/habitd.conf"
#define OURS      "/etc/habit/conf.d/50-setup.conf"

extern char **environ;

struct setup_settings {
    struct words names;
    const char *listen, *gateway, *root;
    bool yes, with_broker, without_broker, renew, new_token;
};

#define ROW(kind, key, field, value, help)                                                   \
    {                                                                                        \
        OPTION_##kind, false, key, offsetof(struct setup_settings, field), value, 0, 0, help \
    }

static const struct option_row rows[] = {
    ROW(FLAG, "yes", yes, "", "ask nothing"),
    ROW(TEXT, "listen", listen, "ADDRESS", "where habitd listens; default 0.0.0.0, everywhere"),
    ROW(LIST, "name", names, "HOST", "a name or address by which others call this host; repeat it; its own are known"),
    ROW(TEXT, "gateway", gateway, "ID", "[gateway] id; default: as configured, else the host name"),
    ROW(FLAG, "with-broker", with_broker, "",
        "close mosquitto on this host too: TLS, passwords; default where it is installed"),
    ROW(FLAG, "without-broker", without_broker, "", "leave mosquitto alone"),
    ROW(FLAG, "renew", renew, "", "make new certificates, signed by the CA that is there"),
    ROW(FLAG, "new-token", new_token, "", "make a new token " SETUP_TOKEN "; the old one ends"),
    ROW(TEXT, "root", root, "DIR", "of an image that is not running: every path is below it, and nothing is started"),
    { .type = OPTION_END },
};

/* ----------------------------------------------------------------------------------------------------------- asking */

/* What somebody types, else `fallback`; "" = nobody is there any more. */
static void ask(const char *question, const char *fallback, char *answer, size_t size)
{
    fprintf(stderr, "%s [%s] ", question, fallback);
    if (!fgets(answer, (int)size, stdin))
        answer[0] = '\0';
    else if (answer[0] == '\n')
        snprintf(answer, size, "%s", fallback);
    answer[strcspn(answer, "\n")] = '\0';
}

static bool is_yes(const char *answer)
{
    return answer[0] == 'y' || answer[0] == 'Y';
}

/* Only what no option has said. */
static void ask_open(const struct setup_settings *settings, struct setup *setup)
{
    char answer[HOST_NAME_SIZE];

    if (setup->done)
        return;
    if (!settings->listen)
        ask("Address that habitd listens on (0.0.0.0 = everywhere)?", setup->address, setup->address,
            sizeof(setup->address));
    if (settings->names.count == 0) {
        ask("A further name by which others call this host?", "none", answer, sizeof(answer));
        if (strcmp(answer, "none") != 0 && host_name_valid(answer)) {
            struct host_names own = setup->names;

            setup->names.count = 0;
            host_add(&setup->names, answer);
            for (size_t i = 0; i < own.count; i++)
                host_add(&setup->names, own.name[i]);
        }
    }
    if (setup->broker && !settings->with_broker) {
        ask("Close mosquitto too, so that sensors come in by TLS and password?", "y", answer, sizeof(answer));
        setup->broker = is_yes(answer);
    }
}

static bool confirm(const struct setup *setup)
{
    char answer[16];

    fprintf(stderr, "\nhabitd %s: gateway %s, on %s, for",
            setup->done ? "stays as it is configured" : "goes on the network", setup->gateway, setup->address);
    for (size_t i = 0; i < setup->names.count; i++)
        fprintf(stderr, " %s", setup->names.name[i]);
    fprintf(stderr, "\nmosquitto %s\n",
            setup->broker ? "listens on 8883, with TLS and passwords only" : "is left alone");
    ask("Go on?", "n", answer, sizeof(answer));
    return is_yes(answer);
}

/* --------------------------------------------------------------------------------------------------------- services */

static int systemctl(const char *verb, const char *unit)
{
    char program[] = "systemctl";
    char *argv[] = { program, (char *)verb, (char *)unit, NULL };
    int status = -1;
    pid_t child;

    if (posix_spawnp(&child, argv[0], NULL, NULL, argv, environ) != 0 || waitpid(child, &status, 0) != child ||
        status != 0) {
        complain("`systemctl %s %s` failed: journalctl -u %s says why; everything else is done", verb, unit, unit);
        return EXIT_FAILED;
    }
    return 0;
}

/* "restart mosquitto", then "restart habitd", or what is enough. Both are tried: the next setup would find nothing to restart. */
static int start_services(const struct setup *setup)
{
    const char *verb = !setup->done                                             ? "restart"
                       : setup->changed_certificate || setup->secret[0] != '\0' ? "reload"
                                                                                : NULL;
    bool here = setup->root[0] == '\0' && access("/run/systemd/system", F_OK) == 0;
    int r = 0;

    if (here && setup->changed_broker)
        r = systemctl("restart", "mosquitto");
    if (here && verb && systemctl(verb, "habitd") != 0) /* whatever the broker does: habitd waits for it */
        r = EXIT_FAILED;
    if (!here && setup->changed_broker)
        printf("mosquitto takes this when it is restarted.\n");
    if (!here && verb)
        printf("habitd takes this when it is %s.\n",
               strcmp(verb, "restart") == 0 ? "restarted" : "sent SIGHUP, or restarted");
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- results */

static void address_of(const struct setup *setup, const char *name, char text[HOST_NAME_SIZE + 32])
{
    bool six = strchr(name, ':') != NULL;

    snprintf(text, HOST_NAME_SIZE + 32, "https://%s%s%s:%u/", six ? "[" : "", name, six ? "]" : "",
             setup->config.http_port);
}

static void print_results(const struct setup *setup)
{
    char address[HOST_NAME_SIZE + 32], fingerprint[SETUP_FINGERPRINT_SIZE];

    printf("\nThe web page, from any host of the network:\n\n");
    for (size_t i = 0; i < setup->names.count && !is_loopback(setup->names.name[i]); i++) {
        address_of(setup, setup->names.name[i], address);
        printf("    %s\n", address);
    }
    printf("\n");
    address_of(setup, setup->names.name[0], address);
    qr_print(address, stdout);
    if (setup->secret[0] != '\0')
        printf("\nLog in with this token, which may do everything. It is shown this once:\n\n    %s\n", setup->secret);
    else
        printf("\nThe token " SETUP_TOKEN " is as it was: --new-token makes another one.\n");
    printf("\nA browser warns of this host until it has /etc/habit/tls/ca.pem: docs/security.md says how. SHA-256, to "
           "compare:\n\n"
           "    habitd  %s\n",
           setup_fingerprint(setup, false, fingerprint));
    printf("    CA      %s\n\nFor `habit` on this host:\n\n"
           "    export HABIT_URL=https://localhost:%u HABIT_CA=/etc/habit/tls/ca.pem "
           "HABIT_TOKEN_FILE=FILE-WITH-THE-TOKEN\n",
           setup_fingerprint(setup, true, fingerprint), setup->config.http_port);
}

/* ---------------------------------------------------------------------------------------------------------- planning */

static int read_configuration(struct setup *setup)
{
    char path[SETUP_PATH_SIZE], message[CONFIG_MESSAGE_SIZE];

    if (config_read(&setup->config, setup_path(setup, MAIN_FILE, path), message) == 0)
        return 0;
    complain("%s", message);
    return EXIT_DATA;
}

static bool is_given(const struct config *config, const char *section, const char *key)
{
    return config->places[config_key_find(section, key) - config_keys].line > 0;
}

/* An option that says otherwise than the file that is there: which of them counts is not for us to decide. */
static int check_done(const struct setup_settings *settings, const struct setup *setup)
{
    const struct config *config = &setup->config;
    bool broker = config->mqtt_ca[0] != '\0';
    char path[SETUP_PATH_SIZE];

    if (!setup->done)
        return 0;
    if ((!settings->listen || strcmp(settings->listen, config->http_address) == 0) &&
        (!settings->gateway || strcmp(settings->gateway, config->gateway) == 0) &&
        !(settings->with_broker && !broker) && !(settings->without_broker && broker))
        return 0;
    complain("%s is there and says otherwise: change it there, or move it away and say it again",
             setup_path(setup, OURS, path));
    return EXIT_DATA;
}

static void plan_names(const struct setup_settings *settings, struct setup *setup)
{
    for (size_t i = 0; i < settings->names.count; i++)
        host_add(&setup->names, settings->names.word[i]);
    setup->asked = setup->names.count;
    if (strcmp(setup->address, "0.0.0.0") != 0 && strcmp(setup->address, "::") != 0)
        host_add(&setup->names, setup->address);
    host_add_own(&setup->names);
}

static int plan(const struct setup_settings *settings, struct setup *setup)
{
    const struct config *config = &setup->config;
    int r = read_configuration(setup);

    if (r != 0)
        return r;
    setup->done = setup_has(setup, OURS);
    r = check_done(settings, setup);
    if (r != 0)
        return r;
    setup->listed = is_given(config, "gateway", "id");
    snprintf(setup->address, sizeof(setup->address), "%s",
             setup->done        ? config->http_address
             : settings->listen ? settings->listen
                                : "0.0.0.0");
    snprintf(setup->gateway, sizeof(setup->gateway), "%s", settings->gateway ? settings->gateway : config->gateway);
    if (setup->listed && strcmp(setup->gateway, config->gateway) != 0) {
        complain("[gateway] id is %s in the configuration: change it there, or leave --gateway out", config->gateway);
        return EXIT_DATA;
    }
    if (setup->done)
        setup->broker = config->mqtt_ca[0] != '\0' && setup_has(setup, "/etc/mosquitto/conf.d/habit-setup.conf");
    else
        setup->broker = settings->with_broker || (!settings->without_broker && setup_has(setup, "/etc/mosquitto") &&
                                                  !is_given(config, "mqtt", "host"));
    plan_names(settings, setup);
    return 0;
}

static int check_options(const struct command *command, const struct setup_settings *settings)
{
    struct refusal refusal;

    if (settings->with_broker && settings->without_broker)
        return options_refuse(command, "--with-broker or --without-broker");
    if (settings->listen && check_address(settings->listen, &refusal) != 0)
        return options_refuse(command, "--listen: %s", refusal.detail);
    if (settings->gateway && !gateway_id_valid(settings->gateway))
        return options_refuse(command, "--gateway is 1 to 32 letters, digits and '-'");
    if (settings->names.count > HOST_NAMES / 2)
        return options_refuse(command, "--name: at most %d", HOST_NAMES / 2);
    for (size_t i = 0; i < settings->names.count; i++)
        if (!host_name_valid(settings->names.word[i]))
            return options_refuse(command, "--name is a host name or an address: gw.example.org, 192.168.1.5");
    if (!settings->yes && !isatty(STDIN_FILENO))
        return options_refuse(command, "there is nobody to ask: say --yes");
    if (!settings->root && geteuid() != 0)
        return options_refuse(command, "needs root: sudo habit setup");
    return 0;
}

static int carry_out(const struct setup_settings *settings, struct setup *setup)
{
    struct refusal refusal;
    int r = plan(settings, setup);

    if (r != 0)
        return r;
    if (!settings->yes) {
        ask_open(settings, setup);
        if (check_address(setup->address, &refusal) != 0) {
            complain("%s", refusal.detail);
            return EXIT_USAGE;
        }
    }
    r = setup_check(setup);
    if (r == 0 && !settings->yes && !confirm(setup)) {
        complain("nothing was changed");
        return EXIT_FAILED;
    }
    if (r == 0)
        r = setup_make(setup);
    if (r != 0)
        return r;
    r = start_services(setup);
    print_results(setup);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    static struct setup_settings settings;
    static struct setup setup;
    int r;

    if (!options_read(command, &settings, argc, argv, &r))
        return r;
    r = check_options(command, &settings);
    if (r != 0)
        return r;
    setup.root = settings.root ? settings.root : "";
    setup.renew = settings.renew;
    setup.new_token = settings.new_token;
    r = carry_out(&settings, &setup);
    explicit_bzero(setup.secret, sizeof(setup.secret));
    config_free(&setup.config);
    return r;
}

const struct command setup_command = {
    .name = "setup",
    .synopsis = "[--yes] [--listen ADDRESS] [--name HOST...] [--gateway ID] [--with-broker | --without-broker] "
                "[--renew] [--new-token] [--root DIR]",
    .summary = "opens this gateway to its network: TLS, a token, a closed broker, the address as a QR code",
    .details =
        "Makes a CA, certificates, an admin token, habitd's user at the broker and conf.d/50-setup.conf, all or "
        "nothing,\n"
        "and restarts habitd and mosquitto. What is there already stays as it is, so it can be run again at any time.",
    .options = rows,
    .run = run,
};
