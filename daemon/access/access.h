/* Who may come in: the tokens in force, the logins of the web page, and wrong attempts. Any thread. */
#ifndef HABIT_ACCESS_ACCESS_H
#define HABIT_ACCESS_ACCESS_H

#include "access/token.h"
#include "base/clock.h"

struct access;

/* required: only tokens come in; else everybody is the token "local", which may do everything. */
int access_new(struct access **ret_access, bool required);
struct access *access_free(struct access *access); /* NULL is fine; always returns NULL */

bool access_required(const struct access *access);

/* Puts other tokens in force; the list is the callee's. What was revoked stops to work with the next request. */
void access_take_tokens(struct access *access, struct token_list *list);

/* What other tokens would change, in words, by names: "+grafana -old"; "" = nothing. */
void access_compare(struct access *access, const struct token_list *list, char *text, size_t size);

/* The token "local". */
void access_local(struct token *who);

/* Fills *who by a secret, or by a session. False where it is none, or has expired. */
bool access_by_secret(struct access *access, const char *secret, struct moment now, struct token *who);
bool access_by_session(struct access *access, const char *secret, struct moment now, struct token *who);

/* Whether a token that was filled in before is still in force. */
bool access_is_valid(struct access *access, const struct token *who, struct moment now);

/* Makes a session of LIMIT_SESSION_HOURS for a token, known by a secret of its own; of more than LIMIT_SESSIONS the oldest ends. It ends with its token too.
 * Returns 0 or negative. */
int access_login(struct access *access, const struct token *who, struct moment now, char secret[SECRET_SIZE]);
void access_logout(struct access *access, const char *secret);

/* A wrong attempt: see failures.h. */
int access_failed(struct access *access, uint64_t address, struct moment now, bool *first);

#endif
