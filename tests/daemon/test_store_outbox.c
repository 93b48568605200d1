/* What waits for the broker, and what readers of events find. */
#include "store_bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ------------------------------------------------------------------------------------------------------------- outbox */

enum { EVENTS = 128 };

/* Events numbered from `first` on, as payload. */
static void add_messages(struct bench *bench, int64_t machine, unsigned int first, size_t count)
{
    static struct anomaly anomalies[EVENTS];
    static struct store_outgoing outgoing[EVENTS];
    static char payloads[EVENTS][16];
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
                                   .anomalies = anomalies,
                                   .outgoing = outgoing,
                                   .anomaly_count = count,
                                   .outgoing_count = count };

    assert_true(count <= EVENTS);
    for (size_t i = 0; i < count; i++) {
        anomalies[i] = (struct anomaly){ .id = 1, .explanation = (char *)(uintptr_t) "[]" };
        snprintf(payloads[i], sizeof(payloads[i]), "%zu", first + i);
        outgoing[i] =
            (struct store_outgoing){ .topic = "fan/anomaly", .payload = payloads[i], .retain = (first + i) % 2 == 1 };
    }
    must_commit(bench, &change);
}

/* Reads `count` messages that must be numbered from `first` on; returns the id of the last. */
static int64_t check_messages(struct bench *bench, int64_t after, unsigned int first, size_t count)
{
    struct outbox_message messages[20];
    int64_t last = after;

    assert_true(count <= COUNT(messages));
    assert_int_equal(store_outbox(bench->store, after, messages, count), count);
    for (size_t i = 0; i < count; i++) {
        char payload[16];

        snprintf(payload, sizeof(payload), "%zu", first + i);
        assert_string_equal(messages[i].payload, payload);
        assert_string_equal(messages[i].topic, "fan/anomaly");
        assert_int_equal(messages[i].retain, (first + i) % 2 == 1);
        assert_true(messages[i].id > last);
        last = messages[i].id;
    }
    store_free_messages(messages, count);
    return last;
}

static void test_outbox_in_order(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), third, all;

    add_messages(bench, machine, 0, 4);
    add_messages(bench, machine, 4, 3);
    all = check_messages(bench, 0, 0, 7);
    third = check_messages(bench, 0, 0, 3);
    check_messages(bench, third, 3, 4);
    check_messages(bench, all, 0, 0);
    store_outbox_done(bench->store, third);
    add_messages(bench, machine, 7, 1); /* "with the next commit" */
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox"), 7);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE payload = '2'"), 0);
    check_messages(bench, 0, 0, 2);
    check_messages(bench, third, 3, 5);
    reopen(bench); /* what waited still waits */
    check_messages(bench, third, 3, 5);
    assert_int_equal(store_delete_machine(bench->store, machine, NULL, 0, 0), 0);
    check_messages(bench, third, 3, 5);
}

static void test_outbox_is_bounded(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    const struct store_outgoing outgoing = { .topic = "fan/anomaly", .payload = "{}" };
    const struct hour hour = { .start = HOUR_MS };
    struct store_figures figures;
    struct store_change change;
    size_t sent = 0;

    for (; sent + EVENTS <= LIMIT_OUTBOX; sent += EVENTS)
        add_messages(bench, machine, (unsigned int)sent, EVENTS);
    add_messages(bench, machine, (unsigned int)sent, LIMIT_OUTBOX - sent);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.outbox_dropped, 0);
    check_messages(bench, 0, 0, 5);
    add_messages(bench, machine, LIMIT_OUTBOX, 3);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox"), LIMIT_OUTBOX);
    check_messages(bench, 0, 3, 5);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.outbox_dropped, 3);
    change = (struct store_change){ .machine = machine,
                                    .epoch = store_epoch(bench->store, machine),
                                    .outgoing = &outgoing,
                                    .outgoing_count = 1,
                                    .hours = &hour,
                                    .hour_count = 1 };
    database_run(bench->path, "CREATE TRIGGER forbid BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_true(commit(bench, &change) < 0);
    database_run(bench->path, "DROP TRIGGER forbid");
    store_figures(bench->store, &figures);
    assert_int_equal(figures.outbox_dropped, 3); /* it is still there */
    check_messages(bench, 0, 3, 5);
}

