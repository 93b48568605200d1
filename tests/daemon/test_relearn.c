/* Knowledge relearned beside the one in force: both judge, one raises; what is kept of it, and what takes it in force. */
#include "registry_bench.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char settings[] = "{\"buffer_size\":32,\"axes\":2,\"learn\":40,\"window\":5,\"false_alarms\":\"off\"}";

/* A machine that has learned 40 buffers and watches. */
static struct bench *watching(void **state)
{
    struct bench *bench = *state;

    put(bench, "fan", settings);
    assert_int_equal(registry_commission(bench->registry, "fan", bench->now, &bench->refusal), 0);
    for (int i = 0; i < 40; i++)
        assert_int_equal(one(bench, "fan", INTENT_BUFFER, 1, NULL).status, VERDICT_LEARNED);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_WATCHING);
    return bench;
}

static struct relearned compared(struct bench *bench)
{
    struct relearned relearned;

    if (registry_relearned(bench->registry, "fan", bench->now, &relearned, &bench->refusal) != 0)
        fail_msg("%s", bench->refusal.detail);
    return relearned;
}

static int relearn(struct bench *bench, const char *id)
{
    return registry_relearn(bench->registry, id, bench->now, &bench->refusal);
}

static void judge(struct bench *bench, unsigned int buffers, float strange)
{
    while (buffers-- > 0)
        assert_int_equal(one(bench, "fan", INTENT_DETECT, strange, NULL).status, VERDICT_OK);
}

static void test_the_same_buffers_give_the_same(void **state)
{
    struct bench *bench = watching(state);
    struct block before = knowledge(bench, "fan");
    struct relearned relearned;

    assert_int_equal(relearn(bench, "fan"), 0);
    relearned = compared(bench);
    assert_int_equal(relearned.buffers, 40);
    assert_int_equal(relearned.accepted, 0);
    assert_int_equal(relearned.made, bench->now.wall);
    assert_int_equal(relearned.side[0].crc, before.crc);
    assert_int_equal(relearned.side[1].learned, relearned.side[0].learned);
    assert_int_equal(relearned.judged, 0);
    assert_true(isnan(relearned.side[0].log_distance) && isnan(relearned.side[1].log_distance));
    assert_true(view(bench, "fan").relearned);
    check_same_blocks(before, knowledge(bench, "fan")); /* beside, not in force */
}

static void test_both_judge_and_one_raises(void **state)
{
    struct bench *bench = watching(state);
    struct relearned relearned;

    assert_int_equal(relearn(bench, "fan"), 0);
    judge(bench, 12, 1);
    relearned = compared(bench);
    assert_int_equal(relearned.judged, 12);
    assert_in_range(relearned.windows, 1, 12);
    assert_true(relearned.since != 0 && relearned.since <= bench->now.wall);
    judge(bench, 8, 12);
    relearned = compared(bench);
    assert_int_equal(relearned.judged, 20);
    for (int i = 0; i < 2; i++) {
        assert_true(relearned.side[i].strange >= 8);
        assert_true(relearned.side[i].below > 0);
    }
    assert_true(relearned.both >= 8);
    assert_true(fabs(relearned.side[0].log_distance - relearned.side[1].log_distance) < 0.5);
    assert_true(relearned.anomaly_buffers > 0); /* of the one that was raised */
    assert_int_equal(relearned.side[0].found, relearned.anomaly_buffers);
    assert_int_equal(relearned.side[1].found, relearned.anomaly_buffers);
    assert_true(view(bench, "fan").state.anomaly != 0);
}

/* A changed sensitivity or window is of both. */
static void test_settings_are_of_both(void **state)
{
    struct bench *bench = watching(state);
    struct relearned before, after;

    assert_int_equal(relearn(bench, "fan"), 0);
    judge(bench, 10, 1);
    before = compared(bench);
    assert_int_equal(registry_set_sensitivity(bench->registry, "fan", 20, "", &bench->refusal), 0);
    assert_int_equal(registry_patch(bench->registry, "fan", "{\"window\":2}", 12, "", &bench->refusal), 0);
    judge(bench, 10, 1);
    after = compared(bench);
    for (int i = 0; i < 2; i++)
        assert_true(after.side[i].strange >= before.side[i].strange + 9);
}

