/* What the store keeps of the past: anomalies, hours, reports, and stores of earlier versions. */
#include "store_bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---------------------------------------------------------------------------------------------------------- anomalies */

static void add_anomaly(struct bench *bench, int64_t machine, int64_t id, const char *asset, int64_t raised,
                        int64_t cleared)
{
    struct anomaly anomaly = { .id = id,
                               .raised = raised,
                               .cleared = cleared,
                               .event = ANOMALY_RAISED,
                               .explanation = (char *)(uintptr_t) "[1]" };
    struct store_outgoing outgoing = { .topic = "t", .payload = "{}" };
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
                                   .at = raised,
                                   .anomalies = &anomaly,
                                   .outgoing = &outgoing,
                                   .anomaly_count = 1,
                                   .outgoing_count = 1 };

    snprintf(anomaly.asset, sizeof(anomaly.asset), "%s", asset);
    must_commit(bench, &change);
}

/* The ids of an answer as text: "5 3 1 ". */
static const char *ids_of(struct bench *bench, struct anomaly_query query, char text[100])
{
    struct anomaly found[16];
    int count;

    query.limit = query.limit ? query.limit : COUNT(found);
    count = store_anomalies(bench->store, &query, found);
    text[0] = '\0';
    assert_in_range(count, 0, query.limit);
    for (int i = 0; i < count; i++) {
        snprintf(text + strlen(text), 100 - strlen(text), "%lld ", (long long)found[i].id);
        free(found[i].explanation);
    }
    return text;
}

static void test_anomalies_by_filter_and_cursor(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump");
    char text[100];

    add_anomaly(bench, fan, 1, "hall", 100, 150);
    add_anomaly(bench, pump, 2, "hall", 200, 0);
    add_anomaly(bench, fan, 3, "roof", 300, 350);
    add_anomaly(bench, pump, 4, "", 400, 450);
    add_anomaly(bench, fan, 5, "hall", 500, 0);
    assert_string_equal(ids_of(bench, (struct anomaly_query){ 0 }, text), "5 4 3 2 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "fan" }, text), "5 3 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "Fan" }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .asset = "hall" }, text), "5 2 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .asset = "" }, text), "4 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "fan", .asset = "hall" }, text), "5 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .from = 200, .to = 400 }, text), "3 2 "); /* [from, to) */
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .from = 201 }, text), "5 4 3 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .to = 200 }, text), "1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .id = 3 }, text), "3 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .id = 6 }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .id = 3, .machine = "pump" }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2 }, text), "5 4 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2, .before = 4 }, text), "3 2 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2, .before = 2 }, text), "1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2, .before = 1 }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "'; DROP TABLE anomaly; --" }, text), "");
    add_anomaly(bench, fan, 5, "hall", 500, 550); /* replaced by its id */
    assert_string_equal(ids_of(bench, (struct anomaly_query){ 0 }, text), "5 4 3 2 1 ");
}

static void test_anomaly_round_trip(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct anomaly_query query = { .limit = 10 };
    struct anomaly found[10];
    struct parts parts;

    make_parts(&parts, bench, machine, 4);
    must_commit(bench, &parts.change);
    assert_int_equal(store_anomalies(bench->store, &query, found), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct anomaly *sent = &parts.anomaly[1 - i], *got = &found[i];

        assert_int_equal(got->id, sent->id);
        assert_string_equal(got->machine, "fan");
        assert_string_equal(got->asset, sent->asset);
        assert_int_equal(got->raised, sent->raised);
        assert_int_equal(got->cleared, sent->cleared);
        assert_int_equal(got->event, sent->event);
        assert_int_equal(got->similarity, sent->similarity);
        assert_true(got->distance == sent->distance && got->sensitivity == sent->sensitivity);
        assert_int_equal(got->threshold, sent->threshold);
        assert_int_equal(got->learned, sent->learned);
        assert_int_equal(got->buffers, sent->buffers);
        assert_string_equal(got->explanation, sent->explanation);
        free(found[i].explanation);
    }
}

static void test_old_anomalies_are_deleted_but_open_ones(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    char text[100];

    assert_int_equal(LIMIT_ANOMALIES, 100000); /* as below */
    add_anomaly(bench, machine, 1, "", 1, 2);
    add_anomaly(bench, machine, 2, "", 1, 0);
    add_anomaly(bench, machine, 3, "", 1, 2);
    database_run(bench->path,
                 "WITH RECURSIVE n (i) AS (SELECT 4 UNION ALL SELECT i + 1 FROM n WHERE i < 100000) "
                 "INSERT INTO anomaly (id, machine, asset, raised, cleared, event, similarity, distance, threshold, "
                 "sensitivity, learned, buffers, explanation) "
                 "SELECT i, machine, '', 1, 2, 3, 0, 0, 0, 0, 0, 0, '' FROM n JOIN anomaly ON id = 1");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .before = 6 }, text), "5 4 3 2 1 ");
    for (int more = 1; more <= 3; more++) {
        static const char *const left[] = { "5 4 3 2 ", "5 4 3 2 ", "5 4 2 " };

        add_anomaly(bench, machine, LIMIT_ANOMALIES + more, "", 1, 2);
        assert_string_equal(ids_of(bench, (struct anomaly_query){ .before = 6 }, text), left[more - 1]);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM anomaly"), LIMIT_ANOMALIES + 1);
}

