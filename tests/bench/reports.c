/* What a fleet costs beside its engines: bytes that a simulated day of 1,000 machines writes to disk, by the process's own
 * accounting, and the time that its reports take. Fails where a figure is beyond what was promised.
 *
 * Of each machine that many buffers are judged as there are flushes in a day: more between two flushes change the numbers in the
 * rows, not the rows. */
#include <math.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "registry/registry.h"
#include "report/days.h"
#include "wire/document.h"

enum { MACHINES = 1000, SAMPLES = 256, AXES = 3, VALUES = SAMPLES * AXES, LEARN = 120, BATCH = 60, ALARMS = 100 };
enum { PACE_S = 744, DAYS_BEFORE = 27, HOURS_BEFORE = 7 * 24 }; /* app.c: 1,000 / 32 * 24 s */
static const double most_mib = 200, most_seconds = 2;

struct fleet {
    char path[64];
    struct config config;
    struct store *store;
    struct registry *registry;
    struct moment now;
    uint64_t chance;
};

static void check(int r, const char *what)
{
    if (r == 0)
        return;
    fprintf(stderr, "%s: %d at %s\n", what, r, fault_place());
    exit(EXIT_FAILURE);
}

static double seconds(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

/* A figure of /proc/self/io. */
static double io_figure(const char *name)
{
    char line[100];
    double value = -1;
    FILE *file = fopen("/proc/self/io", "r");

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            value = strtod(line + strlen(name) + 1, NULL);
    if (file)
        fclose(file);
    return value;
}

static void sql(struct fleet *fleet, const char *text)
{
    char *message = NULL;
    sqlite3 *database;

    check(sqlite3_open(fleet->path, &database), "open");
    sqlite3_busy_timeout(database, 5000);
    if (sqlite3_exec(database, text, NULL, NULL, &message) != SQLITE_OK) {
        fprintf(stderr, "%s: %s\n", text, message);
        exit(EXIT_FAILURE);
    }
    sqlite3_close(database);
}

/* ----------------------------------------------------------------------------------------------------------- buffers */

static float chance(struct fleet *fleet)
{
    fleet->chance = fleet->chance * 6364136223846793005u + 1442695040888963407u;
    return (float)(fleet->chance >> 40) / (1 << 24) - 0.5f;
}

static void fill(struct fleet *fleet, float *samples, size_t buffers, float strange)
{
    for (size_t i = 0; i < buffers * VALUES; i++)
        samples[i] = sinf((float)(i / AXES) * 0.7f) + strange * (chance(fleet) + chance(fleet) + chance(fleet));
}

static void submit(struct fleet *fleet, const char *id, enum intent intent, size_t buffers, float strange)
{
    static float samples[BATCH * VALUES];
    static struct verdict verdicts[1];
    struct refusal refusal = { 0 };
    struct arrival arrival = { .id = id,
                               .intent = intent,
                               .encoding = ENCODING_RAW,
                               .bytes = samples,
                               .size = buffers * VALUES * sizeof(float),
                               .format = -1,
                               .now = fleet->now };
    size_t count;
    int r;

    fill(fleet, samples, buffers, strange);
    r = registry_submit(fleet->registry, &arrival, verdicts, 1, &count, NULL, &refusal);
    if (r > 0)
        fprintf(stderr, "%s\n", refusal.detail);
    check(r, "a buffer");
}

static const char *name(char id[MACHINE_ID_SIZE], int number)
{
    snprintf(id, MACHINE_ID_SIZE, "machine-%04d", number);
    return id;
}

/* One machine learns; the others take over what it knows. */
static void make_machines(struct fleet *fleet)
{
    static const char settings[] = "{\"buffer_size\":256,\"axes\":3}";
    struct refusal refusal = { 0 };
    char id[MACHINE_ID_SIZE];
    uint32_t crc;
    void *block;
    size_t size;
    bool created;

    check(registry_put(fleet->registry, name(id, 0), settings, strlen(settings), "", &created, &refusal), "a machine");
    for (int i = 0; i < LEARN / BATCH; i++)
        submit(fleet, id, INTENT_LEARN, BATCH, 0.1f);
    check(registry_get_knowledge(fleet->registry, id, &block, &size, &crc, &refusal), "knowledge");
    for (int i = 1; i < MACHINES; i++)
        check(registry_put_knowledge(fleet->registry, name(id, i), block, size, "", fleet->now, &created, &refusal),
              "knowledge");
    free(block);
}

/* Weeks that are in the store already: a trend reads them, and inserting is not cheaper for an empty table. */
static void make_history(struct fleet *fleet)
{
    char text[1200];

    sql(fleet, "UPDATE machine SET created = 1");
    snprintf(
        text, sizeof(text),
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO hour SELECT %lld - "
        "i * "
        "3600000, m.id, 0, 3600, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 349000.5, -3600.25, 0.5, 1800.5, 0, 3600000, 0, 84, 3 "
        "FROM n, machine m ORDER BY 1, 2",
        HOURS_BEFORE, (long long)fleet->now.wall);
    sql(fleet, text);
    snprintf(text, sizeof(text),
             "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO report SELECT "
             "%lld - i "
             "* 86400000, m.id, %lld - (i - 1) * 86400000, date(%lld / 1000 - i * 86400, 'unixepoch'), %lld, '', 0, "
             "86400, 70, "
             "0, 0, 0, 0, 0, 0, 0, 0, 0, 8380000.5, -86400.25 - i, 0.5, 43000.5, 0, 86400000, 0, 84, 3, 120, 1, 1, 90, "
             "0, 0, "
             "NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM n, machine m ORDER BY 1, 2",
             DAYS_BEFORE, (long long)fleet->now.wall, (long long)fleet->now.wall, (long long)fleet->now.wall,
             (long long)fleet->now.wall);
    sql(fleet, text);
    snprintf(text, sizeof(text), "INSERT INTO reporting VALUES (1, %lld, %lld, date(%lld / 1000 - 86400, 'unixepoch'))",
             (long long)fleet->now.wall, (long long)fleet->now.wall, (long long)fleet->now.wall);
    sql(fleet, text);
}

static void open_fleet(struct fleet *fleet)
{
    char message[STORE_MESSAGE_SIZE];

    check(store_open(&fleet->store, fleet->path, message), message);
    check(registry_new(&fleet->registry, &fleet->config, fleet->store), "the machines");
}

static void close_fleet(struct fleet *fleet)
{
    check(registry_flush(fleet->registry, fleet->now), "the last flush");
    fleet->registry = registry_free(fleet->registry);
    fleet->store = store_close(fleet->store);
}

/* -------------------------------------------------------------------------------------------------------------- days */

/* Some machines break and recover between two flushes, so that there are ALARMS in a day. */
static void live_a_day(struct fleet *fleet, const struct civil_day *day)
{
    char id[MACHINE_ID_SIZE];
    int alarms = 0;
    bool more;

    for (int flush = 0; fleet->now.wall < day->to - PACE_S * 1000; flush++) {
        for (int i = 0; i < MACHINES; i++)
            submit(fleet, name(id, i), INTENT_DETECT, 1, 0.1f);
        for (; alarms < ALARMS && alarms <= flush * ALARMS * PACE_S / 86400; alarms++) {
            submit(fleet, name(id, alarms), INTENT_DETECT, 20, 1);
            submit(fleet, name(id, alarms), INTENT_DETECT, 20, 0.1f);
        }
        fleet->now.wall += PACE_S * 1000;
        fleet->now.mono += PACE_S * 1000;
        check(registry_flush(fleet->registry, fleet->now), "a flush");
        check(registry_make_reports(fleet->registry, fleet->now, &more), "reports");
    }
}

static double ask_for_all(struct fleet *fleet, const struct civil_day *day, size_t *size)
{
    struct daily_report *reports = calloc(MACHINES, sizeof(*reports));
    const struct report_query query = { .day = *day, .limit = MACHINES };
    struct refusal refusal = { 0 };
    double began = seconds();
    char *text;
    int count = registry_reports(fleet->registry, &query, fleet->now.wall, reports, &refusal);

    check(count == MACHINES ? 0 : -1, "all reports");
    text = wire_reports(reports, (size_t)count, NULL);
    *size = strlen(text);
    free(text);
    registry_reports_clear(reports, (size_t)count);
    free(reports);
    return seconds() - began;
}

static void remove_files(const struct fleet *fleet)
{
    static const char *const tails[] = { "", "-wal", "-shm", ".lock" };
    char path[80];

    for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", fleet->path, tails[i]);
        unlink(path);
    }
}

