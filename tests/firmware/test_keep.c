/* An engine that keeps only what one configuration needs gives the same bits as the whole one: this program is built with
 * each, prints what it sees, and both must print the same. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "habit/sizes.h"

enum { SAMPLES = 64, AXES = 1, PROFILE = HABIT_PROFILE_SMALL, LEARNED = 60 };

static uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, PROFILE) / 4];
static float buffer[SAMPLES * AXES];

static void fill(uint32_t *seed)
{
    for (int i = 0; i < SAMPLES * AXES; i++) {
        *seed = *seed * 1664525u + 1013904223u;
        buffer[i] = (float)(*seed >> 16) / 65536.0f;
    }
}

static int run(void)
{
    const struct habit_config config = { .buffer_size = SAMPLES, .axes = AXES, .profile = PROFILE, .scale = 1 };
    const struct habit_memory memory = { knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch) };
    struct habit_engine engine;
    struct habit_result result;
    struct habit_info info;
    uint32_t seed = 1;
    int failed = habit_init(&engine, &config, &memory);

    for (int i = 0; i < LEARNED; i++) {
        fill(&seed);
        failed |= habit_learn(&engine, buffer, SAMPLES * AXES, NULL);
    }
    for (int i = 0; i < 20; i++) {
        fill(&seed);
        buffer[i] += (float)i; /* stranger and stranger */
        failed |= habit_detect(&engine, buffer, SAMPLES * AXES, &result);
        printf("%u %a\n", result.similarity, (double)result.distance);
    }
    failed |= habit_seal(&engine) | habit_check(knowledge, sizeof(knowledge), &info) |
              habit_load(&engine, knowledge, sizeof(knowledge));
    printf("%08x\n", info.crc);
    return failed;
}

/* What was left out is refused when the engine is made, not when it is used. */
static int others_are_refused(void)
{
    struct habit_config config = { .buffer_size = 128, .axes = AXES, .profile = PROFILE, .scale = 1 };

    if (habit_knowledge_size(&config) != 0)
        return 0;
    config.buffer_size = SAMPLES;
    config.axes = 2;
    if (habit_knowledge_size(&config) != 0)
        return 0;
    config.axes = AXES;
    config.profile = HABIT_PROFILE_DEFAULT;
    return habit_knowledge_size(&config) == 0;
}

int main(void)
{
#ifdef HABIT_CONFIG_HEADER
    const int expected = 1;
#else
    const int expected = 0;
#endif

    return run() != HABIT_OK || others_are_refused() != expected;
}
