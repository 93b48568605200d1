/* The store on real files: what goes in comes out; what was finished with 0 is on disk, what was not never was; and files that
 * are not for us are left as they are, to the byte.
 *
 * SQLite's writes and syncs go through this program, which can let the n-th of them fail. */
#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/budget.h"
#include "store/store.h"

/* ------------------------------------------------------------------------------------------------- faults, by the number */

static atomic_long writes, syncs;           /* so far */
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

static void fault_after(long count, int number, int once)
{
    fault_number = number;
    fault_once = once;
    allowed = count;
}

static void fault_clear(void)
{
    allowed = -1;
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    writes++;
    return fails() ? -1 : syscall(SYS_pwrite64, fd, bytes, size, offset);
}

int fdatasync(int fd)
{
    syncs++;
    return fails() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

int ftruncate64(int fd, off64_t size)
{
    writes++;
    return fails() ? -1 : (int)syscall(SYS_ftruncate, fd, size);
}

/* ------------------------------------------------------------------------------------------------------------- bench */

struct bench {
    char directory[PATH_SIZE], path[PATH_SIZE + 16];
    struct store *store;
};

static char message[STORE_MESSAGE_SIZE];

static void reopen(struct bench *bench)
{
    bench->store = store_close(bench->store);
    if (store_open(&bench->store, bench->path, message) != 0)
        fail_msg("%s", message);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    directory_make(bench->directory);
    snprintf(bench->path, sizeof(bench->path), "%s/habit.db", bench->directory);
    reopen(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    fault_clear();
    store_close(bench->store);
    directory_remove(bench->directory);
    free(bench);
    return 0;
}

/* By a connection of its own, as another process would see it. */
static int64_t create(struct bench *bench, const char *id)
{
    struct store_change first = { .at = 1000, .settings = "{}" };
    int64_t machine = 0;

    assert_int_equal(store_create_machine(bench->store, id, &first, &machine), 0);
    assert_true(machine > 0);
    return machine;
}

static int commit(struct bench *bench, const struct store_change *change)
{
    struct store_op *op = NULL;

    assert_int_equal(store_submit(bench->store, change, &op), 0);
    assert_non_null(op);
    return store_finish(bench->store, op);
}

static void must_commit(struct bench *bench, const struct store_change *change)
{
    assert_int_equal(commit(bench, change), 0);
}

/* ---------------------------------------------------------------------------------------------- a change of every part */

struct parts {
    struct store_change change;
    struct strategy_state state;
    char window[100], knowledge[3000];
    struct mark mark[3];
    struct store_buffer commissioning[2], evidence[2];
    struct mute mute;
    struct store_candidate candidate;
    int16_t samples[2][12];
    float step[2][3], offset[2][3];
    struct anomaly anomaly[2];
    struct store_outgoing outgoing[2];
    struct hour hour[2];
};

/* All parts at once; everything in it follows from n. */
static void make_parts(struct parts *parts, struct bench *bench, int64_t machine, unsigned int n)
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
        .epoch = store_epoch(bench->store),
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

struct loaded {
    int count;
    int64_t machine, created;
    char id[MACHINE_ID_SIZE], settings[64], window[200], knowledge[4000];
    struct strategy_state state;
    size_t window_size, knowledge_size, mark_count;
    bool knows;
    struct mark mark[LIMIT_SOURCES * LIMIT_BOOTS];
    uint32_t commissioning_count;
    uint64_t commissioning_bytes;
};

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

static struct loaded *load(struct bench *bench, int64_t machine)
{
    static struct loaded loaded;

    memset(&loaded, 0, sizeof(loaded));
    assert_int_equal(store_load_machines(bench->store, machine, take, &loaded), 0);
    return &loaded;
}

static void check_state(const struct strategy_state *a, const struct strategy_state *b)
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

static const struct mark *find_mark(const struct loaded *loaded, const struct mark *wanted)
{
    for (size_t i = 0; i < loaded->mark_count; i++)
        if (strcmp(loaded->mark[i].source, wanted->source) == 0 && strcmp(loaded->mark[i].boot, wanted->boot) == 0)
            return &loaded->mark[i];
    fail_msg("no mark %s/%s", wanted->source, wanted->boot);
    return NULL;
}

static void check_loaded(const struct loaded *loaded, const struct parts *parts)
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

/* -------------------------------------------------------------------------------------------------------- round trips */

static void test_new_file(void **state)
{
    struct bench *bench = *state;
    struct store_figures figures;
    struct stat file;

    assert_int_equal(stat(bench->path, &file), 0);
    assert_int_equal(file.st_mode & 0777, 0600);
    assert_int_equal(load(bench, 0)->count, 0);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.failed_commits, 0);
    assert_int_equal(figures.last_error, 0);
    assert_true(figures.size_bytes >= 0 && figures.free_bytes > 0);
}

static void test_every_part_comes_back(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct parts parts;

    create(bench, "another");
    make_parts(&parts, bench, machine, 1);
    must_commit(bench, &parts.change);
    check_loaded(load(bench, machine), &parts);
    assert_int_equal(load(bench, machine)->commissioning_count, 2);
    assert_int_equal(load(bench, machine)->commissioning_bytes, 2 * 12 * sizeof(int16_t));
    assert_string_equal(load(bench, machine)->id, "fan");
    assert_int_equal(load(bench, machine)->created, 1000);
    reopen(bench);
    check_loaded(load(bench, machine), &parts);
    make_parts(&parts, bench, machine, 2); /* replaced, not added */
    must_commit(bench, &parts.change);
    check_loaded(load(bench, machine), &parts);
    assert_int_equal(load(bench, machine)->commissioning_count, 4); /* but these are */
    assert_int_equal(load(bench, 0)->count, 2);
}

static void test_parts_that_are_not_given_stay(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change nothing = { .machine = machine, .epoch = store_epoch(bench->store), .at = 9000 }, only_state;
    struct parts parts, other;

    make_parts(&parts, bench, machine, 1);
    must_commit(bench, &parts.change);
    must_commit(bench, &nothing);
    check_loaded(load(bench, machine), &parts);
    make_parts(&other, bench, machine, 2);
    only_state = nothing;
    only_state.state = &other.state;
    must_commit(bench, &only_state);
    parts.state = other.state;
    check_loaded(load(bench, machine), &parts); /* the window too */
}

struct taken {
    struct mute mute;
    struct store_candidate candidate;
    char bytes[50];
};

static int take_kept(void *user, const struct store_machine *machine)
{
    struct taken *taken = user;

    taken->mute = machine->mute;
    taken->candidate = machine->candidate;
    assert_true(machine->candidate.size == 0 || machine->candidate.size == sizeof(taken->bytes));
    if (machine->candidate.bytes)
        memcpy(taken->bytes, machine->candidate.bytes, sizeof(taken->bytes));
    return 0;
}

static int count_buffer(void *user, const struct store_buffer *buffer)
{
    assert_int_equal(buffer->axes, 3);
    assert_int_equal(buffer->count, 12);
    ++*(int *)user;
    return 0;
}

static void test_what_is_kept_of_anomalies(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    const struct anomaly_query query = { .limit = 2 };
    struct store_candidate none = { 0 };
    struct anomaly found[2];
    struct mute over = { 0 };
    struct taken taken = { 0 };
    struct parts parts;
    int count = 0;

    make_parts(&parts, bench, machine, 5);
    must_commit(bench, &parts.change); /* nothing to take a snapshot of yet */
    must_commit(bench, &parts.change);
    assert_int_equal(store_anomalies(bench->store, &query, found), 2);
    assert_true(found[0].evidence == 2 && found[1].evidence == 2); /* an update does not lose them */
    assert_int_equal(found[0].undo, database_number(bench->path, "SELECT max(id) FROM snapshot"));
    assert_int_equal(found[1].undo, 0);
    assert_true(found[0].knowledge_crc == 0xfedcba98U);
    assert_string_equal(found[0].context, "{\"load\":5}");
    free(found[0].explanation);
    free(found[1].explanation);
    assert_int_equal(store_kept(bench->store, KEPT_EVIDENCE, found[0].id, count_buffer, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(store_load_machines(bench->store, machine, take_kept, &taken), 0);
    assert_true(taken.mute.since == 3 && taken.mute.until == 9 && taken.mute.then == MUTE_RELEARN);
    assert_string_equal(taken.mute.who, "Ana");
    assert_true(taken.candidate.made == 9 && taken.candidate.buffers == 65 && taken.candidate.accepted == 5);
    assert_memory_equal(taken.bytes, parts.window, sizeof(taken.bytes));
    must_commit(bench, &(struct store_change){
                           .machine = machine, .epoch = store_epoch(bench->store), .mute = &over, .candidate = &none });
    assert_int_equal(store_load_machines(bench->store, machine, take_kept, &taken), 0);
    assert_true(taken.mute.until == 0 && taken.candidate.made == 0);
}

/* Going back to a snapshot: later buffers are forgotten, and numbers are not used again, whatever was deleted. */
static void test_going_back(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), first;
    uint32_t count = 77;
    uint64_t bytes = 77;
    struct parts parts;

    make_parts(&parts, bench, machine, 1);
    must_commit(bench, &parts.change); /* two buffers */
    must_commit(bench, &parts.change); /* a snapshot that knows them, then two more */
    first = database_number(bench->path, "SELECT max(id) FROM snapshot");
    must_commit(bench, &parts.change);
    assert_int_equal(load(bench, machine)->commissioning_count, 6);
    assert_int_equal(store_commissioning_of(bench->store, machine, first, &count, &bytes), 0);
    assert_true(count == 2 && bytes == 2 * 12 * sizeof(int16_t));
    must_commit(bench, &(struct store_change){ .machine = machine,
                                               .epoch = store_epoch(bench->store),
                                               .restored = first,
                                               .snapshot = "before restore" });
    assert_int_equal(load(bench, machine)->commissioning_count, 2);
    must_commit(bench, &(struct store_change){
                           .machine = machine, .epoch = store_epoch(bench->store), .forget_commissioning = true });
    must_commit(bench, &parts.change);
    assert_int_equal(store_commissioning_of(bench->store, machine, first, &count, &bytes), 0);
    assert_true(count == 0 && bytes == 0);
}

static void test_commissioning_buffers(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change forget = { .machine = machine,
                                   .epoch = store_epoch(bench->store),
                                   .forget_commissioning = true };
    struct parts parts;

    make_parts(&parts, bench, machine, 3);
    must_commit(bench, &parts.change);
    assert_int_equal(database_number(bench->path,
                                     "SELECT count(*) FROM commissioning WHERE axes = 3 AND length(samples) = 24 AND "
                                     "length(step) = 12 AND length(zero) = 12"),
                     2);
    assert_int_equal(database_number(bench->path,
                                     "SELECT samples = x'2c012d012e012f0130013101320133013401350136013701' FROM "
                                     "commissioning ORDER BY id LIMIT 1"),
                     1); /* 300, 301, ... */
    assert_int_equal(
        database_number(bench->path,
                        "SELECT step = x'000000400000204000004040' FROM commissioning ORDER BY id LIMIT 1"),
        1);
    must_commit(bench, &forget);
    assert_int_equal(load(bench, machine)->commissioning_count, 0);
    assert_int_equal(load(bench, machine)->commissioning_bytes, 0);
    parts.change.forget_commissioning = true; /* the old ones, not those that come with it */
    must_commit(bench, &parts.change);
    assert_int_equal(load(bench, machine)->commissioning_count, 2);
}

static void test_marks_of_a_machine_are_replaced_whole(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store) };
    struct parts parts;
    struct mark one;

    make_parts(&parts, bench, machine, 1);
    must_commit(bench, &parts.change);
    one = parts.mark[0];
    snprintf(one.boot, sizeof(one.boot), "newer");
    change.marks = &one;
    change.mark_count = 1;
    must_commit(bench, &change);
    assert_int_equal(load(bench, machine)->mark_count, 1);
    find_mark(load(bench, machine), &one);
    change.marks = NULL; /* nothing is said of them */
    change.mark_count = 0;
    must_commit(bench, &change);
    assert_int_equal(load(bench, machine)->mark_count, 1);
}

