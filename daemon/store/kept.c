/* Queries of what is kept to go back, and to learn again: snapshots, commissioning buffers, buffers of anomalies. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/internal.h"

static const char *text(sqlite3_stmt *statement, int column)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);

    return value ? value : "";
}

int store_snapshots(struct store *store, int64_t machine, int64_t id,
                    void (*each)(void *user, const struct snapshot *snapshot, const void *bytes), void *user)
{
    static const char sql[] = "SELECT id, taken, reason, note, bytes FROM snapshot "
                              "WHERE machine = ?1 AND (?2 = 0 OR id = ?2) ORDER BY id DESC";
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, machine);
        sqlite3_bind_int64(statement, 2, id);
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            struct snapshot snapshot = { .id = sqlite3_column_int64(statement, 0),
                                         .taken = sqlite3_column_int64(statement, 1),
                                         .size = (uint32_t)sqlite3_column_bytes(statement, 4) };

            snprintf(snapshot.reason, sizeof(snapshot.reason), "%s", text(statement, 2));
            snprintf(snapshot.note, sizeof(snapshot.note), "%s", text(statement, 3));
            each(user, &snapshot, sqlite3_column_blob(statement, 4));
        }
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}

int store_commissioning_of(struct store *store, int64_t machine, int64_t snapshot, uint32_t *count, uint64_t *bytes)
{
    static const char sql[] = "SELECT count(*), coalesce(sum(length(samples)), 0) FROM commissioning "
                              "WHERE machine = ?1 AND id <= (SELECT upto FROM snapshot WHERE id = ?2)";
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, machine);
        sqlite3_bind_int64(statement, 2, snapshot);
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            *count = (uint32_t)sqlite3_column_int64(statement, 0);
            *bytes = (uint64_t)sqlite3_column_int64(statement, 1);
        }
        r = result == SQLITE_ROW ? 0 : fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}

/* ------------------------------------------------------------------------------------------------------ kept buffers */

#define COLUMNS "b.at, b.axes, b.step, b.zero, b.samples"
#define OF_ANOMALIES                                                                                             \
    "SELECT " COLUMNS ", b.anomaly FROM evidence b JOIN anomaly a ON a.id = b.anomaly WHERE b.machine = ?1 AND " \
    "a.event "

static const char *const kept_sql[] = {
    [KEPT_COMMISSIONING] = "SELECT " COLUMNS ", 0 FROM commissioning b WHERE b.machine = ?1 ORDER BY b.id",
    [KEPT_EVIDENCE] = "SELECT " COLUMNS ", b.anomaly FROM evidence b WHERE b.anomaly = ?1 ORDER BY b.id",
    [KEPT_ACCEPTED] = OF_ANOMALIES "= 4 ORDER BY b.anomaly, b.id",
    [KEPT_STRANGE] = OF_ANOMALIES "<> 4 ORDER BY b.anomaly, b.id",
};

/* Whether a row holds what its axes say; one that does not is damaged, and is no buffer. */
static bool read_buffer(sqlite3_stmt *statement, struct store_buffer *buffer)
{
    size_t axes = (size_t)sqlite3_column_int64(statement, 1);

    *buffer = (struct store_buffer){ .at = sqlite3_column_int64(statement, 0),
                                     .axes = (uint32_t)axes,
                                     .step = sqlite3_column_blob(statement, 2),
                                     .offset = sqlite3_column_blob(statement, 3),
                                     .samples = sqlite3_column_blob(statement, 4),
                                     .count = (size_t)sqlite3_column_bytes(statement, 4) / sizeof(int16_t),
                                     .anomaly = sqlite3_column_int64(statement, 5) };
    return axes > 0 && buffer->count > 0 && buffer->count % axes == 0 &&
           (size_t)sqlite3_column_bytes(statement, 2) == axes * sizeof(float) &&
           (size_t)sqlite3_column_bytes(statement, 3) == axes * sizeof(float);
}

int store_kept(struct store *store, enum store_kept kept, int64_t of,
               int (*each)(void *user, const struct store_buffer *buffer), void *user)
{
    sqlite3_stmt *statement = NULL;
    struct store_buffer buffer;
    int result = SQLITE_DONE;
    int r = store_begin_reading(store, kept_sql[kept], &statement);

    if (r == 0)
        sqlite3_bind_int64(statement, 1, of);
    while (r == 0 && (result = sqlite3_step(statement)) == SQLITE_ROW)
        r = read_buffer(statement, &buffer) ? each(user, &buffer) : 0;
    if (r == 0)
        r = fault(store_error(result));
    store_end_reading(store, statement);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- features */

int store_features(struct store *store, int64_t anomaly, int (*each)(void *user, const char *features), void *user)
{
    sqlite3_stmt *statement = NULL;
    int result = SQLITE_DONE;
    int r = store_begin_reading(
        store, "SELECT features FROM evidence WHERE anomaly = ? AND features IS NOT NULL ORDER BY id", &statement);

    if (r == 0)
        sqlite3_bind_int64(statement, 1, anomaly);
    while (r == 0 && (result = sqlite3_step(statement)) == SQLITE_ROW)
        r = each(user, (const char *)sqlite3_column_text(statement, 0));
    if (r == 0)
        r = fault(store_error(result));
    store_end_reading(store, statement);
    return r;
}

int store_holds(struct store *store, int64_t machine, bool *samples, bool *features)
{
    static const char sql[] = "SELECT EXISTS (SELECT 1 FROM commissioning WHERE machine = ?1) OR "
                              "EXISTS (SELECT 1 FROM evidence WHERE machine = ?1 AND features IS NULL), "
                              "EXISTS (SELECT 1 FROM evidence WHERE machine = ?1 AND features IS NOT NULL)";
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, machine);
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            *samples = sqlite3_column_int(statement, 0) != 0;
            *features = sqlite3_column_int(statement, 1) != 0;
        }
        r = result == SQLITE_ROW ? 0 : fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}
