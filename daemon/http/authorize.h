/* Who asks, and whether he may: the scope of the route, and the machines that the token is bound to. Internal to http/. */
#ifndef HABIT_HTTP_AUTHORIZE_H
#define HABIT_HTTP_AUTHORIZE_H

#include "http/guard.h"
#include "http/request.h"

/* The cookie of a login. With TLS the name's prefix makes browsers insist on Secure and on this very host. */
#define COOKIE_PLAIN  "habit"
#define COOKIE_SECURE "__Host-habit"
const char *cookie_name(const struct http *http);

/* The peer's address as text, for the few who say it; "" where it has none. */
enum { ADDRESS_SIZE = 48 };
void authorize_address(const struct request *request, char address[ADDRESS_SIZE]);

/* For a request whose route and query are known. A token that is bound to machines reaches routes of one machine ({id}, or the
 * parameter `machine`) and lists that show no others (own.h). Fills request->who. Returns 0; UNAUTHORIZED, CREDENTIALS, ATTEMPTS, FORBIDDEN, CERTIFICATE,
 * ORIGIN. */
int authorize(struct request *request, const struct guard_headers *headers);

/* A wrong secret came: CREDENTIALS, or ATTEMPTS beyond the limit. */
int authorize_failed(struct request *request);

/* Whether a token is still in force, for answers that last. */
bool authorize_still(struct http *http, const struct token *who, struct moment now);

/* The value of our cookie; false where there is none. */
bool authorize_cookie(const struct request *request, char session[SECRET_SIZE]);

#endif
