/* The promises about the window of ten detections: it keeps its rate also where neighbouring buffers are alike,
 * catches weak faults that last, and is not raised by one strange buffer. */
#include <stdio.h>

#include "windows.h"

const double window_lag[LAGS] = { 0, 0.3, 0.6 };
const enum kind window_kind[WINDOW_KINDS] = { KIND_WHITE, KIND_RESONANCE, KIND_TONES, KIND_CYCLE, KIND_LEVELS };

void windows_draw(enum kind kind, double lag, struct signal *signal, struct chance *chance)
{
    const unsigned int axes = 1 + (unsigned int)(chance_bits(chance) % 3);

    kind_draw_sized(kind, signal, 64, axes, chance);
    signal->lag = lag;
    signal->gain_wander = chance_between(chance, 0.2, 0.5);
    for (unsigned int a = 0; a < axes; a++)
        if (signal->axis[a].level_sd <= 0)
            signal->axis[a].level_sd = chance_between(chance, 0, 0.5) * signal_rms(signal, a);
}

bool windows_alarm(struct machine *machine, const struct habit_window *window)
{
    struct habit_average average;

    return habit_window_result(&machine->engine, window, &average) == HABIT_OK && average.similarity < HABIT_THRESHOLD;
}

struct habit_result windows_step(struct machine *machine, struct signal *signal, struct habit_window *window)
{
    const struct habit_result result = machine_detect_from(machine, signal);

    must(habit_window_add(window, &result), "habit_window_add");
    return result;
}

static const struct part {
    const char *name;
    void (*measure)(const struct options *options, struct verdict *verdict);
} parts[] = {
    { "quiet", windows_quiet },
    { "gain", windows_gain },
    { "alone", windows_alone },
    { "recordings", windows_recordings },
};

int main(int argc, char **argv)
{
    struct options options = {
        .about = "The window of ten detections. Parts: quiet, gain, alone, recordings (these with --sets only).",
        .machines = 40,
    };
    struct verdict verdict;

    options_read(&options, 8, argc, argv);
    verdict = (struct verdict){ .quick = options.quick };
    for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
        if (options_want(&options, parts[p].name))
            parts[p].measure(&options, &verdict);
    return verdict_end(&verdict);
}
