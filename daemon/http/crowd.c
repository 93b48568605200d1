#include "http/crowd.h"

#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/limits.h"
#include "base/log.h"
#include "http/peer.h"

enum { LOOK_MS = 250 };
#define NEVER INT64_MAX

/* One connection. Its own thread writes phase and times, the others only look. */
struct guest {
    int socket; /* -1 = a free row */
    uint64_t sender;
    bool ended;                   /* shut down, but libmicrohttpd has yet to close it */
    _Atomic int phase;            /* enum crowd_phase */
    _Atomic int64_t since, until; /* awake ms */
};

struct crowd {
    int64_t deadline;
    uint32_t each;
    pthread_t thread;
    pthread_mutex_t lock; /* of all below; sockets stay open while it is held */
    pthread_cond_t changed;
    bool stopping;
    struct guest guests[LIMIT_HTTP_CONNECTIONS + LIMIT_HTTP_SPARE];
    struct log_gate gates[CROWD_REASONS];
    _Atomic uint64_t count[CROWD_REASONS];
};

enum { ROWS = LIMIT_HTTP_CONNECTIONS + LIMIT_HTTP_SPARE };

/* --------------------------------------------------------------------------------------------------------------- ending */

static void note(struct crowd *crowd, enum crowd_reason reason)
{
    /* A browser opens connections ahead and leaves them: lateness alone is no news. */
    static const struct {
        enum log_level level;
        const char *words;
    } lines[CROWD_REASONS] = {
        [CROWD_LATE] = { LOG_INFO, "it took longer than [http] deadline for its request or its answer" },
        [CROWD_FULL] = { LOG_WARNING, "there are more than HTTP_CONNECTIONS, and it had waited longest" },
        [CROWD_ADDRESS] = { LOG_WARNING, "its address holds more than [http] each_address" },
    };
    uint64_t suppressed;

    crowd->count[reason]++;
    if (log_gate_pass(&crowd->gates[reason], clock_now().mono, &suppressed))
        log_line(lines[reason].level, "http: a connection was closed: %s; %llu more since the last line",
                 lines[reason].words, (unsigned long long)suppressed);
}

/* Its thread reads the end of the connection, whatever it was waiting for. */
static void end(struct crowd *crowd, struct guest *guest, enum crowd_reason reason)
{
    guest->ended = true;
    shutdown(guest->socket, SHUT_RDWR);
    note(crowd, reason);
}

static void end_late(struct crowd *crowd, int64_t now)
{
    for (size_t i = 0; i < ROWS; i++) {
        struct guest *guest = &crowd->guests[i];

        if (guest->socket >= 0 && !guest->ended && guest->until < now)
            end(crowd, guest, CROWD_LATE);
    }
}

static void wait_a_while(struct crowd *crowd)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += LOOK_MS * 1000000L;
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    pthread_cond_timedwait(&crowd->changed, &crowd->lock, &until);
}

static size_t count_of(const struct crowd *crowd, uint64_t sender)
{
    size_t count = 0;

    for (size_t i = 0; i < ROWS; i++) {
        const struct guest *guest = &crowd->guests[i];

        count += guest->socket >= 0 && !guest->ended && (sender == 0 || guest->sender == sender);
    }
    return count;
}

/* The one that has waited longest for a request; sender 0: of all. NULL where all are at work. */
static struct guest *most_patient(struct crowd *crowd, uint64_t sender)
{
    struct guest *found = NULL;

    for (size_t i = 0; i < ROWS; i++) {
        struct guest *guest = &crowd->guests[i];
        bool waits = guest->socket >= 0 && !guest->ended && guest->phase <= CROWD_READS;

        if (waits && (sender == 0 || guest->sender == sender) && (!found || guest->since < found->since))
            found = guest;
    }
    return found;
}