/* While the store fails each buffer of a strange machine takes a number; what is stored is not older for that. */
static void test_numbers_that_were_left_out_delete_nothing(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), id = store_next_anomaly(bench->store);
    char text[100], expected[100];

    add_anomaly(bench, machine, id, "", 1, 2);
    while (store_next_anomaly(bench->store) < id + 2 * LIMIT_ANOMALIES)
        ;
    add_anomaly(bench, machine, id + 2 * LIMIT_ANOMALIES, "", 1, 2);
    snprintf(expected, sizeof(expected), "%lld %lld ", (long long)id + 2 * LIMIT_ANOMALIES, (long long)id);
    assert_string_equal(ids_of(bench, (struct anomaly_query){ 0 }, text), expected);
}

static void test_anomaly_ids_are_never_used_twice(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), last = store_next_anomaly(bench->store), next;

    for (int i = 0; i < 10; i++) {
        next = store_next_anomaly(bench->store);
        assert_true(next > last);
        last = next;
    }
    add_anomaly(bench, machine, last, "", 1, 2);
    reopen(bench);
    next = store_next_anomaly(bench->store);
    assert_true(next > last);
    add_anomaly(bench, machine, next, "", 1, 2);
    assert_int_equal(store_delete_machine(bench->store, machine, NULL, 0, 0),
                     0); /* the anomaly goes, its number was seen by many */
    reopen(bench);
    assert_true(store_next_anomaly(bench->store) > next);
}

/* -------------------------------------------------------------------------------------------------------------- hours */

static void add_hour(struct bench *bench, int64_t machine, int64_t start, uint32_t n)
{
    struct hour hour = { .start = start,
                         .similarity_sum = 0.5 * n,
                         .log_distance_sum = -0.25 * n,
                         .similarity_min = n % 102,
                         .anomaly_ms = n };
    struct store_change change = {
        .machine = machine, .epoch = store_epoch(bench->store, machine), .at = start, .hours = &hour, .hour_count = 1
    };

#define FILL(name, help) hour.name = n;
    HOUR_COUNTERS(FILL)
#undef FILL
    must_commit(bench, &change);
}

static void check_hour(const struct hour *hour, int64_t start, uint32_t n, uint32_t least)
{
    assert_int_equal(hour->start, start);
#define CHECK(name, help) assert_int_equal(hour->name, n);
    HOUR_COUNTERS(CHECK)
#undef CHECK
    assert_true(hour->similarity_sum == 0.5 * n && hour->log_distance_sum == -0.25 * n);
    assert_int_equal(hour->similarity_min, least);
    assert_int_equal(hour->anomaly_ms, n);
}

static void test_hours_add_up(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump"), first = 490000 * (int64_t)HOUR_MS;
    struct hour hours[10];

    add_hour(bench, fan, first + HOUR_MS, 50);
    add_hour(bench, fan, first, 7);
    add_hour(bench, pump, first, 1000);
    add_hour(bench, fan, first + HOUR_MS, 20);
    add_hour(bench, fan, first + 3 * (int64_t)HOUR_MS, 101);
    add_hour(bench, fan, first + HOUR_MS, 101); /* nothing detected: the least stays */
    assert_int_equal(store_hours(bench->store, fan, first, first + 10 * (int64_t)HOUR_MS, hours, 10), 3);
    check_hour(&hours[0], first, 7, 7);
    check_hour(&hours[1], first + HOUR_MS, 171, 20);
    check_hour(&hours[2], first + 3 * (int64_t)HOUR_MS, 101, 101);
    assert_int_equal(store_hours(bench->store, fan, first, first + HOUR_MS, hours, 10), 1); /* [from, to) */
    assert_int_equal(store_hours(bench->store, fan, first + 1, first + 3 * (int64_t)HOUR_MS, hours, 10), 1);
    assert_int_equal(store_hours(bench->store, fan, first, first + 10 * (int64_t)HOUR_MS, hours, 2), 2);
    check_hour(&hours[1], first + HOUR_MS, 171, 20);
    assert_int_equal(store_hours(bench->store, pump, 0, INT64_MAX, hours, 10), 1);
    check_hour(&hours[0], first, 1000, 1000 % 102);
    assert_int_equal(store_hours(bench->store, 4711, 0, INT64_MAX, hours, 10), 0);
    reopen(bench);
    add_hour(bench, fan, first, 1);
    assert_int_equal(store_hours(bench->store, fan, first, first + 1, hours, 10), 1);
    check_hour(&hours[0], first, 8, 1);
}

