#include "access/access.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "access/failures.h"
#include "base/error.h"
#include "base/limits.h"

struct session {
    unsigned char digest[DIGEST_SIZE]; /* of the session's secret */
    unsigned char token[DIGEST_SIZE];
    int64_t ends; /* mono ms; 0 = free */
};

struct access {
    bool required;
    pthread_mutex_t lock; /* of all below */
    struct token_list list;
    struct session sessions[LIMIT_SESSIONS];
    struct failures failures;
};

int access_new(struct access **ret_access, bool required)
{
    struct access *access = calloc(1, sizeof(*access));

    if (!access)
        return fault(-ENOMEM);
    access->required = required;
    pthread_mutex_init(&access->lock, NULL);
    *ret_access = access;
    return 0;
}

struct access *access_free(struct access *access)
{
    if (!access)
        return NULL;
    token_list_free(&access->list);
    pthread_mutex_destroy(&access->lock);
    free(access);
    return NULL;
}

bool access_required(const struct access *access)
{
    return access->required;
}

void access_take_tokens(struct access *access, struct token_list *list)
{
    pthread_mutex_lock(&access->lock);
    token_list_free(&access->list);
    access->list = *list;
    pthread_mutex_unlock(&access->lock);
    *list = (struct token_list){ 0 };
}

static bool same_token(const struct token *a, const struct token *b)
{
    return secret_same(a->digest, b->digest) && a->scopes == b->scopes && a->expires == b->expires &&
           strcmp(a->machines, b->machines) == 0;
}

/* Names of those of `list` that `others` has not with the same line. */
static void put_missing(const struct token_list *list, const struct token_list *others, char sign, char *text,
                        size_t size)
{
    for (size_t i = 0; i < list->count; i++) {
        const struct token *other = token_list_find(others, list->tokens[i].name);
        size_t used = strlen(text);

        if (!other || !same_token(other, &list->tokens[i]))
            snprintf(text + used, size - used, "%s%c%s", used > 0 ? " " : "", sign, list->tokens[i].name);
    }
}

void access_compare(struct access *access, const struct token_list *list, char *text, size_t size)
{
    text[0] = '\0';
    pthread_mutex_lock(&access->lock);
    put_missing(list, &access->list, '+', text, size);
    put_missing(&access->list, list, '-', text, size);
    pthread_mutex_unlock(&access->lock);
}

void access_local(struct token *who)
{
    *who = (struct token){ .name = "local", .scopes = SCOPE_ALL, .machines = "*" };
}

/* ----------------------------------------------------------------------------------------------------------- tokens */

/* All are compared, so that the time does not tell which one it was. With the lock held. */
static bool find_token(const struct access *access, const unsigned char digest[DIGEST_SIZE], int64_t wall,
                       struct token *who)
{
    const struct token *found = NULL;

    for (size_t i = 0; i < access->list.count; i++)
        if (secret_same(access->list.tokens[i].digest, digest))
            found = &access->list.tokens[i];
    if (!found || (found->expires > 0 && found->expires <= wall))
        return false;
    *who = *found;
    return true;
}

bool access_by_secret(struct access *access, const char *secret, struct moment now, struct token *who)
{
    unsigned char digest[DIGEST_SIZE];
    bool found;

    if (secret_digest(secret, digest) < 0)
        return false;
    pthread_mutex_lock(&access->lock);
    found = find_token(access, digest, now.wall, who);
    pthread_mutex_unlock(&access->lock);
    return found;
}

bool access_is_valid(struct access *access, const struct token *who, struct moment now)
{
    struct token found;
    bool valid;

    pthread_mutex_lock(&access->lock);
    valid = find_token(access, who->digest, now.wall, &found);
    pthread_mutex_unlock(&access->lock);
    return valid;
}

/* --------------------------------------------------------------------------------------------------------- sessions */

/* With the lock held; NULL = none. */
static struct session *find_session(struct access *access, const char *secret)
{
    unsigned char digest[DIGEST_SIZE];

    if (secret_digest(secret, digest) < 0)
        return NULL;
    for (size_t i = 0; i < LIMIT_SESSIONS; i++)
        if (access->sessions[i].ends != 0 && secret_same(access->sessions[i].digest, digest))
            return &access->sessions[i];
    return NULL;
}

bool access_by_session(struct access *access, const char *secret, struct moment now, struct token *who)
{
    const struct session *session;
    bool found;

    pthread_mutex_lock(&access->lock);
    session = find_session(access, secret);
    found = session && session->ends > now.mono && find_token(access, session->token, now.wall, who);
    pthread_mutex_unlock(&access->lock);
    return found;
}

static struct session *oldest_session(struct access *access)
{
    struct session *oldest = access->sessions;

    for (size_t i = 1; i < LIMIT_SESSIONS; i++)
        if (access->sessions[i].ends < oldest->ends)
            oldest = &access->sessions[i];
    return oldest;
}

int access_login(struct access *access, const struct token *who, struct moment now, char secret[SECRET_SIZE])
{
    struct session session = { .ends = now.mono + LIMIT_SESSION_HOURS * INT64_C(3600000) };
    int r = secret_make(secret);

    if (r == 0)
        r = secret_digest(secret, session.digest);
    if (r < 0)
        return r;
    memcpy(session.token, who->digest, sizeof(session.token));
    pthread_mutex_lock(&access->lock);
    *oldest_session(access) = session;
    pthread_mutex_unlock(&access->lock);
    return 0;
}

void access_logout(struct access *access, const char *secret)
{
    struct session *session;

    pthread_mutex_lock(&access->lock);
    session = find_session(access, secret);
    if (session)
        *session = (struct session){ 0 };
    pthread_mutex_unlock(&access->lock);
}

int access_failed(struct access *access, uint64_t address, struct moment now, bool *first)
{
    int wait;

    pthread_mutex_lock(&access->lock);
    wait = failures_add(&access->failures, address, now.mono, first);
    pthread_mutex_unlock(&access->lock);
    return wait;
}
