/* What made a buffer strange, in the user's terms. */
#ifndef HABIT_CLI_EXPLANATION_H
#define HABIT_CLI_EXPLANATION_H

#include <jansson.h>

#include "habit/engine.h"

/* "axis 2: band 400..425 Hz +8.2 sigma"; axes count from 0. */
enum { REASON_TEXT_SIZE = 96 };
const char *reason_text(const struct habit_reason *reason, char text[REASON_TEXT_SIZE]);

/* The members of a detection as the daemon's answers have them: distance, p_value, explanation, flags, ... A new reference;
 * NULL when memory ran out. */
json_t *result_json(const struct habit_result *result, unsigned int axes);

/* The members of habit_progress. A new reference. */
json_t *progress_json(const struct habit_progress *progress);

/* The same in lines of text on standard output. */
void progress_print(const struct habit_progress *progress);

#endif
