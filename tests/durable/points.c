/* Where a test can end the process, or let a call fail. */
#include "watch.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct control *control;

static const char *const object_words[] = {
#define OBJECT_WORD(name, word) word,
    OBJECTS(OBJECT_WORD)
#undef OBJECT_WORD
};

static const char *const call_words[] = {
#define CALL_WORD(name, word) word,
    CALLS(CALL_WORD)
#undef CALL_WORD
};

static int number_of(enum object object, enum call call, int after)
{
    return ((int)object * CALL_COUNT + (int)call) * 2 + after;
}

void watch_point_name(int point, char name[POINT_NAME_SIZE])
{
    snprintf(name, POINT_NAME_SIZE, "%s-%s%s", object_words[point / 2 / CALL_COUNT], call_words[point / 2 % CALL_COUNT],
             point % 2 ? "-done" : "");
}

void points_open(const char *path)
{
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC, 0);
    void *shared = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

    if (shared == MAP_FAILED) {
        fprintf(stderr, "watch: %s cannot be shared\n", path);
        abort();
    }
    syscall(SYS_close, fd);
    control = shared;
}

/* Whether it is this one's turn. */
static int is_due(int point)
{
    __atomic_add_fetch(&control->hits[point], 1, __ATOMIC_RELAXED);
    if (__atomic_load_n(&control->point, __ATOMIC_ACQUIRE) != point)
        return 0;
    if (__atomic_sub_fetch(&control->countdown, 1, __ATOMIC_ACQ_REL) > 0)
        return 0;
    if (control->action != ACTION_FAIL_ON)
        __atomic_store_n(&control->point, -1, __ATOMIC_RELEASE);
    __atomic_add_fetch(&control->fired, 1, __ATOMIC_RELAXED);
    return 1;
}

/* Allocations are many: only those that a test asked for are counted. */
static int is_watched(enum object object)
{
    return control && object != OBJECT_OTHER && (object != OBJECT_HEAP || control->point >= 0);
}

static void end_process(void)
{
    syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

int points_before(enum object object, enum call call)
{
    if (!is_watched(object) || !is_due(number_of(object, call, 0)))
        return 0;
    if (control->action == ACTION_KILL)
        end_process();
    return control->error;
}

void points_after(enum object object, enum call call)
{
    if (is_watched(object) && is_due(number_of(object, call, 1)) && control->action == ACTION_KILL)
        end_process();
}
