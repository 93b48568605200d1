/* A store on real files, for its tests: a bench, a change of every part, and faults. SQLite's reads, writes and syncs go through
 * this program, which can let the n-th of them fail. */
#ifndef STORE_BENCH_H
#define STORE_BENCH_H

#include "support.h"

#include <stdatomic.h>

#include "store/store.h"

/* How many there were so far. */
extern atomic_long writes, syncs;

/* What the last store_open had to say. */
extern char message[STORE_MESSAGE_SIZE];

struct bench {
    char directory[PATH_SIZE], path[PATH_SIZE + 16];
    struct store *store;
};

/* What there can be in a change, all at once. */
struct parts {
    struct store_change change;
    struct strategy_state state;
    char window[100], knowledge[3000];
    struct mark mark[3];
    struct store_buffer commissioning[2], evidence[2];
    struct mute mute;
    struct store_candidate candidate;
    int16_t samples[2][12];
    float step[2][3], offset[2][3];
    struct anomaly anomaly[2];
    struct store_outgoing outgoing[2];
    struct hour hour[2];
};

/* What store_load_machines gave. */
struct loaded {
    int count;
    int64_t machine, created;
    char id[MACHINE_ID_SIZE], settings[64], window[200], knowledge[4000];
    struct strategy_state state;
    size_t window_size, knowledge_size, mark_count;
    bool knows;
    struct mark mark[LIMIT_SOURCES * LIMIT_BOOTS];
    uint32_t commissioning_count;
    uint64_t commissioning_bytes;
};

/* From the count-th write or sync on they fail with this errno; only that one where `once` is. Until fault_clear. */
void fault_after(long count, int number, int once);

/* The count-th read from now on fails with EIO, and no other. */
void fault_read(long count);

/* Whether a fault of fault_read was still to come. */
int fault_clear(void);

/* Closes it where it is open. */
void reopen(struct bench *bench);
int set_up(void **state);
int tear_down(void **state);

int64_t create(struct bench *bench, const char *id);

/* Waits for its end, which must_commit wants to be good. */
int commit(struct bench *bench, const struct store_change *change);
void must_commit(struct bench *bench, const struct store_change *change);

/* Everything in it follows from n. */
void make_parts(struct parts *parts, struct bench *bench, int64_t machine, unsigned int n);

/* A machine that was changed already. */
int64_t create_with_history(struct bench *bench);

/* One machine; good until the next call. */
struct loaded *load(struct bench *bench, int64_t machine);

/* Of the same source and boot; fails the test where there is none. */
const struct mark *find_mark(const struct loaded *loaded, const struct mark *wanted);
void check_state(const struct strategy_state *a, const struct strategy_state *b);
void check_loaded(const struct loaded *loaded, const struct parts *parts);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

#endif
