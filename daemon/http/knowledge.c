/* The knowledge block itself, byte for byte. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "wire/document.h"

static const char *header_of(struct request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

static int fetch(struct request *request, void **bytes, size_t *size, char etag[ETAG_SIZE])
{
    uint32_t crc = 0;
    int r = registry_get_knowledge(request->http->options.registry, request->id, bytes, size, &crc, &request->refusal);

    snprintf(etag, ETAG_SIZE, "\"%08x\"", crc);
    return r;
}

int knowledge_show(struct request *request)
{
    const char *seen = header_of(request, MHD_HTTP_HEADER_IF_NONE_MATCH);
    char etag[ETAG_SIZE];
    void *bytes;
    size_t size;
    int r = fetch(request, &bytes, &size, etag);

    if (r != 0)
        return r;
    if (seen && strcmp(seen, etag) == 0) {
        free(bytes);
        r = answer_empty(request, MHD_HTTP_NOT_MODIFIED);
    } else {
        r = answer_take_bytes(request, MHD_HTTP_OK, "application/octet-stream", bytes, size);
    }
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_ETAG, etag);
}

/* If-Match of a block is its CRC; the machine's own precondition is about settings. */
static int check_match(struct request *request)
{
    const char *match = header_of(request, MHD_HTTP_HEADER_IF_MATCH);
    char etag[ETAG_SIZE];
    void *bytes = NULL;
    size_t size;
    int r;

    if (!match)
        return 0;
    r = fetch(request, &bytes, &size, etag);
    free(bytes);
    if (r < 0)
        return r;
    if (r != 0 || (strcmp(match, "*") != 0 && strcmp(match, etag) != 0))
        return refuse(&request->refusal, REFUSAL_PRECONDITION, "If-Match", "the knowledge is %s now",
                      r != 0 ? "not there" : etag);
    return 0;
}

int knowledge_put(struct request *request)
{
    bool created = false;
    int r = check_match(request);

    if (r == 0)
        r = registry_put_knowledge(request->http->options.registry, request->id, request->body, request->size,
                                   request->now, &created, &request->refusal);
    if (r != 0)
        return r;
    return created ? answer_created(request) : answer_machine(request, MHD_HTTP_OK);
}
