/* Preloaded into habitd: the name late.example has an address once the file $LATE_NAME exists, which holds it. */
#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef int resolver(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found);

/* The address; NULL = not yet. */
static const char *look_up(char address[64])
{
    const char *path = getenv("LATE_NAME");
    FILE *file = path ? fopen(path, "re") : NULL;
    const char *line = file ? fgets(address, 64, file) : NULL;

    if (file)
        fclose(file);
    return line;
}

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found)
{
    resolver *real = (resolver *)dlsym(RTLD_NEXT, "getaddrinfo");
    char address[64];

    if (!node || strcmp(node, "late.example") != 0)
        return real(node, service, hints, found);
    return look_up(address) ? real(address, service, hints, found) : EAI_AGAIN;
}
