#include "library.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fuzz.h"

static char *copy_of(const char *text, size_t size)
{
    char *copy = calloc(1, size + 1);

    CLAIM(copy != NULL);
    if (size > 0)
        memcpy(copy, text, size);
    return copy;
}

/* Takes the name; a value of NULL stays so. */
static void add(struct field *fields, size_t *count, enum MHD_ValueKind kind, char *name, char *value)
{
    if (*count == FAKE_FIELDS) {
        free(name);
        free(value);
        return;
    }
    fields[*count] = (struct field){ name, value, strlen(name), value ? strlen(value) : 0, kind };
    ++*count;
}

static void free_fields(struct field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(fields[i].name);
        free(fields[i].value);
    }
}

/* ------------------------------------------------------------------------------------------------------- the request */

/* Takes a line off the front, without its end. */
static char *take_line(const char **text, size_t *left)
{
    const char *newline = *left > 0 ? memchr(*text, '\n', *left) : NULL;
    const size_t whole = newline ? (size_t)(newline - *text) + 1 : *left;
    size_t size = whole - (newline != NULL);
    char *line;

    if (size > 0 && (*text)[size - 1] == '\r')
        size--;
    line = copy_of(*text, size);
    *text += whole;
    *left -= whole;
    return line;
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef", *found = c != '\0' ? strchr(digits, c | 0x20) : NULL;

    return found ? (int)(found - digits) : -1;
}

/* "a+b%41" -> "a bA"; what is no escape stays as it is. */
static void unescape(char *text)
{
    char *to = text;

    for (; *text != '\0'; text++) {
        if (*text == '%' && hex(text[1]) >= 0 && hex(text[2]) >= 0) {
            *to++ = (char)(hex(text[1]) * 16 + hex(text[2]));
            text += 2;
        } else {
            *to++ = *text == '+' ? ' ' : *text;
        }
    }
    *to = '\0';
}

static void add_arguments(struct MHD_Connection *connection)
{
    const char *rest = strchr(connection->uri, '?');

    for (rest = rest ? rest + 1 : ""; *rest != '\0'; rest += *rest == '&') {
        const size_t size = strcspn(rest, "&"), name = strcspn(rest, "=&");
        char *value = name < size ? copy_of(rest + name + 1, size - name - 1) : NULL;
        char *key = copy_of(rest, name);

        unescape(key);
        if (value)
            unescape(value);
        add(connection->fields, &connection->count, MHD_GET_ARGUMENT_KIND, key, value);
        rest += size;
    }
}

static void add_cookies(struct MHD_Connection *connection, const char *rest)
{
    while (*rest != '\0') {
        const size_t size = strcspn(rest, ";"), name = strcspn(rest, "=;");

        if (name < size)
            add(connection->fields, &connection->count, MHD_COOKIE_KIND, copy_of(rest, name),
                copy_of(rest + name + 1, size - name - 1));
        rest += size;
        rest += strspn(rest, "; ");
    }
}

static void add_header(struct MHD_Connection *connection, const char *line)
{
    const size_t name = strcspn(line, ":");
    const char *value = line[name] == ':' ? line + name + 1 : "";

    value += strspn(value, " \t");
    add(connection->fields, &connection->count, MHD_HEADER_KIND, copy_of(line, name), copy_of(value, strlen(value)));
    if (name == 6 && strncasecmp(line, "Cookie", 6) == 0)
        add_cookies(connection, value);
}

static bool take_request_line(struct MHD_Connection *connection, const char **text, size_t *left)
{
    char *line = take_line(text, left), *space = strchr(line, ' '), *last = strrchr(line, ' ');

    if (space && space != line && last > space + 1) {
        connection->method = copy_of(line, (size_t)(space - line));
        connection->uri = copy_of(space + 1, (size_t)(last - space - 1));
        connection->version = copy_of(last + 1, strlen(last + 1));
    }
    free(line);
    return connection->uri != NULL;
}

static void take_headers(struct MHD_Connection *connection, const char **text, size_t *left)
{
    bool more = true;

    while (more && *left > 0) {
        char *line = take_line(text, left);

        more = line[0] != '\0';
        if (more)
            add_header(connection, line);
        free(line);
    }
}

