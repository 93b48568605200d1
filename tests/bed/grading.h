/* Finds the severity of a machine's fault at which the Ledoit-Wolf detector of 60 learned buffers reaches a balanced accuracy that
 * is drawn beforehand: neither hopeless nor obvious. */
#ifndef HABIT_BED_GRADING_H
#define HABIT_BED_GRADING_H

#include "trial.h"

enum { GRADING_LEARNED = 60 };
extern const double grading_lowest, grading_highest, grading_tolerance;

struct grade {
    double target, reached; /* balanced accuracy */
    double severity;
};

/* Leaves the trial with the faulty buffers of that severity. False: no severity gives this accuracy. */
bool grading_find(struct trial *trial, double target, struct grade *grade);

#endif
