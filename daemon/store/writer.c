/* The writer: commits whatever has gathered, in one transaction, and wakes those who wait for it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "store/internal.h"

/* With the mutex held. Where the budget presses, what comes meanwhile goes into the same commit. */
static void await_due(struct store *store)
{
    int64_t left = store->due - clock_awake();
    struct timespec until;
    int r = 0;

    if (store->strain <= 0 || left <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (until.tv_nsec / 1000000 + left) / 1000;
    until.tv_nsec = (until.tv_nsec + left * 1000000) % 1000000000;
    while (!store->stopping && store->queued < LIMIT_STORE_BATCH && r == 0)
        r = pthread_cond_timedwait(&store->work, &store->mutex, &until);
}

/* With the mutex held: when the next commit may be. */
static void pace(struct store *store)
{
    store->strain = budget_look(&store->budget, clock_now().mono, meter_written());
    store->due = clock_awake() + (int64_t)(store->strain * STORE_LONGEST_WAIT);
}

enum { PROBE_SECONDS = 1 };

/* For work; while commits fail, or the files still hold what was deleted, at most so long that the next is tried. With the mutex
 * held. */
static void wait_for_work(struct store *store)
{
    const bool again = store->figures.last_error != 0 || store->scrub != SCRUB_NONE;
    struct timespec until;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PROBE_SECONDS;
    while (!store->first && !store->stopping && r == 0)
        r = again ? pthread_cond_timedwait(&store->work, &store->mutex, &until)
                  : pthread_cond_wait(&store->work, &store->mutex);
}

/* Takes the whole queue or a group of LIMIT_STORE_BATCH; NULL = nothing is there: a commit is to be tried, or, with *stops, the
 * end is reached. */
static struct store_op *take_group(struct store *store, bool *stops)
{
    struct store_op *group, **end;
    size_t count = 0;

    pthread_mutex_lock(&store->mutex);
    wait_for_work(store);
    *stops = store->stopping;
    await_due(store);
    group = store->first;
    for (end = &group; *end && count < LIMIT_STORE_BATCH; end = &(*end)->next)
        count++;
    store->first = *end;
    if (!store->first)
        store->last = &store->first;
    *end = NULL;
    store->queued -= count;
    pthread_mutex_unlock(&store->mutex);
    return group;
}

/* An op that concerns nobody's memory is of every epoch. */
static bool is_stale(struct store *store, const struct store_op *op)
{
    return op->kind == OP_CHANGE && op->change.epoch != store_epoch(store, op->change.machine);
}

static bool is_change_of(const struct store_op *op, int64_t machine)
{
    return op->kind == OP_CHANGE && op->change.machine == machine;
}

/* The file is damaged where this change belongs: what was built on it stays out of the next attempt as well. */
static void leave_out(struct store_op *change)
{
    for (struct store_op *op = change; op; op = op->next)
        if (is_change_of(op, change->change.machine))
            op->result = -EUCLEAN;
}

/* Applies what can be applied; a negative result means that nothing of the group may stay: -EUCLEAN that another attempt will go
 * further. */
static int apply_group(struct store *store, struct store_op *group)
{
    for (struct store_op *op = group; op; op = op->next) {
        if (op->result == -EUCLEAN)
            continue;
        op->result = is_stale(store, op) ? -ESTALE : store_apply(store, op);
        if (op->result == -EUCLEAN && op->kind == OP_CHANGE)
            leave_out(op);
        if (op->result < 0 && op->result != -ESTALE && op->result != -ENOENT && op->result != -EEXIST)
            return op->result;
    }
    return 0;
}

/* A step that is no op's own: there the file as a whole is damaged. */
static int step_for_all(struct store *store, enum statement statement)
{
    int r = store_step(store, statement);

    return r == -EUCLEAN ? -EIO : r;
}

static int transact(struct store *store, struct store_op *group)
{
    int r = step_for_all(store, STATEMENT_BEGIN);

    store->dropping = 0;
    if (r == 0)
        r = group ? apply_group(store, group) : step_for_all(store, STATEMENT_PROBE);
    if (r == 0)
        r = step_for_all(store, STATEMENT_COMMIT);
    if (r < 0)
        snprintf(store->why, sizeof(store->why), "%s", sqlite3_errmsg(store->writer));
    if (r < 0 && !sqlite3_get_autocommit(store->writer))
        store_step(store, STATEMENT_ROLLBACK);
    return r;
}

/* group NULL: a commit that changes nothing, to see whether one is possible. SQLite commits nothing once it has found damage: each
 * attempt leaves out more than the one before. */
static int commit_group(struct store *store, struct store_op *group)
{
    int64_t began = clock_ticks();
    int r = store_keep_place(store);

    while (r == 0 && (r = transact(store, group)) == -EUCLEAN)
        r = 0;
    histogram_observe(&store->commit_duration, &histogram_milliseconds, clock_ticks() - began);
    if (r == 0 && store->scrub != SCRUB_NONE)
        store_scrub(store);
    return r;
}

static bool has_outgoing(const struct store_op *group)
{
    while (group && group->change.outgoing_count == 0)
        group = group->next;
    return group;
}

/* After a failure the group is as if it had never been, and so is all that was built on it; what the damage took is so alone. */
static void raise_epochs(struct store *store, const struct store_op *group, int result)
{
    if (result < 0 && group) /* nothing was built on a probe */
        store_raise_epoch(store);
    for (; group && result == 0; group = group->next)
        if (group->kind == OP_CHANGE && group->result == -EUCLEAN)
            store_raise_epoch_of(store, group->change.machine);
}

/* What was built on a change that the damage took shares its end. With the mutex held. */
static int outcome(const struct store *store, const struct store_op *op, int result)
{
    if (result < 0)
        return result;
    return op->result == -ESTALE && store_is_apart(store, op->change.machine) ? -EUCLEAN : op->result;
}

/* Wakes those who wait. */
static void finish_group(struct store *store, struct store_op *group, int result)
{
    int64_t size = 0;

    pthread_mutex_lock(&store->mutex);
    raise_epochs(store, group, result);
    store->figures.last_error = result;
    store->figures.outbox_dropped += result == 0 ? store->dropping : 0;
    store->dropping = 0;
    snprintf(store->figures.why, sizeof(store->figures.why), "%s", result < 0 ? store->why : "");
    *(result < 0 ? &store->figures.failed_commits : &store->figures.commits) += group != NULL;
    if (result == 0 && store->outgoing_hook && has_outgoing(group))
        store->outgoing_hook(store->outgoing_user);
    while (group) {
        struct store_op *op = group;

        group = op->next;
        op->result = outcome(store, op, result);
        size += op->result == 0;
        if (op->forgotten)
            free(op);
        else
            op->done = true;
    }
    store->figures.changes += (uint64_t)size;
    pace(store);
    pthread_cond_broadcast(&store->finished);
    pthread_mutex_unlock(&store->mutex);
    if (result == 0 && size > 0)
        histogram_observe(&store->commit_size, &histogram_sizes, size);
}

void *store_write_groups(void *argument)
{
    struct store *store = argument;
    struct store_op *group;
    bool stops;

    while ((group = take_group(store, &stops)) || !stops) {
        atomic_store(&store->busy_since, clock_awake());
        finish_group(store, group, commit_group(store, group));
        atomic_store(&store->busy_since, 0);
    }
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- the queue */

int store_enqueue(struct store *store, struct store_op *op)
{
    int r = 0;

    pthread_mutex_lock(&store->mutex);
    if (store->stopping || store->queued >= LIMIT_STORE_QUEUE) {
        r = -EAGAIN;
    } else {
        *store->last = op;
        store->last = &op->next;
        store->queued++;
        pthread_cond_signal(&store->work);
    }
    pthread_mutex_unlock(&store->mutex);
    if (r < 0)
        free(op);
    return r;
}

int store_finish(struct store *store, struct store_op *op)
{
    int result;

    if (!op)
        return 0;
    pthread_mutex_lock(&store->mutex);
    while (!op->done)
        pthread_cond_wait(&store->finished, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
    result = op->result;
    free(op);
    return result;
}
