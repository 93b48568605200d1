/* What people do about anomalies, with a real store below: what belongs together, what a failed commit leaves, and clocks. */
#include "bench.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "report/episodes.h"
#include "slow_disk.h"

enum { SAMPLES = 32, AXES = 2, VALUES = SAMPLES * AXES, LEARNED = 60, MINUTE = 60000 };

static const char settings[] = "{\"buffer_size\":32,\"axes\":2,\"learn\":60,\"window\":5,\"false_alarms\":\"off\"}";

/* -------------------------------------------------------------------------------------------------- what is one episode */

static struct anomaly anomaly(int64_t id, const char *machine, const char *asset, int64_t raised, int64_t cleared)
{
    struct anomaly made = { .id = id, .raised = raised, .cleared = cleared };

    snprintf(made.machine, sizeof(made.machine), "%s", machine);
    snprintf(made.asset, sizeof(made.asset), "%s", asset);
    return made;
}

static void test_grouping(void **state)
{
    const int64_t gap = EPISODE_GAP_MS;
    struct anomaly list[] = {
        anomaly(9, "c", "pump", 90 * MINUTE, 0),                 /* episode 3: open, after the gap */
        anomaly(1, "a", "pump", MINUTE, 50 * MINUTE),            /* 0: lasts longest */
        anomaly(2, "b", "pump", 2 * MINUTE, 3 * MINUTE),         /* 0 */
        anomaly(3, "x", "", 2 * MINUTE, 4 * MINUTE),             /* 1 */
        anomaly(4, "y", "", 3 * MINUTE, 4 * MINUTE),             /* 2: another machine without an asset */
        anomaly(5, "b", "pump", 50 * MINUTE + gap, 61 * MINUTE), /* 0: just within the gap after a, not after b */
        anomaly(6, "x", "", 4 * MINUTE + gap + 1, 20 * MINUTE),  /* 3: after the gap */
        anomaly(10, "a", "pump", 500 * MINUTE, 510 * MINUTE),    /* with 9, which is open */
    };
    const size_t expected[] = { 0, 0, 1, 2, 3, 0, 4, 4 };
    size_t episode[COUNT(list)];

    (void)state;
    assert_int_equal(episodes_group(list, COUNT(list), episode), 5);
    for (size_t i = 0; i < COUNT(list); i++)
        if (episode[i] != expected[i])
            fail_msg("anomaly %d is in episode %zu", (int)list[i].id, episode[i]);
    assert_int_equal(episodes_group(list, 0, episode), 0);
}

/* ------------------------------------------------------------------------------------------------------------- bench */

