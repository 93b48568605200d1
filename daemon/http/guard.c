#include "http/guard.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "http/tls.h"

/* -------------------------------------------------------------------------------------------------------------- URI */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20; /* lower case */
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte that "%41" stands for, -1 where it is none. */
static int escaped_byte(const char *text)
{
    int high = hex_value(text[1]), low = high < 0 ? -1 : hex_value(text[2]);

    return low < 0 ? -1 : high * 16 + low;
}

/* Whether a byte, escaped or not, may be there. In a path nothing that would make other segments of it. */
static bool byte_allowed(int byte, bool escaped, bool path)
{
    if (byte < 0x20 || byte == 0x7f || (!escaped && byte > 0x7f))
        return false;
    if (byte == ' ')
        return escaped && !path;
    return !(escaped && path && strchr("/\\.", byte));
}

static bool uri_bytes_plain(const char *uri)
{
    bool path = true;

    for (; *uri != '\0'; uri++) {
        bool escaped = *uri == '%';

        path = path && *uri != '?';
        if (!byte_allowed(escaped ? escaped_byte(uri) : (unsigned char)*uri, escaped, path))
            return false;
    }
    return true;
}

static bool has_dot_segment(const char *uri)
{
    while (*uri == '/') {
        size_t length = strcspn(++uri, "/?");

        if ((length == 1 && uri[0] == '.') || (length == 2 && uri[0] == '.' && uri[1] == '.'))
            return true;
        uri += length;
    }
    return false;
}

int guard_uri(const char *uri, struct refusal *refusal)
{
    enum { LONGEST = 2048 };

    if (strlen(uri) > LONGEST)
        return refuse_limit(refusal, REFUSAL_REQUEST, "", LONGEST, "the address is longer than %d bytes", LONGEST);
    if (uri[0] != '/' || !uri_bytes_plain(uri) || has_dot_segment(uri))
        return refuse(
            refusal, REFUSAL_REQUEST, "",
            "the address has to be a plain path from / on: no control bytes, no dots as segments, no escaped slash");
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- framing */

static int refuse_framing(struct refusal *refusal, const char *field, const char *what)
{
    return refuse(refusal, REFUSAL_REQUEST, field, "%s", what);
}

/* The headers that may come once at most. */
static const struct {
    const char *name;
    size_t offset;
} watched[] = {
    { "Host", offsetof(struct guard_headers, host) },
    { "Origin", offsetof(struct guard_headers, origin) },
    { "Authorization", offsetof(struct guard_headers, authorization) },
    { "Cookie", offsetof(struct guard_headers, cookie) },
    { "Content-Length", offsetof(struct guard_headers, length) },
    { "Transfer-Encoding", offsetof(struct guard_headers, transfer) },
    { "Content-Type", offsetof(struct guard_headers, type) },
    { "Content-Encoding", offsetof(struct guard_headers, encoding) },
    { "Expect", offsetof(struct guard_headers, expect) },
};

enum { WATCHED = sizeof(watched) / sizeof(watched[0]) };

static int check_once(const struct guard_headers *headers, struct refusal *refusal)
{
    for (size_t i = 0; i < WATCHED; i++) {
        const struct guard_header *header = (const void *)((const char *)headers + watched[i].offset);

        if (header->count > 1)
            return refuse(refusal, REFUSAL_REQUEST, watched[i].name, "%s comes twice", watched[i].name);
    }
    return 0;
}

static int chunked_length(const struct guard_headers *headers, const char *version, uint64_t *length,
                          struct refusal *refusal)
{
    if (headers->length.value)
        return refuse_framing(refusal, "Transfer-Encoding", "Content-Length and Transfer-Encoding in one request");
    if (strcasecmp(headers->transfer.value, "chunked") != 0 || strcmp(version, "HTTP/1.1") != 0)
        return refuse_framing(refusal, "Transfer-Encoding", "the only transfer encoding is chunked, in HTTP/1.1");
    *length = UINT64_MAX;
    return 0;
}

/* A number too large for 64 bits is still a number: it is refused as too large. */
static int announced_length(const char *text, uint64_t *length, struct refusal *refusal)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789")] != '\0')
        return refuse_framing(refusal, "Content-Length", "Content-Length is not a number");
    text += strspn(text, "0");
    *length = 0;
    if (*text != '\0' && !text_to_unsigned(text, UINT64_MAX - 1, length))
        *length = UINT64_MAX - 1;
    return 0;
}

int guard_framing(const struct guard_headers *headers, const char *version, uint64_t *length, struct refusal *refusal)
{
    int r;

    *length = 0;
    if (strcmp(version, "HTTP/1.1") != 0 && strcmp(version, "HTTP/1.0") != 0)
        return refuse_framing(refusal, "", "HTTP/1.1 or HTTP/1.0 is spoken here");
    if (headers->hidden)
        return refuse_framing(refusal, "", "a line of the head ends otherwise than by CR and LF, or holds a NUL byte");
    if (headers->odd)
        return refuse_framing(refusal, "", "a header has a name or a value that is not allowed");
    r = check_once(headers, refusal);
    if (r != 0)
        return r;
    if (headers->expect.value && strcasecmp(headers->expect.value, "100-continue") != 0)
        return refuse_framing(refusal, "Expect", "the only expectation is 100-continue");
    if (headers->transfer.value)
        return chunked_length(headers, version, length, refusal);
    return headers->length.value ? announced_length(headers->length.value, length, refusal) : 0;
}

/* -------------------------------------------------------------------------------------------------- host and origin */

