/* How many connections there are, from where, and how long each may take. libmicrohttpd closes a connection where nothing moves; one
 * that sends a byte now and then it keeps for ever. So each connection is noted with the time until which the next thing has to
 * have happened, and a thread ends those that are late: shutdown() on the socket, which libmicrohttpd then closes.
 * Internal to http/. Any thread. */
#ifndef HABIT_HTTP_CROWD_H
#define HABIT_HTTP_CROWD_H

#include <microhttpd.h>
#include <stdint.h>
#include <sys/socket.h>

struct crowd;

/* deadline: ms. The handshake and the head of a request, from the connection's begin, or LIMIT_HTTP_IDLE after the
 * last answer; its body; its answer: each has so long, and body and answer a second more for every LIMIT_HTTP_RATE bytes.
 * each: connections that one address may hold; loopback, where a proxy may stand for many, is not counted.
 * Returns 0, or negative. */
int crowd_start(struct crowd **ret_crowd, int64_t deadline, uint32_t each);
struct crowd *crowd_stop(struct crowd *crowd); /* after libmicrohttpd; NULL is fine; always returns NULL */

/* libmicrohttpd's callbacks; user: struct crowd. Where an address holds too many, or all together are too many, the one
 * that has waited longest for a request makes room. Where none waits, because all are at work, the new one is closed. */
enum MHD_Result crowd_on_accept(void *user, const struct sockaddr *peer, socklen_t size);
void crowd_on_connection(void *user, struct MHD_Connection *connection, void **guest,
                         enum MHD_ConnectionNotificationCode code);

/* What happens next on a connection. */
enum crowd_phase {
    CROWD_WAITS,   /* for a request, whose head may be there in part */
    CROWD_READS,   /* a body of `bytes` */
    CROWD_WORKS,   /* on the answer: as long as it takes */
    CROWD_ANSWERS, /* with `bytes`; CROWD_ENDLESS: an event stream, as long as the client likes */
};
#define CROWD_ENDLESS UINT64_MAX
void crowd_next(struct crowd *crowd, struct MHD_Connection *connection, enum crowd_phase phase, uint64_t bytes);

/* Why connections were ended from our side. */
enum crowd_reason { CROWD_LATE, CROWD_FULL, CROWD_ADDRESS, CROWD_REASONS };
uint64_t crowd_ended(const struct crowd *crowd, enum crowd_reason reason);

#endif
