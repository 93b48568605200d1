#include "http/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
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

union name {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
};

static int name_of(int fd, union name *name)
{
    socklen_t size = sizeof(*name);

    memset(name, 0, sizeof(*name));
    if (getsockname(fd, &name->any, &size) < 0)
        return fault(-errno);
    return name->any.sa_family == AF_INET || name->any.sa_family == AF_INET6 ? 0 : fault(-EAFNOSUPPORT);
}

static unsigned int port_in(const union name *name)
{
    return ntohs(name->any.sa_family == AF_INET6 ? name->v6.sin6_port : name->v4.sin_port);
}

static bool on_loopback(const union name *name)
{
    return name->any.sa_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&name->v6.sin6_addr)
                                           : ntohl(name->v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

static int port_of(int fd, unsigned int *port)
{
    union name name;
    int r = name_of(fd, &name);

    if (r == 0)
        *port = port_in(&name);
    return r;
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

int listen_take(int fd, const char *address, unsigned int *port)
{
    struct addrinfo *found = NULL;
    union name name, allowed;
    int r = name_of(fd, &name);

    if (r == 0)
        r = resolve(address, 0, &found);
    if (r < 0 || !found)
        return r;
    memcpy(&allowed, found->ai_addr, found->ai_addrlen);
    freeaddrinfo(found);
    if (!on_loopback(&name) && on_loopback(&allowed))
        return fault(-EPERM);
    *port = port_in(&name);
    return fcntl(fd, F_SETFL, O_NONBLOCK) < 0 ? fault(-errno) : 0;
}

/* An address that listens on all is reached on loopback. */
static void reach(union name *name)
{
    if (name->any.sa_family == AF_INET && name->v4.sin_addr.s_addr == htonl(INADDR_ANY))
        name->v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    else if (name->any.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&name->v6.sin6_addr))
        name->v6.sin6_addr = in6addr_loopback;
}

static bool comes_back(int fd, int milliseconds)
{
    static const char question[] = "GET /livez HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    struct pollfd waiting = { .fd = fd, .events = POLLIN };

    /* Where TLS is spoken this is no handshake, and the connection is ended: also a sign of life. */
    return send(fd, question, sizeof(question) - 1, MSG_NOSIGNAL) > 0 && poll(&waiting, 1, milliseconds) > 0;
}

bool listen_probe(int fd, int milliseconds)
{
    union name name;
    bool alive = false;
    int client;

    if (name_of(fd, &name) < 0)
        return false;
    reach(&name);
    client = socket(name.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (client < 0)
        return false;
    /* The kernel connects without the listener, or refuses at once: this does not wait. */
    if (connect(client, &name.any, name.any.sa_family == AF_INET6 ? sizeof(name.v6) : sizeof(name.v4)) == 0)
        alive = comes_back(client, milliseconds);
    close(client);
    return alive;
}
