/* One change as SQL, inside the writer's open transaction. */
#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "store/internal.h"

#define HOUR_NAME(name, help)  ", " #name
#define HOUR_PLACE(name, help) ", ?"
#define HOUR_PLUS(name, help)  ", " #name " = " #name " + excluded." #name
#define HOUR_ALL(X)            HOUR_COUNTERS(X) HOUR_SUMS(X) HOUR_TIMES(X)

static const char *const statement_texts[STATEMENT_COUNT] = {
#define STATEMENT_TEXT(name, sql) [STATEMENT_##name] = (sql),
    STATEMENTS(STATEMENT_TEXT)
#undef STATEMENT_TEXT
        [STATEMENT_HOUR_ADD] = "INSERT INTO hour (start, machine, similarity_min, phase" HOUR_ALL(
            HOUR_NAME) ") VALUES (?, ?, ?, ?" HOUR_ALL(HOUR_PLACE) ") ON CONFLICT DO UPDATE SET "
                                                                   "similarity_min = min(similarity_min, "
                                                                   "excluded.similarity_min), "
                                                                   "phase = iif(excluded.phase = 0, phase, "
                                                                   "excluded.phase)" HOUR_ALL(HOUR_PLUS),
    [STATEMENT_REPORT_ADD] = store_report_add
};

int store_prepare_statements(struct store *store)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        int result = sqlite3_prepare_v3(store->writer, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                        &store->statements[i], NULL);

        if (result != SQLITE_OK)
            return fault(store_error(result));
    }
    return 0;
}

void store_finalize_statements(struct store *store)
{
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        sqlite3_finalize(store->statements[i]);
        store->statements[i] = NULL;
    }
}

/* Runs a bound statement to its end. Bindings point into the op, so they are dropped at once. */
int store_step(struct store *store, enum statement statement)
{
    sqlite3_stmt *prepared = store->statements[statement];
    int result = sqlite3_step(prepared);

    sqlite3_reset(prepared);
    sqlite3_clear_bindings(prepared);
    return result == SQLITE_DONE || result == SQLITE_ROW ? 0 : fault(store_error(result));
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

static void bind_bytes(sqlite3_stmt *statement, int place, const void *bytes, size_t size)
{
    sqlite3_bind_blob64(statement, place, bytes, size, SQLITE_STATIC);
}

/* Most statements take only integers, in order. */
static int run(struct store *store, enum statement statement, size_t count, const int64_t *numbers)
{
    for (size_t i = 0; i < count; i++)
        sqlite3_bind_int64(store->statements[statement], (int)i + 1, numbers[i]);
    return store_step(store, statement);
}

int store_has_machine(struct store *store, int64_t machine)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_MACHINE_EXISTS];
    int result;

    sqlite3_bind_int64(statement, 1, machine);
    result = sqlite3_step(statement);
    sqlite3_reset(statement);
    return result == SQLITE_DONE ? -ENOENT : fault(store_error(result));
}

/* ------------------------------------------------------------------------------------------- the parts of a change */

static int prune_snapshots(struct store *store, int64_t machine)
{
    return run(store, STATEMENT_SNAPSHOT_PRUNE, 3, (int64_t[]){ machine, LIMIT_SNAPSHOTS_DAILY, LIMIT_SNAPSHOTS });
}

static int take_snapshot(struct store *store, const struct store_change *change, const char *reason)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_SNAPSHOT_TAKE];
    int r;

    sqlite3_bind_int64(statement, 1, change->machine);
    sqlite3_bind_int64(statement, 2, change->at);
    bind_text(statement, 3, reason);
    bind_text(statement, 4, change->snapshot_note);
    r = store_step(store, STATEMENT_SNAPSHOT_TAKE);
    if (r == 0)
        store->taken = sqlite3_changes(store->writer) > 0 ? sqlite3_last_insert_rowid(store->writer) : 0;
    return r;
}

static int apply_snapshot(struct store *store, const struct store_change *change)
{
    store->taken = 0;
    return change->snapshot ? take_snapshot(store, change, change->snapshot) : 0;
}

static int apply_snapshot_after(struct store *store, const struct store_change *change)
{
    return change->snapshot_after ? take_snapshot(store, change, change->snapshot_after) : 0;
}

