/* The knowledge block itself, byte for byte. */
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

    registry_knowledge_etag(crc, etag);
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

int knowledge_put(struct request *request)
{
    const char *asked;
    bool created = false;
    int r = read_precondition(request, &asked);

    if (r == 0)
        r = registry_put_knowledge(request->http->options.registry, request->id, request->body, request->size, asked,
                                   request->now, &created, &request->refusal);
    if (r != 0)
        return r;
    return created ? answer_created(request) : answer_machine(request, MHD_HTTP_OK);
}
