#include "store_bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "slow_disk.h"

/* ------------------------------------------------------------------------------------------------- faults, by the number */

atomic_long writes, syncs;                  /* so far */
static atomic_long allowed = -1;            /* writes and syncs until they fail; -1 = for ever */
static atomic_int fault_number, fault_once; /* errno; only the one, or all from there on */

static int fails(void)
{
    long left = allowed;

    while (left > 0 && !atomic_compare_exchange_weak(&allowed, &left, left - 1))
        ;
    if (left != 0)
        return 0;
    if (fault_once)
        allowed = -1;
    errno = fault_number;
    return 1;
}

void fault_after(long count, int number, int once)
{
    fault_number = number;
    fault_once = once;
    allowed = count;
}

static atomic_long reads_allowed = -1; /* until one fails with EIO; -1 = none does */

void fault_read(long count)
{
    reads_allowed = count;
}

int fault_clear(void)
{
    int due = reads_allowed >= 0;

    allowed = reads_allowed = -1;
    return due;
}

ssize_t pread64(int fd, void *bytes, size_t size, off64_t offset)
{
    long left = reads_allowed;

    while (left >= 0 && !atomic_compare_exchange_weak(&reads_allowed, &left, left - 1))
        ;
    if (left != 0)
        return syscall(SYS_pread64, fd, bytes, size, offset);
    errno = EIO;
    return -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    writes++;
    return fails() ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int fdatasync(int fd)
{
    slow_disk();
    syncs++;
    return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t size)
{
    writes++;
    return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

/* ------------------------------------------------------------------------------------------------------------- bench */

char message[STORE_MESSAGE_SIZE];

void reopen(struct bench *bench)
{
    bench->store = store_close(bench->store);
    if (store_open(&bench->store, bench->path, message) != 0)
        fail_msg("%s", message);
}

int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    directory_make(bench->directory);
    snprintf(bench->path, sizeof(bench->path), "%s/habit.db", bench->directory);
    reopen(bench);
    *state = bench;
    return 0;
}

int tear_down(void **state)
{
    struct bench *bench = *state;

    fault_clear();
    store_close(bench->store);
    directory_remove(bench->directory);
    free(bench);
    return 0;
}

int64_t create(struct bench *bench, const char *id)
{
    struct store_change first = { .at = 1000, .settings = "{}" };
    int64_t machine = 0;

    assert_int_equal(store_create_machine(bench->store, id, &first, &machine), 0);
    assert_true(machine > 0);
    return machine;
}

int commit(struct bench *bench, const struct store_change *change)
{
    struct store_op *op = NULL;

    assert_int_equal(store_submit(bench->store, change, &op), 0);
    assert_non_null(op);
    return store_finish(bench->store, op);
}

void must_commit(struct bench *bench, const struct store_change *change)
{
    assert_int_equal(commit(bench, change), 0);
}

/* ---------------------------------------------------------------------------------------------- a change of every part */

/* All parts at once; everything in it follows from n. */
void make_parts(struct parts *parts, struct bench *bench, int64_t machine, unsigned int n)
{
    memset(parts, 0, sizeof(*parts));
    parts->state = (struct strategy_state){ .phase = n % 3,
                                            .phase_since = 10 + n,
                                            .phase_learned = n,
                                            .last_learn = INT64_C(1) << 40,
                                            .last_detect = n + 1,
                                            .last_seen = n + 2,
                                            .interval = 40 + n,
                                            .anomaly = 1000 + n,
                                            .anomaly_similarity = n % 101,
                                            .anomaly_distance = (float)n + 0.1f,
                                            .anomaly_buffers = n + 3 };
    memset(parts->window, (int)n, sizeof(parts->window));
    memset(parts->knowledge, (int)(n + 1), sizeof(parts->knowledge));
    for (size_t i = 0; i < 3; i++) {
        struct mark *mark = &parts->mark[i];

        snprintf(mark->source, sizeof(mark->source), i < 2 ? "esp" : "plc");
        snprintf(mark->boot, sizeof(mark->boot), "boot%zu", i);
        mark->high = i == 1 ? UINT64_MAX - n : 100 * i + n;
        memset(mark->seen, (int)(0xa0 + n + i), sizeof(mark->seen));
        mark->used = (int64_t)(7 * n + i);
    }
    for (size_t i = 0; i < 2; i++) {
        for (size_t j = 0; j < 12; j++)
            parts->samples[i][j] = (int16_t)(n * 100 + j - 32768 * i);
        for (size_t j = 0; j < 3; j++) {
            parts->step[i][j] = 0.5f * (float)(n + j + 1);
            parts->offset[i][j] = -1.5f * (float)(n + j);
        }
        parts->commissioning[i] = (struct store_buffer){ .samples = parts->samples[i],
                                                         .count = 12,
                                                         .step = parts->step[i],
                                                         .offset = parts->offset[i],
                                                         .axes = 3,
                                                         .at = (int64_t)(n + i) };
        parts->anomaly[i] = (struct anomaly){ .id = store_next_anomaly(bench->store),
                                              .raised = 1000 * n,
                                              .cleared = i == 0 ? 0 : 1000 * n + 5,
                                              .event = i == 0 ? ANOMALY_RAISED : ANOMALY_CLEARED,
                                              .similarity = (uint8_t)(60 + i),
                                              .distance = 2.5f,
                                              .threshold = 90,
                                              .sensitivity = 1.1f,
                                              .learned = 77,
                                              .buffers = 8,
                                              .explanation = i == 0 ? (char *)(uintptr_t) "[]"
                                                                    : (char *)(uintptr_t) "[{\"kind\":\"band\"}]" };
        parts->evidence[i] = parts->commissioning[i];
        parts->evidence[i].anomaly = parts->anomaly[i].id;
        parts->anomaly[i].knowledge_crc = 0xfedcba98U;
        parts->anomaly[i].undo = i == 0 ? 0 : UNDO_OF_THIS_CHANGE;
        snprintf(parts->anomaly[i].context, sizeof(parts->anomaly[i].context), "{\"load\":%u}", n);
        snprintf(parts->anomaly[i].asset, sizeof(parts->anomaly[i].asset), "pump %zu", i);
        parts->outgoing[i] = (struct store_outgoing){ .topic = i == 0 ? "fan/anomaly" : "fan/report/daily",
                                                      .payload = i == 0 ? "{}" : "{\"id\":2}",
                                                      .retain = i == 1 };
        parts->hour[i] = (struct hour){ .start = (int64_t)HOUR_MS * (1000 + (int64_t)i),
                                        .similarity_sum = 97.5,
                                        .log_distance_sum = -0.5,
                                        .similarity_min = 95,
                                        .anomaly_ms = 17 };
#define FILL(name, help) parts->hour[i].name = n + 1;
        HOUR_COUNTERS(FILL)
#undef FILL
    }
    parts->mute = (struct mute){ .since = 3, .until = 4 + n, .who = "Ana", .why = "belt", .then = MUTE_RELEARN };
    parts->candidate =
        (struct store_candidate){ .made = 9, .buffers = 60 + n, .accepted = n, .bytes = parts->window, .size = 50 };
    parts->change = (struct store_change){
        .machine = machine,
        .epoch = store_epoch(bench->store, machine),
        .at = 5000 + n,
        .state = &parts->state,
        .window = parts->window,
        .window_size = sizeof(parts->window),
        .knowledge = parts->knowledge,
        .knowledge_size = sizeof(parts->knowledge),
        .snapshot = "test",
        .settings = "{\"name\":\"fan\"}",
        .marks = parts->mark,
        .mark_count = 3,
        .commissioning = parts->commissioning,
        .commissioning_count = 2,
        .evidence = parts->evidence,
        .evidence_count = 2,
        .mute = &parts->mute,
        .candidate = &parts->candidate,
        .anomalies = parts->anomaly,
        .outgoing = parts->outgoing,
        .anomaly_count = 2,
        .outgoing_count = 2,
        .hours = parts->hour,
        .hour_count = 2,
    };
}

static int take(void *user, const struct store_machine *machine)
{
    struct loaded *loaded = user;

    loaded->count++;
    loaded->machine = machine->machine;
    loaded->created = machine->created;
    snprintf(loaded->id, sizeof(loaded->id), "%s", machine->id);
    snprintf(loaded->settings, sizeof(loaded->settings), "%s", machine->settings);
    loaded->state = machine->state;
    assert_true(machine->window_size <= sizeof(loaded->window) && machine->knowledge_size <= sizeof(loaded->knowledge));
    assert_true(machine->mark_count <= COUNT(loaded->mark));
    loaded->window_size = machine->window_size;
    loaded->knowledge_size = machine->knowledge_size;
    loaded->mark_count = machine->mark_count;
    loaded->knows = machine->knowledge != NULL;
    if (machine->window)
        memcpy(loaded->window, machine->window, machine->window_size);
    if (machine->knowledge)
        memcpy(loaded->knowledge, machine->knowledge, machine->knowledge_size);
    memcpy(loaded->mark, machine->marks, machine->mark_count * sizeof(loaded->mark[0]));
    loaded->commissioning_count = machine->commissioning_count;
    loaded->commissioning_bytes = machine->commissioning_bytes;
    return 0;
}

struct loaded *load(struct bench *bench, int64_t machine)
{
    static struct loaded loaded;

    memset(&loaded, 0, sizeof(loaded));
    assert_int_equal(store_load_machines(bench->store, machine, take, &loaded), 0);
    return &loaded;
}

void check_state(const struct strategy_state *a, const struct strategy_state *b)
{
    assert_int_equal(a->phase, b->phase);
    assert_int_equal(a->phase_since, b->phase_since);
    assert_int_equal(a->phase_learned, b->phase_learned);
    assert_int_equal(a->last_learn, b->last_learn);
    assert_int_equal(a->last_detect, b->last_detect);
    assert_int_equal(a->last_seen, b->last_seen);
    assert_int_equal(a->interval, b->interval);
    assert_int_equal(a->anomaly, b->anomaly);
    assert_int_equal(a->anomaly_similarity, b->anomaly_similarity);
    assert_true(a->anomaly_distance == b->anomaly_distance);
    assert_int_equal(a->anomaly_buffers, b->anomaly_buffers);
}

const struct mark *find_mark(const struct loaded *loaded, const struct mark *wanted)
{
    for (size_t i = 0; i < loaded->mark_count; i++)
        if (strcmp(loaded->mark[i].source, wanted->source) == 0 && strcmp(loaded->mark[i].boot, wanted->boot) == 0)
            return &loaded->mark[i];
    fail_msg("no mark %s/%s", wanted->source, wanted->boot);
    return NULL;
}

void check_loaded(const struct loaded *loaded, const struct parts *parts)
{
    assert_int_equal(loaded->count, 1);
    assert_int_equal(loaded->machine, parts->change.machine);
    assert_string_equal(loaded->settings, parts->change.settings);
    check_state(&loaded->state, &parts->state);
    assert_int_equal(loaded->window_size, sizeof(parts->window));
    assert_memory_equal(loaded->window, parts->window, sizeof(parts->window));
    assert_int_equal(loaded->knowledge_size, sizeof(parts->knowledge));
    assert_memory_equal(loaded->knowledge, parts->knowledge, sizeof(parts->knowledge));
    assert_int_equal(loaded->mark_count, 3);
    for (size_t i = 0; i < 3; i++) {
        const struct mark *mark = find_mark(loaded, &parts->mark[i]);

        assert_int_equal(mark->high, parts->mark[i].high);
        assert_memory_equal(mark->seen, parts->mark[i].seen, sizeof(mark->seen));
        assert_int_equal(mark->used, parts->mark[i].used);
    }
}

int64_t create_with_history(struct bench *bench)
{
    int64_t machine = create(bench, "fan");
    struct parts parts;

    make_parts(&parts, bench, machine, 1);
    must_commit(bench, &parts.change);
    return machine;
}
