/* The listening socket: ours, so that the reason of a failure and the port are known. Internal to http/. */
#ifndef HABIT_HTTP_LISTEN_H
#define HABIT_HTTP_LISTEN_H

/* Binds a numeric address, or localhost, and listens. Returns 0 with *ret_socket and the real *port; or negative:
 * -EADDRINUSE, -EADDRNOTAVAIL, -EACCES. */
int listen_open(const char *address, unsigned int *port, int *ret_socket);

#endif
