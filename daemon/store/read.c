/* Queries over the reading connection. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

int store_begin_reading(struct store *store, const char *sql, sqlite3_stmt **statement)
{
    int r;

    pthread_mutex_lock(&store->reading);
    r = store_error(sqlite3_prepare_v2(store->reader, sql, -1, statement, NULL));
    return fault(r);
}

void store_end_reading(struct store *store, sqlite3_stmt *statement)
{
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->reading);
}

static const char *text(sqlite3_stmt *statement, int column)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);

    return value ? value : "";
}

static uint32_t number(sqlite3_stmt *statement, int column)
{
    return (uint32_t)sqlite3_column_int64(statement, column);
}

/* ---------------------------------------------------------------------------------------------------------- machines */

enum { MARKS_MOST = LIMIT_SOURCES * LIMIT_BOOTS };

static void read_mark(sqlite3_stmt *statement, struct mark *mark)
{
    memset(mark, 0, sizeof(*mark));
    snprintf(mark->source, sizeof(mark->source), "%s", text(statement, 0));
    snprintf(mark->boot, sizeof(mark->boot), "%s", text(statement, 1));
    mark->high = (uint64_t)sqlite3_column_int64(statement, 2);
    if (sqlite3_column_bytes(statement, 3) == (int)sizeof(mark->seen))
        memcpy(mark->seen, sqlite3_column_blob(statement, 3), sizeof(mark->seen));
    mark->used = sqlite3_column_int64(statement, 4);
}

static int read_marks(sqlite3_stmt *statement, int64_t machine, struct mark *marks, size_t *count)
{
    int result;

    *count = 0;
    sqlite3_bind_int64(statement, 1, machine);
    while ((result = sqlite3_step(statement)) == SQLITE_ROW && *count < MARKS_MOST)
        read_mark(statement, &marks[(*count)++]);
    sqlite3_reset(statement);
    return fault(store_error(result));
}

/* What another version of habit wrote, or none, is begun anew. */
static void read_memory(sqlite3_stmt *statement, int column, struct strategy_memory *memory)
{
    const struct strategy_memory *stored = sqlite3_column_blob(statement, column);

    if (stored && sqlite3_column_bytes(statement, column) == (int)sizeof(*memory))
        memcpy(memory, stored, sizeof(*memory));
    if (memory->version != STRATEGY_MEMORY_VERSION)
        *memory = (struct strategy_memory){ .version = STRATEGY_MEMORY_VERSION };
}

static void read_state(sqlite3_stmt *statement, struct strategy_state *state)
{
    *state = (struct strategy_state){ .phase = number(statement, 8),
                                      .phase_since = sqlite3_column_int64(statement, 9),
                                      .phase_learned = number(statement, 10),
                                      .last_learn = sqlite3_column_int64(statement, 11),
                                      .last_detect = sqlite3_column_int64(statement, 12),
                                      .last_seen = sqlite3_column_int64(statement, 13),
                                      .last_measured = sqlite3_column_int64(statement, 14),
                                      .interval = sqlite3_column_int64(statement, 15),
                                      .anomaly = sqlite3_column_int64(statement, 16),
                                      .anomaly_similarity = number(statement, 17),
                                      .anomaly_distance = (float)sqlite3_column_double(statement, 18),
                                      .anomaly_buffers = number(statement, 19) };
    read_memory(statement, 20, &state->memory);
}

static void read_mute(sqlite3_stmt *statement, int column, struct mute *mute)
{
    *mute = (struct mute){ .since = sqlite3_column_int64(statement, column),
                           .until = sqlite3_column_int64(statement, column + 1),
                           .then = number(statement, column + 4) };
    snprintf(mute->who, sizeof(mute->who), "%s", text(statement, column + 2));
    snprintf(mute->why, sizeof(mute->why), "%s", text(statement, column + 3));
    if (mute->then >= MUTE_ENDS_COUNT)
        mute->then = MUTE_KEEP;
}

