/* The schema and its history. A migration is never edited once it was released: add the next one. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "store/internal.h"

/* All times are wall ms since 1970-01-01 UTC. 0 = never, none. */
static const char version_1[] =
    "CREATE TABLE machine ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT," /* never used twice: nothing of a deleted machine can come back */
    "  name TEXT NOT NULL UNIQUE,"            /* the machine ID */
    "  created INTEGER NOT NULL,"
    "  settings TEXT NOT NULL" /* JSON object: what REST has set, nothing else */
    ") STRICT;"
    "CREATE TABLE state (" /* the strategy's memory, see record/machine.h */
    "  machine INTEGER PRIMARY KEY REFERENCES machine ON DELETE CASCADE,"
    "  phase INTEGER NOT NULL, phase_since INTEGER NOT NULL, phase_learned INTEGER NOT NULL,"
    "  last_learn INTEGER NOT NULL, last_detect INTEGER NOT NULL, last_seen INTEGER NOT NULL,"
    "  last_measured INTEGER NOT NULL, interval INTEGER NOT NULL,"
    "  anomaly INTEGER NOT NULL, anomaly_similarity INTEGER NOT NULL, anomaly_distance REAL NOT NULL,"
    "  anomaly_buffers INTEGER NOT NULL,"
    "  window BLOB" /* struct habit_window */
    ") STRICT;"
    "CREATE TABLE knowledge ("
    "  machine INTEGER PRIMARY KEY REFERENCES machine ON DELETE CASCADE,"
    "  changed INTEGER NOT NULL,"
    "  bytes BLOB NOT NULL" /* sealed block */
    ") STRICT;"
    "CREATE TABLE snapshot ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  taken INTEGER NOT NULL, reason TEXT NOT NULL, bytes BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX snapshot_machine ON snapshot (machine);"
    "CREATE TABLE commissioning (" /* value = zero[axis] + step[axis] * sample */
    "  id INTEGER PRIMARY KEY,"
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  at INTEGER NOT NULL, axes INTEGER NOT NULL,"
    "  step BLOB NOT NULL, zero BLOB NOT NULL," /* float32 of each axis */
    "  samples BLOB NOT NULL"                   /* int16, interleaved */
    ") STRICT;"
    "CREATE INDEX commissioning_machine ON commissioning (machine);"
    "CREATE TABLE mark (" /* what a source that numbers its buffers has had applied */
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  source TEXT NOT NULL, boot TEXT NOT NULL,"
    "  high INTEGER NOT NULL, seen BLOB NOT NULL, used INTEGER NOT NULL,"
    "  PRIMARY KEY (machine, source, boot)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE anomaly ("
    "  id INTEGER PRIMARY KEY AUTOINCREMENT," /* remembers the highest: numbers that were said are not used again */
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  asset TEXT NOT NULL,"
    "  raised INTEGER NOT NULL, cleared INTEGER NOT NULL, event INTEGER NOT NULL,"
    "  similarity INTEGER NOT NULL, distance REAL NOT NULL,"
    "  threshold INTEGER NOT NULL, sensitivity REAL NOT NULL, learned INTEGER NOT NULL, buffers INTEGER NOT NULL,"
    "  explanation TEXT NOT NULL" /* JSON array */
    ") STRICT;"
    "CREATE INDEX anomaly_machine ON anomaly (machine);"
    "CREATE TABLE hour (" /* counters, see record/hour.h */
    "  start INTEGER NOT NULL,"
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  learned INTEGER NOT NULL, detected INTEGER NOT NULL, below INTEGER NOT NULL, idle INTEGER NOT NULL,"
    "  skipped INTEGER NOT NULL, not_ready INTEGER NOT NULL, duplicates INTEGER NOT NULL, refused INTEGER NOT NULL,"
    "  anomalies INTEGER NOT NULL,"
    "  similarity_sum REAL NOT NULL, log_distance_sum REAL NOT NULL, similarity_min INTEGER NOT NULL,"
    "  anomaly_ms INTEGER NOT NULL,"
    "  PRIMARY KEY (start, machine)" /* by time: a flush of many machines touches few pages */
    ") STRICT, WITHOUT ROWID;"
    "CREATE INDEX hour_machine ON hour (machine);"
    "CREATE TABLE outbox (" /* waits for the broker's acknowledgment; topic below the root */
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  topic TEXT NOT NULL, payload TEXT NOT NULL, retain INTEGER NOT NULL"
    ") STRICT;";

/* Hours lose the index by machine, which cost a page of its own for each machine and hour, and with it the reference: deleting a
 * machine deletes its rows itself. Reports are kept as they were made. */