static void *watch(void *user)
{
    struct crowd *crowd = user;

    pthread_mutex_lock(&crowd->lock);
    while (!crowd->stopping) {
        end_late(crowd, clock_awake());
        if (count_of(crowd, 0) > 0)
            wait_a_while(crowd);
        else
            pthread_cond_wait(&crowd->changed, &crowd->lock);
    }
    pthread_mutex_unlock(&crowd->lock);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------ coming and going */

static struct guest *free_row(struct crowd *crowd)
{
    for (size_t i = 0; i < ROWS; i++)
        if (crowd->guests[i].socket < 0)
            return &crowd->guests[i];
    return NULL;
}

/* Whether one of them made room. */
static bool give_way(struct crowd *crowd, uint64_t sender, enum crowd_reason reason)
{
    struct guest *leaves = most_patient(crowd, sender);

    if (leaves)
        end(crowd, leaves, reason);
    return leaves != NULL;
}

/* Whether there is room for one more of the sender, or could be made. Those that were ended hold their rows for some milliseconds. */
static bool make_room(struct crowd *crowd, uint64_t sender)
{
    enum crowd_reason reason = CROWD_FULL;
    bool room;

    if (sender != 0 && count_of(crowd, sender) >= crowd->each) {
        reason = CROWD_ADDRESS;
        room = give_way(crowd, sender, reason);
    } else {
        room = count_of(crowd, 0) < LIMIT_HTTP_CONNECTIONS || give_way(crowd, 0, reason);
    }
    if (room && free_row(crowd))
        return true;
    note(crowd, reason);
    return false;
}

enum MHD_Result crowd_on_accept(void *user, const struct sockaddr *peer, socklen_t size)
{
    struct crowd *crowd = user;
    bool room;

    (void)size;
    pthread_mutex_lock(&crowd->lock);
    room = make_room(crowd, peer_is_loopback(peer) ? 0 : peer_sender(peer));
    pthread_mutex_unlock(&crowd->lock);
    return room ? MHD_YES : MHD_NO;
}

static void begin(struct crowd *crowd, struct MHD_Connection *connection, void **guest)
{
    const union MHD_ConnectionInfo *socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    const union MHD_ConnectionInfo *peer = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    struct guest *row = free_row(crowd);

    *guest = row;
    if (!row || !socket)
        return;
    row->socket = socket->connect_fd;
    row->sender = peer && !peer_is_loopback(peer->client_addr) ? peer_sender(peer->client_addr) : 0;
    row->ended = false;
    row->phase = CROWD_WAITS;
    row->since = clock_awake();
    row->until = row->since + crowd->deadline;
    pthread_cond_signal(&crowd->changed);
}

/* libmicrohttpd closes the socket after this. */
static void leave(void **guest)
{
    struct guest *row = *guest;

    if (row)
        row->socket = -1;
    *guest = NULL;
}

void crowd_on_connection(void *user, struct MHD_Connection *connection, void **guest,
                         enum MHD_ConnectionNotificationCode code)
{
    struct crowd *crowd = user;

    pthread_mutex_lock(&crowd->lock);
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        begin(crowd, connection, guest);
    else
        leave(guest);
    pthread_mutex_unlock(&crowd->lock);
}

/* ------------------------------------------------------------------------------------------------------------- deadlines */

static int64_t time_for(const struct crowd *crowd, enum crowd_phase phase, uint64_t bytes)
{
    if (phase == CROWD_WORKS || bytes == CROWD_ENDLESS)
        return NEVER;
    if (phase == CROWD_WAITS) /* behind an answer: libmicrohttpd closes it where nothing comes at all */
        return crowd->deadline + LIMIT_HTTP_IDLE * INT64_C(1000);
    return crowd->deadline + (int64_t)(bytes / LIMIT_HTTP_RATE) * 1000;
}

/* No lock: once a request it costs, and the watching thread may as well see the old time. */
void crowd_next(struct crowd *crowd, struct MHD_Connection *connection, enum crowd_phase phase, uint64_t bytes)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct guest *guest = info ? info->socket_context : NULL;
    int64_t now = clock_awake(), time = time_for(crowd, phase, bytes);

    if (!guest)
        return;
    guest->since = now;
    guest->until = time == NEVER ? NEVER : now + time;
    guest->phase = (int)phase;
}

uint64_t crowd_ended(const struct crowd *crowd, enum crowd_reason reason)
{
    return crowd->count[reason];
}

/* ----------------------------------------------------------------------------------------------------- starting, stopping */

static struct crowd *crowd_new(int64_t deadline, uint32_t each)
{
    struct crowd *crowd = calloc(1, sizeof(*crowd));
    pthread_condattr_t attributes;

    if (!crowd)
        return NULL;
    crowd->deadline = deadline;
    crowd->each = each;
    for (size_t i = 0; i < ROWS; i++)
        crowd->guests[i].socket = -1;
    pthread_mutex_init(&crowd->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&crowd->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    return crowd;
}

static void crowd_free(struct crowd *crowd)
{
    pthread_cond_destroy(&crowd->changed);
    pthread_mutex_destroy(&crowd->lock);
    free(crowd);
}

int crowd_start(struct crowd **ret_crowd, int64_t deadline, uint32_t each)
{
    struct crowd *crowd = crowd_new(deadline, each);
    int r = crowd ? -pthread_create(&crowd->thread, NULL, watch, crowd) : -ENOMEM;

    if (r == 0)
        *ret_crowd = crowd;
    else if (crowd)
        crowd_free(crowd);
    return r == 0 ? 0 : fault(r);
}

struct crowd *crowd_stop(struct crowd *crowd)
{
    if (!crowd)
        return NULL;
    pthread_mutex_lock(&crowd->lock);
    crowd->stopping = true;
    pthread_cond_signal(&crowd->changed);
    pthread_mutex_unlock(&crowd->lock);
    pthread_join(crowd->thread, NULL);
    crowd_free(crowd);
    return NULL;
}
