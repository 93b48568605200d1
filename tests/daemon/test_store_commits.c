/* What was finished with 0 is on disk, what was not never was: whatever write or sync fails. */
#include "store_bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "slow_disk.h"

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
        struct store_change change = { .machine = machine,
                                       .epoch = store_epoch(bench->store, machine),
                                       .settings = settings };
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
                                       .epoch = store_epoch(worker->bench->store, worker->machine),
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

/* The disk is slow for a moment: what gathers meanwhile is one transaction, in order, and the queue has its bound. */
static void test_queue_is_one_group_and_bounded(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "fan");
    struct store_op **op = calloc(LIMIT_STORE_QUEUE + 1000, sizeof(*op));
    struct store_figures before, after;
    struct store_change change = { .machine = machine, .epoch = store_epoch(bench->store, machine) };
    char settings[32];
    size_t count = 0;
    int r = 0;

    assert_non_null(op);
    store_figures(bench->store, &before);
    hold_commits();
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
    let_commits_go();
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
            .machine = machine, .epoch = store_epoch(bench->store, machine), .hours = &hour, .hour_count = 1
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
    uint64_t epoch = store_epoch(bench->store, machine);
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
    assert_true(store_epoch(bench->store, machine) > epoch);
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
        uint64_t epoch = store_epoch(bench->store, machine);
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
        if (contents(bench->path) != before || store_epoch(bench->store, machine) == epoch)
            fail_msg("step %ld, errno %d, once %d: something stayed", steps, number, once);
        must_commit(bench, &(struct store_change){ .machine = machine,
                                                   .epoch = store_epoch(bench->store, machine),
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

/* A number that was given to an anomaly is not given to another one, whatever read fails while the store is opened. */
static void test_a_read_that_fails_while_opening(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench), next;
    struct parts parts;
    long reads = 0;
    int unused = 0;

    make_parts(&parts, bench, machine, 2);
    must_commit(bench, &parts.change);
    next = store_next_anomaly(bench->store);
    for (; !unused; reads++) {
        int r;

        bench->store = store_close(bench->store);
        fault_read(reads);
        r = store_open(&bench->store, bench->path, message);
        unused = fault_clear();
        if (r == 0)
            assert_int_equal(store_next_anomaly(bench->store), next);
        else
            assert_true(message[0] != '\0');
    }
    assert_in_range(reads, 5, 1000);
}

/* Two changes of the same epoch in one group, the first fails: the second was built on it. */
static void test_what_builds_on_a_failed_change_fails(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create_with_history(bench), before;
    struct store_op *first = NULL, *second = NULL, *third = NULL;
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
                                   .settings = "second" };
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
    uint64_t epoch = store_epoch(bench->store, 0);
    struct parts parts;
    int64_t machine = 0;

    make_parts(&parts, bench, 0, 7);
    forbid_hours(bench);
    assert_true(store_create_machine(bench->store, "fan", &parts.change, &machine) < 0);
    allow_hours(bench);
    assert_int_equal(load(bench, 0)->count, 0);
    assert_true(store_epoch(bench->store, machine) >= epoch);
    parts.change.snapshot = NULL;
    assert_int_equal(store_create_machine(bench->store, "fan", &parts.change, &machine), 0);
}

/* Only a name that is taken is -EEXIST: whatever else stops it is a fault. */
static void test_create_that_a_constraint_stops(void **state)
{
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    uint64_t epoch = store_epoch(bench->store, 0);
    int64_t machine = 0;

    database_run(bench->path,
                 "CREATE TRIGGER forbid BEFORE INSERT ON machine BEGIN SELECT RAISE(ABORT, 'not now'); END");
    assert_int_equal(store_create_machine(bench->store, "fan", &first, &machine), -EIO);
    assert_true(store_epoch(bench->store, machine) > epoch);
    database_run(bench->path, "DROP TRIGGER forbid");
    create(bench, "fan");
}

/* A name that is taken is an answer, not a fault: nothing else of the group suffers. */
static void test_a_taken_name_is_no_failed_commit(void **state)
{
    struct bench *bench = *state;
    struct store_change first = { .at = 1, .settings = "{}" };
    struct store_figures figures;
    int64_t machine = create(bench, "fan"), none;
    uint64_t epoch = store_epoch(bench->store, machine);

    assert_int_equal(store_create_machine(bench->store, "fan", &first, &none), -EEXIST);
    assert_int_equal(store_epoch(bench->store, machine), epoch);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.failed_commits, 0);
}

static void test_a_changed_row_that_is_gone(void **state)
{
    struct bench *bench = *state;
    uint64_t epoch = store_epoch(bench->store, 4711);
    struct store_change change = { .machine = 4711, .epoch = epoch, .settings = "{}" };

    assert_true(commit(bench, &change) < 0);
    assert_int_equal(store_epoch(bench->store, 4711), epoch); /* nobody's memory is wrong */
}

/* ------------------------------------------------------------------------------------------------------------- damage */

enum { MACHINES = 8, SPOILED = 3, TIMES = 40 };