/* Whether `host` is `name`, alone or with a port behind it. */
static bool is_host(const char *host, const char *name)
{
    size_t length = strlen(name);

    if (length == 0 || strncasecmp(host, name, length) != 0)
        return false;
    host += length;
    return *host == '\0' || (host[0] == ':' && host[1] != '\0' && host[1 + strspn(host + 1, "0123456789")] == '\0');
}

static bool is_listed(const char *host, const char *names)
{
    char name[256];
    int length;

    while (sscanf(names, " %255s%n", name, &length) == 1) {
        if (is_host(host, name))
            return true;
        names += length;
    }
    return false;
}

static bool is_ours(const char *host, const struct guard_place *place)
{
    static const char *const loopback[] = { "localhost", "127.0.0.1", "[::1]" };
    char bracketed[80];

    for (size_t i = 0; i < sizeof(loopback) / sizeof(loopback[0]); i++)
        if (is_host(host, loopback[i]))
            return true;
    snprintf(bracketed, sizeof(bracketed), strchr(place->address, ':') ? "[%.64s]" : "%.64s", place->address);
    return is_host(host, bracketed) || is_listed(host, place->names) || (place->covers && place->covers(host));
}

static bool is_same_origin(const char *origin, const char *host, const char *scheme)
{
    size_t length = strlen(scheme);

    return strncasecmp(origin, scheme, length) == 0 && strcasecmp(origin + length, host) == 0;
}

static bool is_own_page(const char *origin, const char *host, const struct guard_place *place)
{
    if (!host)
        return false;
    return is_same_origin(origin, host, place->tls ? "https://" : "http://") ||
           (!place->tls && is_listed(host, place->names) && is_same_origin(origin, host, "https://"));
}

int guard_host(const struct guard_headers *headers, const struct guard_place *place, struct refusal *refusal)
{
    const char *host = headers->host.value, *origin = headers->origin.value;

    if (host && !is_ours(host, place))
        return refuse(
            refusal, REFUSAL_HOST, "Host",
            "%.64s is not a name of this host: use localhost, %s, a name of the certificate, or one of [http] "
            "names",
            host, place->address);
    if (origin && !is_own_page(origin, host, place))
        return refuse(refusal, REFUSAL_ORIGIN, "Origin",
                      "requests of web pages from elsewhere (%.64s) are not answered", origin);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- headers */

static bool is_token(const char *name, size_t length)
{
    static const char others[] = "!#$%&'*+-.^_`|~";

    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');

        if (c == '\0' || (!letter && !strchr(others, c)))
            return false;
    }
    return length > 0;
}

static bool is_value(const char *value, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (((unsigned char)value[i] < 0x20 && value[i] != '\t') || value[i] == 0x7f)
            return false;
    return true;
}

static struct guard_header *slot_of(struct guard_headers *headers, const char *name)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (strcasecmp(watched[i].name, name) == 0)
            return (void *)((char *)headers + watched[i].offset);
    return NULL;
}

/* Before 1.0 libmicrohttpd ends a line at a bare LF too, and cuts a text at a NUL byte. But it takes a head apart where it lies, so
 * that each text begins two bytes behind the end of the one before it, and the head is as long as it says; a gap or an overlap gives
 * away what it does not show. Later versions refuse such heads themselves, and need not lay texts out like that. */
enum { LINE_END = 2 };

static bool is_laid_out(void)
{
    return strncmp(MHD_get_version(), "0.", 2) == 0;
}

static void follow(struct guard_headers *headers, const char *name, const char *value, size_t value_size)
{
    if ((uintptr_t)name != headers->next || !value)
        headers->hidden = true;
    headers->next = (uintptr_t)value + value_size + LINE_END;
}

/* "GET /v1/machines HTTP/1.1", and where the first header begins. */
static void follow_first_line(const struct request *request, const char *version, struct guard_headers *headers)
{
    const uintptr_t uri = (uintptr_t)request->method + strlen(request->method) + 1;

    headers->hidden = uri != request->uri_at || (uintptr_t)version != uri + strlen(request->uri) + 1;
    headers->next = (uintptr_t)version + strlen(version) + LINE_END;
}

static void follow_end(const struct request *request, struct guard_headers *headers)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    if (!info || headers->next + LINE_END != (uintptr_t)request->method + info->header_size)
        headers->hidden = true;
}

static enum MHD_Result on_header(void *user, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t value_size)
{
    struct guard_headers *headers = user;
    struct guard_header *slot = slot_of(headers, name);

    (void)kind;
    follow(headers, name, value, value_size);
    if (!is_token(name, name_size) || !is_value(value ? value : "", value_size))
        headers->odd = true;
    if (slot) {
        slot->value = value ? value : "";
        slot->count++;
    }
    return MHD_YES;
}

void guard_read_headers(const struct request *request, const char *version, struct guard_headers *headers)
{
    memset(headers, 0, sizeof(*headers));
    follow_first_line(request, version, headers);
    MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, on_header, headers);
    follow_end(request, headers);
    headers->hidden = headers->hidden && is_laid_out();
}

int guard_check(struct request *request, const struct guard_headers *headers, const char *version, uint64_t *length)
{
    const struct config *config = request->http->options.config;
    const bool tls = config->http_certificate[0] != '\0';
    const struct guard_place place = {
        .address = config->http_address, .names = config->http_names, .tls = tls, .covers = tls ? tls_covers : NULL
    };
    int r = guard_framing(headers, version, length, &request->refusal);

    if (r == 0)
        r = guard_uri(request->uri, &request->refusal);
    request->close = r != 0;
    return r != 0 ? r : guard_host(headers, &place, &request->refusal);
}
