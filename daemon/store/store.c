/* What others ask of the store: changes are copied into ops and queued for the writer. */
#include "store/store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "store/internal.h"

/* ------------------------------------------------------------------------------------------------- copying a change */

/* Moves one part of a change behind the op; *bytes advances, aligned for any member. */
static const void *keep(char **bytes, const void *part, size_t size)
{
    char *copy = *bytes;

    if (!part)
        return NULL;
    memcpy(copy, part, size);
    *bytes += (size + 7) / 8 * 8;
    return copy;
}

static const char *keep_text(char **bytes, const char *text)
{
    return text ? keep(bytes, text, strlen(text) + 1) : NULL;
}

static size_t room(const void *part, size_t size)
{
    return part ? (size + 7) / 8 * 8 : 0;
}

static size_t text_room(const char *text)
{
    return text ? room(text, strlen(text) + 1) : 0;
}

static size_t buffers_room(const struct store_buffer *buffers, size_t count)
{
    size_t size = room(buffers, count * sizeof(*buffers));

    for (size_t i = 0; i < count; i++) {
        const struct store_buffer *buffer = &buffers[i];

        size += room(buffer->samples, buffer->count * sizeof(int16_t)) +
                2 * room(buffer->step, buffer->axes * sizeof(float)) + text_room(buffer->features);
    }
    return size;
}

static size_t event_room(const struct store_change *change)
{
    size_t size = room(change->anomalies, change->anomaly_count * sizeof(*change->anomalies)) +
                  room(change->outgoing, change->outgoing_count * sizeof(*change->outgoing));

    for (size_t i = 0; i < change->anomaly_count; i++)
        size += text_room(change->anomalies[i].explanation);
    for (size_t i = 0; i < change->outgoing_count; i++)
        size += text_room(change->outgoing[i].topic) + text_room(change->outgoing[i].payload) +
                room(change->outgoing[i].correlation, change->outgoing[i].correlation_size);
    return size;
}

static size_t change_room(const struct store_change *change)
{
    return room(change->state, sizeof(*change->state)) + room(change->window, change->window_size) +
           room(change->knowledge, change->knowledge_size) + text_room(change->snapshot) + text_room(change->settings) +
           text_room(change->snapshot_after) + text_room(change->snapshot_note) +
           room(change->marks, change->mark_count * sizeof(*change->marks)) +
           buffers_room(change->commissioning, change->commissioning_count) +
           buffers_room(change->evidence, change->evidence_count) + room(change->mute, sizeof(*change->mute)) +
           room(change->candidate, sizeof(*change->candidate)) +
           (change->candidate ? room(change->candidate->bytes, change->candidate->size) : 0) + event_room(change) +
           room(change->hours, change->hour_count * sizeof(*change->hours));
}

static const struct store_buffer *keep_buffers(char **bytes, const struct store_buffer *from, size_t count)
{
    struct store_buffer *buffers = (struct store_buffer *)keep(bytes, from, count * sizeof(*from));

    for (size_t i = 0; buffers && i < count; i++) {
        buffers[i].samples = keep(bytes, buffers[i].samples, buffers[i].count * sizeof(int16_t));
        buffers[i].step = keep(bytes, buffers[i].step, buffers[i].axes * sizeof(float));
        buffers[i].offset = keep(bytes, buffers[i].offset, buffers[i].axes * sizeof(float));
        buffers[i].features = keep_text(bytes, buffers[i].features);
    }
    return buffers;
}

static const struct store_candidate *keep_candidate(char **bytes, const struct store_candidate *from)
{
    struct store_candidate *candidate = (struct store_candidate *)keep(bytes, from, sizeof(*from));

    if (candidate)
        candidate->bytes = keep(bytes, candidate->bytes, candidate->size);
    return candidate;
}

static void keep_events(char **bytes, struct store_change *change)
{
    struct anomaly *anomalies = (struct anomaly *)change->anomalies;
    struct store_outgoing *outgoing = (struct store_outgoing *)change->outgoing;

    for (size_t i = 0; i < change->anomaly_count; i++)
        anomalies[i].explanation = (char *)keep_text(bytes, anomalies[i].explanation);
    for (size_t i = 0; i < change->outgoing_count; i++) {
        outgoing[i].topic = keep_text(bytes, outgoing[i].topic);
        outgoing[i].payload = keep_text(bytes, outgoing[i].payload);
        outgoing[i].correlation = keep(bytes, outgoing[i].correlation, outgoing[i].correlation_size);
    }
}

static void keep_change(char *bytes, struct store_change *change)
{
    change->state = keep(&bytes, change->state, sizeof(*change->state));
    change->window = keep(&bytes, change->window, change->window_size);
    change->knowledge = keep(&bytes, change->knowledge, change->knowledge_size);
    change->snapshot = keep_text(&bytes, change->snapshot);
    change->settings = keep_text(&bytes, change->settings);
    change->marks = keep(&bytes, change->marks, change->mark_count * sizeof(*change->marks));
    change->snapshot_after = keep_text(&bytes, change->snapshot_after);
    change->snapshot_note = keep_text(&bytes, change->snapshot_note);
    change->commissioning = keep_buffers(&bytes, change->commissioning, change->commissioning_count);
    change->evidence = keep_buffers(&bytes, change->evidence, change->evidence_count);
    change->mute = keep(&bytes, change->mute, sizeof(*change->mute));
    change->candidate = keep_candidate(&bytes, change->candidate);
    change->hours = keep(&bytes, change->hours, change->hour_count * sizeof(*change->hours));
    change->anomalies = keep(&bytes, change->anomalies, change->anomaly_count * sizeof(*change->anomalies));
    change->outgoing = keep(&bytes, change->outgoing, change->outgoing_count * sizeof(*change->outgoing));
    keep_events(&bytes, change);
}

