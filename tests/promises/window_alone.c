/* One gross buffer among ten, in every place: it never raises alone, and it does not make windows raise more often
 * than they may.
 *
 * It raises alone where the window is above the line with it, and not with one in its place that is as strange as
 * the strangest of the nine others. */
#include <stdio.h>
#include <stdlib.h>

#include "fault.h"
#include "windows.h"

enum { LEARNED = 200, WINDOWS = 40 };

#define GROSS  100.0 /* times the signal */
#define FACTOR 2.0   /* of the stated rate */

struct count {
    unsigned int windows, healthy, raised, alone;
};

/* The window with another detection in one place. */
static struct habit_window replaced(const struct habit_window *window, unsigned int place, float score)
{
    struct habit_window other = *window;

    other.score[place] = score;
    return other;
}

static float strangest_other(const struct habit_window *window, unsigned int place)
{
    float strangest = window->score[place == 0 ? 1 : 0];

    for (unsigned int i = 0; i < WINDOW; i++)
        if (i != place && window->score[i] > strangest)
            strangest = window->score[i];
    return strangest;
}

static void judge(struct machine *machine, const struct habit_window *window, float gross, struct count *count)
{
    for (unsigned int place = 0; place < WINDOW; place++) {
        const struct habit_window with = replaced(window, place, gross);
        const struct habit_window like_others = replaced(window, place, strangest_other(window, place));
        const bool raised = windows_alarm(machine, &with);

        count->windows++;
        count->healthy += windows_alarm(machine, window);
        count->raised += raised;
        count->alone += raised && !windows_alarm(machine, &like_others);
    }
}

static void measure_machine(unsigned int l, unsigned int k, unsigned int m, uint64_t seed, struct count *count)
{
    struct chance chance = chance_of(seed, 1200 + l * WINDOW_KINDS + k, m);
    struct fault fault;
    struct signal signal, gross;
    struct machine machine;
    struct habit_window window;

    windows_draw(window_kind[k], window_lag[l], &signal, &chance);
    machine_init(&machine, &signal, 0);
    machine_learn_from(&machine, &signal, LEARNED);
    (void)fault_draw(&fault, m % 2 == 0 ? FAULT_GAIN : FAULT_LEVEL, &signal, &chance);
    fault.size = GROSS;
    gross = fault_apply(&fault, &signal);
    for (int w = 0; w < WINDOWS; w++) {
        must(habit_window_init(&window, WINDOW), "habit_window_init");
        for (int i = 0; i < WINDOW; i++)
            (void)windows_step(&machine, &signal, &window);
        judge(&machine, &window, machine_detect_from(&machine, &gross).score, count);
    }
    machine_deinit(&machine);
}

static void measure_lag(unsigned int l, const struct options *options, struct verdict *verdict)
{
    const unsigned int machines = WINDOW_KINDS * options->machines;
    double *raised = calloc(machines, sizeof(*raised));
    struct count all = { 0 };
    struct interval rate, alone;

    if (!raised)
        exit(2);
    for (unsigned int i = 0; i < machines; i++) {
        struct count count = { 0 };

        measure_machine(l, i / options->machines, i % options->machines, options->seed, &count);
        raised[i] = (double)count.raised / count.windows;
        all.windows += count.windows;
        all.healthy += count.healthy;
        all.alone += count.alone;
    }
    rate = interval_of_rate(raised, machines, WINDOWS);
    alone.mean = alone.low = alone.high = all.alone;
    printf("%4.1f %8u   %6.3f   %6.3f [%.3f %.3f]%c %7u%c\n", window_lag[l], all.windows,
           100.0 * all.healthy / all.windows, 100 * rate.mean, 100 * rate.low, 100 * rate.high,
           require_at_most(verdict, rate, FACTOR * WINDOW_STATED), all.alone, require_at_most(verdict, alone, 0));
    free(raised);
}

void windows_alone(const struct options *options, struct verdict *verdict)
{
    printf("one gross buffer among ten, in each place, after %d learned: windows raised without it and with it in %% "
           "(at most %.2f),\n"
           "and how many it raised alone (none)\n"
           " lag  windows  without   with                   alone\n",
           LEARNED, 100 * FACTOR * WINDOW_STATED);
    for (unsigned int l = 0; l < LAGS; l++)
        measure_lag(l, options, verdict);
    printf("\n");
}
