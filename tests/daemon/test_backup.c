/* Copies of a store that works, what comes of them elsewhere, and what is left in the files of what was deleted. */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

/* ------------------------------------------------------------------------------------------- the end, at the n-th change */

static int steps_left = -1; /* changes of names, and syncs, until this process ends; -1 = it does not */
static char order[4096];

static void step(const char *what)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; /* the store's writer syncs too */

    pthread_mutex_lock(&mutex);
    snprintf(order + strlen(order), sizeof(order) - strlen(order), "%s ", what);
    pthread_mutex_unlock(&mutex);
    if (steps_left >= 0 && steps_left-- == 0)
        _exit(9);
}

int rename(const char *from, const char *to)
{
    step("rename");
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int link(const char *from, const char *to)
{
    step("link");
    return (int)syscall(SYS_linkat, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int unlink(const char *path)
{
    step("unlink");
    return (int)syscall(SYS_unlinkat, AT_FDCWD, path, 0);
}

/* "sync:.habitd-restore": what is behind the store's own name. */
static void step_sync(int fd)
{
    char link_path[32], path[PATH_SIZE + 64] = "", what[PATH_SIZE + 96];
    const char *name;

    snprintf(link_path, sizeof(link_path), "/proc/self/fd/%d", fd);
    if (readlink(link_path, path, sizeof(path) - 1) < 0)
        return;
    name = strstr(path, "habit.db");
    snprintf(what, sizeof(what), "sync:%s", name ? name + strlen("habit.db") : "folder");
    step(what);
}

int fsync(int fd)
{
    step_sync(fd);
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    step_sync(fd);
    return (int)syscall(SYS_fdatasync, fd);
}

#define MARKER "This is what nobody may find again: 5e1f"

struct bench {
    char directory[PATH_SIZE], path[PATH_SIZE + 16], copy[PATH_SIZE + 16];
    struct store *store;
};

static char message[STORE_MESSAGE_SIZE];

static void open_store(struct bench *bench)
{
    if (store_open(&bench->store, bench->path, message) != 0)
        fail_msg("%s", message);
}

static int set_up(void **state)
{
    struct bench *bench = calloc(1, sizeof(*bench));

    assert_non_null(bench);
    directory_make(bench->directory);
    snprintf(bench->path, sizeof(bench->path), "%s/habit.db", bench->directory);
    snprintf(bench->copy, sizeof(bench->copy), "%s/taken", bench->directory);
    open_store(bench);
    *state = bench;
    return 0;
}

static int tear_down(void **state)
{
    struct bench *bench = *state;

    store_close(bench->store);
    directory_remove(bench->directory);
    free(bench);
    return 0;
}

static int64_t create(struct bench *bench, const char *id)
{
    const struct store_change first = { .at = 1000, .settings = "{}" };
    int64_t machine = 0;

    assert_int_equal(store_create_machine(bench->store, id, &first, &machine), 0);
    return machine;
}

/* Knowledge, a learned buffer, evidence and an event, all with the marker in them. */
static void fill(struct bench *bench, int64_t machine, const char *topic)
{
    int16_t samples[4096];
    const float step[1] = { 1 }, offset[1] = { 0 };
    char *knowledge = malloc(20000);
    const struct store_buffer buffer = {
        .samples = samples, .count = 4096, .step = step, .offset = offset, .axes = 1, .at = 2000
    };
    const int64_t number = store_next_anomaly(bench->store);
    const struct anomaly anomaly = { .id = number, .raised = 2000, .explanation = (char *)"[\"" MARKER "\"]" };
    const struct store_outgoing outgoing = { .topic = topic, .payload = MARKER };
    struct store_buffer evidence = buffer;
    struct strategy_state state = { 0 };
    struct store_op *op;
    struct store_change change = { .machine = machine,
                                   .epoch = store_epoch(bench->store, machine),
                                   .at = 2000,
                                   .state = &state,
                                   .knowledge = knowledge,
                                   .knowledge_size = 20000,
                                   .snapshot_after = "manual",
                                   .commissioning = &buffer,
                                   .commissioning_count = 1,
                                   .anomalies = &anomaly,
                                   .anomaly_count = 1,
                                   .evidence = &evidence,
                                   .evidence_count = 1,
                                   .outgoing = &outgoing,
                                   .outgoing_count = 1 };

    assert_non_null(knowledge);
    for (size_t i = 0; i < 20000; i++)
        knowledge[i] = MARKER[i % (sizeof(MARKER) - 1)];
    memcpy(samples, knowledge, sizeof(samples));
    evidence.anomaly = number;
    assert_int_equal(store_submit(bench->store, &change, &op), 0);
    assert_int_equal(store_finish(bench->store, op), 0);
    free(knowledge);
}

/* How often the marker is in all files of the folder. */
static size_t found(const struct bench *bench)
{
    DIR *directory = opendir(bench->directory);
    struct dirent *entry;
    size_t count = 0;

    while ((entry = readdir(directory))) {
        char path[2 * PATH_SIZE + 32], *bytes;
        size_t size;

        snprintf(path, sizeof(path), "%s/%s", bench->directory, entry->d_name);
        if (entry->d_name[0] == '.')
            continue;
        bytes = file_read(path, &size);
        for (const char *at = bytes; (at = memmem(at, size - (size_t)(at - bytes), MARKER, strlen(MARKER))); at++)
            count++;
        free(bytes);
    }
    closedir(directory);
    return count;
}

static bool never(void *user)
{
    (void)user;
    return false;
}

static bool always(void *user)
{
    (void)user;
    return true;
}

static void write_fd(const char *path, int fd, int64_t size)
{
    char *bytes = malloc((size_t)size);
    FILE *file = fopen(path, "wb");

    assert_int_equal(pread(fd, bytes, (size_t)size, 0), size);
    assert_int_equal(fwrite(bytes, 1, (size_t)size, file), size);
    fclose(file);
    free(bytes);
}

static void take(struct bench *bench)
{
    struct store_backup backup = { .at = 777000, .gateway = "gw-1" };

    assert_int_equal(store_backup(bench->store, &backup, never, NULL), 0);
    write_fd(bench->copy, backup.fd, backup.size);
    assert_int_equal(store_note_backup(bench->store, &backup), 0);
    close(backup.fd);
    store_end_backup(bench->store);
}

static size_t files(const struct bench *bench)
{
    DIR *directory = opendir(bench->directory);
    size_t count = 0;

    while (readdir(directory))
        count++;
    closedir(directory);
    return count - 2;
}

/* ----------------------------------------------------------------------------------------------------------- backup */

static void test_a_copy_is_a_store(void **state)
{
    struct bench *bench = *state;
    struct store_figures figures;

    fill(bench, create(bench, "pump-1"), "pump-1/anomaly");
    take(bench);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.backup_at, 777000);
    assert_int_equal(database_number(bench->copy, "SELECT count(*) FROM machine"), 1);
    assert_int_equal(database_number(bench->copy, "SELECT count(*) FROM commissioning"), 1);
    assert_int_equal(database_number(bench->copy, "SELECT at FROM backup WHERE gateway = 'gw-1'"), 777000);
    assert_int_equal(
        database_number(bench->copy, "SELECT count(*) FROM pragma_integrity_check WHERE integrity_check <> 'ok'"), 0);
    assert_int_equal(database_number(bench->copy, "PRAGMA auto_vacuum"), 2);
    assert_int_equal(database_number(bench->copy, "SELECT count(*) FROM event"), 0);
    assert_int_equal(database_number(bench->copy, "SELECT seq FROM sqlite_sequence WHERE name = 'anomaly'"), 1001);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM event"), 1);
    bench->store = store_close(bench->store);
    open_store(bench);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.backup_at, 777000); /* remembered */
}

struct writing {
    struct bench *bench;
    int64_t machine;
    atomic_bool stop;
    atomic_long commits;
};

/* Each change moves two figures together, in different tables. */
static void *write_on(void *user)
{
    struct writing *writing = user;

    while (!writing->stop) {
        struct hour hour = { .start = 3600000, .learned = 1 };
        const struct store_outgoing outgoing = { .topic = "pump-1/anomaly", .payload = "x" };
        struct strategy_state memory = { .phase_learned = (uint32_t)writing->commits + 1 };
        struct store_change change = { .machine = writing->machine,
                                       .epoch = store_epoch(writing->bench->store, writing->machine),
                                       .at = 1,
                                       .state = &memory,
                                       .hours = &hour,
                                       .hour_count = 1,
                                       .outgoing = &outgoing,
                                       .outgoing_count = 1 };
        struct store_op *op;

        if (store_submit(writing->bench->store, &change, &op) == 0 && store_finish(writing->bench->store, op) == 0)
            writing->commits++;
    }
    return NULL;
}

static void test_a_copy_is_of_one_moment(void **state)
{
    struct bench *bench = *state;
    struct writing writing = { .bench = bench };
    pthread_t thread;

    writing.machine = create(bench, "pump-1");
    for (int i = 0; i < 50; i++)
        fill(bench, writing.machine, "pump-1/anomaly");
    assert_int_equal(pthread_create(&thread, NULL, write_on, &writing), 0);
    for (int i = 0; i < 10; i++) {
        long before = writing.commits;
        int64_t counted, remembered;

        while (writing.commits == before)
            usleep(100);
        take(bench);
        counted = database_number(bench->copy, "SELECT coalesce(sum(learned), 0) FROM hour");
        remembered = database_number(bench->copy, "SELECT phase_learned FROM state");
        assert_int_equal(counted, remembered);
        assert_true(counted > before);
    }
    writing.stop = true;
    pthread_join(thread, NULL);
}

static void test_a_copy_leaves_nothing_behind(void **state)
{
    struct bench *bench = *state;
    struct store_backup backup = { .at = 1, .gateway = "g" };
    char left[PATH_SIZE + 64];
    size_t before;

    database_run(bench->path, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) "
                              "INSERT INTO event (topic, payload, retain) SELECT 'a/b', 'c', 0 FROM n");
    before = files(bench);
    assert_int_equal(store_backup(bench->store, &backup, always, NULL), -ECANCELED);
    assert_int_equal(files(bench), before);
    assert_int_equal(store_backup(bench->store, &backup, never, NULL), 0);
    assert_int_equal(files(bench), before);
    assert_int_equal(store_backup(bench->store, &(struct store_backup){ .at = 1 }, never, NULL), -EBUSY);
    close(backup.fd);
    store_end_backup(bench->store);
    snprintf(left, sizeof(left), "%s.habitd-backup-AbCdEf", bench->path); /* as kill -9 leaves it */
    fclose(fopen(left, "w"));
    bench->store = store_close(bench->store);
    open_store(bench);
    assert_int_not_equal(access(left, F_OK), 0);
}

