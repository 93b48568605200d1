/* The store: the only user of SQLite. WAL with synchronous=FULL, one writer thread that commits whatever has gathered in
 * one transaction, one connection for reading.
 *
 * A change is durable when store_finish has returned 0 for it, and not before.
 *
 * Epochs: when a commit fails, nothing of it is in the database, the epoch goes up, and every change that was made on top of
 * the old epoch fails too. Whoever keeps state in memory compares its epoch with store_epoch() and loads anew where they
 * differ: so memory is never ahead of the store. Where the file turns out to be damaged under a change, that one is left out
 * of its commit, and the epoch of its machine alone goes up.
 *
 * While commits fail, one that changes nothing is tried each second: last_error goes as soon as the disk is well again.
 *
 * Files that are deleted or moved while they are open are written anew from what is open, and nothing is committed before they
 * are; while another file is in the place of the database, nothing is.
 *
 * Thread rules: any thread may call anything but open and close. */
#ifndef HABIT_STORE_STORE_H
#define HABIT_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/anomaly.h"
#include "record/audit.h"
#include "record/hour.h"
#include "record/machine.h"
#include "record/mute.h"
#include "record/report.h"
#include "record/snapshot.h"

struct store;
struct store_op; /* one submitted change on its way to the disk */
struct histogram;

enum { STORE_E_NEWER = 1, STORE_E_DAMAGED, STORE_E_FOREIGN, STORE_E_IN_USE, STORE_E_THERE };

/* Opens or makes the database file (mode 0600). Returns 0; STORE_E_NEWER: written by a later version of habit;
 * STORE_E_DAMAGED: integrity check failed, the file is left as it is; STORE_E_FOREIGN: not a database of habit;
 * STORE_E_IN_USE: another habitd has it; each with `message` saying what to do. Negative: broken. */
enum { STORE_MESSAGE_SIZE = 512 };
int store_open(struct store **ret_store, const char *path, char message[STORE_MESSAGE_SIZE]);

/* Commits what is queued, stops the writer, closes. NULL is fine; always returns NULL. */
struct store *store_close(struct store *store);

/* ---------------------------------------------------------------------------------------------------------- changes */

/* What is said once: a row that waits until the broker has acknowledged it, and is kept for readers of the event stream. */
struct store_outgoing {
    const char *topic; /* below the root: "pump-1/anomaly", "pump-1/report/daily" */
    const char *payload;
    bool retain;
    bool whole;              /* topic is complete: the response topic of somebody who sent a command */
    const void *correlation; /* data of that command, to be sent back with the answer; NULL = none */
    size_t correlation_size;
};

/* A buffer as it is kept: for commissioning, or as evidence of an anomaly. */
struct store_buffer {
    const int16_t *samples; /* interleaved by axis, value = offset[axis] + step[axis] * sample */
    size_t count;
    const float *step, *offset; /* axes of each */
    uint32_t axes;
    int64_t at;
    int64_t anomaly; /* of evidence */
    const char *
        features; /* of evidence: JSON object of what the engine made of it; then there are no samples, step and offset */
};

/* Knowledge that was relearned and is not in force. */
struct store_candidate {
    int64_t made;               /* wall ms; 0 = none */
    uint32_t buffers, accepted; /* that it was learned from; that an operator had accepted */
    const void *bytes;          /* sealed block */
    size_t size;
};

/* One atomic change of one machine; NULL parts are left as they are. Everything is copied. */
struct store_change {
    int64_t machine; /* row */
    uint64_t epoch;  /* that the submitter's memory is of */
    int64_t at;      /* wall ms */
    const struct strategy_state *state;
    const void *window; /* bytes of the engine's window */
    size_t window_size;
    const void *knowledge; /* sealed block */
    size_t knowledge_size;
    const char *snapshot;       /* reason: the knowledge in the store before this change becomes a snapshot */
    const char *snapshot_after; /* the same of the knowledge as this change leaves it */
    const char *snapshot_note;  /* of both; NULL = none */
    int64_t restored;           /* snapshot that is put in force; 0 = none: commissioning buffers that came after it are
                                 * forgotten, what was accepted after it is not any more, what it knows as accepted is again */
    const char *settings;       /* JSON of what REST has set */
    const struct mark *marks;   /* all of the machine: what is not among them is deleted */
    size_t mark_count;
    const struct store_buffer *commissioning;
    size_t commissioning_count;
    bool forget_commissioning; /* and the buffers of anomalies that were accepted: what the knowledge was of */
    bool forget_buffers;       /* every sample of the machine, such that the files hold none of it */
    const struct store_buffer *evidence; /* of anomalies of the machine; bounded there, not here */
    size_t evidence_count;
    const struct mute *mute;                 /* until 0: not muted any more */
    const struct store_candidate *candidate; /* made 0: none any more */
    const struct anomaly *anomalies;         /* inserted or replaced by id */
    size_t anomaly_count;
    const struct store_outgoing *outgoing; /* to the broker */
    size_t outgoing_count;
    const struct hour *hours; /* added to what is there for those hours */
    size_t hour_count;
};

