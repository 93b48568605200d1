/* habit token: makes, lists and revokes the tokens of a habitd, in the file that it reads. */
#include <stdlib.h>
#include <string.h>

#include "access/token.h"
#include "base/clock.h"
#include "base/limits.h"
#include "commands.h"
#include "message.h"
#include "shared_file.h"
#include "table.h"
#include "token_file.h"

#define TOKENS_FILE "/etc/habit/tokens"

struct token_settings {
    struct words operands, scopes, machines;
    const char *expires, *file;
    bool json;
};

#define ROW(kind, key, field, value, low, high, help)                                             \
    {                                                                                             \
        OPTION_##kind, false, key, offsetof(struct token_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    ROW(OPERANDS, "", operands, "add NAME | list | revoke NAME", 1, 2, "what to do"),
    ROW(LIST, "scope", scopes, "SCOPE", 0, 0, "of add: read, ingest or admin (everything); repeat it"),
    ROW(LIST, "machine", machines, "PATTERN", 0, 0, "of add: bind it to machines; repeat it; default: all"),
    ROW(TEXT, "expires", expires, "TIME", 0, 0, "of add: after how long (90d, 12h), or never; default 365d"),
    ROW(TEXT, "file", file, "FILE", 0, 0, "default " TOKENS_FILE),
    ROW(FLAG, "json", json, "", 0, 0, "of list: print the rows as JSON"),
    { .type = OPTION_END },
};

/* --------------------------------------------------------------------------------------------------------- the file */

/* All but `left_out`, which may be NULL, and then `added`, which may be NULL too. */
static int write_list(const char *path, const struct token_list *list, const struct token *left_out,
                      const struct token *added)
{
    struct output_file output = { 0 };
    int r = shared_file_open(&output, path, "habit");

    if (r != 0)
        return r;
    token_file_write(output.file, list, left_out, added);
    r = output_file_commit(&output);
    output_file_abandon(&output);
    return r;
}

/* -------------------------------------------------------------------------------------------------------------- add */

/* "a,b" of a list of words. False where it is too long. */
static bool join(const struct words *words, char *text, size_t size)
{
    size_t used = 0;

    text[0] = '\0';
    for (size_t i = 0; i < words->count; i++) {
        int more = snprintf(text + used, size - used, "%s%s", i > 0 ? "," : "", words->word[i]);

        if (more < 0 || (size_t)more >= size - used)
            return false;
        used += (size_t)more;
    }
    return true;
}

static int read_expiry(const struct command *command, const char *text, struct token *token)
{
    uint64_t duration;

    if (strcmp(text, "never") == 0)
        return 0;
    if (!text_to_duration(text, &duration) || duration == 0 || duration > UINT64_C(36500) * 86400000)
        return options_refuse(command, "--expires %s: not never, and no duration such as 90d or 12h", text);
    token->expires = token->made + (int64_t)duration;
    return 0;
}

static int describe(const struct command *command, const struct token_settings *settings, const char *name,
                    struct token *token)
{
    char scopes[TOKEN_SCOPES_SIZE];

    if (!machine_id_valid(name, strlen(name)))
        return options_refuse(command, "'%s' is no name: " MACHINE_ID_RULE, name);
    if (settings->scopes.count == 0)
        return options_refuse(command, "--scope is missing: read, ingest or admin");
    if (!join(&settings->scopes, scopes, sizeof(scopes)) || !scopes_parse(scopes, &token->scopes))
        return options_refuse(command, "--scope is read, ingest or admin, each once");
    if (!join(&settings->machines, token->machines, sizeof(token->machines)))
        return options_refuse(command, "--machine: more than %d bytes", TOKEN_MACHINES_SIZE - 1);
    if (settings->machines.count == 0)
        snprintf(token->machines, sizeof(token->machines), "*");
    if (!machines_valid(token->machines))
        return options_refuse(command, "--machine is a pattern of machine IDs, such as 'pump-*'");
    snprintf(token->name, sizeof(token->name), "%s", name);
    return read_expiry(command, settings->expires, token);
}

static void say_reload(void)
{
    complain("habitd takes this with `systemctl reload habitd` (or SIGHUP)");
}

