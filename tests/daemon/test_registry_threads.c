/* The machines under several threads. */
#include "registry_bench.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------------------ threads */

enum { THREADS = 4, ROUNDS = 60 };

struct worker {
    struct bench *bench;
    const char *id;
    uint64_t seed;
    atomic_int *going;
    unsigned int learned, wrong;
};

static void *learn_on(void *user)
{
    struct worker *worker = user;

    for (int i = 0; i < ROUNDS; i++) {
        float samples[VALUES];
        struct refusal refusal;
        struct verdict verdict[1];
        size_t count = 0;
        struct arrival arrival = { .id = worker->id,
                                   .intent = INTENT_LEARN,
                                   .encoding = ENCODING_RAW,
                                   .bytes = samples,
                                   .size = sizeof(samples),
                                   .format = -1,
                                   .now = { INT64_C(1795353571000) + i, i } };
        int r;

        fill(&worker->seed, samples, 1, 1);
        r = registry_submit(worker->bench->registry, &arrival, verdict, 1, &count, NULL, &refusal);
        worker->learned += r == 0;
        worker->wrong += r != 0 && r != REFUSAL_NO_MACHINE && r != REFUSAL_STORE;
    }
    atomic_fetch_sub(worker->going, 1);
    return NULL;
}

static void go(struct bench *bench, struct worker *workers, pthread_t *threads, const char *const *ids, size_t id_count,
               atomic_int *going)
{
    *going = THREADS;
    for (size_t i = 0; i < THREADS; i++) {
        workers[i] = (struct worker){ .bench = bench, .id = ids[i % id_count], .seed = i, .going = going };
        assert_int_equal(pthread_create(&threads[i], NULL, learn_on, &workers[i]), 0);
    }
}

static unsigned int join(struct worker *workers, pthread_t *threads)
{
    unsigned int learned = 0;

    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].wrong, 0);
        learned += workers[i].learned;
    }
    return learned;
}

static void test_threads_on_one_machine(void **state)
{
    static const char *const ids[] = { "fan" };
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    atomic_int going;

    put(bench, "fan", geometry);
    go(bench, workers, threads, ids, 1, &going);
    while (going > 0) {
        struct machine_view views[2];

        assert_int_equal(registry_list(bench->registry, "", views, 2, bench->now), 1);
        assert_int_equal(registry_flush(bench->registry, bench->now), 0);
    }
    assert_int_equal(join(workers, threads), THREADS * ROUNDS);
    assert_int_equal(view(bench, "fan").learning.learned, THREADS * ROUNDS);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned, THREADS * ROUNDS);
    assert_int_equal(database_number(bench->path, "SELECT sum(learned) FROM hour"), THREADS * ROUNDS);
}

/* H42, H43: deleted, made anew, forgotten and read while others learn; whoever was told "learned" of a machine that is deleted
 * learned something that is gone, and nobody crashes. */
static void test_delete_while_others_submit(void **state)
{
    static const char *const ids[] = { "fan", "auto-1" };
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    atomic_int going;
    unsigned int round = 0, learned;

    put(bench, "fan", geometry);
    go(bench, workers, threads, ids, 2, &going);
    while (going > 0) {
        struct refusal refusal;
        void *bytes = NULL;
        size_t size;
        uint32_t crc;
        bool created;

        switch (round++ % 5) {
        case 0:
            registry_delete(bench->registry, "fan", "", &refusal);
            break;
        case 1:
            assert_int_equal(registry_put(bench->registry, "fan", geometry, strlen(geometry), "", &created, &refusal),
                             0);
            break;
        case 2:
            registry_initialize(bench->registry, "auto-1", bench->now, &refusal);
            break;
        case 3:
            if (registry_get_knowledge(bench->registry, "fan", &bytes, &size, &crc, &refusal) == 0)
                registry_put_knowledge(bench->registry, "auto-1", bytes, size, "", bench->now, &created, &refusal);
            free(bytes);
            break;
        default:
            registry_delete(bench->registry, "auto-1", "", &refusal);
            break;
        }
    }
    learned = join(workers, threads);
    assert_true(learned <= THREADS * ROUNDS);
    put(bench, "fan", geometry);
    assert_true(view(bench, "fan").learning.learned <= learned);
    restart(bench);
    learn(bench, "fan", 1);
}

/* Commits fail now and then while many learn: what was answered "learned" is there, what was refused is not. */
static void test_threads_and_failing_commits(void **state)
{
    static const char *const ids[] = { "fan", "pump" };
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    unsigned int learned;
    atomic_int going;

    put(bench, "fan", geometry);
    put(bench, "pump", geometry);
    go(bench, workers, threads, ids, 2, &going);
    for (int i = 0; i < 10 && going > 0; i++) {
        database_run(
            bench->path,
            "CREATE TRIGGER IF NOT EXISTS forbid BEFORE INSERT ON knowledge BEGIN SELECT RAISE(ABORT, 'not now'); END");
        database_run(bench->path, "DROP TRIGGER forbid");
    }
    learned = join(workers, threads);
    assert_true(learned > 0);
    assert_int_equal(view(bench, "fan").learning.learned + view(bench, "pump").learning.learned, learned);
    restart(bench);
    assert_int_equal(view(bench, "fan").learning.learned + view(bench, "pump").learning.learned, learned);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_threads_on_one_machine),
        TEST(test_delete_while_others_submit),
        TEST(test_threads_and_failing_commits),
    };

    return cmocka_run_group_tests_name("registry_threads", tests, NULL, NULL);
}
