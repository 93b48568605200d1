#include "flash.h"

#include <string.h>

#define BIT(n) (UINT32_C(1) << (n))

/* RM0351, chapter 3: status, control, ECC and access control of the flash interface. */
#define SR_BUSY        BIT(16)
#define SR_ERRORS      (BIT(1) | BIT(3) | BIT(4) | BIT(5) | BIT(6) | BIT(7) | BIT(8) | BIT(9)) /* OPERR .. FASTERR */
#define SR_END         BIT(0)
#define CR_PROGRAM     BIT(0)
#define CR_PAGE_ERASE  BIT(1)
#define CR_PAGE_SHIFT  3
#define CR_PAGE_MASK   (UINT32_C(0xff) << CR_PAGE_SHIFT)
#define CR_SECOND_BANK BIT(11)
#define CR_START       BIT(16)
#define CR_LOCK        BIT(31)
#define ECCR_DETECTED  BIT(31) /* an error of two bits: not correctable; cleared by writing 1 */
#define ACR_DATA_CACHE BIT(10)
#define ACR_DATA_RESET BIT(12)
#define KEY_1          0x45670123u
#define KEY_2          0xcdef89abu

enum { UNIT_SIZE = 8, MOST_PAGES = 256 };

bool habit_flash_stm32l4_nmi(struct habit_flash_stm32l4 *port)
{
    if ((port->registers->eccr & ECCR_DETECTED) == 0)
        return false;
    port->faulted = true;
    port->registers->eccr |= ECCR_DETECTED;
    return true;
}

static enum habit_flash_status stm32l4_read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    struct habit_flash_stm32l4 *port = context;
    const volatile uint32_t *from = (const volatile uint32_t *)(const void *)(port->base + offset);
    uint8_t *to = bytes;

    port->faulted = false;
    for (uint32_t at = 0; at < size; at += sizeof(uint32_t), from++) {
        const uint32_t word = *from;

        memcpy(to + at, &word, sizeof(word));
    }
    (void)habit_flash_stm32l4_nmi(port); /* where NMI comes later than the load, or is not wired up */
    return port->faulted ? HABIT_FLASH_FAILED : HABIT_FLASH_DONE;
}

/* False while another operation is under way. */
static bool unlock(struct habit_flash_stm32l4 *port)
{
    struct habit_stm32l4_registers *registers = port->registers;

    if ((registers->sr & SR_BUSY) != 0)
        return false;
    if ((registers->cr & CR_LOCK) != 0) {
        registers->keyr = KEY_1;
        registers->keyr = KEY_2;
    }
    registers->sr = SR_ERRORS | SR_END; /* cleared by writing 1: a flag from before would fail the next operation */
    return true;
}

/* Programming begins with the second word of the unit. */
static enum habit_flash_status stm32l4_start_program(void *context, uint32_t offset, const void *bytes)
{
    struct habit_flash_stm32l4 *port = context;
    volatile uint32_t *to = (volatile uint32_t *)(void *)(port->base + offset);
    uint32_t words[UNIT_SIZE / 4];

    if (!unlock(port))
        return HABIT_FLASH_LATER;
    memcpy(words, bytes, sizeof(words));
    port->registers->cr |= CR_PROGRAM;
    to[0] = words[0];
    to[1] = words[1];
    return HABIT_FLASH_BUSY;
}

static enum habit_flash_status stm32l4_start_erase(void *context, uint32_t offset)
{
    struct habit_flash_stm32l4 *port = context;
    const uint32_t page = port->first_page + offset / port->flash.page_size;
    uint32_t control;

    if (!unlock(port))
        return HABIT_FLASH_LATER;
    control = port->registers->cr & ~(CR_PAGE_MASK | CR_SECOND_BANK | CR_PROGRAM);
    control |= CR_PAGE_ERASE | page << CR_PAGE_SHIFT | (port->second_bank ? CR_SECOND_BANK : 0);
    port->registers->cr = control;
    port->registers->cr = control | CR_START;
    return HABIT_FLASH_BUSY;
}

/* The data cache may hold what was there before. It can only be reset while it is off. */
static void drop_cache(struct habit_stm32l4_registers *registers)
{
    if ((registers->acr & ACR_DATA_CACHE) == 0)
        return;
    registers->acr &= ~ACR_DATA_CACHE;
    registers->acr |= ACR_DATA_RESET;
    registers->acr &= ~ACR_DATA_RESET;
    registers->acr |= ACR_DATA_CACHE;
}

static enum habit_flash_status stm32l4_poll(void *context)
{
    struct habit_flash_stm32l4 *port = context;
    struct habit_stm32l4_registers *registers = port->registers;
    uint32_t status = registers->sr;

    if ((status & SR_BUSY) != 0)
        return HABIT_FLASH_BUSY;
    registers->sr = SR_ERRORS | SR_END;
    registers->cr &= ~(CR_PROGRAM | CR_PAGE_ERASE | CR_PAGE_MASK | CR_SECOND_BANK);
    registers->cr |= CR_LOCK;
    drop_cache(registers);
    return (status & SR_ERRORS) != 0 ? HABIT_FLASH_FAILED : HABIT_FLASH_DONE;
}

bool habit_flash_stm32l4_init(struct habit_flash_stm32l4 *port, struct habit_stm32l4_registers *registers,
                              const struct habit_stm32l4_place *place)
{
    const struct habit_flash flash = {
        .unit_size = UNIT_SIZE,
        .page_size = place->page_size,
        .slot_size = place->slot_size,
        .slots = place->slots,
        .context = port,
        .read = stm32l4_read,
        .start_program = stm32l4_start_program,
        .start_erase = stm32l4_start_erase,
        .poll = stm32l4_poll,
    };
    const uintptr_t address = (uintptr_t)place->address, from_bank = address - place->bank;

    if (address < place->bank || place->page_size == 0 || from_bank % place->page_size != 0 ||
        from_bank / place->page_size + (uintptr_t)place->slots * place->slot_size / place->page_size > MOST_PAGES)
        return false;
    port->flash = flash;
    port->registers = registers;
    port->base = place->address;
    port->first_page = (uint32_t)(from_bank / place->page_size);
    port->second_bank = place->second_bank;
    port->faulted = false;
    return true;
}
