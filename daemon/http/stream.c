#include "http/stream.h"

#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/answer.h"
#include "http/authorize.h"
#include "http/crowd.h"
#include "http/handlers.h"
#include "http/query.h"
#include "wire/document.h"

enum {
    LOOK_MS = 1000,       /* between two looks at what changed of the machines */
    HEARTBEAT_MS = 10000, /* well below LIMIT_HTTP_IDLE, which would end the connection */
    VANISHED_MS = 30000,  /* a client that acknowledges nothing for so long is gone */
    PORTION = 16,         /* events or states that are made at a time */
    BLOCK = 16384         /* bytes handed over at a time */
};

/* What a stream shows. The stored ones are named by the level of their topic below the machine. */
enum type { TYPE_ANOMALY, TYPE_EVENT, TYPE_REPORT, TYPE_STATE, TYPES };
static const char *const type_names[TYPES] = { "anomaly", "event", "report", "state" };

struct stream {
    struct http *http;
    int wake_fd;                   /* eventfd */
    int socket;                    /* the connection's */
    char machine[MACHINE_ID_SIZE]; /* "" = all */
    struct token who;              /* whose stream it is: it ends when the token is revoked or expires */
    bool shows[TYPES];
    int64_t after; /* id of the last stored event that was looked at */
    struct registry_news news;
    int64_t next_look, next_heartbeat; /* mono ms */
    bool failed;                       /* the store cannot be read, or memory ran out */
    FILE *file;                        /* into text; open only while events are made */
    char *text;                        /* what is to be sent; heap */
    size_t size, sent;
};

/* ------------------------------------------------------------------------------------------------------------- events */

/* Whether a topic begins with this level. */
static bool level_is(const char *topic, const char *level)
{
    size_t length = strcspn(topic, "/");

    return strlen(level) == length && strncmp(topic, level, length) == 0;
}

/* "pump-1/report/daily", or "report/daily" of all machines together: the type, TYPES where streams do not show it. */
static enum type type_of(const struct outbox_message *message)
{
    const char *below = strchr(message->topic, '/');
    int type = 0;

    if (message->whole || !below || message->payload[0] == '\0')
        return TYPES;
    if (strcmp(message->topic, "report/daily") == 0)
        return TYPE_REPORT;
    while (type < TYPES && !level_is(below + 1, type_names[type]))
        type++;
    return (enum type)type;
}

/* Of a machine that is asked for, and that the token may see. */
static bool is_of_machine(const struct stream *stream, const char *id, size_t length)
{
    char machine[MACHINE_ID_SIZE];

    if (stream->machine[0] != '\0' && (strlen(stream->machine) != length || strncmp(stream->machine, id, length) != 0))
        return false;
    return !token_bound(&stream->who) ||
           (snprintf(machine, sizeof(machine), "%.*s", (int)length, id) < MACHINE_ID_SIZE &&
            token_covers(&stream->who, machine));
}

/* "report/daily" is of all machines together: of no single one, even if one were called report. */
static bool is_wanted(const struct stream *stream, const struct outbox_message *message)
{
    if (strcmp(message->topic, "report/daily") == 0 && token_bound(&stream->who))
        return false;
    return is_of_machine(stream, message->topic, strcspn(message->topic, "/"));
}

static void write_gap(FILE *file, int64_t after, int64_t oldest, int64_t newest)
{
    fprintf(file, "event: gap\ndata: {\"after\":%" PRId64 ",\"oldest\":%" PRId64 ",\"newest\":%" PRId64 "}\n", after,
            oldest, newest);
}

/* Ids follow each other: what is missing was deleted before a slow reader came to it. */
static void write_hole(struct stream *stream, int64_t next)
{
    int64_t oldest, newest;

    if (next == stream->after + 1)
        return;
    if (store_event_range(stream->http->options.store, &oldest, &newest) < 0) {
        stream->failed = true; /* whoever comes again behind an id that was not moved on is told then */
        return;
    }
    write_gap(stream->file, stream->after, next, newest);
    fprintf(stream->file, "id: %" PRId64 "\n\n", next - 1);
}

static void write_event(struct stream *stream, const struct outbox_message *message)
{
    enum type type = type_of(message);

    write_hole(stream, message->id);
    if (stream->failed)
        return;
    stream->after = message->id;
    if (type != TYPES && stream->shows[type] && is_wanted(stream, message))
        fprintf(stream->file, "id: %" PRId64 "\nevent: %s\ndata: %s\n\n", message->id, type_names[type],
                message->payload);
}

/* Returns whether there may be more. */
static bool write_events(struct stream *stream)
{
    struct outbox_message messages[PORTION];
    int count = store_events(stream->http->options.store, stream->after, messages, PORTION);

    for (int i = 0; i < count; i++)
        write_event(stream, &messages[i]);
    if (count > 0)
        store_free_messages(messages, (size_t)count);
    stream->failed = stream->failed || count < 0;
    return count == PORTION;
}

