#include "softdevice.h"

#include <string.h>

enum { NOTHING, WAITING, SUCCEEDED, REFUSED };  /* event */
enum { UNIT_SIZE = 4, SUCCESS = 0, BUSY = 17 }; /* NRF_SUCCESS, NRF_ERROR_BUSY */

static enum habit_flash_status started(struct habit_flash_softdevice *port, uint32_t result)
{
    if (result == SUCCESS)
        return HABIT_FLASH_BUSY;
    port->event = NOTHING;
    return result == BUSY ? HABIT_FLASH_LATER : HABIT_FLASH_FAILED;
}

static enum habit_flash_status softdevice_read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    const struct habit_flash_softdevice *port = context;

    memcpy(bytes, port->base + offset, size);
    return HABIT_FLASH_DONE;
}

/* The event may come before the call returns: what is awaited is noted first. */
static enum habit_flash_status softdevice_start_program(void *context, uint32_t offset, const void *bytes)
{
    struct habit_flash_softdevice *port = context;

    port->event = WAITING;
    return started(port, port->write((uint32_t *)(void *)(port->base + offset), bytes, UNIT_SIZE / 4));
}

static enum habit_flash_status softdevice_start_erase(void *context, uint32_t offset)
{
    struct habit_flash_softdevice *port = context;

    port->event = WAITING;
    return started(port, port->erase((uint32_t)(((uintptr_t)port->base + offset) / HABIT_SOFTDEVICE_PAGE)));
}

static enum habit_flash_status softdevice_poll(void *context)
{
    struct habit_flash_softdevice *port = context;
    const uint8_t event = port->event;

    if (event == WAITING)
        return HABIT_FLASH_BUSY;
    port->event = NOTHING;
    return event == SUCCEEDED ? HABIT_FLASH_DONE : HABIT_FLASH_FAILED;
}

void habit_flash_softdevice_event(struct habit_flash_softdevice *port, bool success)
{
    if (port->event == WAITING)
        port->event = success ? SUCCEEDED : REFUSED;
}

bool habit_flash_softdevice_waiting(const struct habit_flash_softdevice *port)
{
    return port->event == WAITING;
}

bool habit_flash_softdevice_init(struct habit_flash_softdevice *port, void *address, uint32_t slot_size, uint32_t slots,
                                 uint32_t (*erase)(uint32_t page_number),
                                 uint32_t (*write)(uint32_t *to, const uint32_t *from, uint32_t words))
{
    const struct habit_flash flash = {
        .unit_size = UNIT_SIZE,
        .page_size = HABIT_SOFTDEVICE_PAGE,
        .slot_size = slot_size,
        .slots = slots,
        .context = port,
        .read = softdevice_read,
        .start_program = softdevice_start_program,
        .start_erase = softdevice_start_erase,
        .poll = softdevice_poll,
    };

    if ((uintptr_t)address % HABIT_SOFTDEVICE_PAGE != 0)
        return false;
    port->flash = flash;
    port->base = address;
    port->erase = erase;
    port->write = write;
    port->event = NOTHING;
    return true;
}
