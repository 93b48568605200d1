/* Flash wears out by what is written: a ceiling for a day of 24 hours, and how hard it presses. Internal to store/.
 *
 * The day begins with the process. A tenth of it may be written at once, the rest comes with the hours. */
#ifndef HABIT_STORE_BUDGET_H
#define HABIT_STORE_BUDGET_H

#include <stdint.h>

struct budget {
    uint64_t daily; /* bytes; 0 = no ceiling */
    int64_t began;  /* monotonic ms: of this day */
    int64_t before; /* bytes that had been written then */
};

/* From 0, below four fifths of what may be written by now, to 1 at all of it and beyond. `elapsed`: ms of the day. */
double budget_strain(uint64_t daily, int64_t elapsed, int64_t written);

/* written: so far, of this process. */
void budget_begin(struct budget *budget, uint64_t daily, int64_t now, int64_t written);

/* Returns the strain. */
double budget_look(struct budget *budget, int64_t now, int64_t written);

#endif
