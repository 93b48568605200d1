/* The listening socket: ours, so that the reason of a failure and the port are known. Internal to http/. */
#ifndef HABIT_HTTP_LISTEN_H
#define HABIT_HTTP_LISTEN_H

#include <stdbool.h>

/* Binds a numeric address, or localhost, and listens. Returns 0 with *ret_socket and the real *port; or negative:
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES. */
int listen_open(const char *address, unsigned int *port, int *ret_socket);

/* The same for a socket that listens already. Returns -EPERM where it listens beyond loopback and the configured address does not. */
int listen_take(int fd, const char *address, unsigned int *port);

/* Whether anything comes back, an answer or the end, from a client's first line to the socket, within so many milliseconds. */
bool listen_probe(int fd, int milliseconds);

#endif
