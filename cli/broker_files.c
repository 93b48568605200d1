#include "broker_files.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "message.h"
#include "options.h"
#include "shared_file.h"

enum { ITERATIONS = 101, SALT_BYTES = 12, HASH_BYTES = 64 }; /* as mosquitto_passwd makes them */

/* One text behind the other, on lines of their own; heap, NULL after saying why. */
static char *joined(const char *text, const char *added)
{
    bool open_end = text[0] != '\0' && text[strlen(text) - 1] != '\n';
    char *all = NULL;

    if (asprintf(&all, "%s%s%s", text, open_end ? "\n" : "", added) >= 0)
        return all;
    complain("out of memory");
    return NULL;
}

/* Takes the text, heap; NULL: it has been said why there is none. */
static int replace_file(const char *path, char *text)
{
    struct output_file output = { 0 };
    int r = text ? shared_file_open(&output, path, "mosquitto") : EXIT_FAILED;

    if (r == 0) {
        fputs(text, output.file);
        r = output_file_commit(&output);
        output_file_abandon(&output);
    }
    free(text);
    return r;
}

/* -------------------------------------------------------------------------------------------------------- passwords */

bool broker_password_has(const char *text, const char *user)
{
    size_t length = strlen(user);

    while (strncmp(text, user, length) != 0 || text[length] != ':') {
        text = strchrnul(text, '\n');
        if (*text == '\0')
            return false;
        text++;
    }
    return true;
}

/* Cuts the lines that begin with "user:" out of the text. */
static void cut_user(char *text, const char *user)
{
    size_t length = strlen(user);

    while (*text != '\0') {
        char *end = text + strcspn(text, "\n");

        end += *end == '\n';
        if (strncmp(text, user, length) == 0 && text[length] == ':')
            memmove(text, end, strlen(end) + 1);
        else
            text = end;
    }
}

static int put_base64(FILE *file, const unsigned char *bytes, unsigned int size)
{
    gnutls_datum_t plain = { (unsigned char *)bytes, size }, text = { NULL, 0 };

    if (gnutls_base64_encode2(&plain, &text) < 0)
        return -1;
    fprintf(file, "%.*s", (int)text.size, (const char *)text.data);
    gnutls_free(text.data);
    return 0;
}

static int put_hash(FILE *file, const char *user, const char *password)
{
    unsigned char salt[SALT_BYTES], hash[HASH_BYTES];
    gnutls_datum_t key = { (unsigned char *)password, (unsigned int)strlen(password) };
    gnutls_datum_t salted = { salt, sizeof(salt) };

    if (gnutls_rnd(GNUTLS_RND_NONCE, salt, sizeof(salt)) < 0 ||
        gnutls_pbkdf2(GNUTLS_MAC_SHA512, &key, &salted, ITERATIONS, hash, sizeof(hash)) < 0)
        return -1;
    fprintf(file, "%s:$7$%d$", user, ITERATIONS);
    if (put_base64(file, salt, sizeof(salt)) < 0)
        return -1;
    fputc('$', file);
    if (put_base64(file, hash, sizeof(hash)) < 0)
        return -1;
    fputc('\n', file);
    return 0;
}

/* The line of a user, heap; NULL after saying why. */
static char *make_line(const char *user, const char *password)
{
    char *line = NULL;
    size_t size;
    FILE *file = open_memstream(&line, &size);
    int r = file ? put_hash(file, user, password) : -1;

    if (file && fclose(file) == 0 && r == 0)
        return line;
    complain("cannot hash a password");
    free(line);
    return NULL;
}

char *broker_password_text(char *text, const char *user, const char *password)
{
    char *line = text ? password ? make_line(user, password) : strdup("") : NULL, *all = NULL;

    if (line) {
        cut_user(text, user);
        all = joined(text, line);
    }
    free(line);
    free(text);
    return all;
}

int broker_password_put(const char *path, const char *user, const char *password)
{
    return replace_file(path, broker_password_text(shared_file_read(path), user, password));
}

/* -------------------------------------------------------------------------------------------------------------- ACL */

static char *next_line(char *line)
{
    line = strchrnul(line, '\n');
    return line + (*line == '\n');
}

/* What follows a line's first word; NULL where that is another. */
static const char *behind(const char *line, const char *word)
{
    size_t length = strlen(word);

    line += strspn(line, " ");
    return strncmp(line, word, length) == 0 && line[length] == ' ' ? line + length + strspn(line + length, " ") : NULL;
}

static bool begins_block(const char *line, const char *user)
{
    const char *name = behind(line, "user");
    size_t length = strlen(user);

    if (!name || strncmp(name, user, length) != 0)
        return false;
    name += length;
    name += strspn(name, " \r");
    return *name == '\n' || *name == '\0';
}

bool broker_acl_has(const char *text, const char *user)
{
    while (*text != '\0' && !begins_block(text, user))
        text = next_line((char *)text);
    return *text != '\0';
}

/* To the broker each "topic" belongs to the "user" above it, whatever stands between: one that was left would be the user's before.
 * The blank line behind goes as well; comments and patterns stay. */
static void cut_block(char *text, const char *user)
{
    bool his = false, cut = false;

    while (*text != '\0') {
        bool begins = behind(text, "user") != NULL;
        char *next = next_line(text);

        if (begins)
            his = begins_block(text, user);
        cut = his && (begins || behind(text, "topic") || (cut && *text == '\n'));
        if (cut)
            memmove(text, next, strlen(next) + 1);
        else
            text = next;
    }
}

char *broker_acl_text(char *text, const char *user, const char *lines)
{
    char *block = NULL, *all = NULL;

    if (text && (lines ? asprintf(&block, "user %s\n%s\n", user, lines) : asprintf(&block, "%s", "")) >= 0) {
        cut_block(text, user);
        all = joined(text, block);
        free(block);
    }
    free(text);
    return all;
}

int broker_acl_put(const char *path, const char *user, const char *lines)
{
    return replace_file(path, broker_acl_text(shared_file_read(path), user, lines));
}

void broker_gateway_rights(FILE *file, const char *gateway)
{
    fprintf(file, "topic readwrite habit/v1/%s/#\n", gateway);
    fprintf(file, "topic write homeassistant/device/#\ntopic read homeassistant/status\n");
}
