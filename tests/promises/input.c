#include "input.h"

#include <math.h>

#include "fault.h"
#include "kinds.h"

#define ULP 0x1p-23 /* of 1, float32 */

/* A tone in noise on each axis; gross is ten times as loud, or, where a buffer is too short to have a loudness, a
 * mean that is ten times its scatter away. */
static void plain(struct input *input, double parameter, struct chance *chance)
{
    const struct row *row = input->row;
    struct fault fault;

    (void)parameter;
    kind_draw_sized(row->samples < 16 ? KIND_VALUES : KIND_TONES, &input->healthy, row->samples, row->axes, chance);
    for (unsigned int a = 0; a < row->axes && row->samples < 16; a++)
        input->healthy.axis[a].noise = 0.5 * input->healthy.axis[a].level_sd;
    (void)fault_draw(&fault, row->samples < 16 ? FAULT_LEVEL : FAULT_GAIN, &input->healthy, chance);
    fault.size = 10;
    input->faulty = fault_apply(&fault, &input->healthy);
}

/* Offset parameter, and noise of 8 ulp beside it. */
static void offset(struct input *input, double parameter, struct chance *chance)
{
    struct fault fault;

    kind_draw_sized(KIND_WHITE, &input->healthy, input->row->samples, input->row->axes, chance);
    for (unsigned int a = 0; a < input->row->axes; a++) {
        input->healthy.axis[a].level = parameter * chance_between(chance, 0.9, 1);
        input->healthy.axis[a].noise = 8 * ULP * exp2(floor(log2(parameter)));
    }
    (void)fault_draw(&fault, FAULT_GAIN, &input->healthy, chance);
    fault.size = 10;
    input->faulty = fault_apply(&fault, &input->healthy);
}

static void scaled(const struct input *input, float *buffer, bool faulty)
{
    (void)faulty;
    for (size_t i = 0; i < (size_t)input->row->samples * input->row->axes; i++)
        buffer[i] = (float)(input->parameter * (double)buffer[i]);
}

/* Magnitudes with an envelope of this machine, each scattering by a quarter; the fault puts half of the largest
 * onto one twentieth of the bins. */
static void spectra(struct input *input, double parameter, struct chance *chance)
{
    const double slope = chance_between(chance, 0, 1.5), height = chance_scale(chance, 3, 30);

    plain(input, parameter, chance);
    for (unsigned int i = 0; i < input->row->samples; i++)
        input->envelope[i] = (float)pow(i + 1.0, -slope);
    for (int peaks = 0; peaks < 5; peaks++)
        input->envelope[(unsigned int)chance_between(chance, 0, input->row->samples)] *= (float)height;
    for (unsigned int i = 0; i < input->row->samples; i++)
        input->high = fmaxf(input->high, input->envelope[i]);
    for (unsigned int a = 0; a < input->row->axes; a++)
        input->healthy.axis[a] = (struct axis){ .noise = 0.25 };
    input->faulty = input->healthy;
}

static void as_spectrum(const struct input *input, float *buffer, bool faulty)
{
    const unsigned int n = input->row->samples, axes = input->row->axes;

    for (unsigned int i = 0; i < n; i++)
        for (unsigned int a = 0; a < axes; a++) {
            float *value = &buffer[(size_t)i * axes + a];

            *value = input->envelope[i] * expf(*value);
            if (faulty && i >= n / 4 && i < n / 4 + n / 20)
                *value += 0.5f * input->high;
        }
}

static void dead_first(const struct input *input, float *buffer, bool faulty)
{
    (void)faulty;
    for (unsigned int i = 0; i < input->row->samples; i++)
        buffer[(size_t)i * input->row->axes] = (float)input->parameter;
}

static void dies(const struct input *input, float *buffer, bool faulty)
{
    if (faulty)
        dead_first(input, buffer, faulty);
}

static void wakes(const struct input *input, float *buffer, bool faulty)
{
    if (!faulty)
        dead_first(input, buffer, faulty);
}

/* The fault is on an axis that lives. */
static void beside_dead(struct input *input, double parameter, struct chance *chance)
{
    do
        plain(input, parameter, chance);
    while (input->faulty.axis[0].noise > input->healthy.axis[0].noise);
}

/* Only what becomes of the first axis is the fault. */
static void healthy_else(struct input *input, double parameter, struct chance *chance)
{
    plain(input, parameter, chance);
    input->faulty = input->healthy;
}

/* Noise without an offset that clips at parameter standard deviations; the fault is on the axis beside it. */
static void clipping(struct input *input, double parameter, struct chance *chance)
{
    struct fault fault;

    kind_draw_sized(KIND_RESONANCE, &input->healthy, input->row->samples, input->row->axes, chance);
    input->healthy.axis[0].level = 0;
    (void)fault_draw(&fault, FAULT_GAIN, &input->healthy, chance);
    fault.axis = 1;
    fault.size = 10;
    input->faulty = fault_apply(&fault, &input->healthy);
    input->high = (float)(parameter * input->healthy.axis[0].noise);
    input->low = -input->high;
}