/* So many hours in which something was counted are kept, however far apart they are: a clock that jumps by ten years deletes
 * nothing. */
static void test_old_hours_are_deleted(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), first = 490000 * (int64_t)HOUR_MS;
    struct hour hours[10];
    char text[300];

    add_hour(bench, machine, first, 1);
    add_hour(bench, machine, first + HOUR_MS, 1);
    add_hour(bench, machine, first + 20 * LIMIT_HOURS * (int64_t)HOUR_MS, 1);
    assert_int_equal(store_hours(bench->store, machine, 0, INT64_MAX, hours, 10), 3);
    snprintf(text, sizeof(text),
             "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO hour SELECT "
             "%lld + i "
             "* 3600000, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM n",
             LIMIT_HOURS - 2, (long long)first);
    database_run(bench->path, text);
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT start) FROM hour"), LIMIT_HOURS);
    add_hour(bench, machine, first + (20 * LIMIT_HOURS + 1) * (int64_t)HOUR_MS, 1);
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT start) FROM hour"), LIMIT_HOURS);
    assert_int_equal(store_hours(bench->store, machine, 0, INT64_MAX, hours, 10), 3);
    assert_int_equal(hours[0].start, first + HOUR_MS);
    add_hour(bench, machine, first + (LIMIT_HOURS + 1) * (int64_t)HOUR_MS, 1); /* the clock is set back */
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT start) FROM hour"), LIMIT_HOURS);
}

/* ------------------------------------------------------------------------------------------------------------ reports */

/* Every member follows from n, NAN among them. */
static struct daily_report report_with(int64_t machine, int64_t from, uint32_t n)
{
    struct daily_report report = { .day = { .date = "2026-11-22", .from = from, .to = from + 23 * (int64_t)HOUR_MS },
                                   .machine_row = machine,
                                   .made = from + 30 * (int64_t)HOUR_MS,
                                   .asset = "pump, left",
                                   .knowledge_learned = n + 1,
                                   .knowledge_crc = UINT32_MAX - n,
                                   .sensitivity = 1.1f,
                                   .threshold = 90,
                                   .worst = n,
                                   .worst_similarity = 17,
                                   .worst_distance = 2.5f,
                                   .worst_explanation = (char *)(uintptr_t) "[{\"kind\":\"band\"}]",
                                   .trend = { .days = 28,
                                              .level = -1.5,
                                              .slope = 0.25,
                                              .slope_low = 0.125,
                                              .slope_high = 0.5,
                                              .rising = true,
                                              .to_line = 6,
                                              .to_line_low = 3,
                                              .to_line_high = NAN } };

#define FILL(name, help) report.total.name = n + 7;
    HOUR_COUNTERS(FILL)
    HOUR_SUMS(FILL)
    HOUR_TIMES(FILL)
#undef FILL
    report.total.start = from;
    report.total.similarity_min = n;
    report.total.phase = 3;
    return report;
}

static void check_report(void *user, const struct daily_report *report)
{
    struct daily_report expected = report_with(report->machine_row, report->day.from, (uint32_t)report->worst);

    assert_string_equal(report->worst_explanation, expected.worst_explanation);
    assert_true(isnan(report->trend.to_line_high));
    assert_string_equal(report->day.date, expected.day.date);
    assert_string_equal(report->asset, expected.asset);
    assert_int_equal(report->day.to, expected.day.to);
    assert_int_equal(report->made, expected.made);
    assert_memory_equal(&report->total, &expected.total, sizeof(expected.total));
    assert_memory_equal(&report->knowledge_learned, &expected.knowledge_learned,
                        offsetof(struct daily_report, worst_explanation) -
                            offsetof(struct daily_report, knowledge_learned));
    assert_memory_equal(&report->trend, &expected.trend, offsetof(struct trend, to_line_high));
    *(int *)user += 1;
}

static int count_reports(struct bench *bench, int64_t machine, int64_t from, int64_t to)
{
    int count = 0;

    assert_int_equal(store_reports(bench->store, machine, from, to, check_report, &count), 0);
    return count;
}

