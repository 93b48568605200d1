/* What a refused batch, a failed commit and a restart leave: all or nothing, and memory never ahead of the store. */
#include "registry_bench.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "slow_disk.h"

/* ----------------------------------------------------------------------------------------------------- all or nothing */

/* A constant or impossible buffer at any place of a batch; numbered or not; learned by hand or by the strategy. */
static void test_a_batch_is_all_or_nothing(void **state)
{
    struct bench *bench = *state;
    float samples[5 * VALUES];

    put(bench, "fan", geometry);
    learn(bench, "fan", 40);
    for (int i = 0; i < K - 3; i++) /* a window half full, that no flush has seen */
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), 0);
    for (size_t place = 0; place < 5; place++)
        for (int kind = 0; kind < 8; kind++) {
            struct wire_meta meta = numbered(100);
            struct still before = look(bench, "fan");
            enum intent intent = kind & 1 ? INTENT_LEARN : INTENT_BUFFER;
            int r;

            fill(&bench->seed, samples, 5, 1);
            for (size_t i = 0; i < VALUES; i++)
                samples[place * VALUES + i] = kind & 2 ? 3.0f : i == 7 ? NAN : 1;
            r = refused(
                bench,
                &(struct shot){
                    .id = "fan", .intent = intent, .samples = samples, .buffers = 5, .meta = kind & 4 ? &meta : NULL });
            assert_int_equal(r, kind & 2 ? REFUSAL_CONSTANT : REFUSAL_NOT_FINITE);
            assert_int_equal(bench->refusal.code, r);
            check_still(bench, "fan", before);
        }
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), 40);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), K - 3);
}

/* What is kept for relearning has a bound; what was refused does not use it up. */
static void test_refused_batches_keep_no_buffers(void **state)
{
    struct bench *bench = *state;
    static float samples[64 * VALUES];
    struct verdict verdicts[BATCH];
    size_t count;

    put(bench, "fan", geometry);
    for (int i = 0; i < 20; i++) {
        fill(&bench->seed, samples, 63, 1);
        for (size_t j = 0; j < VALUES; j++)
            samples[63 * VALUES + j] = 1;
        assert_int_equal(
            refused(bench, &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 64 }),
            REFUSAL_CONSTANT);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), 0);
    for (size_t i = 0; i < LIMIT_COMMISSIONING / 64; i++) {
        fill(&bench->seed, samples, 64, 1);
        assert_int_equal(shoot(bench,
                               &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 64 },
                               verdicts, &count),
                         0);
    }
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), LIMIT_COMMISSIONING);
}

/* What was refused was not applied: the same numbers, with buffers that are fine, are no duplicates. */
static void test_numbers_of_a_refused_batch_are_free(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta = numbered(7);
    struct verdict verdicts[BATCH];
    float samples[3 * VALUES];
    size_t count = 0;

    put(bench, "fan", geometry);
    fill(&bench->seed, samples, 2, 1);
    for (size_t i = 0; i < VALUES; i++)
        samples[2 * VALUES + i] = 1;
    assert_int_equal(
        refused(bench,
                &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 3, .meta = &meta }),
        REFUSAL_CONSTANT);
    fill(&bench->seed, samples, 3, 1);
    assert_int_equal(
        shoot(bench,
              &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 3, .meta = &meta },
              verdicts, &count),
        0);
    assert_int_equal(count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(verdicts[i].status, VERDICT_LEARNED);
    assert_int_equal(view(bench, "fan").learning.learned, 3);
}

/* More buffers than there is room for verdicts: all are applied. */
static void test_a_batch_larger_than_its_answers(void **state)
{
    struct bench *bench = *state;
    static float samples[3 * BATCH * VALUES];
    struct verdict verdicts[BATCH];
    size_t count = 0;

    put(bench, "fan", geometry);
    fill(&bench->seed, samples, 3 * BATCH, 1);
    assert_int_equal(
        shoot(bench, &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 3 * BATCH },
              verdicts, &count),
        0);
    assert_int_equal(count, 3 * BATCH);
    assert_int_equal(view(bench, "fan").learning.learned, 3 * BATCH);
    assert_int_equal(verdicts[BATCH - 1].learning.learned, BATCH);
}