static void read_machine(sqlite3_stmt *statement, struct store_machine *machine)
{
    memset(machine, 0, sizeof(*machine));
    machine->machine = sqlite3_column_int64(statement, 0);
    machine->id = text(statement, 1);
    machine->created = sqlite3_column_int64(statement, 2);
    machine->settings = text(statement, 3);
    machine->knowledge = sqlite3_column_blob(statement, 4);
    machine->knowledge_size = (size_t)sqlite3_column_bytes(statement, 4);
    machine->window = sqlite3_column_blob(statement, 5);
    machine->window_size = (size_t)sqlite3_column_bytes(statement, 5);
    machine->commissioning_count = number(statement, 6);
    machine->commissioning_bytes = (uint64_t)sqlite3_column_int64(statement, 7);
    read_state(statement, &machine->state);
    read_mute(statement, 21, &machine->mute);
    machine->candidate = (struct store_candidate){ .made = sqlite3_column_int64(statement, 26),
                                                   .buffers = number(statement, 27),
                                                   .accepted = number(statement, 28),
                                                   .bytes = sqlite3_column_blob(statement, 29),
                                                   .size = (size_t)sqlite3_column_bytes(statement, 29) };
}

static const char machines_sql[] =
    "SELECT m.id, m.name, m.created, m.settings, k.bytes, s.window, "
    "(SELECT count(*) FROM commissioning c WHERE c.machine = m.id), "
    "(SELECT coalesce(sum(length(samples)), 0) FROM commissioning c WHERE c.machine = m.id), "
    "coalesce(s.phase, 0), coalesce(s.phase_since, m.created), coalesce(s.phase_learned, 0), "
    "coalesce(s.last_learn, 0), coalesce(s.last_detect, 0), coalesce(s.last_seen, 0), coalesce(s.last_measured, 0), "
    "coalesce(s.interval, 0), "
    "coalesce(s.anomaly, 0), coalesce(s.anomaly_similarity, 0), coalesce(s.anomaly_distance, 0), "
    "coalesce(s.anomaly_buffers, 0), s.memory, coalesce(u.since, 0), coalesce(u.until, 0), u.who, u.why, "
    "coalesce(u.finish, 0), coalesce(d.made, 0), coalesce(d.buffers, 0), coalesce(d.accepted, 0), d.bytes "
    "FROM machine m LEFT JOIN state s ON s.machine = m.id LEFT JOIN knowledge k ON k.machine = m.id "
    "LEFT JOIN mute u ON u.machine = m.id LEFT JOIN candidate d ON d.machine = m.id "
    "WHERE ?1 = 0 OR m.id = ?1 ORDER BY m.name";

static int each_machine(sqlite3_stmt *machines, sqlite3_stmt *marks,
                        int (*each)(void *user, const struct store_machine *machine), void *user)
{
    struct mark *found = calloc(MARKS_MOST, sizeof(*found));
    struct store_machine machine;
    int result = SQLITE_DONE;
    int r = found ? 0 : -ENOMEM;

    while (r == 0 && (result = sqlite3_step(machines)) == SQLITE_ROW) {
        read_machine(machines, &machine);
        machine.marks = found;
        r = read_marks(marks, machine.machine, found, &machine.mark_count);
        if (r == 0)
            r = each(user, &machine);
    }
    free(found);
    return r < 0 ? r : fault(store_error(result));
}

int store_load_machines(struct store *store, int64_t machine,
                        int (*each)(void *user, const struct store_machine *machine), void *user)
{
    sqlite3_stmt *machines = NULL, *marks = NULL;
    int r = store_begin_reading(store, machines_sql, &machines);

    if (r == 0)
        r = store_error(sqlite3_prepare_v2(store->reader,
                                           "SELECT source, boot, high, seen, used FROM mark WHERE machine = ?1 "
                                           "ORDER BY used DESC",
                                           -1, &marks, NULL));
    if (r == 0) {
        sqlite3_bind_int64(machines, 1, machine);
        r = each_machine(machines, marks, each, user);
    }
    sqlite3_finalize(marks);
    store_end_reading(store, machines);
    return r;
}

/* --------------------------------------------------------------------------------------------------------- anomalies */

