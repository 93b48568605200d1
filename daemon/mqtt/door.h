/* The door from inside: what its parts share. All of it belongs to the MQTT thread, but for the last group.
 *
 *   mqtt.c     the thread: wait, take in, commit, write; the stages of stopping
 *   session.c  one connection after the other to the broker: connect, subscribe, back off
 *   intake.c   messages in, and the receipts of what was submitted but is not yet durable
 *   outlet.c   everything that is published
 *   info.c     how the gateway is, for the topic info
 *   command.c  commands and their answers
 *   discovery.c  announcements to Home Assistant
 *   topic.c    topics to machines and back
 *
 * The promise rests on one rule: between reading a message and the commit of what it changed, nothing is written to
 * the socket. libmosquitto queues the PUBACK before it calls us, and in its threaded mode only mosquitto_loop_write
 * lets it go. A connection that must not acknowledge what it read is destroyed: its queue goes with it, and the
 * broker sends again. */
#ifndef HABIT_MQTT_DOOR_H
#define HABIT_MQTT_DOOR_H

#include <mosquitto.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/limits.h"
#include "base/log.h"
#include "mqtt/mqtt.h"

struct session {
    struct mosquitto *client;   /* a fresh one for each connection; NULL = none */
    int version;                /* MQTT_PROTOCOL_V5, or V311 where the broker refused that */
    bool accepted;              /* it said yes to CONNECT */
    bool subscribed;            /* and to all our subscriptions, in this process */
    int asked;                  /* packet identifier of the last SUBSCRIBE */
    int64_t asked_at;           /* awake ms: it was sent */
    bool at_once;               /* try again without waiting: with the older protocol */
    int64_t since;              /* awake ms: connected, then accepted */
    unsigned int failures;      /* in a row: sets the back-off */
    bool ended_early;           /* soon after it was accepted, without a reason */
    unsigned int early;         /* such ends in a row, with the broker there after each */
    int64_t accepted_at;        /* wall ms */
    bool taken;                 /* it ended because another client has our ID, or so it looks */
    char why[BROKER_WHY_SIZE];  /* it ended; "" = not ended */
    char said[BROKER_WHY_SIZE]; /* why, as it was logged last */
    struct log_gate gate;       /* lines about retries */
    uint64_t mark;              /* bytes of the connection that were read when a packet was last known to be whole */
    bool heard;                 /* a packet was whole since the last look */
};

struct intake {
    struct receipt receipts[LIMIT_MQTT_BATCH]; /* submitted, not yet durable */
    size_t count;
    bool failed;  /* something of this batch is not durable: none of it may be acknowledged */
    bool more;    /* with TLS: something may be there that the socket does not show */
    bool closed;  /* takes nothing any more */
    bool tainted; /* a message was read after that: its PUBACK waits in the queue, so nothing may be written any more */
    struct log_gate gates[REFUSAL_CODES];
};

enum { OUTBOX_IN_FLIGHT = 20, INFO_SIZE = 1024 };

struct outlet {
    struct {
        int mid;    /* packet identifier; 0 = free */
        int64_t id; /* in the outbox */
    } flying[OUTBOX_IN_FLIGHT];
    size_t flying_count;
    int64_t last;                 /* outbox id sent last */
    bool more;                    /* the outbox held more than there was room for */
    uint32_t others;              /* publications in flight that are not from the outbox */
    int64_t refused;              /* the first that the broker would not take on it; 0 = none */
    bool ended;                   /* `offline` was said */
    struct registry_news news;    /* of the machines: states, availability, announcements */
    int64_t next_tick, next_info; /* mono ms */
    int64_t birth_due;            /* mono ms: all is to be announced again; 0 = no */
    char info[INFO_SIZE];         /* as published last */
    struct log_gate gate;         /* lines about what the broker refuses */
    struct log_gate unfit;        /* and about what it is not even offered: it is too large for it */
};

enum stage { STAGE_RUN, STAGE_DRAIN /* nothing comes in any more */, STAGE_LEAVE };

struct mqtt {
    const struct config *config;
    struct registry *registry;
    struct store *store;
    struct session session;
    struct intake intake;
    struct outlet outlet;

