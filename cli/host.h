/* By which names and addresses others call this host. */
#ifndef HABIT_CLI_HOST_H
#define HABIT_CLI_HOST_H

#include <stdbool.h>
#include <stddef.h>

enum { HOST_NAMES = 48, HOST_NAME_SIZE = 254 };

struct host_names {
    size_t count;
    char name[HOST_NAMES][HOST_NAME_SIZE]; /* names and addresses, each once; the best for others first */
};

/* A host name ("gw", "gw.example.org") or an address in numbers. */
bool host_name_valid(const char *text);

/* In numbers, IPv4 or IPv6. */
bool host_is_address(const char *text);

/* Adds one where it is not there yet and there is room. */
void host_add(struct host_names *names, const char *name);

/* Adds the addresses of the interfaces that others reach (no loopback, no link-local ones), the host name, the host name with
 * .local, then localhost and the loopback addresses. */
void host_add_own(struct host_names *names);

#endif