static struct store_op *new_op(enum op_kind kind, const struct store_change *change, const char *id)
{
    size_t id_room = text_room(id);
    struct store_op *op = calloc(1, sizeof(*op) + id_room + change_room(change));
    char *bytes;

    if (!op)
        return NULL;
    bytes = op->bytes;
    op->kind = kind;
    op->id = keep_text(&bytes, id);
    op->change = *change;
    keep_change(bytes, &op->change);
    return op;
}

int store_submit(struct store *store, const struct store_change *change, struct store_op **ret_op)
{
    struct store_op *op = new_op(OP_CHANGE, change, NULL);
    int r;

    if (!op)
        return fault(-ENOMEM);
    op->forgotten = !ret_op;
    r = store_enqueue(store, op);
    if (r == 0 && ret_op)
        *ret_op = op;
    return r;
}

/* Waits for its end, as all do who change the set of machines. The row of a new machine is read before op is freed. */
int store_run_op(struct store *store, struct store_op *op, int64_t *machine)
{
    int r = store_enqueue(store, op);

    if (r < 0)
        return r;
    pthread_mutex_lock(&store->mutex);
    while (!op->done)
        pthread_cond_wait(&store->finished, &store->mutex);
    pthread_mutex_unlock(&store->mutex);
    if (machine)
        *machine = op->machine;
    return store_finish(store, op);
}

int store_create_machine(struct store *store, const char *id, const struct store_change *first, int64_t *machine)
{
    struct store_op *op = new_op(OP_CREATE, first, id);

    return op ? store_run_op(store, op, machine) : fault(-ENOMEM);
}

int store_delete_machine(struct store *store, int64_t machine, const struct store_outgoing *outgoing, size_t count,
                         int64_t at)
{
    struct store_change last = { .at = at, .outgoing = outgoing, .outgoing_count = count };
    struct store_op *op = new_op(OP_DELETE, &last, NULL);

    if (!op)
        return fault(-ENOMEM);
    op->machine = machine;
    return store_run_op(store, op, NULL);
}

int store_add_snapshot(struct store *store, int64_t machine, const char *reason, const char *note, const void *bytes,
                       size_t size, int64_t at)
{
    struct store_change change = { .machine = machine,
                                   .at = at,
                                   .snapshot = reason,
                                   .snapshot_note = note,
                                   .knowledge = bytes,
                                   .knowledge_size = size };
    struct store_op *op = new_op(OP_SNAPSHOT, &change, NULL);

    return op ? store_run_op(store, op, NULL) : fault(-ENOMEM);
}

int store_daily_snapshots(struct store *store, int64_t since, int64_t at)
{
    struct store_op *op = new_op(OP_DAILY, &(struct store_change){ .at = at }, NULL);

    if (!op)
        return fault(-ENOMEM);
    op->since = since;
    return store_run_op(store, op, NULL);
}

int64_t store_next_anomaly(struct store *store)
{
    return store->next_anomaly++;
}

int store_publish(struct store *store, const struct store_outgoing *outgoing, size_t count, int64_t at)
{
    struct store_change said = { .at = at, .outgoing = outgoing, .outgoing_count = count };
    struct store_op *op = new_op(OP_PUBLISH, &said, NULL);

    return op ? store_run_op(store, op, NULL) : fault(-ENOMEM);
}

void store_without_broker(struct store *store)
{
    store->no_broker = true;
}

/* Losing this note only means that the message is sent once more. */
void store_outbox_done(struct store *store, int64_t id)
{
    struct store_op *op = calloc(1, sizeof(*op));

    if (!op)
        return;
    op->kind = OP_OUTBOX_DONE;
    op->machine = id;
    op->forgotten = true;
    store_enqueue(store, op);
}

void store_outbox_drop(struct store *store, int64_t id)
{
    pthread_mutex_lock(&store->mutex);
    store->figures.outbox_dropped++;
    pthread_mutex_unlock(&store->mutex);
    store_outbox_done(store, id);
}

void store_on_outgoing(struct store *store, void (*hook)(void *user), void *user)
{
    pthread_mutex_lock(&store->mutex);
    store->outgoing_hook = hook;
    store->outgoing_user = user;
    pthread_mutex_unlock(&store->mutex);
}

void store_figures(struct store *store, struct store_figures *figures)
{
    struct statvfs disk;
    struct stat file;

    pthread_mutex_lock(&store->mutex);
    *figures = store->figures;
    figures->commit_duration = &store->commit_duration;
    figures->commit_size = &store->commit_size;
    pthread_mutex_unlock(&store->mutex);
    figures->written_bytes = meter_written();
    figures->daily_bytes = store->daily;
    figures->strain = store->strain;
    figures->size_bytes = stat(store->path, &file) == 0 ? (int64_t)file.st_size : -1;
    figures->free_bytes =
        statvfs(store->path, &disk) == 0 && disk.f_blocks > 0 ? (int64_t)(disk.f_bavail * disk.f_frsize) : -1;
}

void store_limit_writes(struct store *store, uint64_t daily_bytes)
{
    pthread_mutex_lock(&store->mutex);
    store->daily = daily_bytes;
    budget_begin(&store->budget, daily_bytes, clock_now().mono, meter_written());
    pthread_mutex_unlock(&store->mutex);
}

double store_strain(const struct store *store)
{
    return store->strain;
}

int64_t store_busy_since(const struct store *store)
{
    return atomic_load(&store->busy_since);
}
