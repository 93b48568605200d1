/* The files of `habit setup`: each is made where it is not there yet, and left alone where it is. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "broker_files.h"
#include "certificate.h"
#include "config/keys.h"
#include "message.h"
#include "options.h"
#include "setup.h"
#include "setup_paths.h"
#include "shared_file.h"
#include "staging.h"

#define CA_CERTIFICATE     SETUP_CA
#define CA_KEY             "/etc/habit/tls/ca.key"
#define CERTIFICATE        "/etc/habit/tls/habitd.pem"
#define KEY                "/etc/habit/tls/habitd.key"
#define TOKENS             "/etc/habit/tokens"
#define OURS               "/etc/habit/conf.d/50-setup.conf"
#define PASSWORD           "/etc/habit/mqtt-password"
#define BROKER_CERTIFICATE "/etc/mosquitto/certs/habit-broker.pem"
#define BROKER_KEY         "/etc/mosquitto/certs/habit-broker.key"
#define BROKER_ACL         "/etc/mosquitto/habit.acl"
#define BROKER_PASSWORDS   "/etc/mosquitto/habit.passwords"
#define BROKER_FOLDER      "/etc/mosquitto/conf.d"
#define BROKER_CONF        BROKER_FOLDER "/habit-setup.conf"

const char *setup_path(const struct setup *setup, const char *path, char text[SETUP_PATH_SIZE])
{
    snprintf(text, SETUP_PATH_SIZE, "%s%s", setup->root, path);
    return text;
}

bool setup_has(const struct setup *setup, const char *path)
{
    char place[SETUP_PATH_SIZE];

    return access(setup_path(setup, path, place), F_OK) == 0;
}

static char *read_file(const struct setup *setup, const char *path)
{
    char place[SETUP_PATH_SIZE];

    return shared_file_read(setup_path(setup, path, place));
}

static int stage(const struct setup *setup, struct staging *staging, const char *path, const char *text,
                 const char *group)
{
    char place[SETUP_PATH_SIZE];

    return staging_add(staging, setup_path(setup, path, place), text, group);
}

/* ---------------------------------------------------------------------------------------------- what others have done */

static const struct {
    const char *section, *key;
    bool of_broker;
} keys_set[] = {
    { "http", "address", false },    { "http", "certificate", false }, { "http", "key", false },
    { "http", "tokens", false },     { "mqtt", "host", true },         { "mqtt", "port", true },
    { "mqtt", "username", true },    { "mqtt", "ca", true },           { "mqtt", "password_file", true },
    { "mqtt", "certificate", true },
};

static int check_keys(const struct setup *setup)
{
    for (size_t i = 0; i < sizeof(keys_set) / sizeof(keys_set[0]); i++) {
        const struct config_key *key = config_key_find(keys_set[i].section, keys_set[i].key);
        const struct config_place *place = &setup->config.places[key - config_keys];

        if (place->line == 0 || (keys_set[i].of_broker && !setup->broker))
            continue;
        complain("%s:%u: [%s] %s is set there, and setup changes nothing that somebody wrote: remove the line%s",
                 setup->config.files[place->file], place->line, key->section, key->key,
                 keys_set[i].of_broker ? ", or say --without-broker" : ", or go on by docs/security.md");
        return EXIT_DATA;
    }
    return 0;
}

/* The option that a line of mosquitto.conf sets and that ours would set again; NULL = none. */
static const char *clash_of(const char *line)
{
    static const char *const options[] = { "listener",   "port",         "allow_anonymous",       "password_file",
                                           "acl_file",   "bind_address", "per_listener_settings", "plugin",
                                           "auth_plugin" };

    line += strspn(line, " ");
    for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
        if (strncmp(line, options[i], strlen(options[i])) == 0 && strchr(" \t\r\n", line[strlen(options[i])]))
            return options[i];
    return NULL;
}

static int check_broker_file(const char *path)
{
    FILE *file = fopen(path, "re");
    unsigned int number = 0;
    size_t size = 0;
    char *line = NULL;
    int r = 0;

    while (file && r == 0 && getline(&line, &size, file) > 0) {
        const char *option = clash_of(line);

        number++;
        if (!option)
            continue;
        complain("%s:%u: %s: this broker has been configured already, and setup changes nothing that somebody wrote: "
                 "go on by docs/security.md, or say --without-broker",
                 path, number, option);
        r = EXIT_DATA;
    }
    free(line);
    if (file)
        fclose(file);
    return r;
}