static void take_body(struct MHD_Connection *connection, const char **text, size_t *left)
{
    const char *length = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Length");
    const unsigned long long announced = length ? strtoull(length, NULL, 10) : 0;

    connection->body = *text;
    connection->size = announced < *left ? (size_t)announced : *left;
    if (MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Transfer-Encoding"))
        connection->size = *left;
    *text += connection->size;
    *left -= connection->size;
}

bool fake_begin(struct MHD_Connection *connection, const char **text, size_t *left)
{
    memset(connection, 0, sizeof(*connection));
    if (!take_request_line(connection, text, left))
        return false;
    add_arguments(connection);
    take_headers(connection, text, left);
    take_body(connection, text, left);
    return true;
}

void fake_end(struct MHD_Connection *connection)
{
    free(connection->method);
    free(connection->uri);
    free(connection->version);
    free_fields(connection->fields, connection->count);
    if (connection->response)
        MHD_destroy_response(connection->response);
}

const char *fake_answer_header(const struct MHD_Connection *connection, const char *name)
{
    const struct MHD_Response *response = connection->response;

    for (size_t i = 0; i < response->count; i++)
        if (strcasecmp(response->fields[i].name, name) == 0)
            return response->fields[i].value;
    return NULL;
}

/* ------------------------------------------------------------------------------------------- the library: the request */

int MHD_get_connection_values(struct MHD_Connection *connection, enum MHD_ValueKind kind, MHD_KeyValueIterator iterator,
                              void *user)
{
    int count = 0;

    for (size_t i = 0; i < connection->count; i++)
        if (connection->fields[i].kind & kind) {
            count++;
            if (iterator(user, kind, connection->fields[i].name, connection->fields[i].value) == MHD_NO)
                return count;
        }
    return count;
}

int MHD_get_connection_values_n(struct MHD_Connection *connection, enum MHD_ValueKind kind,
                                MHD_KeyValueIteratorN iterator, void *user)
{
    int count = 0;

    for (size_t i = 0; i < connection->count; i++) {
        const struct field *field = &connection->fields[i];

        if (!(field->kind & kind))
            continue;
        count++;
        if (iterator(user, kind, field->name, field->name_size, field->value, field->value_size) == MHD_NO)
            return count;
    }
    return count;
}

const char *MHD_lookup_connection_value(struct MHD_Connection *connection, enum MHD_ValueKind kind, const char *key)
{
    for (size_t i = 0; i < connection->count; i++)
        if ((connection->fields[i].kind & kind) && strcasecmp(connection->fields[i].name, key) == 0)
            return connection->fields[i].value;
    return NULL;
}

static const struct sockaddr *peer; /* NULL = loopback */

void fake_peer(const struct sockaddr *other)
{
    peer = other;
}

/* Of versions before 1.0 the guard expects how they lay a head out in memory. */
const char *MHD_get_version(void)
{
    return "1.0";
}

const union MHD_ConnectionInfo *MHD_get_connection_info(struct MHD_Connection *connection,
                                                        enum MHD_ConnectionInfoType type, ...)
{
    static union MHD_ConnectionInfo info;

    static struct sockaddr_in loopback;

    (void)connection;
    loopback = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
    if (type == MHD_CONNECTION_INFO_CLIENT_ADDRESS)
        info.client_addr = peer ? (struct sockaddr *)(uintptr_t)peer : (struct sockaddr *)&loopback;
    else if (type == MHD_CONNECTION_INFO_CONNECTION_FD)
        info.connect_fd = -1;
    else
        return NULL;
    return &info;
}

/* -------------------------------------------------------------------------------------------- the library: the answer */

struct MHD_Response *MHD_create_response_from_buffer(size_t size, void *bytes, enum MHD_ResponseMemoryMode mode)
{
    struct MHD_Response *response = calloc(1, sizeof(*response));

    CLAIM(response != NULL && bytes != NULL);
    response->bytes = bytes;
    response->size = size;
    response->ours = mode == MHD_RESPMEM_MUST_FREE;
    response->references = 1;
    return response;
}

struct MHD_Response *MHD_create_response_from_callback(uint64_t size, size_t block, MHD_ContentReaderCallback reader,
                                                       void *user, MHD_ContentReaderFreeCallback free_user)
{
    struct MHD_Response *response = calloc(1, sizeof(*response));

    (void)size;
    (void)block;
    (void)reader;
    CLAIM(response != NULL);
    response->user = user;
    response->free_user = free_user;
    response->references = 1;
    return response;
}

void MHD_destroy_response(struct MHD_Response *response)
{
    if (--response->references > 0)
        return;
    if (response->ours)
        free(response->bytes);
    if (response->free_user)
        response->free_user(response->user);
    free_fields(response->fields, response->count);
    free(response);
}

enum MHD_Result MHD_add_response_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (name[0] == '\0' || strpbrk(name, "\t\r\n") || value[0] == '\0' || strpbrk(value, "\t\r\n"))
        return MHD_NO; /* as the library does */
    add(response->fields, &response->count, MHD_HEADER_KIND, copy_of(name, strlen(name)),
        copy_of(value, strlen(value)));
    return MHD_YES;
}

enum MHD_Result MHD_queue_response(struct MHD_Connection *connection, unsigned int status,
                                   struct MHD_Response *response)
{
    CLAIM(connection->answers == 0 && status >= 200 && status < 600);
    connection->answers++;
    connection->status = status;
    connection->response = response;
    response->references++;
    return MHD_YES;
}