/* Kept when the broker has them, but not for ever. */
static void test_events_outlive_the_outbox(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), oldest, newest;
    struct store_change barrier = { .machine = machine, .epoch = store_epoch(bench->store, machine) };
    struct outbox_message messages[2 * LIMIT_EVENTS];

    assert_int_equal(store_event_range(bench->store, &oldest, &newest), 0);
    assert_int_equal(oldest, 0);
    assert_int_equal(newest, 0);
    for (unsigned int sent = 0; sent < LIMIT_EVENTS + 100; sent += 100)
        add_messages(bench, machine, sent, 100);
    assert_int_equal(store_events(bench->store, 0, messages, COUNT(messages)), LIMIT_EVENTS + 100); /* all wait */
    for (size_t i = 0; i < LIMIT_EVENTS + 100; i++) {
        store_outbox_done(bench->store, messages[i].id);
        if (i % 1000 == 0)
            must_commit(bench, &barrier); /* no more than the queue takes */
    }
    store_free_messages(messages, LIMIT_EVENTS + 100);
    add_messages(bench, machine, LIMIT_EVENTS + 100, 1);
    assert_int_equal(store_outbox(bench->store, 0, messages, COUNT(messages)), 1);
    store_free_messages(messages, 1);
    assert_int_equal(store_event_range(bench->store, &oldest, &newest), 0);
    assert_int_equal(newest - oldest + 1, LIMIT_EVENTS);
    assert_int_equal(store_events(bench->store, newest - 3, messages, COUNT(messages)), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(atoi(messages[i].payload), LIMIT_EVENTS + 98 + i);
    store_free_messages(messages, 3);
}

static void test_backlog_of_the_outbox(void **state)
{
    struct bench *bench = *state;
    struct store_outgoing outgoing = { .topic = "fan/report/daily", .payload = "{}" };
    struct outbox_message latest;
    uint64_t count = 9;
    int64_t since = 9;

    assert_int_equal(store_outbox_backlog(bench->store, &count, &since), 0);
    assert_int_equal(count, 0);
    assert_int_equal(since, 0);
    assert_int_equal(store_publish(bench->store, &outgoing, 1, 5000), 0);
    assert_int_equal(store_publish(bench->store, &outgoing, 1, 7000), 0);
    assert_int_equal(store_outbox_backlog(bench->store, &count, &since), 0);
    assert_int_equal(count, 2);
    assert_int_equal(since, 5000);
    store_without_broker(bench->store);
    assert_int_equal(store_publish(bench->store, &outgoing, 1, 8000), 0);
    assert_int_equal(store_outbox_backlog(bench->store, &count, &since), 0);
    assert_int_equal(count, 2);
    assert_int_equal(store_events(bench->store, 2, &latest, 1), 1);
    assert_int_equal(latest.at, 8000);
    store_free_messages(&latest, 1);
}

static void test_an_answer_keeps_its_correlation(void **state)
{
    static const char data[] = { 'a', 0, 'b' };
    struct bench *bench = *state;
    const struct store_outgoing outgoing[] = {
        { .topic = "their/topic",
          .payload = "{}",
          .whole = true,
          .correlation = data,
          .correlation_size = sizeof(data) },
        { .topic = "their/topic", .payload = "{}", .whole = true, .correlation = data, .correlation_size = 0 },
        { .topic = "fan/rsp/commission", .payload = "{}" },
    };
    struct outbox_message messages[3];

    assert_int_equal(store_publish(bench->store, outgoing, 3, 1), 0);
    reopen(bench);
    assert_int_equal(store_outbox(bench->store, 0, messages, 3), 3);
    assert_true(messages[0].whole && messages[1].whole && !messages[2].whole);
    assert_int_equal(messages[0].correlation_size, sizeof(data));
    assert_memory_equal(messages[0].correlation, data, sizeof(data));
    assert_non_null(messages[1].correlation);
    assert_int_equal(messages[1].correlation_size, 0);
    assert_null(messages[2].correlation);
    store_free_messages(messages, 3);
}

