/* Private to registry/: one machine, and the set of them.
 *
 * Locks, always in this order: registry.admin (one change of the set at a time), registry.flushing or registry.looking, machine.lock, registry.table (the array;
 * nothing is locked under it), what the store locks itself. */
#ifndef HABIT_REGISTRY_INTERNAL_H
#define HABIT_REGISTRY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/histogram.h"
#include "habit/engine.h"
#include "registry/marks.h"
#include "registry/pending.h"
#include "registry/registry.h"
#include "strategy/alarms.h"
#include "strategy/progress.h"
#include "strategy/rules.h"
#include "strategy/strategy.h"
#include "strategy/trouble.h"

enum { HOURS_PENDING = 4 }; /* a backlog may span some hours between two flushes */

/* A strange buffer among the last K that were judged: where an anomaly is raised, it goes into the store. */
struct suspect {
    struct store_buffer buffer; /* packed; heap */
    uint32_t number;            /* of the judgement */
    float score;
};

struct suspects {
    struct suspect *item;
    uint32_t count;
    uint32_t judged; /* since the start; wraps around */
    float least;     /* score of what belongs to the open anomaly; 0 = not known, as after a restart */
};

/* How often two engines found the same buffers strange: [0] the one in force, [1] the relearned one. */
struct comparison {
    int64_t since; /* strategy's time of the first; 0 = none yet */
    uint32_t judged, both;
    uint32_t strange[2];         /* similarity below the threshold */
    uint32_t windows, raised[2]; /* full windows; those below the threshold */
    double log_distance[2];      /* sums */
};

/* Relearned knowledge that judges along and raises nothing. */
struct shadow {
    struct habit_engine engine;
    struct habit_memory memory; /* as the machine's own */
    struct habit_window window;
    struct store_candidate of; /* without its bytes */
    struct comparison live;    /* since the start */
};

struct machine {
    pthread_mutex_t lock; /* of all below but id, row, created, references */
    char id[MACHINE_ID_SIZE];
    int64_t row, created;
    atomic_uint references;
    bool deleted;
    uint64_t epoch;      /* of the store that memory is of; 0 = to be loaded anew */
    int64_t told;        /* the anomaly, or 0, that is stored as open: one on its way to the disk is told to nobody */
    uint32_t unsettled;  /* changes whose commit is not known yet: only with them can memory be ahead of the store */
    uint32_t generation; /* goes up when memory is loaded anew: receipts of before do not count any more */

    struct settings settings;
    struct strategy_state state;
    struct habit_engine engine;
    struct habit_memory memory; /* knowledge and cache are one allocation; scratch comes with each call */
    struct habit_window window;
    struct alarm_plan plan;
    struct alarm_figures planned; /* what the plan was worked out from; window 0 = none yet */
    struct marks marks;
    struct marks judged; /* numbers that were only judged: applied whatever becomes of commits, see machine_take */
    bool conflict;       /* knowledge of another geometry than the settings: the engine has the knowledge's */
    bool damaged;        /* knowledge in the store that does not load; it is kept as a snapshot */
    bool file_damaged;   /* where it is stored; so until habitd starts again, and looks at the file */
    struct anomaly open; /* id 0 = none */
    struct suspects suspects;
    struct mute *mute;   /* heap; NULL = none */
    int64_t mended_from; /* in the strategy's time: the last maintenance that is over; 0 = none since the start */
    int64_t mended_until;
    struct shadow *shadow; /* heap; NULL = none */
    int64_t enriched;      /* strategy's time of the last snapshot before more was learned; 0 = none since the start */
    uint32_t commissioning_count;
    uint64_t commissioning_bytes;

    struct hour hour[HOURS_PENDING]; /* counters that are not in the store yet */
    size_t hour_count;
    int64_t whole_hour;       /* wall ms: the last hour of UTC that was found to be in one row; 0 = none */
    int64_t gap_from, gap_to; /* wall ms: a silence that ended today, its part in days that have no report yet */
    int64_t silence_counted;  /* wall ms: silence before is in some hour */
    bool fresh;               /* since it was loaded no time was compared with its own */
    bool unsaved;             /* state or window differ from the store's */
    bool news;                /* its state changed since the last look at it */
    bool settings_news;       /* and its settings */
    bool online_news;         /* and whether it is online is to be said in any case */
    bool online;              /* at that look */
    uint64_t state_look, online_look, settings_look; /* the look that saw the latest change */
    struct machine_counters counters;
    struct verdict last;
    struct named_number *context; /* LIMIT_CONTEXT; heap, NULL = none came */
    uint32_t context_count;
    struct recent *recent; /* NULL = nothing was judged since it was loaded */
    struct stream *stream; /* of an [input] with stream = yes; heap, NULL = none came */
};

