/* The machines: one engine, one lock, one strategy state each. The only user of the engine; doors come in here.
 *
 * Every call that changes something takes a `receipt`: NULL = wait until it is durable before returning (HTTP); else the
 * receipt is filled and the caller gives it to registry_settle before it acknowledges anything (MQTT: many at once).
 *
 * Returns of all calls: 0; a refusal code (positive) with *refusal filled and nothing changed; negative: broken. */
#ifndef HABIT_REGISTRY_REGISTRY_H
#define HABIT_REGISTRY_REGISTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/error.h"
#include "config/config.h"
#include "record/anomaly.h"
#include "record/machine.h"
#include "record/mute.h"
#include "record/recent.h"
#include "record/relearned.h"
#include "record/snapshot.h"
#include "record/verdict.h"
#include "report/group.h"
#include "store/store.h"
#include "wire/buffer.h"

struct registry;
struct histogram;

/* Takes what the store holds. config and store must outlive it. message: what was set aside or in conflict goes to the log. */
int registry_new(struct registry **ret_registry, const struct config *config, struct store *store);
struct registry *registry_free(struct registry *registry);

struct machine;

struct receipt {
    struct store_op *op;
    struct machine *machine; /* referenced until it is settled */
    uint32_t generation;     /* of the machine's memory */
    uint64_t learned;        /* buffers that count as learned once it is settled */
    uint32_t raised;         /* anomalies likewise */
    int64_t began;           /* clock_ticks() when the door had it all */
    enum transport transport;
};

/* Waits until what the receipt stands for is on disk. Returns 0 or a refusal (STORE, DAMAGED). Must be called once for each receipt. */
int registry_settle(struct registry *registry, struct receipt *receipt, struct refusal *refusal);

/* ---------------------------------------------------------------------------------------------------------- buffers */

enum intent { INTENT_BUFFER, INTENT_LEARN, INTENT_DETECT };

struct arrival {
    const char *id; /* valid machine ID */
    enum intent intent;
    enum wire_encoding encoding;
    const void *bytes;
    size_t size;
    bool dry_run;                       /* judge, touch nothing (detect only) */
    int format;                         /* enum sample_format of a RAW body; -1 = the machine's setting */
    const struct wire_line *line;       /* of JSON that was read already: bytes do not count; NULL = they do */
    const struct wire_message *message; /* decoded already, for several machines: bytes do not count; NULL = not yet */
    const struct config_target *target; /* which of its channels are this machine's */
    const struct config_input *input; /* format, layout, scale, offset, path come from here; NULL = from the machine */
    const struct wire_meta *meta;     /* NULL = nothing known */
    const char *topic; /* where it came from, for the pending list; NULL = HTTP: unknown machines are 404 */
    struct moment now;
};

/* What an [input] with stream = yes gives is joined to what the machine's stream left over, and cut into buffers: *count may be 0.
 * What is missing of a stream drops its unfinished buffer, counted as GAP. A buffer of it that the engine refuses is dropped and
 * counted, the others are taken.
 *
 * Decodes, finds the machine (creates it where a pattern says so, else pending), lets the strategy decide, learns or detects,
 * queues what must be durable. verdicts: `room` of them, which may be 0; *count: how many buffers came; those beyond room are
 * applied but not answered. A batch is all or nothing. */
int registry_submit(struct registry *registry, const struct arrival *arrival, struct verdict *verdicts, size_t room,
                    size_t *count, struct receipt *receipt, struct refusal *refusal);

/* A buffer that the store has: one that was learned, or one of those that raised an anomaly. */
struct stored_buffer {
    int64_t at;           /* wall ms when it was measured */
    int64_t anomaly;      /* 0 = it was learned */
    const float *samples; /* values, of the geometry that it had then */
    size_t values;
    uint32_t axes;
};

/* Calls `each` for the stored buffers of a machine, oldest first: those learned, or those of one of its anomalies. Samples are valid
 * during the call only. Stops at the first that returns < 0. */
