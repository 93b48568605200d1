/* Sockets that the HTTP door opens, or is handed by systemd, and the look whether it still answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http/listen.h"

/* Whether this host has IPv6 on loopback. */
static bool has_six(void)
{
    const struct sockaddr_in6 loopback = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    int fd = socket(AF_INET6, SOCK_STREAM, 0);
    bool has = fd >= 0 && bind(fd, (const struct sockaddr *)&loopback, sizeof(loopback)) == 0;

    if (fd >= 0)
        close(fd);
    return has;
}

static int opened(const char *address, unsigned int *port)
{
    int fd = -1;

    *port = 0;
    assert_int_equal(listen_open(address, port, &fd), 0);
    assert_true(fd >= 0 && *port > 0);
    return fd;
}

static void test_open(void **state)
{
    unsigned int port, same;
    int fd = opened("127.0.0.1", &port), other = -1;

    (void)state;
    same = port;
    assert_int_equal(listen_open("127.0.0.1", &same, &other), -EADDRINUSE);
    assert_int_equal(other, -1);
    assert_int_equal(listen_open("not an address", &same, &other), -EADDRNOTAVAIL);
    assert_int_equal(listen_open("192.0.2.1", &same, &other), -EADDRNOTAVAIL); /* not of this host */
    close(fd);
    if (has_six())
        close(opened("::1", &port));
}

/* A socket of another program's making. */
static int bound(int family, const char *address)
{
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(inet_pton(family, address, family == AF_INET ? (void *)&four.sin_addr : (void *)&six.sin6_addr),
                     1);
    assert_int_equal(family == AF_INET ? bind(fd, (struct sockaddr *)&four, sizeof(four))
                                       : bind(fd, (struct sockaddr *)&six, sizeof(six)),
                     0);
    assert_int_equal(listen(fd, 8), 0);
    return fd;
}

/* Takes a socket, and closes it. */
static int taken(int fd, const char *address)
{
    unsigned int port = 0;
    int r = listen_take(fd, address, &port);

    if (r == 0) {
        assert_true(port > 0);
        assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
    }
    close(fd);
    return r;
}

/* systemd's socket must not reach further than the configuration says. */
static void test_take(void **state)
{
    int pipes[2];

    (void)state;
    assert_int_equal(taken(bound(AF_INET, "127.0.0.1"), "127.0.0.1"), 0);
    assert_int_equal(taken(bound(AF_INET, "127.7.7.7"), "127.0.0.1"), 0);
    assert_int_equal(taken(bound(AF_INET, "127.0.0.1"), "0.0.0.0"), 0);
    assert_int_equal(taken(bound(AF_INET, "0.0.0.0"), "0.0.0.0"), 0);
    assert_int_equal(taken(bound(AF_INET, "0.0.0.0"), "127.0.0.1"), -EPERM);
    if (has_six()) {
        assert_int_equal(taken(bound(AF_INET6, "::1"), "127.0.0.1"), 0);
        assert_int_equal(taken(bound(AF_INET6, "::1"), "::1"), 0);
        assert_int_equal(taken(bound(AF_INET6, "::"), "::1"), -EPERM);
        assert_int_equal(taken(bound(AF_INET6, "::"), "::"), 0);
    }
    assert_int_equal(taken(socket(AF_UNIX, SOCK_STREAM, 0), "127.0.0.1"), -EAFNOSUPPORT);
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(taken(pipes[0], "127.0.0.1"), -ENOTSOCK);
    close(pipes[1]);
}

/* ---------------------------------------------------------------------------------------------------- signs of life */

struct server {
    int fd;
    const char *answer; /* NULL = hangs up without one */
};

/* On a thread of its own, where nothing can be asserted: what goes wrong shows in the probe. */
static void *serve(void *user)
{
    const struct server *server = user;
    int client = accept(server->fd, NULL, NULL);
    char question[256];

    if (client < 0)
        return NULL;
    if (read(client, question, sizeof(question)) > 0 && server->answer)
        send(client, server->answer, strlen(server->answer), MSG_NOSIGNAL);
    close(client);
    return NULL;
}

static bool probed(int fd, const char *answer)
{
    struct server server = { fd, answer };
    pthread_t thread;
    bool alive;

    assert_int_equal(pthread_create(&thread, NULL, serve, &server), 0);
    alive = listen_probe(fd, 5000);
    pthread_join(thread, NULL);
    return alive;
}

static void test_probe(void **state)
{
    static const char *const addresses[] = { "127.0.0.1", "0.0.0.0", "::1", "::" };

    (void)state;
    for (size_t i = 0; i < (has_six() ? 4 : 2); i++) {
        int fd = bound(strchr(addresses[i], ':') ? AF_INET6 : AF_INET, addresses[i]);

        assert_true(probed(fd, "HTTP/1.1 200 OK\r\n\r\n"));
        assert_true(probed(fd, NULL));      /* whoever hangs up lives */
        assert_false(listen_probe(fd, 20)); /* the kernel connects, nobody answers */
        close(fd);
        assert_false(listen_probe(fd, 20));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_open),
        cmocka_unit_test(test_take),
        cmocka_unit_test(test_probe),
    };

    return cmocka_run_group_tests_name("listen", tests, NULL, NULL);
}
