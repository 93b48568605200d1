/* Save, power cut, restore: the board learns a buffer a minute and detects all the time, and saves what it has learned while
 * both go on. Whenever power goes, it starts again with the newest knowledge that was saved whole. */
#include "flash.h"
#include "habit/sizes.h"

#include "../board/console.h"
#include "../board/machine.h"

enum { SAMPLES = 128, AXES = 3, PROFILE = HABIT_PROFILE_DEFAULT, MINUTE = 60, DETECTIONS = 20, STEPS = 4 };

static uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t copy[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, PROFILE) / 4]; /* what is saved while learning goes on */
static uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, PROFILE) / 4];
static struct habit_engine engine;
static struct habit_save save;
static struct machine machine = { .seed = 1 };

static const int16_t *read_samples(void)
{
    static int16_t samples[SAMPLES * AXES];

    machine_read(&machine, samples, SAMPLES, AXES);
    return samples;
}

static uint32_t learned(void)
{
    struct habit_progress progress = { 0 };

    (void)habit_status(&engine, &progress);
    return progress.learned;
}

static void say(const char *what)
{
    console_put(what);
    console_put(" ");
    console_put_number(learned());
    console_put("\n");
}

static int start(uint32_t now)
{
    static const struct habit_config config = {
        .buffer_size = SAMPLES,
        .axes = AXES,
        .profile = PROFILE,
        .sampling_hz = MACHINE_SAMPLING_HZ,
        .scale = MACHINE_SCALE,
        .unit = MACHINE_UNIT,
    };
    static const struct habit_memory memory = { knowledge,     sizeof(knowledge), cache,
                                                sizeof(cache), scratch,           sizeof(scratch) };
    int r = habit_init(&engine, &config, &memory);

    if (r == HABIT_OK)
        r = habit_save_open(&save, &example_flash, now);
    if (r != HABIT_OK)
        return r;
    r = habit_save_load(&save, &engine, NULL);
    if (r == HABIT_OK)
        say("restored");
    else
        say(habit_save_text(r));
    machine.seed += learned(); /* the simulated machine went on meanwhile */
    return HABIT_OK;
}

static void begin_save(uint32_t now)
{
    if (habit_save_due(&save, &engine, now) &&
        habit_save_begin_copy(&save, &engine, now, copy, sizeof(copy)) == HABIT_OK)
        say("saving");
}

static void step_save(void)
{
    const int r = habit_save_step(&save); /* as long as the flash takes for one unit */

    if (r == HABIT_OK)
        say("saved, by now learned");
    else if (r != HABIT_SAVE_BUSY && r != HABIT_SAVE_IDLE)
        say(habit_save_text(r));
}

static void detect(void)
{
    struct habit_result result;

    if (habit_detect_i16(&engine, read_samples(), SAMPLES * AXES, &result) == HABIT_OK &&
        result.similarity < HABIT_THRESHOLD)
        say("strange, learned");
}

int main(void)
{
    uint32_t now = 0; /* simulated: seconds since the start */

    console_start();
    if (start(now) != HABIT_OK)
        return 1;
    for (;; now += MINUTE) {
        for (int i = 0; i < DETECTIONS; i++) {
            detect();
            for (int step = 0; step < STEPS; step++)
                step_save();
        }
        if (habit_learn_i16(&engine, read_samples(), SAMPLES * AXES, NULL) == HABIT_OK)
            begin_save(now);
    }
}