static int set_up(void **state)
{
    struct bench *bench = bench_new();

    start(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    bench_free(*state);
    return 0;
}

static void pass(struct bench *bench, int64_t milliseconds)
{
    bench->now.wall += milliseconds;
    bench->now.mono += milliseconds;
}

/* A tone and some noise; another tone where it is strange. */
static struct verdict shoot(struct bench *bench, enum intent intent, bool strange, const struct wire_meta *meta)
{
    float samples[VALUES];
    struct verdict verdict;
    struct arrival arrival = { .id = "fan",
                               .intent = intent,
                               .encoding = ENCODING_RAW,
                               .bytes = samples,
                               .size = sizeof(samples),
                               .format = -1,
                               .meta = meta,
                               .now = bench->now };
    size_t count = 0;

    for (size_t i = 0; i < VALUES; i++) {
        float noise = 0;

        for (int j = 0; j < 4; j++)
            noise += (float)chance_below(&bench->seed, 2000) / 1000.0f - 1.0f;
        samples[i] = sinf((float)(i / AXES) * (strange ? 1.9f : 0.7f)) + 0.1f * noise;
    }
    pass(bench, 1000);
    if (registry_submit(bench->registry, &arrival, &verdict, 1, &count, NULL, &bench->refusal) != 0)
        fail_msg("%s", bench->refusal.detail);
    return verdict;
}

static void watch(struct bench *bench)
{
    bool created;

    assert_int_equal(registry_put(bench->registry, "fan", settings, strlen(settings), "", &created, &bench->refusal),
                     0);
    for (int i = 0; i < LEARNED; i++)
        assert_int_equal(shoot(bench, INTENT_LEARN, false, NULL).status, VERDICT_LEARNED);
    for (int i = 0; i < 10; i++)
        assert_int_equal(shoot(bench, INTENT_BUFFER, false, NULL).anomaly, 0);
}

static int64_t raise(struct bench *bench)
{
    for (int i = 0; i < 20; i++) {
        struct verdict verdict = shoot(bench, INTENT_BUFFER, true, NULL);

        if (verdict.anomaly != 0)
            return verdict.anomaly;
    }
    fail_msg("nothing was raised");
    return 0;
}

static struct machine_view view(struct bench *bench)
{
    struct machine_view found;
    char etag[ETAG_SIZE];

    assert_int_equal(registry_show(bench->registry, "fan", &found, etag, bench->now, &bench->refusal), 0);
    return found;
}

/* ------------------------------------------------------------------------------------------------ when a commit fails */

/* What forbids the commit, and what then must be as it was. */
static void refused_by_store(struct bench *bench, const char *table, int64_t id, int (*act)(struct bench *, int64_t))
{
    struct machine_view before = view(bench);
    char text[160];

    snprintf(text, sizeof(text), "CREATE TRIGGER forbid BEFORE INSERT ON %s BEGIN SELECT RAISE(ABORT, 'not now'); END",
             table);
    database_run(bench->path, text);
    assert_int_equal(act(bench, id), REFUSAL_STORE);
    assert_int_equal(view(bench).knowledge_crc, before.knowledge_crc);
    assert_int_equal(view(bench).state.anomaly, before.state.anomaly);
    assert_int_equal(view(bench).state.phase, before.state.phase);
    assert_int_equal(view(bench).mute.until, before.mute.until);
    assert_int_equal(view(bench).relearned, before.relearned);
    database_run(bench->path, "DROP TRIGGER forbid");
}

static int accept_it(struct bench *bench, int64_t id)
{
    struct accepted accepted;

    return registry_accept(bench->registry, id, bench->now, &accepted, &bench->refusal);
}

static int restore_it(struct bench *bench, int64_t id)
{
    return registry_restore(bench->registry, "fan", id, bench->now, &bench->refusal);
}

static int mute_it(struct bench *bench, int64_t id)
{
    struct mute mute = { .until = bench->now.wall + 10 * MINUTE, .who = "Ana", .why = "belt", .then = MUTE_RELEARN };

    (void)id;
    return registry_mute(bench->registry, "fan", &mute, bench->now, &bench->refusal);
}

static int unmute_it(struct bench *bench, int64_t id)
{
    (void)id;
    return registry_unmute(bench->registry, "fan", bench->now, &bench->refusal);
}

static int relearn_it(struct bench *bench, int64_t id)
{
    (void)id;
    return registry_relearn(bench->registry, "fan", bench->now, &bench->refusal);
}

static int switch_it(struct bench *bench, int64_t id)
{
    (void)id;
    return registry_switch(bench->registry, "fan", bench->now, &bench->refusal);
}

static void test_nothing_stays_of_what_the_store_refuses(void **state)
{
    struct bench *bench = *state;
    int64_t id, ready;

    watch(bench);
    id = raise(bench);
    ready = database_number(bench->path, "SELECT id FROM snapshot WHERE reason = 'first readiness'");
    refused_by_store(bench, "snapshot", id, accept_it);
    refused_by_store(bench, "event", id, accept_it);
    assert_int_equal(database_number(bench->path, "SELECT event FROM anomaly"), ANOMALY_RAISED);
    assert_int_equal(accept_it(bench, id), 0);
    refused_by_store(bench, "snapshot", ready, restore_it);
    assert_int_equal(restore_it(bench, ready), 0);
    refused_by_store(bench, "candidate", 0, relearn_it);
    assert_int_equal(relearn_it(bench, 0), 0);
    refused_by_store(bench, "knowledge", 0, switch_it);
    assert_int_equal(switch_it(bench, 0), 0);
    refused_by_store(bench, "mute", 0, mute_it);
    assert_int_equal(mute_it(bench, 0), 0);
    refused_by_store(bench, "knowledge", 0, unmute_it);
    assert_int_equal(view(bench).mute.then, MUTE_RELEARN);
    assert_int_equal(unmute_it(bench, 0), 0);
    assert_int_equal(view(bench).learning.learned, 0);
}

/* Two say at once that one anomaly was normal, while the store is slow. */
struct accepting {
    struct bench *bench;
    int64_t id;
    pthread_t thread;
    int result;
};

static void *accept_held(void *user)
{
    struct accepting *accepting = user;
    struct accepted accepted;

    accepting->result =
        registry_accept(accepting->bench->registry, accepting->id, accepting->bench->now, &accepted, NULL);
    return NULL;
}

static void test_an_anomaly_is_accepted_once(void **state)
{
    struct bench *bench = *state;
    struct accepting both[2];

    watch(bench);
    for (size_t i = 0; i < COUNT(both); i++)
        both[i] = (struct accepting){ .bench = bench, .id = i == 0 ? raise(bench) : both[0].id };
    hold_commits();
    assert_int_equal(pthread_create(&both[0].thread, NULL, accept_held, &both[0]), 0);
    await_held_commit();
    assert_int_equal(pthread_create(&both[1].thread, NULL, accept_held, &both[1]), 0);
    usleep(150000);
    let_commits_go();
    for (size_t i = 0; i < COUNT(both); i++)
        pthread_join(both[i].thread, NULL);
    assert_int_equal(both[0].result, 0);
    assert_int_equal(both[1].result, REFUSAL_STATE);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot WHERE reason = '" SNAPSHOT_ACCEPT "'"),
                     1);
}

