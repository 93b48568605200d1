#include "slow_disk.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <sys/syscall.h>
#include <unistd.h>

static atomic_bool held, waiting;

void slow_disk(void)
{
    for (; held; usleep(1000))
        waiting = true;
    waiting = false;
}

__attribute__((weak)) int fdatasync(int fd)
{
    slow_disk();
    return (int)syscall(SYS_fdatasync, fd);
}

void hold_commits(void)
{
    held = true;
}

void await_held_commit(void)
{
    while (!waiting)
        usleep(1000);
}

void let_commits_go(void)
{
    held = false;
}
