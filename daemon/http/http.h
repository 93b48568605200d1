/* The HTTP door: routes to the registry and the store's readings; the only user of libmicrohttpd. */
#ifndef HABIT_HTTP_HTTP_H
#define HABIT_HTTP_HTTP_H

#include <stdbool.h>

#include "access/access.h"
#include "config/config.h"
#include "record/broker.h"
#include "registry/registry.h"
#include "store/store.h"

struct http;

struct http_options {
    const struct config *config;
    struct access *access;
    struct registry *registry;
    struct store *store;
    void (*broker)(void *user, struct broker_state *state); /* NULL = no broker configured */
    bool (*reload_refused)(void *user);                     /* whether the last SIGHUP changed nothing, for readyz */
    void *user;
    int socket; /* that listens already, handed over by systemd; -1 = open one. Closed by http_stop */
};

/* Listens and answers until http_stop. Returns 0, or negative (-EADDRINUSE: the port is taken), with the reason in `message`, which
 * is "" where the error says it all. */
enum { HTTP_MESSAGE_SIZE = 400 };
int http_start(struct http **ret_http, const struct http_options *options, char message[HTTP_MESSAGE_SIZE]);

/* The port it listens on. */
unsigned int http_port(const struct http *http);

/* Connects to the port as a client would and waits up to so many milliseconds for any answer. A door that has no connection left
 * counts as alive: it is busy with those that it has. */
bool http_alive(const struct http *http, int milliseconds);

/* Calls `each` for everything that could degrade us: its name, and what is wrong in words, "" = nothing. Any thread. */
void http_reasons(struct http *http, struct moment now, void (*each)(void *user, const char *name, const char *text),
                  void *user);

/* Something was stored that event streams may show. Any thread; NULL is fine. */
void http_wake(struct http *http);

/* Another certificate for connections from now on: loaded and checked first, then used or dropped, so that a reload can be all or
 * nothing. Load returns 0, with *ret_tls NULL where none is configured; or -EINVAL with what is wrong. */
struct tls;
int http_load_certificate(const struct config *config, struct tls **ret_tls, char message[HTTP_MESSAGE_SIZE]);
void http_use_certificate(struct tls *tls);
void http_drop_certificate(struct tls *tls);

/* No new requests; those under way are answered first, event streams end. NULL is fine; always returns NULL. */
struct http *http_stop(struct http *http);

#endif
