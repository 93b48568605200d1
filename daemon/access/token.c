#include "access/token.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"

enum { WORDS = 6, LINE_SIZE = 512 };

static const struct {
    const char *name;
    enum scope scope;
} scope_names[] = { { "read", SCOPE_READ }, { "ingest", SCOPE_INGEST }, { "admin", SCOPE_ADMIN } };

enum { SCOPES = sizeof(scope_names) / sizeof(scope_names[0]) };

/* ----------------------------------------------------------------------------------------------------------- scopes */

/* 0 = no such scope. */
static unsigned int scope_of(const char *name, size_t length)
{
    for (size_t i = 0; i < SCOPES; i++)
        if (strlen(scope_names[i].name) == length && memcmp(scope_names[i].name, name, length) == 0)
            return scope_names[i].scope;
    return 0;
}

bool scopes_parse(const char *text, unsigned int *scopes)
{
    unsigned int found = 0;

    for (;;) {
        size_t length = strcspn(text, ",");
        unsigned int scope = scope_of(text, length);

        if (scope == 0 || (found & scope))
            return false;
        found |= scope;
        text += length;
        if (*text++ == '\0')
            break;
    }
    *scopes = found;
    return true;
}

const char *scopes_text(unsigned int scopes, char text[TOKEN_SCOPES_SIZE])
{
    text[0] = '\0';
    for (size_t i = 0; i < SCOPES; i++)
        if (scopes & scope_names[i].scope) {
            size_t used = strlen(text);

            snprintf(text + used, TOKEN_SCOPES_SIZE - used, "%s%s", used > 0 ? "," : "", scope_names[i].name);
        }
    return text;
}

bool token_has(const struct token *token, const char *scope)
{
    return strcmp(scope, "any") == 0 || (token->scopes & (SCOPE_ADMIN | scope_of(scope, strlen(scope)))) != 0;
}

/* --------------------------------------------------------------------------------------------------------- machines */

/* Takes the next pattern off *rest. False behind the last one; "" where one is too long to be a pattern. */
static bool next_pattern(const char **rest, char pattern[MACHINE_ID_SIZE])
{
    size_t length = *rest ? strcspn(*rest, ",") : 0;

    if (!*rest)
        return false;
    snprintf(pattern, MACHINE_ID_SIZE, "%.*s", length < MACHINE_ID_SIZE ? (int)length : 0, *rest);
    *rest = (*rest)[length] == ',' ? *rest + length + 1 : NULL;
    return true;
}

bool machines_valid(const char *text)
{
    char pattern[MACHINE_ID_SIZE];

    if (strlen(text) >= TOKEN_MACHINES_SIZE)
        return false;
    while (next_pattern(&text, pattern))
        if (!pattern_valid(pattern))
            return false;
    return true;
}

bool token_bound(const struct token *token)
{
    return strcmp(token->machines, "*") != 0;
}

bool token_covers(const struct token *token, const char *machine)
{
    const char *rest = token->machines;
    char pattern[MACHINE_ID_SIZE];

    while (next_pattern(&rest, pattern))
        if (pattern_match(pattern, machine))
            return true;
    return false;
}

/* --------------------------------------------------------------------------------------------------------- the file */

struct reading {
    struct token_list *list;
    const char *path;
    char *message;
    unsigned int line;
};