/* After the last part that needs one of them. */
static int apply_prune(struct store *store, const struct store_change *change)
{
    return change->snapshot || change->snapshot_after ? prune_snapshots(store, change->machine) : 0;
}

/* After the snapshot that the change takes, which is of what was in force, and knows what was accepted then. */
static int apply_restored(struct store *store, const struct store_change *change)
{
    const int64_t numbers[] = { change->machine, change->restored, store->taken };
    int r = 0;

    if (change->restored == 0)
        return 0;
    r = run(store, STATEMENT_COMMISSIONING_BACK, 2, numbers);
    if (r == 0)
        r = run(store, STATEMENT_ANOMALY_BACK, 2, numbers);
    return r < 0 ? r : run(store, STATEMENT_ANOMALY_FORTH, 3, numbers);
}

static int apply_settings(struct store *store, const struct store_change *change)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_MACHINE_SETTINGS];

    if (!change->settings)
        return 0;
    sqlite3_bind_int64(statement, 1, change->machine);
    bind_text(statement, 2, change->settings);
    return store_step(store, STATEMENT_MACHINE_SETTINGS);
}

static int apply_state(struct store *store, const struct store_change *change)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_STATE_PUT];
    const struct strategy_state *state = change->state;

    if (!state)
        return 0;
    sqlite3_bind_double(statement, 12, (double)state->anomaly_distance);
    sqlite3_bind_int64(statement, 13, state->anomaly_buffers);
    bind_bytes(statement, 14, &state->memory, sizeof(state->memory));
    bind_bytes(statement, 15, change->window, change->window_size);
    return run(store, STATEMENT_STATE_PUT, 11,
               (int64_t[]){ change->machine, state->phase, state->phase_since, state->phase_learned, state->last_learn,
                            state->last_detect, state->last_seen, state->last_measured, state->interval, state->anomaly,
                            state->anomaly_similarity });
}

static int apply_knowledge(struct store *store, const struct store_change *change)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_KNOWLEDGE_PUT];

    if (!change->knowledge)
        return 0;
    sqlite3_bind_int64(statement, 1, change->machine);
    sqlite3_bind_int64(statement, 2, change->at);
    bind_bytes(statement, 3, change->knowledge, change->knowledge_size);
    return store_step(store, STATEMENT_KNOWLEDGE_PUT);
}

static int put_mark(struct store *store, int64_t machine, const struct mark *mark)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_MARK_PUT];

    sqlite3_bind_int64(statement, 1, machine);
    bind_text(statement, 2, mark->source);
    bind_text(statement, 3, mark->boot);
    sqlite3_bind_int64(statement, 4, (int64_t)mark->high);
    bind_bytes(statement, 5, mark->seen, sizeof(mark->seen));
    sqlite3_bind_int64(statement, 6, mark->used);
    return store_step(store, STATEMENT_MARK_PUT);
}

/* All of a machine: sources and boots that were forgotten go with the delete. */
static int apply_marks(struct store *store, const struct store_change *change)
{
    int r;

    if (!change->marks)
        return 0;
    r = run(store, STATEMENT_MARKS_CLEAR, 1, &change->machine);
    for (size_t i = 0; i < change->mark_count && r == 0; i++)
        r = put_mark(store, change->machine, &change->marks[i]);
    return r;
}

/* None is no NULL: the columns forbid that. */
static void bind_part(sqlite3_stmt *statement, int place, const void *bytes, size_t size)
{
    if (bytes)
        bind_bytes(statement, place, bytes, size);
    else
        sqlite3_bind_zeroblob(statement, place, 0);
}

static void bind_buffer(sqlite3_stmt *statement, int64_t machine, const struct store_buffer *buffer)
{
    sqlite3_bind_int64(statement, 1, machine);
    sqlite3_bind_int64(statement, 2, buffer->at);
    sqlite3_bind_int64(statement, 3, buffer->axes);
    bind_part(statement, 4, buffer->step, buffer->axes * sizeof(float));
    bind_part(statement, 5, buffer->offset, buffer->axes * sizeof(float));
    bind_part(statement, 6, buffer->samples, buffer->count * sizeof(int16_t));
}

