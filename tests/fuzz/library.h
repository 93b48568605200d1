/* libmicrohttpd as far as the HTTP door calls it for a request, without sockets: requests are put together here, answers are
 * kept. Its functions have the library's names, so the program uses these. It is as lenient as the library: what it lets through
 * is what the guard is for. */
#ifndef FUZZ_LIBRARY_H
#define FUZZ_LIBRARY_H

#include <microhttpd.h>
#include <stdbool.h>
#include <stddef.h>

enum { FAKE_FIELDS = 48 };

struct field {
    char *name, *value; /* value NULL: an argument without '=' */
    size_t name_size, value_size;
    enum MHD_ValueKind kind;
};

struct MHD_Response {
    void *bytes; /* NULL: made by a callback, which is not asked */
    size_t size;
    bool ours; /* to be freed */
    void *user;
    MHD_ContentReaderFreeCallback free_user;
    struct field fields[FAKE_FIELDS];
    size_t count;
    int references;
};

struct MHD_Connection {
    char *method, *uri, *version;
    const char *body;
    size_t size;
    struct field fields[FAKE_FIELDS];
    size_t count;
    unsigned int answers, status;
    struct MHD_Response *response; /* the answer; NULL = none yet */
};

/* Takes one request off the front of a text: request line, headers, an empty line, a body as long as Content-Length says, else all
 * there is where chunks are announced. False where no request begins there. To be given to fake_end in any case. */
bool fake_begin(struct MHD_Connection *connection, const char **text, size_t *left);
void fake_end(struct MHD_Connection *connection);

/* Where requests come from: loopback where this is NULL, as it is at first. */
struct sockaddr;
void fake_peer(const struct sockaddr *peer);

/* A header of the answer, or NULL. */
const char *fake_answer_header(const struct MHD_Connection *connection, const char *name);

#endif
