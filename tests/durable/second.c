#include "second.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATH_BYTES = 400, SETTING_BYTES = PATH_BYTES + 32 };

const uint8_t *map_file(const char *path, size_t *size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat file;
    void *bytes;

    if (fd < 0 || fstat(fd, &file) != 0 || file.st_size == 0) {
        fprintf(stderr, "replay: %s cannot be read\n", path);
        exit(2);
    }
    bytes = mmap(NULL, (size_t)file.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        exit(2);
    *size = (size_t)file.st_size;
    close(fd);
    return bytes;
}

/* Runs the recovery with libwatch.so; both lie beside this program. */
static void run_recovery(const char *store, const char *log)
{
    char here[PATH_BYTES] = "", program[SETTING_BYTES], library[SETTING_BYTES];
    ssize_t length = readlink("/proc/self/exe", here, sizeof(here) - 1);
    char *slash = length > 0 ? strrchr(here, '/') : NULL;

    if (slash)
        *slash = '\0';
    snprintf(program, sizeof(program), "%s/recover", here);
    snprintf(library, sizeof(library), "%s/libwatch.so", here);
    setenv("LD_PRELOAD", library, 1);
    setenv("HABIT_WATCH_STORE", store, 1);
    setenv("HABIT_WATCH_LOG", log, 1);
    execl(program, program, store, (char *)NULL);
    fprintf(stderr, "replay: %s cannot be run\n", program);
    _exit(2);
}

struct disk *second_disk(const char *folder, const struct image *images, const uint8_t **bytes, size_t *size)
{
    char again[PATH_BYTES], path[PATH_BYTES], log[SETTING_BYTES];
    struct disk *disk;
    int status = 0;
    pid_t child;

    snprintf(again, sizeof(again), "%.300s/again", folder);
    snprintf(log, sizeof(log), "%s/log", again);
    mkdir(again, 0700);
    unlink(log);
    put_files(again, images, path);
    child = fork();
    if (child == 0)
        run_recovery(path, log);
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
        fprintf(stderr, "replay: the recovery could not be recorded\n");
        exit(2);
    }
    *bytes = map_file(log, size);
    disk = disk_new(*bytes, *size);
    disk_begin(disk, images);
    return disk;
}

struct disk *second_free(struct disk *disk, const uint8_t *bytes, size_t size)
{
    munmap((void *)bytes, size);
    return disk_free(disk);
}
