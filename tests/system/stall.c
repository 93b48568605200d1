/* Preloaded into habitd: once the file $STALL_FILE exists, the call that is named in it never comes back. */
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

static void perhaps_stall(const char *name)
{
    const char *path = getenv("STALL_FILE");
    FILE *file = path ? fopen(path, "re") : NULL;
    char line[64] = "";

    if (!file)
        return;
    if (!fgets(line, sizeof(line), file))
        line[0] = '\0';
    fclose(file);
    line[strcspn(line, "\n")] = '\0';
    while (strcmp(line, name) == 0)
        pause();
}

int fdatasync(int fd)
{
    int (*real)(int) = (int (*)(int))dlsym(RTLD_NEXT, "fdatasync");

    perhaps_stall("fdatasync");
    return real(fd);
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
