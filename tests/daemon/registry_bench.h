/* The machines on a real store, for tests of the registry: a bench that starts, stops and starts again, and buffers for it. */
#ifndef REGISTRY_BENCH_H
#define REGISTRY_BENCH_H

#include "bench.h"

enum { SAMPLES = 32, AXES = 2, VALUES = SAMPLES * AXES, BATCH = 8, K = 10 };

/* Of a machine that such buffers fit. */
extern const char geometry[];

/* Beside cmocka's state: with the pattern auto-*, which creates, and started. */
int set_up(void **state);
int tear_down(void **state);

/* A [machine "pattern"] section, create = yes where `make` is, and what else the text says: "key=value key=value". */
void add_pattern(struct bench *bench, const char *pattern, bool make, const char *settings);

/* ---- buffers */

/* A tone and some noise; `strange` scales the noise. */
void fill(uint64_t *seed, float *samples, size_t buffers, float strange);

struct shot {
    const char *id;
    enum intent intent;
    const float *samples;
    size_t buffers;
    const struct wire_meta *meta;
    const char *topic;
    bool dry_run;
    struct receipt *receipt;
};

/* Submits it, a second after the one before. verdicts: BATCH of them. */
int shoot(struct bench *bench, const struct shot *shot, struct verdict *verdicts, size_t *count);

/* The same, for a refusal. */
int refused(struct bench *bench, const struct shot *shot);

/* One buffer that is taken; its verdict. */
struct verdict one(struct bench *bench, const char *id, enum intent intent, float strange,
                   const struct wire_meta *meta);
void learn(struct bench *bench, const char *id, unsigned int count);
struct wire_meta numbered(uint64_t seq);

/* ---- machines */

void put(struct bench *bench, const char *id, const char *json);
struct machine_view view(struct bench *bench, const char *id);
bool exists(struct bench *bench, const char *id);

struct block {
    void *bytes; /* heap */
    size_t size;
    uint32_t crc;
};

struct block knowledge(struct bench *bench, const char *id);

/* Takes both. */
void check_same_blocks(struct block a, struct block b);

/* What a refused submission must leave as it was. */
struct still {
    struct block block;
    struct machine_view view;
    struct registry_figures figures;
    struct verdict average; /* of a trial: shows the window */
};

/* A trial touches nothing; look and check_still make one each. */
struct verdict trial(struct bench *bench, const char *id);
struct still look(struct bench *bench, const char *id);
void check_still(struct bench *bench, const char *id, struct still before);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
