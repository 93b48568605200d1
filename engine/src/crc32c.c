#include "crc32c.h"

/* By nibbles: 64 bytes of table instead of 1 KiB. It runs when a block is saved or loaded, never while learning. */
uint32_t habit_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    static const uint32_t table[16] = { 0x00000000u, 0x105ec76fu, 0x20bd8edeu, 0x30e349b1u, 0x417b1dbcu, 0x5125dad3u,
                                        0x61c69362u, 0x7198540du, 0x82f63b78u, 0x92a8fc17u, 0xa24bb5a6u, 0xb21572c9u,
                                        0xc38d26c4u, 0xd3d3e1abu, 0xe330a81au, 0xf36e6f75u };
    const uint8_t *byte = bytes;

    crc = ~crc;
    while (size-- > 0) {
        crc ^= *byte++;
        crc = table[crc & 15u] ^ (crc >> 4);
        crc = table[crc & 15u] ^ (crc >> 4);
    }
    return ~crc;
}
