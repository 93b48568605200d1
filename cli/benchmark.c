/* habit benchmark: what this device reaches. Nothing is looked up: every figure was measured here, just now. */
#include <inttypes.h>
#include <jansson.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "chance.h"
#include "commands.h"
#include "detector.h"
#include "message.h"
#include "progress.h"
#include "registry/registry.h"
#include "store/store.h"
#include "table.h"

struct benchmark_settings {
    const char *directory;
    uint64_t seconds;
    bool json;
};

static const struct option_row rows[] = {
    { OPTION_TEXT, false, "directory", offsetof(struct benchmark_settings, directory), "DIR", 0, 0,
      "on the disk that is to be measured; default /var/lib/habit where it can be written, else ." },
    { OPTION_UNSIGNED, false, "seconds", offsetof(struct benchmark_settings, seconds), "N", 1, 600,
      "of each measurement; default 2" },
    { OPTION_FLAG, false, "json", offsetof(struct benchmark_settings, json), "", 0, 0, "print the figures as JSON" },
    { .type = OPTION_END },
};

struct benchmark {
    const struct benchmark_settings *settings;
    json_t *result;
    struct progress progress;
    uint64_t step;
};

static double now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Of sorted figures. */
static double quantile(const double *sorted, size_t count, double share)
{
    return count > 0 ? sorted[(size_t)((double)(count - 1) * share)] : 0;
}

/* ------------------------------------------------------------------------------------------------------------- device */

/* The value behind "name : " of the first line that has it. */
static bool read_value(const char *path, const char *name, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');

        if (colon && strncmp(line, name, strlen(name)) == 0) {
            snprintf(text, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
            text[strcspn(text, "\n")] = '\0';
            found = true;
        }
    }
    if (file)
        fclose(file);
    return found;
}

static bool read_line(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    bool found = file && fgets(text, (int)size, file);

    if (file)
        fclose(file);
    text[found ? strcspn(text, "\n") : 0] = '\0';
    return found && text[0] != '\0';
}

/* A board names itself in its device tree; processors of PCs have a name of their own. */
static void describe_device(struct benchmark *benchmark)
{
    char board[128] = "", processor[128] = "";
    struct sysinfo system;
    struct utsname name;

    uname(&name);
    sysinfo(&system);
    if (!read_line("/proc/device-tree/model", board, sizeof(board)))
        read_line("/sys/class/dmi/id/product_name", board, sizeof(board));
    if (!read_value("/proc/cpuinfo", "model name", processor, sizeof(processor)))
        read_value("/proc/cpuinfo", "Model", processor, sizeof(processor));
    json_object_set_new(
        benchmark->result, "device",
        json_pack("{s:s, s:s, s:s, s:I, s:f, s:s, s:s}", "board", board[0] != '\0' ? board : "not known", "processor",
                  processor[0] != '\0' ? processor : "not known", "architecture", name.machine, "processors",
                  (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_mib",
                  (double)system.totalram * system.mem_unit / 1048576, "kernel", name.release, "habit", HABIT_VERSION));
}

/* ------------------------------------------------------------------------------------------------------------- engine */

static const struct {
    uint16_t buffer_size;
    uint8_t axes;
} sizes[] = { { 64, 1 }, { 256, 1 }, { 256, 3 }, { 1024, 3 }, { 4096, 1 } };

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]), NOISES = 16, LEARNED = 100, ROUND = 20, ROUNDS_MOST = 100000 };

struct subject {
    struct detector detector;
    float *samples; /* NOISES buffers */
    size_t values;
};

static void fill(struct subject *subject)
{
    struct chance chance = { 1 };

    for (size_t i = 0; i < NOISES * subject->values; i++)
        subject->samples[i] = (float)chance_gauss(&chance);
}

static int learn_one(struct subject *subject, size_t number)
{
    return habit_learn(&subject->detector.engine, subject->samples + number % NOISES * subject->values, subject->values,
                       NULL);
}

static int detect_one(struct subject *subject, size_t number)
{
    struct habit_result result;

    return habit_detect(&subject->detector.engine, subject->samples + number % NOISES * subject->values,
                        subject->values, &result);
}

/* Median of many rounds, in microseconds a call. */
static double measure(struct subject *subject, double seconds, int (*call)(struct subject *, size_t))
{
    double *rounds = malloc(ROUNDS_MOST * sizeof(*rounds)), end = now_s() + seconds, median;
    size_t count = 0, number = 0;

    while (rounds && count < ROUNDS_MOST && now_s() < end) {
        double began = now_s();

        for (int i = 0; i < ROUND; i++)
            call(subject, number++);
        rounds[count++] = (now_s() - began) / ROUND * 1e6;
    }
    if (rounds)
        qsort(rounds, count, sizeof(*rounds), compare);
    median = rounds ? quantile(rounds, count, 0.5) : 0;
    free(rounds);
    return median;
}

