/* Of each axis the log rms; of a single sample, which has none, the value itself. Any axis beyond 3 sigma alarms. */
#include <math.h>

#include "detectors.h"

void judge_by_log_rms(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                      struct verdicts *verdicts)
{
    const struct feature_layout *layout = &trial->layout;

    (void)profile;
    for (unsigned int i = 0; i < BED_TESTED; i++)
        verdicts->score[i] = 0;
    for (uint32_t a = 0; a < layout->axes; a++) {
        unsigned int at = a * layout->per_axis + layout->bands;
        double mean = 0, square = 0;

        for (unsigned int i = 0; i < learned; i++)
            mean += trial_features(trial, i)[at] / learned;
        for (unsigned int i = 0; i < learned; i++)
            square += pow(trial_features(trial, i)[at] - mean, 2) / (learned - 1);
        for (unsigned int i = 0; i < BED_TESTED; i++) {
            double off = fabs(trial_features(trial, trial->learnable + i)[at] - mean) / (sqrt(square) + 1e-12);

            verdicts->score[i] = fmax(verdicts->score[i], off);
        }
    }
    for (unsigned int i = 0; i < BED_TESTED; i++)
        verdicts->alarm[i] = verdicts->score[i] > 3;
}
