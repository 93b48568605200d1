/* Knowledge blocks from an input: either a block as it is, or words that are put into a block that was honestly learned. Magic,
 * size, seal and CRC are made good in both. */
#ifndef FUZZ_BLOCK_H
#define FUZZ_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "fuzz.h"

/* Takes what is left of the input. Returns the size of the block, which is good until the next call. */
size_t fuzz_block(struct fuzz_input *input, const uint8_t **ret_block);

#endif
