/* SQLite alone, with the rows that habitd writes for a learn: so many clients wait, one writer commits whatever has gathered, in the
 * same journal mode and with the same syncs. What habitd's durable learns are measured against.
 *
 * usage: group-commit DATABASE CLIENTS SECONDS
 *
 * DATABASE: of a habitd that has stopped, with a machine that has learned for each client; it is written to. Prints one line of JSON. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common.h"

enum { MOST_CLIENTS = 64, MOST_COLUMNS = 32 };

/* A row as it was read, to be written again with other bytes. */
struct row {
    sqlite3_value *value[MOST_COLUMNS];
    int columns;
};

struct client {
    struct commit *commit;
    struct client *next; /* in the queue */
    struct row state, knowledge;
    sqlite3_int64 machine, hour;
    bool waits;
    uint64_t done;
    struct bench_latency latency;
    pthread_t thread;
};

struct commit {
    sqlite3 *database;
    sqlite3_stmt *begin, *end, *exists, *state, *knowledge, *hour;
    pthread_mutex_t mutex;
    pthread_cond_t work, finished;
    struct client *first, **last;
    bool stopping;
    struct client *client;
    unsigned int clients;
    int64_t until;
};

static void check(struct commit *commit, int result)
{
    if (result != SQLITE_OK && result != SQLITE_DONE && result != SQLITE_ROW)
        bench_die("%s", sqlite3_errmsg(commit->database));
}

static sqlite3_stmt *prepare(struct commit *commit, const char *sql)
{
    sqlite3_stmt *statement = NULL;

    check(commit, sqlite3_prepare_v3(commit->database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL));
    return statement;
}

static void step(struct commit *commit, sqlite3_stmt *statement)
{
    check(commit, sqlite3_step(statement));
    sqlite3_reset(statement);
}

/* ------------------------------------------------------------------------------------------------------------- rows */

static void read_row(struct commit *commit, const char *sql, sqlite3_int64 machine, struct row *row)
{
    sqlite3_stmt *statement = prepare(commit, sql);

    sqlite3_bind_int64(statement, 1, machine);
    if (sqlite3_step(statement) != SQLITE_ROW)
        bench_die("a machine has no row for: %s", sql);
    row->columns = sqlite3_column_count(statement);
    for (int i = 0; i < row->columns; i++)
        row->value[i] = sqlite3_value_dup(sqlite3_column_value(statement, i));
    sqlite3_finalize(statement);
}

/* Bytes that are the same are not written: a blob changes all over, as knowledge does. */
static void bind_changed(sqlite3_stmt *statement, int place, sqlite3_value *value, uint64_t salt)
{
    const unsigned char *from = sqlite3_value_blob(value);
    int size = sqlite3_value_bytes(value);
    unsigned char *bytes = sqlite3_malloc(size + 1);

    for (int i = 0; i < size; i++)
        bytes[i] = (unsigned char)(from[i] + salt);
    sqlite3_bind_blob(statement, place, bytes, size, sqlite3_free);
}

static void write_row(struct commit *commit, sqlite3_stmt *statement, const struct row *row, uint64_t salt)
{
    for (int i = 0; i < row->columns; i++)
        if (sqlite3_value_type(row->value[i]) == SQLITE_BLOB)
            bind_changed(statement, i + 1, row->value[i], salt);
        else
            sqlite3_bind_value(statement, i + 1, row->value[i]);
    step(commit, statement);
}

static void apply(struct commit *commit, const struct client *client)
{
    sqlite3_bind_int64(commit->exists, 1, client->machine);
    step(commit, commit->exists);
    write_row(commit, commit->state, &client->state, client->done + 1);
    write_row(commit, commit->knowledge, &client->knowledge, client->done + 1);
    sqlite3_bind_int64(commit->hour, 1, client->hour);
    sqlite3_bind_int64(commit->hour, 2, client->machine);
    step(commit, commit->hour);
}

/* ---------------------------------------------------------------------------------------------------------- threads */

static void *write_groups(void *user)
{
    struct commit *commit = user;
    struct client *group;

    for (;;) {
        pthread_mutex_lock(&commit->mutex);
        while (!commit->first && !commit->stopping)
            pthread_cond_wait(&commit->work, &commit->mutex);
        group = commit->first;
        commit->first = NULL;
        commit->last = &commit->first;
        pthread_mutex_unlock(&commit->mutex);
        if (!group)
            return NULL;
        step(commit, commit->begin);
        for (const struct client *client = group; client; client = client->next)
            apply(commit, client);
        step(commit, commit->end);
        pthread_mutex_lock(&commit->mutex);
        for (; group; group = group->next)
            group->waits = false;
        pthread_cond_broadcast(&commit->finished);
        pthread_mutex_unlock(&commit->mutex);
    }
}

