/* Numbers as bytes of files, least significant first. */
#ifndef HABIT_CLI_LITTLE_ENDIAN_H
#define HABIT_CLI_LITTLE_ENDIAN_H

#include <stdint.h>
#include <stdio.h>
#include <string.h>

static inline void put_u16(FILE *file, uint16_t value)
{
    fputc(value & 0xff, file);
    fputc(value >> 8, file);
}

static inline void put_u32(FILE *file, uint32_t value)
{
    put_u16(file, (uint16_t)(value & 0xffff));
    put_u16(file, (uint16_t)(value >> 16));
}

static inline void put_u64(FILE *file, uint64_t value)
{
    put_u32(file, (uint32_t)(value & 0xffffffff));
    put_u32(file, (uint32_t)(value >> 32));
}

static inline void put_f32(FILE *file, float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof(bits));
    put_u32(file, bits);
}

#endif