/* Queues a change. Returns 0 with *op to be given to store_finish (op NULL: nobody waits); -EAGAIN when the queue is full;
 * -ENOMEM. */
int store_submit(struct store *store, const struct store_change *change, struct store_op **op);

/* Waits until the change is on disk, frees op. Returns 0; -EIO, -ENOSPC, -EROFS; -EUCLEAN (the file is damaged where it belongs, or
 * it was made on top of such a one); -ESTALE (made on an old epoch), -ENOENT (of a machine that is deleted), both without a new
 * epoch: nothing of it is in the store. NULL op: 0. */
int store_finish(struct store *store, struct store_op *op);

/* That a change of this machine must be of. */
uint64_t store_epoch(struct store *store, int64_t machine);

/* A ceiling for what is written in 24 hours, for flash that wears out; 0 = none. As it comes near, commits wait up to
 * STORE_LONGEST_WAIT ms to gather more, so that answers are later; what is answered is as durable as ever, so that much that is
 * learned goes beyond it all the same. The 24 hours begin now. */
enum { STORE_LONGEST_WAIT = 1000 };
void store_limit_writes(struct store *store, uint64_t daily_bytes);

/* How near the ceiling is, as of the last commit: 0 = not near, 1 = reached. */
double store_strain(const struct store *store);

/* Machines. create waits for its commit and gives the row; `first` is its first change, with at = created and settings; its
 * machine and epoch do not matter. -EEXIST when the ID is taken. */
int store_create_machine(struct store *store, const char *id, const struct store_change *first, int64_t *machine);

/* Deletes a machine and all that is stored of it; what is still to be said of it goes into the outbox. */
int store_delete_machine(struct store *store, int64_t machine, const struct store_outgoing *outgoing, size_t count,
                         int64_t at);

/* Says something that changes no machine; waits for its commit. at: wall ms. */
int store_publish(struct store *store, const struct store_outgoing *outgoing, size_t count, int64_t at);

/* The next anomaly's id: not used before, also by one that is deleted, or whose change fails. */
int64_t store_next_anomaly(struct store *store);

/* ---------------------------------------------------------------------------------------------------------- reading */

/* One machine as stored; pointers are valid during the callback only. */
struct store_machine {
    int64_t machine;
    const char *id;
    int64_t created;
    const char *settings;
    struct strategy_state state;
    const void *window;
    size_t window_size;
    const void *knowledge; /* NULL = none */
    size_t knowledge_size;
    const struct mark *marks; /* all of the machine: what is not among them is deleted */
    size_t mark_count;
    uint32_t commissioning_count;
    uint64_t commissioning_bytes;
    struct mute mute; /* until 0: none */
    struct store_candidate candidate;
};

/* Calls `each` for every machine (0), or for one row; stops at the first that returns < 0 and returns that. Under the read
 * lock: `each` calls nothing of the store. */
int store_load_machines(struct store *store, int64_t machine,
                        int (*each)(void *user, const struct store_machine *machine), void *user);

/* When the newest snapshot of each machine's knowledge was taken, by ID. Under the read lock, as above. */
int store_snapshot_times(struct store *store, void (*each)(void *user, const char *id, int64_t taken), void *user);

struct anomaly_query {
    const char *machine, *asset; /* NULL = any */
    int64_t from, to;            /* raised in [from, to); 0 = open */
    int64_t before;              /* cursor: ids below; 0 = newest first from the end */
    int64_t id;                  /* this one only; 0 = any */
    size_t limit;
};

/* Newest first into anomalies[limit], whose explanations are the caller's to free. Returns how many, or negative. */
int store_anomalies(struct store *store, const struct anomaly_query *query, struct anomaly *anomalies);

/* Hours of a machine that start in [from, to), at most limit. Returns how many, or negative. */
int store_hours(struct store *store, int64_t machine, int64_t from, int64_t to, struct hour *hours, size_t limit);

/* Calls `each` for every hour of every machine that starts in [from, to). Under the read lock, as all with `each` are. */
int store_hours_of_all(struct store *store, int64_t from, int64_t to,
                       void (*each)(void *user, int64_t machine, const struct hour *hour), void *user);

/* Start of the newest hour that was counted in, 0 = none: no clock that is right can be before it. And of the oldest. */
int store_hours_span(struct store *store, int64_t *oldest, int64_t *newest);

