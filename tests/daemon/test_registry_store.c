/* A store that is slow, or damaged: who waits, who is refused, and who does not notice. */
#include "registry_bench.h"

#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "base/limits.h"
#include "slow_disk.h"

/* ---------------------------------------------------------------------------------------------------------------- slow */

/* While a commit is held: changes of a machine that nobody waits for, as many as the queue takes. */
static void fill_queue(struct bench *bench, int64_t row)
{
    struct store_change change = { .machine = row, .epoch = store_epoch(bench->store, row) };

    while (store_submit(bench->store, &change, NULL) == 0)
        ;
}

/* Until all that is queued has been written. */
static void drain_queue(struct bench *bench, int64_t row)
{
    struct store_change change = { .machine = row, .epoch = store_epoch(bench->store, row) };
    struct store_op *op;

    while (store_submit(bench->store, &change, &op) != 0)
        usleep(1000);
    assert_int_equal(store_finish(bench->store, op), 0);
}

/* Its own changes are still queued when a machine is to be loaded anew, and the queue is full: the store does not hold yet
 * what will be there. */
static void test_loading_anew_waits_for_what_is_queued(void **state)
{
    enum { QUEUED = 3 };
    struct bench *bench = *state;
    struct receipt receipts[QUEUED];
    struct verdict verdicts[BATCH];
    struct machine_view found;
    float samples[VALUES];
    char etag[ETAG_SIZE];
    unsigned int learned = 5;
    int64_t filler;
    size_t count;
    struct shot shot = { .id = "fan", .intent = INTENT_LEARN, .samples = samples, .buffers = 1 };

    put(bench, "fan", geometry);
    put(bench, "filler", geometry);
    learn(bench, "fan", learned);
    fill(&bench->seed, samples, 1, 1);
    filler = database_number(bench->path, "SELECT id FROM machine WHERE name = 'filler'");
    hold_commits();
    for (size_t i = 0; i < QUEUED; i++) {
        shot.receipt = &receipts[i];
        assert_int_equal(shoot(bench, &shot, verdicts, &count), 0);
    }
    await_held_commit();
    fill_queue(bench, filler);
    shot.receipt = NULL;
    assert_int_equal(refused(bench, &shot), REFUSAL_STORE); /* memory has it, nobody will write it */
    for (int i = 0; i < 2; i++)
        assert_int_equal(registry_show(bench->registry, "fan", &found, etag, bench->now, &bench->refusal),
                         REFUSAL_STORE);
    let_commits_go();
    for (size_t i = 0; i < QUEUED; i++)
        assert_int_equal(registry_settle(bench->registry, &receipts[i], &bench->refusal), 0);
    learned += QUEUED;
    drain_queue(bench, filler);
    assert_int_equal(view(bench, "fan").learning.learned, learned);
    learn(bench, "fan", 1);
    assert_int_equal(view(bench, "fan").learning.learned, learned + 1);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned, learned + 1);
}

static void *let_go(void *unused)
{
    (void)unused;
    usleep(300000);
    let_commits_go();
    return NULL;
}

/* One buffer of each of many machines that are told neither to learn nor to judge: counted, and nothing else. */
static void count_one_each(struct bench *bench, int machines)
{
    float samples[16] = { 1, 2, 3 };
    struct arrival arrival = {
        .encoding = ENCODING_RAW, .bytes = samples, .size = sizeof(samples), .format = -1, .now = bench->now
    };
    size_t count;
    char id[16];

    arrival.id = id;
    for (int i = 1; i <= machines; i++) {
        snprintf(id, sizeof(id), "m%d", i);
        assert_int_equal(registry_submit(bench->registry, &arrival, NULL, 0, &count, NULL, &bench->refusal), 0);
    }
}

enum { MACHINES = 5000 };

static void many_machines(struct bench *bench)
{
    stop(bench);
    database_run(
        bench->path,
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) "
        "INSERT INTO machine (name, created, settings) SELECT 'm' || i, 1, '{\"buffer_size\":16,\"axes\":1}' FROM n");
    start(bench);
}

