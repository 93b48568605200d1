/* The calls whose cost is measured, on a machine of three axes and 256 samples in the default profile that learns 60
 * buffers: three tones, a little different on each axis, in noise. Each call stands between two marks; instructions are
 * counted between them by the emulator (count.c). Then the same calls once more on a painted stack.
 *
 * It prints the name of each call that it counted, in their order, and `= name value` for a figure of its own. */
#include <string.h>

#include "../board/board.h"
#include "../golden/signal.h"

#include "habit/engine.h"

enum { SAMPLES = 256, AXES = 3, LEARNED = 60, WORDS = 4096 };

extern uint32_t board_stack_low[];

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
    static const uint32_t turns[AXES][3] = { { 0x0a3d70a4u, 0x15c28f5cu, 0x3851eb85u },
                                             { 0x0a3d70a4u, 0x1eb851ebu, 0x428f5c28u },
                                             { 0x11eb851eu, 0x28f5c28fu, 0x570a3d70u } };
    uint32_t phase[AXES][3];
    uint32_t stranger = 0;

    for (int a = 0; a < AXES; a++)
        for (int k = 0; k < 3; k++)
            phase[a][k] = signal_random(&seed);
    for (int i = 0; i < SAMPLES; i++)
        for (int a = 0; a < AXES; a++) {
            int32_t sum = signal_noise(&seed);

            if (strange && a == 1)
                sum += signal_sine(stranger += 0x6b851eb8u);
            for (int k = 0; k < 3; k++)
                sum += signal_sine(phase[a][k] += turns[a][k]) / (1 << k);
            buffer[i * AXES + a] = (float)sum * (1.0f / 32768.0f);
        }
}

static int start(void)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;

    config.buffer_size = SAMPLES;
    config.axes = AXES;
    config.sampling_hz = 1600.0f;
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

/* Prints the name, so that the reader of the count knows what each section is, then makes the call between two marks. */
static void count(const char *name, int (*make)(void))
{
    int status;

    board_put(name);
    board_put("\n");
    mark();
    status = make();
    mark();
    if (status != HABIT_OK)
        failed = 1;
}

enum { PAINT = 0x5aa5c33c };

/* Bytes of stack that a call used. */
__attribute__((noinline)) static uint32_t depth(int (*make)(void))
{
    register volatile uint32_t *const top __asm__("sp");
    volatile uint32_t *lowest = board_stack_low;

    for (volatile uint32_t *word = board_stack_low; word < top; word++)
        *word = PAINT;
    if (make() != HABIT_OK)
        failed = 1;
    while (*lowest == PAINT)
        lowest++;
    return (uint32_t)((const volatile char *)top - (const volatile char *)lowest);
}

static void put_figure(const char *name, uint32_t value)
{
    char digits[12], *digit = &digits[sizeof(digits) - 1];

    *digit = 0;
    do
        *--digit = (char)('0' + value % 10);
    while ((value /= 10) > 0);
    board_put("= ");
    board_put(name);
    board_put(" ");
    board_put(digit);
    board_put("\n");
}

/* The cache is cold after a learn and after a load, warm after a detect. */
static void count_all(void)
{
    count("init", start);
    for (int i = 0; i < LEARNED; i++) {
        fill(false);
        count("one of the first learns", learn);
    }
    fill(false);
    count("learn", learn);
    fill(false);
    count("detect after a learn", detect);
    count("detect", detect);
    fill(true);
    count("detect something strange", detect);
    count("seal", seal);
    memcpy(copy, knowledge, memory.knowledge_size);
    count("check", check);
    count("load", load);
}

/* All of learning: the deepest call may be the one that starts the models. */
static int learn_all(void)
{
    int status = start();

    for (int i = 0; i < LEARNED && status == HABIT_OK; i++) {
        fill(false);
        status = learn();
    }
    return status;
}

static void measure_stack(void)
{
    put_figure("stack: learn", depth(learn_all));
    fill(true);
    put_figure("stack: detect", depth(detect));
    put_figure("stack: seal", depth(seal));
    memcpy(copy, knowledge, memory.knowledge_size);
    put_figure("stack: load", depth(load));
}

int main(void)
{
    count_all();
    put_figure("knowledge", (uint32_t)memory.knowledge_size);
    put_figure("cache", (uint32_t)memory.cache_size);
    put_figure("scratch", (uint32_t)memory.scratch_size);
    put_figure("engine", sizeof(engine));
    measure_stack();
    return failed;
}