int registry_stored(struct registry *registry, const char *id, int64_t anomaly,
                    int (*each)(void *user, const struct stored_buffer *buffer), void *user, struct refusal *refusal);

/* Calls `each` with a JSON object for each strange buffer of an anomaly whose machine stores features instead of samples. */
int registry_features(struct registry *registry, int64_t anomaly, int (*each)(void *user, const char *features),
                      void *user, struct refusal *refusal);

/* Named numbers that come beside buffers; latest value each. */
int registry_context(struct registry *registry, const char *id, const struct wire_meta *context, struct moment now,
                     struct refusal *refusal);

/* --------------------------------------------------------------------------------------------------------- machines */

/* PUT (replaces all REST settings) and PATCH (null = back to file or default). *created tells whether it is new.
 * if_match: "" or the ETag the caller has seen; PRECONDITION where it is another now. For registry_put and registry_put_knowledge
 * also registry_only_new itself: PRECONDITION where there is such a machine. */
extern const char registry_only_new[];
int registry_put(struct registry *registry, const char *id, const void *json, size_t size, const char *if_match,
                 bool *created, struct refusal *refusal);
int registry_patch(struct registry *registry, const char *id, const void *json, size_t size, const char *if_match,
                   struct refusal *refusal);
int registry_delete(struct registry *registry, const char *id, const char *if_match, struct refusal *refusal);

/* Deletes every machine and all else that the store holds, records of changes included, such that its files hold none of it. The
 * broker gets up to `patience` ms to take what clears its retained topics; *unsaid: messages that it did not take. */
struct wiped {
    uint32_t machines;
    uint64_t unsaid;
};
int registry_wipe(struct registry *registry, int64_t patience, struct wiped *wiped, struct refusal *refusal);

/* ETag of a machine's settings, quoted. */
enum { ETAG_SIZE = 24 };
int registry_show(struct registry *registry, const char *id, struct machine_view *view, char etag[ETAG_SIZE],
                  struct moment now, struct refusal *refusal);

/* Machines with IDs above `after` in byte order. Returns how many, or negative. */
int registry_list(struct registry *registry, const char *after, struct machine_view *views, size_t limit,
                  struct moment now);

/* Start learning, or learn on. */
int registry_commission(struct registry *registry, const char *id, struct moment now, struct refusal *refusal);

/* Forget; the old knowledge stays as a snapshot. Also takes a changed geometry into force. */
int registry_initialize(struct registry *registry, const char *id, struct moment now, struct refusal *refusal);

int registry_set_sensitivity(struct registry *registry, const char *id, float sensitivity, const char *if_match,
                             struct refusal *refusal);

/* The sealed block; *bytes is the caller's to free. */
int registry_get_knowledge(struct registry *registry, const char *id, void **bytes, size_t *size, uint32_t *crc,
                           struct refusal *refusal);

/* ETag of a block: its CRC, quoted. */
void registry_knowledge_etag(uint32_t crc, char etag[ETAG_SIZE]);

/* A block from anywhere. An unknown machine is made from the block's own configuration. if_match: ETag of the block that
 * is to be replaced, or "". */
int registry_put_knowledge(struct registry *registry, const char *id, const void *bytes, size_t size,
                           const char *if_match, struct moment now, bool *created, struct refusal *refusal);

/* ---------------------------------------------------------------------------------- anomalies, maintenance, snapshots */

/* What raised an anomaly was normal: its stored buffers count as a state from now on, and it ends where it was open. STATE
 * where it was accepted before, or no buffers are stored. The anomaly's row says which snapshot takes it back. */
int registry_accept(struct registry *registry, int64_t id, struct moment now, struct accepted *accepted,
                    struct refusal *refusal);

/* The stored buffers of an anomaly, one behind the other; *samples is the caller's to free. *count: values. */
int registry_evidence(struct registry *registry, int64_t id, float **samples, size_t *count, struct refusal *refusal);

