/* What the store writes is counted, and held below a daily ceiling. */
#include "store_bench.h"

#include "base/clock.h"
#include "store/budget.h"

static void test_strain(void **state)
{
    const uint64_t daily = 1000;
    const int64_t day = 86400000;

    (void)state;
    assert_float_equal(budget_strain(0, day, 1 << 30), 0, 0); /* no ceiling */
    assert_float_equal(budget_strain(daily, 0, 80), 0,
                       1e-9); /* a tenth may be written at once: four fifths of it freely */
    assert_float_equal(budget_strain(daily, 0, 90), 0.5, 1e-9);
    assert_float_equal(budget_strain(daily, 0, 100), 1, 1e-9);
    assert_float_equal(budget_strain(daily, day / 2, 440), 0, 1e-9);
    assert_float_equal(budget_strain(daily, day / 2, 550), 1, 1e-9);
    assert_float_equal(budget_strain(daily, day, 5000), 1, 1e-9);
    assert_float_equal(budget_strain(daily, 2 * day, 800), 0, 1e-9);
}

static int64_t commit_settings(struct bench *bench, int64_t machine, const char *settings)
{
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
                                   .settings = settings };
    struct store_op *op = NULL;
    int64_t began = clock_now().mono;

    assert_int_equal(store_submit(bench->store, &change, &op), 0);
    assert_int_equal(store_finish(bench->store, op), 0);
    return clock_now().mono - began;
}

/* Beyond its ceiling: the next commit waits, and what it has answered is there. Returns how long closing takes then. */
static int64_t close_beyond(struct bench *bench, int64_t machine)
{
    int64_t began;

    store_limit_writes(bench->store, 1);
    commit_settings(bench, machine, "2");
    assert_true(store_strain(bench->store) >= 1);
    assert_true(commit_settings(bench, machine, "4") > STORE_LONGEST_WAIT / 2);
    assert_int_equal(database_number(bench->path, "SELECT settings = '4' FROM machine"), 1);
    began = clock_now().mono;
    bench->store = store_close(bench->store);
    return clock_now().mono - began;
}

/* Below it a commit waits for nothing, nor does closing ever: of some tries one is quick, however slow the disk is now and then. */
static void test_daily_ceiling(void **state)
{
    enum { TRIES = 5 };
    struct bench *bench = *state;
    int64_t machine = create(bench, "pump"), commit = INT64_MAX, closing = INT64_MAX;

    for (int i = 0; i < TRIES && commit >= STORE_LONGEST_WAIT / 2; i++)
        commit = commit_settings(bench, machine, i % 2 == 0 ? "1" : "3");
    assert_true(commit < STORE_LONGEST_WAIT / 2);
    for (int i = 0; i < TRIES && closing >= STORE_LONGEST_WAIT / 2; i++) {
        closing = close_beyond(bench, machine);
        reopen(bench);
        assert_true(store_strain(bench->store) <= 0);
    }
    assert_true(closing < STORE_LONGEST_WAIT / 2);
}

/* Every frame of the log is counted, and every page that a checkpoint writes. */
static void test_written_bytes(void **state)
{
    enum { FRAME = 24 + 4096, COMMITS = 400 }; /* the log is written back every 250 frames */
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    struct store_figures before, after;
    int64_t machine, written;

    assert_int_equal(store_create_machine(bench->store, "pump", &first, &machine), 0);
    store_figures(bench->store, &before);
    for (int i = 0; i < COMMITS; i++)
        commit_settings(bench, machine, i % 2 == 0 ? "2" : "3");
    store_figures(bench->store, &after);
    written = after.written_bytes - before.written_bytes;
    assert_true(written >= COMMITS * FRAME);
    assert_true(written > COMMITS * FRAME && written < (COMMITS + 100) * FRAME);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strain),
        TEST(test_daily_ceiling),
        TEST(test_written_bytes),
    };

    return cmocka_run_group_tests_name("store_budget", tests, NULL, NULL);
}
