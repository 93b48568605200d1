#include "host.h"

#include <arpa/inet.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

bool host_is_address(const char *text)
{
    struct in6_addr bytes;

    return inet_pton(AF_INET, text, &bytes) == 1 || inet_pton(AF_INET6, text, &bytes) == 1;
}

bool host_name_valid(const char *text)
{
    static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-.";
    size_t length = strlen(text);

    if (host_is_address(text))
        return true;
    return length > 0 && length < HOST_NAME_SIZE && text[strspn(text, allowed)] == '\0' && text[0] != '-' &&
           text[0] != '.' && !strstr(text, "..");
}

void host_add(struct host_names *names, const char *name)
{
    for (size_t i = 0; i < names->count; i++)
        if (strcasecmp(names->name[i], name) == 0)
            return;
    if (names->count < HOST_NAMES && strlen(name) < HOST_NAME_SIZE)
        snprintf(names->name[names->count++], HOST_NAME_SIZE, "%s", name);
}

static void add_address(struct host_names *names, const struct sockaddr *address, int family)
{
    const struct sockaddr_in *four = (const void *)address;
    const struct sockaddr_in6 *six = (const void *)address;
    char text[INET6_ADDRSTRLEN];

    if (family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&six->sin6_addr)) /* is of an interface, not of the host */
        return;
    if (inet_ntop(family, family == AF_INET ? (const void *)&four->sin_addr : (const void *)&six->sin6_addr, text,
                  sizeof(text)))
        host_add(names, text);
}

static void add_addresses(struct host_names *names, int family)
{
    struct ifaddrs *list;

    if (getifaddrs(&list) != 0)
        return;
    for (const struct ifaddrs *each = list; each; each = each->ifa_next)
        if (each->ifa_addr && each->ifa_addr->sa_family == family && (each->ifa_flags & IFF_UP) &&
            !(each->ifa_flags & IFF_LOOPBACK))
            add_address(names, each->ifa_addr, family);
    freeifaddrs(list);
}

void host_add_own(struct host_names *names)
{
    char host[HOST_NAME_SIZE] = "", local[HOST_NAME_SIZE + 8];

    add_addresses(names, AF_INET);
    if (gethostname(host, sizeof(host) - 1) == 0 && host_name_valid(host)) {
        snprintf(local, sizeof(local), "%s.local", host);
        if (!strchr(host, '.'))
            host_add(names, local);
        host_add(names, host);
    }
    add_addresses(names, AF_INET6);
    host_add(names, "localhost");
    host_add(names, "127.0.0.1");
    host_add(names, "::1");
}
