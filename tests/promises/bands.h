/* The bands that an engine of a geometry tells in its reasons, found out by asking it: strong tones of many
 * frequencies. */
#ifndef PROMISES_BANDS_H
#define PROMISES_BANDS_H

#include "machine.h"

enum { MOST_BANDS = 64 };

struct bands {
    unsigned int count;
    double from[MOST_BANDS], to[MOST_BANDS]; /* Hz, as the reasons say; ascending */
};

/* Ends the program when what was found is not gapless from the lowest bin to half the sampling rate. */
void bands_find(struct bands *bands, unsigned int samples, double sampling_hz);

/* Band of a frequency, or of a reason. */
unsigned int bands_of_frequency(const struct bands *bands, double hz);
unsigned int bands_of_reason(const struct bands *bands, const struct habit_reason *reason);

#endif