/* Without an id: the latest value is all that counts, there is nothing to replay. */
static void write_state(void *user, const struct machine_view *view, unsigned int what)
{
    struct stream *stream = user;
    char *state;

    if (!(what & NEWS_STATE) || !is_of_machine(stream, view->id, strlen(view->id)))
        return;
    state = wire_state(view);
    if (state)
        fprintf(stream->file, "event: state\ndata: %s\n\n", state);
    free(state);
}

static void write_states(struct stream *stream, struct moment now)
{
    struct registry *registry = stream->http->options.registry;

    if (!stream->shows[TYPE_STATE])
        return;
    if (now.mono >= stream->next_look) {
        registry_news_begin(registry, &stream->news, now);
        stream->next_look = now.mono + LOOK_MS;
    }
    registry_news_next(registry, &stream->news, now, PORTION, write_state, stream);
}

static void write_heartbeat(struct stream *stream, struct moment now)
{
    if (now.mono < stream->next_heartbeat)
        return;
    fputs(":\n\n", stream->file);
    stream->next_heartbeat = now.mono + HEARTBEAT_MS;
}

/* Makes what is due into text, which may be nothing. Returns whether there may be more at once. */
static bool compose(struct stream *stream)
{
    struct moment now = clock_now();
    bool more;

    free(stream->text);
    stream->text = NULL;
    stream->size = stream->sent = 0;
    stream->file = open_memstream(&stream->text, &stream->size);
    if (!stream->file) {
        stream->failed = true;
        return false;
    }
    more = write_events(stream);
    write_states(stream, now);
    write_heartbeat(stream, now);
    if (fclose(stream->file) != 0)
        stream->failed = true;
    return more || stream->news.under_way;
}

/* ------------------------------------------------------------------------------------------------------------ waiting */

/* Returns false when the client has gone. */
static bool wait_for_news(struct stream *stream)
{
    struct pollfd fds[] = { { .fd = stream->socket, .events = POLLRDHUP },
                            { .fd = stream->wake_fd, .events = POLLIN } };
    int64_t due = stream->next_heartbeat, left;
    uint64_t count;

    if (stream->shows[TYPE_STATE] && stream->next_look < due)
        due = stream->next_look;
    left = due - clock_now().mono;
    if (poll(fds, 2, left > 0 ? (int)left : 0) <= 0)
        return true;
    if (fds[1].revents & POLLIN && read(stream->wake_fd, &count, sizeof(count)) < 0)
        return errno == EAGAIN;
    return fds[0].revents == 0;
}

/* libmicrohttpd's reader: hands over text, and blocks its own thread until there is some. */
static ssize_t read_stream(void *user, uint64_t position, char *buffer, size_t room)
{
    struct stream *stream = user;
    size_t size;
    bool more;

    (void)position;
    while (stream->sent == stream->size) {
        if (http_is_stopping(stream->http) || !authorize_still(stream->http, &stream->who, clock_now()))
            return MHD_CONTENT_READER_END_OF_STREAM;
        more = compose(stream);
        if (stream->failed)
            return MHD_CONTENT_READER_END_WITH_ERROR; /* the client comes again, with the id that it has */
        if (stream->size == 0 && !more && !wait_for_news(stream))
            return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    size = stream->size - stream->sent < room ? stream->size - stream->sent : room;
    memcpy(buffer, stream->text + stream->sent, size);
    stream->sent += size;
    return (ssize_t)size;
}

void stream_wake_all(struct http *http)
{
    const uint64_t one = 1;

    pthread_mutex_lock(&http->lock);
    for (size_t i = 0; i < LIMIT_STREAMS; i++)
        if (http->streams[i] && write(http->streams[i]->wake_fd, &one, sizeof(one)) < 0)
            continue; /* fails only when it would overflow: then it is awake */
    pthread_mutex_unlock(&http->lock);
}

unsigned int stream_count(struct http *http)
{
    unsigned int count = 0;

    pthread_mutex_lock(&http->lock);
    for (size_t i = 0; i < LIMIT_STREAMS; i++)
        count += http->streams[i] != NULL;
    pthread_mutex_unlock(&http->lock);
    return count;
}

/* ---------------------------------------------------------------------------------------------------- begin and end */

static void stream_free(void *user)
{
    struct stream *stream = user;
    struct http *http = stream->http;

    pthread_mutex_lock(&http->lock);
    for (size_t i = 0; i < LIMIT_STREAMS; i++)
        if (http->streams[i] == stream)
            http->streams[i] = NULL;
    pthread_mutex_unlock(&http->lock);
    close(stream->wake_fd);
    free(stream->text);
    free(stream);
}

static bool enlist(struct http *http, struct stream *stream)
{
    size_t i = 0;

    pthread_mutex_lock(&http->lock);
    while (i < LIMIT_STREAMS && http->streams[i])
        i++;
    if (i < LIMIT_STREAMS)
        http->streams[i] = stream;
    pthread_mutex_unlock(&http->lock);
    return i < LIMIT_STREAMS;
}

static int read_types(struct request *request, struct stream *stream)
{
    const char *text = query_text(request, "types");

    for (int type = 0; type < TYPES; type++)
        stream->shows[type] = !text;
    while (text && *text != '\0') {
        size_t length = strcspn(text, ",");
        int type = 0;

        while (type < TYPES && (strlen(type_names[type]) != length || strncmp(text, type_names[type], length) != 0))
            type++;
        if (type == TYPES)
            return refuse(&request->refusal, REFUSAL_REQUEST, "types",
                          "types is a list of anomaly, event, report and state");
        stream->shows[type] = true;
        text += length + (text[length] == ',');
    }
    return 0;
}

/* The header that a browser sends when it comes again, or the parameter that a person writes. -1: neither. */
static int read_after(struct request *request, int64_t *after)
{
    const char *header = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, "Last-Event-ID");
    const char *text = query_text(request, "after");
    uint64_t value;

    *after = -1;
    if (header && header[0] != '\0')
        text = header;
    if (!text)
        return 0;
    if (!text_to_unsigned(text, INT64_MAX, &value))
        return refuse(&request->refusal, REFUSAL_REQUEST, text == header ? "Last-Event-ID" : "after",
                      "an event's id is a whole number");
    *after = (int64_t)value;
    return 0;
}

