#include "cases.h"

#include <string.h>

#include "signal.h"

#include "habit/engine.h"

enum { SMALL = HABIT_PROFILE_SMALL, DEFAULT = HABIT_PROFILE_DEFAULT, LARGE = HABIT_PROFILE_LARGE };

/* Geometries at the ends and in between, lengths that are no power of two, and every way in which inputs can be awkward.
 * The smaller ones also run on a board with 16 KiB. */
const struct golden_case golden_cases[] = {
    /* name             samples axes profile signal      int16 learned accepted gain offset */
    { "256x3-tones", 256, 3, DEFAULT, SIGNAL_TONES, false, 64, 1, 1.0f, 0.0f },
    { "256x3-small", 256, 3, SMALL, SIGNAL_STATES, false, 30, 1, 1.0f, 9.81f },
    { "256x3-large", 256, 3, LARGE, SIGNAL_STATES, true, 40, 2, 1.0f, 0.0f },
    { "256x3-noise", 256, 3, DEFAULT, SIGNAL_NOISE, true, 20, 3, 16.0f, 0.0f },
    { "1x1", 1, 1, DEFAULT, SIGNAL_LEVEL, false, 600, 5, 1.0f, 20.0f },
    { "1x6", 1, 6, DEFAULT, SIGNAL_LEVEL, false, 200, 5, 10.0f, 60.0f },
    { "1x16-large", 1, 16, LARGE, SIGNAL_LEVEL, false, 60, 5, 1.0f, 0.0f },
    { "2x1-small", 2, 1, SMALL, SIGNAL_NOISE, false, 40, 2, 1.0f, 0.0f },
    { "2x1-aged", 2, 1, DEFAULT, SIGNAL_NOISE, false, 66000, 2, 1.0f, 0.0f }, /* all weights were halved once */
    { "5x2", 5, 2, DEFAULT, SIGNAL_NOISE, false, 60, 5, 1.0f, 0.0f },
    { "7x1", 7, 1, LARGE, SIGNAL_CYCLE, false, 60, 2, 1.0f, 0.0f },
    { "8x1", 8, 1, DEFAULT, SIGNAL_NOISE, false, 60, 2, 1.0f, 0.0f },
    { "16x1", 16, 1, DEFAULT, SIGNAL_CYCLE, false, 300, 5, 1.0f, 0.0f },
    { "16x16", 16, 16, DEFAULT, SIGNAL_NOISE, false, 14, 1, 1.0f, 0.0f },
    { "32x1-small", 32, 1, SMALL, SIGNAL_NOISE, false, 40, 2, 1.0f, 0.0f },
    { "33x4-odd", 33, 4, DEFAULT, SIGNAL_ODD, false, 40, 3, 1.0f, 0.0f },
    { "64x1-small", 64, 1, SMALL, SIGNAL_PULSES, true, 90, 5, 2.0f, 0.0f },
    { "64x4-odd-large", 64, 4, LARGE, SIGNAL_ODD, false, 40, 2, 1.0f, -3.0f },
    { "100x2-offset", 100, 2, LARGE, SIGNAL_TONES, false, 40, 2, 1.0f, 1e6f },
    { "128x2-offset", 128, 2, DEFAULT, SIGNAL_CYCLE, false, 40, 2, 8.0f, -1e7f },
    { "200x3-cycle", 200, 3, DEFAULT, SIGNAL_CYCLE, false, 30, 2, 1.0f, 0.0f },
    { "100x1-tiny", 100, 1, DEFAULT, SIGNAL_TONES, false, 40, 2, 1e-6f, 0.0f },
    { "128x1-dust", 128, 1, DEFAULT, SIGNAL_NOISE, false, 40, 2, 4e-15f, 0.0f }, /* half of it counts as 0 */
    { "128x1-huge", 128, 1, DEFAULT, SIGNAL_PULSES, false, 40, 2, 1e13f, 1e12f },
    { "512x1-cycle", 512, 1, DEFAULT, SIGNAL_CYCLE, true, 30, 2, 1.0f, 0.0f },
    { "1000x2-pulses", 1000, 2, DEFAULT, SIGNAL_PULSES, false, 12, 1, 1.0f, 0.0f },
    { "1024x1-large", 1024, 1, LARGE, SIGNAL_TONES, false, 12, 1, 1.0f, 0.0f },
    { "2048x2-tones", 2048, 2, DEFAULT, SIGNAL_TONES, false, 12, 1, 1.0f, 0.0f },
    { "4096x1-noise", 4096, 1, DEFAULT, SIGNAL_NOISE, false, 12, 1, 1.0f, 0.0f },
};

const uint32_t golden_case_count = sizeof(golden_cases) / sizeof(golden_cases[0]);

