/* The flash that the example saves to. */
#ifndef EXAMPLE_FLASH_H
#define EXAMPLE_FLASH_H

#include "habit/save.h"

extern const struct habit_flash example_flash;

#endif