/* ---------------------------------------------------------------------------------------------------------- restore */

static int restore(struct bench *bench, const char *from, bool replace, struct store_restored *restored)
{
    return store_restore(bench->path, from, replace, restored, message);
}

static void test_a_restored_store(void **state)
{
    struct bench *bench = *state;
    struct store_restored restored;
    struct outbox_message waiting[4];
    struct store_figures figures;
    struct stat status;

    fill(bench, create(bench, "pump-1"), "pump-1/anomaly");
    take(bench);
    create(bench, "pump-2"); /* after the copy */
    assert_int_equal(restore(bench, bench->copy, true, &restored), STORE_E_IN_USE);
    bench->store = store_close(bench->store);
    assert_int_equal(restore(bench, bench->copy, false, &restored), STORE_E_THERE);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine"), 2);
    assert_int_equal(restore(bench, bench->copy, true, &restored), 0);
    assert_string_equal(restored.gateway, "gw-1");
    assert_int_equal(restored.at, 777000);
    assert_int_equal(restored.machines, 1);
    assert_int_equal(restored.anomalies, 1);
    assert_int_equal(database_number(restored.kept, "SELECT count(*) FROM machine"), 2);
    assert_int_equal(stat(bench->path, &status), 0);
    assert_int_equal(status.st_mode & 0777, 0600);
    open_store(bench);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.backup_at, 777000);
    assert_int_equal(store_outbox(bench->store, 0, waiting, 4), 0); /* said by the original */
    assert_true(store_next_anomaly(bench->store) > 1000);
}