static void test_machines(void **state)
{
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    int64_t fan = create(bench, "fan"), pump = create(bench, "Pump"), again = -1;
    struct parts parts;

    assert_true(fan != pump);
    assert_int_equal(store_create_machine(bench->store, "fan", &first, &again), -EEXIST);
    assert_int_equal(load(bench, 0)->count, 2);
    assert_int_equal(store_create_machine(bench->store, "Fan", &first, &again), 0); /* case matters */
    assert_int_equal(load(bench, 12345)->count, 0);
    make_parts(&parts, bench, fan, 1);
    must_commit(bench, &parts.change);
    assert_int_equal(store_delete_machine(bench->store, fan, NULL, 0, 0), 0);
    assert_int_equal(load(bench, fan)->count, 0);
    assert_int_equal(load(bench, 0)->count, 2);
    assert_int_equal(
        database_number(
            bench->path,
            "SELECT (SELECT count(*) FROM state) + (SELECT count(*) FROM knowledge) + (SELECT count(*) FROM "
            "snapshot) + (SELECT count(*) FROM commissioning) + (SELECT count(*) FROM mark) + (SELECT "
            "count(*) FROM anomaly) + (SELECT count(*) FROM hour)"),
        0);
    assert_true(commit(bench, &parts.change) < 0); /* too late */
    again = create(bench, "fan");
    assert_true(again != fan); /* H43: nothing of the old one can come back by its row */
    assert_false(load(bench, again)->knows);
    assert_int_equal(load(bench, again)->mark_count, 0);
}

/* The first change comes with the machine: both or nothing. */
static void test_create_with_a_first_change(void **state)
{
    struct bench *bench = *state;
    struct parts parts;
    int64_t machine = -1;

    make_parts(&parts, bench, 4711, 1);
    parts.change.epoch = 4711;
    parts.change.snapshot = NULL;
    assert_int_equal(store_create_machine(bench->store, "fan", &parts.change, &machine), 0);
    parts.change.machine = machine;
    check_loaded(load(bench, machine), &parts);
    assert_int_equal(load(bench, machine)->created, parts.change.at);
}

static int stop_at_second(void *user, const struct store_machine *machine)
{
    (void)machine;
    return ++*(int *)user == 2 ? -ECANCELED : 0;
}

static void test_load_stops_where_told(void **state)
{
    struct bench *bench = *state;
    int seen = 0;

    create(bench, "a");
    create(bench, "b");
    create(bench, "c");
    assert_int_equal(store_load_machines(bench->store, 0, stop_at_second, &seen), -ECANCELED);
    assert_int_equal(seen, 2);
    create(bench, "d"); /* and nothing stays locked */
}

static void test_snapshots_are_bounded(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump");
    struct parts parts, other;

    make_parts(&other, bench, pump, 7);
    must_commit(bench, &other.change);
    must_commit(bench, &other.change);
    make_parts(&parts, bench, fan, 0);
    must_commit(bench, &parts.change); /* nothing to keep yet */
    assert_int_equal(
        database_number(bench->path,
                        "SELECT count(*) FROM snapshot s JOIN machine m ON m.id = s.machine WHERE name = 'fan'"),
        0);
    for (unsigned int i = 1; i <= 3 * LIMIT_SNAPSHOTS; i++) {
        parts.knowledge[0] = (char)i;
        must_commit(bench, &parts.change);
        assert_int_equal(
            database_number(bench->path,
                            "SELECT count(*) FROM snapshot s JOIN machine m ON m.id = s.machine WHERE name = 'fan'"),
            i < LIMIT_SNAPSHOTS ? i : LIMIT_SNAPSHOTS);
    }
    /* the newest is what was there before the last change; the oldest ones are gone */
    assert_int_equal(
        database_number(bench->path, "SELECT hex(substr(bytes, 1, 1)) = '2F' FROM snapshot ORDER BY id DESC LIMIT 1"),
        1);
    assert_int_equal(
        database_number(bench->path,
                        "SELECT hex(substr(bytes, 1, 1)) = '20' FROM snapshot s JOIN machine m ON m.id = s.machine "
                        "WHERE name = 'fan' ORDER BY s.id LIMIT 1"),
        1);
    assert_int_equal(
        database_number(bench->path,
                        "SELECT count(*) FROM snapshot s JOIN machine m ON m.id = s.machine WHERE name = 'pump'"),
        1);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM snapshot WHERE reason <> 'test'"), 0);
}

/* ---------------------------------------------------------------------------------------------------------- anomalies */

static void add_anomaly(struct bench *bench, int64_t machine, int64_t id, const char *asset, int64_t raised,
                        int64_t cleared)
{
    struct anomaly anomaly = { .id = id,
                               .raised = raised,
                               .cleared = cleared,
                               .event = ANOMALY_RAISED,
                               .explanation = (char *)(uintptr_t) "[1]" };
    struct store_outgoing outgoing = { .topic = "t", .payload = "{}" };
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store),
                                   .at = raised,
                                   .anomalies = &anomaly,
                                   .outgoing = &outgoing,
                                   .anomaly_count = 1,
                                   .outgoing_count = 1 };

    snprintf(anomaly.asset, sizeof(anomaly.asset), "%s", asset);
    must_commit(bench, &change);
}

/* The ids of an answer as text: "5 3 1 ". */
static const char *ids_of(struct bench *bench, struct anomaly_query query, char text[100])
{
    struct anomaly found[16];
    int count;

    query.limit = query.limit ? query.limit : COUNT(found);
    count = store_anomalies(bench->store, &query, found);
    text[0] = '\0';
    assert_in_range(count, 0, query.limit);
    for (int i = 0; i < count; i++) {
        snprintf(text + strlen(text), 100 - strlen(text), "%lld ", (long long)found[i].id);
        free(found[i].explanation);
    }
    return text;
}

