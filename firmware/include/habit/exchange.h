/* Knowledge from elsewhere, a gateway or another board: whether this engine can use it, and if not, why, in words.
 *
 *     char why[HABIT_EXCHANGE_TEXT];
 *
 *     if (habit_exchange_load(&engine, bytes, size, why) != HABIT_OK)
 *         serial_put(why);      "refused: axes 3 in the block, 1 on this board"
 *
 * No heap, no printf. Thread rules are those of the engine. */
#ifndef HABIT_EXCHANGE_H
#define HABIT_EXCHANGE_H

#include "habit/engine.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { HABIT_EXCHANGE_TEXT = 112 }; /* bytes of an answer, its zero included */

/* habit_load() of the block that begins at `bytes`, in a memory of `size` bytes that may be longer than the block: flash behind
 * it, erased or not, does not matter. Where the block is not taken the engine is as it was, and `why` names what the block says
 * and what this engine has; where it is, `why` says what was loaded. Returns as habit_load; HABIT_EBLOCK where there is none. */
int habit_exchange_load(struct habit_engine *engine, const void *bytes, size_t size, char why[HABIT_EXCHANGE_TEXT]);

#ifdef __cplusplus
}
#endif
#endif
