#include "flash.h"

enum {
    UNIT_SIZE = 8,    /* FILL IN: bytes that the part programs at once, 4..32 */
    PAGE_SIZE = 2048, /* FILL IN: bytes that it erases at once */
};

static enum habit_flash_status template_read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    const struct habit_flash_template *port = context;

    /* FILL IN: copy `size` bytes from port->base + offset. Where the part has ECC: clear its error flag, copy, look at
     * the flag; and where it raises a fault (NMI, bus fault), the handler must come back here. FAILED for what it could not
     * correct. */
    (void)port;
    (void)offset;
    (void)bytes;
    (void)size;
    return HABIT_FLASH_FAILED;
}

static enum habit_flash_status template_start_program(void *context, uint32_t offset, const void *bytes)
{
    const struct habit_flash_template *port = context;

    /* FILL IN: LATER while the controller or the radio is busy. Unlock, clear old error flags, write UNIT_SIZE bytes. BUSY
     * where the part goes on by itself, DONE where it stalled the processor until it was over. */
    (void)port;
    (void)offset;
    (void)bytes;
    return HABIT_FLASH_FAILED;
}

static enum habit_flash_status template_start_erase(void *context, uint32_t offset)
{
    const struct habit_flash_template *port = context;

    /* FILL IN: the same for the page at port->base + offset. */
    (void)port;
    (void)offset;
    return HABIT_FLASH_FAILED;
}

static enum habit_flash_status template_poll(void *context)
{
    const struct habit_flash_template *port = context;

    /* FILL IN: BUSY while the controller is; then lock it, drop what caches hold of the flash, and FAILED if an error flag is
     * set, else DONE. */
    (void)port;
    return HABIT_FLASH_FAILED;
}

void habit_flash_template_init(struct habit_flash_template *port, const void *address, uint32_t slot_size,
                               uint32_t slots)
{
    const struct habit_flash flash = {
        .unit_size = UNIT_SIZE,
        .page_size = PAGE_SIZE,
        .slot_size = slot_size,
        .slots = slots,
        .context = port,
        .read = template_read,
        .start_program = template_start_program,
        .start_erase = template_start_erase,
        .poll = template_poll,
    };

    port->flash = flash;
    port->base = address;
}
