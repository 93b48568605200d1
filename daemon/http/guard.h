/* What is not plainly a request for us is refused before anything is read of it. libmicrohttpd 0.9.75 is lenient: it
 * takes two lengths for one body, decodes %2F in a path, and cuts at %00 (tests/system/test_framing.py has the list).
 * Internal to http/. */
#ifndef HABIT_HTTP_GUARD_H
#define HABIT_HTTP_GUARD_H

#include <stdbool.h>
#include <stdint.h>

#include "http/request.h"

/* A header that may come once at most. */
struct guard_header {
    const char *value; /* NULL = not there */
    unsigned int count;
};

struct guard_headers {
    struct guard_header host, length, transfer, type, encoding, expect, origin, authorization, cookie;
    uintptr_t next; /* address at which the next header has to begin */
    bool hidden;    /* there is something between two lines that libmicrohttpd did not show */
    bool odd;       /* a name that is no token, a control byte in a value */
};

/* The URI as it was sent. */
int guard_uri(const char *uri, struct refusal *refusal);

/* How the body is framed. *length: bytes announced; UINT64_MAX = chunked. */
int guard_framing(const struct guard_headers *headers, const char *version, uint64_t *length, struct refusal *refusal);

/* By which names requests may call us. */
struct guard_place {
    const char *address;              /* the configured one */
    const char *names;                /* further ones, by spaces */
    bool tls;                         /* what we listen with: the scheme of our own pages */
    bool (*covers)(const char *host); /* whether our certificate is for it; NULL = none */
};

/* Loopback by name or number, the address, a further name, or one of the certificate, each with or without a port: a web page whose
 * name was bound to our address sends its own name. A further name may be that of a proxy with TLS. */
int guard_host(const struct guard_headers *headers, const struct guard_place *place, struct refusal *refusal);

/* The headers of a request that matter here. */
void guard_read_headers(const struct request *request, const char *version, struct guard_headers *headers);

/* All of the above; sets request->close where framing is in doubt. */
int guard_check(struct request *request, const struct guard_headers *headers, const char *version, uint64_t *length);

#endif
