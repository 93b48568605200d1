/* A registry on a real store in a directory of its own, which starts, stops and starts again. */
#ifndef BENCH_H
#define BENCH_H

#include "support.h"

#include "registry/registry.h"

struct bench {
    char directory[PATH_SIZE], path[PATH_SIZE + 16];
    struct config config;
    struct store *store;
    struct registry *registry;
    struct moment now;
    struct refusal refusal;
    uint64_t seed;
};

/* A registry on the bench's store; restart flushes first, as habitd does when it stops. */
void start(struct bench *bench);
void stop(struct bench *bench);
void restart(struct bench *bench);

/* With the default configuration, not started; it begins on 2026-11-22. Free stops it where it runs. */
struct bench *bench_new(void);
void bench_free(struct bench *bench);

#endif