static int wrong(const struct reading *reading, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int wrong(const struct reading *reading, const char *format, ...)
{
    va_list arguments;
    int used = reading->line > 0
                   ? snprintf(reading->message, TOKEN_MESSAGE_SIZE, "%.200s:%u: ", reading->path, reading->line)
                   : snprintf(reading->message, TOKEN_MESSAGE_SIZE, "%.200s: ", reading->path);

    va_start(arguments, format);
    vsnprintf(reading->message + used, TOKEN_MESSAGE_SIZE - (size_t)used, format, arguments);
    va_end(arguments);
    return -EINVAL;
}

static size_t split(char *line, char *words[WORDS + 1])
{
    size_t count = 0;
    char *rest = NULL;

    for (char *word = strtok_r(line, " \t\r\n", &rest); word && count <= WORDS; word = strtok_r(NULL, " \t\r\n", &rest))
        words[count++] = word;
    return count;
}

static int read_token(const struct reading *reading, char *const words[WORDS], struct token *token)
{
    if (!machine_id_valid(words[0], strlen(words[0])))
        return wrong(reading, "the name is " MACHINE_ID_RULE);
    if (token_list_find(reading->list, words[0]))
        return wrong(reading, "there is another token '%s' before it", words[0]);
    if (!scopes_parse(words[1], &token->scopes))
        return wrong(reading, "the scopes are read, ingest and admin, by commas");
    if (!machines_valid(words[2]))
        return wrong(reading, "the machines are patterns such as pump-*, by commas; '*' = all");
    if (clock_parse(words[3], &token->made) < 0)
        return wrong(reading, "the time when it was made is none such as 2026-11-22T13:19:31Z");
    if (strcmp(words[4], "-") != 0 && (clock_parse(words[4], &token->expires) < 0 || token->expires <= 0))
        return wrong(reading, "the time when it expires is none such as 2026-11-22T13:19:31Z, later than 1970, and not "
                              "'-' for never");
    if (!digest_parse(words[5], token->digest))
        return wrong(reading, "the last word is the SHA-256 of a token, 64 digits; `habit token add` makes it");
    snprintf(token->name, sizeof(token->name), "%s", words[0]);
    snprintf(token->machines, sizeof(token->machines), "%s", words[2]);
    return 0;
}

static int add_token(const struct reading *reading, const struct token *token)
{
    struct token_list *list = reading->list;
    struct token *grown;

    if (list->count == LIMIT_TOKENS)
        return wrong(reading, "more than %d tokens", LIMIT_TOKENS);
    grown = reallocarray(list->tokens, list->count + 1, sizeof(*grown));
    if (!grown)
        return wrong(reading, "out of memory");
    list->tokens = grown;
    list->tokens[list->count++] = *token;
    return 0;
}

static int read_line(const struct reading *reading, char *line)
{
    struct token token = { 0 };
    char *words[WORDS + 1];
    size_t count;
    int r;

    if (!strchr(line, '\n') && strlen(line) == LINE_SIZE - 1)
        return wrong(reading, "a line has at most %d bytes", LINE_SIZE - 2);
    if (line[strspn(line, " \t")] == '#')
        return 0;
    count = split(line, words);
    if (count == 0)
        return 0;
    if (count != WORDS)
        return wrong(reading, "a token is six words: name scopes machines made expires sha256");
    r = read_token(reading, words, &token);
    return r < 0 ? r : add_token(reading, &token);
}

/* Hashes of such secrets cannot be turned back, but whoever can write here can let himself in. */
static int check_file(const struct reading *reading, int fd)
{
    struct stat status;

    if (fstat(fd, &status) != 0)
        return wrong(reading, "%s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return wrong(reading, "is not a regular file");
    if (status.st_mode & (S_IROTH | S_IWOTH | S_IWGRP))
        return wrong(reading, "others can read or change it: chmod 0640 (its group is that of habitd)");
    return 0;
}

static int read_lines(struct reading *reading, FILE *file)
{
    char line[LINE_SIZE];
    int r = 0;

    while (r == 0 && fgets(line, sizeof(line), file)) {
        reading->line++;
        r = read_line(reading, line);
    }
    reading->line = 0;
    return r < 0 || !ferror(file) ? r : wrong(reading, "%s", strerror(errno));
}

int token_list_read(struct token_list *list, const char *path, char message[TOKEN_MESSAGE_SIZE])
{
    struct reading reading = { .list = list, .path = path, .message = message };
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a FIFO would wait for ever */
    FILE *file;
    int r;

    message[0] = '\0';
    *list = (struct token_list){ 0 };
    if (fd < 0)
        return wrong(&reading, "%s", strerror(errno));
    r = check_file(&reading, fd);
    file = r == 0 ? fdopen(fd, "r") : NULL;
    if (!file) {
        close(fd);
        return r < 0 ? r : wrong(&reading, "%s", strerror(errno));
    }
    r = read_lines(&reading, file);
    fclose(file);
    if (r < 0)
        token_list_free(list);
    return r;
}

void token_list_free(struct token_list *list)
{
    free(list->tokens);
    *list = (struct token_list){ 0 };
}

struct token *token_list_find(const struct token_list *list, const char *name)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->tokens[i].name, name) == 0)
            return &list->tokens[i];
    return NULL;
}

void token_write(const struct token *token, FILE *file)
{
    char scopes[TOKEN_SCOPES_SIZE], made[CLOCK_TEXT_SIZE], expires[CLOCK_TEXT_SIZE], digest[DIGEST_TEXT_SIZE];

    fprintf(file, "%s %s %s %s %s %s\n", token->name, scopes_text(token->scopes, scopes), token->machines,
            clock_text(token->made, made), token->expires > 0 ? clock_text(token->expires, expires) : "-",
            digest_text(token->digest, digest));
}
