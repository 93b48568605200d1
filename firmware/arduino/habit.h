/* For Arduino, which finds a library by a header at the top. The manual is habit/engine.h. */
#ifndef HABIT_H
#define HABIT_H

#include "habit/engine.h"
#include "habit/save.h"
#include "habit/sizes.h"

#endif