/* Maintenance until mute->until (wall ms; since is not read): buffers are left out, nothing is raised or told. One that is there
 * already is replaced, its beginning stays. */
int registry_mute(struct registry *registry, const char *id, const struct mute *mute, struct moment now,
                  struct refusal *refusal);

/* Its end, with what was asked for then. NOT_FOUND where there is none. */
int registry_unmute(struct registry *registry, const char *id, struct moment now, struct refusal *refusal);

/* Ends those whose time has come; what the store does not take waits for the next call. On the way machines whose memory is ahead of
 * the store are loaded anew. Returns 0 or -ENOMEM. */
int registry_end_mutes(struct registry *registry, struct moment now);

/* Snapshots of a machine, newest first. Returns how many, negative, or 0 with a refusal filled. */
enum { SNAPSHOTS_MOST = LIMIT_SNAPSHOTS + LIMIT_SNAPSHOTS_DAILY + 1 };
int registry_snapshots(struct registry *registry, const char *id, struct snapshot snapshots[SNAPSHOTS_MOST],
                       struct refusal *refusal);

/* One of them with its block, which is the caller's to free. */
int registry_get_snapshot(struct registry *registry, const char *id, int64_t number, struct snapshot *snapshot,
                          void **bytes, struct refusal *refusal);

/* Keeps the knowledge as it is; or a block from anywhere that fits the machine, which is not put in force. */
int registry_take_snapshot(struct registry *registry, const char *id, const char *note, struct moment now,
                           struct refusal *refusal);
int registry_add_snapshot(struct registry *registry, const char *id, const void *bytes, size_t size, const char *note,
                          struct moment now, struct refusal *refusal);

/* Puts a snapshot in force; what it replaces becomes one. What was accepted after it is not accepted any more, what it knows as
 * accepted is again, and commissioning buffers that came after it are forgotten. */
int registry_restore(struct registry *registry, const char *id, int64_t number, struct moment now,
                     struct refusal *refusal);

/* Once a civil day, and not while the clock is doubtful: snapshots of machines whose knowledge changed. Main thread only. Returns
 * 0 or negative. */
int registry_daily_snapshots(struct registry *registry, struct moment now);

/* Learns the stored commissioning buffers, and what was accepted, anew with this engine and the machine's settings, beside the
 * knowledge in force: from then on both judge, and only the one in force raises. Replaces what was relearned before. */
int registry_relearn(struct registry *registry, const char *id, struct moment now, struct refusal *refusal);

/* How both compare; NOT_FOUND where nothing was relearned, as for the next two. */
int registry_relearned(struct registry *registry, const char *id, struct moment now, struct relearned *relearned,
                       struct refusal *refusal);

/* Puts it in force; a snapshot leads back. Or forgets it. */
int registry_switch(struct registry *registry, const char *id, struct moment now, struct refusal *refusal);
int registry_drop_relearned(struct registry *registry, const char *id, struct moment now, struct refusal *refusal);

/* ---------------------------------------------------------------------------------------------------------- pending */

int registry_pending(struct registry *registry, const char *after, struct pending *pendings, size_t limit);

/* Makes a pending ID a machine. json: its settings; with axes but no buffer_size, that follows from the size seen. */
int registry_adopt(struct registry *registry, const char *id, const void *json, size_t size, struct refusal *refusal);

/* ----------------------------------------------------------------------------------------- reports, history */

/* Whose reports: one machine's, or those of all with IDs above `after`, or of those that belong to an asset. */
struct report_query {
    const char *machine, *after, *asset; /* NULL = any */
    struct civil_day day;
    size_t limit;
};

/* Reports of one day: as they were stored, or where that has not happened yet, the figures of the moment. Fills reports[limit], to
 * be given to registry_reports_clear. Returns how many, or negative; 0 with a refusal filled where the machine is unknown, or one
 * cannot be loaded just now. */
int registry_reports(struct registry *registry, const struct report_query *query, int64_t now,
                     struct daily_report *reports, struct refusal *refusal);

