/* Private to store/. */
#ifndef HABIT_STORE_INTERNAL_H
#define HABIT_STORE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/types.h>

#include "base/histogram.h"
#include "store/budget.h"
#include "store/meter.h"
#include "store/store.h"

/* All starts of hours or reports, each once, by skipping from one to the next instead of reading every row between. */
#define STARTS(table, order)                                                                                    \
    "WITH RECURSIVE s (v) AS (SELECT min(start) FROM " table " UNION ALL SELECT (SELECT min(start) FROM " table \
    " WHERE start > v) FROM s WHERE v IS NOT NULL) SELECT v FROM s WHERE v IS NOT NULL ORDER BY v " order

/* The last commissioning buffer of a machine: what a snapshot knows. */
#define LAST_KEPT(machine) "(SELECT coalesce(max(id), 0) FROM commissioning WHERE machine = " machine ")"

/* Anomalies of a machine that are accepted, the newest first: what else a snapshot knows. */
#define ACCEPTED(machine)                                                                                  \
    "(SELECT json_group_array(id) FROM (SELECT id FROM anomaly WHERE machine = " machine " AND event = 4 " \
    "ORDER BY id DESC LIMIT " STORE_TEXT(ACCEPTED_KNOWN) "))"

/* IDs of a machine's snapshots that stay: the newest daily ones, the newest others, and that of first readiness. */
#define NEWEST_SNAPSHOTS(machine, daily, others)                                                                     \
    "(SELECT id FROM (SELECT id FROM snapshot WHERE machine = " machine " AND reason = '" SNAPSHOT_DAILY             \
    "' ORDER BY id DESC LIMIT " daily ") UNION ALL SELECT id FROM (SELECT id FROM snapshot WHERE machine = " machine \
    " AND reason <> '" SNAPSHOT_DAILY "' ORDER BY id DESC LIMIT " others                                             \
    ") UNION ALL SELECT coalesce(max(id), 0) FROM snapshot "                                                         \
    "WHERE machine = " machine " AND reason = '" SNAPSHOT_READY "')"

/* The files that a store is made of while it is open. */
enum place { PLACE_DATABASE, PLACE_WAL, PLACE_INDEX, PLACE_LOCK, PLACES };
struct file_identity {
    dev_t device;
    ino_t inode;
};

enum { STORE_PATH_SIZE = 256 };

#define STORE_APPLICATION_ID 0x68616269 /* "habi" */
#define ACCEPTED_KNOWN       64         /* accepted anomalies that a snapshot knows, at most */
#define STORE_QUOTE(word)    #word
#define STORE_TEXT(word)     STORE_QUOTE(word)

