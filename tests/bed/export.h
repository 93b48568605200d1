/* Writes machines of the bed as recordings that bench/score.py and other programs read. */
#ifndef HABIT_BED_EXPORT_H
#define HABIT_BED_EXPORT_H

#include "trial.h"

/* Makes the folder DIR/KIND-INDEX with meta.json, normal.f32 (learned and healthy ones) and abnormal.f32. Returns 0, or -errno. */
int export_trial(const struct trial *trial, const char *dir, unsigned int index);

#endif