/* Whatever a backup is called: also as what a restore, or a backup that is being made, is called on its way. */
static void test_a_backup_beside_the_store(void **state)
{
    static const char *const endings[] = { ".restore", ".restore-1", ".backup-231122", ".backup-before", ".copy" };
    struct bench *bench = *state;
    struct store_restored restored;

    create(bench, "pump-1");
    take(bench);
    for (size_t i = 0; i < COUNT(endings); i++) {
        char path[PATH_SIZE + 64];

        snprintf(path, sizeof(path), "%s%s", bench->path, endings[i]);
        assert_int_equal(rename(bench->copy, path), 0);
        bench->store = store_close(bench->store);
        open_store(bench);
        assert_int_equal(access(path, F_OK), 0);
        assert_int_equal(restore(bench, path, true, &restored), STORE_E_IN_USE);
        bench->store = store_close(bench->store);
        assert_int_equal(restore(bench, path, false, &restored), STORE_E_THERE);
        assert_int_equal(access(path, F_OK), 0);
        if (restore(bench, path, true, &restored) != 0)
            fail_msg("%s", message);
        open_store(bench);
        assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine"), 1);
        assert_int_equal(rename(path, bench->copy), 0); /* it is still there */
    }
}

/* Somebody has the old store open, so that its log stays: it is kept too, and does not get into the new store. */
static void test_the_log_of_the_old_store(void **state)
{
    struct bench *bench = *state;
    struct store_restored restored;
    char log[PATH_SIZE + 64];
    sqlite3 *reader;

    take(bench); /* empty */
    assert_int_equal(sqlite3_open(bench->path, &reader), SQLITE_OK);
    assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM machine", NULL, NULL, NULL), SQLITE_OK);
    create(bench, "pump-1");
    bench->store = store_close(bench->store);
    snprintf(log, sizeof(log), "%s-wal", bench->path);
    assert_int_equal(access(log, F_OK), 0);
    assert_int_equal(restore(bench, bench->copy, true, &restored), 0);
    sqlite3_close(reader);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine"), 0);
    assert_int_equal(database_number(restored.kept, "SELECT count(*) FROM machine"), 1);
}

