/* Preloaded into habitd: while the file $STALL_FILE exists, the call that is named in it does not come back. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

struct mosquitto;
float log2f(float x);
int fdatasync(int fd);
int mosquitto_loop_misc(struct mosquitto *client);

static int stalls(const char *name)
{
    const char *path = getenv("STALL_FILE");
    FILE *file = path ? fopen(path, "re") : NULL;
    char line[64] = "";

    if (!file)
        return 0;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    return strcmp(line, name) == 0;
}

static void perhaps_stall(const char *name)
{
    while (stalls(name))
        usleep(1000);
}

int fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

    perhaps_stall("fdatasync");
    return real(fd);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t offset)
{
    ssize_t (*real)(int, const void *, size_t, off64_t) =
        (ssize_t(*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");

    perhaps_stall("pwrite64");
    return real(fd, bytes, size, offset);
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags)
{
    int (*real)(int, struct sockaddr *, socklen_t *, int) =
        (int (*)(int, struct sockaddr *, socklen_t *, int))dlsym(RTLD_NEXT, "accept4");

    perhaps_stall("accept4");
    return real(fd, address, size, flags);
}

int mosquitto_loop_misc(struct mosquitto *client)
{
    int (*real)(struct mosquitto *) = (int (*)(struct mosquitto *))dlsym(RTLD_NEXT, "mosquitto_loop_misc");

    perhaps_stall("mosquitto_loop_misc");
    return real(client);
}

/* The only call of a library that habitd makes while it judges a buffer, under the machine's lock (run_when = level auto). */
float log2f(float x)
{
    float (*real)(float) = (float (*)(float))dlsym(RTLD_NEXT, "log2f");

    perhaps_stall("log2f");
    return real(x);
}
