#include "http/peer.h"

#include <netinet/in.h>
#include <string.h>

/* Of an IPv4 address, also where it is written as one of IPv6; in network order. */
static bool four_of(const struct sockaddr *peer, uint32_t *four)
{
    const struct sockaddr_in6 *six = (const void *)peer;

    *four = 0;
    if (peer && peer->sa_family == AF_INET)
        *four = ((const struct sockaddr_in *)(const void *)peer)->sin_addr.s_addr;
    else if (peer && peer->sa_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&six->sin6_addr))
        memcpy(four, six->sin6_addr.s6_addr + 12, sizeof(*four));
    else
        return false;
    return true;
}

uint64_t peer_sender(const struct sockaddr *peer)
{
    uint64_t network = 0;
    uint32_t four;

    if (!four_of(peer, &four) && peer && peer->sa_family == AF_INET6)
        memcpy(&network, ((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr.s6_addr, sizeof(network));
    return network != 0 ? network : (UINT64_C(1) << 32 | four);
}

bool peer_is_loopback(const struct sockaddr *peer)
{
    uint32_t four;

    if (four_of(peer, &four))
        return ntohl(four) >> 24 == IN_LOOPBACKNET;
    return peer && peer->sa_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr);
}