static int add(const struct command *command, const struct token_settings *settings, const struct token_list *list,
               const char *name)
{
    struct token token = { .made = token_file_now() };
    char secret[TOKEN_SECRET_SIZE];
    int r = describe(command, settings, name, &token);

    if (r != 0)
        return r;
    if (token_list_find(list, name) || list->count >= LIMIT_TOKENS) {
        complain(list->count >= LIMIT_TOKENS ? "there are as many tokens as there can be, revoke some"
                                             : "there is a token '%s' already: revoke it, or choose another name",
                 name);
        return EXIT_FAILED;
    }
    r = token_file_secret(&token, secret);
    if (r == 0)
        r = write_list(settings->file, list, NULL, &token);
    if (r == 0) {
        printf("%s\n", secret); /* the only time that it is shown */
        say_reload();
    }
    explicit_bzero(secret, sizeof(secret));
    return r;
}

/* -------------------------------------------------------------------------------------------------- revoke and list */

static int revoke_token(const struct command *command, const struct token_settings *settings,
                        const struct token_list *list, const char *name)
{
    const struct token *token = token_list_find(list, name);
    char text[SHOWN_SIZE];
    int r;

    (void)command;
    if (!token) {
        complain("there is no token '%s' in %s", shown(name, text), settings->file);
        return EXIT_FAILED;
    }
    r = write_list(settings->file, list, token, NULL);
    if (r == 0)
        say_reload();
    return r;
}

static json_t *row_of(const struct token *token)
{
    char scopes[TOKEN_SCOPES_SIZE], made[CLOCK_TEXT_SIZE], expires[CLOCK_TEXT_SIZE];
    bool over = token->expires > 0 && token->expires <= token_file_now();

    return json_pack(
        "{s:s, s:s, s:s, s:s, s:o, s:b}", "name", token->name, "scopes", scopes_text(token->scopes, scopes), "machines",
        token->machines, "made", clock_text(token->made, made), "expires",
        token->expires > 0 ? json_string(clock_text(token->expires, expires)) : json_null(), "expired", over);
}

static int list_all(const struct command *command, const struct token_settings *settings, const struct token_list *list,
                    const char *name)
{
    static const struct column columns[] = {
        { "name", "name" }, { "scopes", "scopes" },   { "machines", "machines" },
        { "made", "made" }, { "expires", "expires" }, { "expired", "expired" },
        { NULL, NULL },
    };
    json_t *table = json_array();

    (void)command, (void)name;
    for (size_t i = 0; i < list->count; i++)
        json_array_append_new(table, row_of(&list->tokens[i]));
    if (settings->json) {
        json_dumpf(table, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (list->count == 0) {
        complain("no tokens in %s", settings->file);
    } else {
        table_print(columns, table);
    }
    json_decref(table);
    return EXIT_FINE;
}

static const struct {
    const char *verb;
    size_t operands;
    bool changes;
    int (*run)(const struct command *command, const struct token_settings *settings, const struct token_list *list,
               const char *name);
} verbs[] = { { "add", 2, true, add }, { "list", 1, false, list_all }, { "revoke", 2, true, revoke_token } };

static int run(const struct command *command, int argc, char **argv)
{
    struct token_settings settings = { .file = TOKENS_FILE, .expires = "365d" };
    const struct words *operands = &settings.operands;
    struct token_list list;
    int r;

    if (!options_read(command, &settings, argc, argv, &r))
        return r;
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
        if (strcmp(verbs[i].verb, operands->word[0]) != 0 || operands->count != verbs[i].operands)
            continue;
        list = (struct token_list){ 0 };
        r = verbs[i].changes ? shared_file_lock(settings.file) : 0;
        if (r == 0)
            r = token_file_read(settings.file, &list);
        if (r == 0)
            r = verbs[i].run(command, &settings, &list, operands->count > 1 ? operands->word[1] : NULL);
        token_list_free(&list);
        return r;
    }
    return options_refuse(command, "say add NAME, list, or revoke NAME");
}

const struct command token_command = {
    .name = "token",
    .synopsis = "add NAME --scope SCOPE... [--machine PATTERN...] [--expires TIME] | list [--json] | revoke NAME  "
                "[--file FILE]",
    .summary = "makes, lists and revokes what programs and people log in with",
    .details = "A new token is printed once, alone on standard output; the file holds its hash. Whoever sends it in "
               "the header\n"
               "'Authorization: Bearer TOKEN', or types it into the web page, may do what its scopes allow.",
    .options = rows,
    .run = run,
};
