/* Slots in the flash of an STM32L4 (and L4+ in its modes with 64-bit units): write-once units of 8 bytes with ECC.
 * Registers as in ST's reference manual RM0351, chapter 3 (flash).
 *
 * An erase takes about 22 ms, a unit about 90 us. While one is under way, reading the same bank stalls the processor: with
 * the slots in the bank that the program does not run from, detection goes on.
 *
 * A unit that was torn raises an NMI when it is read. The program's NMI handler must ask here first:
 *
 *     void NMI_Handler(void)
 *     {
 *         if (!habit_flash_stm32l4_nmi(&port))
 *             ... another cause ...
 *     }
 *
 * Not for the option bytes' sake: the program must not hold the flash unlocked for other purposes meanwhile. */
#ifndef HABIT_FLASH_STM32L4_H
#define HABIT_FLASH_STM32L4_H

#include "habit/save.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of the flash interface. The part has it at HABIT_STM32L4_REGISTERS. */
struct habit_stm32l4_registers {
    volatile uint32_t acr, pdkeyr, keyr, optkeyr, sr, cr, eccr;
};

#define HABIT_STM32L4_REGISTERS 0x40022000u

struct habit_flash_stm32l4 {
    struct habit_flash flash; /* what habit_save_open() is given */
    struct habit_stm32l4_registers *registers;
    uint8_t *base;       /* of the slots */
    uint32_t first_page; /* its number in its bank */
    bool second_bank;
    volatile bool faulted; /* a read met a unit that ECC could not correct */
};

struct habit_stm32l4_place {
    void *address;      /* of the slots, at the beginning of a page: (void *)0x0807f000 */
    uintptr_t bank;     /* where their bank begins: 0x08000000, or 0x08000000 plus its size for bank 2 */
    bool second_bank;   /* whether that is bank 2, on parts that have two */
    uint32_t page_size; /* 2048; 4096 on L4R and L4S in dual-bank mode */
    uint32_t slot_size; /* whole pages */
    uint32_t slots;     /* 2 at least */
};

/* Returns false where address is not at the beginning of a page of the bank. */
bool habit_flash_stm32l4_init(struct habit_flash_stm32l4 *port, struct habit_stm32l4_registers *registers,
                              const struct habit_stm32l4_place *place);

/* From the NMI handler: whether it was a unit that ECC could not correct, which is then taken care of. */
bool habit_flash_stm32l4_nmi(struct habit_flash_stm32l4 *port);

#ifdef __cplusplus
}
#endif
#endif
