/* Faults so weak that single buffers catch few: what the window catches of them. */
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "windows.h"

enum { LEARNED = 200, TRIED = 200 };

#define TARGET     0.2
#define WEAKEST    0.1
#define STRONGEST  0.35
#define LEAST_GAIN 2.0

static void watch(struct machine *machine, const struct fault *fault, const struct signal *healthy, double *single,
                  double *windowed)
{
    struct signal faulty = fault_apply(fault, healthy);
    struct habit_window window;
    unsigned int singles = 0, windows = 0;

    must(habit_window_init(&window, WINDOW), "habit_window_init");
    for (unsigned int i = 1; i < TRIED + WINDOW; i++) {
        const struct habit_result result = windows_step(machine, &faulty, &window);

        if (i < WINDOW)
            continue;
        singles += is_alarm(&result);
        windows += windows_alarm(machine, &window);
    }
    *single = (double)singles / TRIED;
    *windowed = (double)windows / TRIED;
}

static void measure_machine(unsigned int l, unsigned int k, unsigned int m, enum fault_kind kind, uint64_t seed,
                            double *single, double *windowed)
{
    struct chance chance = chance_of(seed, 1100 + l * WINDOW_KINDS + k, m);
    struct signal signal;
    struct machine machine;
    struct fault fault;

    *single = *windowed = 0;
    windows_draw(window_kind[k], window_lag[l], &signal, &chance);
    machine_init(&machine, &signal, 0);
    machine_learn_from(&machine, &signal, LEARNED);
    if (fault_draw(&fault, kind, &signal, &chance)) {
        (void)fault_grade(&fault, &machine, &signal, TARGET);
        watch(&machine, &fault, &signal, single, windowed);
    }
    if (*single < WEAKEST || *single > STRONGEST)
        *single = *windowed = 0;
    machine_deinit(&machine);
}

static void measure_lag(unsigned int l, enum fault_kind kind, const struct options *options, struct verdict *verdict)
{
    const size_t count = (size_t)WINDOW_KINDS * options->machines;
    double *single = calloc(count, sizeof(double)), *windowed = calloc(count, sizeof(double));
    struct interval gain;
    unsigned int counted = 0;

    if (!single || !windowed)
        exit(2);
    for (unsigned int i = 0; i < count; i++) {
        measure_machine(l, i / options->machines, i % options->machines, kind, options->seed, &single[i], &windowed[i]);
        counted += single[i] > 0;
    }
    gain = interval_of_ratio(windowed, single, count);
    printf("%4.1f  %-7s %8u %8.1f %8.1f   %.2f [%.2f %.2f]%c\n", window_lag[l], fault_name(kind), counted,
           100 * mean_of(single, count) * (double)count / counted,
           100 * mean_of(windowed, count) * (double)count / counted, gain.mean, gain.low, gain.high,
           require_at_least(verdict, gain, LEAST_GAIN));
    free(single);
    free(windowed);
}

void windows_gain(const struct options *options, struct verdict *verdict)
{
    static const enum fault_kind kinds[] = { FAULT_TONE, FAULT_GAIN, FAULT_LEVEL, FAULT_SHOCKS };

    printf("faults that single buffers catch in %.0f to %.0f %%, after %d learned: how many windows of %d catch, at "
           "least %.0f times\n"
           " lag  fault   machines   single  windows   gain\n",
           100 * WEAKEST, 100 * STRONGEST, LEARNED, WINDOW, LEAST_GAIN);
    for (unsigned int l = 0; l < LAGS; l++)
        for (size_t f = 0; f < sizeof(kinds) / sizeof(kinds[0]); f++)
            measure_lag(l, kinds[f], options, verdict);
    printf("\n");
}
