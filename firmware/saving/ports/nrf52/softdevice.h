/* Slots in the flash of an nRF52 whose SoftDevice is enabled: it alone may write to the flash, in the gaps that its radio
 * leaves, and tells by an event when it has.
 *
 *     habit_flash_softdevice_init(&port, (void *)0x7e000, 4096, 2, sd_flash_page_erase, sd_flash_write);
 *
 *     // where the program takes the SoftDevice's system events, from sd_evt_get():
 *     if (event == NRF_EVT_FLASH_OPERATION_SUCCESS || event == NRF_EVT_FLASH_OPERATION_ERROR)
 *         habit_flash_softdevice_event(&port, event == NRF_EVT_FLASH_OPERATION_SUCCESS);
 *
 * Events are for one operation at a time: the program must start none of its own while habit_flash_softdevice_waiting(). */
#ifndef HABIT_FLASH_SOFTDEVICE_H
#define HABIT_FLASH_SOFTDEVICE_H

#include "habit/save.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HABIT_SOFTDEVICE_PAGE = 4096 };

struct habit_flash_softdevice {
    struct habit_flash flash; /* what habit_save_open() is given */
    uint8_t *base;
    uint32_t (*erase)(uint32_t page_number);
    uint32_t (*write)(uint32_t *to, const uint32_t *from, uint32_t words);
    volatile uint8_t event; /* private: set from the event's context, which may be an interrupt */
};

/* address at the beginning of a page; erase, write: the SoftDevice's own. Returns false where address is not. */
bool habit_flash_softdevice_init(struct habit_flash_softdevice *port, void *address, uint32_t slot_size, uint32_t slots,
                                 uint32_t (*erase)(uint32_t page_number),
                                 uint32_t (*write)(uint32_t *to, const uint32_t *from, uint32_t words));

/* The operation is over. From any context. */
void habit_flash_softdevice_event(struct habit_flash_softdevice *port, bool success);

bool habit_flash_softdevice_waiting(const struct habit_flash_softdevice *port);

#ifdef __cplusplus
}
#endif
#endif
