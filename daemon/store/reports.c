/* Daily reports: made once, kept, and found again. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/internal.h"

#define COLUMN(name, help) ", " #name
#define PLACE(name, help)  ", ?"
#define HOUR_ALL(X)        HOUR_COUNTERS(X) HOUR_SUMS(X) HOUR_TIMES(X)

/* Columns beside those of struct hour, in the order in which they are bound and read. */
#define COLUMNS                                                                                                       \
    "start, machine, stop, date, made, asset, similarity_min, phase, knowledge_learned, knowledge_crc, sensitivity, " \
    "threshold, worst, worst_similarity, worst_distance, worst_explanation, trend_days, rising, level, slope, "       \
    "slope_low, slope_high, to_line, to_line_low, to_line_high"
#define PLACES "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

const char store_report_add[] =
    "INSERT OR IGNORE INTO report (" COLUMNS HOUR_ALL(COLUMN) ") VALUES (" PLACES HOUR_ALL(PLACE) ")";

/* --------------------------------------------------------------------------------------------------------- writing */

/* SQLite makes NULL of a NAN. */
static void bind_trend(sqlite3_stmt *statement, int place, const struct trend *trend)
{
    const double figures[] = { trend->level,   trend->slope,       trend->slope_low,   trend->slope_high,
                               trend->to_line, trend->to_line_low, trend->to_line_high };

    sqlite3_bind_int64(statement, place++, trend->days);
    sqlite3_bind_int64(statement, place++, trend->rising);
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        sqlite3_bind_double(statement, place++, figures[i]);
}

static void bind_report(sqlite3_stmt *statement, const struct daily_report *report)
{
    const int64_t integers[] = { report->total.similarity_min, report->total.phase, report->knowledge_learned,
                                 report->knowledge_crc };

    sqlite3_bind_int64(statement, 1, report->day.from);
    sqlite3_bind_int64(statement, 2, report->machine_row);
    sqlite3_bind_int64(statement, 3, report->day.to);
    sqlite3_bind_text(statement, 4, report->day.date, -1, SQLITE_STATIC);
    sqlite3_bind_int64(statement, 5, report->made);
    sqlite3_bind_text(statement, 6, report->asset, -1, SQLITE_STATIC);
    for (int i = 0; i < 4; i++)
        sqlite3_bind_int64(statement, 7 + i, integers[i]);
    sqlite3_bind_double(statement, 11, (double)report->sensitivity);
    sqlite3_bind_int64(statement, 12, report->threshold);
    sqlite3_bind_int64(statement, 13, report->worst);
    sqlite3_bind_int64(statement, 14, report->worst_similarity);
    sqlite3_bind_double(statement, 15, (double)report->worst_distance);
    sqlite3_bind_text(statement, 16, report->worst_explanation, -1, SQLITE_STATIC);
    bind_trend(statement, 17, &report->trend);
    store_bind_hour(statement, 26, &report->total);
}

static int put_report(struct store *store, const struct daily_report *report, const struct store_outgoing *outgoing,
                      int64_t at)
{
    int r = store_has_machine(store, report->machine_row);

    if (r < 0)
        return r == -ENOENT ? 0 : r; /* deleted meanwhile */
    bind_report(store->statements[STATEMENT_REPORT_ADD], report);
    r = store_step(store, STATEMENT_REPORT_ADD);
    if (r < 0 || !outgoing->payload || sqlite3_changes(store->writer) == 0)
        return r;
    return store_put_outgoing(store, outgoing, at);
}

static int delete_reports(struct store *store, enum statement statement, int64_t which)
{
    sqlite3_bind_int64(store->statements[statement], 1, which);
    return store_step(store, statement);
}

static int put_progress(struct store *store, const struct store_reports *reports)
{
    sqlite3_stmt *statement = store->statements[STATEMENT_REPORTING_PUT];
    const struct report_progress *progress = reports->progress;
    int r;

    sqlite3_bind_int64(statement, 1, progress->closed);
    sqlite3_bind_int64(statement, 2, progress->made);
    sqlite3_bind_text(statement, 3, progress->date, -1, SQLITE_STATIC);
    r = store_step(store, STATEMENT_REPORTING_PUT);
    if (r == 0 && reports->summary)
        r = store_put_outgoing(store, reports->summary, reports->at);
    if (r == 0 && reports->forget != 0)
        r = delete_reports(store, STATEMENT_REPORT_FORGET, reports->forget);
    return r == 0 ? delete_reports(store, STATEMENT_REPORT_PRUNE, LIMIT_REPORTS) : r;
}

