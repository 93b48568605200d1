/* A gateway for fuzz targets: configuration, store and registry as habitd has them, without its sockets. It stands on a file
 * system in memory where there is one, and is put back to how it was after an input that changed something: so an input is all
 * that is needed to see a failure again. */
#ifndef FUZZ_GATEWAY_H
#define FUZZ_GATEWAY_H

#include "config/config.h"
#include "registry/registry.h"
#include "store/store.h"

struct fuzz_gateway {
    struct config config;
    struct store *store;
    struct registry *registry;
};

/* The gateway: pump-1 (8 x 2, int16) is watched, fan-1 (4 x 1) learns, IDs auto-* become machines by their first buffer, and there
 * are inputs of every kind: see gateway.c. The same until fuzz_gateway_changed. */
struct fuzz_gateway *fuzz_gateway(void);

/* The next fuzz_gateway is as at the beginning. What points to this one is invalid. */
void fuzz_gateway_changed(void);

/* Stops and starts again on the same store. */
void fuzz_gateway_restart(void);

/* Whether anything that is known of the machines, their knowledge and their snapshots is another than at the last call, or, at the
 * first, than at the beginning. Counters of what was refused are no part of it. */
bool fuzz_gateway_moved(struct fuzz_gateway *gateway);

/* The moment at which the gateway stands. */
extern const struct moment fuzz_now;

#endif