static int apply_forget_buffers(struct store *store, const struct store_change *change)
{
    int r;

    if (!change->forget_buffers)
        return 0;
    store->scrub = store->scrub > SCRUB_LOG ? store->scrub : SCRUB_LOG;
    r = run(store, STATEMENT_COMMISSIONING_FORGET, 1, &change->machine);
    return r < 0 ? r : run(store, STATEMENT_EVIDENCE_FORGET, 1, &change->machine);
}

static int apply_commissioning(struct store *store, const struct store_change *change)
{
    int r = 0;

    if (change->forget_commissioning)
        r = run(store, STATEMENT_COMMISSIONING_FORGET, 1, &change->machine);
    if (change->forget_commissioning && r == 0)
        r = run(store, STATEMENT_ACCEPTED_FORGET, 1, &change->machine);
    for (size_t i = 0; i < change->commissioning_count && r == 0; i++) {
        bind_buffer(store->statements[STATEMENT_COMMISSIONING_ADD], change->machine, &change->commissioning[i]);
        r = store_step(store, STATEMENT_COMMISSIONING_ADD);
    }
    return r;
}

static int apply_evidence(struct store *store, const struct store_change *change)
{
    int r = 0;

    for (size_t i = 0; i < change->evidence_count && r == 0; i++) {
        sqlite3_stmt *statement = store->statements[STATEMENT_EVIDENCE_ADD];

        bind_buffer(statement, change->machine, &change->evidence[i]);
        sqlite3_bind_int64(statement, 7, change->evidence[i].anomaly);
        bind_text(statement, 8, change->evidence[i].features);
        r = store_step(store, STATEMENT_EVIDENCE_ADD);
    }
    if (r < 0 || change->evidence_count == 0)
        return r;
    return run(store, STATEMENT_EVIDENCE_PRUNE, 2, (int64_t[]){ change->machine, LIMIT_EVIDENCE_ANOMALIES });
}

static int apply_mute(struct store *store, const struct store_change *change)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_MUTE_PUT];
    const struct mute *mute = change->mute;

    if (!mute)
        return 0;
    if (mute->until == 0)
        return run(store, STATEMENT_MUTE_END, 1, &change->machine);
    bind_text(statement, 5, mute->who);
    bind_text(statement, 6, mute->why);
    return run(store, STATEMENT_MUTE_PUT, 4, (int64_t[]){ change->machine, mute->since, mute->until, mute->then });
}

static int apply_candidate(struct store *store, const struct store_change *change)
{
    const struct store_candidate *candidate = change->candidate;

    if (!candidate)
        return 0;
    if (candidate->made == 0)
        return run(store, STATEMENT_CANDIDATE_DROP, 1, &change->machine);
    bind_bytes(store->statements[STATEMENT_CANDIDATE_PUT], 5, candidate->bytes, candidate->size);
    return run(store, STATEMENT_CANDIDATE_PUT, 4,
               (int64_t[]){ change->machine, candidate->made, candidate->buffers, candidate->accepted });
}

static int put_anomaly(struct store *store, int64_t machine, const struct anomaly *anomaly)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_ANOMALY_PUT];
    int r;

    bind_text(statement, 3, anomaly->asset);
    sqlite3_bind_int64(statement, 4, anomaly->raised);
    sqlite3_bind_int64(statement, 5, anomaly->cleared);
    sqlite3_bind_int64(statement, 6, anomaly->event);
    sqlite3_bind_int64(statement, 7, anomaly->similarity);
    sqlite3_bind_double(statement, 8, (double)anomaly->distance);
    sqlite3_bind_int64(statement, 9, anomaly->threshold);
    sqlite3_bind_double(statement, 10, (double)anomaly->sensitivity);
    sqlite3_bind_int64(statement, 11, anomaly->learned);
    sqlite3_bind_int64(statement, 12, anomaly->buffers);
    bind_text(statement, 13, anomaly->explanation);
    bind_text(statement, 14, anomaly->context);
    sqlite3_bind_int64(statement, 15, anomaly->knowledge_crc);
    sqlite3_bind_int64(statement, 16, anomaly->undo == UNDO_OF_THIS_CHANGE ? store->taken : anomaly->undo);
    r = run(store, STATEMENT_ANOMALY_PUT, 2, (int64_t[]){ anomaly->id, machine });
    if (r < 0 || anomaly->id <= LIMIT_ANOMALIES) /* there cannot be more: nobody has to count them */
        return r;
    return run(store, STATEMENT_ANOMALY_PRUNE, 1, (int64_t[]){ LIMIT_ANOMALIES });
}

