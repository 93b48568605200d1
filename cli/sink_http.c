#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "message.h"
#include "options.h"
#include "sink.h"

struct http_state {
    struct client *client;
    uint64_t refused;
};

static int open_http(struct sink *sink)
{
    struct http_state *state = calloc(1, sizeof(*state));

    sink->state = state;
    if (!state)
        return complain_errno("hold", "a client");
    return client_open(&state->client, sink->setup.http);
}

static void make_path(const struct sink *sink, const struct sink_buffer *buffer, char *path, size_t size)
{
    static const char *const actions[] = { "buffers", "learn", "detect" };
    const char *format = sink->setup.format == SAMPLES_I16 ? "?format=i16" : "";
    char number[96] = "";

    if (sink->setup.boot)
        snprintf(number, sizeof(number), "%cboot=%s&seq=%llu", *format ? '&' : '?', sink->setup.boot,
                 (unsigned long long)buffer->number);
    snprintf(path, size, "/v1/machines/%s/%s%s%s", buffer->machine, actions[sink->setup.action], format, number);
}

static const char *number_text(const json_t *number, char text[24])
{
    if (!json_is_number(number))
        return "-";
    snprintf(text, 24, "%.9g", json_number_value(number));
    return text;
}

/* "pump-1 12 ok: similarity 97, average 98, anomaly -" */
static void print_verdict(const struct sink_buffer *buffer, const json_t *verdict)
{
    const char *status = json_string_value(json_object_get(verdict, "status"));
    char similarity[24], average[24], anomaly[24], learned[24];

    printf("%s %llu %s", buffer->machine, (unsigned long long)buffer->number, status ? status : "answered");
    if (json_is_number(json_object_get(verdict, "similarity")))
        printf(": similarity %s, average %s, anomaly %s",
               number_text(json_object_get(verdict, "similarity"), similarity),
               number_text(json_object_get(verdict, "average"), average),
               number_text(json_object_get(verdict, "anomaly"), anomaly));
    else if (json_is_number(json_object_get(verdict, "learned")))
        printf(": learned %s", number_text(json_object_get(verdict, "learned"), learned));
    printf("\n");
    fflush(stdout); /* somebody watches */
}

/* A refusal is said and counted, and the next buffer is sent: the machine may be adopted meanwhile. */
static int send_http(struct sink *sink, const struct sink_buffer *buffer, const void *bytes, size_t size)
{
    struct http_state *state = sink->state;
    char path[256];
    struct request request = { .method = "POST", .path = path, .body = bytes, .size = size };
    struct reply reply;
    int r;

    make_path(sink, buffer, path, sizeof(path));
    request.type = sink->setup.format == SAMPLES_CSV ? "text/csv" : "application/octet-stream";
    r = client_send(state->client, &request, &reply);
    if (r == 0 && reply.status != 200) {
        state->refused++;
        client_complain(buffer->machine, &reply);
    } else if (r == 0 && !sink->setup.quiet) {
        print_verdict(buffer, reply.json);
    }
    reply_free(&reply);
    return r;
}

static int finish_http(struct sink *sink)
{
    const struct http_state *state = sink->state;

    if (state->refused == 0)
        return 0;
    complain("%llu buffers were refused", (unsigned long long)state->refused);
    return EXIT_FAILED;
}

static void close_http(struct sink *sink)
{
    struct http_state *state = sink->state;

    client_close(state->client);
    free(state);
}

const struct sink_kind sink_http = { open_http, send_http, finish_http, close_http };