static int64_t newest_snapshot(struct bench *bench)
{
    return database_number(bench->path, "SELECT max(id) FROM snapshot");
}

/* What a snapshot knows as accepted is accepted while it is in force, forth and back. */
static void test_acceptance_goes_with_the_snapshot(void **state)
{
    static const char event[] = "SELECT event FROM anomaly";
    struct bench *bench = *state;
    int64_t id, without, with, without_again, asked;

    watch(bench);
    id = raise(bench);
    assert_int_equal(accept_it(bench, id), 0);
    without = newest_snapshot(bench);
    assert_int_equal(registry_take_snapshot(bench->registry, "fan", "", bench->now, &bench->refusal), 0);
    asked = newest_snapshot(bench);
    assert_int_equal(restore_it(bench, without), 0);
    with = newest_snapshot(bench);
    assert_int_equal(database_number(bench->path, event), ANOMALY_CLEARED);
    assert_int_equal(restore_it(bench, with), 0);
    without_again = newest_snapshot(bench);
    assert_int_equal(database_number(bench->path, event), ANOMALY_ACCEPTED);
    assert_int_equal(database_number(bench->path, "SELECT undo FROM anomaly"), without_again);
    assert_int_equal(accept_it(bench, id), REFUSAL_STATE); /* its state would count twice */
    restart(bench);
    assert_int_equal(restore_it(bench, without_again), 0);
    assert_int_equal(database_number(bench->path, event), ANOMALY_CLEARED);
    assert_int_equal(restore_it(bench, asked), 0); /* by hand, and every day */
    assert_int_equal(database_number(bench->path, event), ANOMALY_ACCEPTED);
    assert_int_equal(restore_it(bench, without), 0);
    assert_int_equal(database_number(bench->path, event), ANOMALY_CLEARED);
    assert_int_equal(accept_it(bench, id), 0);
}

/* ------------------------------------------------------------------------------------------------------------- clocks */

