/* As much of Zephyr's flash map as the port calls, with signatures as its documentation gives them: Zephyr itself is not
 * here. The functions are the test's (test_save_ports.c). */
#ifndef STUB_FLASH_MAP_H
#define STUB_FLASH_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct flash_area {
    uint8_t fa_id;
    off_t fa_off;
    size_t fa_size;
};

int flash_area_open(uint8_t id, const struct flash_area **fa);
void flash_area_close(const struct flash_area *fa);
int flash_area_read(const struct flash_area *fa, off_t off, void *dst, size_t len);
int flash_area_write(const struct flash_area *fa, off_t off, const void *src, size_t len);
int flash_area_erase(const struct flash_area *fa, off_t off, size_t len);
uint32_t flash_area_align(const struct flash_area *fa);

#endif
