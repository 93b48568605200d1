/* The calls whose cost is measured, on a machine of AXES x SAMPLES in the default profile that learns 60 buffers: three tones,
 * a little different on each axis, in noise. Each call stands between two marks; instructions are counted between them by the
 * emulator (count.c), and the stack below is painted before.
 *
 * It prints the name of each call that it counted, in their order, and `= name value` for a figure of its own. */
#include <string.h>

#include "../board/board.h"
#include "../golden/signal.h"

#include "habit/engine.h"

enum { LEARNED = 60, WORDS = 4096, TONED_AXES = 3, TONES = 3 };

static uint32_t knowledge[WORDS], cache[WORDS], scratch[WORDS], copy[WORDS];
static float buffer[SAMPLES * AXES];
static struct habit_engine engine;
static struct habit_memory memory;
static struct habit_result result;
static struct habit_progress progress;
static uint32_t seed = 1;
static int failed;

/* Where a section of the count begins or ends; found by its name. */
void mark(void);
__attribute__((noinline)) void mark(void)
{
    __asm__ volatile("");
}

/* strange: a tone that was never learned, on one axis. */
static void fill(bool strange)
{
    static const uint32_t turns[TONED_AXES][TONES] = { { 0x0a3d70a4u, 0x15c28f5cu, 0x3851eb85u },
                                                       { 0x0a3d70a4u, 0x1eb851ebu, 0x428f5c28u },
                                                       { 0x11eb851eu, 0x28f5c28fu, 0x570a3d70u } };
    uint32_t phase[AXES][TONES];
    uint32_t stranger = 0;

    for (int a = 0; a < AXES; a++)
        for (int k = 0; k < TONES; k++)
            phase[a][k] = signal_random(&seed);
    for (int i = 0; i < SAMPLES; i++)
        for (int a = 0; a < AXES; a++) {
            int32_t sum = signal_noise(&seed);

            if (strange && a == AXES / 2)
                sum += signal_sine(stranger += 0x6b851eb8u);
            for (int k = 0; k < TONES; k++)
                sum += signal_sine(phase[a][k] += turns[a % TONED_AXES][k]) / (1 << k);
            buffer[i * AXES + a] = (float)sum * (1.0f / 32768.0f);
        }
}

static struct habit_config configuration(enum habit_profile profile)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;

    config.buffer_size = SAMPLES;
    config.axes = AXES;
    config.sampling_hz = 1600.0f;
    config.profile = (uint8_t)profile;
    return config;
}

static int start(void)
{
    const struct habit_config config = configuration(HABIT_PROFILE_DEFAULT);

    memory = (struct habit_memory){ knowledge, habit_knowledge_size(&config), cache, habit_cache_size(&config),
                                    scratch,   habit_scratch_size(&config) };
    return habit_init(&engine, &config, &memory);
}

static int learn(void)
{
    return habit_learn(&engine, buffer, SAMPLES * AXES, &progress);
}

static int detect(void)
{
    return habit_detect(&engine, buffer, SAMPLES * AXES, &result);
}

static int seal(void)
{
    return habit_seal(&engine);
}

static int load(void)
{
    return habit_load(&engine, copy, memory.knowledge_size);
}

static int check(void)
{
    return habit_check(copy, memory.knowledge_size, NULL);
}

enum { PAINT = 0x5aa5c33c, PAINTED = 1024 /* words */ };

/* Prints the name, so that the reader of the count knows what each section is, then makes the call between two marks, on a
 * painted stack. Returns how many bytes of it the call used. */
__attribute__((noinline)) static uint32_t count(const char *name, int (*make)(void))
{
    register volatile uint32_t *const top __asm__("sp");
    volatile uint32_t *const lowest = top - PAINTED;
    uint32_t intact = 0;
    int status;

    board_put(name);
    board_put("\n");
    for (uint32_t i = 0; i < PAINTED; i++)
        lowest[i] = PAINT;
    mark();
    status = make();
    mark();
    while (lowest[intact] == PAINT)
        intact++;
    if (status != HABIT_OK || intact == 0)
        failed = 1;
    return (PAINTED - intact) * sizeof(PAINT);
}

static void put_figure(const char *group, const char *name, uint32_t value)
{
    char digits[12], *digit = &digits[sizeof(digits) - 1];

    *digit = 0;
    do
        *--digit = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    board_put("= ");
    board_put(group);
    board_put(name);
    board_put(" ");
    board_put(digit);
    board_put("\n");
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* The cache is cold after a learn and after a load, warm after a detect. The deepest of the first learns is the one that
 * starts the models. */
static void count_all(void)
{
    uint32_t deepest = 0;

    count("init", start);
    for (int i = 0; i < LEARNED; i++) {
        fill(false);
        deepest = larger(deepest, count("one of the first learns", learn));
    }
    fill(false);
    deepest = larger(deepest, count("learn", learn));
    put_figure("stack: ", "learn", deepest);
    fill(false);
    deepest = count("detect after a learn", detect);
    deepest = larger(deepest, count("detect", detect));
    fill(true);
    put_figure("stack: ", "detect", larger(deepest, count("detect something strange", detect)));
    put_figure("stack: ", "seal", count("seal", seal));
    memcpy(copy, knowledge, memory.knowledge_size);
    count("check", check);
    put_figure("stack: ", "load", count("load", load));
}

static void put_sizes(const char *group, enum habit_profile profile)
{
    const struct habit_config config = configuration(profile);

    put_figure(group, "knowledge", (uint32_t)habit_knowledge_size(&config));
    put_figure(group, "cache", (uint32_t)habit_cache_size(&config));
    put_figure(group, "scratch", (uint32_t)habit_scratch_size(&config));
}

int main(void)
{
    count_all();
    put_sizes("", HABIT_PROFILE_DEFAULT);
    put_sizes("small ", HABIT_PROFILE_SMALL);
    put_sizes("large ", HABIT_PROFILE_LARGE);
    put_figure("", "engine", sizeof(engine));
    return failed;
}
