#include "check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "registry/registry.h"
#include "store/store.h"

enum { MACHINES = 64 };

struct expected {
    char **line; /* of each step */
    size_t steps;
    struct machine_script {
        char name[MACHINE_ID_SIZE];
        size_t last, ahead;
    } machine[MACHINES];
    size_t machines;
    struct told {
        size_t record, machine, step;
    } * told;
    size_t tolds;
};

/* ------------------------------------------------------------------------------------------------ what must be there */

static void *grown(void *array, size_t count, size_t size)
{
    void *more = realloc(array, (count + 1) * size);

    if (more)
        return more;
    fprintf(stderr, "replay: out of memory\n");
    exit(2);
}

/* Numbers with a space before each, and nothing behind them. */
static int read_numbers(const char *text, size_t **numbers, size_t count)
{
    char *end = NULL;

    for (size_t i = 0; i < count; i++, text = end) {
        *numbers[i] = strtoul(text, &end, 10);
        if (end == text)
            return -1;
    }
    return *end == '\0' ? 0 : -1;
}

static int take_machine(struct machine_script *machine, const char *text)
{
    size_t length = strcspn(text, " ");

    if (length >= sizeof(machine->name))
        return -1;
    memcpy(machine->name, text, length);
    return read_numbers(text + length, (size_t *[]){ &machine->last, &machine->ahead }, 2);
}

static int take_line(struct expected *expected, const char *line)
{
    struct machine_script *machine = &expected->machine[expected->machines];
    struct told told;

    if (line[0] == 'T') {
        expected->line = grown(expected->line, expected->steps, sizeof(*expected->line));
        expected->line[expected->steps] = strdup(line + 2);
        return expected->line[expected->steps++] ? 0 : -1;
    }
    if (line[0] == 'M' && expected->machines < MACHINES) {
        expected->machines++;
        return take_machine(machine, line + 2);
    }
    if (line[0] != 'F' || read_numbers(line + 1, (size_t *[]){ &told.record, &told.machine, &told.step }, 3) != 0)
        return -1;
    expected->told = grown(expected->told, expected->tolds, sizeof(told));
    expected->told[expected->tolds++] = told;
    return 0;
}

struct expected *expected_read(const char *path)
{
    struct expected *expected = grown(NULL, 0, sizeof(*expected));
    FILE *file = fopen(path, "r");
    char *line = NULL;
    size_t room = 0;

    memset(expected, 0, sizeof(*expected));
    while (file && getline(&line, &room, file) > 0) {
        line[strcspn(line, "\n")] = '\0';
        if (take_line(expected, line) == 0)
            continue;
        fprintf(stderr, "replay: %s: what is this: %.80s\n", path, line);
        exit(2);
    }
    free(line);
    if (file)
        fclose(file);
    if (expected->machines > 0 && expected->steps > 0)
        return expected;
    fprintf(stderr, "replay: %s: names no machine or no step\n", path);
    exit(2);
}

struct expected *expected_free(struct expected *expected)
{
    for (size_t i = 0; i < expected->steps; i++)
        free(expected->line[i]);
    free(expected->line);
    free(expected->told);
    free(expected);
    return NULL;
}

size_t expected_told(const struct expected *expected, size_t record)
{
    size_t count = 0;

    while (count < expected->tolds && expected->told[count].record < record)
        count++;
    return count;
}

static size_t step_told(const struct expected *expected, size_t machine, size_t record)
{
    size_t step = 0;

    for (size_t i = 0; i < expected->tolds && expected->told[i].record < record; i++)
        if (expected->told[i].machine == machine && expected->told[i].step > step)
            step = expected->told[i].step;
    return step;
}

/* ------------------------------------------------------------------------------------------------------ what is there */

static const char *const endings[] = { [OBJECT_DATABASE] = "", [OBJECT_WAL] = "-wal", [OBJECT_JOURNAL] = "-journal" };

static void put_file(const char *path, const struct image *image)
{
    int fd;

    unlink(path);
    if (!image->exists)
        return;
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || write(fd, image->bytes, image->size) != (ssize_t)image->size || close(fd) != 0) {
        fprintf(stderr, "replay: %s cannot be written\n", path);
        exit(2);
    }
}

void put_files(const char *folder, const struct image *images, char path[CHECK_PATH_SIZE])
{
    char name[CHECK_PATH_SIZE + 16];

    snprintf(path, CHECK_PATH_SIZE, "%s/habit.db", folder);
    for (int i = OBJECT_DATABASE; i <= OBJECT_JOURNAL; i++) {
        snprintf(name, sizeof(name), "%s%s", path, endings[i]);
        put_file(name, &images[i]);
    }
    snprintf(name, sizeof(name), "%s-shm", path);
    unlink(name);
}

