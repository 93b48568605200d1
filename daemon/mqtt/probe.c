#include "mqtt/probe.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

static bool accepts(const struct addrinfo *address, int timeout)
{
    int fd = socket(address->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), error = 0;
    struct pollfd pollfd = { .fd = fd, .events = POLLOUT };
    socklen_t size = sizeof(error);
    bool open;

    if (fd < 0)
        return false;
    open = connect(fd, address->ai_addr, address->ai_addrlen) == 0 ||
           (poll(&pollfd, 1, timeout) > 0 && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) == 0 && error == 0);
    close(fd);
    return open;
}

bool probe_listens(const char *host, uint32_t port, int timeout)
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
    struct addrinfo *addresses;
    char service[16];
    bool open = false;

    snprintf(service, sizeof(service), "%u", port);
    if (getaddrinfo(host, service, &hints, &addresses) != 0)
        return false;
    for (const struct addrinfo *address = addresses; address && !open; address = address->ai_next)
        open = accepts(address, timeout);
    freeaddrinfo(addresses);
    return open;
}