static void *ask(void *user)
{
    struct client *client = user;
    struct commit *commit = client->commit;

    for (int64_t began = bench_now(); began < commit->until; began = bench_now()) {
        pthread_mutex_lock(&commit->mutex);
        client->next = NULL;
        client->waits = true;
        *commit->last = client;
        commit->last = &client->next;
        pthread_cond_signal(&commit->work);
        while (client->waits)
            pthread_cond_wait(&commit->finished, &commit->mutex);
        pthread_mutex_unlock(&commit->mutex);
        client->done++;
        bench_latency_note(&client->latency, bench_now() - began);
    }
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------ opening */

static void open_database(struct commit *commit, const char *path)
{
    static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                                  "PRAGMA temp_store = MEMORY; PRAGMA cache_size = -1000;"
                                  "PRAGMA wal_autocheckpoint = 250; PRAGMA journal_size_limit = 1048576;";
    sqlite3_stmt *count;
    char sql[512] = "INSERT OR REPLACE INTO state VALUES (?";

    if (sqlite3_open_v2(path, &commit->database, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        bench_die("%s cannot be opened", path);
    check(commit, sqlite3_exec(commit->database, pragmas, NULL, NULL, NULL));
    count = prepare(commit, "SELECT * FROM state");
    for (int i = 1; i < sqlite3_column_count(count); i++)
        strcat(sql, ", ?");
    strcat(sql, ")");
    sqlite3_finalize(count);
    commit->begin = prepare(commit, "BEGIN IMMEDIATE");
    commit->end = prepare(commit, "COMMIT");
    commit->exists = prepare(commit, "SELECT 1 FROM machine WHERE id = ?");
    commit->state = prepare(commit, sql);
    commit->knowledge = prepare(commit, "INSERT INTO knowledge (machine, changed, bytes) VALUES (?, ?, ?) ON CONFLICT "
                                        "(machine) DO UPDATE SET changed = excluded.changed, bytes = excluded.bytes");
    commit->hour = prepare(commit, "UPDATE hour SET learned = learned + 1 WHERE start = ? AND machine = ?");
}

static void read_clients(struct commit *commit)
{
    sqlite3_stmt *machines =
        prepare(commit, "SELECT m.id, (SELECT max(start) FROM hour WHERE machine = m.id) FROM machine m");

    for (unsigned int i = 0; i < commit->clients; i++) {
        struct client *client = &commit->client[i];

        if (sqlite3_step(machines) != SQLITE_ROW)
            bench_die("fewer machines than clients");
        client->commit = commit;
        client->machine = sqlite3_column_int64(machines, 0);
        client->hour = sqlite3_column_int64(machines, 1);
        read_row(commit, "SELECT * FROM state WHERE machine = ?", client->machine, &client->state);
        read_row(commit, "SELECT machine, changed, bytes FROM knowledge WHERE machine = ?", client->machine,
                 &client->knowledge);
    }
    sqlite3_finalize(machines);
}

int main(int argc, char **argv)
{
    static struct bench_latency latency;
    struct commit commit = { .mutex = PTHREAD_MUTEX_INITIALIZER,
                             .work = PTHREAD_COND_INITIALIZER,
                             .finished = PTHREAD_COND_INITIALIZER };
    struct bench_result result = { .latency = &latency };
    pthread_t writer;
    int64_t begin;

    if (argc < 4)
        bench_die("usage: group-commit DATABASE CLIENTS SECONDS");
    commit.clients = (unsigned int)atoi(argv[2]);
    commit.last = &commit.first;
    commit.client = calloc(commit.clients, sizeof(*commit.client));
    if (commit.clients < 1 || commit.clients > MOST_CLIENTS || !commit.client)
        bench_die("1..%d clients", MOST_CLIENTS);
    open_database(&commit, argv[1]);
    read_clients(&commit);
    begin = bench_now();
    result.cpu = -bench_cpu(getpid());
    commit.until = begin + (int64_t)(atof(argv[3]) * 1e9);
    if (pthread_create(&writer, NULL, write_groups, &commit) != 0)
        bench_die("no thread");
    for (unsigned int i = 0; i < commit.clients; i++)
        if (pthread_create(&commit.client[i].thread, NULL, ask, &commit.client[i]) != 0)
            bench_die("no thread");
    for (unsigned int i = 0; i < commit.clients; i++) {
        pthread_join(commit.client[i].thread, NULL);
        bench_latency_add(&latency, &commit.client[i].latency);
        result.done += commit.client[i].done;
    }
    pthread_mutex_lock(&commit.mutex);
    commit.stopping = true;
    pthread_cond_signal(&commit.work);
    pthread_mutex_unlock(&commit.mutex);
    pthread_join(writer, NULL);
    result.elapsed = bench_now() - begin;
    result.cpu += bench_cpu(getpid());
    bench_print(&result);
    return EXIT_SUCCESS;
}
