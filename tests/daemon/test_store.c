/* The store on real files: what goes in comes out. */
#include "store_bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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
    struct store_change nothing = { .machine = machine, .epoch = store_epoch(bench->store, machine), .at = 9000 },
                        only_state;
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
    must_commit(bench, &(struct store_change){ .machine = machine,
                                               .epoch = store_epoch(bench->store, machine),
                                               .mute = &over,
                                               .candidate = &none });
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
                                               .epoch = store_epoch(bench->store, machine),
                                               .restored = first,
                                               .snapshot = "before restore" });
    assert_int_equal(load(bench, machine)->commissioning_count, 2);
    must_commit(bench, &(struct store_change){ .machine = machine,
                                               .epoch = store_epoch(bench->store, machine),
                                               .forget_commissioning = true });
    must_commit(bench, &parts.change);
    assert_int_equal(store_commissioning_of(bench->store, machine, first, &count, &bytes), 0);
    assert_true(count == 0 && bytes == 0);
}

static void test_commissioning_buffers(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_change forget = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
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
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store, machine) };
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
    };

    return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
