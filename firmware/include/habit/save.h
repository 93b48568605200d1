/* habit: keeps knowledge in flash, so that it survives the loss of power at any moment.
 *
 * Two slots, or more, each of whole pages. A save goes into a slot that does not hold the newest knowledge: erase, write the
 * block, read it back, and only then write the header that makes it valid, twice. Whatever the moment at which power goes,
 * habit_save_open() finds the knowledge from before the save or that of the save, never a mix, and never nothing where there
 * was something. Slots that are erased, zeroed, torn or full of other bytes hold no knowledge.
 *
 *     static const struct habit_flash flash = { ... };              // what the board supplies: see below
 *     static struct habit_save save;
 *
 *     habit_init(&engine, &config, &memory);
 *     if (habit_save_open(&save, &flash, seconds()) == HABIT_OK)
 *         habit_save_load(&save, &engine, NULL);                    // HABIT_SAVE_ENONE: it has everything to learn
 *     for (;;) {
 *         ...
 *         if (habit_save_due(&save, &engine, seconds()))
 *             habit_save_begin(&save, &engine, seconds());
 *         habit_save_step(&save);                                   // never waits: detection goes on
 *         if (!habit_save_reading(&save))
 *             ... learn ...
 *     }
 *
 * No heap, no operating system, no clock: time comes from the caller, in seconds of any clock that only goes forward; it may
 * start at 0 with each boot. One struct habit_save a machine, each with slots of its own; what they share is the flash,
 * whose driver answers HABIT_FLASH_LATER while it is at work for another.
 *
 * Thread rules: one caller at a time per struct habit_save. Detection may run at the same time in another thread; learning
 * and all else that changes the engine may not while habit_save_reading().
 *
 * Errors: HABIT_OK, a result of the engine (negative) or one of HABIT_SAVE_RESULTS. After an error of a save, the knowledge
 * that was saved before is still in flash and that in RAM is untouched. */
#ifndef HABIT_SAVE_H
#define HABIT_SAVE_H

#include "habit/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---------------------------------------------------------------------------------------------------------- limits */

/* Wear: all slots together are erased at most BURST + window / INTERVAL times in any window of time, failed and repeated
 * saves included, and however often the board restarts: nothing is erased in the first INTERVAL after a start. The defaults
 * allow 100 in 24 hours. habit_save_due() asks for far fewer. */
#ifndef HABIT_SAVE_INTERVAL
#define HABIT_SAVE_INTERVAL 900 /* seconds */
#endif
#ifndef HABIT_SAVE_BURST
#define HABIT_SAVE_BURST 4 /* erases that may gather while nothing is saved */
#endif

enum {
    HABIT_SAVE_LEAST_UNIT = 4, /* bytes */
    HABIT_SAVE_MOST_UNIT = 32,
    HABIT_SAVE_MOST_SLOTS = 4,
    HABIT_SAVE_LEAST_PAGE = 128,
    HABIT_SAVE_BEFORE_BLOCK = 128, /* bytes of a slot before the knowledge block, which lies there as it is */
    HABIT_SAVE_DAY = 86400 /* seconds after which habit_save_due() no longer waits for more to have been learned */
};

/* Bytes that a slot needs for a block; round up to whole pages. */
#define HABIT_SAVE_SLOT_SIZE(block_size) ((block_size) + HABIT_SAVE_BEFORE_BLOCK)

/* name, value, text */
#define HABIT_SAVE_RESULTS(X)                                                                          \
    X(BUSY, 1, "a save is under way")                                                                  \
    X(IDLE, 2, "no save is under way")                                                                 \
    X(EFLASH, -65, "the flash was not erased or written as it should; the save before is still there") \
    X(EGEOMETRY, -66, "sizes of unit, page or slot, or the number of slots, are out of their range")   \
    X(ESPACE, -67, "the knowledge is larger than a slot")                                              \
    X(ENONE, -68, "no knowledge in flash")                                                             \
    X(EWEAR, -69, "too soon after other erases, or after the start")                                   \
    X(ECHANGED, -70, "the knowledge changed while it was saved; the save before is still there")

