/* A campaign: random machines of several kinds, each learned and tested by every detector. */
#ifndef HABIT_BED_CAMPAIGN_H
#define HABIT_BED_CAMPAIGN_H

#include "detectors.h"
#include "grading.h"
#include "kind.h"

enum { CAMPAIGN_KINDS = 32, CAMPAIGN_LEARNS = 8 };

struct campaign {
    const struct kind *kind[CAMPAIGN_KINDS];
    unsigned int kinds, machines; /* machines of each kind */
    unsigned int learn[CAMPAIGN_LEARNS], learns;
    uint64_t seed;
    enum habit_profile profile;
    const char *export_dir; /* where the machines are written to; NULL: nowhere */
    unsigned int jobs;      /* processes; the outcomes do not depend on it */
};

struct outcome {
    bool done;
    char fault[24];
    uint32_t buffer_size, axes;
    double sampling_hz;
    unsigned int redrawn; /* machines before it that could not be graded */
    struct grade grade;
    struct figures figures[DETECTORS][CAMPAIGN_LEARNS];
};

/* Returns kinds x machines outcomes, in the order of the kinds; NULL where a process failed, which then has said why. */
struct outcome *campaign_run(const struct campaign *campaign);
void campaign_free(const struct campaign *campaign, struct outcome *outcomes);

#endif
