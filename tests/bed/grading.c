#include "grading.h"

#include <math.h>

#include "detector_ledoit_wolf.h"

const double grading_lowest = 0.60, grading_highest = 0.85, grading_tolerance = 0.02;

enum { STEPS = 12 };
static const double least = -12, most = 5,
                    stride = 2; /* log2 of the severity: where it is looked for, and the first steps */

struct ruler {
    struct trial *trial;
    struct ledoit_wolf_alarm alarm;
    double false_alarms;
};

static double share_alarmed(const struct ruler *ruler, unsigned int from, unsigned int to)
{
    unsigned int alarms = 0;

    for (unsigned int i = from; i < to; i++)
        alarms += ledoit_wolf_distance(&ruler->alarm.model, trial_features(ruler->trial, i)) > ruler->alarm.line;
    return (double)alarms / (to - from);
}

/* Below 0 where the fault cannot show at all. */
static double balanced_at(struct ruler *ruler, double exponent)
{
    struct trial *trial = ruler->trial;

    if (!trial_fail(trial, exp2(exponent)))
        return -1;
    return 0.5 * (1 - ruler->false_alarms + share_alarmed(ruler, trial->healthy_end, trial->count));
}

static bool close_enough(const struct grade *grade)
{
    return fabs(grade->reached - grade->target) <= grading_tolerance && grade->reached >= grading_lowest &&
           grade->reached <= grading_highest;
}

/* Walks in long steps until the target is between two severities, then halves. */
static bool search(struct ruler *ruler, struct grade *grade)
{
    double low = least, high = most, at = 0;

    for (int step = 0; step < STEPS && low < high; step++) {
        grade->reached = balanced_at(ruler, at);
        grade->severity = exp2(at);
        if (grade->reached < 0)
            return false;
        if (close_enough(grade))
            return true;
        if (grade->reached < grade->target)
            low = at;
        else
            high = at;
        if (low >= most || high <= least)
            return false;
        at = low <= least ? fmax(least, high - stride) : high >= most ? fmin(most, low + stride) : 0.5 * (low + high);
    }
    return false;
}

bool grading_find(struct trial *trial, double target, struct grade *grade)
{
    static struct ruler ruler;

    ruler.trial = trial;
    ledoit_wolf_alarm_learn(&ruler.alarm, trial, GRADING_LEARNED);
    ruler.false_alarms = share_alarmed(&ruler, trial->learnable, trial->healthy_end);
    grade->target = target;
    return 1 - 0.5 * ruler.false_alarms >= target && search(&ruler, grade);
}