static void copy_file(const char *from, const char *to)
{
    size_t size;
    void *bytes = file_read(from, &size);
    FILE *file = fopen(to, "wb");

    assert_non_null(file);
    fwrite(bytes, 1, size, file);
    fclose(file);
    free(bytes);
}

/* The files of a killed daemon: the machine is in the log only. */
static void put_killed(const struct bench *bench, const char *database, const char *log)
{
    char path[PATH_SIZE + 64];

    snprintf(path, sizeof(path), "%s-shm", bench->path);
    unlink(path);
    copy_file(database, bench->path);
    snprintf(path, sizeof(path), "%s-wal", bench->path);
    copy_file(log, path);
}

/* Machines that habitd finds when it starts; negative: it does not start. */
static int64_t machines_found(struct bench *bench)
{
    int64_t count;

    if (store_open(&bench->store, bench->path, message) != 0)
        return -1;
    count = database_number(bench->path, "SELECT count(*) FROM machine");
    bench->store = store_close(bench->store);
    return count;
}

/* The files of a gateway that died: what was acknowledged last is in the log. */
static void test_a_store_that_nobody_closed(void **state)
{
    struct bench *bench = *state;
    char log[PATH_SIZE + 64], copied[PATH_SIZE + 64];
    struct store_restored restored;
    size_t before;

    snprintf(log, sizeof(log), "%s-wal", bench->path);
    snprintf(copied, sizeof(copied), "%s-wal", bench->copy);
    create(bench, "pump-1");
    copy_file(bench->path, bench->copy);
    copy_file(log, copied);
    bench->store = store_close(bench->store);
    before = files(bench);
    assert_int_equal(restore(bench, bench->copy, true, &restored), 0);
    assert_int_equal(restored.machines, 1);
    assert_int_equal(files(bench), before + 1); /* the old one, and no log */
    assert_int_equal(machines_found(bench), 1);
}