/* Calls `each` for every anomaly that was open in [from, to), oldest first; the explanation is valid during the call only. */
int store_anomalies_between(struct store *store, int64_t from, int64_t to,
                            void (*each)(void *user, int64_t machine, const struct anomaly *anomaly), void *user);

/* ------------------------------------------------------------------------------------------- snapshots, kept buffers */

/* Adds a snapshot that is not, and was not, in force. Waits for the commit. Returns 0 or negative. */
int store_add_snapshot(struct store *store, int64_t machine, const char *reason, const char *note, const void *bytes,
                       size_t size, int64_t at);

/* A snapshot of every machine whose knowledge changed since its last one, but one a day; `since`: when the day began. Deletes what
 * is too old. Waits for the commit. Returns 0 or negative. */
int store_daily_snapshots(struct store *store, int64_t since, int64_t at);

/* Calls `each` for the snapshots of a machine, or for one of them (0 = all), newest first. bytes are valid during the call only.
 * Under the read lock. */
int store_snapshots(struct store *store, int64_t machine, int64_t id,
                    void (*each)(void *user, const struct snapshot *snapshot, const void *bytes), void *user);

/* How many commissioning buffers of a machine there are that a snapshot knows, and their bytes. */
int store_commissioning_of(struct store *store, int64_t machine, int64_t snapshot, uint32_t *count, uint64_t *bytes);

enum store_kept {
    KEPT_COMMISSIONING,
    KEPT_EVIDENCE, /* of one anomaly */
    KEPT_ACCEPTED, /* evidence of all anomalies of a machine that were accepted */
    KEPT_STRANGE   /* and of those that were not */
};

/* Calls `each` for kept buffers, oldest first; `of`: row of the machine, for EVIDENCE the anomaly. They are valid during the call
 * only. Stops at the first that returns < 0 and returns that. Under the read lock. */
int store_kept(struct store *store, enum store_kept kept, int64_t of,
               int (*each)(void *user, const struct store_buffer *buffer), void *user);

/* Calls `each` for what the engine made of the strange buffers of an anomaly, where no samples of them are stored. As store_kept. */
int store_features(struct store *store, int64_t anomaly, int (*each)(void *user, const char *features), void *user);

/* Whether samples of a machine are stored, and whether features are. Returns 0 or negative. */
int store_holds(struct store *store, int64_t machine, bool *samples, bool *features);

/* ---------------------------------------------------------------------------------------------------- daily reports */

/* Calls `each` for every stored report of one machine, or of all (0), of days that start in [from, to), by start. `hour` is empty,
 * `machine` too; the explanation is valid during the call only. */
int store_reports(struct store *store, int64_t machine, int64_t from, int64_t to,
                  void (*each)(void *user, const struct daily_report *report), void *user);

/* Takes reports that nobody has made before, each with its message; of one that is there already neither. With `progress` it also
 * notes how far days are reported, and forgets reports beyond LIMIT_REPORTS days. Waits for the commit. Returns 0 or negative:
 * then nothing of it is in the store. */
struct store_reports {
    const struct daily_report *reports;
    const struct store_outgoing *outgoing; /* of each report; payload NULL = none */
    size_t count;
    const struct report_progress *progress; /* NULL = as it was */
    int64_t forget;                         /* with progress: reports of days from here on are deleted; 0 = none */
    const struct store_outgoing *summary;   /* goes out with the progress; NULL = none */
    int64_t at;                             /* wall ms: when they go out */
};
int store_put_reports(struct store *store, const struct store_reports *reports);

/* All 0 and "" where nothing was reported yet. */
int store_report_progress(struct store *store, struct report_progress *progress);

/* ------------------------------------------------------------------------------------------------------------ audit */

/* The record of a change, before it is made: waits for its commit, fills audit->id. Returns 0, or negative: then the change is not
 * to be made. The newest LIMIT_AUDIT are kept. */
int store_audit_begin(struct store *store, struct audit *audit);

/* What became of it; waits for its commit, so that an answer is never ahead of its record. Where that fails, the outcome stays
 * unknown. */
void store_audit_end(struct store *store, int64_t id, int outcome);

struct audit_query {
    const char *machine; /* NULL = any */
    int64_t from, to;    /* at in [from, to); 0 = open */
    int64_t after;       /* cursor: ids above */
    size_t limit;
};

/* Oldest first into audits[limit]. Returns how many, or negative. */
int store_audits(struct store *store, const struct audit_query *query, struct audit *audits);

/* ----------------------------------------------------------------------------------------------------------- outbox */

struct outbox_message {
    int64_t id, at;
    char *topic, *payload; /* heap */
    bool retain, whole;
    void *correlation; /* heap; NULL = none */
    size_t correlation_size;
};

