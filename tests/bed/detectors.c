#include "detectors.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "heap.h"
#include "ledoit_wolf.h"

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

/* ------------------------------------------------------------------------------------------------------------ habit */

struct habit {
    struct habit_engine engine;
    struct habit_memory memory;
};

static void habit_new(struct habit *habit, const struct trial *trial, enum habit_profile profile)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct habit_memory *m = &habit->memory;

    config.buffer_size = (uint16_t)trial->machine->buffer_size;
    config.axes = (uint8_t)trial->machine->axes;
    config.profile = (uint8_t)profile;
    config.sampling_hz = (float)trial->machine->sampling_hz;
    m->knowledge = heap_get(1, m->knowledge_size = habit_knowledge_size(&config));
    m->cache = heap_get(1, m->cache_size = habit_cache_size(&config));
    m->scratch = heap_get(1, m->scratch_size = habit_scratch_size(&config));
    if (habit_init(&habit->engine, &config, m) != HABIT_OK)
        abort();
}

/* A buffer that the engine refuses to learn is a part of the comparison; that it then cannot judge is not. */
static void habit_must(int result, const struct trial *trial, unsigned int index)
{
    if (result == HABIT_OK)
        return;
    fprintf(stderr, "bed: %s, %u x %u: buffer %u: %s\n", trial->machine->kind->name, trial->machine->buffer_size,
            trial->machine->axes, index, habit_text(result));
    exit(EXIT_FAILURE);
}

void judge_by_habit(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                    struct verdicts *verdicts)
{
    struct habit habit;
    struct habit_result result;

    habit_new(&habit, trial, profile);
    for (unsigned int i = 0; i < learned; i++) {
        int r = habit_learn(&habit.engine, trial_samples(trial, i), trial->values, NULL);

        if (r != HABIT_ECONSTANT)
            habit_must(r, trial, i);
    }
    for (unsigned int i = 0; i < BED_TESTED; i++) {
        unsigned int index = trial->learnable + i;

        habit_must(habit_detect(&habit.engine, trial_samples(trial, index), trial->values, &result), trial, index);
        verdicts->score[i] = (double)result.distance;
        verdicts->alarm[i] = result.similarity < HABIT_THRESHOLD;
    }
    free(habit.memory.knowledge);
    free(habit.memory.cache);
    free(habit.memory.scratch);
}

/* ------------------------------------------------------------------------------------------------------ Ledoit-Wolf */

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
double ledoit_wolf_line(struct ledoit_wolf *model, const struct trial *trial, unsigned int learned)
{
    double *distance = heap_get(learned, sizeof(*distance)), line;
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
    line = quantile_of(distance, learned, 1 - aimed_at);
    free(distance);
    free(use);
    return line;
}

void judge_by_ledoit_wolf(const struct trial *trial, unsigned int learned, enum habit_profile profile,
                          struct verdicts *verdicts)
{
    static struct ledoit_wolf model; /* 90 KiB */
    double line = ledoit_wolf_line(&model, trial, learned);

    (void)profile;
    for (unsigned int i = 0; i < BED_TESTED; i++) {
        verdicts->score[i] = ledoit_wolf_distance(&model, trial_features(trial, trial->learnable + i));
        verdicts->alarm[i] = verdicts->score[i] > line;
    }
}

/* ---------------------------------------------------------------------------------------------------------- log-RMS */

/* Of each axis the log rms; of a single sample, which has none, the value itself. Any axis beyond 3 sigma alarms. */
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