struct registry {
    const struct config *config;
    struct store *store;
    struct pending_list *pending;
    pthread_mutex_t admin;
    pthread_mutex_t flushing;        /* counters are on their way to the store: reports wait until they are there */
    _Atomic size_t flushed;          /* machines that had news at the last flush */
    struct report_progress progress; /* main thread's */
    int64_t report_due;              /* wall ms of the next day's reports; main thread's; 0 = not known */
    atomic_bool damage_told;         /* in the log, of one machine */
    atomic_bool wiping;              /* no machine is made by its first buffer */
    int64_t next_daily;     /* wall ms: when the next day begins, whose snapshots are due then; main thread's */
    _Atomic int64_t closed; /* wall ms: hours that start before are in reports */
    pthread_rwlock_t table;
    struct machine **machine; /* sorted by id */
    size_t count, room;
    _Atomic int64_t wall_ahead; /* of the steady clock when the registry began; INT64_MIN = no time was given yet */
    _Atomic int64_t began;      /* in the strategy's time */
    _Atomic int64_t skew;       /* of the wall clock then to now, as of the last time that was given */
    _Atomic uint64_t refusals[REFUSAL_CODES];
    _Atomic uint64_t learned, detected, duplicates, ignored;
    pthread_mutex_t looking; /* one look at a time, so that no reader of news misses what another one saw */
    uint64_t looks;
    struct histogram learn_duration, detect_duration, ingest_latency[TRANSPORTS];
};

/* ---- machine.c: one machine's engine and what is stored of it */

/* A machine in memory, with an engine that has learned nothing. The settings were checked. */
int machine_new(struct machine **ret_machine, const char *id, const struct settings *settings);
struct machine *machine_free(struct machine *machine);

/* The engine's configuration that follows from settings. */
struct habit_config machine_config(const struct settings *settings);

/* Gives the machine an empty engine of its settings' geometry. Returns 0, -ENOMEM with the old engine in force. */
int machine_renew_engine(struct machine *machine);

/* Takes what the store holds: state, window, marks, knowledge. */
int machine_restore(struct machine *machine, const struct store_machine *stored);

/* The other machine's memory, as the store has it, moves here; `from` is to be freed. What was judged stays judged, what was heard
 * heard. Returns 0, or -ENOMEM with `machine` as it was. */
int machine_take(struct machine *machine, struct machine *from);

/* First difference between two configurations, naming both sides: "axes: 3 here, 1 in the knowledge". */
const char *machine_difference(const struct habit_config *ours, const struct habit_config *theirs, char *text,
                               size_t size);

/* The machine has a scratch. */
void machine_view(struct registry *registry, struct machine *machine, struct machine_view *view, struct moment now);
void machine_learning(struct machine *machine, const struct habit_progress *progress, struct learning *learning);

/* The row of hours to which `at` belongs: when it starts. */
int64_t machine_hour_start(struct machine *machine, int64_t at);

/* Counters of the row of hours to which `at` belongs; the oldest pending hour is handed to the store where there is no room. */
struct hour *machine_hour(struct machine *machine, struct store *store, int64_t at);

/* ---- time.c: the strategy's time does not jump */

/* By how much the wall clock was set forward since the registry began. */
int64_t registry_skew(struct registry *registry, struct moment now);

/* The wall clock as it would be had nobody set it: strategy's time. */
int64_t registry_steady(struct registry *registry, struct moment now);

/* Times that a machine was stored with may be of a clock that was set meanwhile: they go on from here then. */
void machine_join_time(struct machine *machine, int64_t steady);
void state_join_time(struct strategy_state *state, int64_t steady);

/* ---- evidence.c: buffers that were strange */

/* Notes a judged buffer: forgets those that left the window, keeps this one where it was strange, or the window is `below` the
 * threshold. */
void suspects_note(struct machine *machine, const float *samples, const struct detection *detection, float score,
                   bool below, int64_t at);
void suspects_clear(struct suspects *suspects);

/* An anomaly was raised: from now on what belongs to it is at least half as strange as the second strangest buffer of the window,
 * so that neither ordinary ones nor a single transient decide. */
void suspects_raised(struct suspects *suspects);

/* Strange buffers that wait become evidence of the open anomaly, as far as the bounds allow; the others are forgotten. Adds
 * to *buffers, whose members are the caller's to free. Returns 0 or -ENOMEM. */
int suspects_take(struct machine *machine, struct store_buffer **buffers, size_t *count);