static void test_anomalies_by_filter_and_cursor(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump");
    char text[100];

    add_anomaly(bench, fan, 1, "hall", 100, 150);
    add_anomaly(bench, pump, 2, "hall", 200, 0);
    add_anomaly(bench, fan, 3, "roof", 300, 350);
    add_anomaly(bench, pump, 4, "", 400, 450);
    add_anomaly(bench, fan, 5, "hall", 500, 0);
    assert_string_equal(ids_of(bench, (struct anomaly_query){ 0 }, text), "5 4 3 2 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "fan" }, text), "5 3 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "Fan" }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .asset = "hall" }, text), "5 2 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .asset = "" }, text), "4 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "fan", .asset = "hall" }, text), "5 1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .from = 200, .to = 400 }, text), "3 2 "); /* [from, to) */
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .from = 201 }, text), "5 4 3 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .to = 200 }, text), "1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .id = 3 }, text), "3 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .id = 6 }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .id = 3, .machine = "pump" }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2 }, text), "5 4 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2, .before = 4 }, text), "3 2 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2, .before = 2 }, text), "1 ");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .limit = 2, .before = 1 }, text), "");
    assert_string_equal(ids_of(bench, (struct anomaly_query){ .machine = "'; DROP TABLE anomaly; --" }, text), "");
    add_anomaly(bench, fan, 5, "hall", 500, 550); /* replaced by its id */
    assert_string_equal(ids_of(bench, (struct anomaly_query){ 0 }, text), "5 4 3 2 1 ");
}

static void test_anomaly_round_trip(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct anomaly_query query = { .limit = 10 };
    struct anomaly found[10];
    struct parts parts;

    make_parts(&parts, bench, machine, 4);
    must_commit(bench, &parts.change);
    assert_int_equal(store_anomalies(bench->store, &query, found), 2);
    for (size_t i = 0; i < 2; i++) {
        const struct anomaly *sent = &parts.anomaly[1 - i], *got = &found[i];

        assert_int_equal(got->id, sent->id);
        assert_string_equal(got->machine, "fan");
        assert_string_equal(got->asset, sent->asset);
        assert_int_equal(got->raised, sent->raised);
        assert_int_equal(got->cleared, sent->cleared);
        assert_int_equal(got->event, sent->event);
        assert_int_equal(got->similarity, sent->similarity);
        assert_true(got->distance == sent->distance && got->sensitivity == sent->sensitivity);
        assert_int_equal(got->threshold, sent->threshold);
        assert_int_equal(got->learned, sent->learned);
        assert_int_equal(got->buffers, sent->buffers);
        assert_string_equal(got->explanation, sent->explanation);
        free(found[i].explanation);
    }
}

static void test_old_anomalies_are_deleted_but_open_ones(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    char text[100];

    add_anomaly(bench, machine, 1, "", 1, 2);
    add_anomaly(bench, machine, 2, "", 1, 0);
    add_anomaly(bench, machine, 3, "", 1, 2);
    add_anomaly(bench, machine, 4, "", 1, 2);
    add_anomaly(bench, machine, LIMIT_ANOMALIES + 3, "", 1, 2);
    assert_string_equal(ids_of(bench, (struct anomaly_query){ 0 }, text), "100003 4 2 ");
}

static void test_anomaly_ids_are_never_used_twice(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), last = store_next_anomaly(bench->store), next;

    for (int i = 0; i < 10; i++) {
        next = store_next_anomaly(bench->store);
        assert_true(next > last);
        last = next;
    }
    add_anomaly(bench, machine, last, "", 1, 2);
    reopen(bench);
    next = store_next_anomaly(bench->store);
    assert_true(next > last);
    add_anomaly(bench, machine, next, "", 1, 2);
    assert_int_equal(store_delete_machine(bench->store, machine, NULL, 0, 0),
                     0); /* the anomaly goes, its number was seen by many */
    reopen(bench);
    assert_true(store_next_anomaly(bench->store) > next);
}

/* -------------------------------------------------------------------------------------------------------------- hours */

static void add_hour(struct bench *bench, int64_t machine, int64_t start, uint32_t n)
{
    struct hour hour = { .start = start,
                         .similarity_sum = 0.5 * n,
                         .log_distance_sum = -0.25 * n,
                         .similarity_min = n % 102,
                         .anomaly_ms = n };
    struct store_change change = {
        .machine = machine, .epoch = store_epoch(bench->store), .hours = &hour, .hour_count = 1
    };

#define FILL(name, help) hour.name = n;
    HOUR_COUNTERS(FILL)
#undef FILL
    must_commit(bench, &change);
}

static void check_hour(const struct hour *hour, int64_t start, uint32_t n, uint32_t least)
{
    assert_int_equal(hour->start, start);
#define CHECK(name, help) assert_int_equal(hour->name, n);
    HOUR_COUNTERS(CHECK)
#undef CHECK
    assert_true(hour->similarity_sum == 0.5 * n && hour->log_distance_sum == -0.25 * n);
    assert_int_equal(hour->similarity_min, least);
    assert_int_equal(hour->anomaly_ms, n);
}

static void test_hours_add_up(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump"), first = 490000 * (int64_t)HOUR_MS;
    struct hour hours[10];

    add_hour(bench, fan, first + HOUR_MS, 50);
    add_hour(bench, fan, first, 7);
    add_hour(bench, pump, first, 1000);
    add_hour(bench, fan, first + HOUR_MS, 20);
    add_hour(bench, fan, first + 3 * (int64_t)HOUR_MS, 101);
    add_hour(bench, fan, first + HOUR_MS, 101); /* nothing detected: the least stays */
    assert_int_equal(store_hours(bench->store, fan, first, first + 10 * (int64_t)HOUR_MS, hours, 10), 3);
    check_hour(&hours[0], first, 7, 7);
    check_hour(&hours[1], first + HOUR_MS, 171, 20);
    check_hour(&hours[2], first + 3 * (int64_t)HOUR_MS, 101, 101);
    assert_int_equal(store_hours(bench->store, fan, first, first + HOUR_MS, hours, 10), 1); /* [from, to) */
    assert_int_equal(store_hours(bench->store, fan, first + 1, first + 3 * (int64_t)HOUR_MS, hours, 10), 1);
    assert_int_equal(store_hours(bench->store, fan, first, first + 10 * (int64_t)HOUR_MS, hours, 2), 2);
    check_hour(&hours[1], first + HOUR_MS, 171, 20);
    assert_int_equal(store_hours(bench->store, pump, 0, INT64_MAX, hours, 10), 1);
    check_hour(&hours[0], first, 1000, 1000 % 102);
    assert_int_equal(store_hours(bench->store, 4711, 0, INT64_MAX, hours, 10), 0);
    reopen(bench);
    add_hour(bench, fan, first, 1);
    assert_int_equal(store_hours(bench->store, fan, first, first + 1, hours, 10), 1);
    check_hour(&hours[0], first, 8, 1);
}

/* So many hours in which something was counted are kept, however far apart they are: a clock that jumps by ten years deletes
 * nothing. */
static void test_old_hours_are_deleted(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), first = 490000 * (int64_t)HOUR_MS;
    struct hour hours[10];
    char text[300];

    add_hour(bench, machine, first, 1);
    add_hour(bench, machine, first + HOUR_MS, 1);
    add_hour(bench, machine, first + 20 * LIMIT_HOURS * (int64_t)HOUR_MS, 1);
    assert_int_equal(store_hours(bench->store, machine, 0, INT64_MAX, hours, 10), 3);
    snprintf(text, sizeof(text),
             "WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO hour SELECT "
             "%lld + i "
             "* 3600000, 77, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM n",
             LIMIT_HOURS - 2, (long long)first);
    database_run(bench->path, text);
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT start) FROM hour"), LIMIT_HOURS);
    add_hour(bench, machine, first + (20 * LIMIT_HOURS + 1) * (int64_t)HOUR_MS, 1);
    assert_int_equal(database_number(bench->path, "SELECT count(DISTINCT start) FROM hour"), LIMIT_HOURS);
    assert_int_equal(store_hours(bench->store, machine, 0, INT64_MAX, hours, 10), 3);
    assert_int_equal(hours[0].start, first + HOUR_MS);
}

/* ------------------------------------------------------------------------------------------------------------ reports */

/* Every member follows from n, NAN among them. */
static struct daily_report report_with(int64_t machine, int64_t from, uint32_t n)
{
    struct daily_report report = { .day = { .date = "2026-11-22", .from = from, .to = from + 23 * (int64_t)HOUR_MS },
                                   .machine_row = machine,
                                   .made = from + 30 * (int64_t)HOUR_MS,
                                   .asset = "pump, left",
                                   .knowledge_learned = n + 1,
                                   .knowledge_crc = UINT32_MAX - n,
                                   .sensitivity = 1.1f,
                                   .threshold = 90,
                                   .worst = n,
                                   .worst_similarity = 17,
                                   .worst_distance = 2.5f,
                                   .worst_explanation = (char *)(uintptr_t) "[{\"kind\":\"band\"}]",
                                   .trend = { .days = 28,
                                              .level = -1.5,
                                              .slope = 0.25,
                                              .slope_low = 0.125,
                                              .slope_high = 0.5,
                                              .rising = true,
                                              .to_line = 6,
                                              .to_line_low = 3,
                                              .to_line_high = NAN } };

#define FILL(name, help) report.total.name = n + 7;
    HOUR_COUNTERS(FILL)
    HOUR_SUMS(FILL)
    HOUR_TIMES(FILL)
#undef FILL
    report.total.start = from;
    report.total.similarity_min = n;
    report.total.phase = 3;
    return report;
}

