#include "token_file.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "message.h"
#include "options.h"

int token_file_read(const char *path, struct token_list *list)
{
    char message[TOKEN_MESSAGE_SIZE];

    *list = (struct token_list){ 0 };
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return 0;
    if (token_list_read(list, path, message) == 0)
        return 0;
    complain("%s", message);
    return EXIT_DATA;
}

int token_file_secret(struct token *token, char secret[TOKEN_SECRET_SIZE])
{
    memcpy(secret, TOKEN_PREFIX, sizeof(TOKEN_PREFIX));
    if (secret_make(secret + strlen(TOKEN_PREFIX)) == 0 && secret_digest(secret, token->digest) == 0)
        return 0;
    complain("the system gives no random numbers");
    return EXIT_FAILED;
}

void token_file_write(FILE *file, const struct token_list *list, const struct token *left_out,
                      const struct token *added)
{
    fputs("# Tokens of habitd, one a line, made by `habit token`: name, scopes, machines, made, expires,\n"
          "# SHA-256 of the token. The tokens themselves are written down nowhere.\n",
          file);
    for (size_t i = 0; i < list->count; i++)
        if (&list->tokens[i] != left_out)
            token_write(&list->tokens[i], file);
    if (added)
        token_write(added, file);
}

int64_t token_file_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
