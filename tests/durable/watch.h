/* A library that is preloaded into habitd and stands between it and the kernel: it notes what reaches the disk and what leaves
 * by the doors, in one order (recorder.c); and it ends the process, or lets a call fail, at a point that a test has chosen
 * (points.c). The calls themselves are in calls.c.
 *
 *   HABIT_WATCH_STORE        path of the database: it, its -wal and -journal and their folder are watched
 *   HABIT_WATCH_LOG          where the recording goes; without: none is made
 *   HABIT_WATCH_CONTROL      a file of struct control, shared with the test; without: nothing is counted, nothing fails
 *   HABIT_WATCH_PRAGMAS      SQL that runs after habitd's own settings of the database
 *
 * Thread rules: any thread may call anything. */
#ifndef TEST_DURABLE_WATCH_H
#define TEST_DURABLE_WATCH_H

#include <stdint.h>
#include <sys/uio.h>

/* What a descriptor is. */
#define OBJECTS(X)        \
    X(OTHER, "other")     \
    X(DATABASE, "db")     \
    X(WAL, "wal")         \
    X(JOURNAL, "journal") \
    X(FOLDER, "folder")   \
    X(CLIENT, "http")     \
    X(BROKER, "mqtt")     \
    X(HEAP, "heap")

#define CALLS(X)            \
    X(OPEN, "open")         \
    X(READ, "read")         \
    X(WRITE, "write")       \
    X(SYNC, "sync")         \
    X(TRUNCATE, "truncate") \
    X(UNLINK, "unlink")     \
    X(ALLOCATE, "allocate")

enum object {
#define OBJECT_ENUM(name, word) OBJECT_##name,
    OBJECTS(OBJECT_ENUM)
#undef OBJECT_ENUM
        OBJECT_COUNT
};
enum call {
#define CALL_ENUM(name, word) CALL_##name,
    CALLS(CALL_ENUM)
#undef CALL_ENUM
        CALL_COUNT
};

/* A point is a call on an object, before it is made or after: "wal-sync", "wal-sync-done". */
enum { POINT_COUNT = OBJECT_COUNT * CALL_COUNT * 2, POINT_NAME_SIZE = 32 };
void watch_point_name(int point, char name[POINT_NAME_SIZE]);

/* Shared with the test, which writes `point` last; see support_watch.py. */
enum action { ACTION_KILL = 1, ACTION_FAIL = 2, ACTION_FAIL_ON = 3 };
struct control {
    int32_t action;            /* kill; fail once; fail from then on */
    int32_t error;             /* errno of what fails */
    int64_t countdown;         /* 1 = the next time */
    int64_t fired;             /* how often it has happened */
    int64_t hits[POINT_COUNT]; /* how often each was passed */
    int32_t point;             /* -1 = none */
};

/* points.c. before: 0, or the errno with which the call shall fail. */
void points_open(const char *path);
int points_before(enum object object, enum call call);
void points_after(enum object object, enum call call);

/* What is logged, each a struct record with `size` bytes behind it, where it says so. */
enum record_kind {
    RECORD_CREATE = 1, /* object came into being */
    RECORD_WRITE,      /* offset, bytes; before the call */
    RECORD_TRUNCATE,   /* offset = new size; before the call */
    RECORD_UNLINK,
    RECORD_RENAME,     /* offset = enum object of the new name */
    RECORD_SYNC,       /* begins */
    RECORD_SYNCED,     /* is over */
    RECORD_CONNECTION, /* id, offset = the peer's port */
    RECORD_SENT,       /* id, bytes; before the call */
    RECORD_UNSENT      /* id, offset = bytes of the last RECORD_SENT that the kernel did not take */
};
struct record {
    uint32_t kind, object;
    uint64_t id; /* of a connection; of a sync */
    uint64_t offset, size;
};

/* recorder.c */
void recorder_open(const char *path);
void record(enum record_kind kind, enum object object, uint64_t id, uint64_t offset);
void record_bytes(enum record_kind kind, enum object object, uint64_t id, uint64_t offset, const struct iovec *parts,
                  int count, uint64_t size);

/* A name that is none of ours is OBJECT_OTHER. */
void objects_open(const char *store);
enum object object_named(const char *path);

#endif
