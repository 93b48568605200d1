/* What the generations of the compatible interface share: one engine whose knowledge is the section .neai. They differ in how
 * they spell calls and causes. */
#ifndef HABIT_NEAI_DOOR_H
#define HABIT_NEAI_DOOR_H

#include "habit/neai.h"

/* Forgets everything. DONE, BOARD. */
enum habit_neai_cause habit_neai_start(void);

/* minimum (out): whether so many buffers were learned as are recommended. Written where it is learned only. */
enum habit_neai_cause habit_neai_learn(const float *samples, bool *minimum);

/* similarity (out): 0 where it is not DONE. A missing pointer is bad input. */
enum habit_neai_cause habit_neai_detect(const float *samples, uint8_t *similarity);

enum habit_neai_cause habit_neai_set_sensitivity(float sensitivity);
float habit_neai_get_sensitivity(void); /* 1 where there is no engine */

/* Notes the cause for habit_neai_cause(), and returns it. */
enum habit_neai_cause habit_neai_because(enum habit_neai_cause cause);

#endif