enum habit_save_status {
#define HABIT_SAVE_RESULT_ENUM(name, value, text) HABIT_SAVE_##name = (value),
    HABIT_SAVE_RESULTS(HABIT_SAVE_RESULT_ENUM)
#undef HABIT_SAVE_RESULT_ENUM
};

/* What a result of these calls means, the engine's included, in English; never NULL. */
const char *habit_save_text(int result);

/* ------------------------------------------------------------------------------------- what the board must supply */

enum habit_flash_status {
    HABIT_FLASH_DONE,  /* over, and durable: it stays when power goes now */
    HABIT_FLASH_BUSY,  /* begun; poll tells how it ends */
    HABIT_FLASH_LATER, /* not begun: the part or the radio is busy; the same call comes again at the next step */
    HABIT_FLASH_FAILED /* not done, not durable, or not readable */
};

/* The slots of one machine, one behind the other, offset 0 being the first byte of the first. The functions are given
 * `context`. Where the part stalls the processor or the driver waits, start_* simply return DONE or FAILED.
 *
 * read           `size` bytes, a multiple of unit_size, from a multiple of it, never across a page. FAILED where the part
 *                reports an error that it cannot correct; the driver must catch the fault that some raise (NMI, bus fault).
 *                Erased flash may fail or read as anything.
 * start_program  one unit, at a multiple of unit_size, which was erased and not programmed since. `bytes` stay valid until
 *                it is over.
 * start_erase    the page at this offset.
 * poll           how the last start_* that answered BUSY went. Not called otherwise. */
struct habit_flash {
    uint32_t unit_size; /* bytes programmed at once: 4, 8, 16 or 32 */
    uint32_t page_size; /* bytes erased at once: a multiple of 32, 128 or more */
    uint32_t slot_size; /* a multiple of page_size, at least HABIT_SAVE_SLOT_SIZE(knowledge) */
    uint32_t slots;     /* 2..HABIT_SAVE_MOST_SLOTS. With a third, saving goes on when one is worn out */
    void *context;
    enum habit_flash_status (*read)(void *context, uint32_t offset, void *bytes, uint32_t size);
    enum habit_flash_status (*start_program)(void *context, uint32_t offset, const void *bytes);
    enum habit_flash_status (*start_erase)(void *context, uint32_t offset);
    enum habit_flash_status (*poll)(void *context); /* may be NULL where nothing ever answers BUSY */
};

/* ------------------------------------------------------------------------------------------------------------ state */

/* What the header of a slot says. Private; here so that the caller can provide its memory. */
struct habit_save_record {
    uint32_t magic;
    uint32_t layout;     /* of the slot */
    uint32_t generation; /* one more with each save */
    uint32_t size;       /* of the block, bytes */
    uint32_t crc;        /* CRC32C of all bytes of the block */
    uint32_t learned;    /* buffers that it has learned */
    uint32_t erases;     /* of this slot, as far as it is known */
    uint32_t header_crc; /* CRC32C of the fields above */
};

struct habit_save_slot {
    struct habit_save_record record; /* as far as it is known: zero where no header was readable */
    bool sound;                      /* holds a whole block */
    uint8_t headers;                 /* bit p: the header in place p is whole. Two make it final */
    uint8_t failures;                /* of saves to it since the start */
};

struct habit_save_counts {
    uint32_t saved;   /* saves that ended well since the start */
    uint32_t failed;  /* with EFLASH */
    uint32_t changed; /* with ECHANGED */
    uint32_t refused; /* with EWEAR */
    uint32_t damaged; /* slots with a header whose block was found damaged */
};

