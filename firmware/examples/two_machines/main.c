/* Two machines on one chip: a pump with a three-axis accelerometer that gives int16, and the current of a fan as floats. Each
 * has an engine with knowledge and cache of its own; they share the scratch, since they are never called at the same time.
 * All memory is declared here, so the linker knows whether it fits. */
#include "habit/engine.h"
#include "habit/sizes.h"

#include "../board/console.h"
#include "../board/machine.h"

enum { PUMP_SAMPLES = 128, PUMP_AXES = 3, FAN_SAMPLES = 64, FAN_AXES = 1, LEARNED = 60, JUDGED = 20 };

static uint32_t pump_knowledge[HABIT_KNOWLEDGE_SIZE(PUMP_SAMPLES, PUMP_AXES, HABIT_PROFILE_SMALL) / 4];
static uint32_t pump_cache[HABIT_CACHE_SIZE(PUMP_SAMPLES, PUMP_AXES, HABIT_PROFILE_SMALL) / 4];
static uint32_t fan_knowledge[HABIT_KNOWLEDGE_SIZE(FAN_SAMPLES, FAN_AXES, HABIT_PROFILE_SMALL) / 4];
static uint32_t fan_cache[HABIT_CACHE_SIZE(FAN_SAMPLES, FAN_AXES, HABIT_PROFILE_SMALL) / 4];
static uint32_t scratch[HABIT_SCRATCH_SIZE(PUMP_SAMPLES, PUMP_AXES, HABIT_PROFILE_SMALL) / 4]; /* the larger one */

static const struct habit_config pump_config = {
    .buffer_size = PUMP_SAMPLES,
    .axes = PUMP_AXES,
    .profile = HABIT_PROFILE_SMALL,
    .sampling_hz = MACHINE_SAMPLING_HZ,
    .scale = MACHINE_SCALE, /* of int16 samples */
    .unit = MACHINE_UNIT,
};
static const struct habit_config fan_config = {
    .buffer_size = FAN_SAMPLES, .axes = FAN_AXES, .profile = HABIT_PROFILE_SMALL, .scale = 1.0f, .unit = "A"
};

static const struct habit_memory pump_memory = { pump_knowledge, sizeof(pump_knowledge), pump_cache, sizeof(pump_cache),
                                                 scratch,        sizeof(scratch) };
static const struct habit_memory fan_memory = { fan_knowledge, sizeof(fan_knowledge), fan_cache, sizeof(fan_cache),
                                                scratch,       sizeof(scratch) };

static struct habit_engine pump, fan;
static struct machine pump_machine = { .seed = 1 }, fan_machine = { .seed = 2 };

/* Yours: what the DMA of the accelerometer filled. It is only read from, as it is. */
static const int16_t *read_pump(void)
{
    static int16_t values[PUMP_SAMPLES * PUMP_AXES];

    machine_read(&pump_machine, values, PUMP_SAMPLES, PUMP_AXES);
    return values;
}

static const float *read_fan(void)
{
    static int16_t raw[FAN_SAMPLES];
    static float amperes[FAN_SAMPLES];

    machine_read(&fan_machine, raw, FAN_SAMPLES, FAN_AXES);
    for (int i = 0; i < FAN_SAMPLES; i++)
        amperes[i] = (float)raw[i] * 0.001f;
    return amperes;
}

static int learn(void)
{
    int failed = 0;

    for (int i = 0; i < LEARNED; i++) {
        failed |= habit_learn_i16(&pump, read_pump(), PUMP_SAMPLES * PUMP_AXES, NULL);
        failed |= habit_learn(&fan, read_fan(), FAN_SAMPLES * FAN_AXES, NULL);
    }
    return failed;
}

/* An error is no score: what could not be judged is not counted, but told at the end. */
static uint32_t is_strange(int status, const struct habit_result *result)
{
    return status == HABIT_OK && result->similarity < HABIT_THRESHOLD;
}

/* How many buffers of each look strange, of JUDGED. */
static int judge(const char *when)
{
    struct habit_result of_pump, of_fan;
    uint32_t strange_pump = 0, strange_fan = 0;
    int failed = 0;

    for (int i = 0; i < JUDGED; i++) {
        const int pump_status = habit_detect_i16(&pump, read_pump(), PUMP_SAMPLES * PUMP_AXES, &of_pump);
        const int fan_status = habit_detect(&fan, read_fan(), FAN_SAMPLES * FAN_AXES, &of_fan);

        strange_pump += is_strange(pump_status, &of_pump);
        strange_fan += is_strange(fan_status, &of_fan);
        failed |= pump_status | fan_status;
    }
    console_put(when);
    console_put(": pump ");
    console_put_number(strange_pump);
    console_put(", fan ");
    console_put_number(strange_fan);
    console_put(" strange\n");
    return failed;
}

int main(void)
{
    int failed;

    console_start();
    failed = habit_init(&pump, &pump_config, &pump_memory) | habit_init(&fan, &fan_config, &fan_memory);
    failed |= learn();
    failed |= judge("both healthy");
    fan_machine.faulty = true;
    failed |= judge("fan faulty");
    fan_machine.faulty = false;
    pump_machine.faulty = true;
    failed |= judge("pump faulty");
    return failed != HABIT_OK;
}
