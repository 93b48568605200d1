#ifndef HABIT_CRC32C_H
#define HABIT_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* CRC32C (Castagnoli, as in iSCSI). Start with 0; feed the result of one piece to continue with the next. */
uint32_t habit_crc32c(uint32_t crc, const void *bytes, size_t size);

#endif
