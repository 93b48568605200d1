/* Knowledge between board and gateway. At start the board looks where the gateway's knowledge was flashed; where there is none
 * it learns itself. Then it seals and waits: a debugger, or a bootloader, reads its memory, and `habit convert` finds the
 * block in it. */
#include "habit/exchange.h"
#include "habit/sizes.h"

#include "../board/console.h"
#include "../board/machine.h"

#ifndef SAMPLES
#define SAMPLES 128
#endif
enum { AXES = 3, LEARNED = 60, PROFILE = HABIT_PROFILE_DEFAULT, FLASHED_SIZE = 4096 };

/* Where the linker script, or here the emulator, puts what `habit convert --as flash` made. */
static const void *const flashed = (const void *)FLASHED_AT;

static uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, PROFILE) / 4];

static const struct habit_config config = {
    .buffer_size = SAMPLES,
    .axes = AXES,
    .profile = PROFILE,
    .sampling_hz = MACHINE_SAMPLING_HZ,
    .scale = MACHINE_SCALE,
    .unit = MACHINE_UNIT,
};
static const struct habit_memory memory = {
    knowledge, sizeof(knowledge), cache, sizeof(cache), scratch, sizeof(scratch)
};
static struct habit_engine engine;

static int learn(void)
{
    static struct machine machine = { .seed = 1 };
    static int16_t values[SAMPLES * AXES];
    int failed = 0;

    for (int i = 0; i < LEARNED; i++) {
        machine_read(&machine, values, SAMPLES, AXES);
        failed |= habit_learn_i16(&engine, values, SAMPLES * AXES, NULL);
    }
    return failed;
}

int main(void)
{
    char why[HABIT_EXCHANGE_TEXT];
    int failed;

    console_start();
    failed = habit_init(&engine, &config, &memory);
    if (habit_exchange_load(&engine, flashed, FLASHED_SIZE, why) != HABIT_OK)
        failed |= learn();
    failed |= habit_seal(&engine);
    console_put(why);
    console_put(failed == HABIT_OK ? "\nready\n" : "\nfailed\n");
    for (;;)
        __asm__ volatile("wfi");
}
