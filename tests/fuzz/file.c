#include "file.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz.h"

const char *fuzz_file(int which, const void *bytes, size_t size)
{
    static struct {
        int fd; /* 0 = not there yet */
        char name[32];
    } files[FUZZ_FILES];

    if (files[which].fd == 0) {
        files[which].fd = memfd_create("fuzz", MFD_CLOEXEC);
        CLAIM(files[which].fd > 0 && fchmod(files[which].fd, 0600) == 0);
        snprintf(files[which].name, sizeof(files[which].name), "/proc/self/fd/%d", files[which].fd);
    }
    CLAIM(ftruncate(files[which].fd, 0) == 0);
    CLAIM(pwrite(files[which].fd, bytes, size, 0) == (ssize_t)size);
    return files[which].name;
}