/* Messages that wait for the broker with id > after, oldest first. Returns how many, or negative. */
int store_outbox(struct store *store, int64_t after, struct outbox_message *messages, size_t limit);

/* The same of all that is kept, whether the broker has it or not. */
int store_events(struct store *store, int64_t after, struct outbox_message *messages, size_t limit);

/* Frees what one of them filled in. */
void store_free_messages(struct outbox_message *messages, size_t count);

/* Ids of the oldest event that is kept (0 = none is), and of the newest there ever was. */
int store_event_range(struct store *store, int64_t *oldest, int64_t *newest);

/* How many messages wait for the broker, and since when (wall ms; 0 = none waits). */
int store_outbox_backlog(struct store *store, uint64_t *count, int64_t *since);

/* A gateway without a broker keeps events, but nothing waits. */
void store_without_broker(struct store *store);

/* The broker has it: forgotten with the next commit, at the latest with the next flush. */
void store_outbox_done(struct store *store, int64_t id);

/* The same for one that can never be published: it is counted among the dropped. */
void store_outbox_drop(struct store *store, int64_t id);

/* Calls hook(user) after each commit that put messages into the outbox; on the writer's thread, so it only wakes somebody.
 * hook NULL: none; when this returns, the old one is not running and will not be called again. */
void store_on_outgoing(struct store *store, void (*hook)(void *user), void *user);

/* Since when the writer has been at its present transaction, in awake milliseconds; 0 = it waits for work. Any thread. */
int64_t store_busy_since(const struct store *store);

/* ------------------------------------------------------------------------------------------------- backup, wiping */

/* A copy of the store, whole and of one moment, while changes go on: what habitd --restore takes. Nothing in it waits for the broker,
 * so that a restored gateway says nothing twice; ids go on behind those that the original may use meanwhile. */
struct store_backup {
    int fd;       /* of the copy, which has no name: whoever closes it gives its room back */
    int64_t size; /* bytes */
    int64_t at;   /* wall ms */
    char gateway[64];
};

/* Makes one of backup->at and gateway. cancelled: asked now and then, on this thread; true ends it. Returns 0, or -EBUSY: as many as
 * there may be are made or sent; -ENOSPC: the file system has no room for a second store; -ECANCELED; or another error. */
int store_backup(struct store *store, struct store_backup *backup, bool (*cancelled)(void *user), void *user);

/* After fd is closed, once for each that was made: then there is room for another. Any thread. */
void store_end_backup(struct store *store);

/* Somebody has every byte of it: noted, waits for the commit. fd does not matter. */
int store_note_backup(struct store *store, const struct store_backup *backup);

/* Deletes everything, records of changes included, such that the files hold none of it. Waits for the commit. The registry's machines
 * are to be deleted before. */
int store_wipe(struct store *store);

/* Without a daemon: puts a copy in the place of the store at `path`. What is there is kept beside, under the name in `kept` ("" =
 * nothing was there); without `replace` it is refused. Either the old or the new store is in place, also after a power cut. Returns 0,
 * STORE_E_..., or negative, each with message; then the store is as it was. */
struct store_restored {
    char gateway[64]; /* that the copy is of */
    int64_t at;       /* when it was made; 0 = it is no copy by store_backup, but a store with its log */
    uint32_t machines, anomalies;
    char kept[320];
};
int store_restore(const char *path, const char *from, bool replace, struct store_restored *restored,
                  char message[STORE_MESSAGE_SIZE]);

/* Without a daemon: overwrites the files of the store, and those that a restore has kept, and deletes them. Calls `each` with the name
 * of every file before. `really` false: only that. Returns as store_restore. */
int store_destroy(const char *path, bool really, void (*each)(void *user, const char *file), void *user,
                  char message[STORE_MESSAGE_SIZE]);

/* Figures for info and health. */
enum { STORE_WHY_SIZE = 160 };
struct store_figures {
    uint64_t commits, failed_commits, changes;
    uint64_t outbox_dropped;
    int64_t size_bytes, free_bytes;                        /* of the database; of its file system */
    int64_t written_bytes;                                 /* into the database and its log, by this process */
    uint64_t daily_bytes;                                  /* ceiling of store_limit_writes; 0 = none */
    double strain;                                         /* see store_strain */
    int last_error;                                        /* of the last commit: 0 = fine */
    char why[STORE_WHY_SIZE];                              /* it failed, in words; "" = it did not */
    int64_t backup_at, backup_size;                        /* the last one, wall ms; 0 = never */
    const struct histogram *commit_duration, *commit_size; /* ns; changes in a transaction. The store's, atomic */
};
void store_figures(struct store *store, struct store_figures *figures);

#endif
