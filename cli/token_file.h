/* The file of tokens as `habit token` and `habit setup` make it. */
#ifndef HABIT_CLI_TOKEN_FILE_H
#define HABIT_CLI_TOKEN_FILE_H

#include "access/token.h"

#define TOKEN_PREFIX "habit_" /* by which scanners of leaked secrets know one */
enum { TOKEN_SECRET_SIZE = SECRET_SIZE + sizeof(TOKEN_PREFIX) };

/* Reads it; where there is none, no tokens. Returns 0, or EXIT_DATA after saying why. */
int token_file_read(const char *path, struct token_list *list);

/* A new secret, and its digest in the token. Returns 0, or EXIT_FAILED after saying why. */
int token_file_secret(struct token *token, char secret[TOKEN_SECRET_SIZE]);

/* The whole file: all but `left_out`, which may be NULL, and then `added`, which may be NULL too. */
void token_file_write(FILE *file, const struct token_list *list, const struct token *left_out,
                      const struct token *added);

/* Wall ms. */
int64_t token_file_now(void);

#endif
