/* Any requests at the HTTP door, from its callbacks on: guard, routes, queries, bodies, answers. Each is answered once, with what
 * its type promises; what is refused says why and changed nothing; without a token nothing is told. Only the library's own reading
 * of sockets is left out: see library.h.
 *
 * The input is the text of requests. A '!' before them: tokens are required, one of which is the secret below. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "gateway.h"
#include "http/connection.h"
#include "http/crowd.h"
#include "library.h"
#include "wire/json.h"
#include "wire/parse.h"

#define SECRET "fuzz-secret"

enum { MOST_REQUESTS = 8, FIRST_PART = 7 };

/* -------------------------------------------------------------------------------------------------------------- answers */

static json_t *json_of(const struct MHD_Response *response)
{
    return wire_parse(response->bytes, response->size, JSON_DECODE_ANY, NULL);
}

static void check_problem(const struct MHD_Connection *connection)
{
    json_t *problem = json_of(connection->response);
    const char *type = json_string_value(json_object_get(problem, "type"));
    const char *detail = json_string_value(json_object_get(problem, "detail"));

    CLAIM(problem != NULL && type && strncmp(type, "urn:habit:problem:", 18) == 0);
    CLAIM(json_integer_value(json_object_get(problem, "status")) == connection->status);
    CLAIM(detail && detail[0] != '\0');
    CLAIM(connection->status != 500 && connection->status != 503);
    json_decref(problem);
}

static void check_lines(const struct MHD_Response *response)
{
    const char *line = response->bytes, *end = line + response->size;

    while (line < end) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        json_t *value = newline ? wire_parse(line, (size_t)(newline - line), 0, NULL) : NULL;

        CLAIM(value != NULL);
        json_decref(value);
        line = newline + 1;
    }
}

static bool is_type(const char *type, const char *wanted)
{
    return type && strncmp(type, wanted, strlen(wanted)) == 0;
}

static void check_answer(const struct MHD_Connection *connection)
{
    const struct MHD_Response *response = connection->response;
    const char *type = fake_answer_header(connection, "Content-Type");
    json_t *document;

    CLAIM(connection->answers == 1 && response != NULL);
    CLAIM(fake_answer_header(connection, "Cache-Control") && fake_answer_header(connection, "X-Content-Type-Options"));
    if (connection->status >= 400)
        CLAIM(is_type(type, "application/problem+json"));
    if (is_type(type, "application/problem+json")) {
        check_problem(connection);
    } else if (is_type(type, "application/json")) {
        document = json_of(response);
        CLAIM(document != NULL);
        json_decref(document);
    } else if (is_type(type, "application/x-ndjson")) {
        check_lines(response);
    }
}

/* ------------------------------------------------------------------------------------------------------------- requests */

static enum MHD_Result deliver(struct MHD_Connection *connection, void **state, const char *bytes, size_t size)
{
    size_t left = size;
    enum MHD_Result result = connection_on_access(NULL, connection, connection->uri, connection->method,
                                                  connection->version, bytes, &left, state);

    CLAIM(connection->answers > 0 || left == 0);
    return result;
}

/* A body comes in parts, of which the first is short. */
static void run(struct http *http, struct MHD_Connection *connection, void **state)
{
    const size_t first = connection->size < FIRST_PART ? connection->size : FIRST_PART;

    CLAIM(deliver(connection, state, NULL, 0) == MHD_YES);
    if (connection->answers == 0 && first > 0)
        CLAIM(deliver(connection, state, connection->body, first) == MHD_YES);
    if (connection->answers == 0 && connection->size > first)
        CLAIM(deliver(connection, state, connection->body + first, connection->size - first) == MHD_YES);
    if (connection->answers == 0)
        CLAIM(deliver(connection, state, NULL, 0) == MHD_YES);
    CLAIM(http->under_way == 1);
}

static bool has_secret(const struct MHD_Connection *connection)
{
    for (size_t i = 0; i < connection->count; i++)
        if (connection->fields[i].value && strstr(connection->fields[i].value, SECRET))
            return true;
    return connection->size >= strlen(SECRET) && memmem(connection->body, connection->size, SECRET, strlen(SECRET));
}

static void check_request(const struct http *http, const struct MHD_Connection *connection,
                          const struct request *request)
{
    check_answer(connection);
    if (connection->status >= 400)
        return;
    CLAIM(request->route != NULL && request->early == 0);
    CLAIM(request->id[0] == '\0' || machine_id_valid(request->id, strlen(request->id)));
    CLAIM(!access_required(http->options.access) || request->route->scope[0] == '\0' || has_secret(connection));
}

static bool may_change(const struct MHD_Connection *connection)
{
    return connection->status < 400 && strcmp(connection->method, "GET") != 0 &&
           strcmp(connection->method, "HEAD") != 0;
}

/* Returns whether it may have changed something. */
static bool take_request(struct http *http, struct MHD_Connection *connection)
{
    void *state = connection_on_uri(http, connection->uri, connection);
    bool changed;

    CLAIM(state != NULL);
    run(http, connection, &state);
    check_request(http, connection, state);
    connection_on_completed(http, connection, &state, MHD_REQUEST_TERMINATED_COMPLETED_OK);
    CLAIM(state == NULL && http->under_way == 0);
    changed = may_change(connection);
    CLAIM(!fuzz_gateway_moved(fuzz_gateway()) || changed);
    return changed;
}

/* -------------------------------------------------------------------------------------------------------------- the door */

static struct access *access_of(bool tokens)
{
    static struct access *accesses[2];
    struct token_list list = { .count = 1 };

    if (accesses[tokens])
        return accesses[tokens];
    CLAIM(access_new(&accesses[tokens], tokens) == 0);
    list.tokens = calloc(1, sizeof(*list.tokens));
    CLAIM(list.tokens != NULL);
    snprintf(list.tokens->name, sizeof(list.tokens->name), "fuzz");
    snprintf(list.tokens->machines, sizeof(list.tokens->machines), "pump-*");
    list.tokens->scopes = SCOPE_READ;
    CLAIM(secret_digest(SECRET, list.tokens->digest) == 0);
    access_take_tokens(accesses[tokens], &list);
    return accesses[tokens];
}

static struct crowd *crowd_of(void)
{
    static struct crowd *crowd;

    CLAIM(crowd || crowd_start(&crowd, 60000, LIMIT_EACH_CONNECTIONS) == 0);
    return crowd;
}

static bool reload_refused(void *user)
{
    (void)user;
    return false;
}

static struct http *door_of(bool tokens)
{
    static struct http http;
    struct fuzz_gateway *gateway = fuzz_gateway();

    memset(&http, 0, sizeof(http));
    pthread_mutex_init(&http.lock, NULL);
    pthread_cond_init(&http.idle, NULL);
    http.crowd = crowd_of();
    http.options = (struct http_options){ .config = &gateway->config,
                                          .access = access_of(tokens),
                                          .registry = gateway->registry,
                                          .store = gateway->store,
                                          .reload_refused = reload_refused,
                                          .socket = -1 };
    return &http;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const bool tokens = size > 0 && data[0] == '!';
    const char *text = (const char *)data + tokens;
    size_t left = size - tokens;
    struct http *http = door_of(tokens);
    bool changed = false;

    for (int i = 0; left > 0 && i < MOST_REQUESTS; i++) {
        struct MHD_Connection connection;
        const bool whole = fake_begin(&connection, &text, &left);

        if (whole)
            changed |= take_request(http, &connection);
        fake_end(&connection);
        if (!whole)
            break;
    }
    if (changed)
        fuzz_gateway_changed();
    return 0;
}
