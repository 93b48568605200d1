/* Tokens, their file, sessions, and wrong attempts. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#include "access/access.h"
#include "access/failures.h"
#include "base/error.h"

#define HEX  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08" /* of "test" */
#define MADE "2026-11-22T13:19:31.250Z"

static const struct moment now = { .wall = INT64_C(1795400000000), .mono = 1000 };

/* ----------------------------------------------------------------------------------------------------------- the file */

static const char path[] = "/tmp/habit-test-tokens";

static int read_text(struct token_list *list, const char *text, mode_t mode, char message[TOKEN_MESSAGE_SIZE])
{
    FILE *file = fopen(path, "w");
    int r;

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
    chmod(path, mode);
    r = token_list_read(list, path, message);
    unlink(path);
    return r;
}

static void reads_what_it_writes(void **state)
{
    struct token token = {
        .name = "grafana", .scopes = SCOPE_READ | SCOPE_ADMIN, .machines = "pump-*,fan-1", .made = now.wall
    };
    char text[512] = "# a comment\n\n", message[TOKEN_MESSAGE_SIZE];
    struct token_list list;
    FILE *file;

    (void)state;
    assert_int_equal(secret_digest("test", token.digest), 0);
    file = fmemopen(text + strlen(text), sizeof(text) - strlen(text), "w");
    token_write(&token, file);
    fclose(file);
    assert_non_null(strstr(text, " read,admin pump-*,fan-1 "));
    assert_non_null(strstr(text, " - " HEX "\n"));
    assert_int_equal(read_text(&list, text, 0640, message), 0);
    assert_int_equal(list.count, 1);
    assert_memory_equal(&list.tokens[0], &token, sizeof(token));
    token_list_free(&list);
}

