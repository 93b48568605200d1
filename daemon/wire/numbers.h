/* The numbers of a buffer in JSON, read straight into floats: jansson takes some thirty times as long. Internal to wire/.
 *
 * This reads only what is beyond doubt: an array of plain numbers where the path says. All else, everything that is wrong too, is left
 * to jansson, which then reads the whole text; what stands beside the array jansson reads in any case. So a text has the same
 * outcome either way, and the numbers have the same bits: those of strtod, rounded to float. */
#ifndef HABIT_WIRE_NUMBERS_H
#define HABIT_WIRE_NUMBERS_H

#include <stdbool.h>
#include <stddef.h>

struct numbers {
    float *values;         /* heap */
    size_t count;          /* at least 1 */
    const char *from, *to; /* of the array in the text, its brackets with it */
};

enum { NUMBERS_BESIDE = 4096 }; /* bytes that a text may hold beside the array */

/* Finds the array at a path with dots; "data" stands for a bare array too. Returns false where jansson has to look: nothing is to be
 * freed then. */
bool numbers_read(const char *text, size_t size, const char *path, struct numbers *numbers);

#endif
