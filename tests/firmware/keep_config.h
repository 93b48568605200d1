/* A firmware that watches one current clamp: see engine/src/keep.h. */
#define HABIT_ONLY_BUFFER_SIZE 64
#define HABIT_ONLY_AXES        1
#define HABIT_ONLY_PROFILE     0 /* small */
#define HABIT_NO_EXPLANATION
