/* Starting and stopping.
 *
 * A thread per connection: a request that must wait for a commit just blocks its own thread. Suspending and resuming
 * instead has known faults in libmicrohttpd 0.9.75 (clients that leave are not noticed, suspended connections never
 * time out). */
#include "http/http.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "http/connection.h"
#include "http/crowd.h"
#include "http/listen.h"
#include "http/request.h"
#include "http/stream.h"
#include "http/tls.h"

enum {
    STACK_BYTES = 512 * 1024, /* the registry keeps about 40 KiB on it, JSON and SQLite the rest */
    STOP_SECONDS = 2          /* for requests under way */
};

/* TLS 1.2 with forward secrecy and authenticated encryption, or 1.3. */
static const char priorities[] =
    "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:"
    "+CHACHA20-POLY1305:%SERVER_PRECEDENCE";

static int start_daemon(struct http *http)
{
    const bool tls = http->options.config->http_certificate[0] != '\0';
    const unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL |
                               MHD_USE_ITC | (tls ? MHD_USE_TLS : 0);
    struct MHD_OptionItem options[] = {
        { MHD_OPTION_LISTEN_SOCKET, http->socket, NULL },
        { MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)connection_on_uri, http },
        { MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)connection_on_completed, http },
        { MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)crowd_on_connection, http->crowd },
        { MHD_OPTION_CONNECTION_LIMIT, LIMIT_HTTP_CONNECTIONS + LIMIT_HTTP_SPARE, NULL },
        { MHD_OPTION_CONNECTION_TIMEOUT, LIMIT_HTTP_IDLE, NULL },
        { MHD_OPTION_THREAD_STACK_SIZE, STACK_BYTES, NULL },
        { MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL },
        { MHD_OPTION_END, 0, NULL },
    };
    struct MHD_OptionItem secure[] = {
        { MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)tls_on_handshake },
        { MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)priorities },
        { http->client_ca ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, http->client_ca },
        { MHD_OPTION_END, 0, NULL },
    };

    http->daemon =
        MHD_start_daemon(flags, 0, crowd_on_accept, http->crowd, connection_on_access, http, MHD_OPTION_ARRAY, options,
                         tls ? MHD_OPTION_ARRAY : MHD_OPTION_END, secure, MHD_OPTION_END);
    return http->daemon ? 0 : fault(-EIO);
}

/* ------------------------------------------------------------------------------------------------------ certificates */

int http_load_certificate(const struct config *config, struct tls **ret_tls, char message[HTTP_MESSAGE_SIZE])
{
    *ret_tls = NULL;
    if (config->http_certificate[0] == '\0')
        return 0;
    return tls_load(ret_tls, config->http_certificate, config->http_key, message);
}

void http_use_certificate(struct tls *tls)
{
    if (tls)
        tls_use(tls);
}

void http_drop_certificate(struct tls *tls)
{
    tls_free(tls);
}

/* The text of [http] client_ca, which libmicrohttpd wants whole. */
static int load_client_ca(struct http *http, char message[HTTP_MESSAGE_SIZE])
{
    const char *path = http->options.config->http_client_ca;
    gnutls_datum_t bytes = { NULL, 0 };

    if (path[0] == '\0')
        return 0;
    if (gnutls_load_file(path, &bytes) == 0 && bytes.size > 0 && memchr(bytes.data, '\0', bytes.size) == NULL)
        http->client_ca = strndup((const char *)bytes.data, bytes.size);
    gnutls_free(bytes.data);
    if (http->client_ca && strstr(http->client_ca, "BEGIN CERTIFICATE"))
        return 0;
    snprintf(message, HTTP_MESSAGE_SIZE,
             "[http] client_ca = %.200s: holds no certificate in PEM form, or cannot be read", path);
    return -EINVAL;
}

static int load_certificates(struct http *http, char message[HTTP_MESSAGE_SIZE])
{
    struct tls *tls;
    int r = http_load_certificate(http->options.config, &tls, message);

    if (r < 0)
        return r;
    http_use_certificate(tls);
    return load_client_ca(http, message);
}

static struct http *http_new(const struct http_options *options)
{
    struct http *http = calloc(1, sizeof(*http));
    pthread_condattr_t attributes;

    if (!http)
        return NULL;
    http->options = *options;
    http->began = clock_now().mono;
    http->port = options->config->http_port;
    http->socket = options->socket;
    pthread_mutex_init(&http->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&http->idle, &attributes);
    pthread_condattr_destroy(&attributes);
    return http;
}

/* Its own, or the one that was handed over. */
static int open_socket(struct http *http)
{
    const char *address = http->options.config->http_address;

    return http->socket >= 0 ? listen_take(http->socket, address, &http->port)
                             : listen_open(address, &http->port, &http->socket);
}

int http_start(struct http **ret_http, const struct http_options *options, char message[HTTP_MESSAGE_SIZE])
{
    struct http *http = http_new(options);
    int r;

    message[0] = '\0';
    if (!http)
        return fault(-ENOMEM);
    r = load_certificates(http, message);
    if (r == 0)
        r = open_socket(http);
    if (r == 0)
        r = crowd_start(&http->crowd, (int64_t)options->config->http_deadline, options->config->http_each_address);
    if (r == 0)
        r = start_daemon(http);
    if (r == 0)
        *ret_http = http;
    else
        http_stop(http);
    return r;
}

bool http_is_stopping(struct http *http)
{
    bool stopping;

    pthread_mutex_lock(&http->lock);
    stopping = http->stopping;
    pthread_mutex_unlock(&http->lock);
    return stopping;
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
    crowd_stop(http->crowd);
    tls_forget();
    free(http->client_ca);
    pthread_cond_destroy(&http->idle);
    pthread_mutex_destroy(&http->lock);
    free(http);
    return NULL;
}