static void check_report(void *user, const struct daily_report *report)
{
    struct daily_report expected = report_with(report->machine_row, report->day.from, (uint32_t)report->worst);

    assert_string_equal(report->worst_explanation, expected.worst_explanation);
    assert_true(isnan(report->trend.to_line_high));
    assert_string_equal(report->day.date, expected.day.date);
    assert_string_equal(report->asset, expected.asset);
    assert_int_equal(report->day.to, expected.day.to);
    assert_int_equal(report->made, expected.made);
    assert_memory_equal(&report->total, &expected.total, sizeof(expected.total));
    assert_memory_equal(&report->knowledge_learned, &expected.knowledge_learned,
                        offsetof(struct daily_report, worst_explanation) -
                            offsetof(struct daily_report, knowledge_learned));
    assert_memory_equal(&report->trend, &expected.trend, offsetof(struct trend, to_line_high));
    *(int *)user += 1;
}

static int count_reports(struct bench *bench, int64_t machine, int64_t from, int64_t to)
{
    int count = 0;

    assert_int_equal(store_reports(bench->store, machine, from, to, check_report, &count), 0);
    return count;
}

static void test_reports_are_kept_as_they_were_made(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), pump = create(bench, "pump"), day = 24 * (int64_t)HOUR_MS;
    struct daily_report reports[3] = { report_with(fan, 10 * day, 5), report_with(pump, 10 * day, 6),
                                       report_with(4711, 10 * day, 7) };
    struct store_outgoing outgoing[3] = { { .topic = "fan/report/daily", .payload = "{}", .retain = true },
                                          { .topic = "", .payload = NULL },
                                          { .topic = "none/report/daily", .payload = "{}" } };
    struct store_outgoing summary = { .topic = "report/daily", .payload = "{}", .retain = true };
    struct report_progress progress = { .closed = 11 * day, .made = 11 * day, .date = "2026-11-22" }, found;
    struct store_reports all = { .reports = reports, .outgoing = outgoing, .count = 3 };

    assert_int_equal(store_report_progress(bench->store, &found), 0);
    assert_true(found.made == 0 && found.closed == 0 && found.date[0] == '\0');
    assert_int_equal(store_put_reports(bench->store, &all), 0);
    reports[0] = report_with(fan, 10 * day, 50); /* made again after a crash: the first stays, and is not said twice */
    assert_int_equal(store_put_reports(bench->store, &all), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox"), 1);
    assert_int_equal(
        store_put_reports(bench->store, &(struct store_reports){ .progress = &progress, .summary = &summary }), 0);
    assert_int_equal(
        database_number(bench->path, "SELECT count(*) FROM outbox WHERE topic = 'report/daily' AND retain = 1"), 1);
    reopen(bench);
    assert_int_equal(store_report_progress(bench->store, &found), 0);
    assert_int_equal(found.closed, progress.closed);
    assert_int_equal(found.made, progress.made);
    assert_string_equal(found.date, progress.date);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), 2);
    assert_int_equal(database_number(bench->path, "SELECT worst FROM report WHERE machine = 1"), 5);
    assert_int_equal(count_reports(bench, pump, 10 * day, 10 * day + 1), 1);
    assert_int_equal(count_reports(bench, 0, 10 * day + 1, INT64_MAX), 0);
    assert_int_equal(store_delete_machine(bench->store, fan, NULL, 0, 0), 0);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), 1);
    assert_int_equal(
        store_put_reports(bench->store, &(struct store_reports){ .progress = &progress, .forget = 10 * day }), 0);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), 0);
}

static void test_old_reports_are_deleted(void **state)
{
    struct bench *bench = *state;
    int64_t fan = create(bench, "fan"), day = 24 * (int64_t)HOUR_MS;
    struct daily_report *reports = calloc(LIMIT_REPORTS + 2, sizeof(*reports));
    struct store_outgoing *outgoing = calloc(LIMIT_REPORTS + 2, sizeof(*outgoing));
    struct report_progress progress = { .made = day };

    assert_true(reports && outgoing);
    for (int i = 0; i < LIMIT_REPORTS + 2; i++)
        reports[i] = report_with(fan, i * day, 1);
    assert_int_equal(store_put_reports(bench->store, &(struct store_reports){ .reports = reports,
                                                                              .outgoing = outgoing,
                                                                              .count = LIMIT_REPORTS + 2,
                                                                              .progress = &progress }),
                     0);
    assert_int_equal(count_reports(bench, 0, 0, INT64_MAX), LIMIT_REPORTS);
    assert_int_equal(count_reports(bench, 0, 0, 2 * day), 0);
    free(reports);
    free(outgoing);
}

/* ---------------------------------------------------------------------------------------------------------- migration */

static void test_a_store_of_schema_1(void **state)
{
    struct bench *bench = *state;
    struct hour hours[2];
    size_t size;
    char *text = file_read(HABIT_SOURCE_ROOT "/tests/daemon/stores/schema-1.sql", &size);

    bench->store = store_close(bench->store);
    unlink(bench->path);
    database_run(bench->path, text);
    free(text);
    reopen(bench);
    assert_int_equal(store_hours(bench->store, 1, 0, INT64_MAX, hours, 2), 1);
    assert_int_equal(hours[0].start, INT64_C(1795377600000));
    assert_true(hours[0].learned == 20 && hours[0].detected == 9 && hours[0].similarity_min == 97);
    assert_true(fabs(hours[0].log_distance_sum + 8.334874717461688) < 1e-9 && hours[0].late == 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine WHERE name = 'fan'"), 1);
    assert_int_equal(database_number(bench->path, "SELECT count(*) = 20 AND max(id) = 20 FROM commissioning"), 1);
    add_hour(bench, 1, hours[0].start, 5);
    assert_int_equal(store_hours(bench->store, 1, 0, INT64_MAX, hours, 2), 1);
    assert_int_equal(hours[0].learned, 25);
    assert_int_equal(store_delete_machine(bench->store, 1, NULL, 0, 0), 0);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM hour"), 0);
    assert_int_equal(database_number(bench->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

/* ------------------------------------------------------------------------------------------------------------- outbox */

enum { EVENTS = 128 };

/* Events numbered from `first` on, as payload. */
static void add_messages(struct bench *bench, int64_t machine, unsigned int first, size_t count)
{
    static struct anomaly anomalies[EVENTS];
    static struct store_outgoing outgoing[EVENTS];
    static char payloads[EVENTS][16];
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store),
                                   .anomalies = anomalies,
                                   .outgoing = outgoing,
                                   .anomaly_count = count,
                                   .outgoing_count = count };

    assert_true(count <= EVENTS);
    for (size_t i = 0; i < count; i++) {
        anomalies[i] = (struct anomaly){ .id = 1, .explanation = (char *)(uintptr_t) "[]" };
        snprintf(payloads[i], sizeof(payloads[i]), "%zu", first + i);
        outgoing[i] =
            (struct store_outgoing){ .topic = "fan/anomaly", .payload = payloads[i], .retain = (first + i) % 2 == 1 };
    }
    must_commit(bench, &change);
}

/* Reads `count` messages that must be numbered from `first` on; returns the id of the last. */
static int64_t check_messages(struct bench *bench, int64_t after, unsigned int first, size_t count)
{
    struct outbox_message messages[20];
    int64_t last = after;

    assert_true(count <= COUNT(messages));
    assert_int_equal(store_outbox(bench->store, after, messages, count), count);
    for (size_t i = 0; i < count; i++) {
        char payload[16];

        snprintf(payload, sizeof(payload), "%zu", first + i);
        assert_string_equal(messages[i].payload, payload);
        assert_string_equal(messages[i].topic, "fan/anomaly");
        assert_int_equal(messages[i].retain, (first + i) % 2 == 1);
        assert_true(messages[i].id > last);
        last = messages[i].id;
    }
    store_free_messages(messages, count);
    return last;
}

static void test_outbox_in_order(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), third, all;

    add_messages(bench, machine, 0, 4);
    add_messages(bench, machine, 4, 3);
    all = check_messages(bench, 0, 0, 7);
    third = check_messages(bench, 0, 0, 3);
    check_messages(bench, third, 3, 4);
    check_messages(bench, all, 0, 0);
    store_outbox_done(bench->store, third);
    add_messages(bench, machine, 7, 1); /* "with the next commit" */
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox"), 7);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox WHERE payload = '2'"), 0);
    check_messages(bench, 0, 0, 2);
    check_messages(bench, third, 3, 5);
    reopen(bench); /* what waited still waits */
    check_messages(bench, third, 3, 5);
    assert_int_equal(store_delete_machine(bench->store, machine, NULL, 0, 0), 0);
    check_messages(bench, third, 3, 5);
}