static void test_dry_run_touches_nothing(void **state)
{
    struct bench *bench = *state;
    float samples[4 * VALUES];
    struct wire_meta meta = numbered(7);
    struct verdict verdicts[BATCH];
    struct shot shot = {
        .id = "fan", .intent = INTENT_DETECT, .samples = samples, .buffers = 4, .meta = &meta, .dry_run = true
    };
    struct still before;
    size_t count;

    put(bench, "fan", geometry);
    fill(&bench->seed, samples, 4, 30);
    assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
    assert_int_equal(verdicts[0].status, VERDICT_NOT_READY);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_NEW);
    learn(bench, "fan", 40);
    for (int i = 0; i < K - 1; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    before = look(bench, "fan");
    for (int i = 0; i < 20; i++) {
        assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
        assert_int_equal(count, 4);
        assert_int_equal(verdicts[3].status, VERDICT_OK);
        assert_true(verdicts[3].detection.similarity < 90);
        assert_int_equal(verdicts[3].anomaly, 0);
    }
    check_still(bench, "fan", before);
    shot.dry_run = false;
    assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
    assert_int_equal(verdicts[0].status, VERDICT_OK); /* its number was not spent */
}

/* ---------------------------------------------------------------------------------------------- when a commit fails */

static void test_memory_is_never_ahead_of_the_store(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta = numbered(100);
    float samples[VALUES];
    struct registry_figures figures;
    struct block before;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    before = knowledge(bench, "fan");
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    fill(&bench->seed, samples, 1, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            refused(
                bench,
                &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .meta = &meta }),
            REFUSAL_STORE);
    assert_int_equal(view(bench, "fan").learning.learned, 30);
    assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, NULL).status, VERDICT_OK); /* goes on */
    database_run(bench->path, "DROP TRIGGER forbid");
    check_same_blocks(before, knowledge(bench, "fan"));
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status,
                     VERDICT_LEARNED); /* it was not applied: no duplicate */
    assert_int_equal(view(bench, "fan").learning.learned, 31);
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.refusals[REFUSAL_STORE], 3);
    before = knowledge(bench, "fan");
    restart(bench);
    check_same_blocks(before, knowledge(bench, "fan"));
}

static const char forbid_knowledge[] =
    "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END";

/* Somebody else's commit: what was only judged was judged, and counted. */
static void test_numbers_that_were_judged_stay(void **state)
{
    struct bench *bench = *state;
    struct wire_meta meta;
    float samples[VALUES];

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    for (uint64_t seq = 1; seq <= 5; seq++) {
        meta = numbered(seq);
        assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, &meta).status, VERDICT_OK);
    }
    database_run(bench->path, forbid_knowledge);
    meta = numbered(6);
    fill(&bench->seed, samples, 1, 1);
    assert_int_equal(
        refused(bench,
                &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .meta = &meta }),
        REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid");
    for (uint64_t seq = 3; seq <= 5; seq++) {
        meta = numbered(seq);
        assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, &meta).status, VERDICT_DUPLICATE);
    }
    meta = numbered(6);
    assert_int_equal(one(bench, "fan", INTENT_LEARN, 1, &meta).status, VERDICT_LEARNED);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), 5);
}

