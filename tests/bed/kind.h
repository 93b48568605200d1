/* What the test bed simulates: kinds of machines, and one machine of a kind. */
#ifndef HABIT_BED_KIND_H
#define HABIT_BED_KIND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "chance.h"

#define COUNT(array) ((unsigned int)(sizeof(array) / sizeof((array)[0])))

enum { BED_AXES = 6, BED_SAMPLES = 2048, BED_VALUES = 4096 }; /* at most; values: samples x axes */

/* The life of a machine, in buffers: learned (more where --learn asks for it), healthy ones to test, then the fault. */
enum { BED_LEARNED = 200, BED_HEALTHY = 100, BED_FAULTY = 60, BED_TESTED = BED_HEALTHY + BED_FAULTY };

/* What the machine's sensors do during one buffer, before it is interleaved and rounded. */
struct block {
    uint32_t size, axes;
    double x[BED_AXES][BED_SAMPLES];
};

struct machine {
    const struct kind *kind;
    uint32_t buffer_size, axes;
    double sampling_hz;
    double resolution;    /* of the converter, in the unit of the sensor; 0 = very fine */
    const char *fault;    /* the one that this machine will have */
    struct chance chance; /* of all that changes from buffer to buffer */
    void *state;          /* the kind's own: character and slow state, no pointers into itself */
};

/* When a buffer is written: its number in the machine's life, and what the fault is then. */
struct moment {
    unsigned int t;
    double severity; /* >= 0; 0 = healthy */
    double grown;    /* 0 at the first faulty buffer, 1 at the last; for faults that grow */
};

struct kind {
    const char *name;
    size_t state_size;
    /* Gives a machine its geometry, character and fault, all random. The state is zeroed before. */
    void (*draw)(struct machine *machine, struct chance *chance);
    /* Adds the next buffer to a block of zeros. Buffers are written in the order of their numbers. False: in this buffer the
     * fault cannot show (it stands still), so nobody could be asked to see it. */
    bool (*write)(struct machine *machine, const struct moment *moment, struct block *block);
};

/* The kinds in the order in which they are printed; NULL behind the last. */
const struct kind *kind_at(unsigned int index);

/* A random machine of a kind; the same for the same seed. Never NULL: the bed ends where memory does. */
struct machine *machine_new(const struct kind *kind, uint64_t seed);
struct machine *machine_copy(const struct machine *machine);
struct machine *machine_free(struct machine *machine); /* NULL is fine; always returns NULL */

/* The next buffer, interleaved by axis. Returns as the kind's write. */
bool machine_write(struct machine *machine, const struct moment *moment, float *samples);

/* Geometry as users choose it: mostly a power of two, sometimes any size; mostly 1 or 3 axes. */
uint32_t draw_size(struct chance *chance, uint32_t low, uint32_t high);
uint32_t draw_axes(struct chance *chance);
/* Sets both, with the size halved until no more than BED_VALUES values are in a buffer. */
void draw_geometry(struct machine *machine, struct chance *chance, uint32_t low, uint32_t high);

double draw_log(struct chance *chance, double low, double high);                /* evenly in the logarithm */
unsigned int draw_one_of(struct chance *chance, unsigned int count);            /* 0 .. count - 1 */
unsigned int draw_whole(struct chance *chance, unsigned int a, unsigned int b); /* a .. b */

#endif
