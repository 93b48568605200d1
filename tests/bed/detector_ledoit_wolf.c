#include "detector_ledoit_wolf.h"

#include <stdlib.h>

#include "detectors.h"
#include "heap.h"

enum { FOLDS = 5 };
static const double aimed_at = 0.01; /* false alarms */

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

/* Between the two nearest ranks, in proportion. */
static double quantile_of(double *values, unsigned int count, double share)
{
    double place = share * (count - 1);
    unsigned int below = (unsigned int)place;

    qsort(values, count, sizeof(*values), compare_doubles);
    if (below + 1 >= count)
        return values[count - 1];
    return values[below] + (place - below) * (values[below + 1] - values[below]);
}

/* Folds are runs of consecutive buffers: a buffer's neighbours in time would know it too well. */
void ledoit_wolf_alarm_learn(struct ledoit_wolf_alarm *alarm, const struct trial *trial, unsigned int learned)
{
    struct ledoit_wolf *model = &alarm->model;
    double *distance = heap_get(learned, sizeof(*distance));
    bool *use = heap_get(learned, sizeof(*use));

    for (unsigned int fold = 0; fold < FOLDS; fold++) {
        unsigned int from = fold * learned / FOLDS, to = (fold + 1) * learned / FOLDS;

        for (unsigned int i = 0; i < learned; i++)
            use[i] = i < from || i >= to;
        ledoit_wolf_learn(model, trial->features, use, learned, trial->layout.count);
        for (unsigned int i = from; i < to; i++)
            distance[i] = ledoit_wolf_distance(model, trial_features(trial, i));
    }
    for (unsigned int i = 0; i < learned; i++)
        use[i] = true;
    ledoit_wolf_learn(model, trial->features, use, learned, trial->layout.count);
    alarm->line = quantile_of(distance, learned, 1 - aimed_at);
    free(distance);
    free(use);
}

void judge_by_ledoit_wolf(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                          struct verdicts *verdicts)
{
    static struct ledoit_wolf_alarm alarm; /* 90 KiB */

    (void)profile;
    ledoit_wolf_alarm_learn(&alarm, trial, learned);
    for (unsigned int i = 0; i < BED_TESTED; i++) {
        verdicts->score[i] = ledoit_wolf_distance(&alarm.model, trial_features(trial, trial->learnable + i));
        verdicts->alarm[i] = verdicts->score[i] > alarm.line;
    }
}
