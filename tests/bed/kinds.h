/* The kinds, one line each; kinds.c has them in the order in which they are printed. */
#ifndef HABIT_BED_KINDS_H
#define HABIT_BED_KINDS_H

#include "kind.h"

extern const struct kind kind_gearbox;
extern const struct kind kind_fan;
extern const struct kind kind_bearing;
extern const struct kind kind_motor_current;

#endif