/* More machines have counters than the store's queue holds, and the store is slow. */
static void test_flush_of_more_machines_than_the_queue_holds(void **state)
{
    struct bench *bench = *state;
    pthread_t thread;

    many_machines(bench);
    assert_true(MACHINES > LIMIT_STORE_QUEUE + LIMIT_STORE_BATCH);
    count_one_each(bench, MACHINES);
    hold_commits();
    assert_int_equal(pthread_create(&thread, NULL, let_go, NULL), 0);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    pthread_join(thread, NULL);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM hour WHERE idle = 1"), MACHINES);
    restart(bench);
    assert_int_equal(database_number(bench->path, "SELECT sum(idle) FROM hour"), MACHINES);
}

/* ------------------------------------------------------------------------------------------------------------- damage */

/* Nothing can be added to the hours: that is no reason to stop for the others, and it ends also where a portion of a flush holds no
 * others. */
static void test_flush_into_a_damaged_table(void **state)
{
    struct bench *bench = *state;
    struct registry_figures figures;

    many_machines(bench);
    count_one_each(bench, 20);
    database_spoil(bench->path, "hour", 0);
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.damaged, 20);
    count_one_each(bench, MACHINES);
    for (int i = 0; i < 3; i++)
        registry_flush(bench->registry, bench->now);
}

enum { FANS = 12 };

/* Sets the bit of a machine that was refused, for damage. */
static void note_refused(int r, unsigned int i, unsigned int *refused)
{
    if (r != 0)
        assert_int_equal(r, REFUSAL_DAMAGED);
    *refused |= (unsigned int)(r != 0) << i;
}

/* A learn of each machine, all under way at once. */
static unsigned int learn_each(struct bench *bench)
{
    struct receipt receipts[FANS];
    struct verdict verdicts[BATCH];
    float samples[VALUES];
    unsigned int bits = 0;
    char id[16];

    for (unsigned int i = 0; i < FANS; i++) {
        struct shot shot = {
            .id = id, .intent = INTENT_LEARN, .samples = samples, .buffers = 1, .receipt = &receipts[i]
        };
        size_t count;

        snprintf(id, sizeof(id), "fan-%02u", i);
        fill(&bench->seed, samples, 1, 1);
        note_refused(shoot(bench, &shot, verdicts, &count), i, &bits);
    }
    for (unsigned int i = 0; i < FANS; i++)
        note_refused(registry_settle(bench->registry, &receipts[i], &bench->refusal), i, &bits);
    return bits;
}

/* The few machines whose knowledge is on the page are refused, and counted as that; nobody else notices. */
static void test_damage_under_some_machines(void **state)
{
    struct bench *bench = *state;
    struct registry_figures figures;
    unsigned int bad, count;
    char id[16];

    for (unsigned int i = 0; i < FANS; i++) {
        snprintf(id, sizeof(id), "fan-%02u", i);
        put(bench, id, geometry);
    }
    assert_int_equal(learn_each(bench), 0);
    database_spoil(bench->path, "knowledge", 1);
    bad = learn_each(bench);
    count = (unsigned int)__builtin_popcount(bad);
    assert_in_range(count, 1, FANS / 2);
    assert_int_equal(learn_each(bench), bad); /* their knowledge cannot be read either */
    registry_figures(bench->registry, &figures);
    assert_int_equal(figures.damaged, count);
    snprintf(id, sizeof(id), "fan-%02d", __builtin_ctz(bad));
    assert_string_equal(figures.damaged_first, id);
    assert_int_equal(figures.refusals[REFUSAL_DAMAGED], 2 * count);
    assert_int_equal(figures.refusals[REFUSAL_STORE], 0);
    assert_int_equal(figures.learned, 3 * FANS - 2 * count);
    for (unsigned int i = 0; i < FANS; i++) {
        snprintf(id, sizeof(id), "fan-%02u", i);
        if (!(bad >> i & 1))
            assert_int_equal(view(bench, id).learning.learned, 3);
    }
    assert_int_equal(registry_flush(bench->registry, bench->now), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_loading_anew_waits_for_what_is_queued),
        TEST(test_flush_of_more_machines_than_the_queue_holds),
        TEST(test_flush_into_a_damaged_table),
        TEST(test_damage_under_some_machines),
    };

    return cmocka_run_group_tests_name("registry_store", tests, NULL, NULL);
}