static int check_broker_folder(const struct setup *setup)
{
    char folder[SETUP_PATH_SIZE], path[SETUP_PATH_SIZE + 300];
    DIR *entries = opendir(setup_path(setup, BROKER_FOLDER, folder));
    const struct dirent *entry;
    int r = 0;

    while (entries && r == 0 && (entry = readdir(entries))) {
        size_t length = strlen(entry->d_name);

        snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
        if (length > 5 && strcmp(entry->d_name + length - 5, ".conf") == 0)
            r = check_broker_file(path);
    }
    if (entries)
        closedir(entries);
    return r;
}

static int check_broker(const struct setup *setup)
{
    char path[SETUP_PATH_SIZE];
    char *acl = NULL;
    int r = 0;

    if (!setup->broker || setup_has(setup, BROKER_CONF))
        return 0;
    if (!setup_has(setup, "/etc/mosquitto")) {
        complain("%s: no mosquitto is installed here: apt install mosquitto, or say --without-broker",
                 setup_path(setup, "/etc/mosquitto", path));
        return EXIT_DATA;
    }
    r = check_broker_file(setup_path(setup, "/etc/mosquitto/mosquitto.conf", path));
    if (r == 0)
        r = check_broker_folder(setup);
    acl = r == 0 ? read_file(setup, BROKER_ACL) : NULL;
    if (acl && broker_acl_has(acl, SETUP_USER) && !setup_has(setup, PASSWORD)) {
        complain("%s has a user " SETUP_USER " already, whose password is not known: habit node remove " SETUP_USER,
                 setup_path(setup, BROKER_ACL, path));
        r = EXIT_DATA;
    }
    free(acl);
    return r;
}

int setup_check(const struct setup *setup)
{
    int r = setup->done ? 0 : check_keys(setup);

    return r != 0 ? r : check_broker(setup);
}

/* ------------------------------------------------------------------------------------------------------ certificates */

static int stage_pair(const struct setup *setup, struct staging *staging, const struct key_pair *pair,
                      const char *certificate, const char *key, const char *group)
{
    int r = stage(setup, staging, key, pair->key, group);

    return r != 0 ? r : stage(setup, staging, certificate, pair->certificate, NULL);
}

/* One file of it without the other, where nothing has been signed yet, is what a first setup left that was cut off. */
static bool has_ca(const struct setup *setup)
{
    return setup_has(setup, CA_CERTIFICATE) || (setup_has(setup, CA_KEY) && setup_has(setup, CERTIFICATE));
}

/* A new one signs everything anew: what another has signed is worth nothing to whoever trusts this one. */
static int take_ca(struct setup *setup, struct staging *staging, struct key_pair *ca)
{
    char name[HOST_NAME_SIZE + 16];
    int r;

    if (has_ca(setup)) {
        ca->certificate = read_file(setup, CA_CERTIFICATE);
        ca->key = read_file(setup, CA_KEY);
        return ca->certificate && ca->key ? 0 : EXIT_FAILED;
    }
    setup->renew = true;
    snprintf(name, sizeof(name), "habit CA of %s", setup->gateway);
    r = certificate_make_ca(ca, name);
    return r != 0 ? r : stage_pair(setup, staging, ca, CA_CERTIFICATE, CA_KEY, "");
}

/* One that is there must be for what was asked for, and for the host's names; its addresses come and go. */
static int check_names(const struct setup *setup, const char *certificate)
{
    char *pem = read_file(setup, certificate);
    int r = pem ? 0 : EXIT_FAILED;

    for (size_t i = 0; pem && i < setup->names.count && r == 0; i++)
        if (!certificate_covers(pem, setup->names.name[i]) &&
            (i < setup->asked || !host_is_address(setup->names.name[i]))) {
            complain("%s is not for %s: --renew makes a new one", certificate, setup->names.name[i]);
            r = EXIT_DATA;
        }
    free(pem);
    return r;
}