static const char anomalies_sql[] =
    "SELECT a.id, m.name, a.asset, a.raised, a.cleared, a.event, a.similarity, a.distance, a.threshold, a.sensitivity, "
    "a.learned, a.buffers, a.explanation, a.context, a.knowledge_crc, a.undo, "
    "(SELECT count(*) FROM evidence e WHERE e.anomaly = a.id AND e.features IS NULL) FROM anomaly a JOIN machine m ON "
    "m.id = a.machine "
    "WHERE (?1 IS NULL OR m.name = ?1) AND (?2 IS NULL OR a.asset = ?2) AND a.raised >= ?3 AND (?4 = 0 OR a.raised < "
    "?4) "
    "AND (?5 = 0 OR a.id < ?5) AND (?6 = 0 OR a.id = ?6) ORDER BY a.id DESC LIMIT ?7";

static int read_anomaly(sqlite3_stmt *statement, struct anomaly *anomaly)
{
    memset(anomaly, 0, sizeof(*anomaly));
    anomaly->id = sqlite3_column_int64(statement, 0);
    snprintf(anomaly->machine, sizeof(anomaly->machine), "%s", text(statement, 1));
    snprintf(anomaly->asset, sizeof(anomaly->asset), "%s", text(statement, 2));
    anomaly->raised = sqlite3_column_int64(statement, 3);
    anomaly->cleared = sqlite3_column_int64(statement, 4);
    anomaly->event = number(statement, 5);
    anomaly->similarity = (uint8_t)number(statement, 6);
    anomaly->distance = (float)sqlite3_column_double(statement, 7);
    anomaly->threshold = number(statement, 8);
    anomaly->sensitivity = (float)sqlite3_column_double(statement, 9);
    anomaly->learned = number(statement, 10);
    anomaly->buffers = number(statement, 11);
    snprintf(anomaly->context, sizeof(anomaly->context), "%s", text(statement, 13));
    anomaly->knowledge_crc = number(statement, 14);
    anomaly->undo = sqlite3_column_int64(statement, 15);
    anomaly->evidence = number(statement, 16);
    anomaly->explanation = strdup(text(statement, 12));
    return anomaly->explanation ? 0 : -ENOMEM;
}

static void bind_query(sqlite3_stmt *statement, const struct anomaly_query *query)
{
    if (query->machine)
        sqlite3_bind_text(statement, 1, query->machine, -1, SQLITE_STATIC);
    if (query->asset)
        sqlite3_bind_text(statement, 2, query->asset, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 3, query->from);
    sqlite3_bind_int64(statement, 4, query->to);
    sqlite3_bind_int64(statement, 5, query->before);
    sqlite3_bind_int64(statement, 6, query->id);
    sqlite3_bind_int64(statement, 7, (sqlite3_int64)query->limit);
}

int store_anomalies(struct store *store, const struct anomaly_query *query, struct anomaly *anomalies)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    int result = SQLITE_DONE;
    int r = store_begin_reading(store, anomalies_sql, &statement);

    if (r == 0)
        bind_query(statement, query);
    while (r == 0 && count < query->limit && (result = sqlite3_step(statement)) == SQLITE_ROW) {
        r = read_anomaly(statement, &anomalies[count]);
        count += r == 0;
    }
    if (r == 0)
        r = fault(store_error(result));
    store_end_reading(store, statement);
    while (r < 0 && count > 0)
        free(anomalies[--count].explanation);
    return r < 0 ? r : (int)count;
}

int store_anomalies_between(struct store *store, int64_t from, int64_t to,
                            void (*each)(void *user, int64_t machine, const struct anomaly *anomaly), void *user)
{
    static const char sql[] = "SELECT id, machine, similarity, distance, explanation FROM anomaly "
                              "WHERE raised < ?2 AND (cleared = 0 OR cleared >= ?1) ORDER BY id";
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, from);
        sqlite3_bind_int64(statement, 2, to);
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            struct anomaly anomaly = { .id = sqlite3_column_int64(statement, 0),
                                       .similarity = (uint8_t)number(statement, 2),
                                       .distance = (float)sqlite3_column_double(statement, 3),
                                       .explanation = (char *)text(statement, 4) };

            each(user, sqlite3_column_int64(statement, 1), &anomaly);
        }
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------ events */

void store_free_messages(struct outbox_message *messages, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(messages[i].topic);
        free(messages[i].payload);
        free(messages[i].correlation);
    }
}