/* The writer's prepared statements: name, SQL. They live as long as the connection. */
#define STATEMENTS(X)                                                                                                   \
    X(BEGIN, "BEGIN IMMEDIATE")                                                                                         \
    X(COMMIT, "COMMIT")                                                                                                 \
    X(ROLLBACK, "ROLLBACK")                                                                                             \
    X(PROBE, "PRAGMA application_id = " STORE_TEXT(STORE_APPLICATION_ID)) /* as it is: a write that changes nothing */  \
    X(MACHINE_CREATE, "INSERT INTO machine (name, created, settings) VALUES (?, ?, ?)")                                 \
    X(MACHINE_DELETE, "DELETE FROM machine WHERE id = ?")                                                               \
    X(MACHINE_SETTINGS, "UPDATE machine SET settings = ?2 WHERE id = ?1")                                               \
    X(MACHINE_EXISTS, "SELECT 1 FROM machine WHERE id = ?")                                                             \
    X(STATE_PUT,                                                                                                        \
      "INSERT OR REPLACE INTO state (machine, phase, phase_since, phase_learned, last_learn, last_detect, last_seen, "  \
      "last_measured, interval, anomaly, anomaly_similarity, anomaly_distance, anomaly_buffers, memory, window) "       \
      "VALUES (?1, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, "                                                             \
      "coalesce(?, (SELECT window FROM state WHERE machine = ?1)))")                                                    \
    X(KNOWLEDGE_PUT,                                                                                                    \
      "INSERT INTO knowledge (machine, changed, bytes) VALUES (?, ?, ?) ON CONFLICT (machine) "                         \
      "DO UPDATE SET changed = excluded.changed, bytes = excluded.bytes") /* in place: REPLACE frees and takes pages */ \
    X(SNAPSHOT_TAKE, "INSERT INTO snapshot (machine, taken, reason, note, upto, accepted, bytes) SELECT machine, ?2, "  \
                     "?3, coalesce(?4, ''), " LAST_KEPT("?1") ", " ACCEPTED("?1") ", bytes "                            \
                                                                                  "FROM knowledge WHERE machine = ?1")  \
    X(SNAPSHOT_ADD, "INSERT INTO snapshot (machine, taken, reason, note, upto, bytes) VALUES (?1, ?2, ?3, ?4, 0, ?5)")  \
    X(SNAPSHOT_DAILY,                                                                                                   \
      "INSERT INTO snapshot (machine, taken, reason, upto, accepted, bytes) SELECT k.machine, ?1, '" SNAPSHOT_DAILY     \
      "', " LAST_KEPT("k.machine") ", " ACCEPTED(                                                                       \
          "k.machine") ", k.bytes FROM knowledge k JOIN state s ON s.machine = k.machine "                              \
                       "WHERE s.phase <> 0 AND k.bytes IS NOT "                                                         \
                       "(SELECT bytes FROM snapshot WHERE machine = k.machine ORDER BY id DESC LIMIT 1) "               \
                       "AND NOT EXISTS "                                                                                \
                       "(SELECT 1 FROM snapshot WHERE machine = k.machine AND reason = '" SNAPSHOT_DAILY                \
                       "' AND taken >= ?2 AND taken <= ?1)")                                                            \
    X(SNAPSHOT_PRUNE, "DELETE FROM snapshot WHERE machine = ?1 AND id NOT IN " NEWEST_SNAPSHOTS("?1", "?2", "?3"))      \
    X(SNAPSHOT_PRUNE_ALL, "DELETE FROM snapshot AS s WHERE id NOT IN " NEWEST_SNAPSHOTS("s.machine", "?1", "?2"))       \
    X(SNAPSHOT_EXPIRE, "DELETE FROM snapshot AS s WHERE taken < ?1 AND taken >= ?2 AND id <> "                          \
                       "(SELECT max(id) FROM snapshot WHERE machine = s.machine)")                                      \
    X(COMMISSIONING_BACK, "DELETE FROM commissioning WHERE machine = ?1 AND id > "                                      \
                          "(SELECT upto FROM snapshot WHERE id = ?2)")                                                  \
    X(ANOMALY_BACK, "UPDATE anomaly SET event = 3, undo = 0 WHERE machine = ?1 AND event = 4 AND undo >= ?2")           \
    X(ANOMALY_FORTH, "UPDATE anomaly SET event = 4, undo = ?3 WHERE machine = ?1 AND event = 3 AND id IN "              \
                     "(SELECT value FROM json_each((SELECT accepted FROM snapshot WHERE id = ?2)))")                    \
    X(EVIDENCE_ADD, "INSERT INTO evidence (machine, at, axes, step, zero, samples, anomaly, features) VALUES (?, ?, "   \
                    "?, ?, ?, ?, ?, ?)")                                                                                \
    X(ACCEPTED_FORGET, "DELETE FROM evidence WHERE machine = ?1 AND anomaly IN "                                        \
                       "(SELECT id FROM anomaly WHERE machine = ?1 AND event = 4)")                                     \
    X(EVIDENCE_FORGET, "DELETE FROM evidence WHERE machine = ?")                                                        \
    X(EVIDENCE_PRUNE, "DELETE FROM evidence WHERE machine = ?1 AND anomaly NOT IN (SELECT DISTINCT anomaly FROM "       \
                      "evidence WHERE machine = ?1 ORDER BY anomaly DESC LIMIT ?2)")                                    \
    X(MUTE_PUT, "INSERT OR REPLACE INTO mute (machine, since, until, finish, who, why) VALUES (?, ?, ?, ?, ?, ?)")      \
    X(MUTE_END, "DELETE FROM mute WHERE machine = ?")                                                                   \
    X(CANDIDATE_PUT,                                                                                                    \
      "INSERT OR REPLACE INTO candidate (machine, made, buffers, accepted, bytes) VALUES (?, ?, ?, ?, ?)")              \
    X(CANDIDATE_DROP, "DELETE FROM candidate WHERE machine = ?")                                                        \
    X(MARK_PUT, "INSERT OR REPLACE INTO mark (machine, source, boot, high, seen, used) VALUES (?, ?, ?, ?, ?, ?)")      \
    X(MARKS_CLEAR, "DELETE FROM mark WHERE machine = ?")                                                                \
    X(COMMISSIONING_ADD,                                                                                                \
      "INSERT INTO commissioning (machine, at, axes, step, zero, samples) VALUES (?, ?, ?, ?, ?, ?)")                   \
    X(COMMISSIONING_FORGET, "DELETE FROM commissioning WHERE machine = ?")                                              \
    X(ANOMALY_PUT,                                                                                                      \
      "INSERT INTO anomaly (id, machine, asset, raised, cleared, event, similarity, distance, threshold, "              \
      "sensitivity, learned, buffers, explanation, context, knowledge_crc, undo) "                                      \
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "                                                        \
      "ON CONFLICT (id) DO UPDATE SET cleared = excluded.cleared, event = excluded.event, "                             \
      "similarity = excluded.similarity, distance = excluded.distance, buffers = excluded.buffers, "                    \
      "explanation = excluded.explanation, undo = excluded.undo") /* no REPLACE: that would delete the evidence */      \
    X(ANOMALY_PRUNE, "DELETE FROM anomaly WHERE cleared <> 0 AND id IN (SELECT id FROM anomaly ORDER BY id LIMIT "      \
                     "max((SELECT count(*) FROM anomaly) - ?, 0))") /* numbers may have been left out between */        \
    X(EVENT_ADD,                                                                                                        \
      "INSERT INTO event (at, topic, whole, payload, retain, correlation, waits) VALUES (?, ?, ?, ?, ?, ?, ?)")         \
    X(OUTBOX_PRUNE, "DELETE FROM event WHERE waits = 1 AND id <= ?")                                                    \
    X(EVENT_PRUNE, "DELETE FROM event WHERE waits = 0 AND id <= ?")                                                     \
    X(OUTBOX_DONE, "UPDATE event SET waits = 0 WHERE id = ?")                                                           \
    X(EVENTS_FORGET, "DELETE FROM event WHERE waits = 0 AND whole = 0 AND "                                             \
                     "substr(topic, 1, instr(topic, '/')) = (SELECT name || '/' FROM machine WHERE id = ?1)")           \
    X(BACKUP_PUT, "INSERT OR REPLACE INTO backup (id, at, gateway, size) VALUES (1, ?, ?, ?)")                          \
    X(HOUR_PRUNE, "DELETE FROM hour WHERE start < (" STARTS("hour", "DESC") " LIMIT 1 OFFSET ?1 - 1)")                  \
    X(HOURS_DELETE, "DELETE FROM hour WHERE machine = ?1 AND start IN (" STARTS("hour", "ASC") ")")                     \
    X(REPORT_PRUNE, "DELETE FROM report WHERE start < (" STARTS("report", "DESC") " LIMIT 1 OFFSET ?1 - 1)")            \
    X(REPORTS_DELETE, "DELETE FROM report WHERE machine = ?1 AND start IN (" STARTS("report", "ASC") ")")               \
    X(REPORT_FORGET, "DELETE FROM report WHERE start >= ?")                                                             \
    X(AUDIT_ADD, "INSERT INTO audit (at, actor, door, address, action, machine, detail, outcome) "                      \
                 "VALUES (?, ?, ?, ?, ?, ?, ?, ?)")                                                                     \
    X(AUDIT_END, "UPDATE audit SET outcome = ?2 WHERE id = ?1")                                                         \
    X(AUDIT_PRUNE, "DELETE FROM audit WHERE id <= ?")                                                                   \
    X(REPORTING_PUT, "INSERT OR REPLACE INTO reporting (id, closed, made, date) VALUES (1, ?, ?, ?)")

enum statement {
#define STATEMENT_ENUM(name, sql) STATEMENT_##name,
    STATEMENTS(STATEMENT_ENUM)
#undef STATEMENT_ENUM
        STATEMENT_HOUR_ADD, /* their texts follow the tables in record/hour.h */
    STATEMENT_REPORT_ADD,
    STATEMENT_COUNT
};

enum op_kind {
    OP_CHANGE,
    OP_CREATE,
    OP_DELETE,
    OP_SNAPSHOT,
    OP_DAILY,
    OP_PUBLISH,
    OP_OUTBOX_DONE,
    OP_REPORTS,
    OP_AUDIT_ADD,
    OP_AUDIT_END,
    OP_BACKUP,
    OP_WIPE
};

struct store_op {
    enum op_kind kind;
    struct store_op *next;
    bool done, forgotten; /* forgotten: nobody waits, the writer frees it */
    int result;
    int64_t machine;                     /* DELETE; result of CREATE; id of OUTBOX_DONE */
    int64_t since;                       /* DAILY: when the day began */
    const char *id;                      /* CREATE; in bytes[] */
    struct store_change change;          /* pointers into bytes[] */
    const struct store_reports *reports; /* REPORTS: the caller's, who waits */
    const struct audit *audit;           /* AUDIT_ADD: the same; its id comes as `machine` */
    int outcome;                         /* AUDIT_END, of the record `machine` */
    const struct store_backup *backup;   /* BACKUP: the caller's, who waits */
    _Alignas(8) char bytes[];            /* parts of the change, each at a multiple of eight */
};

enum store_scrub { SCRUB_NONE, SCRUB_LOG, SCRUB_ALL };

enum { STORE_BUSY_MS = 1000 }; /* somebody else has the database, a backup perhaps; we must stop within 5 s */

enum { STORE_APART = 64 }; /* machines with an epoch of their own; with one more all get a new one */

enum { STORE_FILE_SIZE = STORE_PATH_SIZE + 64 };

/* Files of ours beside a store. What is made in passing has a name that nobody gives to a backup: it is deleted without a question. */
#define COPY_SUFFIX  ".habitd-backup-"  /* made, and has not lost its name yet */
#define ANEW_SUFFIX  ".habitd-copy"     /* of what is open, in the place of files that are gone */
#define FRESH_SUFFIX ".habitd-restore"  /* comes into force next */
#define KEPT_SUFFIX  ".before-restore-" /* was in force */

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

    _Atomic uint64_t epoch;    /* of all machines but those */
    atomic_size_t apart_count; /* below with the mutex */
    struct {
        int64_t machine;
        uint64_t epoch;
    } apart[STORE_APART];
    uint64_t last_epoch;        /* the writer's */
    _Atomic int64_t busy_since; /* awake ms at which the writer took its group; 0 = it waits for one */
    _Atomic int64_t next_anomaly;
    atomic_bool no_broker;
    struct histogram commit_duration, commit_size;
    struct budget budget;   /* the writer's */
    int64_t due;            /* the writer's: awake ms before which it does not commit */
    _Atomic uint64_t daily; /* bytes; 0 = no ceiling */
    _Atomic double strain;  /* of the budget at the last commit */
    uint64_t dropping;      /* the writer's: messages that had to make room in this transaction */
    int64_t taken;          /* the writer's: the last snapshot that the change being applied took; 0 = none */
    int64_t pruned_hour;    /* the writer's: the hour, since 1970, in which old counters were deleted last */
    struct file_identity places[PLACES]; /* the writer's, as the rest: of what is open */
    int version;                         /* of the database, by which others' commits are seen */
    int misplaced;                       /* why they could not be put back; 0 = all are there */
    int64_t next_try;                    /* mono ms: to put them back */
    char why[STORE_WHY_SIZE];            /* the last commit failed */
    enum store_scrub scrub;              /* what was deleted must leave the files too */
    int64_t next_scrub;                  /* mono ms: it was hindered, and is tried again; 0 = it was not */
    atomic_int copies;                   /* any thread: backups that are made or sent */
    char path[STORE_PATH_SIZE];
};