static void fail_to_learn(struct bench *bench, const char *id)
{
    float samples[VALUES];

    database_run(bench->path, forbid_knowledge);
    fill(&bench->seed, samples, 1, 1);
    assert_int_equal(
        refused(bench, &(struct shot){ .id = id, .intent = INTENT_LEARN, .samples = samples, .buffers = 1 }),
        REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid");
}

/* That a machine was heard, ran and was judged is no matter of a commit that failed: hours are not counted anew. */
static void test_what_happened_since_the_last_flush_is_counted_once(void **state)
{
    enum { BUFFERS = 200 };
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"window\":1,\"false_alarms\":\"off\"}");
    learn(bench, "fan", 60);
    one(bench, "fan", INTENT_DETECT, 60, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    for (int i = 0; i < BUFFERS; i++)
        one(bench, "fan", INTENT_DETECT, 60, NULL);
    fail_to_learn(bench, "fan");
    assert_true(view(bench, "fan").state.last_seen >= bench->now.wall - 1000);
    one(bench, "fan", INTENT_DETECT, 60, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(running_ms) FROM hour"),
                     1000 * (60 + BUFFERS + 2)); /* also of the refused one: it was there */
    assert_int_equal(database_number(bench->path, "SELECT sum(anomaly_ms) FROM hour"), 1000 * (BUFFERS + 2));
    assert_int_equal(database_number(bench->path, "SELECT sum(silent_ms) FROM hour"), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(starts) FROM hour"), 1);
}

/* The store has times of a clock that is not any more; memory goes on from here. */
static void test_a_failed_commit_after_another_clock(void **state)
{
    const int64_t day_ms = 86400000;
    struct bench *bench = *state;
    const int64_t good = bench->now.wall;

    bench->now.wall = 1000000;
    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"learn\":\"24h\"}");
    learn(bench, "fan", 40);
    restart(bench);
    bench->now.wall = good;
    fail_to_learn(bench, "fan");
    learn(bench, "fan", 2);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_LEARNING);
    bench->now.wall += day_ms;
    bench->now.mono += day_ms;
    learn(bench, "fan", 1);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_WATCHING);
}

/* What was judged stays, though something that would have emptied the window was refused. */
static void test_a_window_that_was_not_emptied(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 60);
    for (int i = 0; i < K; i++)
        one(bench, "fan", INTENT_DETECT, 1, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_true(trial(bench, "fan").average.known);
    database_run(bench->path, forbid_knowledge);
    assert_int_equal(registry_initialize(bench->registry, "fan", bench->now, &bench->refusal), REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_true(trial(bench, "fan").average.known);
}

/* The snapshot of before was in the commit that failed: the next learn needs one as well. */
static void test_the_snapshot_of_before_is_taken_again(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"learn\":30}");
    learn(bench, "fan", 30);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_WATCHING);
    restart(bench);
    fail_to_learn(bench, "fan");
    learn(bench, "fan", 1);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot WHERE reason = '" SNAPSHOT_ENRICH "'"),
                     1);
}

/* Another connection holds the store while a thread submits a buffer. */
struct holding {
    struct bench *bench;
    enum intent intent;
    float strange;
    pthread_t thread;
    int64_t anomaly; /* that the thread was told; -1 = it waits yet */
};

static void *submit_held(void *user)
{
    struct holding *holding = user;
    struct verdict verdicts[BATCH];
    float samples[VALUES];
    size_t count;
    uint64_t seed = 77;
    struct arrival arrival = { .id = "fan",
                               .intent = holding->intent,
                               .encoding = ENCODING_RAW,
                               .bytes = samples,
                               .size = sizeof(samples),
                               .format = -1,
                               .now = holding->bench->now };

    fill(&seed, samples, 1, holding->strange);
    if (registry_submit(holding->bench->registry, &arrival, verdicts, BATCH, &count, NULL, NULL) == 0)
        holding->anomaly = verdicts[0].anomaly;
    return NULL;
}

static void hold_store(struct holding *holding)
{
    hold_commits();
    assert_int_equal(pthread_create(&holding->thread, NULL, submit_held, holding), 0);
    await_held_commit();
}

