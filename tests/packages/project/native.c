/* The native and the saving interface, from installed headers. Ends with 0 where the board learned and judged. */
#include "board.h"

#include "habit/save.h"
#include "habit/sizes.h"

enum { SAMPLES = 64, AXES = 1, LEARNED = 30 };

static uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, HABIT_PROFILE_SMALL) / 4];
static uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, HABIT_PROFILE_SMALL) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, HABIT_PROFILE_SMALL) / 4];
static int16_t buffer[SAMPLES * AXES];

static void fill(uint32_t *seed, int amplitude)
{
    for (int i = 0; i < SAMPLES; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        buffer[i] = (int16_t)((i % 8 < 4 ? amplitude : -amplitude) + (int)(*seed >> 24));
    }
}

int main(void)
{
    const struct habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };
    struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct habit_engine engine;
    struct habit_result usual, strange;
    uint32_t seed = 1;
    int status;

    config.buffer_size = SAMPLES;
    config.axes = AXES;
    config.profile = HABIT_PROFILE_SMALL;
    status = habit_init(&engine, &config, &memory);
    for (int i = 0; i < LEARNED && status == HABIT_OK; i++) {
        fill(&seed, 1000);
        status = habit_learn_i16(&engine, buffer, SAMPLES * AXES, NULL);
    }
    fill(&seed, 1000);
    if (status != HABIT_OK || habit_detect_i16(&engine, buffer, SAMPLES * AXES, &usual) != HABIT_OK)
        return 1;
    fill(&seed, 4000);
    if (habit_detect_i16(&engine, buffer, SAMPLES * AXES, &strange) != HABIT_OK)
        return 2;
    board_put(habit_save_text(HABIT_SAVE_ENONE));
    return usual.similarity >= HABIT_THRESHOLD && strange.similarity < HABIT_THRESHOLD ? 0 : 3;
}