/* The first text: where the stream begins, and whether something before it is kept no more. */
static int begin(struct stream *stream, int64_t asked)
{
    int64_t oldest, newest;
    int r = store_event_range(stream->http->options.store, &oldest, &newest);
    int64_t first = oldest > 0 ? oldest : newest + 1; /* that can be told */
    bool gap = asked > newest || (asked >= 0 && asked + 1 < first);

    if (r < 0)
        return r;
    stream->after = asked < 0 || asked > newest ? newest : gap ? first - 1 : asked;
    stream->file = open_memstream(&stream->text, &stream->size);
    if (!stream->file)
        return fault(-ENOMEM);
    fputs("retry: 3000\n", stream->file);
    if (gap)
        write_gap(stream->file, asked, oldest, newest);
    fprintf(stream->file, "id: %" PRId64 "\n\n", stream->after);
    return fclose(stream->file) == 0 ? 0 : fault(-ENOMEM);
}

static int read_query(struct request *request, struct stream *stream, int64_t *after)
{
    const char *machine = NULL;
    int r = query_machine(request, "machine", &machine);

    if (machine)
        snprintf(stream->machine, sizeof(stream->machine), "%s", machine);
    if (r == 0)
        r = read_types(request, stream);
    return r != 0 ? r : read_after(request, after);
}

static int stream_open(struct request *request, struct stream *stream)
{
    const unsigned int vanished = VANISHED_MS;
    int64_t after = -1;
    int r = read_query(request, stream, &after);

    if (r != 0)
        return r;
    if (!enlist(request->http, stream))
        return refuse_limit(&request->refusal, REFUSAL_LIMIT, "", LIMIT_STREAMS,
                            "%d streams are open, no more are taken", LIMIT_STREAMS);
    stream->socket = MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    setsockopt(stream->socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &vanished, sizeof(vanished));
    stream->next_heartbeat = request->now.mono + HEARTBEAT_MS;
    return begin(stream, after);
}

/* libmicrohttpd 0.9.75 ends the chunks of a body of unknown length also where HEAD has none: the next answer on the connection
 * would begin with that. */
static int answer_head(struct request *request)
{
    struct stream unused = { 0 };
    int64_t after;
    int r = read_query(request, &unused, &after);

    if (r == 0)
        r = answer_empty(request, MHD_HTTP_OK);
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
}

static int answer_stream(struct request *request, struct stream *stream)
{
    request->length = CROWD_ENDLESS;
    request->response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_stream, stream, stream_free);
    if (!request->response) {
        stream_free(stream);
        return fault(-ENOMEM);
    }
    request->status = MHD_HTTP_OK;
    return answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, "text/event-stream");
}

int events_stream(struct request *request)
{
    struct stream *stream;
    int r;

    if (strcmp(request->method, "HEAD") == 0)
        return answer_head(request);
    stream = calloc(1, sizeof(*stream));
    if (!stream)
        return fault(-ENOMEM);
    stream->http = request->http;
    stream->who = request->who;
    stream->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    r = stream->wake_fd < 0 ? fault(-errno) : stream_open(request, stream);
    if (r == 0)
        return answer_stream(request, stream);
    stream_free(stream);
    return r;
}
