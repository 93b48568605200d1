/* Starting and stopping.
 *
 * A thread per connection: a request that must wait for a commit just blocks its own thread. Suspending and resuming
 * instead has known faults in libmicrohttpd 0.9.75 (clients that leave are not noticed, suspended connections never
 * time out). */
#include "http/http.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/listen.h"
#include "http/request.h"
#include "http/stream.h"

enum {
    STACK_BYTES = 512 * 1024, /* the registry keeps about 40 KiB on it, JSON and SQLite the rest */
    STOP_SECONDS = 2          /* for requests under way */
};

static int start_daemon(struct http *http)
{
    const unsigned int flags =
        MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC;
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, http->socket, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)connection_on_uri, http },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)connection_on_completed, http },
        { MHD_OPTION_CONNECTION_LIMIT, LIMIT_HTTP_CONNECTIONS, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, LIMIT_HTTP_IDLE, NULL },
        { MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_END, 0, NULL },
    };

    http->daemon =
        MHD_start_daemon(flags, 0, NULL, NULL, connection_on_access, http, MHD_OPTION_ARRAY, options, MHD_OPTION_END);
    return http->daemon ? 0 : fault(-EIO);
}

static struct http *http_new(const struct http_options *options)
{
    struct http *http = calloc(1, sizeof(*http));
    pthread_condattr_t attributes;

    if (!http)
        return NULL;
    http->options = *options;
    http->port = options->config->http_port;
    http->socket = -1;
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    return http;
}

static int open_socket(struct http *http)
{
    http->socket = http->options.socket;
    return http->socket >= 0 ? listen_take(http->socket, http->options.config->http_address, &http->port)
                             : listen_open(http->options.config->http_address, &http->port, &http->socket);
}

int http_start(struct http **ret_http, const struct http_options *options)
{
    struct http *http = http_new(options);
    int r = http ? open_socket(http) : fault(-ENOMEM);

    if (r == 0)
        r = start_daemon(http);
    if (r == 0)
        *ret_http = http;
    else
        http_stop(http);
    return r;
}

unsigned int http_port(const struct http *http)
{
    return http->port;
}

static bool is_full(const struct http *http)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);

    return info && info->num_connections >= LIMIT_HTTP_CONNECTIONS;
}

bool http_alive(const struct http *http, int milliseconds)
{
    return listen_probe(http->socket, milliseconds) || is_full(http);
}

void http_wake(struct http *http)
{
    if (http)
        stream_wake_all(http);
}

static void wait_until_idle(struct http *http)
{
    struct timespec deadline;

    clock_gettime(CLOCK_MONOTONIC, &deadline);
    deadline.tv_sec += STOP_SECONDS;
    pthread_mutex_lock(&http->lock);
    http->stopping = true;
    pthread_mutex_unlock(&http->lock);
    stream_wake_all(http); /* they end by themselves */
    pthread_mutex_lock(&http->lock);
    while (http->under_way > 0 && pthread_cond_timedwait(&http->idle, &http->lock, &deadline) == 0)
        continue;
    pthread_mutex_unlock(&http->lock);
}

struct http *http_stop(struct http *http)
{
    if (!http)
        return NULL;
    if (http->daemon) {
        MHD_quiesce_daemon(http->daemon);
        wait_until_idle(http);
        MHD_stop_daemon(http->daemon);
    }
    if (http->socket >= 0)
        close(http->socket); /* ours again after quiescing, and only now nobody polls it */
    pthread_cond_destroy(&http->idle);
    pthread_mutex_destroy(&http->lock);
    free(http);
    return NULL;
}