enum finding recover_store(const char *path, char why[WHY_SIZE])
{
    struct registry_figures figures;
    struct registry *registry = NULL;
    struct store *store = NULL;
    struct config config;
    char message[STORE_MESSAGE_SIZE];
    enum finding found = FOUND_FINE;

    if (store_open(&store, path, message) != 0) {
        snprintf(why, WHY_SIZE, "%s", message);
        return FOUND_UNREADABLE;
    }
    if (config_default(&config) != 0 || registry_new(&registry, &config, store) != 0) {
        snprintf(why, WHY_SIZE, "the machines cannot be loaded");
        found = FOUND_UNREADABLE;
    } else {
        registry_figures(registry, &figures);
        if (figures.conflicts > 0) {
            snprintf(why, WHY_SIZE, "%u machines with knowledge that does not fit them", figures.conflicts);
            found = FOUND_MIXED;
        }
    }
    registry_free(registry);
    config_free(&config);
    store_close(store);
    return found;
}

/* First row of a query; "" where there is none. */
static void first_text(sqlite3 *database, const char *sql, const char *argument, char **text)
{
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);

    if (result == SQLITE_OK && argument)
        sqlite3_bind_text(statement, 1, argument, -1, SQLITE_STATIC);
    if (result == SQLITE_OK)
        result = sqlite3_step(statement);
    *text = strdup(result == SQLITE_ROW && sqlite3_column_text(statement, 0)
                       ? (const char *)sqlite3_column_text(statement, 0)
                   : result == SQLITE_DONE ? ""
                                           : sqlite3_errmsg(database));
    sqlite3_finalize(statement);
    if (!*text)
        exit(2);
}

static enum finding check_integrity(sqlite3 *database, char why[WHY_SIZE])
{
    char *found, *foreign;
    bool fine;

    first_text(database, "PRAGMA integrity_check(1)", NULL, &found);
    first_text(database, "PRAGMA foreign_key_check", NULL, &foreign);
    fine = strcmp(found, "ok") == 0 && foreign[0] == '\0';
    if (!fine)
        snprintf(why, WHY_SIZE, "integrity_check: %s; rows without their machine in: %s", found, foreign);
    free(found);
    free(foreign);
    return fine ? FOUND_FINE : FOUND_CORRUPT;
}

static enum finding check_line(const struct expected *expected, size_t machine, size_t told, const char *line,
                               char why[WHY_SIZE])
{
    const struct machine_script *script = &expected->machine[machine];
    size_t end = told + script->ahead < script->last ? told + script->ahead : script->last;

    for (size_t step = told; step <= end; step++)
        if (strcmp(expected->line[step], line) == 0)
            return FOUND_FINE;
    for (size_t step = 0; step < told; step++)
        if (strcmp(expected->line[step], line) == 0) {
            snprintf(why, WHY_SIZE, "%s is at step %zu and was told of step %zu", script->name, step, told);
            return FOUND_LOST;
        }
    snprintf(why, WHY_SIZE, "%s was told of step %zu of %zu and is like none: %.500s", script->name, told, script->last,
             line);
    return FOUND_MIXED;
}

static enum finding check_machines(const struct expected *expected, const char *sql, sqlite3 *database, size_t record,
                                   char why[WHY_SIZE])
{
    enum finding found = FOUND_FINE;

    for (size_t i = 0; i < expected->machines && found == FOUND_FINE; i++) {
        char *line;

        first_text(database, sql, expected->machine[i].name, &line);
        found = check_line(expected, i, step_told(expected, i, record), line, why);
        free(line);
    }
    return found;
}

enum finding check_cut(const struct expected *expected, const char *sql, const char *folder, const struct image *images,
                       size_t record, char why[WHY_SIZE])
{
    char path[CHECK_PATH_SIZE];
    sqlite3 *database = NULL;
    enum finding found;

    put_files(folder, images, path);
    found = recover_store(path, why);
    if (found == FOUND_FINE && sqlite3_open_v2(path, &database, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        found = FOUND_UNREADABLE;
    if (found == FOUND_FINE)
        found = check_integrity(database, why);
    if (found == FOUND_FINE)
        found = check_machines(expected, sql, database, record, why);
    sqlite3_close(database);
    return found;
}

const char *finding_words(enum finding finding)
{
    static const char *const words[] = { "fine", "cannot be opened", "corrupt", "lost what was acknowledged",
                                         "half applied" };

    return words[finding];
}
