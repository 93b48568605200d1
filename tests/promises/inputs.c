/* The promise of any input that makes sense: lengths, axes, offsets, gains, integers, spectra, axes that are dead or clipped.
 * Each is quiet while healthy, and sees a gross fault. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "kinds.h"
#include "verdict.h"

enum { LEARNED = 60, QUIET = 100, FAULTY = 30, TRIED = QUIET + FAULTY, MOST_VALUES = HABIT_MAX_BUFFER_SIZE * 4 };

#define MOST_ALARMS  0.015
#define LEAST_CAUGHT 0.99
#define LEAST_SAME   0.995
#define ROUNDING     0.02f   /* of a distance */
#define ULP          0x1p-23 /* of 1, float32 */
#define STEP         0.05    /* unit of an int16, in standard deviations of the signal */

struct input;

/* A row of the table. */
struct row {
    const char *name;
    unsigned int samples, axes;
    double parameter;
    void (*setup)(struct input *input, double parameter, struct chance *chance);
    /* What becomes of a buffer on its way from the sensor; NULL = nothing. */
    void (*shape)(const struct input *input, float *buffer, bool faulty);
    bool integers;    /* through habit_learn_i16 and habit_detect_i16 */
    bool compared;    /* with the same machine at parameter 1 and in floats */
    uint16_t dead;    /* bits of the axes that the engine must call constant */
    uint16_t clipped; /* at least these must be called clipped */
};

struct input {
    const struct row *row;
    double parameter;
    struct signal healthy, faulty;
    float envelope[HABIT_MAX_BUFFER_SIZE]; /* of a spectrum */
    float low, high;                       /* where a sensor clips; the largest of an envelope */
};

/* ----------------------------------------------------------------------------------------------------------- recipes */

/* A tone in noise on each axis; gross is ten times as loud, or, where a buffer is too short to have a loudness, a mean that is
 * ten times its scatter away. */
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

/* Magnitudes with an envelope of this machine, each scattering by a quarter; the fault puts half of the largest onto one
 * twentieth of the bins. */
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
        buffer[i] = roundf(buffer[i] / (float)STEP) * (float)STEP;
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

