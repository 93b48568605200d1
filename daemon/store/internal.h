/* Private to store/. */
#ifndef HABIT_STORE_INTERNAL_H
#define HABIT_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/histogram.h"
#include "store/store.h"

/* The writer's prepared statements: name, SQL. They live as long as the connection. */
#define STATEMENTS(X)                                                                                                  \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                        \
    X(COMMIT, "COMMIT")                                                                                                \
    X(ROLLBACK, "ROLLBACK")                                                                                            \
    X(MACHINE_CREATE, "INSERT INTO machine (name, created, settings) VALUES (?, ?, ?)")                                \
    X(MACHINE_DELETE, "DELETE FROM machine WHERE id = ?")                                                              \
    X(MACHINE_SETTINGS, "UPDATE machine SET settings = ?2 WHERE id = ?1")                                              \
    X(MACHINE_EXISTS, "SELECT 1 FROM machine WHERE id = ?")                                                            \
    X(STATE_PUT,                                                                                                       \
      "INSERT OR REPLACE INTO state (machine, phase, phase_since, phase_learned, last_learn, last_detect, last_seen, " \
      "last_measured, interval, anomaly, anomaly_similarity, anomaly_distance, anomaly_buffers, window) "              \
      "VALUES (?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "                                                               \
      "coalesce(?, (SELECT window FROM state WHERE machine = ?1)))")                                                   \
    X(KNOWLEDGE_PUT, "INSERT OR REPLACE INTO knowledge (machine, changed, bytes) VALUES (?, ?, ?)")                    \
    X(SNAPSHOT_TAKE, "INSERT INTO snapshot (machine, taken, reason, bytes) "                                           \
                     "SELECT machine, ?2, ?3, bytes FROM knowledge WHERE machine = ?1")                                \
    X(SNAPSHOT_PRUNE, "DELETE FROM snapshot WHERE machine = ?1 AND id NOT IN "                                         \
                      "(SELECT id FROM snapshot WHERE machine = ?1 ORDER BY id DESC LIMIT ?2)")                        \
    X(MARK_PUT, "INSERT OR REPLACE INTO mark (machine, source, boot, high, seen, used) VALUES (?, ?, ?, ?, ?, ?)")     \
    X(MARKS_CLEAR, "DELETE FROM mark WHERE machine = ?")                                                               \
    X(COMMISSIONING_ADD,                                                                                               \
      "INSERT INTO commissioning (machine, at, axes, step, zero, samples) VALUES (?, ?, ?, ?, ?, ?)")                  \
    X(COMMISSIONING_FORGET, "DELETE FROM commissioning WHERE machine = ?")                                             \
    X(ANOMALY_PUT,                                                                                                     \
      "INSERT OR REPLACE INTO anomaly (id, machine, asset, raised, cleared, event, similarity, distance, threshold, "  \
      "sensitivity, learned, buffers, explanation) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")                    \
    X(ANOMALY_PRUNE, "DELETE FROM anomaly WHERE id <= ? AND cleared <> 0")                                             \
    X(EVENT_ADD,                                                                                                       \
      "INSERT INTO event (at, topic, whole, payload, retain, correlation, waits) VALUES (?, ?, ?, ?, ?, ?, ?)")        \
    X(OUTBOX_PRUNE, "DELETE FROM event WHERE waits = 1 AND id <= ?")                                                   \
    X(EVENT_PRUNE, "DELETE FROM event WHERE waits = 0 AND id <= ?")                                                    \
    X(OUTBOX_DONE, "UPDATE event SET waits = 0 WHERE id = ?")                                                          \
    X(HOUR_PRUNE, "DELETE FROM hour WHERE start < ?")

enum statement {
#define STATEMENT_ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_HOUR_ADD, /* its text follows HOUR_COUNTERS */
    STATEMENT_COUNT
};

enum op_kind { OP_CHANGE, OP_CREATE, OP_DELETE, OP_PUBLISH, OP_OUTBOX_DONE };

struct store_op {
    enum op_kind kind;
    struct store_op *next;
    bool done, forgotten; /* forgotten: nobody waits, the writer frees it */
    int result;
    int64_t machine;            /* DELETE; result of CREATE; id of OUTBOX_DONE */
    const char *id;             /* CREATE; in bytes[] */
    struct store_change change; /* pointers into bytes[] */
    char bytes[];
};

struct store {
    sqlite3 *writer, *reader;
    int lock_fd;
    sqlite3_stmt *statements[STATEMENT_COUNT];
    pthread_mutex_t reading; /* of the reader connection */

    pthread_t thread;
    pthread_mutex_t mutex; /* of all below */
    pthread_cond_t work, finished;
    struct store_op *first, **last;
    size_t queued;
    bool stopping, started;
    struct store_figures figures;
    void (*outgoing_hook)(void *user);
    void *outgoing_user;

    _Atomic uint64_t epoch;
    _Atomic int64_t next_anomaly;
    atomic_bool no_broker;
    struct histogram commit_duration, commit_size;
    int64_t pruned_hour; /* the writer's: the hour in which old counters were deleted last */
    char path[256];
};

/* -errno of an SQLite result. */
int store_error(int result);

/* writer.c: the thread's function; argument: the store. */
void *store_write_groups(void *argument);

/* Into the writer's queue. Returns 0, or -EAGAIN with op freed. */
int store_enqueue(struct store *store, struct store_op *op);

/* schema.c: whether an open database is ours and whole, without writing a byte; its version, 0 = empty. Returns 0, STORE_E_...
 * with message, or negative. */
int store_inspect(sqlite3 *database, const char *path, int *version, char message[STORE_MESSAGE_SIZE]);

/* Brings it to the newest version. Returns 0, or negative with message. */
int store_migrate(sqlite3 *database, const char *path, int version, char message[STORE_MESSAGE_SIZE]);

/* apply.c: the statements of one op, inside the open transaction. -ENOENT: of no machine, -EEXIST: the name is taken; nothing was
 * written then. Any other error: roll back. */
int store_prepare_statements(struct store *store);
void store_finalize_statements(struct store *store);
int store_step(struct store *store, enum statement statement);
int store_apply(struct store *store, struct store_op *op);

#endif
