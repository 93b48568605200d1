#include "http/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "http/crowd.h"
#include "http/metrics.h"
#include "wire/document.h"

static void drop_answer(struct request *request)
{
    if (request->response)
        MHD_destroy_response(request->response);
    request->response = NULL;
}

int answer_header(struct request *request, const char *name, const char *value)
{
    return MHD_add_response_header(request->response, name, value) == MHD_YES ? 0 : fault(-ENOMEM);
}

int answer_take_bytes(struct request *request, unsigned int status, const char *type, void *bytes, size_t size)
{
    drop_answer(request);
    if (!bytes)
        return fault(-ENOMEM);
    request->response = MHD_create_response_from_buffer(size, bytes, MHD_RESPMEM_MUST_FREE);
    if (!request->response) {
        free(bytes);
        return fault(-ENOMEM);
    }
    request->status = status;
    request->length = size;
    return answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

int answer_take_text(struct request *request, unsigned int status, const char *type, char *text)
{
    return answer_take_bytes(request, status, type, text, text ? strlen(text) : 0);
}

/* A line feed takes the place of the final NUL: a shell's prompt begins on a line of its own. */
static int take_line(struct request *request, unsigned int status, const char *type, char *text)
{
    size_t length = text ? strlen(text) : 0;

    if (text)
        text[length++] = '\n';
    return answer_take_bytes(request, status, type, text, length);
}

int answer_take_json(struct request *request, unsigned int status, char *text)
{
    return take_line(request, status, "application/json", text);
}

int answer_take_file(struct request *request, unsigned int status, const char *type, int fd, uint64_t size)
{
    drop_answer(request);
    request->response = MHD_create_response_from_fd64(size, fd);
    if (!request->response) {
        close(fd);
        return fault(-ENOMEM);
    }
    request->status = status;
    request->length = size;
    return answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

/* libmicrohttpd takes a pointer to bytes that it may change, and does not change them. */
static int take_static(struct request *request, unsigned int status, const void *bytes, size_t size)
{
    drop_answer(request);
    request->response = MHD_create_response_from_buffer(size, (void *)bytes, MHD_RESPMEM_PERSISTENT);
    request->status = status;
    request->length = size;
    return request->response ? 0 : fault(-ENOMEM);
}

int answer_static(struct request *request, unsigned int status, const char *type, const void *bytes, size_t size)
{
    int r = take_static(request, status, bytes, size);

    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

int answer_empty(struct request *request, unsigned int status)
{
    return take_static(request, status, "", 0);
}

char *answer_text_of(struct request *request, void (*write)(FILE *file, struct request *request))
{
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);

    if (!file)
        return NULL;
    write(file, request);
    if (fclose(file) == 0)
        return text;
    free(text);
    return NULL;
}

/* ----------------------------------------------------------------------------------------------------------- paging */

/* What no URI may hold, but comes all the same, would end the link before its end. */
static void put_escaped(FILE *file, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("<>\"", text[i]))
            fprintf(file, "%%%02X", (unsigned char)text[i]);
        else
            fputc(text[i], file);
}

/* Copies the query as it was sent, but for one parameter. */
static void put_query_without(FILE *file, const char *query, const char *parameter)
{
    size_t name = strlen(parameter);

    while (*query != '\0') {
        size_t length = strcspn(query, "&");
        bool same = length > name && strncmp(query, parameter, name) == 0 && query[name] == '=';

        if (!same) {
            put_escaped(file, query, length);
            fputc('&', file);
        }
        query += length + (query[length] == '&');
    }
}

int answer_next(struct request *request, const char *parameter, const char *cursor)
{
    size_t path = strcspn(request->uri, "?"), size;
    const char *query = request->uri + path + (request->uri[path] == '?');
    char *link = NULL;
    FILE *file;
    int r = -ENOMEM;

    if (!cursor)
        return 0;
    file = open_memstream(&link, &size);
    if (!file)
        return fault(-ENOMEM);
    fprintf(file, "<%.*s?", (int)path, request->uri);
    put_query_without(file, query, parameter);
    fprintf(file, "%s=%s>; rel=\"next\"", parameter, cursor);
    if (fclose(file) == 0)
        r = answer_header(request, MHD_HTTP_HEADER_LINK, link);
    free(link);
    return r;
}

/* --------------------------------------------------------------------------------------------------------- problems */

static void log_fault(struct request *request, int r)
{
    struct http *http = request->http;
    uint64_t suppressed;
    int pass;

    pthread_mutex_lock(&http->lock);
    pass = log_gate_pass(&http->gate, clock_now().mono, &suppressed);
    pthread_mutex_unlock(&http->lock);
    if (pass)
        log_error("http: %s %s failed at %s (%s); answered 500; %llu more since the last line",
                  request->route ? request->route->method : "request", request->route ? request->route->path : "",
                  fault_place(), strerror(-r), (unsigned long long)suppressed);
}

static int add_problem_headers(struct request *request)
{
    bool wait = request->retry > 0 || request->status == MHD_HTTP_SERVICE_UNAVAILABLE;
    char seconds[16];
    int r = 0;

    snprintf(seconds, sizeof(seconds), "%d", request->retry > 0 ? request->retry : 1);
    if (wait)
        r = answer_header(request, MHD_HTTP_HEADER_RETRY_AFTER, seconds);
    if (r == 0 && request->status == MHD_HTTP_UNAUTHORIZED)
        r = answer_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"habit\"");
    if (r == 0 && request->refusal.code == REFUSAL_METHOD)
        r = answer_header(request, MHD_HTTP_HEADER_ALLOW, request->allow);
    return r;
}

int answer_problem(struct request *request, int r)
{
    if (r < 0) {
        log_fault(request, r);
        refuse_fault(&request->refusal, r);
    }
    if (!request->counted)
        registry_count_refusal(request->http->options.registry, request->refusal.code);
    r = take_line(request, (unsigned int)refusal_kind(request->refusal.code)->status, "application/problem+json",
                  wire_problem(&request->refusal));
    return r < 0 ? r : add_problem_headers(request);
}

/* ---------------------------------------------------------------------------------------------------------- sending */

enum MHD_Result answer_send(struct request *request)
{
    enum MHD_Result result;

    answer_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, request->kept ? "no-cache" : "no-store");
    answer_header(request, "X-Content-Type-Options", "nosniff");
    if (request->close || http_is_stopping(request->http))
        answer_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
    metrics_count(request);
    crowd_next(request->http->crowd, request->connection, CROWD_ANSWERS, request->length);
    result = MHD_queue_response(request->connection, request->status, request->response);
    drop_answer(request);
    return result;
}
