/* Private to store/. */
#ifndef HABIT_STORE_INTERNAL_H
#define HABIT_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "base/histogram.h"
#include "store/store.h"

/* All starts of hours or reports, each once, by skipping from one to the next instead of reading every row between. */
#define STARTS(table, order)                                                                                    \
    "WITH RECURSIVE s (v) AS (SELECT min(start) FROM " table " UNION ALL SELECT (SELECT min(start) FROM " table \
    " WHERE start > v) FROM s WHERE v IS NOT NULL) SELECT v FROM s WHERE v IS NOT NULL ORDER BY v " order

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
      "last_measured, interval, anomaly, anomaly_similarity, anomaly_distance, anomaly_buffers, memory, window) "      \
      "VALUES (?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "                                                            \
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
    X(HOUR_PRUNE, "DELETE FROM hour WHERE start < (" STARTS("hour", "DESC") " LIMIT 1 OFFSET ?1 - 1)")                 \
    X(HOURS_DELETE, "DELETE FROM hour WHERE machine = ?1 AND start IN (" STARTS("hour", "ASC") ")")                    \
    X(REPORT_PRUNE, "DELETE FROM report WHERE start < (" STARTS("report", "DESC") " LIMIT 1 OFFSET ?1 - 1)")           \
    X(REPORTS_DELETE, "DELETE FROM report WHERE machine = ?1 AND start IN (" STARTS("report", "ASC") ")")              \
    X(REPORT_FORGET, "DELETE FROM report WHERE start >= ?")                                                            \
    X(REPORTING_PUT, "INSERT OR REPLACE INTO reporting (id, closed, made, date) VALUES (1, ?, ?, ?)")

enum statement {
#define STATEMENT_ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_HOUR_ADD, /* their texts follow the tables in record/hour.h */
    STATEMENT_REPORT_ADD,
    STATEMENT_COUNT
};

enum op_kind { OP_CHANGE, OP_CREATE, OP_DELETE, OP_PUBLISH, OP_OUTBOX_DONE, OP_REPORTS };

struct store_op {
    enum op_kind kind;
    struct store_op *next;
    bool done, forgotten; /* forgotten: nobody waits, the writer frees it */
    int result;
    int64_t machine;                     /* DELETE; result of CREATE; id of OUTBOX_DONE */
    const char *id;                      /* CREATE; in bytes[] */
    struct store_change change;          /* pointers into bytes[] */
    const struct store_reports *reports; /* REPORTS: the caller's, who waits */
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
    _Atomic int64_t busy_since; /* monotonic ms at which the writer took its group; 0 = it waits for one */
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
int store_put_outgoing(struct store *store, const struct store_outgoing *outgoing, int64_t at);
bool store_has_machine(struct store *store, int64_t machine);

/* hours.c: counters, sums and times at consecutive places or columns. Returns the next one. */
int store_bind_hour(sqlite3_stmt *statement, int place, const struct hour *hour);
int store_read_hour(sqlite3_stmt *statement, int column, struct hour *hour);

/* reports.c */
extern const char store_report_add[];
int store_apply_reports(struct store *store, struct store_op *op);

/* store.c: submits an op and waits for its end. *machine: the row of a new one; NULL = none. */
int store_run_op(struct store *store, struct store_op *op, int64_t *machine);

/* read.c: locks the reader and prepares; every begin has its end, also one that failed. */
int store_begin_reading(struct store *store, const char *sql, sqlite3_stmt **statement);
void store_end_reading(struct store *store, sqlite3_stmt *statement);

#endif