static void clip(const struct input *input, float *buffer, bool faulty)
{
    (void)faulty;
    for (unsigned int i = 0; i < input->row->samples; i++) {
        float *value = &buffer[(size_t)i * input->row->axes];

        *value = fminf(fmaxf(*value, input->low), input->high);
    }
}

/* One scale serves all axes: they are made equally strong. */
static void integral(struct input *input, double parameter, struct chance *chance)
{
    struct fault fault;

    (void)parameter;
    kind_draw_sized(KIND_TONES, &input->healthy, input->row->samples, input->row->axes, chance);
    for (unsigned int a = 0; a < input->row->axes; a++) {
        struct axis *axis = &input->healthy.axis[a];
        const double rms = signal_rms(&input->healthy, a);

        axis->level = 0;
        axis->noise /= rms;
        for (unsigned int t = 0; t < axis->tones; t++)
            axis->tone[t].amplitude /= rms;
    }
    (void)fault_draw(&fault, FAULT_GAIN, &input->healthy, chance);
    fault.size = 10;
    input->faulty = fault_apply(&fault, &input->healthy);
}

static void rounded(const struct input *input, float *buffer, bool faulty)
{
    (void)faulty;
    for (size_t i = 0; i < (size_t)input->row->samples * input->row->axes; i++)
        buffer[i] = roundf(buffer[i] / (float)INPUT_STEP) * (float)INPUT_STEP;
}

#define LENGTH(n)                                                       \
    {                                                                   \
        .name = "length " #n, .samples = (n), .axes = 2, .setup = plain \
    }
#define AXES(n)                                                        \
    {                                                                  \
        .name = "axes " #n, .samples = 64, .axes = (n), .setup = plain \
    }
#define OFFSET(x)                                                                                          \
    {                                                                                                      \
        .name = "offset " #x ", noise 8 ulp", .samples = 128, .axes = 2, .parameter = (x), .setup = offset \
    }
#define GAIN(x)                                                                                           \
    {                                                                                                     \
        .name = "gain " #x, .samples = 128, .axes = 2, .parameter = (x), .setup = plain, .shape = scaled, \
        .compared = true                                                                                  \
    }
#define SPECTRA(n)                                                                                          \
    {                                                                                                       \
        .name = "spectra of " #n " bins", .samples = (n), .axes = 1, .setup = spectra, .shape = as_spectrum \
    }
#define DEAD(x)                                                                                           \
    {                                                                                                     \
        .name = "an axis dead at " #x, .samples = 128, .axes = 3, .parameter = (x), .setup = beside_dead, \
        .shape = dead_first, .dead = 1                                                                    \
    }

const struct row input_rows[] = {
    LENGTH(1),
    LENGTH(2),
    LENGTH(3),
    LENGTH(5),
    LENGTH(7),
    LENGTH(8),
    LENGTH(9),
    LENGTH(15),
    LENGTH(16),
    LENGTH(17),
    LENGTH(31),
    LENGTH(100),
    LENGTH(255),
    LENGTH(257),
    LENGTH(1000),
    LENGTH(2048),
    LENGTH(3000),
    LENGTH(4095),
    LENGTH(4096),
    AXES(1),
    AXES(2),
    AXES(3),
    AXES(5),
    AXES(8),
    AXES(12),
    AXES(16),
    OFFSET(1),
    OFFSET(1e3),
    OFFSET(1e5),
    OFFSET(1e7),
    GAIN(1e-6),
    GAIN(1e-3),
    GAIN(0.3),
    GAIN(1e3),
    GAIN(1e6),
    { .name = "int16",
      .samples = 128,
      .axes = 3,
      .setup = integral,
      .shape = rounded,
      .integers = true,
      .compared = true },
    SPECTRA(64),
    SPECTRA(512),
    SPECTRA(1000),
    DEAD(0),
    DEAD(-3.7),
    { .name = "an axis dies", .samples = 128, .axes = 3, .parameter = 0.1, .setup = healthy_else, .shape = dies },
    { .name = "a dead axis wakes",
      .dead = 1,
      .samples = 128,
      .axes = 3,
      .parameter = 0.1,
      .setup = healthy_else,
      .shape = wakes },
    { .name = "clipped at 1 sd",
      .samples = 128,
      .axes = 2,
      .parameter = 1,
      .setup = clipping,
      .shape = clip,
      .clipped = 1 },
    { .name = "clipped at 2 sd", .samples = 128, .axes = 2, .parameter = 2, .setup = clipping, .shape = clip },
};

const size_t input_row_count = sizeof(input_rows) / sizeof(input_rows[0]);