static void test_outbox_is_bounded(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_figures figures;
    size_t sent = 0;

    for (; sent + EVENTS <= LIMIT_OUTBOX; sent += EVENTS)
        add_messages(bench, machine, (unsigned int)sent, EVENTS);
    add_messages(bench, machine, (unsigned int)sent, LIMIT_OUTBOX - sent);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.outbox_dropped, 0);
    check_messages(bench, 0, 0, 5);
    add_messages(bench, machine, LIMIT_OUTBOX, 3);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM outbox"), LIMIT_OUTBOX);
    check_messages(bench, 0, 3, 5);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.outbox_dropped, 3);
}

/* Kept when the broker has them, but not for ever. */
static void test_events_outlive_the_outbox(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan"), oldest, newest;
    struct store_change barrier = { .machine = machine, .epoch = store_epoch(bench->store) };
    struct outbox_message messages[2 * LIMIT_EVENTS];

    assert_int_equal(store_event_range(bench->store, &oldest, &newest), 0);
    assert_int_equal(oldest, 0);
    assert_int_equal(newest, 0);
    for (unsigned int sent = 0; sent < LIMIT_EVENTS + 100; sent += 100)
        add_messages(bench, machine, sent, 100);
    assert_int_equal(store_events(bench->store, 0, messages, COUNT(messages)), LIMIT_EVENTS + 100); /* all wait */
    for (size_t i = 0; i < LIMIT_EVENTS + 100; i++) {
        store_outbox_done(bench->store, messages[i].id);
        if (i % 1000 == 0)
            must_commit(bench, &barrier); /* no more than the queue takes */
    }
    store_free_messages(messages, LIMIT_EVENTS + 100);
    add_messages(bench, machine, LIMIT_EVENTS + 100, 1);
    assert_int_equal(store_outbox(bench->store, 0, messages, COUNT(messages)), 1);
    store_free_messages(messages, 1);
    assert_int_equal(store_event_range(bench->store, &oldest, &newest), 0);
    assert_int_equal(newest - oldest + 1, LIMIT_EVENTS);
    assert_int_equal(store_events(bench->store, newest - 3, messages, COUNT(messages)), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(atoi(messages[i].payload), LIMIT_EVENTS + 98 + i);
    store_free_messages(messages, 3);
}

static void test_backlog_of_the_outbox(void **state)
{
    struct bench *bench = *state;
    struct store_outgoing outgoing = { .topic = "fan/report/daily", .payload = "{}" };
    struct outbox_message latest;
    uint64_t count = 9;
    int64_t since = 9;

    assert_int_equal(store_outbox_backlog(bench->store, &count, &since), 0);
    assert_int_equal(count, 0);
    assert_int_equal(since, 0);
    assert_int_equal(store_publish(bench->store, &outgoing, 1, 5000), 0);
    assert_int_equal(store_publish(bench->store, &outgoing, 1, 7000), 0);
    assert_int_equal(store_outbox_backlog(bench->store, &count, &since), 0);
    assert_int_equal(count, 2);
    assert_int_equal(since, 5000);
    store_without_broker(bench->store);
    assert_int_equal(store_publish(bench->store, &outgoing, 1, 8000), 0);
    assert_int_equal(store_outbox_backlog(bench->store, &count, &since), 0);
    assert_int_equal(count, 2);
    assert_int_equal(store_events(bench->store, 2, &latest, 1), 1);
    assert_int_equal(latest.at, 8000);
    store_free_messages(&latest, 1);
}

static void test_an_answer_keeps_its_correlation(void **state)
{
    static const char data[] = { 'a', 0, 'b' };
    struct bench *bench = *state;
    const struct store_outgoing outgoing[] = {
        { .topic = "their/topic",
          .payload = "{}",
          .whole = true,
          .correlation = data,
          .correlation_size = sizeof(data) },
        { .topic = "their/topic", .payload = "{}", .whole = true, .correlation = data, .correlation_size = 0 },
        { .topic = "fan/rsp/commission", .payload = "{}" },
    };
    struct outbox_message messages[3];

    assert_int_equal(store_publish(bench->store, outgoing, 3, 1), 0);
    reopen(bench);
    assert_int_equal(store_outbox(bench->store, 0, messages, 3), 3);
    assert_true(messages[0].whole && messages[1].whole && !messages[2].whole);
    assert_int_equal(messages[0].correlation_size, sizeof(data));
    assert_memory_equal(messages[0].correlation, data, sizeof(data));
    assert_non_null(messages[1].correlation);
    assert_int_equal(messages[1].correlation_size, 0);
    assert_null(messages[2].correlation);
    store_free_messages(messages, 3);
}

/* What waited in a store of the version before still waits, and its numbers go on. */
static void test_outbox_of_the_version_before(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");

    add_messages(bench, machine, 0, 3);
    bench->store = store_close(bench->store);
    database_run(bench->path,
                 "ALTER TABLE anomaly DROP COLUMN context; ALTER TABLE anomaly DROP COLUMN knowledge_crc;"
                 "ALTER TABLE anomaly DROP COLUMN undo; DROP TABLE evidence; DROP TABLE mute; DROP TABLE candidate;"
                 "ALTER TABLE snapshot DROP COLUMN note; ALTER TABLE snapshot DROP COLUMN upto;"
                 "DROP VIEW outbox; DROP INDEX event_waits;"
                 "ALTER TABLE event DROP COLUMN at; ALTER TABLE event DROP COLUMN whole;"
                 "ALTER TABLE event DROP COLUMN correlation; ALTER TABLE event DROP COLUMN waits;"
                 "ALTER TABLE event RENAME TO outbox;"
                 "ALTER TABLE hour DROP COLUMN gaps; ALTER TABLE report DROP COLUMN gaps;"
                 "DROP TABLE audit; DROP TABLE backup; PRAGMA user_version = 3");
    reopen(bench);
    check_messages(bench, 0, 0, 3);
    add_messages(bench, machine, 3, 1);
    check_messages(bench, 0, 0, 4);
    assert_int_equal(database_number(bench->path, "SELECT max(id) FROM event"), 4);
}

struct snapshot_seen {
    size_t count;
    int64_t taken;
};

static void see_snapshot(void *user, const char *id, int64_t taken)
{
    struct snapshot_seen *seen = user;

    assert_string_equal(id, "fan");
    seen->count++;
    seen->taken = taken;
}

static void test_time_of_the_newest_snapshot(void **state)
{
    struct bench *bench = *state;
    struct store_change change = {
        .machine = create(bench, "fan"), .epoch = store_epoch(bench->store), .knowledge = "abc", .knowledge_size = 3
    };
    struct snapshot_seen seen = { 0 };

    create(bench, "other");
    must_commit(bench, &change);
    change.snapshot = "test";
    for (change.at = 10; change.at < 13; change.at++)
        must_commit(bench, &change);
    assert_int_equal(store_snapshot_times(bench->store, see_snapshot, &seen), 0);
    assert_int_equal(seen.count, 1);
    assert_int_equal(seen.taken, 12);
}

static void count_up(void *user)
{
    (*(atomic_int *)user)++;
}

static void test_whoever_empties_the_outbox_is_woken(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store), .settings = "{\"axes\":1}" };
    atomic_int calls = 0;
    struct parts parts;

    store_on_outgoing(bench->store, count_up, &calls);
    must_commit(bench, &change); /* without a message */
    assert_int_equal(calls, 0);
    add_messages(bench, machine, 0, 3);
    assert_int_equal(calls, 1);
    make_parts(&parts, bench, machine, 7);
    database_run(bench->path, "CREATE TRIGGER forbid BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_true(commit(bench, &parts.change) < 0); /* no message came of it */
    assert_int_equal(calls, 1);
    database_run(bench->path, "DROP TRIGGER forbid");
    store_on_outgoing(bench->store, NULL, NULL);
    add_messages(bench, machine, 3, 1);
    assert_int_equal(calls, 1);
}

/* ---------------------------------------------------------------------------------------------------------- durability */

static void test_journal_and_sync(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");

    assert_int_equal(database_number(bench->path, "SELECT journal_mode = 'wal' FROM pragma_journal_mode"), 1);
    assert_int_equal(database_number(bench->path, "PRAGMA auto_vacuum"), 2); /* incremental */
    for (int i = 0; i < 20; i++) {
        const char *const settings =
            i % 2 == 0 ? "{\"axes\":3}" : "{}"; /* SQLite writes no page that stays as it was */
        struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store), .settings = settings };
        long before = syncs, written = writes;

        must_commit(bench, &change);
        assert_true(syncs > before); /* synchronous = FULL: one for each commit that is waited for */
        assert_true(writes > written);
    }
}

