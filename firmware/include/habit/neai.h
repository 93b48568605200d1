/* What the compatible interfaces (NanoEdgeAI.h) have beside the closed library's calls: causes of errors, saving, and the
 * engine itself. One caller at a time, together with those. */
#ifndef HABIT_NEAI_H
#define HABIT_NEAI_H

#include "NanoEdgeAI.h"
#include "habit/sizes.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes of the knowledge: all of section .neai, and of what dump writes. A multiple of 4. */
#define HABIT_NEAI_SIZE HABIT_KNOWLEDGE_SIZE(BUFFER_SIZE, NB_AXES, NEAI_PROFILE)

/* ------------------------------------------------------------------------------------------------- causes of errors */

enum habit_neai_cause {
    HABIT_NEAI_DONE,
    HABIT_NEAI_BOARD,         /* habit_neai_authorised() said no */
    HABIT_NEAI_UNINITIALISED, /* initialize was not called, and .neai holds no knowledge */
    HABIT_NEAI_KNOWLEDGE, /* knowledge that is not fit for this library: damaged, not sealed, or of something else; or a rate,
                           * unit or scale that it was compiled for is not valid */
    HABIT_NEAI_LEARNING, /* too few buffers were learned to answer */
    HABIT_NEAI_INPUT, /* not finite, beyond 1e15, a missing pointer, a sensitivity out of range, too little room; learn:
                           * constant */
    HABIT_NEAI_NOTHING, /* there is no pretrained knowledge */
    HABIT_NEAI_CAUSES
};

/* Why the last call failed; HABIT_NEAI_DONE where it did not. What the engine said of it is in *status (may be NULL): one of
 * HABIT_RESULTS, see habit_text(). */
enum habit_neai_cause habit_neai_cause(int *status);

/* All that the last detect that answered found: distance, axes that are constant or clipped, reasons. */
const struct habit_result *habit_neai_result(void);

/* ----------------------------------------------------------------------------------------------------------- saving */

/* .neai is sealed after every call that changes it, so a plain copy of the section is always good, and a plain copy back is
 * checked by the next call. These two do the same with a look at the sizes. */

/* Copies the knowledge. Returns the bytes written: HABIT_NEAI_SIZE, or 0 where there is nothing yet or no room. */
size_t habit_neai_dump(void *bytes, size_t size);

/* Checks a block and takes it over; initialize need not have been called. size may be larger than the block, as a page of
 * flash is. Returns HABIT_NEAI_DONE, or BOARD, KNOWLEDGE, INPUT (no pointer) with everything left as it was. */
enum habit_neai_cause habit_neai_load(const void *bytes, size_t size);

/* The engine: explanations, averages over windows, int16 samples, habit_save_*(). NULL where there is none: not initialised,
 * not authorised. After a habit_learn*(), habit_accept() or habit_set_sensitivity() of your own call habit_seal() before
 * .neai is copied. */
struct habit_engine *habit_neai_engine(void);

/* ------------------------------------------------------------------------------- hooks: write your own to replace ours */

/* Whether this board may use the library; asked in every call, so be quick. Ours says yes. */
bool habit_neai_authorised(void);

/* A knowledge block of HABIT_NEAI_SIZE bytes for neai_anomalydetection_init(true). Ours gives NULL: there is none. */
const void *habit_neai_pretrained(void);

#ifdef __cplusplus
}
#endif
#endif
