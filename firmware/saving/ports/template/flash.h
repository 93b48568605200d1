/* Start of a port: copy this folder, give it your part's name, fill in what is marked FILL IN. firmware/SAVING.md says what
 * each function owes; the test of the ports (tests/firmware/test_save_ports.c) shows how to try it. As it is, it compiles
 * and refuses everything, so that nothing is believed to be saved. */
#ifndef HABIT_FLASH_TEMPLATE_H
#define HABIT_FLASH_TEMPLATE_H

#include "habit/save.h"

#ifdef __cplusplus
extern "C" {
#endif

struct habit_flash_template {
    struct habit_flash flash; /* what habit_save_open() is given */
    const uint8_t *base;      /* of the first byte of the slots; at the beginning of a page */
};

/* address  where the slots begin. Keep the linker from putting anything there.
 * slot_size  whole pages, at least HABIT_SAVE_SLOT_SIZE(knowledge).
 * slots      2, or 3 where saving must go on when one is worn out. */
void habit_flash_template_init(struct habit_flash_template *port, const void *address, uint32_t slot_size,
                               uint32_t slots);

#ifdef __cplusplus
}
#endif
#endif