    pthread_t thread;
    int wake_fd;        /* eventfd: something to publish, or another stage */
    _Atomic int wanted; /* enum stage */
    atomic_bool connected;
    _Atomic int64_t turn_since;   /* awake ms at which the present turn began; 0 = no connection is served */
    _Atomic int64_t deaf_since;   /* awake ms: subscriptions are not granted yet, or not as asked; 0 = all are */
    _Atomic uint64_t connections; /* that were accepted */
    uint64_t configuration;       /* hash of what is in force */
    pthread_mutex_t lock;         /* of the rest */
    pthread_cond_t news;
    bool serving;              /* there is a connection by which something could come in */
    bool drained;              /* nothing comes in any more, and what came is committed and acknowledged */
    bool ended, abandoned;     /* the thread is over; nobody waits for it any more: it frees itself */
    char why[BROKER_WHY_SIZE]; /* the last connection ended */
    int64_t contested_until;   /* mono ms: another client has our ID; 0 = none was seen */
};

/* ---- session.c */

/* Makes a client and connects; may wait for minutes on a network that swallows packets. Returns 0, or -EIO with why. */
int session_open(struct mqtt *mqtt);

/* Ends the connection without writing to it: what was not acknowledged stays so. NULL client is fine. */
void session_close(struct mqtt *mqtt);

/* Notes why the connection is over; the first reason counts. Returns -EIO. */
int session_lost(struct mqtt *mqtt, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The same for a result of the library. */
int session_lost_by(struct mqtt *mqtt, int rc);

/* Whether the connection is encrypted. */
bool session_has_tls(const struct mqtt *mqtt);

/* Socket, or -1 when the connection is over. */
int session_socket(const struct mqtt *mqtt);

/* Lets go what the library has queued, PUBACKs too: only when all that was read is durable. */
int session_write(struct mqtt *mqtt);

/* Keep-alive; at least once a second. */
int session_care(struct mqtt *mqtt);

/* After reading: whether a packet grows beyond what we take. Returns 0, or -EIO with why. */
int session_check_size(struct mqtt *mqtt);

/* How long to wait before the next session_open, in ms; logs it. */
int session_backoff(struct mqtt *mqtt);

/* ---- intake.c */

void intake_message(struct mqtt *mqtt, const struct mosquitto_message *message, const mosquitto_property *properties);

/* Reads what is there, at most a batch. Returns 0, or -EIO when the connection is over. */
int intake_read(struct mqtt *mqtt);

/* Waits until all that was read is durable. Returns 0, or -EIO: then nothing may be written any more. */
int intake_settle(struct mqtt *mqtt);

/* ---- outlet.c */

/* A session was accepted: everything is published anew, the outbox from its start. */
void outlet_begin(struct mqtt *mqtt);

/* Publishes what only the latest value counts of; the topic is complete. */
void outlet_publish_latest(struct mqtt *mqtt, const char *topic, const char *payload, bool retain);

/* How long nothing is due, in ms, at most `longest`. */
int outlet_patience(const struct mqtt *mqtt, int longest, struct moment now);

/* Home Assistant has begun: all is announced again at `due` (mono ms). */
void outlet_announce_again(struct mqtt *mqtt, int64_t due);

/* Publishes what is due. `woken`: the outbox may have news. */
int outlet_run(struct mqtt *mqtt, bool woken, struct moment now);

/* `offline`, then what still waits in the outbox: to be called again as room comes free. */
int outlet_end(struct mqtt *mqtt);

/* Whether the broker has acknowledged all that was published, and nothing waits. */
bool outlet_idle(const struct mqtt *mqtt);

/* The broker has it (reason below 0x80) or will not take it. */
void outlet_published(struct mqtt *mqtt, int mid, int reason);

/* ---- info.c */

/* JSON, heap; NULL when memory ran out. */
char *info_text(const struct mqtt *mqtt);

/* Hash of the configuration in force: the same on gateways that are configured alike. */
uint64_t info_configuration(const struct config *config);

/* ---- command.c */

/* Does what a message on a command's topic says, and puts the answer into the outbox; waits for both. Returns 0; a refusal, which
 * was answered; or negative: the answer is not in the store, the message must not be acknowledged. */
struct topic;
int command_take(struct mqtt *mqtt, const struct topic *topic, const struct mosquitto_message *message,
                 const mosquitto_property *properties, struct moment now, struct refusal *refusal);

/* ---- discovery.c: all do nothing where discovery is off */

void discovery_announce_gateway(struct mqtt *mqtt);
void discovery_announce(struct mqtt *mqtt, const struct machine_view *view);
void discovery_take_back(struct mqtt *mqtt, const char *machine);

/* When to announce everything again (mono ms); 0: this message is no reason. */
int64_t discovery_birth(const struct mosquitto_message *message, struct moment now);

#endif