/* What the broker never took is dropped with the oldest; what it has goes sooner. */
static int prune_events(struct store *store, int64_t newest)
{
    int r = run(store, STATEMENT_OUTBOX_PRUNE, 1, (int64_t[]){ newest - LIMIT_OUTBOX });

    if (r == 0)
        store->dropping += (uint64_t)sqlite3_changes(store->writer);
    return r < 0 ? r : run(store, STATEMENT_EVENT_PRUNE, 1, (int64_t[]){ newest - LIMIT_EVENTS });
}

int store_put_outgoing(struct store *store, const struct store_outgoing *outgoing, int64_t at)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_EVENT_ADD];
    int r;

    sqlite3_bind_int64(statement, 1, at);
    bind_text(statement, 2, outgoing->topic);
    sqlite3_bind_int64(statement, 3, outgoing->whole);
    bind_text(statement, 4, outgoing->payload);
    sqlite3_bind_int64(statement, 5, outgoing->retain);
    if (outgoing->correlation)
        bind_bytes(statement, 6, outgoing->correlation, outgoing->correlation_size);
    sqlite3_bind_int64(statement, 7, !store->no_broker);
    r = store_step(store, STATEMENT_EVENT_ADD);
    return r < 0 ? r : prune_events(store, sqlite3_last_insert_rowid(store->writer));
}

static int apply_anomalies(struct store *store, const struct store_change *change)
{
    int r = 0;

    for (size_t i = 0; i < change->anomaly_count && r == 0; i++)
        r = put_anomaly(store, change->machine, &change->anomalies[i]);
    return r;
}

static int apply_outgoing(struct store *store, const struct store_change *change)
{
    int r = 0;

    for (size_t i = 0; i < change->outgoing_count && r == 0; i++)
        r = store_put_outgoing(store, &change->outgoing[i], change->at);
    return r;
}

static int add_hour(struct store *store, int64_t machine, const struct hour *hour)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_HOUR_ADD];

    sqlite3_bind_int64(statement, 3, hour->similarity_min);
    sqlite3_bind_int64(statement, 4, hour->phase);
    store_bind_hour(statement, 5, hour);
    return run(store, STATEMENT_HOUR_ADD, 2, (int64_t[]){ hour->start, machine });
}

/* Once an hour by the clock of those who change, whatever that shows: it may have been ahead. */
static int prune_hours(struct store *store, int64_t at)
{
    if (at / HOUR_MS == store->pruned_hour)
        return 0;
    store->pruned_hour = at / HOUR_MS;
    return run(store, STATEMENT_HOUR_PRUNE, 1, (int64_t[]){ LIMIT_HOURS });
}

static int apply_hours(struct store *store, const struct store_change *change)
{
    int r = 0;

    for (size_t i = 0; i < change->hour_count && r == 0; i++)
        r = add_hour(store, change->machine, &change->hours[i]);
    return r < 0 || change->hour_count == 0 ? r : prune_hours(store, change->at);
}

static int apply_parts(struct store *store, const struct store_change *change)
{
    static int (*const parts[])(struct store *, const struct store_change *) = {
        apply_snapshot,       apply_restored, /* before the knowledge that replaces it */
        apply_settings,       apply_state,         apply_knowledge,      apply_marks,
        apply_forget_buffers, apply_commissioning, apply_snapshot_after, /* when knowledge and commissioning are there */
        apply_anomalies,      apply_evidence,      apply_outgoing,       apply_hours,
        apply_mute,           apply_candidate,     apply_prune
    };
    int r = 0;

    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && r == 0; i++)
        r = parts[i](store, change);
    return r;
}