/* Kept buffers of a machine's geometry, as samples one behind the other. */
struct kept {
    float *samples; /* heap */
    size_t count;
    size_t values; /* of each */
    uint32_t axes;
    size_t others;    /* of another geometry, left out */
    int64_t *anomaly; /* of each; heap */
};
int kept_read(struct registry *registry, enum store_kept which, int64_t of, const struct habit_config *config,
              struct kept *kept);
void kept_free(struct kept *kept);

/* ---- relearn.c */

/* Takes what the store holds; what does not load is left out. */
int shadow_restore(struct machine *machine, const struct store_candidate *candidate);
struct shadow *shadow_free(struct shadow *shadow);

/* Judges a buffer that the machine's own engine has judged. */
void shadow_judge(struct machine *machine, const float *samples, const struct habit_result *result,
                  const struct average *average, int64_t at);

/* ---- mute.c */

/* Maintenance as it is shown: in wall ms; until 0 = none. */
void machine_view_mute(struct registry *registry, const struct machine *machine, struct moment now, struct mute *mute);

/* ---- alarm.c */

/* The plan that follows from order, knowledge and cadence as they are. The machine has a scratch. */
const struct alarm_plan *machine_plan(struct machine *machine);

/* ---- registry.c: finding, entering and changing the set */

/* The machine with this ID, referenced; NULL if there is none. */
struct machine *registry_find(struct registry *registry, const char *id);
void machine_release(struct machine *machine);

/* Finds a machine and locks it, with its memory as new as the store and a scratch for its engine. Returns 0; or MACHINE_ID,
 * NO_MACHINE, STORE where it cannot be loaded: then there is nothing to leave. */
int machine_enter(struct registry *registry, const char *id, struct machine **ret_machine, struct refusal *refusal);

/* Unlocks and releases. */
void machine_leave(struct machine *machine);

/* The engine works in memory that is borrowed for the call: a thousand machines need one scratch, not a thousand. Between
 * these two the machine's engine may be called; machine_enter and machine_leave do it by themselves. */
int machine_lend_scratch(struct machine *machine, struct refusal *refusal);
void machine_return_scratch(struct machine *machine);

/* Copies IDs above `after` (NULL = all) in byte order, so that no machine stays locked between two. Returns how many. */
size_t registry_ids(struct registry *registry, const char *after, char (*ids)[MACHINE_ID_SIZE], size_t limit);

size_t registry_count(struct registry *registry);

/* Into the table, which takes over a reference, and out of it. */
int registry_insert(struct registry *registry, struct machine *machine);
void registry_take_out(struct registry *registry, const char *id);

/* Calls `each` with every machine, locked, the table free. Returns 0 or -ENOMEM. */
int registry_each(struct registry *registry, void (*each)(void *user, struct machine *machine), void *user);

/* Whether a locked machine's memory is as new as the store; takes the store's epoch where nothing can have failed. */
bool machine_is_current(const struct registry *registry, struct machine *machine);

/* Waits until the changes of a locked machine that are on their way have arrived, or failed: an empty one behind them tells.
 * Returns 0 or negative. */
int machine_await_changes(struct registry *registry, struct machine *machine);

/* A change with the machine's row, epoch, state and window filled in. */
struct store_change machine_change(const struct machine *machine, int64_t at);

/* Adds the sealed knowledge to a change; what it replaces becomes a snapshot where it was damaged. */
void machine_change_knowledge(struct machine *machine, struct store_change *change);

/* Queues the change of an entered machine, leaves it, and waits for the commit where receipt is NULL. */
int machine_commit(struct registry *registry, struct machine *machine, const struct store_change *change,
                   struct receipt *receipt, struct refusal *refusal);

/* Settings from file and REST for an ID. */
void registry_base_settings(const struct registry *registry, const char *id, struct settings *settings, bool *create);

int check_id(const char *id, struct refusal *refusal);

/* What the store did not take: DAMAGED or STORE. */
int refuse_store(int r, struct refusal *refusal);

/* Notes of a locked machine what became of a change of it, or of loading it. */
void machine_note_store(struct registry *registry, struct machine *machine, int r);
int refuse_unknown(const char *id, struct refusal *refusal);

/* ---- lifecycle.c */

/* Makes a machine in store and memory. Caller holds admin. knowledge: its first block, NULL = nothing learned. */
int registry_create(struct registry *registry, const char *id, const struct settings *settings, const void *knowledge,
                    size_t knowledge_size, int64_t now, struct refusal *refusal);

/* Where no such machine exists but a pattern says that it should: makes it. */
int registry_create_by_pattern(struct registry *registry, const char *id, int64_t now, struct refusal *refusal);