/* -errno of an SQLite result. */
int store_error(int result);

/* open.c: the lock beside a store: STORE_E_IN_USE while a habitd works on it. */
int store_lock(const char *path, int *lock_fd, char message[STORE_MESSAGE_SIZE]);
int store_open_file(const char *path, int flags, sqlite3 **database);

/* files.c: calls `each` for the files whose name is the store's with a suffix, and anything behind it; stops at the first that returns
 * not 0 and returns that. A folder on the disk for sure. The owner of the folder becomes that of a file that root has made. */
int store_each_beside(const char *path, const char *suffix, int (*each)(void *user, const char *file), void *user);
int store_sync_folder(const char *path);
int store_own_as_folder(const char *path, int fd);

/* epoch.c: what was built on the store as it was until now is stale: of all, or of one machine, which is apart from now on. The writer's,
 * with the mutex held. */
void store_raise_epoch(struct store *store);
void store_raise_epoch_of(struct store *store, int64_t machine);
bool store_is_apart(const struct store *store, int64_t machine);

/* writer.c: the thread's function; argument: the store. */
void *store_write_groups(void *argument);

/* Into the writer's queue. Returns 0, or -EAGAIN with op freed. */
int store_enqueue(struct store *store, struct store_op *op);

/* open.c: takes the lock, opens both connections, and lets go of all but the lock. Return as store_open. */
int store_lock_file(struct store *store, char message[STORE_MESSAGE_SIZE]);
int store_connect(struct store *store, char message[STORE_MESSAGE_SIZE]);
void store_disconnect(struct store *store);