static void test_switch_and_the_way_back(void **state)
{
    struct bench *bench = watching(state);
    struct snapshot snapshots[SNAPSHOTS_MOST];
    struct block before = knowledge(bench, "fan"), switched;
    struct relearned relearned;
    int count;

    learn(bench, "fan", 5); /* beyond what commissioning was */
    free(before.bytes);
    before = knowledge(bench, "fan");
    assert_int_equal(relearn(bench, "fan"), 0);
    judge(bench, 8, 12);
    relearned = compared(bench);
    assert_int_equal(registry_switch(bench->registry, "fan", bench->now, &bench->refusal), 0);
    switched = knowledge(bench, "fan");
    assert_int_equal(switched.crc, relearned.side[1].crc);
    assert_false(view(bench, "fan").relearned);
    assert_int_equal(view(bench, "fan").state.phase, PHASE_WATCHING);
    assert_int_equal(view(bench, "fan").state.anomaly, 0); /* it was of the other knowledge */
    count = registry_snapshots(bench->registry, "fan", snapshots, &bench->refusal);
    assert_true(count >= 1);
    assert_string_equal(snapshots[0].reason, SNAPSHOT_RELEARN);
    restart(bench);
    check_same_blocks(switched, knowledge(bench, "fan"));
    assert_int_equal(registry_restore(bench->registry, "fan", snapshots[0].id, bench->now, &bench->refusal), 0);
    check_same_blocks(before, knowledge(bench, "fan"));
}

static void test_it_survives_a_restart(void **state)
{
    struct bench *bench = watching(state);
    struct relearned before, after;

    assert_int_equal(relearn(bench, "fan"), 0);
    before = compared(bench);
    judge(bench, 3, 1);
    restart(bench);
    assert_true(view(bench, "fan").relearned);
    after = compared(bench);
    assert_int_equal(after.made, before.made);
    assert_int_equal(after.buffers, before.buffers);
    assert_int_equal(after.side[1].crc, before.side[1].crc);
    assert_int_equal(after.judged, 0); /* the comparison begins anew */
    judge(bench, 3, 1);
    assert_int_equal(compared(bench).judged, 3);
}

static void test_drop(void **state)
{
    struct bench *bench = watching(state);
    struct relearned relearned;

    assert_int_equal(registry_drop_relearned(bench->registry, "fan", bench->now, &bench->refusal), REFUSAL_NOT_FOUND);
    assert_int_equal(relearn(bench, "fan"), 0);
    assert_int_equal(registry_drop_relearned(bench->registry, "fan", bench->now, &bench->refusal), 0);
    assert_false(view(bench, "fan").relearned);
    assert_int_equal(registry_relearned(bench->registry, "fan", bench->now, &relearned, &bench->refusal),
                     REFUSAL_NOT_FOUND);
    assert_int_equal(registry_switch(bench->registry, "fan", bench->now, &bench->refusal), REFUSAL_NOT_FOUND);
    restart(bench);
    assert_false(view(bench, "fan").relearned);
}

static void test_too_little_is_stored(void **state)
{
    struct bench *bench = *state;

    assert_int_equal(relearn(bench, "fan"), REFUSAL_NO_MACHINE);
    put(bench, "fan", geometry);
    assert_int_equal(relearn(bench, "fan"), REFUSAL_STATE);
    learn(bench, "fan", 3);
    assert_int_equal(relearn(bench, "fan"), REFUSAL_STATE);
    assert_non_null(strstr(bench->refusal.detail, "3 buffers"));
    assert_false(view(bench, "fan").relearned);
}

/* A file that says another geometry since: what was relearned is of the old one, and so are the stored buffers. */
static void test_another_geometry(void **state)
{
    struct bench *bench = *state;

    for (int i = 0; i < 30; i++)
        one(bench, "auto-1", INTENT_BUFFER, 1, NULL);
    assert_int_equal(relearn(bench, "auto-1"), 0);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    stop(bench);
    bench->config.patterns[0].settings.buffer_size = 2 * SAMPLES;
    start(bench);
    assert_true(view(bench, "auto-1").conflict && view(bench, "auto-1").relearned);
    assert_int_equal(registry_switch(bench->registry, "auto-1", bench->now, &bench->refusal), REFUSAL_GEOMETRY);
    assert_non_null(strstr(bench->refusal.detail, "relearn again"));
    assert_int_equal(relearn(bench, "auto-1"), REFUSAL_GEOMETRY);
    assert_non_null(strstr(bench->refusal.detail, "another geometry"));
    assert_true(view(bench, "auto-1").relearned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_the_same_buffers_give_the_same), TEST(test_both_judge_and_one_raises),
        TEST(test_settings_are_of_both),           TEST(test_switch_and_the_way_back),
        TEST(test_it_survives_a_restart),          TEST(test_drop),
        TEST(test_too_little_is_stored),           TEST(test_another_geometry),
    };

    return cmocka_run_group_tests_name("relearn", tests, NULL, NULL);
}