/* ---- knowledge.c */

struct episode_log;

/* Knowledge is another from now on. */
struct replacement {
    const char *reason, *note; /* of the snapshot of what was there */
    bool forget;               /* the stored commissioning buffers, which it is not of */
    int64_t restored;          /* see struct store_change */
    const struct store_candidate *candidate;
    const struct mute *mute;
};

/* Commits it and leaves the machine. r < 0: something broke on the way. Frees the log. */
int machine_commit_replaced(struct registry *registry, struct machine *machine, int r,
                            const struct replacement *replacement, int64_t at, struct episode_log *log,
                            struct refusal *refusal);

/* CRC of the knowledge as it is; 0 where it does not hold. */
uint32_t machine_crc(struct machine *machine);

/* The phase of knowledge that came from elsewhere: what cannot judge yet goes on learning. The machine has a scratch. */
void machine_choose_phase(struct machine *machine, int64_t steady);

/* The window and what belongs to it begin anew. */
void machine_clear_window(struct machine *machine);

/* Forgets what an entered machine has learned, in memory: new, watching nothing. Returns 0 or negative. */
int machine_forget(struct registry *registry, struct machine *machine, struct moment now, struct episode_log *log);

/* ---- stored.c */

/* In memory: no sample of it waits for the store or is counted as stored. */
void machine_forget_buffers(struct machine *machine);

/* Where the file says now that less is stored of buffers than was: forgets it. Waits for the commits. Returns 0 or negative. */
int registry_forget_unwanted(struct registry *registry);

/* ---- configure.c */

/* Whether an If-Match header, which may be a list, "*" or "" (none), asks for this ETag. */
bool etag_asked(const char *if_match, const char *etag);

/* What is asked before a machine is looked at, with the admin lock held. Returns 0 or PRECONDITION. */
int check_existence(bool exists, const char *id, const char *if_match, struct refusal *refusal);

/* ETag of the settings; PRECONDITION where if_match is neither "" nor "*" nor that. */
int machine_etag(const struct machine *machine, char etag[ETAG_SIZE]);
int machine_check_etag(const struct machine *machine, const char *if_match, struct refusal *refusal);

/* ---- recent.c: the last judged buffers */

void recent_add(struct machine *machine, const struct recent_point *point);

/* The machine is judged by other knowledge from now on. */
void recent_forget(struct machine *machine);

/* ---- presence.c: whether the machine is heard */

/* A buffer came, perhaps after a longer silence than usual: that counts in this hour as far as it was today, and else in the
 * reports of the days before, as far as these are not made yet. Before anything else of the submission, since it may hand hours
 * over to the store. */
void presence_silence(struct registry *registry, struct machine *machine, int64_t now);

/* Silence between two moments that is in no hour: the end of one that is over, and one that lasts. */
int64_t presence_silent_ms(const struct registry *registry, const struct machine *machine, int64_t from, int64_t to);

/* ---- stream.c: what a stream left over; NULL is fine */
void stream_free(struct stream *stream);

/* Memory is loaded anew: whether what is left over was of messages that come again is not known. Counted as a gap. */
void stream_lose(struct registry *registry, struct machine *machine);

/* ---- context.c */

/* Refuses names beyond LIMIT_CONTEXT, and makes room for all before anything changes. */
int context_check(struct machine *machine, const struct wire_meta *meta, struct refusal *refusal);
void context_take(struct machine *machine, const struct wire_meta *meta, int64_t steady);

/* ---- episode.c: the anomaly of one machine */

/* What the events of one submission write: for each a row and a message, and buffers. */
struct episode_log {
    struct anomaly *anomalies;
    struct store_outgoing *outgoing;
    size_t count;
    struct store_buffer *evidence;
    size_t evidence_count;
};

/* The log's parts of a change. */
void episode_log_change(const struct episode_log *log, struct store_change *change);

/* Carries an event into the machine's open anomaly and appends it to the log. average and detection are of the buffer that
 * caused it; both NULL for a clearing by hand. Returns 0 or negative. */
int episode_event(struct machine *machine, struct store *store, enum anomaly_event event, const struct average *average,
                  const struct detection *detection, int64_t at, struct episode_log *log);

/* The same for a stored anomaly of this machine that is not open: only its row and the message. */
int episode_accept_cleared(const struct anomaly *anomaly, int64_t at, struct episode_log *log);

/* What was raised on knowledge that is gone cannot recover: it ends. */
int episode_close(struct registry *registry, struct machine *machine, int64_t at, struct episode_log *log);
void episode_log_free(struct episode_log *log);

#endif