/* Frees what reports hold, not the array. */
void registry_reports_clear(struct daily_report *reports, size_t count);

/* The same day taken together: one group for all machines, or one for each asset, sorted; at most `limit` of these, further ones
 * are left out and counted. Returns how many, or negative. */
int registry_report_groups(struct registry *registry, const struct civil_day *day, bool by_asset, int64_t now,
                           struct group_report *groups, size_t limit, size_t *left_out);

/* Makes the reports of the next day that is over and whose time has come: once, stored, and put into the outbox. Nothing while the
 * clock is doubtful. *more: another day waits. Main thread only. Returns 0, or negative: then it is tried again. */
int registry_make_reports(struct registry *registry, struct moment now, bool *more);

/* Hours of a machine from..to, also those that are not in the store yet, oldest first. *hours: the caller's to free. Returns how
 * many, a negative error, or 0 with a refusal filled. */
int registry_history(struct registry *registry, const char *id, int64_t from, int64_t to, struct hour **hours,
                     struct refusal *refusal);

/* What the last LIMIT_RECENT judged buffers said, oldest first, without the first `after` since the machine was loaded; of what came
 * before the first call only the newest, which are few. points: room for LIMIT_RECENT. *total: the `after` to go on with. Returns 0, MACHINE_ID, NO_MACHINE, STORE. */
int registry_recent(struct registry *registry, const char *id, uint64_t after, struct recent_point *points,
                    size_t *count, uint64_t *total, struct refusal *refusal);

/* ------------------------------------------------------------------------------------------------------ house-keeping */

/* Queues counters and windows of all machines that have news, waits for the commit. Returns 0 or negative: then they are kept
 * for the next time. */
int registry_flush(struct registry *registry, struct moment now);

/* Troubles that began or ended since the last time: stored, logged, and told on <machine>/event. Returns 0 or -ENOMEM. What the
 * store does not take is told the next time. */
int registry_watch(struct registry *registry, struct moment now);

/* How many machines had news at the last flush. */
size_t registry_flushed(const struct registry *registry);

/* How far one reader of news has come. All 0: the first round shows every machine. */
struct registry_news {
    uint64_t since, until; /* looks: what changed after the one, up to the other */
    char after[MACHINE_ID_SIZE];
    bool under_way;
};

enum { NEWS_STATE = 1, NEWS_ONLINE = 2, NEWS_SETTINGS = 4, NEWS_ALL = 7 };

/* Begins a round over what has changed since the last one; one that is under way goes on. Any number of readers. */
int registry_news_begin(struct registry *registry, struct registry_news *news, struct moment now);

/* All of a machine is news, if there is one. Any thread. */
void registry_tell_again(struct registry *registry, const char *id);

/* Calls `each` for at most `limit` machines of the round, in order of their IDs, with no lock held; `what` tells what changed. Returns
 * how many, 0 when the round is over, or negative. */
int registry_news_next(struct registry *registry, struct registry_news *news, struct moment now, size_t limit,
                       void (*each)(void *user, const struct machine_view *view, unsigned int what), void *user);

/* What monitoring wants of each machine, all at once; *gauges is the caller's to free. Returns how many, or negative. */
int registry_gauges(struct registry *registry, struct moment now, struct machine_gauges **gauges);

/* Counts what a door refused or dropped itself, before a machine was known. */
void registry_count_refusal(struct registry *registry, enum refusal_code code);

struct registry_figures {
    uint32_t machines, pending;
    uint32_t phases[PHASES];
    uint32_t open_anomalies, conflicts;
    uint32_t damaged; /* machines that the file is damaged under */
    char damaged_first[MACHINE_ID_SIZE];
    uint64_t learned, detected, duplicates;
    uint64_t pending_dropped, ignored_fields;
    uint64_t refusals[REFUSAL_CODES];
    const struct histogram *learn_duration, *detect_duration,
        *ingest_latency[TRANSPORTS]; /* ns; the registry's, atomic */
};
void registry_figures(struct registry *registry, struct registry_figures *figures);

#endif
