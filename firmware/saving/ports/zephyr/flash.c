#include "flash.h"

#include <errno.h>
#include <zephyr/storage/flash_map.h>

static enum habit_flash_status status_of(int result)
{
    if (result == -EBUSY || result == -EAGAIN)
        return HABIT_FLASH_LATER;
    return result == 0 ? HABIT_FLASH_DONE : HABIT_FLASH_FAILED;
}

static enum habit_flash_status zephyr_read(void *context, uint32_t offset, void *bytes, uint32_t size)
{
    const struct habit_flash_zephyr *port = context;

    return flash_area_read(port->area, (off_t)offset, bytes, size) == 0 ? HABIT_FLASH_DONE : HABIT_FLASH_FAILED;
}

static enum habit_flash_status zephyr_start_program(void *context, uint32_t offset, const void *bytes)
{
    const struct habit_flash_zephyr *port = context;

    return status_of(flash_area_write(port->area, (off_t)offset, bytes, port->flash.unit_size));
}

static enum habit_flash_status zephyr_start_erase(void *context, uint32_t offset)
{
    const struct habit_flash_zephyr *port = context;

    return status_of(flash_area_erase(port->area, (off_t)offset, port->flash.page_size));
}

/* Parts that write single bytes or half-words are given units of four. */
static uint32_t unit_of(const struct flash_area *area)
{
    const uint32_t align = flash_area_align(area);

    return align < HABIT_SAVE_LEAST_UNIT ? HABIT_SAVE_LEAST_UNIT : align;
}

int habit_flash_zephyr_open(struct habit_flash_zephyr *port, uint8_t partition, uint32_t page_size, uint32_t slots)
{
    struct habit_flash flash = {
        .page_size = page_size,
        .slots = slots,
        .context = port,
        .read = zephyr_read,
        .start_program = zephyr_start_program,
        .start_erase = zephyr_start_erase,
    };
    int result;

    if (page_size == 0 || slots == 0)
        return -EINVAL;
    result = flash_area_open(partition, &port->area);
    if (result != 0)
        return result;
    flash.unit_size = unit_of(port->area);
    flash.slot_size = (uint32_t)(port->area->fa_size / slots) / page_size * page_size;
    if (flash.unit_size > HABIT_SAVE_MOST_UNIT || flash.slot_size == 0) {
        flash_area_close(port->area);
        return -EINVAL;
    }
    port->flash = flash;
    return 0;
}

void habit_flash_zephyr_close(struct habit_flash_zephyr *port)
{
    flash_area_close(port->area);
    port->area = NULL;
}