/* Machines with knowledge, a page each, of which one has become unreadable. */
static void make_damaged(struct bench *bench, int64_t machines[MACHINES])
{
    static const char knowledge[3000];

    for (size_t i = 0; i < MACHINES; i++) {
        struct store_change change = { .knowledge = knowledge, .knowledge_size = sizeof(knowledge) };
        char id[8];

        snprintf(id, sizeof(id), "m%zu", i);
        machines[i] = change.machine = create(bench, id);
        change.epoch = store_epoch(bench->store, machines[i]);
        must_commit(bench, &change);
    }
    database_spoil(bench->path, "knowledge", SPOILED);
}

/* Changes of all machines follow each other, so that many are committed together: those of the damaged page are left out, and all
 * that was built on them; of the others none is. */
static void test_damage_under_one_machine(void **state)
{
    struct bench *bench = *state;
    int64_t machines[MACHINES];
    struct store_op *op[TIMES][MACHINES];
    struct store_figures figures;
    uint64_t epoch;

    make_damaged(bench, machines);
    epoch = store_epoch(bench->store, machines[0]);
    for (size_t time = 0; time < TIMES; time++)
        for (size_t i = 0; i < MACHINES; i++) {
            static const char knowledge[3000] = "new";
            struct hour hour = { .start = HOUR_MS, .learned = 1 };
            struct store_change change = { .machine = machines[i], .epoch = epoch, .hours = &hour, .hour_count = 1 };

            change.knowledge = time == 0 ? knowledge : NULL; /* only the first finds the page */
            change.knowledge_size = sizeof(knowledge);
            assert_int_equal(store_submit(bench->store, &change, &op[time][i]), 0);
        }
    for (size_t time = 0; time < TIMES; time++)
        for (size_t i = 0; i < MACHINES; i++)
            assert_int_equal(store_finish(bench->store, op[time][i]), i == SPOILED ? -EUCLEAN : 0);
    for (size_t i = 0; i < MACHINES; i++) {
        char sql[80];

        snprintf(sql, sizeof(sql), "SELECT coalesce(sum(learned), 0) FROM hour WHERE machine = %" PRId64, machines[i]);
        assert_int_equal(database_number(bench->path, sql), i == SPOILED ? 0 : TIMES);
        assert_int_equal(store_epoch(bench->store, machines[i]) > epoch, i == SPOILED);
    }
    store_figures(bench->store, &figures);
    assert_int_equal(figures.failed_commits, 0);
    assert_int_equal(figures.last_error, 0);
}

/* What does not touch the page is committed, once it is of the new epoch. */
static void test_the_rest_of_a_damaged_machine(void **state)
{
    struct bench *bench = *state;
    int64_t machines[MACHINES];
    struct store_op *late, *in_time;
    struct store_change change;
    uint64_t epoch;

    make_damaged(bench, machines);
    change = (struct store_change){ .machine = machines[SPOILED],
                                    .epoch = store_epoch(bench->store, machines[SPOILED]),
                                    .knowledge = "new",
                                    .knowledge_size = 3 };
    assert_int_equal(commit(bench, &change), -EUCLEAN);
    epoch = store_epoch(bench->store, machines[SPOILED]);
    change.knowledge = NULL;
    change.settings = "{}";
    assert_int_equal(store_submit(bench->store, &change, &late), 0);
    change.epoch = epoch;
    change.settings = "{\"axes\":1}";
    assert_int_equal(store_submit(bench->store, &change, &in_time), 0);
    assert_int_equal(store_finish(bench->store, late), -EUCLEAN);
    assert_int_equal(store_finish(bench->store, in_time), 0);
    assert_int_equal(store_epoch(bench->store, machines[SPOILED]), epoch); /* who was late has found nothing new */
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine WHERE settings = '{\"axes\":1}'"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_journal_and_sync),
        TEST(test_files_of_a_killed_daemon),
        TEST(test_finished_is_visible_to_others),
        TEST(test_queue_is_one_group_and_bounded),
        TEST(test_close_commits_what_is_queued),
        TEST(test_commit_that_a_constraint_stops),
        TEST(test_commit_beyond_the_file_size),
        TEST(test_commit_on_a_broken_disk),
        TEST(test_a_store_that_failed_recovers_by_itself),
        TEST(test_files_that_go_are_put_back),
        TEST(test_a_file_in_its_place_is_left_alone),
        TEST(test_faults_at_every_step),
        TEST(test_a_read_that_fails_while_opening),
        TEST(test_what_builds_on_a_failed_change_fails),
        TEST(test_create_that_fails),
        TEST(test_create_that_a_constraint_stops),
        TEST(test_a_taken_name_is_no_failed_commit),
        TEST(test_a_changed_row_that_is_gone),
        TEST(test_damage_under_one_machine),
        TEST(test_the_rest_of_a_damaged_machine),
        TEST(test_commit_on_a_full_disk), /* last: it leaves this process in a mount namespace of its own */
    };

    signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests_name("store_commits", tests, NULL, NULL);
}
