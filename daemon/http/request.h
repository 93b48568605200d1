/* One request from its first line to its answer. Internal to http/. */
#ifndef HABIT_HTTP_REQUEST_H
#define HABIT_HTTP_REQUEST_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "access/access.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/text.h"
#include "http/http.h"
#include "wire/buffer.h"

struct asset;
struct crowd;
struct request;

/* What a route takes as its body. */
enum body {
    BODY_NONE,  /* no body */
    BODY_EMPTY, /* nothing, or {} */
    BODY_JSON,
    BODY_OPTION,  /* JSON, or nothing, which is read as {} */
    BODY_BLOCK,   /* octet-stream */
    BODY_KEPT,    /* octet-stream, JSON, or nothing */
    BODY_BUFFERS, /* octet-stream, JSON or CSV */
    BODY_LINES,   /* NDJSON */
    BODIES
};

struct route {
    const char *method;
    const char *path;       /* {id}: a machine ID; {n}: a number; {file}: a file of the web page */
    const char *scope;      /* of the token: read, ingest, admin; "any": whatever it has; "": none is needed */
    const char *parameters; /* names that the query may have, by spaces */
    enum body body;

    /* Makes the answer. Returns 0 with it made; a refusal with request->refusal filled; or negative. */
    int (*handle)(struct request *request);

    /* For /openapi.json: see there. */
    const char *about; /* what it does, a few words */
    const char *takes; /* schema of a JSON body; "" = the body has none */
    const char *gives; /* "200:Machine 201:Machine", "200:text/plain", "204": statuses with schema or media type */
};

enum { COUNTED_ROUTES = 64, COUNTED_STATUSES = 32 };

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct crowd *crowd;
    int socket;
    unsigned int port;
    char *client_ca; /* PEM; NULL = clients need no certificate */
    int64_t began;   /* mono ms */

    pthread_mutex_t lock; /* of all below */
    pthread_cond_t idle;  /* under_way became 0 */
    unsigned int under_way;
    bool stopping;
    struct log_gate gate;                  /* lines about our own failures */
    struct stream *streams[LIMIT_STREAMS]; /* NULL = free */

    _Atomic uint64_t answers[COUNTED_ROUTES][COUNTED_STATUSES]; /* by route and status: see metrics.c */
};

struct request {
    struct http *http;
    struct MHD_Connection *connection;
    char *uri;        /* as it was sent, query and all */
    uintptr_t uri_at; /* where libmicrohttpd has it: see guard.c */
    const char *method;
    const struct route *route;
    char id[MACHINE_ID_SIZE]; /* of {id} */
    uint64_t number;          /* of {n} */
    const struct asset *file; /* of {file} */
    char allow[64];           /* methods of this path, when the method is not one of them */

    enum wire_encoding encoding; /* of the body */
    unsigned char *body;
    size_t size, room;
    uint64_t discarded; /* bytes beyond the limit */

    struct moment began, now; /* first line read; all read */
    bool begun;
    bool close;       /* what follows on this connection cannot be trusted, or was not read */
    struct token who; /* that it comes with */
    int retry;        /* seconds to wait, for Retry-After; 0 = as the status says */
    bool counted;     /* the registry has counted the refusal */
    int early;        /* refused before the body: REFUSAL_NONE = not */
    struct refusal refusal;

    void (*ended)(struct request *request,
                  bool whole);  /* called at its end; whole: the client has all of the answer. NULL = nobody asks */
    struct store_backup backup; /* that is the answer */
    bool kept;                  /* the answer may be kept by the client, which asks whether it is still the same */
    unsigned int status;
    uint64_t length;               /* of the answer; CROWD_ENDLESS = an event stream */
    struct MHD_Response *response; /* NULL = no answer yet */
};

/* http.c: no new requests are taken, and those that wait end. */
bool http_is_stopping(struct http *http);

#endif