/* Killed at each change of a name and each sync: the old store or the new one is there, whole. */
static void test_killed_while_restoring(void **state)
{
    struct bench *bench = *state;
    char database[PATH_SIZE + 16], log[PATH_SIZE + 16], wal[PATH_SIZE + 64];
    struct store_restored restored;
    int old = 0, new = 0, status = 0, steps = 0;

    snprintf(database, sizeof(database), "%s/killed", bench->directory);
    snprintf(log, sizeof(log), "%s/killed-log", bench->directory);
    snprintf(wal, sizeof(wal), "%s-wal", bench->path);
    create(bench, "pump-1");
    take(bench);
    create(bench, "pump-2");
    create(bench, "pump-3");
    copy_file(bench->path, database);
    copy_file(wal, log);
    bench->store = store_close(bench->store);
    for (; steps < 200; steps++) {
        pid_t child;
        int64_t found;

        put_killed(bench, database, log);
        child = fork();
        if (child == 0) {
            steps_left = steps;
            restored = (struct store_restored){ 0 };
            _exit(store_restore(bench->path, bench->copy, true, &restored, message) == 0 ? 0 : 1);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFEXITED(status));
        found = machines_found(bench);
        if (found != 1 && found != 3)
            fail_msg("after step %d: %lld machines: %s", steps, (long long)found, message);
        old += found == 3;
        new += found == 1;
        if (WEXITSTATUS(status) == 0)
            break;
        assert_int_equal(WEXITSTATUS(status), 9);
    }
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(old > 3 && new > 0);
    put_killed(bench, database, log);
    order[0] = '\0';
    assert_int_equal(restore(bench, bench->copy, true, &restored), 0);
    if (!strstr(order, "sync:.habitd-restore ") || strstr(order, "sync:.habitd-restore ") > strstr(order, "rename ") ||
        !strstr(order, "link sync:folder ") || !strstr(order, "rename sync:folder "))
        fail_msg("the new store is on the disk before it gets its name: %s", order);
}

static void spoil(const char *path, long at, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "r+b");

    assert_non_null(file);
    fseek(file, at, SEEK_SET);
    fwrite(bytes, 1, size, file);
    fclose(file);
}

static void test_what_is_no_backup(void **state)
{
    struct bench *bench = *state;
    char other[PATH_SIZE + 16];
    struct store_restored restored;
    static const char rubbish[4096];
    struct stat status;
    size_t before;

    snprintf(other, sizeof(other), "%s/other", bench->directory);
    fill(bench, create(bench, "pump-1"), "pump-1/anomaly");
    take(bench);
    bench->store = store_close(bench->store);
    before = files(bench) + 1;
    database_run(other, "CREATE TABLE t (a)");
    assert_int_equal(restore(bench, other, true, &restored), STORE_E_FOREIGN);
    assert_non_null(strstr(message, other));
    spoil(other, 0, rubbish, sizeof(rubbish));
    assert_int_equal(restore(bench, other, true, &restored), STORE_E_FOREIGN);
    assert_int_equal(truncate(other, 0), 0);
    assert_int_equal(restore(bench, other, true, &restored), STORE_E_FOREIGN);
    assert_true(restore(bench, "/tmp/habit-no-such-file", true, &restored) < 0);
    database_run(bench->copy, "PRAGMA user_version = 9999");
    assert_int_equal(restore(bench, bench->copy, true, &restored), STORE_E_NEWER);
    database_run(bench->copy, "PRAGMA user_version = 9");
    assert_int_equal(stat(bench->copy, &status), 0);
    spoil(bench->copy, 3 * 4096, rubbish, sizeof(rubbish));
    assert_int_equal(restore(bench, bench->copy, true, &restored), STORE_E_DAMAGED);
    assert_int_equal(truncate(bench->copy, status.st_size - 4096), 0); /* half a download */
    assert_int_equal(restore(bench, bench->copy, true, &restored), STORE_E_DAMAGED);
    assert_int_equal(database_number(bench->path, "SELECT count(*) FROM machine"), 1); /* as it was */
    assert_int_equal(files(bench), before);
}

/* ------------------------------------------------------------------------------------------------------- no byte left */

static void test_a_deleted_machine_leaves_nothing(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "pump-1");

    store_without_broker(bench->store);
    create(bench, "pump-2");
    for (int i = 0; i < 5; i++)
        fill(bench, machine, "pump-1/anomaly");
    assert_true(found(bench) > 1000); /* or else the test finds nothing anyway */
    assert_int_equal(store_delete_machine(bench->store, machine, NULL, 0, 3000), 0);
    assert_int_equal(found(bench), 0);
}

