/* Flash in RAM that misbehaves as real flash does: for tests, and for examples on emulated boards.
 *
 * Bits only fall until their page is erased; units may be written once only (ECC) and are then unreadable when written
 * twice; power goes in the middle of any operation and leaves what it was at in one of several ways; units fault on reading;
 * pages wear out; operations take time or are put off; a driver that lies leaves units behind in any order. All chance comes
 * from one seed. While it is busy it cannot be read, as a part without a second bank. */
#ifndef HABIT_FLASH_EMULATED_H
#define HABIT_FLASH_EMULATED_H

#include "habit/save.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What an operation leaves that was cut short. */
enum habit_flash_torn {
    HABIT_TORN_NOTHING, /* it had not begun */
    HABIT_TORN_PARTLY,  /* some of the bits, which then stay so */
    HABIT_TORN_WHOLE,   /* it was over, only nobody was told */
    HABIT_TORN_FAULT,   /* units that cannot be read */
    HABIT_TORN_WEAK,    /* units that read otherwise after each start: before, after, between, or not at all */
    HABIT_TORN_FICKLE,  /* the same at every reading */
    HABIT_TORN_MODES
};

/* How a page is bad. */
enum habit_flash_bad {
    HABIT_BAD_NONE,
    HABIT_BAD_ERASE_FAILS,
    HABIT_BAD_ERASE_IGNORED,
    HABIT_BAD_PROGRAM_FAILS,
    HABIT_BAD_PROGRAM_IGNORED,
    HABIT_BAD_READ_FAILS,
    HABIT_BAD_BIT_STUCK,
    HABIT_BAD_MODES
};

enum { HABIT_EMULATED_WINDOW = 8, HABIT_EMULATED_NEVER = 0x7fffffff };

struct habit_flash_emulated {
    struct habit_flash flash; /* what habit_save_open() is given */
    uint8_t *bytes;           /* caller's: slots x slot_size */
    uint8_t *units;           /* caller's: one for each unit */
    bool write_once;          /* as ECC; otherwise bits may fall several times */
    bool blank_faults;        /* erased units cannot be read */
    uint8_t torn;             /* enum habit_flash_torn */
    uint8_t bad;              /* enum habit_flash_bad of the page below */
    uint32_t bad_page;
    uint32_t busy_polls; /* how often an operation answers BUSY; 0: it is over at once */
    uint32_t put_off;    /* one in so many starts answers LATER; 0: none */
    uint32_t window;     /* units that a driver calls done although they are under way, up to HABIT_EMULATED_WINDOW */
    uint32_t cut_after;  /* operations until power goes in the middle of the next; HABIT_EMULATED_NEVER */
    uint32_t seed;

    /* to look at */
    bool power;
    uint32_t operations; /* programmed units and erased pages, torn ones included */
    uint32_t mistakes;   /* of the caller: twice into a unit of ECC, crooked offsets, calls while busy */
    uint32_t erases[HABIT_SAVE_MOST_SLOTS];

    /* private */
    uint32_t polls, starts, boots, used;
    uint32_t flying[HABIT_EMULATED_WINDOW];
};

/* A part that is new: all erased. `bytes` and `units` must stay. */
void habit_flash_emulated_init(struct habit_flash_emulated *emulated, uint32_t unit_size, uint32_t page_size,
                               uint32_t slot_size, uint32_t slots, uint8_t *bytes, uint8_t *units);

/* Power comes back; nothing cuts it until cut_after is set anew. */
void habit_flash_emulated_restart(struct habit_flash_emulated *emulated);

#ifdef __cplusplus
}
#endif
#endif