static int read_correlation(sqlite3_stmt *statement, int column, struct outbox_message *message)
{
    size_t size = (size_t)sqlite3_column_bytes(statement, column);

    if (sqlite3_column_type(statement, column) == SQLITE_NULL)
        return 0;
    message->correlation = malloc(size + 1); /* an empty one is one too */
    if (!message->correlation)
        return fault(-ENOMEM);
    if (size > 0)
        memcpy(message->correlation, sqlite3_column_blob(statement, column), size);
    message->correlation_size = size;
    return 0;
}

static int read_message(sqlite3_stmt *statement, struct outbox_message *message)
{
    *message = (struct outbox_message){ .id = sqlite3_column_int64(statement, 0),
                                        .at = sqlite3_column_int64(statement, 1),
                                        .topic = strdup(text(statement, 2)),
                                        .whole = sqlite3_column_int(statement, 3) != 0,
                                        .payload = strdup(text(statement, 4)),
                                        .retain = sqlite3_column_int(statement, 5) != 0 };
    if (!message->topic || !message->payload)
        return fault(-ENOMEM);
    return read_correlation(statement, 6, message);
}

static int read_messages(struct store *store, const char *sql, int64_t after, struct outbox_message *messages,
                         size_t limit)
{
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    int result = SQLITE_DONE;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, after);
        sqlite3_bind_int64(statement, 2, (sqlite3_int64)limit);
    }
    while (r == 0 && count < limit && (result = sqlite3_step(statement)) == SQLITE_ROW)
        r = read_message(statement, &messages[count++]);
    if (r == 0)
        r = fault(store_error(result));
    store_end_reading(store, statement);
    if (r < 0)
        store_free_messages(messages, count);
    return r < 0 ? r : (int)count;
}

#define MESSAGE_COLUMNS "SELECT id, at, topic, whole, payload, retain, correlation FROM event "

int store_outbox(struct store *store, int64_t after, struct outbox_message *messages, size_t limit)
{
    return read_messages(store, MESSAGE_COLUMNS "WHERE waits = 1 AND id > ?1 ORDER BY id LIMIT ?2", after, messages,
                         limit);
}

int store_events(struct store *store, int64_t after, struct outbox_message *messages, size_t limit)
{
    return read_messages(store, MESSAGE_COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2", after, messages, limit);
}

/* Two numbers of one row. */
static int read_pair(struct store *store, const char *sql, int64_t *first, int64_t *second)
{
    sqlite3_stmt *statement = NULL;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0 && sqlite3_step(statement) == SQLITE_ROW) {
        *first = sqlite3_column_int64(statement, 0);
        *second = sqlite3_column_int64(statement, 1);
    } else if (r == 0) {
        r = fault(store_error(sqlite3_errcode(store->reader)));
    }
    store_end_reading(store, statement);
    return r;
}

int store_event_range(struct store *store, int64_t *oldest, int64_t *newest)
{
    return read_pair(store,
                     "SELECT (SELECT coalesce(min(id), 0) FROM event), "
                     "(SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'event')",
                     oldest, newest);
}

int store_outbox_backlog(struct store *store, uint64_t *count, int64_t *since)
{
    int64_t waiting = 0;
    int r = read_pair(store,
                      "SELECT (SELECT count(*) FROM event WHERE waits = 1), "
                      "coalesce((SELECT at FROM event WHERE waits = 1 ORDER BY id LIMIT 1), 0)",
                      &waiting, since);

    *count = (uint64_t)waiting;
    return r;
}

/* --------------------------------------------------------------------------------------------------------- snapshots */

int store_snapshot_times(struct store *store, void (*each)(void *user, const char *id, int64_t taken), void *user)
{
    sqlite3_stmt *statement = NULL;
    int result = SQLITE_DONE;
    int r = store_begin_reading(
        store,
        "SELECT m.name, (SELECT taken FROM snapshot s WHERE s.machine = m.id ORDER BY id DESC LIMIT 1) AS taken "
        "FROM machine m WHERE taken IS NOT NULL ORDER BY m.name",
        &statement);

    while (r == 0 && (result = sqlite3_step(statement)) == SQLITE_ROW)
        each(user, text(statement, 0), sqlite3_column_int64(statement, 1));
    if (r == 0)
        r = fault(store_error(result));
    store_end_reading(store, statement);
    return r;
}
