/* Preprocessed by firmware/meson.build and by the CMake package: prints the name that habit_init has for the compiler's flags. */
#include "habit/abi.h"

HABIT_ABI_STRING(HABIT_ABI_JOIN(habit_init, HABIT_ABI_ARCHITECTURE, HABIT_ABI_FLOAT))
