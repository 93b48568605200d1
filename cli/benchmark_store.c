/* How many learned buffers reach this disk in a second, and what a machine needs of habitd's memory. */
#include <malloc.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "benchmark.h"
#include "message.h"
#include "options.h"
#include "registry/registry.h"
#include "store/store.h"

enum { KNOWLEDGE_BYTES = 3584, LATENCIES = 65536, CLIENTS_MOST = 16 };
static const unsigned int clients[] = { 1, CLIENTS_MOST };

/* One that learns: submits and waits, as every request does. */
struct learner {
    struct store *store;
    int64_t machine;
    double end;
    double *latencies; /* ms */
    size_t count;
    int result;
};

static void *learn_durably(void *user)
{
    struct learner *learner = user;
    static const unsigned char knowledge[KNOWLEDGE_BYTES];
    const struct strategy_state state = { 0 };

    while (learner->result == 0 && learner->count < LATENCIES && benchmark_now() < learner->end) {
        const struct store_change change = { .machine = learner->machine,
                                             .epoch = store_epoch(learner->store, learner->machine),
                                             .at = 1,
                                             .state = &state,
                                             .knowledge = knowledge,
                                             .knowledge_size = sizeof(knowledge) };
        double began = benchmark_now();
        struct store_op *op = NULL;

        learner->result = store_submit(learner->store, &change, &op);
        if (learner->result == 0)
            learner->result = store_finish(learner->store, op);
        learner->latencies[learner->count++] = (benchmark_now() - began) * 1e3;
    }
    return NULL;
}

/* All that they waited, in one list. */
static size_t gather(const struct learner *learners, unsigned int count, double *all)
{
    size_t total = 0;

    for (unsigned int i = 0; i < count; i++) {
        memcpy(all + total, learners[i].latencies, learners[i].count * sizeof(double));
        total += learners[i].count;
    }
    benchmark_sort(all, total);
    return total;
}

static int run_learners(struct benchmark *benchmark, struct learner *learners, unsigned int count, double *all)
{
    double began = benchmark_now();
    pthread_t threads[CLIENTS_MOST];
    size_t total;
    int r = 0;

    for (unsigned int i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, learn_durably, &learners[i]) != 0)
            return complain_errno("start", "a thread");
    for (unsigned int i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
        r = learners[i].result < 0 ? learners[i].result : r;
    }
    if (r < 0) {
        complain("the store does not commit: %s", strerror(-r));
        return EXIT_FAILED;
    }
    total = gather(learners, count, all);
    json_array_append_new(json_object_get(benchmark->result, "durable"),
                          json_pack("{s:I, s:f, s:f, s:f}", "clients", (json_int_t)count, "learns_per_s",
                                    (double)total / (benchmark_now() - began), "p50_ms",
                                    benchmark_quantile(all, total, 0.5), "p99_ms",
                                    benchmark_quantile(all, total, 0.99)));
    return 0;
}

static int measure_clients(struct benchmark *benchmark, struct store *store, const int64_t *machines,
                           unsigned int count)
{
    struct learner learners[CLIENTS_MOST] = { { 0 } };
    double *latencies = malloc((size_t)2 * CLIENTS_MOST * LATENCIES * sizeof(double));
    int r;

    if (!latencies)
        return complain_errno("hold", "figures");
    for (unsigned int i = 0; i < count; i++)
        learners[i] = (struct learner){ .store = store,
                                        .machine = machines[i],
                                        .end = benchmark_now() + benchmark->seconds,
                                        .latencies = latencies + (size_t)i * LATENCIES };
    r = run_learners(benchmark, learners, count, latencies + (size_t)CLIENTS_MOST * LATENCIES);
    free(latencies);
    return r;
}

static int measure_commits(struct benchmark *benchmark, struct store *store)
{
    const struct store_change first = { .at = 1, .settings = "{}" };
    int64_t machines[CLIENTS_MOST];
    char id[MACHINE_ID_SIZE];
    int r = 0;

    for (unsigned int i = 0; i < CLIENTS_MOST && r == 0; i++) {
        snprintf(id, sizeof(id), "client-%u", i);
        r = store_create_machine(store, id, &first, &machines[i]);
    }
    if (r < 0) {
        complain("the store does not commit: %s", strerror(-r));
        return EXIT_FAILED;
    }
    json_object_set_new(benchmark->result, "durable", json_array());
    for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]) && r == 0; i++) {
        r = measure_clients(benchmark, store, machines, clients[i]);
        progress_step(&benchmark->progress, ++benchmark->step);
    }
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- memory */

enum { MACHINES = 100 };

static size_t heap_bytes(void)
{
    const struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

/* As the daemon keeps them, with an engine each, at 256 x 3. */
static int measure_memory(struct benchmark *benchmark, struct store *store)
{
    static const char settings[] = "{\"buffer_size\": 256, \"axes\": 3}";
    struct registry *registry = NULL;
    struct refusal refusal = { 0 };
    struct config config;
    char id[MACHINE_ID_SIZE];
    size_t before = 0;
    bool created;
    int r = config_default(&config);

    if (r == 0)
        r = registry_new(&registry, &config, store);
    before = heap_bytes();
    for (unsigned int i = 0; i < MACHINES && r == 0; i++) {
        snprintf(id, sizeof(id), "memory-%u", i);
        r = registry_put(registry, id, settings, strlen(settings), "", &created, &refusal);
    }
    if (r == 0)
        json_object_set_new(benchmark->result, "bytes_per_machine",
                            json_integer((json_int_t)((heap_bytes() - before) / MACHINES)));
    else
        complain("machines cannot be made: %s", refusal.detail[0] != '\0' ? refusal.detail : "the system failed");
    registry_free(registry);
    config_free(&config);
    return r == 0 ? 0 : EXIT_FAILED;
}

/* ---------------------------------------------------------------------------------------------------------- directory */

static void forget_file(void *user, const char *file)
{
    (void)user, (void)file;
}

static void remove_store(const char *folder, const char *path)
{
    char message[STORE_MESSAGE_SIZE], lock[300];

    store_destroy(path, true, forget_file, NULL, message);
    snprintf(lock, sizeof(lock), "%s.lock", path);
    unlink(lock);
    rmdir(folder);
}

int benchmark_store(struct benchmark *benchmark)
{
    char folder[200], path[256], message[STORE_MESSAGE_SIZE] = "";
    struct store *store = NULL;
    int r;

    snprintf(folder, sizeof(folder), "%.150s/habit-benchmark-XXXXXX", benchmark->directory);
    if (!mkdtemp(folder))
        return complain_errno("write", folder);
    snprintf(path, sizeof(path), "%s/habit.db", folder);
    r = store_open(&store, path, message);
    if (r != 0) {
        complain("%s", message);
        r = EXIT_FAILED;
    }
    if (r == 0) {
        store_without_broker(store);
        r = measure_memory(benchmark, store);
    }
    if (r == 0)
        r = measure_commits(benchmark, store);
    store_close(store);
    remove_store(folder, path);
    json_object_set_new(benchmark->result, "directory", json_string(benchmark->directory));
    return r;
}
