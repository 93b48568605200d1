/* Machines with several normal regimes. */
#ifndef PROMISES_REGIME_H
#define PROMISES_REGIME_H

#include "signal.h"

enum { REGIMES = 4 };

enum regime_family {
    REGIME_SPEEDS,   /* a fan at four speeds: frequencies, amplitudes and noise change */
    REGIME_SPECTRUM, /* the same amplitude throughout: only frequencies change */
    REGIME_LEVELS,   /* slow values: the means change */
    REGIME_FAMILIES
};

const char *regime_family_name(enum regime_family family);

/* The same machine in each of its regimes: 1 to 3 axes, 64 to 256 samples; where levels change 16 to 64. */
void regimes_draw(enum regime_family family, struct signal regime[REGIMES], struct chance *chance);

/* Order in which `length` buffers visit the regimes: shares in per cent, kept to the buffer, in stays of 1 to 20. */
void regimes_order(const unsigned int share[REGIMES], unsigned char *order, unsigned int length, struct chance *chance);

#endif
