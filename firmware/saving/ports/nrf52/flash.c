#include "flash.h"

#include <assert.h>
#include <stddef.h>
#include <string.h>

static_assert(offsetof(struct habit_nrf52_registers, ready) == 0x400, "as the NVMC has it");
static_assert(offsetof(struct habit_nrf52_registers, config) == 0x504, "as the NVMC has it");
static_assert(offsetof(struct habit_nrf52_registers, erase_page_partial) == 0x518, "as the NVMC has it");

enum { READ_ONLY, WRITE, ERASE }; /* config.WEN */
enum { UNIT_SIZE = 4, WRITE_US = 41, ERASE_US = 89700, ERASE_MS = 85 /* at least */, MOST_PART = 127 };

static bool ready(const struct habit_flash_nrf52 *port)
{
    return (port->registers->ready & 1u) != 0;
}

static bool may_stall(const struct habit_flash_nrf52 *port, uint32_t microseconds)
{
    return ready(port) && (!port->may_stall || port->may_stall(port->user, microseconds));
}

/* Set before the flash is written to, and it must have arrived. */
static void configure(const struct habit_flash_nrf52 *port, uint32_t mode)
{
    port->registers->config = mode;
    while (port->registers->config != mode)
        ;
#if defined(__arm__)
    __asm__ volatile("dsb\n isb" : : : "memory");
#endif
}

static enum habit_flash_status nrf52_read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    const struct habit_flash_nrf52 *port = context;

    memcpy(bytes, (const uint8_t *)port->place.address + offset, size); /* no ECC, no faults */
    return HABIT_FLASH_DONE;
}

static enum habit_flash_status nrf52_start_program(void *context, uint32_t offset, const void *bytes)
{
    const struct habit_flash_nrf52 *port = context;
    volatile uint32_t *to = (volatile uint32_t *)(void *)((uint8_t *)port->place.address + offset);
    uint32_t word;

    if (!may_stall(port, WRITE_US))
        return HABIT_FLASH_LATER;
    memcpy(&word, bytes, sizeof(word));
    configure(port, WRITE);
    *to = word; /* the processor stalls with its next access to the flash */
    return HABIT_FLASH_BUSY;
}

/* The whole page, or as much of it as is allowed to stall. */
static void erase_part(struct habit_flash_nrf52 *port)
{
    configure(port, ERASE);
    if (port->place.part == 0) {
        port->registers->erase_page = port->erasing;
    } else {
        port->registers->erase_page_partial_config = port->place.part;
        port->registers->erase_page_partial = port->erasing;
    }
    port->parts--;
}

static uint32_t stall_of_part(const struct habit_flash_nrf52 *port)
{
    return port->place.part == 0 ? ERASE_US : port->place.part * 1000u;
}

static enum habit_flash_status nrf52_start_erase(void *context, uint32_t offset)
{
    struct habit_flash_nrf52 *port = context;

    if (!may_stall(port, stall_of_part(port)))
        return HABIT_FLASH_LATER;
    port->erasing = (uint32_t)((uintptr_t)port->place.address + offset);
    port->parts = port->place.part == 0 ? 1 : port->place.parts;
    erase_part(port);
    return HABIT_FLASH_BUSY;
}

static enum habit_flash_status nrf52_poll(void *context)
{
    struct habit_flash_nrf52 *port = context;

    if (!ready(port))
        return HABIT_FLASH_BUSY;
    configure(port, READ_ONLY);
    if (port->parts == 0)
        return HABIT_FLASH_DONE;
    if (may_stall(port, stall_of_part(port)))
        erase_part(port);
    return HABIT_FLASH_BUSY;
}

/* All at once, or as many parts as make an erase: a page that is erased in part reads well for a while. */
static bool parts_valid(const struct habit_nrf52_place *place)
{
    return place->part == 0 || (place->part <= MOST_PART && place->parts >= (ERASE_MS + place->part - 1) / place->part);
}

bool habit_flash_nrf52_init(struct habit_flash_nrf52 *port, struct habit_nrf52_registers *registers,
                            const struct habit_nrf52_place *place)
{
    const struct habit_flash flash = {
        .unit_size = UNIT_SIZE,
        .page_size = place->page_size,
        .slot_size = place->slot_size,
        .slots = place->slots,
        .context = port,
        .read = nrf52_read,
        .start_program = nrf52_start_program,
        .start_erase = nrf52_start_erase,
        .poll = nrf52_poll,
    };

    if (place->page_size == 0 || (uintptr_t)place->address % place->page_size != 0 || !parts_valid(place))
        return false;
    memset(port, 0, sizeof(*port));
    port->flash = flash;
    port->registers = registers;
    port->place = *place;
    return true;
}