static void release_store(struct holding *holding)
{
    assert_int_equal(holding->anomaly, -1);
    let_commits_go();
    pthread_join(holding->thread, NULL);
}

/* It is on its way, and nobody is told of it. */
static void test_an_anomaly_is_told_when_it_is_stored(void **state)
{
    struct bench *bench = *state;
    struct holding first = { .bench = bench, .intent = INTENT_DETECT, .strange = 60, .anomaly = -1 }, second = first;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"window\":1,\"false_alarms\":\"off\"}");
    learn(bench, "fan", 60);
    assert_int_equal(one(bench, "fan", INTENT_DETECT, 1, NULL).anomaly, 0);
    hold_store(&first);
    submit_held(&second);
    assert_int_equal(view(bench, "fan").state.anomaly, 0);
    assert_int_equal(second.anomaly, 0); /* goes on */
    release_store(&first);
    assert_true(first.anomaly > 0);
    assert_int_equal(view(bench, "fan").state.anomaly, first.anomaly);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM anomaly"), 1);
}

/* What was open before a restart is, also while the first change after it is on its way. */
static void test_an_anomaly_is_told_after_a_restart(void **state)
{
    struct bench *bench = *state;
    struct holding change = { .bench = bench, .intent = INTENT_LEARN, .strange = 1, .anomaly = -1 };
    struct holding behind = { .bench = bench, .intent = INTENT_DETECT, .strange = 60, .anomaly = -1 };
    int64_t anomaly;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"window\":1,\"false_alarms\":\"off\"}");
    learn(bench, "fan", 60);
    anomaly = one(bench, "fan", INTENT_DETECT, 60, NULL).anomaly;
    assert_true(anomaly > 0);
    restart(bench);
    hold_store(&change);
    assert_int_equal(view(bench, "fan").state.anomaly, anomaly);
    assert_int_equal(pthread_create(&behind.thread, NULL, submit_held, &behind), 0);
    release_store(&change);
    pthread_join(behind.thread, NULL);
    assert_int_equal(behind.anomaly, anomaly);
    assert_int_equal(view(bench, "fan").state.anomaly, anomaly);
}

/* With a receipt as without: what was not stored is not told. */
static void test_an_anomaly_that_is_not_stored_is_not_told(void **state)
{
    struct bench *bench = *state;
    struct verdict verdicts[BATCH];
    struct receipt receipt;
    float samples[VALUES];
    size_t count;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"window\":1,\"false_alarms\":\"off\"}");
    learn(bench, "fan", 60);
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON anomaly BEGIN SELECT RAISE(ABORT, 'not now'); END");
    for (int with = 0; with <= 1; with++) {
        fill(&bench->seed, samples, 1, 60);
        assert_int_equal(shoot(bench,
                               &(struct shot){ .id = "fan",
                                               .intent = INTENT_DETECT,
                                               .samples = samples,
                                               .buffers = 1,
                                               .receipt = with ? &receipt : NULL },
                               verdicts, &count),
                         0);
        assert_true(verdicts[0].detection.similarity < 50);
        assert_int_equal(verdicts[0].anomaly, 0);
        if (with)
            assert_int_equal(registry_settle(bench->registry, &receipt, &bench->refusal), 0);
    }
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_true(one(bench, "fan", INTENT_DETECT, 60, NULL).anomaly > 0);
}

