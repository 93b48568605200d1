#include "http/authorize.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "http/audit.h"
#include "http/own.h"
#include "http/peer.h"
#include "http/query.h"
#include "http/tls.h"

/* --------------------------------------------------------------------------------------------------------- the peer */

static const struct sockaddr *peer_of(const struct request *request)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);

    return info ? info->client_addr : NULL;
}

void authorize_address(const struct request *request, char address[ADDRESS_SIZE])
{
    const struct sockaddr *peer = peer_of(request);
    const void *bytes = NULL;

    if (peer && peer->sa_family == AF_INET)
        bytes = &((const struct sockaddr_in *)(const void *)peer)->sin_addr;
    else if (peer && peer->sa_family == AF_INET6)
        bytes = &((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr;
    if (!bytes || !inet_ntop(peer->sa_family, bytes, address, ADDRESS_SIZE))
        address[0] = '\0';
}

/* ----------------------------------------------------------------------------------------------------- credentials */

const char *cookie_name(const struct http *http)
{
    return http->options.config->http_certificate[0] != '\0' ? COOKIE_SECURE : COOKIE_PLAIN;
}

bool authorize_cookie(const struct request *request, char session[SECRET_SIZE])
{
    const char *value = MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, cookie_name(request->http));

    if (!value || strlen(value) >= SECRET_SIZE)
        return false;
    snprintf(session, SECRET_SIZE, "%s", value);
    return true;
}

int authorize_failed(struct request *request)
{
    char address[ADDRESS_SIZE];
    bool first;
    int wait = access_failed(request->http->options.access, peer_sender(peer_of(request)), clock_now(), &first);

    if (first) {
        audit_attempts(request);
        authorize_address(request, address);
        log_warning("http: too many wrong tokens from %s: answered 429 until it stops", address);
    }
    request->retry = wait;
    if (wait > 0)
        return refuse(&request->refusal, REFUSAL_ATTEMPTS, "Authorization",
                      "too many wrong tokens came from your address; the next one is looked at in %d seconds", wait);
    return refuse(&request->refusal, REFUSAL_CREDENTIALS, "Authorization",
                  "this token is not known, was revoked, or has expired: `habit token list` shows which there are");
}

/* "Bearer SECRET" */
static const char *bearer_of(const char *value)
{
    const size_t scheme = strlen("Bearer ");

    return strncasecmp(value, "Bearer ", scheme) == 0 ? value + scheme : "";
}

/* A browser that is logged in sends its cookie with whatever a page lets it ask for: changes must say that they come from our own
 * page, and the guard has compared that with Host. */
static int check_session(struct request *request, const struct guard_headers *headers)
{
    bool changes = strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0;

    if (changes && !headers->origin.value)
        return refuse(&request->refusal, REFUSAL_ORIGIN, "Origin", "with a cookie, changes need an Origin header");
    return 0;
}

static int identify(struct request *request, const struct guard_headers *headers)
{
    struct access *access = request->http->options.access;
    struct moment now = clock_now();
    char session[SECRET_SIZE];

    if (headers->authorization.value)
        return access_by_secret(access, bearer_of(headers->authorization.value), now, &request->who)
                   ? 0
                   : authorize_failed(request);
    if (authorize_cookie(request, session) && access_by_session(access, session, now, &request->who))
        return check_session(request, headers);
    return refuse(&request->refusal, REFUSAL_UNAUTHORIZED, "Authorization",
                  "send 'Authorization: Bearer TOKEN'; `habit token add` makes one");
}

bool authorize_still(struct http *http, const struct token *who, struct moment now)
{
    struct access *access = http->options.access;

    return !access_required(access) || access_is_valid(access, who, now);
}

/* ---------------------------------------------------------------------------------------------------- what he may */

static bool reaches_machine(struct request *request)
{
    const char *machine = NULL;

    if (strstr(request->route->path, "{id}"))
        return token_covers(&request->who, request->id);
    if (query_machine(request, "machine", &machine) != 0)
        return false;
    if (!machine)
        return own_lists(request->route);
    return token_covers(&request->who, machine);
}

static int check_rights(struct request *request)
{
    const struct token *who = &request->who;
    const char *scope = request->route->scope;

    if (!token_has(who, scope))
        return refuse(&request->refusal, REFUSAL_FORBIDDEN, "", "the token %s has not the scope %s", who->name, scope);
    if (token_bound(who) && strcmp(scope, "any") != 0 && !reaches_machine(request))
        return refuse(&request->refusal, REFUSAL_FORBIDDEN, "",
                      "the token %s is for the machines %.100s: others, and what is of all machines, it does not reach",
                      who->name, who->machines);
    return 0;
}

int authorize(struct request *request, const struct guard_headers *headers)
{
    const struct http *http = request->http;
    int r;

    if (http->options.config->http_client_ca[0] != '\0' && !tls_client_verified(request->connection))
        return refuse(&request->refusal, REFUSAL_CERTIFICATE, "",
                      "a client certificate is needed here that [http] client_ca has signed");
    if (!access_required(http->options.access))
        access_local(&request->who);
    if (request->route->scope[0] == '\0')
        return 0;
    r = access_required(http->options.access) ? identify(request, headers) : 0;
    return r != 0 ? r : check_rights(request);
}