/* What kill -9 leaves: the files as they are while the store is open. */
static void test_files_of_a_killed_daemon(void **state)
{
    struct bench *bench = *state, copy = { 0 };
    int64_t machine = create(bench, "fan");
    static const char *const ends[] = { "", "-wal" };
    struct parts parts;

    make_parts(&parts, bench, machine, 5);
    must_commit(bench, &parts.change);
    directory_make(copy.directory);
    snprintf(copy.path, sizeof(copy.path), "%s/habit.db", copy.directory);
    for (size_t i = 0; i < COUNT(ends); i++) {
        char from[PATH_SIZE + 32], to[PATH_SIZE + 32];
        size_t size;
        void *bytes;
        FILE *file;

        snprintf(from, sizeof(from), "%s%s", bench->path, ends[i]);
        snprintf(to, sizeof(to), "%s%s", copy.path, ends[i]);
        bytes = file_read(from, &size);
        file = fopen(to, "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(bytes, 1, size, file), size);
        fclose(file);
        free(bytes);
    }
    assert_int_equal(store_open(&copy.store, copy.path, message), 0);
    check_loaded(load(&copy, machine), &parts);
    store_close(copy.store);
    directory_remove(copy.directory);
}

/* ------------------------------------------------------------------------------------------------------- group commit */

enum { THREADS = 8, CHANGES = 40 };

struct worker {
    struct bench *bench;
    int64_t machine;
    int failures;
};

static void *submit_and_look(void *user)
{
    struct worker *worker = user;
    char sql[120], settings[32];

    for (int i = 0; i < CHANGES; i++) {
        struct store_change change = { .machine = worker->machine,
                                       .epoch = store_epoch(worker->bench->store),
                                       .settings = settings };
        struct store_op *op = NULL;

        snprintf(settings, sizeof(settings), "%d", i);
        if (store_submit(worker->bench->store, &change, &op) != 0 || store_finish(worker->bench->store, op) != 0)
            worker->failures++;
        snprintf(sql, sizeof(sql), "SELECT settings = '%d' FROM machine WHERE id = %lld", i,
                 (long long)worker->machine);
        worker->failures += database_number(worker->bench->path, sql) != 1;
    }
    return NULL;
}

static void test_finished_is_visible_to_others(void **state)
{
    struct bench *bench = *state;
    struct worker workers[THREADS];
    pthread_t threads[THREADS];
    struct store_figures figures;

    for (size_t i = 0; i < THREADS; i++) {
        char id[8];

        snprintf(id, sizeof(id), "m%zu", i);
        workers[i] = (struct worker){ .bench = bench, .machine = create(bench, id) };
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, submit_and_look, &workers[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(workers[i].failures, 0);
    }
    store_figures(bench->store, &figures);
    assert_int_equal(figures.changes, THREADS * CHANGES + THREADS);
    assert_int_equal(figures.failed_commits, 0);
}

/* Another connection holds the database for a moment: what gathers meanwhile is one transaction, in order, and the queue has
 * its bound. */
static void test_queue_is_one_group_and_bounded(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_op **op = calloc(LIMIT_STORE_QUEUE + 1000, sizeof(*op));
    struct store_figures before, after;
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store) };
    char settings[32];
    sqlite3 *other;
    size_t count = 0;
    int r = 0;

    assert_non_null(op);
    store_figures(bench->store, &before);
    assert_int_equal(sqlite3_open(bench->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    while (count < LIMIT_STORE_QUEUE + 1000) {
        snprintf(settings, sizeof(settings), "%zu", count);
        change.settings = settings;
        r = store_submit(bench->store, &change, &op[count]);
        if (r != 0)
            break;
        count++;
    }
    assert_int_equal(r, -EAGAIN);
    assert_in_range(count, LIMIT_STORE_QUEUE, LIMIT_STORE_QUEUE + LIMIT_STORE_BATCH);
    assert_int_equal(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(other);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(store_finish(bench->store, op[i]), 0);
    store_figures(bench->store, &after);
    assert_int_equal(after.changes - before.changes, count);
    assert_in_range(after.commits - before.commits, count / LIMIT_STORE_BATCH, count / LIMIT_STORE_BATCH + 3);
    snprintf(settings, sizeof(settings), "%zu", count - 1);
    assert_string_equal(load(bench, machine)->settings, settings);
    free(op);
}

static void test_close_commits_what_is_queued(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");

    for (int i = 0; i < 1000; i++) {
        struct hour hour = { .start = HOUR_MS, .learned = 1 };
        struct store_change change = {
            .machine = machine, .epoch = store_epoch(bench->store), .hours = &hour, .hour_count = 1
        };

        assert_int_equal(store_submit(bench->store, &change, NULL), 0); /* nobody waits */
    }
    reopen(bench);
    assert_int_equal(database_number(bench->path, "SELECT learned FROM hour"), 1000);
    assert_int_equal(store_finish(bench->store, NULL), 0);
    assert_null(store_close(NULL));
}

/* ------------------------------------------------------------------------------------------------------------- epochs */

/* Everything that a change could have left, as one number: rows and sums. */
static int64_t contents(const char *path)
{
    return database_number(
        path,
        "SELECT (SELECT count(*) + coalesce(sum(length(settings)), 0) FROM machine) * 1000003 + (SELECT "
        "coalesce(sum(phase_since), 0) FROM state) * 10007 + (SELECT coalesce(sum(length(bytes) + "
        "unicode(substr(hex(bytes), 2))), 0) FROM knowledge) * 101 + (SELECT count(*) FROM snapshot) * 7919 + (SELECT "
        "coalesce(sum(high & 65535), 0) FROM mark) * 13 + (SELECT count(*) FROM commissioning) * 17 + (SELECT count(*) "
        "FROM "
        "anomaly) * 19 + (SELECT count(*) FROM outbox) * 23 + (SELECT coalesce(sum(learned), 0) FROM hour) * 29");
}

/* A commit that fails: nothing of it stays, the epoch goes up, what builds on it fails too, and afterwards all is well. */
static void check_failed_commit(struct bench *bench, int64_t machine, void (*arm)(struct bench *),
                                void (*disarm)(struct bench *))
{
    int64_t before = contents(bench->path);
    uint64_t epoch = store_epoch(bench->store);
    struct store_figures figures;
    struct parts parts;
    int r;

    make_parts(&parts, bench, machine, 7);
    arm(bench);
    r = commit(bench, &parts.change);
    disarm(bench);
    if (r != -EIO && r != -ENOSPC && r != -EROFS)
        fail_msg("%d", r);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.last_error, r);
    assert_int_equal(figures.failed_commits, 1);
    assert_int_equal(contents(bench->path), before);
    assert_true(store_epoch(bench->store) > epoch);
    assert_int_equal(commit(bench, &parts.change), -ESTALE);
    assert_int_equal(contents(bench->path), before);
    make_parts(&parts, bench, machine, 8);
    must_commit(bench, &parts.change);
    assert_int_equal(load(bench, machine)->state.phase_since, 18);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.last_error, 0);
    reopen(bench);
    check_loaded(load(bench, machine), &parts);
    assert_int_equal(database_number(bench->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

static int64_t create_with_history(struct bench *bench)
{
    int64_t machine = create(bench, "fan");
    struct parts parts;

    make_parts(&parts, bench, machine, 1);
    must_commit(bench, &parts.change);
    return machine;
}

/* In the last part of the change: all before it was already written. */
static void forbid_hours(struct bench *bench)
{
    database_run(bench->path, "CREATE TRIGGER forbid BEFORE INSERT ON hour BEGIN SELECT RAISE(ABORT, 'not now'); END");
}

static void allow_hours(struct bench *bench)
{
    database_run(bench->path, "DROP TRIGGER forbid");
}

static void test_commit_that_a_constraint_stops(void **state)
{
    check_failed_commit(*state, create_with_history(*state), forbid_hours, allow_hours);
}

static void limit_file_size(struct bench *bench)
{
    struct rlimit limit = { .rlim_cur = 4096, .rlim_max = RLIM_INFINITY };

    (void)bench;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = 4096;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void lift_file_size(struct bench *bench)
{
    struct rlimit limit;

    (void)bench;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void test_commit_beyond_the_file_size(void **state)
{
    check_failed_commit(*state, create_with_history(*state), limit_file_size, lift_file_size);
}

static void fail_sync(struct bench *bench)
{
    (void)bench;
    fault_after(0, EIO, 0);
}

static void work_again(struct bench *bench)
{
    (void)bench;
    fault_clear();
}

static void test_commit_on_a_broken_disk(void **state)
{
    check_failed_commit(*state, create_with_history(*state), fail_sync, work_again);
}

/* ------------------------------------------------------------------------------------------------------ flash budget */

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
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store), .settings = settings };
    struct store_op *op = NULL;
    int64_t began = clock_now().mono;

    assert_int_equal(store_submit(bench->store, &change, &op), 0);
    assert_int_equal(store_finish(bench->store, op), 0);
    return clock_now().mono - began;
}

/* Beyond its ceiling the store waits before it commits; what it has answered is there, and closing waits for nothing. */
static void test_daily_ceiling(void **state)
{
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    int64_t machine, began;

    assert_int_equal(store_create_machine(bench->store, "pump", &first, &machine), 0);
    assert_true(commit_settings(bench, machine, "1") < STORE_LONGEST_WAIT / 2);
    store_limit_writes(bench->store, 1);
    commit_settings(bench, machine, "2");
    assert_true(store_strain(bench->store) >= 1);
    assert_true(commit_settings(bench, machine, "4") > STORE_LONGEST_WAIT / 2);
    assert_int_equal(database_number(bench->path, "SELECT settings = '4' FROM machine"), 1);
    began = clock_now().mono;
    bench->store = store_close(bench->store);
    assert_true(clock_now().mono - began < STORE_LONGEST_WAIT / 2);
    reopen(bench);
    assert_true(store_strain(bench->store) <= 0);
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

/* A file system of its own, filled up with a file beside the database. */
static void fill_disk(struct bench *bench)
{
    char path[PATH_SIZE + 16], bytes[4096] = { 0 };
    int fd;

    snprintf(path, sizeof(path), "%s/filler", bench->directory);
    fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    while (syscall(SYS_write, fd, bytes, sizeof(bytes)) > 0)
        ;
    close(fd);
}

static void free_disk(struct bench *bench)
{
    char path[PATH_SIZE + 16];

    snprintf(path, sizeof(path), "%s/filler", bench->directory);
    assert_int_equal(unlink(path), 0);
}

static void test_commit_on_a_full_disk(void **state)
{
    struct bench *bench = *state;

    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", "", MS_REC | MS_PRIVATE, NULL) != 0)
        skip(); /* not allowed here */
    bench->store = store_close(bench->store);
    if (mount("none", bench->directory, "tmpfs", 0, "size=2m") != 0)
        skip();
    reopen(bench);
    check_failed_commit(bench, create_with_history(bench), fill_disk, free_disk);
    bench->store = store_close(bench->store);
    assert_int_equal(umount(bench->directory), 0);
}

/* Nobody asks for anything to be stored: it is seen all the same that it can be again. */
static void test_a_store_that_failed_recovers_by_itself(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench);
    struct store_figures figures;
    struct parts parts;

    fault_after(0, ENOSPC, 0);
    make_parts(&parts, bench, machine, 2);
    assert_int_equal(commit(bench, &parts.change), -ENOSPC);
    store_figures(bench->store, &figures);
    assert_string_equal(figures.why, "database or disk is full");
    sleep(2);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.last_error, -ENOSPC);
    fault_clear();
    for (int i = 0; i < 100 && figures.last_error != 0; i++) {
        usleep(100000);
        store_figures(bench->store, &figures);
    }
    assert_int_equal(figures.last_error, 0);
    assert_string_equal(figures.why, "");
    assert_int_equal(figures.failed_commits, 1); /* tries are none */
}

static void move_away(const struct bench *bench, const char *ending)
{
    char from[PATH_SIZE + 32], to[PATH_SIZE + 32];

    snprintf(from, sizeof(from), "%s%s", bench->path, ending);
    snprintf(to, sizeof(to), "%s/away%s", bench->directory, ending);
    assert_int_equal(rename(from, to), 0);
}

/* Bit i of `which`: the i-th of its files goes. */
static void test_files_that_go_are_put_back(void **state)
{
    static const char *const endings[] = { "", "-wal", "-shm", ".lock" };
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench);
    struct parts parts;

    for (unsigned int which = 1; which < 16; which++) {
        for (unsigned int i = 0; i < 4; i++)
            if (which >> i & 1)
                move_away(bench, endings[i]);
        make_parts(&parts, bench, machine, which);
        must_commit(bench, &parts.change);
        check_loaded(load(bench, machine), &parts);
        assert_int_equal(database_number(bench->path, "SELECT phase_since FROM state"), 10 + which);
        assert_int_equal(database_number(bench->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
    }
    reopen(bench);
    check_loaded(load(bench, machine), &parts);
}

/* And not by a file that is somebody else's. */
static void test_a_file_in_its_place_is_left_alone(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench);
    struct store_figures figures;
    struct parts parts;
    int fd;

    move_away(bench, "");
    fd = open(bench->path, O_WRONLY | O_CREAT, 0600);
    assert_int_equal(write(fd, "theirs", 6), 6);
    close(fd);
    make_parts(&parts, bench, machine, 2);
    assert_int_equal(commit(bench, &parts.change), -EIO);
    store_figures(bench->store, &figures);
    assert_non_null(strstr(figures.why, "another file is in the place"));
    assert_int_equal(figures.size_bytes, 6);
    assert_int_equal(unlink(bench->path), 0);
    sleep(2); /* put back by itself */
    make_parts(&parts, bench, machine, 3);
    must_commit(bench, &parts.change);
    reopen(bench);
    check_loaded(load(bench, machine), &parts);
}

/* Fail at every step: the n-th write or sync of a commit, once or from there on, with both errors. It ends when none fails. */
static void fail_at_every_step(struct bench *bench, int64_t machine, int number, int once)
{
    long steps = 0;

    for (;; steps++) {
        int64_t before = contents(bench->path);
        uint64_t epoch = store_epoch(bench->store);
        struct parts parts;
        int r;

        make_parts(&parts, bench, machine, 10 + (unsigned int)steps % 100);
        fault_after(steps, number, once);
        r = commit(bench, &parts.change);
        fault_clear();
        if (r == 0)
            break;
        if (r != -EIO && r != -ENOSPC)
            fail_msg("step %ld, errno %d: %d", steps, number, r);
        if (contents(bench->path) != before || store_epoch(bench->store) == epoch)
            fail_msg("step %ld, errno %d, once %d: something stayed", steps, number, once);
        must_commit(bench, &(struct store_change){ .machine = machine,
                                                   .epoch = store_epoch(bench->store),
                                                   .settings = "{\"name\":\"fan\"}" });
    }
    assert_in_range(steps, 3, 1000);
}

static void test_faults_at_every_step(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench);

    for (int once = 0; once < 2; once++) {
        fail_at_every_step(bench, machine, EIO, once);
        fail_at_every_step(bench, machine, ENOSPC, once);
    }
    reopen(bench);
    assert_int_equal(database_number(bench->path, "SELECT integrity_check = 'ok' FROM pragma_integrity_check"), 1);
}

/* Two changes of the same epoch in one group, the first fails: the second was built on it. */
static void test_what_builds_on_a_failed_change_fails(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench), before;
    struct store_op *first = NULL, *second = NULL, *third = NULL;
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store), .settings = "second" };
    struct parts parts;

    make_parts(&parts, bench, machine, 7);
    before = contents(bench->path);
    forbid_hours(bench);
    assert_int_equal(store_submit(bench->store, &parts.change, &first), 0);
    assert_int_equal(store_submit(bench->store, &change, &second), 0);
    assert_true(store_finish(bench->store, first) < 0);
    assert_int_equal(store_submit(bench->store, &change, &third), 0);
    assert_true(store_finish(bench->store, second) < 0);
    assert_int_equal(store_finish(bench->store, third), -ESTALE);
    allow_hours(bench);
    assert_int_equal(contents(bench->path), before);
}