static void test_maintenance_ends_by_itself(void **state)
{
    struct bench *bench = *state;

    watch(bench);
    assert_int_equal(mute_it(bench, 0), 0);
    pass(bench, 10 * MINUTE - 1);
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_true(view(bench).mute.until != 0 && view(bench).learning.learned == LEARNED);
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    pass(bench, 1);
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_true(view(bench).mute.until != 0); /* the store would not have it */
    assert_int_equal(shoot(bench, INTENT_BUFFER, true, NULL).status, VERDICT_IDLE);
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(view(bench).mute.until, 0);
    assert_int_equal(view(bench).learning.learned, 0);
    assert_int_equal(view(bench).state.phase, PHASE_LEARNING);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM mute"), 0);
}

/* Nobody looks at the machine meanwhile, and it sends nothing. */
static void test_an_end_that_was_refused_is_tried_again(void **state)
{
    struct bench *bench = *state;

    watch(bench);
    assert_int_equal(mute_it(bench, 0), 0);
    pass(bench, 10 * MINUTE);
    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
    for (int i = 0; i < 3; i++)
        assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    database_run(bench->path, "DROP TRIGGER forbid");
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM mute"), 0);
    assert_int_equal(database_number(bench->path, "SELECT phase FROM state"), PHASE_LEARNING);
}

/* A clock that is set while somebody works neither ends nor prolongs it. */
static void test_maintenance_and_a_clock_that_is_set(void **state)
{
    struct bench *bench = *state;

    watch(bench);
    assert_int_equal(mute_it(bench, 0), 0);
    bench->now.wall += INT64_C(400) * 86400000;
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(view(bench).mute.until, bench->now.wall + 10 * MINUTE); /* as the clock is now */
    bench->now.wall -= INT64_C(800) * 86400000;
    pass(bench, 10 * MINUTE - 1);
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_true(view(bench).mute.until != 0);
    pass(bench, 1);
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(view(bench).mute.until, 0);
}

/* Buffers that were measured before somebody began to work are judged, whenever they arrive. */
static void test_a_backlog_from_before_maintenance(void **state)
{
    struct bench *bench = *state;
    struct wire_meta old = { .has_age = true, .age_ms = 5 * MINUTE }, fresh = { .has_age = true, .age_ms = 1 };

    watch(bench);
    assert_int_equal(mute_it(bench, 0), 0);
    pass(bench, 2 * MINUTE);
    assert_int_equal(shoot(bench, INTENT_BUFFER, false, &old).status, VERDICT_OK);
    assert_int_equal(shoot(bench, INTENT_BUFFER, false, &fresh).status, VERDICT_IDLE);
}