/* A message of a stream that broke on our side comes again: it was not applied. */
static void test_a_broken_message_of_a_stream_comes_again(void **state)
{
    struct bench *bench = *state;
    const struct config_input input = { .stream = true, .format = FORMAT_F32, .scale = 1 };
    struct wire_meta meta = numbered(1);
    float samples[2 * VALUES];
    struct verdict verdicts[BATCH];
    struct arrival arrival = { .id = "fan",
                               .encoding = ENCODING_RAW,
                               .bytes = samples,
                               .size = sizeof(samples),
                               .format = -1,
                               .input = &input,
                               .meta = &meta,
                               .topic = "fan" };
    size_t count = 4711;

    put(bench, "fan", "{\"buffer_size\":32,\"axes\":2,\"window\":1,\"false_alarms\":\"off\"}");
    learn(bench, "fan", 60);
    assert_true(one(bench, "fan", INTENT_DETECT, 60, NULL).anomaly > 0);
    restart(bench);
    database_run(bench->path, "ALTER TABLE anomaly RENAME TO away"); /* what is open cannot be read, to be cleared */
    fill(&bench->seed, samples, 2, 1);
    arrival.now = bench->now;
    assert_int_not_equal(registry_submit(bench->registry, &arrival, verdicts, BATCH, &count, NULL, &bench->refusal), 0);
    database_run(bench->path, "ALTER TABLE away RENAME TO anomaly");
    assert_int_equal(registry_submit(bench->registry, &arrival, verdicts, BATCH, &count, NULL, &bench->refusal), 0);
    assert_int_equal(count, 2);
    assert_int_equal(verdicts[1].status, VERDICT_OK);
    assert_int_equal(database_number(bench->path, "SELECT event FROM anomaly WHERE id = 1"), ANOMALY_CLEARED);
}

/* Many learned before any is settled, and the commit fails: all are refused, nothing of any stays. */
static void test_receipts_of_a_failed_commit(void **state)
{
    struct bench *bench = *state;
    struct receipt receipts[5];
    float samples[VALUES];
    struct block before;
    unsigned int failed = 0;

    put(bench, "fan", geometry);
    learn(bench, "fan", 10);
    before = knowledge(bench, "fan");
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    for (size_t i = 0; i < COUNT(receipts); i++) {
        struct verdict verdicts[BATCH];
        size_t count;
        int r;

        fill(&bench->seed, samples, 1, 1);
        receipts[i].op = NULL;
        r = shoot(bench,
                  &(struct shot){
                      .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .receipt = &receipts[i] },
                  verdicts, &count);
        assert_true(r == 0 || r == REFUSAL_STORE);
        if (r == 0)
            failed += registry_settle(bench->registry, &receipts[i], &bench->refusal) == REFUSAL_STORE;
        else
            failed++;
    }
    assert_int_equal(failed, COUNT(receipts));
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_int_equal(view(bench, "fan").learning.learned, 10);
    check_same_blocks(before, knowledge(bench, "fan"));
}

static void test_receipts_settle(void **state)
{
    struct bench *bench = *state;
    struct receipt receipts[20];
    struct verdict verdicts[BATCH];
    float samples[VALUES];
    size_t count;

    put(bench, "fan", geometry);
    for (size_t i = 0; i < COUNT(receipts); i++) {
        fill(&bench->seed, samples, 1, 1);
        assert_int_equal(
            shoot(bench,
                  &(struct shot){
                      .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .receipt = &receipts[i] },
                  verdicts, &count),
            0);
    }
    for (size_t i = 0; i < COUNT(receipts); i++)
        assert_int_equal(registry_settle(bench->registry, &receipts[i], &bench->refusal), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM commissioning"), COUNT(receipts));
}

/* What was refused for the store was not learned: not in the report, and not in the metrics. */
static void test_refused_learns_do_not_count(void **state)
{
    struct bench *bench = *state;
    float samples[VALUES];
    struct registry_figures figures;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    fill(&bench->seed, samples, 1, 1);
    for (int i = 0; i < 3; i++)
        assert_int_equal(
            refused(bench, &(struct shot){ .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1 }),
            REFUSAL_STORE);
    database_run(bench->path, "DROP TRIGGER forbid");
    learn(bench, "fan", 1);
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.learned, 31);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), 31);
}

static void detect(struct bench *bench, const char *id, unsigned int count)
{
    while (count-- > 0)
        assert_int_equal(one(bench, id, INTENT_DETECT, 1, NULL).status, VERDICT_OK);
}