static const char version_2[] =
    "CREATE TABLE hour_2 (" /* counters, see record/hour.h */
    "  start INTEGER NOT NULL, machine INTEGER NOT NULL,"
    "  learned INTEGER NOT NULL, detected INTEGER NOT NULL, below INTEGER NOT NULL, idle INTEGER NOT NULL,"
    "  skipped INTEGER NOT NULL, not_ready INTEGER NOT NULL, duplicates INTEGER NOT NULL, refused INTEGER NOT NULL,"
    "  anomalies INTEGER NOT NULL, starts INTEGER NOT NULL, late INTEGER NOT NULL, untrusted INTEGER NOT NULL,"
    "  similarity_sum REAL NOT NULL, log_distance_sum REAL NOT NULL, level_sum REAL NOT NULL, amplitude_sum REAL NOT "
    "NULL,"
    "  anomaly_ms INTEGER NOT NULL, running_ms INTEGER NOT NULL, silent_ms INTEGER NOT NULL,"
    "  similarity_min INTEGER NOT NULL, phase INTEGER NOT NULL,"
    "  PRIMARY KEY (start, machine)" /* by time: a flush of many machines touches few pages */
    ") STRICT, WITHOUT ROWID;"
    "INSERT INTO hour_2 SELECT start, machine, learned, detected, below, idle, skipped, not_ready, duplicates, refused,"
    "  anomalies, 0, 0, 0, similarity_sum, log_distance_sum, 0, 0, anomaly_ms, 0, 0, similarity_min, 0 FROM hour;"
    "DROP TABLE hour;"
    "ALTER TABLE hour_2 RENAME TO hour;"
    "CREATE TABLE report (" /* daily ones, see record/report.h; where a figure is not known: NULL */
    "  start INTEGER NOT NULL, machine INTEGER NOT NULL," /* start, stop: of the day */
    "  stop INTEGER NOT NULL, date TEXT NOT NULL, made INTEGER NOT NULL, asset TEXT NOT NULL,"
    "  learned INTEGER NOT NULL, detected INTEGER NOT NULL, below INTEGER NOT NULL, idle INTEGER NOT NULL,"
    "  skipped INTEGER NOT NULL, not_ready INTEGER NOT NULL, duplicates INTEGER NOT NULL, refused INTEGER NOT NULL,"
    "  anomalies INTEGER NOT NULL, starts INTEGER NOT NULL, late INTEGER NOT NULL, untrusted INTEGER NOT NULL,"
    "  similarity_sum REAL NOT NULL, log_distance_sum REAL NOT NULL, level_sum REAL NOT NULL, amplitude_sum REAL NOT "
    "NULL,"
    "  anomaly_ms INTEGER NOT NULL, running_ms INTEGER NOT NULL, silent_ms INTEGER NOT NULL,"
    "  similarity_min INTEGER NOT NULL, phase INTEGER NOT NULL,"
    "  knowledge_learned INTEGER NOT NULL, knowledge_crc INTEGER NOT NULL,"
    "  sensitivity REAL NOT NULL, threshold INTEGER NOT NULL,"
    "  worst INTEGER NOT NULL, worst_similarity INTEGER NOT NULL, worst_distance REAL, worst_explanation TEXT,"
    "  trend_days INTEGER NOT NULL, rising INTEGER NOT NULL, level REAL, slope REAL, slope_low REAL, slope_high REAL,"
    "  to_line REAL, to_line_low REAL, to_line_high REAL,"
    "  PRIMARY KEY (start, machine)"
    ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE reporting (" /* how far days are reported, see struct report_progress */
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  closed INTEGER NOT NULL, made INTEGER NOT NULL, date TEXT NOT NULL"
    ") STRICT;";

static const char version_3[] =
    "ALTER TABLE state ADD COLUMN memory BLOB;"; /* struct strategy_memory; NULL or of another version = begins anew */

/* One row for what is said once, to the broker and to readers of the event stream: it waits until the broker has it, and stays
 * for a while after that. */
static const char version_4[] =
    "ALTER TABLE outbox RENAME TO event;" /* ids go on: readers tell by them how far they have come */
    "ALTER TABLE event ADD COLUMN at INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE event ADD COLUMN whole INTEGER NOT NULL DEFAULT 0;" /* 1 = topic is not below the root: somebody's response topic */
    "ALTER TABLE event ADD COLUMN correlation BLOB;"                 /* of the command that this answers */
    "ALTER TABLE event ADD COLUMN waits INTEGER NOT NULL DEFAULT 1;" /* 1 = for the broker's acknowledgment */
    "CREATE INDEX event_waits ON event (waits, id);"
    "CREATE VIEW outbox AS SELECT id, at, topic, payload, retain FROM event WHERE waits = 1;";

/* Anomalies keep the buffers that raised them; snapshots say how far the stored commissioning buffers go that they are of, and so
 * those get numbers that are never used twice; maintenance and relearned knowledge survive a restart. */
static const char version_5[] =
    "ALTER TABLE anomaly ADD COLUMN context TEXT NOT NULL DEFAULT '';" /* JSON object, or empty */
    "ALTER TABLE anomaly ADD COLUMN knowledge_crc INTEGER NOT NULL DEFAULT 0;"
    "ALTER TABLE anomaly ADD COLUMN undo INTEGER NOT NULL DEFAULT 0;" /* snapshot from before it was accepted */
    "CREATE TABLE evidence ("                                         /* as commissioning */
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  anomaly INTEGER NOT NULL REFERENCES anomaly ON DELETE CASCADE,"
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  at INTEGER NOT NULL, axes INTEGER NOT NULL, step BLOB NOT NULL, zero BLOB NOT NULL, samples BLOB NOT NULL"
    ") STRICT;"
    "CREATE INDEX evidence_anomaly ON evidence (anomaly);"
    "CREATE INDEX evidence_machine ON evidence (machine);"
    "CREATE TABLE commissioning_5 (" /* value = zero[axis] + step[axis] * sample */
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  machine INTEGER NOT NULL REFERENCES machine ON DELETE CASCADE,"
    "  at INTEGER NOT NULL, axes INTEGER NOT NULL,"
    "  step BLOB NOT NULL, zero BLOB NOT NULL," /* float32 of each axis */
    "  samples BLOB NOT NULL"                   /* int16, interleaved */
    ") STRICT;"
    "INSERT INTO commissioning_5 SELECT id, machine, at, axes, step, zero, samples FROM commissioning;"
    "DROP TABLE commissioning;"
    "ALTER TABLE commissioning_5 RENAME TO commissioning;"
    "CREATE INDEX commissioning_machine ON commissioning (machine);"
    "ALTER TABLE snapshot ADD COLUMN note TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE snapshot ADD COLUMN upto INTEGER NOT NULL DEFAULT 0;" /* last commissioning buffer that it knows */
    "CREATE TABLE mute ("                                              /* see record/mute.h */
    "  machine INTEGER PRIMARY KEY REFERENCES machine ON DELETE CASCADE,"
    "  since INTEGER NOT NULL, until INTEGER NOT NULL, who TEXT NOT NULL, why TEXT NOT NULL, finish INTEGER NOT NULL"
    ") STRICT;"
    "CREATE TABLE candidate (" /* relearned knowledge that is not in force */
    "  machine INTEGER PRIMARY KEY REFERENCES machine ON DELETE CASCADE,"
    "  made INTEGER NOT NULL, buffers INTEGER NOT NULL, accepted INTEGER NOT NULL, bytes BLOB NOT NULL"
    ") STRICT;";

/* Streams whose parts were lost. */
static const char version_6[] = "ALTER TABLE hour ADD COLUMN gaps INTEGER NOT NULL DEFAULT 0;"
                                "ALTER TABLE report ADD COLUMN gaps INTEGER NOT NULL DEFAULT 0;";

static const char version_7[] =
    "CREATE TABLE audit (" /* see record/audit.h */
    "  id INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  at INTEGER NOT NULL, actor TEXT NOT NULL, door TEXT NOT NULL, address TEXT NOT NULL, action TEXT NOT NULL,"
    "  machine TEXT NOT NULL, detail TEXT NOT NULL, outcome INTEGER NOT NULL" /* 0 = not known */
    ") STRICT;";

/* In the store: the last copy that somebody took whole. In a copy: this one. And evidence of sites that do not want samples to be
 * stored: what the engine made of them, and no samples. */
static const char version_8[] =
    "ALTER TABLE evidence ADD COLUMN features TEXT;" /* JSON object; NULL = there are samples */
    "CREATE TABLE backup ("
    "  id INTEGER PRIMARY KEY CHECK (id = 1),"
    "  at INTEGER NOT NULL, gateway TEXT NOT NULL, size INTEGER NOT NULL"
    ") STRICT;";

/* A snapshot knows which anomalies were accepted: restored, they are again. Of older snapshots that is not known. */
static const char version_9[] =
    "ALTER TABLE snapshot ADD COLUMN accepted TEXT NOT NULL DEFAULT '[]';"; /* JSON array of ids */

static const char *const migrations[] = { version_1, version_2, version_3, version_4, version_5,
                                          version_6, version_7, version_8, version_9 };

enum { NEWEST = sizeof(migrations) / sizeof(migrations[0]) };

static int read_number(sqlite3 *database, const char *pragma, int *number)
{
    sqlite3_stmt *statement;
    int result = sqlite3_prepare_v2(database, pragma, -1, &statement, NULL);

    if (result == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
        *number = sqlite3_column_int(statement, 0);
    else
        result = result == SQLITE_OK ? sqlite3_errcode(database) : result;
    sqlite3_finalize(statement);
    return result;
}

/* First line of what SQLite finds wrong, "ok" if nothing. */
static bool check_passes(sqlite3 *database, char *found, size_t size)
{
    sqlite3_stmt *statement = NULL;
    bool fine = false;

    snprintf(found, size, "cannot be read");
    if (sqlite3_prepare_v2(database, "PRAGMA quick_check(1)", -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        snprintf(found, size, "%s", (const char *)sqlite3_column_text(statement, 0));
        fine = strcmp(found, "ok") == 0;
    }
    sqlite3_finalize(statement);
    return fine;
}

static int refuse_foreign(const char *path, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE,
             "%s: not a database of habit; it is left as it is: name another file in [store] path", path);
    return STORE_E_FOREIGN;
}

static int refuse_newer(const char *path, int version, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE,
             "%s: made by a later version of habit (schema %d, this one knows %d); it is left as it is: install that "
             "version, or restore a backup from before the upgrade",
             path, version, NEWEST);
    return STORE_E_NEWER;
}

static int refuse_damaged(const char *path, const char *found, char message[STORE_MESSAGE_SIZE])
{
    snprintf(message, STORE_MESSAGE_SIZE,
             "%s: damaged (%s); it is left as it is: restore a backup, or move it and its -wal file away to begin "
             "with an empty store",
             path, found);
    return STORE_E_DAMAGED;
}

/* SQLite takes a file that is smaller than a page for an empty database. An empty one may be what a crash before the first
 * commit left. */
static bool is_scrap(const char *path)
{
    enum { SMALLEST_PAGE = 512 };
    struct stat file;

    return stat(path, &file) == 0 && file.st_size > 0 && file.st_size < SMALLEST_PAGE;
}

bool store_is_header(const unsigned char header[HEADER_SIZE])
{
    static const char magic[] = "SQLite format 3";
    const unsigned char *application = header + 68;

    return memcmp(header, magic, sizeof(magic)) == 0 &&
           ((uint32_t)application[0] << 24 | (uint32_t)application[1] << 16 | (uint32_t)application[2] << 8 |
            application[3]) == STORE_APPLICATION_ID;
}

int store_inspect(sqlite3 *database, const char *path, int *version, char message[STORE_MESSAGE_SIZE])
{
    int application = 0, tables = 0;
    char found[160];
    int result = read_number(database, "SELECT count(*) FROM sqlite_schema", &tables);

    *version = 0;
    if (result == SQLITE_OK)
        result = read_number(database, "PRAGMA application_id", &application);
    if (result == SQLITE_OK)
        result = read_number(database, "PRAGMA user_version", version);
    if (result == SQLITE_NOTADB || is_scrap(path) ||
        (result == SQLITE_OK && tables > 0 && application != STORE_APPLICATION_ID))
        return refuse_foreign(path, message);
    if (result == SQLITE_OK && *version > NEWEST)
        return refuse_newer(path, *version, message);
    if ((result & 0xff) == SQLITE_CORRUPT)
        return refuse_damaged(path, "not readable", message);
    if (result == SQLITE_OK && tables > 0 && !check_passes(database, found, sizeof(found)))
        return refuse_damaged(path, found, message);
    if (result != SQLITE_OK)
        snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", path, sqlite3_errmsg(database));
    return store_error(result);
}

int store_migrate(sqlite3 *database, const char *path, int version, char message[STORE_MESSAGE_SIZE])
{
    char pragmas[80];
    int result = SQLITE_OK;

    if (version == NEWEST)
        return 0;
    result = sqlite3_exec(database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (int i = version; i < NEWEST && result == SQLITE_OK; i++)
        result = sqlite3_exec(database, migrations[i], NULL, NULL, NULL);
    snprintf(pragmas, sizeof(pragmas), "PRAGMA application_id = %d; PRAGMA user_version = %d", STORE_APPLICATION_ID,
             NEWEST);
    if (result == SQLITE_OK)
        result = sqlite3_exec(database, pragmas, NULL, NULL, NULL);
    if (result == SQLITE_OK)
        result = sqlite3_exec(database, "COMMIT", NULL, NULL, NULL);
    if (result != SQLITE_OK) {
        snprintf(message, STORE_MESSAGE_SIZE, "%s: %s", path, sqlite3_errmsg(database));
        sqlite3_exec(database, "ROLLBACK", NULL, NULL, NULL);
    }
    return store_error(result);
}
