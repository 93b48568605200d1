/* habit, through its public interface and with nothing but its defaults. */
#include <stdio.h>
#include <stdlib.h>

#include "detectors.h"
#include "heap.h"

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
