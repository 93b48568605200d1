/* The power-cut campaign: saves again and again into emulated flash, with power going in the middle of every single operation
 * of every save, in every way that an operation can be torn, and then once more in every operation of the recovery. Each
 * time the flash must give back, whole, one of the blocks that it may: the one before or the one that was being saved.
 * Runs on the host and on emulated boards. */
#ifndef CUTS_H
#define CUTS_H

#include "emulated.h"

/* Memory of the campaign, for all flash and for a block. */
#ifndef CUTS_FLASH
#define CUTS_FLASH 16384
#endif
#ifndef CUTS_BLOCK
#define CUTS_BLOCK 4096
#endif

struct cuts {
    /* in */
    uint32_t buffer_size, axes, profile;
    uint32_t unit_size, page_size, slot_size, slots;
    uint32_t busy_polls, put_off, window;
    bool blank_faults;
    uint32_t saves;
    uint32_t second; /* every how many operations of the recovery power goes again; 0: never */

    /* out: how often what was found; where it failed */
    uint32_t first_cuts, second_cuts, old, new;
    uint32_t save, cut, torn, again;
};

/* NULL, or what went wrong, with the place in the fields above. */
const char *cuts_run(struct cuts *cuts);

#endif
