/* Tokens and their file. Each line is one token, six words:
 *
 *     grafana read * 2026-11-22T13:19:31.250Z - 9f86d081884c7d65...
 *
 * name, scopes and patterns of machines (each by commas, "*" = all machines), made, expires ("-" = never), SHA-256 of the
 * secret. Lines that begin with # are comments. `habit token` writes it, habitd reads it: both by this file. */
#ifndef HABIT_ACCESS_TOKEN_H
#define HABIT_ACCESS_TOKEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "access/secret.h"
#include "base/text.h"

/* admin may do everything; read and ingest do not include each other. */
enum scope { SCOPE_READ = 1, SCOPE_INGEST = 2, SCOPE_ADMIN = 4, SCOPE_ALL = 7 };

enum { TOKEN_MACHINES_SIZE = 256, TOKEN_SCOPES_SIZE = 24, TOKEN_MESSAGE_SIZE = 400 };

struct token {
    char name[MACHINE_ID_SIZE]; /* of the form of a machine ID */
    unsigned int scopes;        /* enum scope, added up */
    char machines[TOKEN_MACHINES_SIZE];
    int64_t made, expires; /* wall ms; expires 0 = never */
    unsigned char digest[DIGEST_SIZE];
};

struct token_list {
    struct token *tokens; /* heap */
    size_t count;
};

/* "read,ingest": false where a word is no scope, comes twice, or there is none. */
bool scopes_parse(const char *text, unsigned int *scopes);
const char *scopes_text(unsigned int scopes, char text[TOKEN_SCOPES_SIZE]);

/* "pump-*,fan-1": patterns by commas. */
bool machines_valid(const char *text);

/* Whether the token may do what a scope stands for ("any": whatever its scopes). */
bool token_has(const struct token *token, const char *scope);

/* Whether it is bound to some machines, and whether this one is among them. */
bool token_bound(const struct token *token);
bool token_covers(const struct token *token, const char *machine);

/* Reads a file. Returns 0 with what token_list_free frees; or -EINVAL with "FILE:LINE: what is wrong and what to do". A file that
 * others can read or write is wrong too. */
int token_list_read(struct token_list *list, const char *path, char message[TOKEN_MESSAGE_SIZE]);
void token_list_free(struct token_list *list);

/* The token of a name, NULL = none. */
struct token *token_list_find(const struct token_list *list, const char *name);

/* One line of the file. */
void token_write(const struct token *token, FILE *file);

#endif
