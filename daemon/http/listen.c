#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/error.h"

static int resolve(const char *address, unsigned int port, struct addrinfo **found)
{
    const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV, .ai_socktype = SOCK_STREAM };
    char service[8];

    snprintf(service, sizeof(service), "%u", port);
    return getaddrinfo(address, service, &hints, found) == 0 ? 0 : fault(-EADDRNOTAVAIL);
}

static int bind_and_listen(int fd, const struct addrinfo *address)
{
    const int on = 1;

    /* A restart need not wait for old connections to time out. */
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
        bind(fd, address->ai_addr, address->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
        return fault(-errno);
    return 0;
}

static int port_of(int fd, unsigned int *port)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } name = { .v6 = { 0 } };
    socklen_t size = sizeof(name);

    if (getsockname(fd, &name.any, &size) < 0)
        return fault(-errno);
    *port = ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port);
    return 0;
}

int listen_open(const char *address, unsigned int *port, int *ret_socket)
{
    struct addrinfo *found = NULL;
    int fd = -1, r = resolve(address, *port, &found);

    if (r < 0)
        return r;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    r = fd < 0 ? fault(-errno) : bind_and_listen(fd, found);
    if (r == 0)
        r = port_of(fd, port);
    freeaddrinfo(found);
    if (r == 0)
        *ret_socket = fd;
    else if (fd >= 0)
        close(fd);
    return r;
}
