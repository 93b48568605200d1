/* libmicrohttpd alone: reads a body whole and answers the same bytes each time. What habitd's HTTP door is measured against.
 *
 * usage: http-bare ANSWER-FILE [THREADS]
 *
 * THREADS: of the epoll workers; 0 = a thread a connection, as habitd has. Prints its port, then serves until it is killed. */
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

struct answer {
    void *bytes;
    size_t size;
};

struct request {
    char *body;
    size_t size, room;
};

static enum MHD_Result collect(struct request *request, const char *bytes, size_t size)
{
    size_t room = request->room > 0 ? request->room : 4096;

    while (room < request->size + size)
        room *= 2;
    if (room != request->room) {
        char *body = realloc(request->body, room);

        if (!body)
            return MHD_NO;
        request->body = body;
        request->room = room;
    }
    memcpy(request->body + request->size, bytes, size);
    request->size += size;
    return MHD_YES;
}

static enum MHD_Result answer_request(struct MHD_Connection *connection, const struct answer *answer)
{
    struct MHD_Response *response = MHD_create_response_from_buffer(answer->size, answer->bytes, MHD_RESPMEM_MUST_COPY);
    enum MHD_Result r;

    MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    r = MHD_queue_response(connection, MHD_HTTP_OK, response);
    MHD_destroy_response(response);
    return r;
}

static enum MHD_Result on_access(void *user, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *upload, size_t *upload_size, void **state)
{
    struct request *request = *state;
    size_t size = *upload_size;

    (void)url;
    (void)method;
    (void)version;
    if (!request) {
        *state = calloc(1, sizeof(*request));
        return *state ? MHD_YES : MHD_NO;
    }
    *upload_size = 0;
    return size > 0 ? collect(request, upload, size) : answer_request(connection, user);
}

static void on_completed(void *user, struct MHD_Connection *connection, void **state,
                         enum MHD_RequestTerminationCode code)
{
    struct request *request = *state;

    (void)user;
    (void)connection;
    (void)code;
    if (request)
        free(request->body);
    free(request);
    *state = NULL;
}

int main(int argc, char **argv)
{
    const unsigned int threads = argc > 2 ? (unsigned int)atoi(argv[2]) : 0;
    const unsigned int mode = threads > 0 ? MHD_USE_EPOLL : MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL;
    const union MHD_DaemonInfo *info;
    struct MHD_Daemon *daemon;
    struct answer answer;

    if (argc < 2)
        bench_die("usage: http-bare ANSWER-FILE [THREADS]");
    answer.bytes = bench_read(argv[1], &answer.size);
    daemon = MHD_start_daemon(mode | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL, on_access, &answer,
                              MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
                              threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, MHD_OPTION_END);
    info = daemon ? MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT) : NULL;
    if (!info)
        bench_die("it does not start");
    printf("%u\n", info->port);
    fflush(stdout);
    for (;;)
        pause();
}
