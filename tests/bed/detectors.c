#include "detectors.h"

const struct detector detectors[DETECTORS] = {
    [DETECTOR_HABIT] = { "habit", judge_by_habit },
    [DETECTOR_LEDOIT_WOLF] = { "Ledoit-Wolf", judge_by_ledoit_wolf },
    [DETECTOR_LOG_RMS] = { "log-RMS", judge_by_log_rms },
};

struct figures figures_of(const struct verdicts *v)
{
    struct figures figures = { 0 };

    for (unsigned int h = 0; h < BED_HEALTHY; h++) {
        figures.false_alarms += v->alarm[h];
        for (unsigned int f = BED_HEALTHY; f < BED_TESTED; f++)
            figures.auc += v->score[f] > v->score[h] ? 1 : v->score[f] < v->score[h] ? 0 : 0.5;
    }
    for (unsigned int f = BED_HEALTHY; f < BED_TESTED; f++)
        figures.detection += v->alarm[f];
    figures.auc /= (double)BED_HEALTHY * BED_FAULTY;
    figures.false_alarms /= BED_HEALTHY;
    figures.detection /= BED_FAULTY;
    figures.balanced = 0.5 * (1 - figures.false_alarms + figures.detection);
    return figures;
}