int store_apply_reports(struct store *store, struct store_op *op)
{
    const struct store_reports *reports = op->reports;
    int r = 0;

    for (size_t i = 0; i < reports->count && r == 0; i++)
        r = put_report(store, &reports->reports[i], &reports->outgoing[i], reports->at);
    return r == 0 && reports->progress ? put_progress(store, reports) : r;
}

int store_put_reports(struct store *store, const struct store_reports *reports)
{
    struct store_op *op = calloc(1, sizeof(*op));

    if (!op)
        return fault(-ENOMEM);
    op->kind = OP_REPORTS;
    op->reports = reports;
    op->change.outgoing_count =
        reports->count + (reports->summary != NULL); /* tells the writer that the outbox has news */
    return store_run_op(store, op, NULL);
}

/* --------------------------------------------------------------------------------------------------------- reading */

static double figure(sqlite3_stmt *statement, int column)
{
    return sqlite3_column_type(statement, column) == SQLITE_NULL ? (double)NAN
                                                                 : sqlite3_column_double(statement, column);
}

static void read_text(sqlite3_stmt *statement, int column, char *text, size_t size)
{
    const char *value = (const char *)sqlite3_column_text(statement, column);

    snprintf(text, size, "%s", value ? value : "");
}

static void read_trend(sqlite3_stmt *statement, int column, struct trend *trend)
{
    double *const figures[] = { &trend->level,   &trend->slope,       &trend->slope_low,   &trend->slope_high,
                                &trend->to_line, &trend->to_line_low, &trend->to_line_high };

    trend->days = (uint32_t)sqlite3_column_int64(statement, column++);
    trend->rising = sqlite3_column_int(statement, column++) != 0;
    for (size_t i = 0; i < sizeof(figures) / sizeof(figures[0]); i++)
        *figures[i] = figure(statement, column++);
}

static void read_report(sqlite3_stmt *statement, struct daily_report *report)
{
    memset(report, 0, sizeof(*report));
    report->day.from = sqlite3_column_int64(statement, 0);
    report->machine_row = sqlite3_column_int64(statement, 1);
    report->day.to = sqlite3_column_int64(statement, 2);
    read_text(statement, 3, report->day.date, sizeof(report->day.date));
    report->made = sqlite3_column_int64(statement, 4);
    read_text(statement, 5, report->asset, sizeof(report->asset));
    report->total.start = report->day.from;
    report->total.similarity_min = (uint32_t)sqlite3_column_int64(statement, 6);
    report->total.phase = (uint32_t)sqlite3_column_int64(statement, 7);
    report->knowledge_learned = (uint32_t)sqlite3_column_int64(statement, 8);
    report->knowledge_crc = (uint32_t)sqlite3_column_int64(statement, 9);
    report->sensitivity = (float)sqlite3_column_double(statement, 10);
    report->threshold = (uint32_t)sqlite3_column_int64(statement, 11);
    report->worst = sqlite3_column_int64(statement, 12);
    report->worst_similarity = (uint32_t)sqlite3_column_int64(statement, 13);
    report->worst_distance = (float)figure(statement, 14);
    report->worst_explanation = (char *)sqlite3_column_text(statement, 15);
    read_trend(statement, 16, &report->trend);
    store_read_hour(statement, 25, &report->total);
}

int store_reports(struct store *store, int64_t machine, int64_t from, int64_t to,
                  void (*each)(void *user, const struct daily_report *report), void *user)
{
    sqlite3_stmt *statement = NULL;
    struct daily_report report;
    int result;
    int r = store_begin_reading(
        store,
        "SELECT " COLUMNS HOUR_ALL(
            COLUMN) " FROM report WHERE start >= ?1 AND start < ?2 AND (?3 = 0 OR machine = ?3) ORDER BY start",
        &statement);

    if (r == 0) {
        sqlite3_bind_int64(statement, 1, from);
        sqlite3_bind_int64(statement, 2, to);
        sqlite3_bind_int64(statement, 3, machine);
        while ((result = sqlite3_step(statement)) == SQLITE_ROW) {
            read_report(statement, &report);
            each(user, &report);
        }
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}

int store_report_progress(struct store *store, struct report_progress *progress)
{
    sqlite3_stmt *statement = NULL;
    int result;
    int r = store_begin_reading(store, "SELECT closed, made, date FROM reporting", &statement);

    memset(progress, 0, sizeof(*progress));
    if (r == 0) {
        result = sqlite3_step(statement);
        if (result == SQLITE_ROW) {
            progress->closed = sqlite3_column_int64(statement, 0);
            progress->made = sqlite3_column_int64(statement, 1);
            read_text(statement, 2, progress->date, sizeof(progress->date));
        }
        r = fault(store_error(result));
    }
    store_end_reading(store, statement);
    return r;
}