static int measure_size(struct benchmark *benchmark, uint16_t buffer_size, uint8_t axes)
{
    const double seconds = (double)benchmark->settings->seconds / 4;
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct subject subject = { .values = (size_t)buffer_size * axes };
    double learn, detect;
    int r;

    config.buffer_size = buffer_size;
    config.axes = axes;
    r = detector_init(&subject.detector, &config);
    subject.samples = malloc(NOISES * subject.values * sizeof(float));
    if (r == 0 && !subject.samples)
        r = complain_errno("hold", "buffers");
    if (r == 0) {
        fill(&subject);
        for (size_t i = 0; i < LEARNED; i++)
            learn_one(&subject, i);
        detect = measure(&subject, seconds, detect_one);
        learn = measure(&subject, seconds, learn_one);
        json_array_append_new(json_object_get(benchmark->result, "engine"),
                              json_pack("{s:I, s:I, s:f, s:f, s:f, s:I, s:I}", "buffer_size", (json_int_t)buffer_size,
                                        "axes", (json_int_t)axes, "detect_us", detect, "learn_us", learn,
                                        "detects_per_s", detect > 0 ? 1e6 / detect : 0, "knowledge_bytes",
                                        (json_int_t)habit_knowledge_size(&config), "cache_bytes",
                                        (json_int_t)habit_cache_size(&config)));
    }
    free(subject.samples);
    detector_deinit(&subject.detector);
    return r;
}

static int measure_engine(struct benchmark *benchmark)
{
    int r = 0;

    json_object_set_new(benchmark->result, "engine", json_array());
    for (size_t i = 0; i < SIZES && r == 0; i++) {
        r = measure_size(benchmark, sizes[i].buffer_size, sizes[i].axes);
        progress_step(&benchmark->progress, ++benchmark->step);
    }
    return r;
}

/* -------------------------------------------------------------------------------------------------------------- store */

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

    while (learner->result == 0 && learner->count < LATENCIES && now_s() < learner->end) {
        const struct store_change change = { .machine = learner->machine,
                                             .epoch = store_epoch(learner->store),
                                             .at = 1,
                                             .state = &state,
                                             .knowledge = knowledge,
                                             .knowledge_size = sizeof(knowledge) };
        double began = now_s();
        struct store_op *op = NULL;

        learner->result = store_submit(learner->store, &change, &op);
        if (learner->result == 0)
            learner->result = store_finish(learner->store, op);
        learner->latencies[learner->count++] = (now_s() - began) * 1e3;
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
    qsort(all, total, sizeof(*all), compare);
    return total;
}

static int run_learners(struct benchmark *benchmark, struct learner *learners, unsigned int count, double *all)
{
    double began = now_s();
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
                                    (double)total / (now_s() - began), "p50_ms", quantile(all, total, 0.5), "p99_ms",
                                    quantile(all, total, 0.99)));
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
                                        .end = now_s() + (double)benchmark->settings->seconds,
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

static int measure_store(struct benchmark *benchmark)
{
    char folder[200], path[256], message[STORE_MESSAGE_SIZE] = "";
    struct store *store = NULL;
    int r;

    snprintf(folder, sizeof(folder), "%.150s/habit-benchmark-XXXXXX", benchmark->settings->directory);
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
    json_object_set_new(benchmark->result, "directory", json_string(benchmark->settings->directory));
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- output */

/* clang-format off */
static const struct column engine_columns[] = {
    { "samples",      "buffer_size" },
    { "axes",         "axes" },
    { "detect us",    "detect_us" },
    { "learn us",     "learn_us" },
    { "detects/s",    "detects_per_s" },
    { "knowledge",    "knowledge_bytes" },
    { "cache",        "cache_bytes" },
    { NULL,           NULL },
};

static const struct column durable_columns[] = {
    { "clients",      "clients" },
    { "learns/s",     "learns_per_s" },
    { "p50 ms",       "p50_ms" },
    { "p99 ms",       "p99_ms" },
    { NULL,           NULL },
};
/* clang-format on */

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void print(const struct benchmark *benchmark)
{
    const json_t *result = benchmark->result, *device = json_object_get(result, "device");

    printf("%s; %s; %s, %" JSON_INTEGER_FORMAT " processors, %.0f MiB; Linux %s; habit %s\n", text_of(device, "board"),
           text_of(device, "processor"), text_of(device, "architecture"),
           json_integer_value(json_object_get(device, "processors")),
           json_number_value(json_object_get(device, "memory_mib")), text_of(device, "kernel"),
           text_of(device, "habit"));
    printf("\nengine, one processor, medians; bytes of memory of a machine:\n");
    table_print(engine_columns, json_object_get(result, "engine"));
    printf("\nlearned and on disk (%s), clients that each wait for their answer:\n", text_of(result, "directory"));
    table_print(durable_columns, json_object_get(result, "durable"));
    printf("\nmemory of one more machine in habitd, 256 x 3: %" JSON_INTEGER_FORMAT " bytes\n",
           json_integer_value(json_object_get(result, "bytes_per_machine")));
}

static int run(const struct command *command, int argc, char **argv)
{
    struct benchmark_settings settings = { .seconds = 2 };
    struct benchmark benchmark = { .settings = &settings };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (!settings.directory)
        settings.directory = access("/var/lib/habit", W_OK) == 0 ? "/var/lib/habit" : ".";
    benchmark.result = json_object();
    describe_device(&benchmark);
    progress_begin(&benchmark.progress, "benchmark", SIZES + sizeof(clients) / sizeof(clients[0]), false);
    code = measure_engine(&benchmark);
    if (code == 0)
        code = measure_store(&benchmark);
    progress_end(&benchmark.progress);
    if (code == 0 && settings.json) {
        json_dumpf(benchmark.result, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        printf("\n");
    } else if (code == 0) {
        print(&benchmark);
    }
    json_decref(benchmark.result);
    return code;
}

const struct command benchmark_command = {
    .name = "benchmark",
    .synopsis = "[--directory DIR] [--seconds N] [--json]",
    .summary = "measures what this device reaches: engine, disk, memory",
    .details =
        "It needs no daemon, and makes a store of its own in DIR, which it deletes. Let nothing else run meanwhile.",
    .options = rows,
    .run = run,
};