static void test_create_that_fails(void **state)
{
    struct bench *bench = *state;
    uint64_t epoch = store_epoch(bench->store);
    struct parts parts;
    int64_t machine = 0;

    make_parts(&parts, bench, 0, 7);
    forbid_hours(bench);
    assert_true(store_create_machine(bench->store, "fan", &parts.change, &machine) < 0);
    allow_hours(bench);
    assert_int_equal(load(bench, 0)->count, 0);
    assert_true(store_epoch(bench->store) >= epoch);
    parts.change.snapshot = NULL;
    assert_int_equal(store_create_machine(bench->store, "fan", &parts.change, &machine), 0);
}

/* Only a name that is taken is -EEXIST: whatever else stops it is a fault. */
static void test_create_that_a_constraint_stops(void **state)
{
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    uint64_t epoch = store_epoch(bench->store);
    int64_t machine;

    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON machine BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_int_equal(store_create_machine(bench->store, "fan", &first, &machine), -EIO);
    assert_true(store_epoch(bench->store) > epoch);
    database_run(bench->path, "DROP TRIGGER forbid");
    create(bench, "fan");
}

/* A name that is taken is an answer, not a fault: nothing else of the group suffers. */
static void test_a_taken_name_is_no_failed_commit(void **state)
{
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    struct store_figures figures;
    uint64_t epoch;
    int64_t machine;

    create(bench, "fan");
    epoch = store_epoch(bench->store);
    assert_int_equal(store_create_machine(bench->store, "fan", &first, &machine), -EEXIST);
    assert_int_equal(store_epoch(bench->store), epoch);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.failed_commits, 0);
}

static void test_a_changed_row_that_is_gone(void **state)
{
    struct bench *bench = *state;
    uint64_t epoch = store_epoch(bench->store);
    struct store_change change = { .machine = 4711, .epoch = epoch, .settings = "{}" };

    assert_true(commit(bench, &change) < 0);
    assert_int_equal(store_epoch(bench->store), epoch); /* nobody's memory is wrong */
}

/* ------------------------------------------------------------------------------------------- files that are not for us */