/* A backlog of before ends an anomaly, or the clock was set back meanwhile: it has not ended before it began. */
static void test_an_end_is_not_before_the_beginning(void **state)
{
    struct bench *bench = *state;
    struct wire_meta old = { .has_age = true, .age_ms = 60 * MINUTE };
    int64_t id;

    watch(bench);
    raise(bench);
    for (int i = 0; i < 10; i++)
        shoot(bench, INTENT_BUFFER, false, &old);
    assert_int_equal(view(bench).state.anomaly, 0);
    id = raise(bench);
    bench->now.wall -= 60 * MINUTE;
    assert_int_equal(accept_it(bench, id), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM anomaly WHERE cleared >= raised"), 2);
}

/* Measured while somebody worked on it, and sent when he was done. */
static void test_a_backlog_of_maintenance(void **state)
{
    struct bench *bench = *state;
    struct wire_meta during = { .has_age = true, .age_ms = 5 * MINUTE }, before = { .has_age = true };

    watch(bench);
    assert_int_equal(mute_it(bench, 0), 0);
    pass(bench, 10 * MINUTE);
    assert_int_equal(registry_end_mutes(bench->registry, bench->now), 0);
    assert_int_equal(view(bench).state.phase, PHASE_LEARNING);
    assert_int_equal(shoot(bench, INTENT_BUFFER, true, &during).status, VERDICT_IDLE);
    assert_int_equal(shoot(bench, INTENT_BUFFER, false, NULL).status, VERDICT_LEARNED);
    assert_int_equal(shoot(bench, INTENT_LEARN, false, &during).status, VERDICT_LEARNED); /* by hand it learns */
    before.age_ms = 12 * MINUTE;
    assert_int_equal(shoot(bench, INTENT_BUFFER, false, &before).status, VERDICT_LEARNED);
    assert_int_equal(mute_it(bench, 0), 0);
    pass(bench, 10 * MINUTE);
    assert_int_equal(unmute_it(bench, 0), 0); /* a little later than it was to end */
    assert_int_equal(shoot(bench, INTENT_BUFFER, true, &during).status, VERDICT_IDLE);
}

static void test_daily_snapshots_wait_for_a_clock(void **state)
{
    static const char count[] = "SELECT count(*) FROM snapshot WHERE reason = 'daily'";
    struct bench *bench = *state;

    watch(bench);
    database_run(bench->path, "UPDATE snapshot SET bytes = x'00'"); /* as if something was learned since */
    bench->now.doubtful = true;
    assert_int_equal(registry_daily_snapshots(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, count), 0);
    bench->now.doubtful = false;
    for (int day = 1; day <= LIMIT_SNAPSHOTS_DAILY + 3; day++) {
        for (int i = 0; i < 3; i++)
            assert_int_equal(registry_daily_snapshots(bench->registry, bench->now), 0);
        assert_int_equal(database_number(bench->path, count),
                         day < LIMIT_SNAPSHOTS_DAILY ? day : LIMIT_SNAPSHOTS_DAILY);
        pass(bench, INT64_C(86400000));
        shoot(bench, INTENT_LEARN, false, NULL);
    }
    pass(bench, LIMIT_SNAPSHOT_DAYS * INT64_C(86400000));
    assert_int_equal(registry_daily_snapshots(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot"), 1); /* the newest, of today */
}

/* ----------------------------------------------------------------------------------------------------------- evidence */

static void test_evidence_grows_while_it_lasts(void **state)
{
    static const char count[] = "SELECT count(*) FROM evidence";
    struct bench *bench = *state;
    int64_t at_first;

    watch(bench);
    raise(bench);
    at_first = database_number(bench->path, count);
    assert_in_range(at_first, 1, 5);
    for (int i = 0; i < 3; i++)
        shoot(bench, INTENT_BUFFER, true, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_in_range(database_number(bench->path, count), at_first + 1, at_first + 3);
    for (int i = 0; i < 40; i++) {
        shoot(bench, INTENT_BUFFER, true, NULL);
        assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    }
    assert_int_equal(database_number(bench->path, count), LIMIT_EVIDENCE);
    for (int i = 0; i < 10; i++)
        shoot(bench, INTENT_BUFFER, false, NULL);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    assert_int_equal(database_number(bench->path, "SELECT event FROM anomaly"), ANOMALY_CLEARED);
    assert_int_equal(database_number(bench->path, count), LIMIT_EVIDENCE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grouping),
        TEST(test_nothing_stays_of_what_the_store_refuses),
        TEST(test_an_anomaly_is_accepted_once),
        TEST(test_acceptance_goes_with_the_snapshot),
        TEST(test_maintenance_ends_by_itself),
        TEST(test_an_end_that_was_refused_is_tried_again),
        TEST(test_maintenance_and_a_clock_that_is_set),
        TEST(test_a_backlog_from_before_maintenance),
        TEST(test_an_end_is_not_before_the_beginning),
        TEST(test_a_backlog_of_maintenance),
        TEST(test_daily_snapshots_wait_for_a_clock),
        TEST(test_evidence_grows_while_it_lasts),
    };

    return cmocka_run_group_tests_name("episodes", tests, NULL, NULL);
}
