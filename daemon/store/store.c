/* Opening and closing, the queue, and the writer that commits in groups. */
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/limits.h"
#include "store/internal.h"

int store_error(int result)
{
    switch (result & 0xff) {
    case SQLITE_OK:
    case SQLITE_ROW:
    case SQLITE_DONE:
        return 0;
    case SQLITE_FULL:
        return -ENOSPC;
    case SQLITE_READONLY:
        return -EROFS;
    case SQLITE_NOMEM:
        return -ENOMEM;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return -EBUSY;
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return -EACCES;
    default:
        return -EIO;
    }
}

/* ---------------------------------------------------------------------------------------------------- open and close */

/* Sensors' secrets may be in here: nobody else reads it. */
static int lock_file(struct store *store, char message[STORE_MESSAGE_SIZE])
{
    char path[sizeof(store->path) + 8];

    snprintf(path, sizeof(path), "%s.lock", store->path);
    store->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (store->lock_fd < 0) {
        int error = errno;

        snprintf(message, STORE_MESSAGE_SIZE, "%s: %s: the folder must exist and be writable", path, strerror(error));
        return -error;
    }
    if (flock(store->lock_fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    snprintf(message, STORE_MESSAGE_SIZE, "%s: another habitd is using this store", store->path);
    return STORE_E_IN_USE;
}

/* Settings of a connection. Those before the inspection write nothing: a file that is not for us is left as it is. */
static const char reading_pragmas[] = "PRAGMA trusted_schema = OFF;"
                                      "PRAGMA cell_size_check = ON;"
                                      "PRAGMA mmap_size = 0;"; /* an I/O error is a result, not a SIGBUS */

static const char first_pragmas[] =
    "PRAGMA auto_vacuum = INCREMENTAL;"; /* must come before the first table, and writes */

static const char writing_pragmas[] =
    "PRAGMA journal_mode = WAL;"
    "PRAGMA synchronous = FULL;" /* the promise: one sync before each answer */
    "PRAGMA foreign_keys = ON;"
    "PRAGMA temp_store = MEMORY;"
    "PRAGMA cache_size = -1000;"
    "PRAGMA wal_autocheckpoint = 250;" /* pages: a -wal of 1 MiB, on small disks too */
    "PRAGMA journal_size_limit = 1048576;";

enum { BUSY_MS = 1000 }; /* somebody else has the database, a backup perhaps; we must stop within 5 s */

static int connect_database(const char *path, int flags, sqlite3 **database)
{
    mode_t mask = umask(077);
    int result = sqlite3_open_v2(path, database, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, NULL);

    umask(mask);
    if (result == SQLITE_OK)
        sqlite3_busy_timeout(*database, BUSY_MS);
    return store_error(result);
}

static int first_anomaly(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(store->reader,
                                    "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = 'anomaly'", -1,
                                    &statement, NULL);

    if (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        store->next_anomaly = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return fault(store_error(result));
}

static int say(const struct store *store, int result, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", store->path, sqlite3_errmsg(store->writer));
    return fault(store_error(result));
}

/* The writing connection on a file that is ours and whole. Until that is known nothing may be written, on closing neither: what
 * the -wal file holds stays there. */
static int open_writer(struct store *store, char message[STORE_MESSAGE_SIZE])
{
    int version, result;
    int r = connect_database(store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &store->writer);

    if (r < 0) {
        snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", store->path, sqlite3_errmsg(store->writer));
        return fault(r);
    }
    sqlite3_db_config(store->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    result = sqlite3_exec(store->writer, reading_pragmas, NULL, NULL, NULL);
    if (result != SQLITE_OK)
        return say(store, result, message);
    r = store_inspect(store->writer, store->path, &version, message);
    if (r != 0)
        return r;
    sqlite3_db_config(store->writer, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    if (version == 0)
        result = sqlite3_exec(store->writer, first_pragmas, NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(store->writer, writing_pragmas, NULL, NULL, NULL);
    return result == SQLITE_OK ? store_migrate(store->writer, store->path, version, message)
                               : say(store, result, message);
}

static int open_connections(struct store *store, char message[STORE_MESSAGE_SIZE])
{
    int r = open_writer(store, message);

    if (r == 0)
        r = store_prepare_statements(store);
    if (r == 0)
        r = connect_database(store->path, SQLITE_OPEN_READONLY, &store->reader);
    if (r == 0)
        r = first_anomaly(store);
    return r;
}

static void *write_groups(void *argument);

static int start_writer(struct store *store)
{
    int r = -pthread_create(&store->thread, NULL, write_groups, store);

    store->started = r == 0;
    return fault(r);
}

int store_open(struct store **ret_store, const char *path, char message[STORE_MESSAGE_SIZE])
{
    struct store *store = calloc(1, sizeof(*store));
    int r;

    message[0] = '\0';
    if (!store)
        return fault(-ENOMEM);
    pthread_mutex_init(&store->mutex, NULL);
    pthread_mutex_init(&store->reading, NULL);
    pthread_cond_init(&store->work, NULL);
    pthread_cond_init(&store->finished, NULL);
    store->last = &store->first;
    store->epoch = 1;
    store->lock_fd = -1;
    snprintf(store->path, sizeof(store->path), "%s", path);

    r = lock_file(store, message);
    if (r == 0)
        r = open_connections(store, message);
    if (r == 0)
        r = start_writer(store);
    if (r != 0) {
        if (message[0] == '\0')
            snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", path, strerror(r < 0 ? -r : EIO));
        store_close(store);
        return r;
    }
    *ret_store = store;
    return 0;
}

struct store *store_close(struct store *store)
{
    if (!store)
        return NULL;
    if (store->started) {
        pthread_mutex_lock(&store->mutex);
        store->stopping = true;
        pthread_cond_signal(&store->work);
        pthread_mutex_unlock(&store->mutex);
        pthread_join(store->thread, NULL);
    }
    sqlite3_close(store->reader);
    store_finalize_statements(store);
    sqlite3_close(store->writer); /* the last one: checkpoints and removes the -wal file */
    if (store->lock_fd >= 0)
        close(store->lock_fd);
    pthread_cond_destroy(&store->finished);
    pthread_cond_destroy(&store->work);
    pthread_mutex_destroy(&store->reading);
    pthread_mutex_destroy(&store->mutex);
    free(store);
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------- the writer */

/* Takes the whole queue or a group of LIMIT_STORE_BATCH; NULL = stopping and nothing left. */
static struct store_op *take_group(struct store *store)
{
    struct store_op *group, **end;
    size_t count = 0;

    pthread_mutex_lock(&store->mutex);
    while (!store->first && !store->stopping)
        pthread_cond_wait(&store->work, &store->mutex);
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
    return op->kind == OP_CHANGE && op->change.epoch != store->epoch;
}

/* Applies what can be applied; a negative result means that nothing of the group may stay. */
static int apply_group(struct store *store, struct store_op *group)
{
    for (struct store_op *op = group; op; op = op->next) {
        op->result = is_stale(store, op) ? -ESTALE : store_apply(store, op);
        if (op->result < 0 && op->result != -ESTALE && op->result != -ENOENT && op->result != -EEXIST)
            return op->result;
    }
    return 0;
}

static int commit_group(struct store *store, struct store_op *group)
{
    int r = store_step(store, STATEMENT_BEGIN);

    if (r == 0)
        r = apply_group(store, group);
    if (r == 0)
        r = store_step(store, STATEMENT_COMMIT);
    if (r < 0 && !sqlite3_get_autocommit(store->writer))
        store_step(store, STATEMENT_ROLLBACK);
    return r;
}

static bool has_outgoing(const struct store_op *group)
{
    while (group && group->change.outgoing_count == 0)
        group = group->next;
    return group;
}

/* Wakes those who wait. After a failure the group is as if it had never been, and so is all that was built on it. */
static void finish_group(struct store *store, struct store_op *group, int result)
{
    if (result < 0)
        store->epoch++;
    pthread_mutex_lock(&store->mutex);
    store->figures.last_error = result;
    *(result < 0 ? &store->figures.failed_commits : &store->figures.commits) += 1;
    if (result == 0 && store->outgoing_hook && has_outgoing(group))
        store->outgoing_hook(store->outgoing_user);
    while (group) {
        struct store_op *op = group;

        group = op->next;
        if (result < 0)
            op->result = result;
        else
            store->figures.changes++;
        if (op->forgotten)
            free(op);
        else
            op->done = true;
    }
    pthread_cond_broadcast(&store->finished);
    pthread_mutex_unlock(&store->mutex);
}

static void *write_groups(void *argument)
{
    struct store *store = argument;
    struct store_op *group;

    while ((group = take_group(store)))
        finish_group(store, group, commit_group(store, group));
    return NULL;
}

/* --------------------------------------------------------------------------------------------------------- the queue */

static int enqueue(struct store *store, struct store_op *op)
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

static size_t commissioning_room(const struct store_change *change)
{
    size_t size = room(change->commissioning, change->commissioning_count * sizeof(*change->commissioning));

    for (size_t i = 0; i < change->commissioning_count; i++) {
        const struct store_commissioning *buffer = &change->commissioning[i];

        size += room(buffer->samples, buffer->count * sizeof(int16_t)) +
                2 * room(buffer->step, buffer->axes * sizeof(float));
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
        size += text_room(change->outgoing[i].topic) + text_room(change->outgoing[i].payload);
    return size;
}

static size_t change_room(const struct store_change *change)
{
    return room(change->state, sizeof(*change->state)) + room(change->window, change->window_size) +
           room(change->knowledge, change->knowledge_size) + text_room(change->snapshot) + text_room(change->settings) +
           room(change->marks, change->mark_count * sizeof(*change->marks)) + commissioning_room(change) +
           event_room(change) + room(change->hours, change->hour_count * sizeof(*change->hours));
}

static void keep_commissioning(char **bytes, struct store_change *change)
{
    struct store_commissioning *buffers = (struct store_commissioning *)change->commissioning;

    for (size_t i = 0; i < change->commissioning_count; i++) {
        buffers[i].samples = keep(bytes, buffers[i].samples, buffers[i].count * sizeof(int16_t));
        buffers[i].step = keep(bytes, buffers[i].step, buffers[i].axes * sizeof(float));
        buffers[i].offset = keep(bytes, buffers[i].offset, buffers[i].axes * sizeof(float));
    }
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
    change->commissioning =
        keep(&bytes, change->commissioning, change->commissioning_count * sizeof(*change->commissioning));
    keep_commissioning(&bytes, change);
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
    r = enqueue(store, op);
    if (r == 0 && ret_op)
        *ret_op = op;
    return r;
}

uint64_t store_epoch(const struct store *store)
{
    return store->epoch;
}

/* Waits for its end, as all do who change the set of machines. The row of a new machine is read before op is freed. */
static int run_op(struct store *store, struct store_op *op, int64_t *machine)
{
    int r = enqueue(store, op);

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

    return op ? run_op(store, op, machine) : fault(-ENOMEM);
}

int store_delete_machine(struct store *store, int64_t machine, const struct store_outgoing *outgoing, size_t count)
{
    struct store_change last = { .outgoing = outgoing, .outgoing_count = count };
    struct store_op *op = new_op(OP_DELETE, &last, NULL);

    if (!op)
        return fault(-ENOMEM);
    op->machine = machine;
    return run_op(store, op, NULL);
}

int64_t store_next_anomaly(struct store *store)
{
    return store->next_anomaly++;
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
    enqueue(store, op);
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
    pthread_mutex_unlock(&store->mutex);
    figures->size_bytes = stat(store->path, &file) == 0 ? (int64_t)file.st_size : -1;
    figures->free_bytes = statvfs(store->path, &disk) == 0 ? (int64_t)(disk.f_bavail * disk.f_frsize) : -1;
}
