/* What this build of the engine keeps. A firmware that watches one kind of sensor may name a header of its own on the
 * compiler's command line, -DHABIT_CONFIG_HEADER='"my_habit.h"', that defines any of these, as plain numbers:
 *
 *     HABIT_ONLY_BUFFER_SIZE 256     habit_init() refuses every other (ECONFIG)
 *     HABIT_ONLY_AXES 1              the same; one axis needs no coupling of axes
 *     HABIT_ONLY_PROFILE 0           the same; 0 small, 1 default, 2 large; small has no waveform
 *     HABIT_NO_EXPLANATION           results have no reasons[]
 *
 * Knowledge and distances are the same bits as of the whole engine. */
#ifndef HABIT_KEEP_H
#define HABIT_KEEP_H

#ifdef HABIT_CONFIG_HEADER
#include HABIT_CONFIG_HEADER
#endif

#ifndef HABIT_ONLY_BUFFER_SIZE
#define HABIT_ONLY_BUFFER_SIZE (-1) /* any */
#endif
#ifndef HABIT_ONLY_AXES
#define HABIT_ONLY_AXES (-1)
#endif
#ifndef HABIT_ONLY_PROFILE
#define HABIT_ONLY_PROFILE (-1)
#endif

#ifdef HABIT_NO_EXPLANATION
#define HABIT_KEEPS_EXPLANATION 0
#else
#define HABIT_KEEPS_EXPLANATION 1
#endif

#define HABIT_KEEPS_WAVEFORM (HABIT_ONLY_PROFILE != 0 && HABIT_ONLY_BUFFER_SIZE != 1)
#define HABIT_KEEPS_COUPLING (HABIT_ONLY_AXES != 1 && HABIT_ONLY_BUFFER_SIZE != 1)

/* Whether a value may be what one of the macros above says. */
#define HABIT_KEEPS(only, value) ((only) < 0 || (value) == (only))

#endif
