/* The record of changes: a row before the change, its outcome after it. So there is no change without its record, and a record
 * without an outcome is of a change that a crash came into. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "store/internal.h"

static void bind(sqlite3_stmt *statement, int place, const char *text)
{
    sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

int store_apply_audit_add(struct store *store, struct store_op *op)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_ADD];
    const struct audit *audit = op->audit;
    int r;

    sqlite3_bind_int64(statement, 1, audit->at);
    bind(statement, 2, audit->actor);
    bind(statement, 3, audit->door);
    bind(statement, 4, audit->address);
    bind(statement, 5, audit->action);
    bind(statement, 6, audit->machine);
    bind(statement, 7, audit->detail);
    sqlite3_bind_int64(statement, 8, audit->outcome);
    r = store_step(store, STATEMENT_AUDIT_ADD);
    if (r < 0)
        return r;
    op->machine = sqlite3_last_insert_rowid(store->writer);
    sqlite3_bind_int64(store->statements[STATEMENT_AUDIT_PRUNE], 1, op->machine - LIMIT_AUDIT);
    return store_step(store, STATEMENT_AUDIT_PRUNE);
}

int store_apply_audit_end(struct store *store, struct store_op *op)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_AUDIT_END];

    sqlite3_bind_int64(statement, 1, op->machine);
    sqlite3_bind_int64(statement, 2, op->outcome);
    return store_step(store, STATEMENT_AUDIT_END);
}

int store_audit_begin(struct store *store, struct audit *audit)
{
    struct store_op *op = calloc(1, sizeof(*op));

    if (!op)
        return fault(-ENOMEM);
    op->kind = OP_AUDIT_ADD;
    op->audit = audit;
    return store_run_op(store, op, &audit->id);
}

void store_audit_end(struct store *store, int64_t id, int outcome)
{
    struct store_op *op = calloc(1, sizeof(*op));

    if (!op)
        return;
    op->kind = OP_AUDIT_END;
    op->machine = id;
    op->outcome = outcome;
    store_run_op(store, op, NULL);
}

/* --------------------------------------------------------------------------------------------------------- reading */

static void read_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);

    snprintf(text, size, "%s", value ? value : "");
}

static void read_audit(sqlite3_stmt *statement, struct audit *audit)
{
    audit->id = sqlite3_column_int64(statement, 0);
    audit->at = sqlite3_column_int64(statement, 1);
    read_text(statement, 2, audit->actor, sizeof(audit->actor));
    read_text(statement, 3, audit->door, sizeof(audit->door));
    read_text(statement, 4, audit->address, sizeof(audit->address));
    read_text(statement, 5, audit->action, sizeof(audit->action));
    read_text(statement, 6, audit->machine, sizeof(audit->machine));
    read_text(statement, 7, audit->detail, sizeof(audit->detail));
    audit->outcome = sqlite3_column_int(statement, 8);
}

int store_audits(struct store *store, const struct audit_query *query, struct audit *audits)
{
    static const char sql[] = "SELECT id, at, actor, door, address, action, machine, detail, outcome FROM audit "
                              "WHERE id > ?1 AND at >= ?2 AND (?3 = 0 OR at < ?3) AND (?4 IS NULL OR machine = ?4) "
                              "ORDER BY id LIMIT ?5";
    sqlite3_stmt *statement = NULL;
    size_t count = 0;
    int result = SQLITE_DONE;
    int r = store_begin_reading(store, sql, &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, query->after);
        sqlite3_bind_int64(statement, 2, query->from);
        sqlite3_bind_int64(statement, 3, query->to);
        sqlite3_bind_text(statement, 4, query->machine, -1, SQLITE_STATIC);
        sqlite3_bind_int64(statement, 5, (int64_t)query->limit);
        while (count < query->limit && (result = sqlite3_step(statement)) == SQLITE_ROW)
            read_audit(statement, &audits[count++]);
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r < 0 ? r : (int)count;
}
