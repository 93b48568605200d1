/* What was deleted must not be found in the files again: SQLite overwrites it in its pages (secure_delete), but the -wal file holds them
 * as they were before, until it is emptied. */
#include <errno.h>
#include <stdlib.h>

#include "base/clock.h"
#include "store/internal.h"

enum { AGAIN_MS = 1000 };

/* Tables that others refer to come after those. */
static const char everything[] =
    "DELETE FROM event; DELETE FROM audit; DELETE FROM report; DELETE FROM hour; DELETE FROM reporting;"
    "DELETE FROM evidence; DELETE FROM anomaly; DELETE FROM commissioning; DELETE FROM snapshot;"
    "DELETE FROM candidate; DELETE FROM mute; DELETE FROM mark; DELETE FROM knowledge;"
    "DELETE FROM state; DELETE FROM machine; DELETE FROM backup;";

int store_apply_wipe(struct store *store, struct store_op *op)
{
    (void)op;
    store->scrub = SCRUB_ALL;
    return fault(store_error(sqlite3_exec(store->writer, everything, NULL, NULL, NULL)));
}

static bool run(struct store *store, const char *sql)
{
    return sqlite3_exec(store->writer, sql, NULL, NULL, NULL) == SQLITE_OK;
}

/* A checkpoint that readers hinder is no error of SQLite's, but a column of its answer. */
static bool empty_log(struct store *store)
{
    sqlite3_stmt *statement = NULL;
    bool empty = false;

    if (sqlite3_prepare_v2(store->writer, "PRAGMA wal_checkpoint(TRUNCATE)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW)
        empty = sqlite3_column_int(statement, 0) == 0;
    sqlite3_finalize(statement);
    return empty;
}

/* Zeros reach the file before VACUUM makes it shorter: what a file system gives back it does not overwrite. */
static void scrub(struct store *store)
{
    if (!empty_log(store))
        return;
    if (store->scrub == SCRUB_ALL && !run(store, "VACUUM"))
        return;
    if (store->scrub == SCRUB_LOG || empty_log(store))
        store->scrub = SCRUB_NONE;
    else
        store->scrub = SCRUB_LOG; /* what is left to do */
}

/* The first time it waits for readers, later it only looks whether they are gone: a backup may take its time, and commits do not
 * wait for it. */
void store_scrub(struct store *store)
{
    const int64_t now = clock_now().mono;

    if (now < store->next_scrub)
        return;
    sqlite3_busy_timeout(store->writer, store->next_scrub == 0 ? STORE_BUSY_MS : 0);
    scrub(store);
    sqlite3_busy_timeout(store->writer, STORE_BUSY_MS);
    store->next_scrub = store->scrub == SCRUB_NONE ? 0 : now + AGAIN_MS;
}

int store_wipe(struct store *store)
{
    struct store_op *op = calloc(1, sizeof(*op));
    int r;

    if (!op)
        return fault(-ENOMEM);
    op->kind = OP_WIPE;
    r = store_run_op(store, op, NULL);
    if (r == 0)
        store_show_backup(store, 0, 0);
    return r;
}