static void test_a_wiped_store_holds_nothing(void **state)
{
    struct bench *bench = *state;
    struct audit audit = { .at = 1, .detail = MARKER };
    struct store_figures figures;

    take(bench);
    assert_int_equal(unlink(bench->copy), 0);
    for (int i = 0; i < 5; i++)
        fill(bench, create(bench, (char[]){ 'm', (char)('a' + i), '\0' }), "m/anomaly");
    assert_int_equal(store_audit_begin(bench->store, &audit), 0);
    assert_true(found(bench) > 1000);
    assert_int_equal(store_wipe(bench->store), 0);
    assert_int_equal(found(bench), 0);
    store_figures(bench->store, &figures);
    assert_int_equal(figures.backup_at, 0);
    create(bench, "pump-1"); /* it goes on */
}

/* Somebody reads: the log cannot be emptied now, but later. */
static void test_scrubbing_is_made_up_for(void **state)
{
    struct bench *bench = *state;
    int64_t machine = create(bench, "pump-1");

    store_without_broker(bench->store);
    fill(bench, machine, "pump-1/anomaly");
    {
        sqlite3 *reader;
        int64_t began;

        assert_int_equal(sqlite3_open(bench->path, &reader), SQLITE_OK);
        assert_int_equal(sqlite3_exec(reader, "BEGIN; SELECT count(*) FROM machine", NULL, NULL, NULL), SQLITE_OK);
        assert_int_equal(store_delete_machine(bench->store, machine, NULL, 0, 3000), 0);
        assert_true(found(bench) > 0);
        began = clock_now().mono;
        for (int i = 0; i < 20; i++) /* nobody waits for the reader */
            create(bench, (char[]){ 'a', (char)('a' + i), '\0' });
        assert_true(clock_now().mono - began < 10000);
        sqlite3_close(reader);
    }
    for (int i = 0; i < 50 && found(bench) > 0; i++)
        usleep(100000);
    assert_int_equal(found(bench), 0); /* by itself: nothing else is written */
}

static void count_file(void *user, const char *file)
{
    (void)file;
    ++*(int *)user;
}

static void test_destroying_the_files(void **state)
{
    struct bench *bench = *state;
    struct store_restored restored;
    char other[PATH_SIZE + 16];
    int count = 0;

    fill(bench, create(bench, "pump-1"), "pump-1/anomaly");
    take(bench);
    assert_int_equal(store_destroy(bench->path, true, count_file, &count, message), STORE_E_IN_USE);
    bench->store = store_close(bench->store);
    assert_int_equal(restore(bench, bench->copy, true, &restored), 0);
    unlink(bench->copy); /* that is not beside the store for us to know */
    assert_int_equal(store_destroy(bench->path, false, count_file, &count, message), 0);
    assert_int_equal(count, 2);
    assert_true(found(bench) > 0);
    assert_int_equal(store_destroy(bench->path, true, count_file, &count, message), 0);
    assert_int_equal(found(bench), 0);
    assert_int_equal(files(bench), 1); /* the lock */
    snprintf(other, sizeof(other), "%s/other", bench->directory);
    database_run(other, "CREATE TABLE t (a)");
    assert_int_equal(store_destroy(other, true, count_file, &count, message), STORE_E_FOREIGN);
    assert_int_equal(database_number(other, "SELECT count(*) FROM t"), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_a_copy_is_a_store),
        TEST(test_a_copy_is_of_one_moment),
        TEST(test_a_copy_leaves_nothing_behind),
        TEST(test_a_restored_store),
        TEST(test_a_backup_beside_the_store),
        TEST(test_the_log_of_the_old_store),
        TEST(test_a_store_that_nobody_closed),
        TEST(test_killed_while_restoring),
        TEST(test_what_is_no_backup),
        TEST(test_a_deleted_machine_leaves_nothing),
        TEST(test_a_wiped_store_holds_nothing),
        TEST(test_scrubbing_is_made_up_for),
        TEST(test_destroying_the_files),
    };

    return cmocka_run_group_tests_name("backup", tests, NULL, NULL);
}