int main(void)
{
    struct fleet fleet = { .now = { .wall = INT64_C(1795305600000) } }; /* 2026-11-22 */
    double blocks, calls, began, made, asked, mib;
    struct civil_day day;
    struct group_report fleet_report;
    size_t size, left_out;
    bool more;

    setenv("TZ", "UTC", 1);
    snprintf(fleet.path, sizeof(fleet.path), "bench-reports-%d.db", (int)getpid());
    check(config_default(&fleet.config), "configuration");
    civil_day_of_time(fleet.now.wall, &day);
    open_fleet(&fleet);
    make_machines(&fleet);
    close_fleet(&fleet);
    make_history(&fleet);
    open_fleet(&fleet);

    blocks = io_figure("write_bytes");
    calls = io_figure("wchar");
    live_a_day(&fleet, &day);
    fleet.now.wall = day.to + 11 * 60000;
    began = seconds();
    check(registry_make_reports(fleet.registry, fleet.now, &more), "reports");
    made = seconds() - began;
    blocks = (io_figure("write_bytes") - blocks) / 1048576;
    calls = (io_figure("wchar") - calls) / 1048576;
    asked = ask_for_all(&fleet, &day, &size);
    check(registry_report_groups(fleet.registry, &day, false, fleet.now.wall, &fleet_report, 1, &left_out) - 1,
          "fleet");
    close_fleet(&fleet);
    remove_files(&fleet);
    config_free(&fleet.config);

    mib = blocks > calls ? blocks : calls; /* some file systems do not count blocks */
    printf("a day of %d machines, flushed each %d s, %u alarms, reports: %.0f MiB written (%.0f MiB by calls; at most "
           "%.0f)\n",
           MACHINES, PACE_S, fleet_report.total.anomalies, blocks, calls, most_mib);
    printf("reports of %d machines made, stored and put into the outbox in %.2f s (at most %.0f)\n", MACHINES, made,
           most_seconds);
    printf("all of them asked for again, as JSON: %.2f s, %.1f MiB\n", asked, (double)size / 1048576);
    return mib < most_mib && made < most_seconds && asked < most_seconds ? EXIT_SUCCESS : EXIT_FAILURE;
}
