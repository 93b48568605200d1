/* What strategy, counters and alarms cost beside the engine: 1,000 machines with a buffer a second each, everything switched
 * on. Fails above 10 % of one core. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "habit/engine.h"
#include "registry/registry.h"

enum { MACHINES = 1000, SAMPLES = 256, AXES = 3, VALUES = SAMPLES * AXES, LEARNED = 20, ROUNDS = 20 };

static const char settings[] = "{\"buffer_size\":256,\"axes\":3,\"sampling_hz\":1600,\"start\":\"auto\",\"learn\":20,"
                               "\"run_when\":\"level auto\",\"settle\":\"2s\",\"stopped_after\":\"1h\","
                               "\"rule\":\"temperature > 60 for 10m : learn 50\"}";

static double cpu_seconds(void)
{
    struct rusage usage;

    getrusage(RUSAGE_THREAD, &usage);
    return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

static void noise(float *samples)
{
    for (int i = 0; i < VALUES; i++)
        samples[i] = (float)rand() / (float)RAND_MAX - 0.5f;
}

static void must(int r, const char *what, const struct refusal *refusal)
{
    if (r == 0)
        return;
    fprintf(stderr, "%s: %d %s\n", what, r, refusal->detail);
    exit(1);
}

/* One buffer of each machine. Returns how many were judged. */
static unsigned int round_of(struct registry *registry, struct moment *now)
{
    static float samples[VALUES];
    struct refusal refusal = { 0 };
    unsigned int judged = 0;

    now->wall += 1000;
    now->mono += 1000;
    for (int m = 0; m < MACHINES; m++) {
        char id[16];
        struct wire_meta meta = { .context_count = 1, .context[0] = { .name = "temperature", .value = 50 } };
        struct arrival arrival = { .id = id,
                                   .encoding = ENCODING_RAW,
                                   .bytes = samples,
                                   .size = sizeof(samples),
                                   .format = -1,
                                   .meta = &meta,
                                   .now = *now };
        struct receipt receipt;
        struct verdict verdict;
        size_t count;

        snprintf(id, sizeof(id), "m-%d", m);
        noise(samples);
        must(registry_submit(registry, &arrival, &verdict, 1, &count, &receipt, &refusal), id, &refusal);
        must(registry_settle(registry, &receipt, &refusal), id, &refusal);
        judged += verdict.status == VERDICT_OK;
    }
    return judged;
}

/* CPU time of the engine alone, and of making the noise, for as many buffers. */
static double engine_alone(void)
{
    static float samples[VALUES];
    struct habit_config config = {
        .buffer_size = SAMPLES, .axes = AXES, .profile = HABIT_PROFILE_DEFAULT, .scale = 1, .sampling_hz = 1600
    };
    struct habit_memory memory = { .knowledge_size = habit_knowledge_size(&config),
                                   .cache_size = habit_cache_size(&config),
                                   .scratch_size = habit_scratch_size(&config) };
    struct habit_engine engine = { .ready = 0 };
    struct habit_result result;
    double began;

    memory.knowledge = calloc(1, memory.knowledge_size);
    memory.cache = calloc(1, memory.cache_size);
    memory.scratch = calloc(1, memory.scratch_size);
    if (habit_init(&engine, &config, &memory) != HABIT_OK)
        exit(1);
    for (int i = 0; i < LEARNED; i++) {
        noise(samples);
        habit_learn(&engine, samples, VALUES, NULL);
    }
    began = cpu_seconds();
    for (int i = 0; i < MACHINES * ROUNDS; i++) {
        noise(samples);
        habit_detect(&engine, samples, VALUES, &result);
    }
    return cpu_seconds() - began;
}

int main(void)
{
    char directory[] = "/tmp/habit-bench-XXXXXX", path[64], message[STORE_MESSAGE_SIZE];
    struct moment now = { .wall = INT64_C(1795353571000), .mono = 1000 };
    struct config config;
    struct registry *registry;
    struct store *store;
    struct refusal refusal = { 0 };
    double began, all, engine, share;
    bool created;

    log_set_level(LOG_ERROR);
    if (!mkdtemp(directory) || config_default(&config) != 0)
        return 1;
    snprintf(path, sizeof(path), "%s/habit.db", directory);
    must(store_open(&store, path, message), "store", &refusal);
    must(registry_new(&registry, &config, store), "registry", &refusal);
    for (int m = 0; m < MACHINES; m++) {
        char id[16];

        snprintf(id, sizeof(id), "m-%d", m);
        must(registry_put(registry, id, settings, strlen(settings), "", &created, &refusal), id, &refusal);
    }
    for (int i = 0; i < LEARNED + 1; i++)
        round_of(registry, &now);
    began = cpu_seconds();
    for (int i = 0; i < ROUNDS; i++)
        if (round_of(registry, &now) != MACHINES)
            must(1, "not every buffer was judged", &refusal);
    registry_watch(registry, now);
    all = cpu_seconds() - began;
    engine = engine_alone();
    share = (all - engine) / ROUNDS;
    printf(
        "%d machines, a buffer a second each: %.1f %% of one core, of which %.1f %% engine (with making the buffers): "
        "strategy, counters and alarms take %.1f %%, at most 10\n",
        MACHINES, 100 * all / ROUNDS, 100 * engine / ROUNDS, 100 * share);
    registry_free(registry);
    store_close(store);
    config_free(&config);
    unlink(path);
    rmdir(directory);
    return share < 0.1 ? 0 : 1;
}
