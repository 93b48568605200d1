/* Slots in the flash of an nRF52 (and nRF51): words of 4 bytes, which may be written twice at most and are written once.
 * Registers as in Nordic's product specifications, chapter NVMC.
 *
 * The processor stalls while the flash is at work: 41 us for a word and 85 ms for a page, too long beside a radio or a
 * sampling interrupt. So a page is erased in parts of a few milliseconds, one with each poll, where the part can (nRF52810,
 * 52811, 52820, 52833, 52840; not 52832 and nRF51, which erase at once); and before each stall the program is asked whether
 * there is time.
 *
 * Where a SoftDevice owns the flash, use softdevice.h instead. */
#ifndef HABIT_FLASH_NRF52_H
#define HABIT_FLASH_NRF52_H

#include "habit/save.h"

#ifdef __cplusplus
extern "C" {
#endif

#define HABIT_NRF52_REGISTERS 0x4001e000u

struct habit_nrf52_registers {
    uint32_t reserved_000[256];
    volatile uint32_t ready; /* 0x400 */
    uint32_t reserved_404[64];
    volatile uint32_t config;     /* 0x504 */
    volatile uint32_t erase_page; /* 0x508: takes an address */
    uint32_t reserved_50c[3];
    volatile uint32_t erase_page_partial;        /* 0x518: takes an address */
    volatile uint32_t erase_page_partial_config; /* 0x51c: milliseconds of each part, 1..127 */
};

struct habit_nrf52_place {
    void *address;      /* of the slots, at the beginning of a page */
    uint32_t page_size; /* 4096; 1024 on nRF51 */
    uint32_t slot_size; /* whole pages */
    uint32_t slots;     /* 2 at least */
    uint32_t part;      /* milliseconds of each part of an erase; 0: erase at once */
    uint32_t parts;     /* how many make a page erased: part x parts at least tERASEPAGE of the specification, 85 ms
                          * (89.7 ms where the high-frequency clock runs from its RC oscillator) */
};

struct habit_flash_nrf52 {
    struct habit_flash flash; /* what habit_save_open() is given */
    struct habit_nrf52_registers *registers;
    struct habit_nrf52_place place;
    uint32_t erasing; /* address of the page */
    uint32_t parts;   /* still to do */

    /* May be set after init: whether the processor may stall for so many microseconds now. NULL: always. */
    bool (*may_stall)(void *user, uint32_t microseconds);
    void *user;
};

/* Returns false where address is not at the beginning of a page, a part is longer than 127 ms, or the parts together are shorter
 * than 85 ms. */
bool habit_flash_nrf52_init(struct habit_flash_nrf52 *port, struct habit_nrf52_registers *registers,
                            const struct habit_nrf52_place *place);

#ifdef __cplusplus
}
#endif
#endif