/* Opens what must be refused: the code, a message that names the file, and not a byte changed. */
static void check_refused(const char *path, int code, const char *word)
{
    char wal[PATH_SIZE + 32];
    struct store *store = NULL;
    size_t size, size_after, wal_size = 0, wal_after = 0;
    void *before = file_read(path, &size), *after, *log = NULL, *log_after = NULL;
    int r;

    snprintf(wal, sizeof(wal), "%s-wal", path);
    if (access(wal, F_OK) == 0)
        log = file_read(wal, &wal_size);
    memset(message, 0, sizeof(message));
    r = store_open(&store, path, message);
    if (r != code)
        fail_msg("%d, not %d: %s", r, code, message);
    assert_null(store);
    if (!strstr(message, path) || !strstr(message, word))
        fail_msg("'%s' says nothing of '%s'", message, word);
    after = file_read(path, &size_after);
    if (size != size_after || memcmp(before, after, size) != 0)
        fail_msg("%s: the file was changed", message);
    if (log) {
        log_after = file_read(wal, &wal_after);
        if (wal_size != wal_after || memcmp(log, log_after, wal_size) != 0)
            fail_msg("%s: the -wal file was changed", message);
    }
    free(before);
    free(after);
    free(log);
    free(log_after);
}

static void close_store(struct bench *bench)
{
    bench->store = store_close(bench->store);
}

static void write_bytes(const char *path, long offset, const void *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);

    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, offset), size);
    close(fd);
}

static void test_newer_file(void **state)
{
    struct bench *bench = *state;

    create_with_history(bench);
    close_store(bench);
    database_run(bench->path, "PRAGMA user_version = 99");
    check_refused(bench->path, STORE_E_NEWER, "later version");
    database_run(bench->path, "PRAGMA journal_mode = DELETE"); /* in another form it stays in that form */
    check_refused(bench->path, STORE_E_NEWER, "later version");
}

/* The later version was killed: what it had committed is in its -wal file, and shall stay there. */
static void test_newer_file_of_a_killed_daemon(void **state)
{
    struct bench *bench = *state;
    char copy[PATH_SIZE + 32], log[PATH_SIZE + 40];
    size_t size, log_size;
    void *bytes, *log_bytes;
    sqlite3 *other;

    create_with_history(bench);
    close_store(bench);
    assert_int_equal(sqlite3_open(bench->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "PRAGMA user_version = 99", NULL, NULL, NULL), SQLITE_OK);
    snprintf(log, sizeof(log), "%s-wal", bench->path);
    bytes = file_read(bench->path, &size);
    log_bytes = file_read(log, &log_size);
    assert_true(log_size > 0);
    sqlite3_close(other);
    snprintf(copy, sizeof(copy), "%s/copy.db", bench->directory);
    write_bytes(copy, 0, bytes, size);
    snprintf(log, sizeof(log), "%s-wal", copy);
    write_bytes(log, 0, log_bytes, log_size);
    free(bytes);
    free(log_bytes);
    check_refused(copy, STORE_E_NEWER, "later version");
}

static void test_foreign_files(void **state)
{
    static const char text[] = "This is a letter to somebody, and not a database at all.\n";
    struct bench *bench = *state;
    char path[PATH_SIZE + 16], many[20000];

    snprintf(path, sizeof(path), "%s/letter", bench->directory);
    write_bytes(path, 0, text, sizeof(text) - 1);
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    snprintf(path, sizeof(path), "%s/noise", bench->directory);
    memset(many, 0x5a, sizeof(many));
    write_bytes(path, 0, many, sizeof(many));
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    snprintf(path, sizeof(path), "%s/cookies.db", bench->directory); /* somebody else's database */
    database_run(path, "CREATE TABLE cookie (name TEXT); INSERT INTO cookie VALUES ('chocolate')");
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    database_run(path, "PRAGMA user_version = 1");
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
    database_run(path, "PRAGMA user_version = 99; PRAGMA application_id = 7; PRAGMA journal_mode = WAL");
    check_refused(path, STORE_E_FOREIGN, "not a database of habit");
}

static void test_damaged_pages(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench);
    char noise[4096];
    size_t size;
    char *original;

    for (int i = 0; i < 30; i++) {
        struct parts parts;

        make_parts(&parts, bench, machine, 2);
        must_commit(bench, &parts.change);
    }
    close_store(bench);
    database_run(bench->path, "PRAGMA incremental_vacuum"); /* free pages hold nothing that could be damaged */
    original = file_read(bench->path, &size);
    memset(noise, 0xdb, sizeof(noise));
    for (size_t page = 1; page < size / sizeof(noise); page++) {
        if (page == 1)
            continue; /* the second is the pointer map of auto_vacuum: quick_check does not read it all */
        write_bytes(bench->path, (long)(page * sizeof(noise)), noise, sizeof(noise));
        if (database_number(bench->path, "SELECT 1") == 1 && store_open(&bench->store, bench->path, message) == 0)
            fail_msg("page %zu of %zu: not seen", page + 1, size / sizeof(noise));
        check_refused(bench->path, STORE_E_DAMAGED, "damaged");
        write_bytes(bench->path, (long)(page * sizeof(noise)), original + page * sizeof(noise), sizeof(noise));
    }
    free(original);
    reopen(bench); /* whole again */
}

static void test_truncated_file(void **state)
{
    struct bench *bench = *state;
    struct stat file;

    create_with_history(bench);
    close_store(bench);
    assert_int_equal(stat(bench->path, &file), 0);
    assert_int_equal(truncate(bench->path, file.st_size / 2 / 4096 * 4096), 0);
    check_refused(bench->path, STORE_E_DAMAGED, "damaged");
}

static void test_in_use(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct parts parts;

    check_refused(bench->path, STORE_E_IN_USE, "another habitd");
    make_parts(&parts, bench, machine, 1); /* the first one is unharmed */
    must_commit(bench, &parts.change);
    check_loaded(load(bench, machine), &parts);
    close_store(bench);
    reopen(bench); /* and the lock goes with it */
}

static void test_places_that_cannot_be(void **state)
{
    struct bench *bench = *state;
    struct store *store = NULL;
    char path[PATH_SIZE + 32];

    snprintf(path, sizeof(path), "%s/none/habit.db", bench->directory);
    assert_true(store_open(&store, path, message) < 0);
    assert_non_null(strstr(message, path));
    assert_true(store_open(&store, bench->directory, message) < 0);
    assert_true(message[0]);
    assert_null(store);
    snprintf(path, sizeof(path), "%s.lock", bench->directory);
    unlink(path);
}

static void test_empty_file_is_a_new_one(void **state)
{
    struct bench *bench = *state;
    char path[PATH_SIZE + 16];
    struct store *store = NULL;

    snprintf(path, sizeof(path), "%s/empty.db", bench->directory);
    write_bytes(path, 0, "", 0);
    assert_int_equal(store_open(&store, path, message), 0);
    store_close(store);
    assert_int_equal(database_number(path, "PRAGMA auto_vacuum"), 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_new_file),
        TEST(test_every_part_comes_back),
        TEST(test_parts_that_are_not_given_stay),
        TEST(test_what_is_kept_of_anomalies),
        TEST(test_going_back),
        TEST(test_commissioning_buffers),
        TEST(test_marks_of_a_machine_are_replaced_whole),
        TEST(test_machines),
        TEST(test_create_with_a_first_change),
        TEST(test_load_stops_where_told),
        TEST(test_snapshots_are_bounded),
        TEST(test_anomalies_by_filter_and_cursor),
        TEST(test_anomaly_round_trip),
        TEST(test_old_anomalies_are_deleted_but_open_ones),
        TEST(test_anomaly_ids_are_never_used_twice),
        TEST(test_hours_add_up),
        TEST(test_old_hours_are_deleted),
        TEST(test_reports_are_kept_as_they_were_made),
        TEST(test_old_reports_are_deleted),
        TEST(test_a_store_of_schema_1),
        TEST(test_outbox_in_order),
        TEST(test_outbox_is_bounded),
        TEST(test_events_outlive_the_outbox),
        TEST(test_backlog_of_the_outbox),
        TEST(test_an_answer_keeps_its_correlation),
        TEST(test_outbox_of_the_version_before),
        TEST(test_time_of_the_newest_snapshot),
        TEST(test_whoever_empties_the_outbox_is_woken),
        TEST(test_journal_and_sync),
        TEST(test_files_of_a_killed_daemon),
        TEST(test_finished_is_visible_to_others),
        TEST(test_queue_is_one_group_and_bounded),
        TEST(test_close_commits_what_is_queued),
        TEST(test_commit_that_a_constraint_stops),
        TEST(test_commit_beyond_the_file_size),
        TEST(test_commit_on_a_broken_disk),
        TEST(test_strain),
        TEST(test_daily_ceiling),
        TEST(test_written_bytes),
        TEST(test_faults_at_every_step),
        TEST(test_what_builds_on_a_failed_change_fails),
        TEST(test_create_that_fails),
        TEST(test_create_that_a_constraint_stops),
        TEST(test_a_taken_name_is_no_failed_commit),
        TEST(test_a_changed_row_that_is_gone),
        TEST(test_newer_file),
        TEST(test_newer_file_of_a_killed_daemon),
        TEST(test_foreign_files),
        TEST(test_damaged_pages),
        TEST(test_truncated_file),
        TEST(test_in_use),
        TEST(test_places_that_cannot_be),
        TEST(test_empty_file_is_a_new_one),
        TEST(test_a_store_that_failed_recovers_by_itself),
        TEST(test_files_that_go_are_put_back),
        TEST(test_a_file_in_its_place_is_left_alone),
        TEST(test_commit_on_a_full_disk), /* last: it leaves this process in a mount namespace of its own */
    };

    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