/* The machine is silent after the last failure: its counters do not wait for a buffer. */
static void test_counters_wait_for_the_next_flush(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", geometry);
    learn(bench, "fan", 30);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    database_run(bench->path, "CREATE TRIGGER forbid BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'not now'); END");
    detect(bench, "fan", 5);
    assert_true(registry_flush(bench->registry, bench->now) < 0);
    detect(bench, "fan", 3);
    assert_true(registry_flush(bench->registry, bench->now) < 0);
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), 8);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT sum(detected) FROM hour"), 8); /* not twice */
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), 30);
}

/* ------------------------------------------------------------------------------------------------------------ restart */

/* The same life twice, once with a restart after every step: every answer is the same. */
static void test_restarts_change_nothing(void **state)
{
    struct bench *bench = *state, *other = bench_new();
    struct block a, b;
    int64_t raised = 0;

    add_pattern(other, "auto-*", true, "buffer_size=32 axes=2 start=auto");
    start(other);
    for (int i = 0; i < 200; i++) { /* false_alarms: some windows in a row, which are counted across restarts */
        float strange = i < 100 ? 1 : i < 185 ? 20 : 1;
        struct verdict straight = one(bench, "auto-1", INTENT_BUFFER, strange, NULL);
        struct verdict restarted = one(other, "auto-1", INTENT_BUFFER, strange, NULL);

        assert_int_equal(restarted.status, straight.status);
        assert_int_equal(restarted.phase, straight.phase);
        assert_int_equal(restarted.detection.similarity, straight.detection.similarity);
        assert_true(restarted.detection.distance == straight.detection.distance);
        assert_int_equal(restarted.average.known, straight.average.known);
        assert_int_equal(restarted.average.similarity, straight.average.similarity);
        assert_true(restarted.average.distance == straight.average.distance);
        assert_int_equal(restarted.learning.learned, straight.learning.learned);
        assert_int_equal(restarted.anomaly, straight.anomaly);
        raised = straight.anomaly ? straight.anomaly : raised;
        restart(other);
    }
    assert_int_equal(view(bench, "auto-1").state.phase, PHASE_WATCHING);
    assert_true(raised > 0);
    a = knowledge(bench, "auto-1");
    b = knowledge(other, "auto-1");
    check_same_blocks(a, b);
    assert_int_equal(database_number(other->path, "SELECT count(*) FROM anomaly"),
                     database_number(bench->path, "SELECT count(*) FROM anomaly"));
    assert_int_equal(database_number(other->path, "SELECT count(*) FROM outbox"),
                     database_number(bench->path, "SELECT count(*) FROM outbox"));
    bench_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_batch_is_all_or_nothing),
        TEST(test_refused_batches_keep_no_buffers),
        TEST(test_numbers_of_a_refused_batch_are_free),
        TEST(test_a_batch_larger_than_its_answers),
        TEST(test_dry_run_touches_nothing),
        TEST(test_memory_is_never_ahead_of_the_store),
        TEST(test_numbers_that_were_judged_stay),
        TEST(test_what_happened_since_the_last_flush_is_counted_once),
        TEST(test_a_failed_commit_after_another_clock),
        TEST(test_a_window_that_was_not_emptied),
        TEST(test_the_snapshot_of_before_is_taken_again),
        TEST(test_an_anomaly_is_told_when_it_is_stored),
        TEST(test_an_anomaly_is_told_after_a_restart),
        TEST(test_an_anomaly_that_is_not_stored_is_not_told),
        TEST(test_a_broken_message_of_a_stream_comes_again),
        TEST(test_receipts_of_a_failed_commit),
        TEST(test_receipts_settle),
        TEST(test_refused_learns_do_not_count),
        TEST(test_counters_wait_for_the_next_flush),
        TEST(test_restarts_change_nothing),
    };

    return cmocka_run_group_tests_name("registry_commits", tests, NULL, NULL);
}
