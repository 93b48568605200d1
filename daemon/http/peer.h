/* Who is at the other end of a connection. Internal to http/. */
#ifndef HABIT_HTTP_PEER_H
#define HABIT_HTTP_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

/* What counts as one sender: an IPv4 address, or the 64 bits of an IPv6 network. Never 0. peer NULL or of another family is the same
 * sender as any other such. */
uint64_t peer_sender(const struct sockaddr *peer);

/* 127.0.0.0/8 and ::1. */
bool peer_is_loopback(const struct sockaddr *peer);

#endif