static void refuses_bad_files(void **state)
{
    static const struct {
        const char *text;
        mode_t mode;
        unsigned int line; /* 0 = the file */
        const char *words;
    } bad[] = {
        { "a read * " MADE " - " HEX "\n", 0644, 0, "others can read" },
        { "a read * " MADE " - " HEX "\n", 0660, 0, "others can read or change" },
        { "a read * " MADE " -\n", 0600, 1, "six words" },
        { "#\na read * " MADE " - " HEX " more\n", 0600, 2, "six words" },
        { "-a read * " MADE " - " HEX "\n", 0600, 1, "the name" },
        { "a reads * " MADE " - " HEX "\n", 0600, 1, "scopes" },
        { "a read,read * " MADE " - " HEX "\n", 0600, 1, "scopes" },
        { "a read, * " MADE " - " HEX "\n", 0600, 1, "scopes" },
        { "a read pump/1 " MADE " - " HEX "\n", 0600, 1, "patterns" },
        { "a read pump-1, " MADE " - " HEX "\n", 0600, 1, "patterns" },
        { "a read * today - " HEX "\n", 0600, 1, "when it was made" },
        { "a read * " MADE " soon " HEX "\n", 0600, 1, "expires" },
        { "a read * " MADE " 1969-12-31T23:59:59Z " HEX "\n", 0600, 1, "expires" }, /* 0 and less would be never */
        { "a read * " MADE " 1970-01-01T00:00:00Z " HEX "\n", 0600, 1, "expires" },
        { "a read * " MADE " - secret\n", 0600, 1, "SHA-256" },
        { "a read * " MADE " - " HEX "\na read * " MADE " - " HEX "\n", 0600, 2, "another token 'a'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        char message[TOKEN_MESSAGE_SIZE] = "", start[80];
        struct token_list list;

        snprintf(start, sizeof(start), bad[i].line > 0 ? "%s:%u: " : "%s: ", path, bad[i].line);
        assert_int_equal(read_text(&list, bad[i].text, bad[i].mode, message), -EINVAL);
        if (strncmp(message, start, strlen(start)) != 0 || !strstr(message, bad[i].words))
            fail_msg("%zu: '%s' instead of '%s...%s'", i, message, start, bad[i].words);
        assert_null(list.tokens);
    }
}

/* ------------------------------------------------------------------------------------------------------------ rights */

static void scopes_do_not_include_each_other(void **state)
{
    static const struct {
        unsigned int scopes;
        const char *wanted;
        bool may;
    } rows[] = {
        { SCOPE_READ, "read", true },    { SCOPE_READ, "ingest", false },  { SCOPE_READ, "admin", false },
        { SCOPE_INGEST, "read", false }, { SCOPE_INGEST, "ingest", true }, { SCOPE_INGEST, "admin", false },
        { SCOPE_ADMIN, "read", true },   { SCOPE_ADMIN, "ingest", true },  { SCOPE_ADMIN, "admin", true },
        { SCOPE_READ, "any", true },     { SCOPE_READ, "other", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct token token = { .scopes = rows[i].scopes, .machines = "*" };

        if (token_has(&token, rows[i].wanted) != rows[i].may)
            fail_msg("%u, %s", rows[i].scopes, rows[i].wanted);
    }
}

static void machines_are_patterns(void **state)
{
    const struct token token = { .machines = "pump-*,fan-1" }, all = { .machines = "*" };

    (void)state;
    assert_true(token_bound(&token));
    assert_false(token_bound(&all));
    assert_true(token_covers(&token, "pump-7"));
    assert_true(token_covers(&token, "fan-1"));
    assert_false(token_covers(&token, "fan-11"));
    assert_false(token_covers(&token, "fan"));
    assert_false(token_covers(&token, "xpump-7"));
}

/* ---------------------------------------------------------------------------------------------- tokens and sessions */

static struct access *access_with(const char *name, int64_t expires, char secret[SECRET_SIZE])
{
    struct token_list list = { .tokens = calloc(1, sizeof(struct token)), .count = 1 };
    struct access *access = NULL;

    assert_int_equal(secret_make(secret), 0);
    snprintf(list.tokens[0].name, sizeof(list.tokens[0].name), "%s", name);
    snprintf(list.tokens[0].machines, sizeof(list.tokens[0].machines), "*");
    list.tokens[0].scopes = SCOPE_READ;
    list.tokens[0].expires = expires;
    secret_digest(secret, list.tokens[0].digest);
    assert_int_equal(access_new(&access, true), 0);
    access_take_tokens(access, &list);
    return access;
}

static void knows_a_token_until_it_expires_or_goes(void **state)
{
    const struct moment later = { .wall = now.wall + 1000, .mono = now.mono + 1000 };
    struct token_list none = { 0 };
    char secret[SECRET_SIZE];
    struct access *access = access_with("a", now.wall + 1000, secret);
    struct token who;

    (void)state;
    assert_true(access_by_secret(access, secret, now, &who));
    assert_string_equal(who.name, "a");
    assert_true(access_is_valid(access, &who, now));
    assert_false(access_by_secret(access, "", now, &who));
    assert_false(access_by_secret(access, HEX, now, &who)); /* a hash is no token */
    assert_false(access_by_secret(access, secret, later, &who));
    access_take_tokens(access, &none);
    assert_false(access_by_secret(access, secret, now, &who));
    access_free(access);
}

static void sessions_end(void **state)
{
    struct moment late = now;
    struct token_list none = { 0 };
    char secret[SECRET_SIZE], session[SECRET_SIZE], second[SECRET_SIZE];
    struct access *access = access_with("a", 0, secret);
    struct token who;

    (void)state;
    late.mono += LIMIT_SESSION_HOURS * INT64_C(3600000);
    assert_true(access_by_secret(access, secret, now, &who));
    assert_int_equal(access_login(access, &who, now, session), 0);
    assert_int_equal(access_login(access, &who, now, second), 0);
    assert_string_not_equal(session, second);
    assert_true(access_by_session(access, session, now, &who));
    assert_false(access_by_session(access, secret, now, &who)); /* the token itself is no session */
    assert_false(access_by_session(access, session, late, &who));
    access_logout(access, session);
    assert_false(access_by_session(access, session, now, &who));
    assert_true(access_by_session(access, second, now, &who));
    access_take_tokens(access, &none); /* revoked: the session is over with it */
    assert_false(access_by_session(access, second, now, &who));
    access_free(access);
}

static void sessions_are_bounded(void **state)
{
    char secret[SECRET_SIZE], first[SECRET_SIZE], session[SECRET_SIZE];
    struct access *access = access_with("a", 0, secret);
    struct moment moment = now;
    struct token who;

    (void)state;
    assert_true(access_by_secret(access, secret, now, &who));
    access_login(access, &who, moment, first);
    for (int i = 0; i < LIMIT_SESSIONS; i++) {
        moment.mono++;
        access_login(access, &who, moment, session);
    }
    assert_false(access_by_session(access, first, moment, &who));
    assert_true(access_by_session(access, session, moment, &who));
    access_free(access);
}

/* ---------------------------------------------------------------------------------------------------------- attempts */

static void wrong_attempts_are_limited(void **state)
{
    static struct failures failures;
    bool first;

    (void)state;
    for (int i = 0; i < FAILURES_FREE; i++)
        assert_int_equal(failures_add(&failures, 1, 5000, &first), 0);
    assert_int_equal(failures_add(&failures, 1, 5000, &first), FAILURES_MS / 1000);
    assert_true(first);
    assert_int_equal(failures_add(&failures, 1, 5000, &first), FAILURES_MS / 1000);
    assert_false(first);                                            /* said once */
    assert_int_equal(failures_add(&failures, 2, 5000, &first), 0);  /* another address */
    assert_int_equal(failures_add(&failures, 1, 11000, &first), 0); /* one is free again */
    assert_true(failures_add(&failures, 1, 11000, &first) > 0);
}

static void attempts_of_many_addresses_are_bounded(void **state)
{
    static struct failures failures;
    bool first;

    (void)state;
    for (int i = 0; i <= FAILURES_FREE; i++)
        failures_add(&failures, 1, 5000, &first);
    for (uint64_t address = 2; address < 2 + 4 * LIMIT_FAILURES; address++)
        assert_int_equal(failures_add(&failures, address, 5000, &first), 0);
    assert_true(failures_add(&failures, 1, 5000, &first) > 0); /* the worst one is not forgotten for them */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_it_writes),
        cmocka_unit_test(refuses_bad_files),
        cmocka_unit_test(scopes_do_not_include_each_other),
        cmocka_unit_test(machines_are_patterns),
        cmocka_unit_test(knows_a_token_until_it_expires_or_goes),
        cmocka_unit_test(sessions_end),
        cmocka_unit_test(sessions_are_bounded),
        cmocka_unit_test(wrong_attempts_are_limited),
        cmocka_unit_test(attempts_of_many_addresses_are_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
