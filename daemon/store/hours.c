/* Counters of hours: between rows and structs, and queries over them. */
#include <string.h>

#include "store/internal.h"

int store_bind_hour(sqlite3_stmt *statement, int place, const struct hour *hour)
{
#define BIND_INTEGER(name, help) sqlite3_bind_int64(statement, place++, (sqlite3_int64)hour->name);
#define BIND_REAL(name, help)    sqlite3_bind_double(statement, place++, hour->name);
    HOUR_COUNTERS(BIND_INTEGER)
    HOUR_SUMS(BIND_REAL)
    HOUR_TIMES(BIND_INTEGER)
#undef BIND_INTEGER
#undef BIND_REAL
    return place;
}

int store_read_hour(sqlite3_stmt *statement, int column, struct hour *hour)
{
#define READ_COUNTER(name, help) hour->name = (uint32_t)sqlite3_column_int64(statement, column++);
#define READ_SUM(name, help)     hour->name = sqlite3_column_double(statement, column++);
#define READ_TIME(name, help)    hour->name = (uint64_t)sqlite3_column_int64(statement, column++);
    HOUR_COUNTERS(READ_COUNTER)
    HOUR_SUMS(READ_SUM)
    HOUR_TIMES(READ_TIME)
#undef READ_COUNTER
#undef READ_SUM
#undef READ_TIME
    return column;
}

#define COLUMN(name, help) ", " #name
#define COLUMNS            "machine, start, similarity_min, phase" HOUR_COUNTERS(COLUMN) HOUR_SUMS(COLUMN) HOUR_TIMES(COLUMN)

static void read_row(sqlite3_stmt *statement, struct hour *hour)
{
    hour->start = sqlite3_column_int64(statement, 1);
    hour->similarity_min = (uint32_t)sqlite3_column_int64(statement, 2);
    hour->phase = (uint32_t)sqlite3_column_int64(statement, 3);
    store_read_hour(statement, 4, hour);
}

static void bind_span(sqlite3_stmt *statement, int64_t from, int64_t to)
{
    sqlite3_bind_int64(statement, 1, from);
    sqlite3_bind_int64(statement, 2, to);
}

/* Rows lie by time: from one start to the next, taking the machine's own of each. */
int store_hours(struct store *store, int64_t machine, int64_t from, int64_t to, struct hour *hours, size_t limit)
{
    static const char sql[] = "WITH RECURSIVE s (v) AS (SELECT min(start) FROM hour WHERE start >= ?1 UNION ALL SELECT "
                              "(SELECT min(start) FROM "
                              "hour WHERE start > v) FROM s WHERE v < ?2) SELECT " COLUMNS
                              " FROM s CROSS JOIN hour ON start = v AND machine = ?3 WHERE v < ?2 ORDER BY v LIMIT ?4";
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    int result = SQLITE_DONE;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        bind_span(statement, from, to);
        sqlite3_bind_int64(statement, 3, machine);
        sqlite3_bind_int64(statement, 4, (sqlite3_int64)limit);
        while (count < limit && (result = sqlite3_step(statement)) == SQLITE_ROW)
            read_row(statement, &hours[count++]);
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r < 0 ? r : (int)count;
}

int store_hours_of_all(struct store *store, int64_t from, int64_t to,
                       void (*each)(void *user, int64_t machine, const struct hour *hour), void *user)
{
    sqlite3_stmt *statement = NULL;
    struct hour hour;
    int result;
    int r = store_begin_reading(store, "SELECT " COLUMNS " FROM hour WHERE start >= ?1 AND start < ?2", &statement);

    if (r == 0) {
        bind_span(statement, from, to);
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            read_row(statement, &hour);
            each(user, sqlite3_column_int64(statement, 0), &hour);
        }
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}

int store_hours_span(struct store *store, int64_t *oldest, int64_t *newest)
{
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_begin_reading(
        store, "SELECT coalesce((SELECT min(start) FROM hour), 0), coalesce((SELECT max(start) FROM hour), 0)",
        &statement);

    if (r == 0) {
        result = sqlite3_step(statement);
        *oldest = sqlite3_column_int64(statement, 0);
        *newest = sqlite3_column_int64(statement, 1);
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}