static const struct row rows[] = {
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

/* ----------------------------------------------------------------------------------------------------------- measure */

struct outcome {
    float distance[TRIED];
    bool alarm[TRIED];
    unsigned int flagged; /* healthy buffers whose flags are as they must be */
};

static void next_buffer(struct machine *machine, struct input *input, bool faulty)
{
    signal_next(faulty ? &input->faulty : &input->healthy, machine->buffer);
    if (input->row->shape)
        input->row->shape(input, machine->buffer, faulty);
}

static const int16_t *as_integers(const struct machine *machine)
{
    static int16_t values[MOST_VALUES];

    for (size_t i = 0; i < machine->count && i < MOST_VALUES; i++)
        values[i] = (int16_t)lrintf(machine->buffer[i] / machine->config.scale);
    return values;
}

static void learn_next(struct machine *machine, struct input *input, bool integers)
{
    next_buffer(machine, input, false);
    if (integers)
        must(habit_learn_i16(&machine->engine, as_integers(machine), machine->count, NULL), "habit_learn_i16");
    else
        machine_learn(machine);
}

static struct habit_result detect_next(struct machine *machine, struct input *input, bool faulty, bool integers)
{
    struct habit_result result;

    next_buffer(machine, input, faulty);
    if (!integers)
        return machine_detect(machine);
    must(habit_detect_i16(&machine->engine, as_integers(machine), machine->count, &result), "habit_detect_i16");
    return result;
}

static void configure(struct machine *machine, const struct row *row)
{
    if (!row->integers)
        return;
    machine->config.scale = (float)STEP;
    must(habit_init(&machine->engine, &machine->config, &machine->memory), "habit_init");
}

static void run(const struct row *row, double parameter, bool integers, struct chance chance, struct outcome *outcome)
{
    static struct input input;
    struct machine machine;

    memset(&input, 0, sizeof(input));
    input.row = row;
    input.parameter = parameter;
    row->setup(&input, parameter, &chance);
    machine_init(&machine, &input.healthy, 0);
    configure(&machine, row);
    for (int i = 0; i < LEARNED; i++)
        learn_next(&machine, &input, integers);
    outcome->flagged = 0;
    for (int i = 0; i < TRIED; i++) {
        const struct habit_result result = detect_next(&machine, &input, i >= QUIET, integers);

        outcome->distance[i] = result.distance;
        outcome->alarm[i] = is_alarm(&result);
        outcome->flagged +=
            i < QUIET && result.constant == row->dead && (result.clipped & row->clipped) == row->clipped;
    }
    machine_deinit(&machine);
}

/* Of each machine. */
struct figures {
    double *alarms, *caught, *same, *flagged;
};

static double share_alarms(const struct outcome *outcome, int from, int to)
{
    double alarms = 0;

    for (int i = from; i < to; i++)
        alarms += outcome->alarm[i];
    return alarms / (to - from);
}

/* Integers give the same distances to the bit; another gain the same decisions, and distances that differ by rounding only. */
static bool is_same(const struct outcome *a, const struct outcome *b, int i, bool to_the_bit)
{
    const float apart = fabsf(a->distance[i] - b->distance[i]);

    return a->alarm[i] == b->alarm[i] && (to_the_bit ? apart == 0 : apart <= ROUNDING * b->distance[i]);
}

static double share_same(const struct outcome *a, const struct outcome *b, bool to_the_bit)
{
    double same = 0;

    for (int i = 0; i < TRIED; i++)
        same += is_same(a, b, i, to_the_bit);
    return same / TRIED;
}

static void measure_machine(const struct row *row, const struct figures *figures, unsigned int m, uint64_t seed)
{
    const struct chance chance = chance_of(seed, 1300 + (uint64_t)(row - rows), m);
    struct outcome outcome, reference;

    run(row, row->parameter, row->integers, chance, &outcome);
    figures->alarms[m] = share_alarms(&outcome, 0, QUIET);
    figures->caught[m] = share_alarms(&outcome, QUIET, TRIED);
    figures->flagged[m] = (double)outcome.flagged / QUIET;
    if (!row->compared)
        return;
    run(row, row->integers ? row->parameter : 1, false, chance, &reference);
    figures->same[m] = share_same(&outcome, &reference, row->integers);
}

/* ------------------------------------------------------------------------------------------------------------- table */

static void print_row(const struct row *row, const struct figures *figures, unsigned int machines,
                      struct verdict *verdict)
{
    const struct interval alarms = interval_of_rate(figures->alarms, machines, QUIET);
    const struct interval caught = interval_of_mean(figures->caught, machines);
    const struct interval flagged = interval_of_mean(figures->flagged, machines);

    printf("%-28s  %5.2f [%5.2f %5.2f]%c  %6.2f%c", row->name, 100 * alarms.mean, 100 * alarms.low, 100 * alarms.high,
           require_at_most(verdict, alarms, MOST_ALARMS), 100 * caught.mean,
           require_at_least(verdict, caught, LEAST_CAUGHT));
    printf("  %6.2f%c", 100 * flagged.mean, require_at_least(verdict, flagged, LEAST_CAUGHT));
    if (row->compared) {
        const struct interval same = interval_of_mean(figures->same, machines);

        printf("  %6.2f%c", 100 * same.mean, require_at_least(verdict, same, row->integers ? 1 : LEAST_SAME));
    }
    printf("\n");
}

static void measure_row(const struct row *row, const struct options *options, struct verdict *verdict)
{
    const unsigned int machines = options->machines;
    double *values = calloc((size_t)4 * machines, sizeof(*values));
    struct figures figures = { values, values + machines, values + 2 * (size_t)machines,
                               values + 3 * (size_t)machines };

    if (!values)
        exit(2);
    for (unsigned int m = 0; m < machines; m++)
        measure_machine(row, &figures, m, options->seed);
    print_row(row, &figures, machines, verdict);
    free(values);
}

int main(int argc, char **argv)
{
    struct options options = {
        .about = "Inputs of all sorts: quiet while healthy, and gross faults are seen.",
        .machines = 60,
    };
    struct verdict verdict;

    options_read(&options, 4, argc, argv);
    verdict = (struct verdict){ .quick = options.quick };
    printf("after %d learned, in %%: false alarms (at most %.1f), gross faults caught (at least %.0f), healthy buffers "
           "whose flags\n"
           "are right (at least %.0f), distances and decisions as at gain 1 (at least %.1f) or as in floats (all)\n"
           "%-28s  %21s  %7s  %7s  %7s\n",
           LEARNED, 100 * MOST_ALARMS, 100 * LEAST_CAUGHT, 100 * LEAST_CAUGHT, 100 * LEAST_SAME, "input",
           "false alarms   ", "caught", "flags", "same");
    for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
        measure_row(&rows[r], &options, &verdict);
    return verdict_end(&verdict);
}
