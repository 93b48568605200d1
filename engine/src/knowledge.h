/* The knowledge block: a header that never changes its layout, then a body of 4-byte words, little-endian.
 *
 *     header          what it is of, and the CRC
 *     ledger          counts, calibration, window statistics, baseline: the same for every geometry
 *     rms             running mean of each axis' rms
 *     baseline        mean, then variance, of the spectrum and level features at the end of commissioning
 *     three models    or, until HABIT_START buffers came, their feature vectors as they were
 *
 * Everything that can be 0 in a block without knowledge is 0. */
#ifndef HABIT_KNOWLEDGE_H
#define HABIT_KNOWLEDGE_H

#include <assert.h>

#include "layout.h"

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the knowledge block is little-endian, and so must the processor be"
#endif

#define HABIT_SEALED 0x4c414553u /* "SEAL" */

/* The first HABIT_HEADER_SIZE bytes, for every format version there will be. */
struct habit_header {
    char magic[4];              /*  0  "HABT" */
    uint16_t format;            /*  4  HABIT_FORMAT_VERSION */
    uint16_t header_size;       /*  6  HABIT_HEADER_SIZE */
    uint32_t block_size;        /*  8  bytes, header included */
    uint32_t crc;               /* 12  CRC32C of the block with this field 0; 0 while not sealed */
    uint32_t sealed;            /* 16  HABIT_SEALED, or 0 since the last change */
    uint32_t stamp;             /* 20  another after every change, never 0; made from what was learned */
    uint32_t learned;           /* 24  buffers learned, staying at 2^32 - 1 */
    float sensitivity;          /* 28 */
    uint16_t buffer_size;       /* 32  from here on the configuration */
    uint8_t axes;               /* 34 */
    uint8_t profile;            /* 35 */
    float sampling_hz;          /* 36 */
    float scale;                /* 40 */
    char unit[HABIT_UNIT_SIZE]; /* 44 */
    uint32_t reserved[18];      /* 56  0 */
};

static_assert(sizeof(struct habit_header) == HABIT_HEADER_SIZE, "the header has no padding");
static_assert(offsetof(struct habit_header, block_size) == 8, "fixed for ever");
static_assert(offsetof(struct habit_header, crc) == 12, "fixed for ever");
static_assert(offsetof(struct habit_header, stamp) == 20, "fixed for ever");
static_assert(offsetof(struct habit_header, sensitivity) == 28, "fixed for ever");
static_assert(offsetof(struct habit_header, buffer_size) == 32, "fixed for ever");
static_assert(offsetof(struct habit_header, sampling_hz) == 36, "fixed for ever");
static_assert(offsetof(struct habit_header, unit) == 44, "fixed for ever");
static_assert(offsetof(struct habit_header, reserved) == 56, "fixed for ever");

/* Sum of weights and of their squares: together they say how many equal ones they are worth. */
struct habit_weights {
    float sum, squares;
};

/* Line of log distance over 1 / count: the regressor is shared by the views, which are scored together. */
struct habit_calibration {
    uint32_t scores; /* seen, the skipped ones included; staying at HABIT_COUNT_LIMIT */
    struct habit_weights weights;
    float x_mean, x_scatter;
    struct {
        float mean, covariance, scatter; /* of y, of x and y, of y */
    } view[HABIT_VIEWS];
};

/* How the score of habit_result scatters: for the line, then for the window. */
struct habit_scatter {
    uint32_t scores; /* staying at HABIT_COUNT_LIMIT */
    struct habit_weights weights;
    float mean, scatter;
    float lagged; /* sum of products of neighbours */
    float last;
    struct {
        float mean, scatter; /* of scores that are limited as the window limits them */
        float trailed;       /* sum of products with the trail */
        float trail;         /* of deviations before, each score back counting less */
    } window;
};

struct habit_ledger {
    uint32_t started; /* 0: `count` feature vectors are kept; 1: the models have learned `count` */
    uint32_t count;   /* halved with all weights at HABIT_COUNT_LIMIT, so that learning never freezes */
    float weight;     /* of the last buffer */
    float alarms;     /* moving share of buffers that were above the line before they were learned */
    float unrest; /* the same of the latest, with a line further out that does not give way to a machine that wanders */
    uint32_t baseline; /* 1 when there is one */
    struct habit_calibration calibration;
    struct habit_scatter scatter;
};

enum {
    HABIT_LEDGER_WORDS = sizeof(struct habit_ledger) / 4,
    HABIT_COUNT_LIMIT = 65536, /* a power of two */
    HABIT_ENGINE_READY = 0x52444e45
};

static_assert(sizeof(struct habit_ledger) == 4 * 31, "the ledger has no padding");

/* A point that an operator accepted is pinned: it counts whatever its support, no other takes its place, and it says nothing
 * about the scatter of all. Squares of distances from a point are divided by its tolerance: 1, or what an accepted state
 * scatters more. At least one point is not pinned. */

/* Modes: means of states, and one scatter around whichever of them is nearest. Arrays lie behind in this order. */
struct habit_modes {
    uint32_t used;   /* of the shape's points */
    uint32_t pinned; /* bit k: mode k was accepted by an operator */
    float freedom;   /* degrees of freedom in the scatter */
    float arrays[];  /* count, excess, visits, tolerance, seen [points] each, mean[points][dimension], */
};                   /* scatter[blocks][triangle], and a struct habit_coupling where there is one */

/* How whitened features of different blocks go together: products of the same feature of every two blocks. */
struct habit_coupling {
    float weight;
    float scatter[]; /* [coupled][triangle of the blocks] */
};

/* Prototypes: buffers that were seen, as far from each other as possible, and the total covariance. */
struct habit_prototypes {
    uint32_t used, pinned;
    uint32_t older, newer; /* counts at which the means behind were kept: the last two powers of two */
    struct habit_weights weights;
    float arrays[]; /* mean[d], older mean[d], newer mean[d], scatter[triangle], count[points], tolerance[points], */
};                  /* position[points][d] and, as uint32_t, age[points]: the count at which each was learned */

/* Second is the mean of what an operator accepted. */
struct habit_waveform {
    struct habit_weights weights;
    float accepted;  /* buffers in it; 0 = none */
    float tolerance; /* of it */
    float arrays[];  /* mean[2][dimension], scatter[blocks][triangle] */
};

uint32_t habit_coupling_words(const struct habit_shape *shape);

/* Words of a model in the body, and of a view in the cache. */
uint32_t habit_model_words(enum habit_view_index view, const struct habit_shape *shape);
uint32_t habit_view_words(const struct habit_shape *shape);

static inline struct habit_header *habit_header(const struct habit_engine *engine)
{
    return engine->memory.knowledge;
}

static inline struct habit_ledger *habit_ledger(const struct habit_engine *engine)
{
    return (struct habit_ledger *)(habit_header(engine) + 1);
}

/* Every change of the knowledge ends here: what was sealed is not any more, and the stamp follows from the change. */
void habit_touch(struct habit_engine *engine, const void *words, uint32_t count);

/* Whether the words behind a valid header could have been written by an engine of this layout. */
bool habit_body_valid(const uint8_t *block, const struct habit_layout *layout);

/* HABIT_OK when engine can be used; checks the knowledge where it was replaced behind its back. */
int habit_ensure(struct habit_engine *engine);

#endif
