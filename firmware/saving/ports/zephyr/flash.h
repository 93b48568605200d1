/* Slots in a partition of Zephyr's flash map (any flash driver behind it). Needs CONFIG_FLASH and CONFIG_FLASH_MAP.
 *
 * Zephyr's calls return when the flash is done, so a step takes as long as the longest: an erase of a page. Call
 * habit_save_step() from a thread of low priority, and detection in others goes on; between threads that learn and the one
 * that saves, a mutex is needed around habit_save_begin() and, while habit_save_reading(), around learning. Better still:
 * habit_save_begin_copy(). */
#ifndef HABIT_FLASH_ZEPHYR_H
#define HABIT_FLASH_ZEPHYR_H

#include "habit/save.h"

#ifdef __cplusplus
extern "C" {
#endif

struct flash_area;

struct habit_flash_zephyr {
    struct habit_flash flash; /* what habit_save_open() is given */
    const struct flash_area *area;
};

/* Opens a partition, which is divided into as many slots as given: habit_flash_zephyr_open(&port,
 * FIXED_PARTITION_ID(habit_partition), 4096, 2). page_size: what the flash erases at once.
 * Returns 0, or Zephyr's negative error; -EINVAL where unit, page and partition do not fit what saving needs. */
int habit_flash_zephyr_open(struct habit_flash_zephyr *port, uint8_t partition, uint32_t page_size, uint32_t slots);
void habit_flash_zephyr_close(struct habit_flash_zephyr *port);

#ifdef __cplusplus
}
#endif
#endif
