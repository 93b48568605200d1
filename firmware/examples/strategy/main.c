/* The strategy of strategy.h on a board: time, temperature and sensor are simulated. Day 0 is learned; on day 1 nothing
 * happens; in the afternoon of day 2 it gets hot; on day 3 at 15:00 a bearing breaks. */
#include "strategy.h"

#include "habit/sizes.h"

#include "../board/console.h"
#include "../board/machine.h"

#ifndef SAMPLES
#define SAMPLES 256
#endif
enum { AXES = 3, PROFILE = HABIT_PROFILE_DEFAULT, DAYS = 4 };
enum { HEAT_BEGINS = 2 * STRATEGY_DAY + 13 * STRATEGY_HOUR, HEAT_ENDS = HEAT_BEGINS + 6 * STRATEGY_HOUR };
enum { BREAKS = 3 * STRATEGY_DAY + 15 * STRATEGY_HOUR };

static uint32_t knowledge[HABIT_KNOWLEDGE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t cache[HABIT_CACHE_SIZE(SAMPLES, AXES, PROFILE) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(SAMPLES, AXES, PROFILE) / 4];
static int16_t samples[SAMPLES * AXES];
static struct habit_engine engine;
static struct machine machine = { .seed = 1 };

static int start(void)
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

    return habit_init(&engine, &config, &memory);
}

/* Yours: the driver of a thermometer. */
static int read_temperature(uint32_t minute)
{
    machine.hot = minute >= HEAT_BEGINS && minute < HEAT_ENDS;
    return machine.hot ? 64 : 41;
}

/* Yours: the driver of the accelerometer. */
static const int16_t *read_samples(uint32_t minute)
{
    machine.faulty = minute >= BREAKS;
    machine_read(&machine, samples, SAMPLES, AXES);
    return samples;
}

/* For habit_accept, which takes floats only. */
static const float *in_g(const int16_t *steps)
{
    static float values[SAMPLES * AXES];

    for (int i = 0; i < SAMPLES * AXES; i++)
        values[i] = (float)steps[i] * MACHINE_SCALE;
    return values;
}

static void put_time(uint32_t minute)
{
    console_put("day ");
    console_put_number(minute / STRATEGY_DAY);
    console_put(" hour ");
    console_put_number(minute % STRATEGY_DAY / STRATEGY_HOUR);
}

/* Yours: blink an LED, ring a bell. */
static void alarm(const struct strategy *strategy, uint32_t minute)
{
    put_time(minute);
    console_put(" ALARM similarity ");
    console_put_number(strategy->similarity);
    console_put("\n");
}

static void put_field(const char *name, uint32_t number)
{
    console_put(name);
    console_put_number(number);
}

static void send(const struct strategy_report *report)
{
    put_field("report machine pump-1 day ", report->day);
    put_field(" learned ", report->learned);
    put_field(" detected ", report->detected);
    put_field(" errors ", report->errors);
    put_field(" hours ", report->hours);
    put_field(" anomalies ", report->anomalies);
    console_put(" per hour ");
    console_put_hundredths(report->hours > 0 ? 100 * report->anomalies / report->hours : 0);
    put_field(" lowest ", report->lowest);
    console_put("\n");
}

static void work(struct strategy *strategy, uint32_t minute)
{
    struct habit_result result;
    int status;

    switch (strategy_task(strategy, minute, read_temperature(minute))) {
    case STRATEGY_LEARN:
        strategy_learned(strategy, habit_learn_i16(&engine, read_samples(minute), SAMPLES * AXES, NULL));
        break;
    case STRATEGY_ACCEPT:
        strategy_learned(strategy, habit_accept(&engine, in_g(read_samples(minute)), 1));
        break;
    case STRATEGY_DETECT:
        status = habit_detect_i16(&engine, read_samples(minute), SAMPLES * AXES, &result);
        if (strategy_detected(strategy, status, &result) && strategy->alarm)
            alarm(strategy, minute);
        break;
    case STRATEGY_REST:
        break;
    }
}

int main(void)
{
    struct strategy strategy;
    struct strategy_report report;

    console_start();
    if (start() != HABIT_OK)
        return 1;
    strategy_start(&strategy, &engine);
    for (uint32_t minute = 0; minute < DAYS * STRATEGY_DAY; minute++) {
        work(&strategy, minute);
        if (strategy_day_ends(&strategy, minute, &report))
            send(&report);
    }
    return 0;
}