/* place.c: what the files are that were opened; and whether they still are, or have been put back: 0, or negative with
 * store->why. Only the writer's thread may call the latter. */
int store_note_places(struct store *store);
int store_keep_place(struct store *store);

/* schema.c: whether an open database is ours and whole, without writing a byte; its version, 0 = empty. Returns 0, STORE_E_...
 * with message, or negative. */
int store_inspect(sqlite3 *database, const char *path, int *version, char message[STORE_MESSAGE_SIZE]);

/* Whether the first bytes of a file are those of a store. */
enum { HEADER_SIZE = 100 };
bool store_is_header(const unsigned char header[HEADER_SIZE]);

/* Brings it to the newest version. Returns 0, or negative with message. */
int store_migrate(sqlite3 *database, const char *path, int version, char message[STORE_MESSAGE_SIZE]);

/* apply.c: the statements of one op, inside the open transaction. -ENOENT: of no machine, -EEXIST: the name is taken; nothing was
 * written then. Any other error: roll back; -EUCLEAN: only this op, where the file is damaged. */
int store_prepare_statements(struct store *store);
void store_finalize_statements(struct store *store);
int store_step(struct store *store, enum statement statement);
int store_apply(struct store *store, struct store_op *op);
int store_put_outgoing(struct store *store, const struct store_outgoing *outgoing, int64_t at);
int store_has_machine(struct store *store, int64_t machine); /* 0, -ENOENT or that it cannot be told */