/* What is the same for all samples of a buffer. */
struct setting {
    uint32_t phase[3], turn[3]; /* of tones, in 2^-32 turns */
    int32_t level;
    bool fault;
};

enum { ONE = 32768, FAULT_TURN = 0x23456789 };

void golden_signal_init(struct golden_signal *signal, const struct golden_case *of)
{
    signal->of = of;
    signal->random = 20240229u + of->samples * 16u + of->axes;
    signal->wander = 0;
}

float golden_scale(const struct golden_case *of)
{
    return of->integers ? of->gain * (1.0f / 8192.0f) : 1.0f;
}

static struct setting next_setting(struct golden_signal *signal, bool fault)
{
    static const uint32_t turns[3] = { 0x0a3d70a4u, 0x15c28f5cu, 0x3851eb85u };
    const uint32_t state = signal_random(&signal->random) >> 30;
    struct setting setting = { .fault = fault };

    for (uint32_t k = 0; k < 3; k++) {
        setting.phase[k] = signal_random(&signal->random);
        setting.turn[k] = turns[k];
    }
    if (signal->of->signal == SIGNAL_STATES)
        setting.turn[0] *= 1 + state % 3;
    signal->wander += signal_noise(&signal->random) / 8 - signal->wander / 16;
    setting.level = signal->wander + (fault ? 2 * ONE : 0);
    return setting;
}

static int32_t tones(const struct setting *setting, uint32_t i, uint32_t count)
{
    int32_t sum = 0;

    for (uint32_t k = 0; k < count; k++)
        sum += signal_sine(setting->phase[k] + setting->turn[k] * i) / (1 << k);
    return sum;
}

/* A stroke: half a sine, then a plateau that ends where the buffer does. */
static int32_t cycle(const struct golden_case *of, uint32_t i)
{
    const uint32_t turn = i * (UINT32_MAX / of->samples);

    return turn < 0x60000000u ? signal_sine(turn) : ONE / 2;
}

/* One in 16 samples is a pulse. */
static int32_t pulse(uint32_t *random)
{
    const uint32_t drawn = signal_random(random);

    return drawn >> 28 == 0 ? (int32_t)(drawn >> 11 & 0xffff) + ONE : 0;
}

/* Sample i of an axis in units of 1 / ONE; within +-8 ONE. */
static int32_t value(struct golden_signal *signal, const struct setting *setting, uint32_t i, uint32_t axis)
{
    const int32_t noise = signal_noise(&signal->random);
    int32_t v = setting->fault ? signal_sine(FAULT_TURN * i) * 3 / 4 : 0;

    switch (signal->of->signal) {
    case SIGNAL_TONES:
    case SIGNAL_ODD:
        return v + tones(setting, i + 5 * axis, 3) + noise;
    case SIGNAL_CYCLE:
        return v + cycle(signal->of, i) + noise / 8;
    case SIGNAL_STATES:
        return v + tones(setting, i, 1) + noise / 4;
    case SIGNAL_LEVEL:
        return setting->level * (axis % 2 == 0 ? 1 : -1) + noise / 8;
    case SIGNAL_PULSES:
        return v + pulse(&signal->random) + noise / 16;
    default:
        return v + noise;
    }
}

static float subnormal(uint32_t random)
{
    const uint32_t bits = random >> 9;
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

static float odd(uint32_t axis, int32_t v, float x, uint32_t random)
{
    switch (axis % 4) {
    case 1:
        return 0.1f;
    case 2:
        return v > ONE / 2 ? 0.5f : (v < -ONE / 2 ? -0.5f : x);
    case 3:
        return subnormal(random);
    default:
        return x;
    }
}

void golden_signal_floats(struct golden_signal *signal, bool fault, float *samples)
{
    const struct golden_case *of = signal->of;
    const struct setting setting = next_setting(signal, fault);

    for (uint32_t i = 0; i < of->samples; i++)
        for (uint32_t a = 0; a < of->axes; a++) {
            const int32_t v = value(signal, &setting, i, a);
            const int32_t step = v / 8; /* of an int16 sample */
            float x = (float)v * (1.0f / ONE) * of->gain + of->offset;

            if (of->signal == SIGNAL_ODD)
                x = odd(a, v, x, signal_random(&signal->random));
            samples[i * of->axes + a] = of->integers ? (float)step * golden_scale(of) : x;
        }
}

void golden_signal_integers(struct golden_signal *signal, bool fault, int16_t *samples)
{
    const struct golden_case *of = signal->of;
    const struct setting setting = next_setting(signal, fault);

    for (uint32_t i = 0; i < of->samples; i++)
        for (uint32_t a = 0; a < of->axes; a++)
            samples[i * of->axes + a] = (int16_t)(value(signal, &setting, i, a) / 8);
}
