/* The detectors that are compared, and what each makes of a machine. */
#ifndef HABIT_BED_DETECTORS_H
#define HABIT_BED_DETECTORS_H

#include "habit/engine.h"
#include "trial.h"

/* Of the tested buffers, healthy ones first. */
struct verdicts {
    double score[BED_TESTED]; /* how strange */
    bool alarm[BED_TESTED];
};

struct figures {
    double auc, balanced, false_alarms, detection;
};

/* Ties of scores count half. */
struct figures figures_of(const struct verdicts *verdicts);

enum { DETECTOR_HABIT, DETECTOR_LEDOIT_WOLF, DETECTOR_LOG_RMS, DETECTORS };

struct detector {
    const char *name;
    /* Learns the first `learned` buffers of the trial, judges the tested ones. */
    void (*judge)(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                  struct verdicts *verdicts);
};

extern const struct detector detectors[DETECTORS];

void judge_by_habit(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                    struct verdicts *verdicts);
void judge_by_ledoit_wolf(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                          struct verdicts *verdicts);
void judge_by_log_rms(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                      struct verdicts *verdicts);

#endif