/* hours.c: counters, sums and times at consecutive places or columns. Returns the next one. */
int store_bind_hour(sqlite3_stmt *statement, int place, const struct hour *hour);
int store_read_hour(sqlite3_stmt *statement, int column, struct hour *hour);

/* reports.c */
extern const char store_report_add[];
int store_apply_reports(struct store *store, struct store_op *op);

/* audit.c */
int store_apply_audit_add(struct store *store, struct store_op *op);
int store_apply_audit_end(struct store *store, struct store_op *op);

/* backup.c: the note of the last one into the figures; copies that a crash left; the op that makes the note. */
int store_read_backup(struct store *store);
void store_show_backup(struct store *store, int64_t at, int64_t size);
void store_forget_copies(const char *path);
int store_apply_backup(struct store *store, struct store_op *op);

/* scrub.c: after a commit that deleted what must not be found again in the files. What a reader hinders is done after a later
 * commit. */
int store_apply_wipe(struct store *store, struct store_op *op);
void store_scrub(struct store *store);

/* store.c: submits an op and waits for its end. *machine: the row of a new one; NULL = none. */
int store_run_op(struct store *store, struct store_op *op, int64_t *machine);

/* read.c: locks the reader and prepares; every begin has its end, also one that failed. */
int store_begin_reading(struct store *store, const char *sql, sqlite3_stmt **statement);
void store_end_reading(struct store *store, sqlite3_stmt *statement);

#endif