static void test_reports_are_kept_as_they_were_made(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump"), day = 24 * (int64_t)HOUR_MS;
    struct daily_report reports[3] = { report_with(fan, 10 * day, 5), report_with(pump, 10 * day, 6),
                                       report_with(4711, 10 * day, 7) };
    struct store_outgoing outgoing[3] = { { .topic = "fan/report/daily", .payload = "{}", .retain = true },
                                          { .topic = "", .payload = NULL },
                                          { .topic = "none/report/daily", .payload = "{}" } };
    struct store_outgoing summary = { .topic = "report/daily", .payload = "{}", .retain = true };
    struct report_progress progress = { .closed = 11 * day, .made = 11 * day, .date = "2026-11-22" }, found;
    struct store_reports all = { .reports = reports, .outgoing = outgoing, .count = 3 };

    assert_int_equal(store_report_progress(bench->store, &found), 0);
    assert_true(found.made == 0 && found.closed == 0 && found.date[0] == '\0');
    assert_int_equal(store_put_reports(bench->store, &all), 0);
    reports[0] = report_with(fan, 10 * day, 50); /* made again after a crash: the first stays, and is not said twice */
    assert_int_equal(store_put_reports(bench->store, &all), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox"), 1);
    assert_int_equal(
        store_put_reports(bench->store, &(struct store_reports){ .progress = &progress, .summary = &summary }), 0);
    assert_int_equal(
        database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'report/daily' AND retain = 1"), 1);
    reopen(bench);
    assert_int_equal(store_report_progress(bench->store, &found), 0);
    assert_int_equal(found.closed, progress.closed);
    assert_int_equal(found.made, progress.made);
    assert_string_equal(found.date, progress.date);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), 2);
    assert_int_equal(database_number(bench->path, "SELECT worst FROM report WHERE machine = 1"), 5);
    assert_int_equal(count_reports(bench, pump, 10 * day, 10 * day + 1), 1);
    assert_int_equal(count_reports(bench, 0, 10 * day + 1, INT64_MAX), 0);
    assert_int_equal(store_delete_machine(bench->store, fan, NULL, 0, 0), 0);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), 1);
    assert_int_equal(
        store_put_reports(bench->store, &(struct store_reports){ .progress = &progress, .forget = 10 * day }), 0);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), 0);
}

static void test_old_reports_are_deleted(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), day = 24 * (int64_t)HOUR_MS;
    struct daily_report *reports = calloc(LIMIT_REPORTS + 2, sizeof(*reports));
    struct store_outgoing *outgoing = calloc(LIMIT_REPORTS + 2, sizeof(*outgoing));
    struct report_progress progress = { .made = day };

    assert_true(reports && outgoing);
    for (int i = 0; i < LIMIT_REPORTS + 2; i++)
        reports[i] = report_with(fan, i * day, 1);
    assert_int_equal(store_put_reports(bench->store, &(struct store_reports){ .reports = reports,
                                                                              .outgoing = outgoing,
                                                                              .count = LIMIT_REPORTS + 2,
                                                                              .progress = &progress }),
                     0);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), LIMIT_REPORTS);
    assert_int_equal(count_reports(bench, 0, 0, 2 * day), 0);
    free(reports);
    free(outgoing);
}

/* ---------------------------------------------------------------------------------------------------------- migration */

static void test_a_store_of_schema_1(void **state)
{
    struct bench *bench = *state;
    struct hour hours[2];
    size_t size;
    char *text = file_read(HABIT_SOURCE_ROOT "/tests/daemon/stores/schema-1.sql", &size);

    bench->store = store_close(bench->store);
    unlink(bench->path);
    database_run(bench->path, text);
    free(text);
    reopen(bench);
    assert_int_equal(store_hours(bench->store, 1, 0, INT64_MAX, hours, 2), 1);
    assert_int_equal(hours[0].start, INT64_C(1795377600000));
    assert_true(hours[0].learned == 20 && hours[0].detected == 9 && hours[0].similarity_min == 97);
    assert_true(fabs(hours[0].log_distance_sum + 8.334874717461688) < 1e-9 && hours[0].late == 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine WHERE name = 'fan'"), 1);
    assert_int_equal(database_number(bench->path, "SELECT count(*) = 20 AND max(id) = 20 FROM commissioning"), 1);
    add_hour(bench, 1, hours[0].start, 5);
    assert_int_equal(store_hours(bench->store, 1, 0, INT64_MAX, hours, 2), 1);
    assert_int_equal(hours[0].learned, 25);
    assert_int_equal(store_delete_machine(bench->store, 1, NULL, 0, 0), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM hour"), 0);
    assert_int_equal(database_number(bench->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_anomalies_by_filter_and_cursor),
        TEST(test_anomaly_round_trip),
        TEST(test_old_anomalies_are_deleted_but_open_ones),
        TEST(test_numbers_that_were_left_out_delete_nothing),
        TEST(test_anomaly_ids_are_never_used_twice),
        TEST(test_hours_add_up),
        TEST(test_old_hours_are_deleted),
        TEST(test_reports_are_kept_as_they_were_made),
        TEST(test_old_reports_are_deleted),
        TEST(test_a_store_of_schema_1),
    };

    return cmocka_run_group_tests_name("store_history", tests, NULL, NULL);
}