static int apply_change(struct store *store, struct store_op *op)
{
    int r = store_has_machine(store, op->change.machine);

    return r < 0 ? r : apply_parts(store, &op->change);
}

/* -------------------------------------------------------------------------------------------------- machines, outbox */

static int apply_create(struct store *store, struct store_op *op)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_MACHINE_CREATE];
    int r;

    bind_text(statement, 1, op->id);
    sqlite3_bind_int64(statement, 2, op->change.at);
    bind_text(statement, 3, op->change.settings);
    r = store_step(store, STATEMENT_MACHINE_CREATE);
    if (r < 0)
        return sqlite3_extended_errcode(store->writer) == SQLITE_CONSTRAINT_UNIQUE ? -EEXIST : r;
    op->machine = op->change.machine = sqlite3_last_insert_rowid(store->writer);
    return apply_parts(store, &op->change);
}

static int apply_delete(struct store *store, struct store_op *op)
{
    static const enum statement deletes[] = { STATEMENT_HOURS_DELETE, STATEMENT_REPORTS_DELETE, STATEMENT_EVENTS_FORGET,
                                              STATEMENT_MACHINE_DELETE };
    int r = 0;

    store->scrub = store->scrub > SCRUB_LOG ? store->scrub : SCRUB_LOG;
    for (size_t i = 0; i < sizeof(deletes) / sizeof(deletes[0]) && r == 0; i++)
        r = run(store, deletes[i], 1, &op->machine);
    return r < 0 ? r : apply_outgoing(store, &op->change);
}

static int apply_new_snapshot(struct store *store, struct store_op *op)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_SNAPSHOT_ADD];
    const struct store_change *change = &op->change;
    int r;

    r = store_has_machine(store, change->machine);
    if (r < 0)
        return r;
    sqlite3_bind_int64(statement, 1, change->machine);
    sqlite3_bind_int64(statement, 2, change->at);
    bind_text(statement, 3, change->snapshot);
    bind_text(statement, 4, change->snapshot_note);
    bind_bytes(statement, 5, change->knowledge, change->knowledge_size);
    r = store_step(store, STATEMENT_SNAPSHOT_ADD);
    return r < 0 ? r : prune_snapshots(store, change->machine);
}

/* Snapshots of a clock that was not set yet have no age. */
static int apply_daily(struct store *store, struct store_op *op)
{
    const int64_t oldest = op->change.at - LIMIT_SNAPSHOT_DAYS * INT64_C(86400000);
    int r = run(store, STATEMENT_SNAPSHOT_DAILY, 2, (int64_t[]){ op->change.at, op->since });

    if (r == 0)
        r = run(store, STATEMENT_SNAPSHOT_PRUNE_ALL, 2, (int64_t[]){ LIMIT_SNAPSHOTS_DAILY, LIMIT_SNAPSHOTS });
    return r < 0 ? r : run(store, STATEMENT_SNAPSHOT_EXPIRE, 2, (int64_t[]){ oldest, CLOCK_EARLIEST });
}

static int apply_publish(struct store *store, struct store_op *op)
{
    return apply_outgoing(store, &op->change);
}

static int apply_outbox_done(struct store *store, struct store_op *op)
{
    return run(store, STATEMENT_OUTBOX_DONE, 1, &op->machine);
}

int store_apply(struct store *store, struct store_op *op)
{
    static int (*const kinds[])(struct store *, struct store_op *) = { [OP_CHANGE] = apply_change,
                                                                       [OP_CREATE] = apply_create,
                                                                       [OP_DELETE] = apply_delete,
                                                                       [OP_SNAPSHOT] = apply_new_snapshot,
                                                                       [OP_DAILY] = apply_daily,
                                                                       [OP_PUBLISH] = apply_publish,
                                                                       [OP_OUTBOX_DONE] = apply_outbox_done,
                                                                       [OP_REPORTS] = store_apply_reports,
                                                                       [OP_AUDIT_ADD] = store_apply_audit_add,
                                                                       [OP_AUDIT_END] = store_apply_audit_end,
                                                                       [OP_BACKUP] = store_apply_backup,
                                                                       [OP_WIPE] = store_apply_wipe };

    return kinds[op->kind](store, op);
}
