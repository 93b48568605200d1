/* The web page's login: a token comes once, in a body, and a cookie goes back that scripts cannot read and other sites cannot make
 * the browser send. It stands for a session, not for the token. */
#include <stdio.h>
#include <string.h>

#include "http/answer.h"
#include "http/authorize.h"
#include "http/handlers.h"
#include "wire/document.h"

static int set_cookie(struct request *request, const char *value, int seconds)
{
    bool tls = request->http->options.config->http_certificate[0] != '\0';
    char cookie[200];

    snprintf(cookie, sizeof(cookie), "%s=%s; Path=/; Max-Age=%d; HttpOnly; SameSite=Strict%s",
             cookie_name(request->http), value, seconds, tls ? "; Secure" : "");
    return answer_header(request, MHD_HTTP_HEADER_SET_COOKIE, cookie);
}

static int answer_who(struct request *request)
{
    const struct token *who = &request->who;
    char scopes[TOKEN_SCOPES_SIZE], expires[CLOCK_TEXT_SIZE];
    const struct wire_member members[] = {
        { .name = "name", .type = MEMBER_TEXT, .text = who->name },
        { .name = "scopes", .type = MEMBER_TEXT, .text = scopes_text(who->scopes, scopes) },
        { .name = "machines", .type = MEMBER_TEXT, .text = who->machines },
        { .name = "expires",
          .type = who->expires > 0 ? MEMBER_TEXT : MEMBER_NULL,
          .text = clock_text(who->expires, expires) },
        { .name = "tokens", .type = MEMBER_BOOLEAN, .integer = access_required(request->http->options.access) },
    };

    return answer_take_json(request, MHD_HTTP_OK, wire_object(members, sizeof(members) / sizeof(members[0])));
}

static int make_session(struct request *request)
{
    char session[SECRET_SIZE];
    int r = access_login(request->http->options.access, &request->who, request->now, session);

    if (r == 0)
        r = answer_who(request);
    if (r == 0)
        r = set_cookie(request, session, LIMIT_SESSION_HOURS * 3600);
    explicit_bzero(session, sizeof(session));
    return r;
}

/* {"token": "..."}; the answer is that of session_show. */
int login_post(struct request *request)
{
    struct access *access = request->http->options.access;
    char secret[128];
    bool found;
    int r;

    if (!access_required(access))
        return answer_who(request);
    r = wire_read_token(request->body, request->size, secret, sizeof(secret), &request->refusal);
    if (r != 0)
        return r;
    found = access_by_secret(access, secret, request->now, &request->who);
    explicit_bzero(secret, sizeof(secret));
    explicit_bzero(request->body, request->size);
    return found ? make_session(request) : authorize_failed(request);
}

int logout_post(struct request *request)
{
    char session[SECRET_SIZE];
    int r;

    if (authorize_cookie(request, session))
        access_logout(request->http->options.access, session);
    r = answer_empty(request, MHD_HTTP_NO_CONTENT);
    return r != 0 ? r : set_cookie(request, "", 0);
}

/* Who asks, and what he may: for the page, which shows what can be done. */
int session_show(struct request *request)
{
    return answer_who(request);
}