/* What waited in a store of the version before still waits, and its numbers go on. */
static void test_outbox_of_the_version_before(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");

    add_messages(bench, machine, 0, 3);
    bench->store = store_close(bench->store);
    database_run(bench->path,
                 "ALTER TABLE anomaly DROP COLUMN context; ALTER TABLE anomaly DROP COLUMN knowledge_crc;"
                 "ALTER TABLE anomaly DROP COLUMN undo; DROP TABLE evidence; DROP TABLE mute; DROP TABLE candidate;"
                 "ALTER TABLE snapshot DROP COLUMN note; ALTER TABLE snapshot DROP COLUMN upto;"
                 "ALTER TABLE snapshot DROP COLUMN accepted;"
                 "DROP VIEW outbox; DROP INDEX event_waits;"
                 "ALTER TABLE event DROP COLUMN at; ALTER TABLE event DROP COLUMN whole;"
                 "ALTER TABLE event DROP COLUMN correlation; ALTER TABLE event DROP COLUMN waits;"
                 "ALTER TABLE event RENAME TO outbox;"
                 "ALTER TABLE hour DROP COLUMN gaps; ALTER TABLE report DROP COLUMN gaps;"
                 "DROP TABLE audit; DROP TABLE backup; PRAGMA user_version = 3");
    reopen(bench);
    check_messages(bench, 0, 0, 3);
    add_messages(bench, machine, 3, 1);
    check_messages(bench, 0, 0, 4);
    assert_int_equal(database_number(bench->path, "SELECT max(id) FROM event"), 4);
}

struct snapshot_seen {
    size_t count;
    int64_t taken;
};

static void see_snapshot(void *user, const char *id, int64_t taken)
{
    struct snapshot_seen *seen = user;

    assert_string_equal(id, "fan");
    seen->count++;
    seen->taken = taken;
}

static void test_time_of_the_newest_snapshot(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change change = {
        .machine = machine, .epoch = store_epoch(bench->store, machine), .knowledge = "abc", .knowledge_size = 3
    };
    struct snapshot_seen seen = { 0 };

    create(bench, "other");
    must_commit(bench, &change);
    change.snapshot = "test";
    for (change.at = 10; change.at < 13; change.at++)
        must_commit(bench, &change);
    assert_int_equal(store_snapshot_times(bench->store, see_snapshot, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.taken, 12);
}

static void count_up(void *user)
{
    (*(atomic_int *)user)++;
}

static void test_whoever_empties_the_outbox_is_woken(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
                                   .settings = "{\"axes\":1}" };
    atomic_int calls = 0;
    struct parts parts;

    store_on_outgoing(bench->store, count_up, &calls);
    must_commit(bench, &change); /* without a message */
    assert_int_equal(calls, 0);
    add_messages(bench, machine, 0, 3);
    assert_int_equal(calls, 1);
    make_parts(&parts, bench, machine, 7);
    database_run(bench->path, "CREATE TRIGGER forbid BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_true(commit(bench, &parts.change) < 0); /* no message came of it */
    assert_int_equal(calls, 1);
    database_run(bench->path, "DROP TRIGGER forbid");
    store_on_outgoing(bench->store, NULL, NULL);
    add_messages(bench, machine, 3, 1);
    assert_int_equal(calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_outbox_in_order),
        TEST(test_outbox_is_bounded),
        TEST(test_events_outlive_the_outbox),
        TEST(test_backlog_of_the_outbox),
        TEST(test_an_answer_keeps_its_correlation),
        TEST(test_outbox_of_the_version_before),
        TEST(test_time_of_the_newest_snapshot),
        TEST(test_whoever_empties_the_outbox_is_woken),
    };

    return cmocka_run_group_tests_name("store_outbox", tests, NULL, NULL);
}