/* A renewed one is for what the old one was for, too. */
static int stage_certificate(struct setup *setup, struct staging *staging, const struct key_pair *ca,
                             const char *certificate, const char *key, const char *group)
{
    struct key_pair pair = { NULL, NULL };
    struct host_names names;
    char *old;
    int r;

    if (!setup->renew && setup_has(setup, certificate) && setup_has(setup, key))
        return check_names(setup, certificate);
    names = setup->names;
    old = setup_has(setup, certificate) ? read_file(setup, certificate) : NULL;
    if (old)
        certificate_names(old, &names);
    free(old);
    r = certificate_sign(&pair, ca, &names);
    if (r == 0)
        r = stage_pair(setup, staging, &pair, certificate, key, group);
    setup->changed_certificate = true;
    key_pair_clear(&pair);
    return r;
}

static int stage_certificates(struct setup *setup, struct staging *staging)
{
    struct key_pair ca = { NULL, NULL };
    int r = take_ca(setup, staging, &ca);
    bool changed;

    if (r == 0)
        r = stage_certificate(setup, staging, &ca, CERTIFICATE, KEY, "habit");
    changed = setup->changed_certificate;
    setup->changed_certificate = false;
    if (r == 0 && setup->broker)
        r = stage_certificate(setup, staging, &ca, BROKER_CERTIFICATE, BROKER_KEY, "mosquitto");
    setup->changed_broker = setup->changed_certificate;
    setup->changed_certificate = changed;
    key_pair_clear(&ca);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- token */

/* What a callback writes, heap. */
static char *tokens_text(const struct token_list *list, const struct token *left_out, const struct token *added)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    token_file_write(file, list, left_out, added);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

static int stage_new_token(struct setup *setup, struct staging *staging, const struct token_list *list)
{
    struct token token = { .name = SETUP_TOKEN, .scopes = SCOPE_ADMIN, .machines = "*", .made = token_file_now() };
    const struct token *old = token_list_find(list, SETUP_TOKEN);
    char *text;
    int r;

    if (old && !setup->new_token)
        return 0;
    if (!old && list->count >= LIMIT_TOKENS) {
        complain("there are as many tokens as there can be, revoke some");
        return EXIT_FAILED;
    }
    token.expires = token.made + INT64_C(365) * 86400000;
    r = token_file_secret(&token, setup->secret);
    text = r == 0 ? tokens_text(list, old, &token) : NULL;
    if (r == 0)
        r = stage(setup, staging, TOKENS, text, "habit");
    free(text);
    return r;
}

static int stage_token(struct setup *setup, struct staging *staging)
{
    char path[SETUP_PATH_SIZE];
    struct token_list list;
    int r = token_file_read(setup_path(setup, TOKENS, path), &list);

    if (r != 0)
        return r;
    r = stage_new_token(setup, staging, &list);
    token_list_free(&list);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------ broker */

static char *rights_text(const char *gateway)
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    broker_gateway_rights(file, gateway);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

static int stage_new_user(struct setup *setup, struct staging *staging)
{
    char secret[SECRET_SIZE], line[SECRET_SIZE + 1];
    char *rights = rights_text(setup->gateway), *acl = NULL, *passwords = NULL;
    int r = rights && secret_make(secret) == 0 ? 0 : EXIT_FAILED;

    if (r != 0) {
        complain("no memory, or no random numbers");
        free(rights);
        return r;
    }
    snprintf(line, sizeof(line), "%s\n", secret);
    acl = broker_acl_text(read_file(setup, BROKER_ACL), SETUP_USER, rights);
    passwords = broker_password_text(read_file(setup, BROKER_PASSWORDS), SETUP_USER, secret);
    r = acl && passwords ? stage(setup, staging, BROKER_ACL, acl, "mosquitto") : EXIT_FAILED;
    if (r == 0)
        r = stage(setup, staging, BROKER_PASSWORDS, passwords, "mosquitto");
    if (r == 0)
        r = stage(setup, staging, PASSWORD, line, "habit");
    setup->changed_broker = true;
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(line, sizeof(line));
    free(passwords);
    free(acl);
    free(rights);
    return r;
}

/* config/mosquitto-habit-secure.conf and mosquitto-habit.conf say why; a test compares. */
static const char broker_conf[] =
    "# Made by `habit setup`, which leaves it alone while it is there. Sensors come in by TLS and a password; `habit "
    "node add`\n"
    "# makes them. What each line is for stands in /usr/share/habit/mosquitto-habit-secure.conf and "
    "mosquitto-habit.conf.\n"
    "listener 8883\n"
    "certfile " BROKER_CERTIFICATE "\n"
    "keyfile " BROKER_KEY "\n"
    "allow_anonymous false\n"
    "password_file " BROKER_PASSWORDS "\n"
    "acl_file " BROKER_ACL "\n"
    "log_type error\nlog_type warning\nlog_type notice\nlog_type information\nlog_type debug\n"
    "autosave_interval 60\n"
    "max_queued_messages 100000\n"
    "max_queued_bytes 268435456\n"
    "max_inflight_messages 200\n"
    "max_packet_size 1114112\n";

static int stage_broker(struct setup *setup, struct staging *staging)
{
    char *acl = read_file(setup, BROKER_ACL);
    bool known = acl && broker_acl_has(acl, SETUP_USER) && setup_has(setup, PASSWORD);
    int r = acl ? 0 : EXIT_FAILED;

    free(acl);
    if (r == 0 && !known)
        r = stage_new_user(setup, staging);
    if (r == 0 && !setup_has(setup, BROKER_CONF)) {
        setup->changed_broker = true;
        r = stage(setup, staging, BROKER_CONF, broker_conf, NULL);
    }
    return r;
}

/* ----------------------------------------------------------------------------------------------------- configuration */

static void write_configuration(const struct setup *setup, FILE *file)
{
    fprintf(file, "# Made by `habit setup`, which leaves it alone while it is there: yours to change.\n"
                  "# `habitd --check-config` says what a change needs.\n\n");
    if (!setup->listed)
        fprintf(file, "[gateway]\nid = %s\n\n", setup->gateway);
    fprintf(file, "[http]\naddress = %s\ncertificate = " CERTIFICATE "\nkey = " KEY "\ntokens = " TOKENS "\n",
            setup->address);
    if (setup->broker)
        fprintf(file, "\n[mqtt]\nhost = 127.0.0.1\nport = 8883\nusername = " SETUP_USER "\npassword_file = " PASSWORD
                      "\nca = " CA_CERTIFICATE "\n");
}

static int stage_configuration(const struct setup *setup, struct staging *staging)
{
    char *text = NULL;
    size_t size;
    FILE *file;
    int r;

    if (setup->done)
        return 0;
    file = open_memstream(&text, &size);
    if (file)
        write_configuration(setup, file);
    r = file && fclose(file) == 0 ? stage(setup, staging, OURS, text, NULL) : EXIT_FAILED;
    free(text);
    return r;
}

/* `habit token` and `habit node` change the same files. */
static int lock_files(const struct setup *setup)
{
    char path[SETUP_PATH_SIZE];
    int r = shared_file_lock(setup_path(setup, TOKENS, path));

    return r == 0 && setup->broker ? shared_file_lock(setup_path(setup, BROKER_ACL, path)) : r;
}

/* The configuration comes last: what it names is there then. */
int setup_make(struct setup *setup)
{
    struct staging staging = { .root = setup->root };
    int r = lock_files(setup);

    if (r == 0)
        r = stage_certificates(setup, &staging);
    if (r == 0)
        r = stage_token(setup, &staging);
    if (r == 0 && setup->broker)
        r = stage_broker(setup, &staging);
    if (r == 0)
        r = stage_configuration(setup, &staging);
    if (r == 0)
        r = staging_commit(&staging);
    staging_clear(&staging);
    return r;
}

_Static_assert((int)SETUP_FINGERPRINT_SIZE == (int)FINGERPRINT_SIZE, "one size");

const char *setup_fingerprint(const struct setup *setup, bool of_ca, char text[SETUP_FINGERPRINT_SIZE])
{
    char *pem = read_file(setup, of_ca ? CA_CERTIFICATE : CERTIFICATE);

    text[0] = '\0';
    if (pem)
        certificate_fingerprint(pem, text);
    free(pem);
    return text;
}