/* Private but for `counts` and, to look at, `slot`. habit_save_open() fills in all of it. */
struct habit_save {
    struct habit_save_counts counts;
    struct habit_save_slot slot[HABIT_SAVE_MOST_SLOTS];
    const struct habit_flash *flash;
    const struct habit_engine *engine; /* whose knowledge is being read, or NULL */
    const uint8_t *block;              /* what is saved */
    struct habit_save_record record;   /* of the slot that is written */
    struct {
        const uint8_t *from;
        uint32_t to, size, written, checked;
    } job;
    uint32_t unit[HABIT_SAVE_MOST_UNIT / 4]; /* what is being programmed */
    uint32_t erased;                         /* bytes of the slot */
    uint32_t generation;                     /* the last one that any slot was given */
    uint32_t stamp;                          /* of the knowledge when the save began */
    uint32_t began_at;                       /* when that was */
    uint32_t saved_stamp, saved_at;          /* the same of the last save that ended well, or of what was loaded */
    uint32_t earned_at;                      /* when the last erase was allowed */
    uint8_t allowed;                         /* erases */
    uint8_t newest;                          /* slot, or HABIT_SAVE_MOST_SLOTS where none is sound */
    uint8_t target;                          /* slot */
    uint8_t place;                           /* of the header that is written */
    uint8_t phase;
    bool pending; /* the flash has begun something */
};

/* ------------------------------------------------------------------------------------------------------------ calls */

/* Looks into the slots: reads all of them once, writes nothing. `flash` must stay where it is. now: seconds.
 * Returns HABIT_OK (there may be no knowledge: habit_save_load() tells), HABIT_ENULL, HABIT_SAVE_EGEOMETRY. */
int habit_save_open(struct habit_save *save, const struct habit_flash *flash, uint32_t now);

/* Replaces the engine's knowledge by the newest that is in flash and sound.
 *
 * found  (out, may be NULL) what the knowledge in flash is of; set also where it does not fit, so that a message can name
 *        both: habit_config_compare(&found.config, &config). Zero where there is none.
 *
 * Returns HABIT_OK; HABIT_SAVE_ENONE; HABIT_EMISMATCH or HABIT_EVERSION where it is of another configuration or of another
 * format, and stays in flash; HABIT_SAVE_BUSY; HABIT_ENULL. The engine is then as it was. Flash whose bytes change between
 * two looks, or that somebody else filled with nonsense of a good CRC, is the exception: the engine that was overwritten has
 * learned nothing then (HABIT_SAVE_ENONE). */
int habit_save_load(struct habit_save *save, struct habit_engine *engine, struct habit_info *found);

/* Whether saving is worth an erase: something was learned and nothing was saved yet; an eighth more was learned than the
 * last save holds; the engine was initialised anew; or anything at all changed since a save a day ago. And the wear bound
 * allows it. With one learn a minute these are 68 saves in the first month, and then one a day. */
bool habit_save_due(struct habit_save *save, const struct habit_engine *engine, uint32_t now);

/* Begins a save: seals the engine, computes a CRC, touches no flash. Takes one erase of the wear bound.
 * Returns HABIT_OK, HABIT_SAVE_BUSY, HABIT_SAVE_EWEAR, HABIT_SAVE_ESPACE, HABIT_ENULL, or as habit_seal(). */
int habit_save_begin(struct habit_save *save, struct habit_engine *engine, uint32_t now);

/* The same with a copy, so that learning may go on meanwhile: `copy` takes copy_size bytes, at least the size of the
 * knowledge, and must stay until the save is over. Also returns HABIT_EMEMORY. */
int habit_save_begin_copy(struct habit_save *save, struct habit_engine *engine, uint32_t now, void *copy,
                          size_t copy_size);

/* Does the next bit of work: programs one unit, erases one page, compares 32 bytes, or asks whether the part is ready.
 * Takes no longer than the driver's own calls.
 * Returns HABIT_SAVE_IDLE; HABIT_SAVE_BUSY; once, when it is over, HABIT_OK, HABIT_SAVE_EFLASH or HABIT_SAVE_ECHANGED.
 * HABIT_OK means durable. */
int habit_save_step(struct habit_save *save);

/* Steps until the save is over. Waits as long as the flash takes; for boards that have nothing else to do. */
int habit_save_finish(struct habit_save *save);

/* Whether the engine's knowledge is being read for a save: what changes it now ends the save with HABIT_SAVE_ECHANGED. */
bool habit_save_reading(const struct habit_save *save);

#ifdef __cplusplus
}
#endif
#endif
