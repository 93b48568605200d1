/* What learning says of itself: a machine that stays as it is counts as settled, with as many states as it has; one that
 * changes while it is learned does not. And what it said of recordings, beside what came afterwards. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kinds.h"
#include "recording.h"
#include "regime.h"
#include "states.h"

enum { CHECKPOINTS = 3, MOST_PATH = 4096, SOON = 50 };

#define LEAST_SETTLED 0.9
#define LEAST_NOTICED 0.9
#define LEAST_ALONE   0.8 /* buffers with a shock and without may well be two states */

static const unsigned int checkpoint[CHECKPOINTS] = { 20, 60, 200 };

/* -------------------------------------------------------------------------------------------------- simulated machines */

/* What a machine does while it is learned: its recipe at buffer `index`. */
static void stays(struct signal *signal, const struct signal *healthy, unsigned int index)
{
    (void)signal, (void)healthy, (void)index;
}

static void shift_level(struct signal *signal, const struct signal *healthy, double sigmas)
{
    const struct axis *axis = &healthy->axis[0];

    signal->axis[0].level = axis->level + sigmas * axis->level_sd;
}

/* Five standard deviations over sixty buffers, and on at that pace. */
static void wanders_off(struct signal *signal, const struct signal *healthy, unsigned int index)
{
    shift_level(signal, healthy, 5.0 * index / 60);
}

/* Three times as loud from shortly before each checkpoint on. */
static void becomes_loud(struct signal *signal, const struct signal *healthy, unsigned int index)
{
    const double gain = index >= 190 ? 9 : index >= 52 ? 3 : 1;

    for (unsigned int a = 0; a < signal->axes; a++)
        signal->axis[a].noise = gain * healthy->axis[a].noise;
}

static const struct scene {
    const char *name;
    enum kind kind;
    void (*change)(struct signal *signal, const struct signal *healthy, unsigned int index);
    bool settles;
} scenes[] = {
    { "white stays", KIND_WHITE, stays, true },
    { "resonance stays", KIND_RESONANCE, stays, true },
    { "tones stay", KIND_TONES, stays, true },
    { "heavy tails stay", KIND_HEAVY, stays, true },
    { "wandering stays", KIND_WANDERING, stays, true },
    { "impulsive stays", KIND_IMPULSIVE, stays, true },
    { "cycle stays", KIND_CYCLE, stays, true },
    { "levels stay", KIND_LEVELS, stays, true },
    { "modulated stays", KIND_MODULATED, stays, true },
    { "values stay", KIND_VALUES, stays, true },
    { "level wanders off", KIND_LEVELS, wanders_off, false },
    { "noise becomes loud", KIND_RESONANCE, becomes_loud, false },
};

static void learn_up_to(struct machine *machine, const struct scene *scene, struct signal *signal,
                        const struct signal *healthy, unsigned int learned)
{
    for (unsigned int i = machine->progress.learned; i < learned; i++) {
        scene->change(signal, healthy, i);
        machine_learn_from(machine, signal, 1);
    }
}

static bool is_settled(const struct machine *machine)
{
    return machine->progress.settled >= 1;
}

static void print_scene(const struct scene *scene, double *settled[CHECKPOINTS], const double *one_state,
                        unsigned int machines, struct verdict *verdict)
{
    printf("%-20s", scene->name);
    for (unsigned int c = 1; c < CHECKPOINTS; c++) {
        const struct interval share = interval_of_mean(settled[c], machines);

        printf("  %6.1f%c", 100 * share.mean,
               scene->settles ? require_at_least(verdict, share, LEAST_SETTLED)
                              : require_at_most(verdict, share, 1 - LEAST_NOTICED));
    }
    if (scene->settles) {
        const struct interval share = interval_of_mean(one_state, machines);

        printf("  %6.1f%c", 100 * share.mean, require_at_least(verdict, share, LEAST_ALONE));
    }
    printf("\n");
}

static void measure_scene(const struct scene *scene, const struct options *options, struct verdict *verdict,
                          uint64_t group)
{
    const unsigned int machines = options->machines;
    double *values = calloc((size_t)(CHECKPOINTS + 1) * machines, sizeof(*values));
    double *settled[CHECKPOINTS], *one_state = values;

    if (!values)
        exit(2);
    for (unsigned int c = 0; c < CHECKPOINTS; c++)
        settled[c] = values + (size_t)(c + 1) * machines;
    for (unsigned int m = 0; m < machines; m++) {
        struct chance chance = chance_of(options->seed, group, m);
        struct signal signal, healthy;
        struct machine machine;

        kind_draw(scene->kind, &signal, &chance);
        healthy = signal;
        machine_init(&machine, &signal, 0);
        for (unsigned int c = 0; c < CHECKPOINTS; c++) {
            learn_up_to(&machine, scene, &signal, &healthy, checkpoint[c]);
            settled[c][m] = is_settled(&machine);
            one_state[m] = machine.progress.states == 1;
        }
        machine_deinit(&machine);
    }
    print_scene(scene, settled, one_state, machines, verdict);
    free(values);
}

/* ---------------------------------------------------------------------------------------------------------- a rare state */

/* A second regime four times in two hundred: learning must say that it was seen four times. */
static void measure_rare(const struct options *options, struct verdict *verdict, uint64_t group)
{
    double *noticed = calloc(options->machines, sizeof(*noticed));
    struct interval share;

    if (!noticed)
        exit(2);
    for (unsigned int m = 0; m < options->machines; m++) {
        struct chance chance = chance_of(options->seed, group, m);
        struct signal regime[REGIMES];
        struct machine machine;

        regimes_draw(REGIME_SPEEDS, regime, &chance);
        machine_init(&machine, &regime[0], 0);
        for (unsigned int i = 0; i < 205; i++)
            machine_learn_from(&machine, &regime[i % 50 == 49 ? 2 : 0], 1);
        noticed[m] = machine.progress.missing == HABIT_MISSING_STATE && machine.progress.rare == 4;
        machine_deinit(&machine);
    }
    share = interval_of_mean(noticed, options->machines);
    printf("a second speed, four times in 200 buffers: missing, and counted right, in %.1f%c %% of the machines\n",
           100 * share.mean, require_at_least(verdict, share, LEAST_NOTICED));
    free(noticed);
}

/* ------------------------------------------------------------------------------------------------------------ recordings */

static void load(struct machine *machine, const struct recording *recording, size_t i)
{
    memcpy(machine->buffer, recording->normal + i * machine->count, machine->count * sizeof(float));
}

static void print_progress(struct machine *machine, const struct recording *recording, size_t learned)
{
    const struct habit_progress *progress = &machine->progress;
    unsigned int alarms = 0, soon = 0;

    for (size_t i = learned; i < recording->buffers; i++) {
        struct habit_result result;

        load(machine, recording, i);
        result = machine_detect(machine);
        alarms += is_alarm(&result);
        soon += i < learned + SOON && is_alarm(&result);
    }
    printf("%8zu %8.2f %7u %5u %7.2f  %5.1f %6u  %s\n", learned, (double)progress->settled, progress->states,
           progress->rare, 100 * (double)progress->false_alarms,
           100.0 * alarms / (double)(recording->buffers - learned), soon, habit_missing_text(progress->missing));
}

static void measure_recording(const struct recording *recording, const char *name)
{
    const struct signal shape = { .samples = recording->samples, .axes = recording->axes };
    struct machine machine;
    size_t learned = 0;

    printf("%s\n", name);
    machine_init(&machine, &shape, 0);
    for (unsigned int c = 0; c < CHECKPOINTS && checkpoint[c] < recording->buffers; c++) {
        for (; learned < checkpoint[c]; learned++) {
            load(&machine, recording, learned);
            machine_learn(&machine);
        }
        print_progress(&machine, recording, learned);
    }
    machine_deinit(&machine);
}

static void measure_recordings(const char *folder)
{
    struct dirent **names;
    const int found = scandir(folder, &names, NULL, alphasort);

    printf("\nrecordings in order of time: what learning says; then alarms on all later normal buffers in %%, and how "
           "many "
           "of\n"
           "the next %d alarm\n"
           " learned  settled  states  rare  stated    all   soon  missing\n",
           SOON);
    for (int i = 0; i < found; i++) {
        char path[MOST_PATH];
        struct recording recording;

        if (names[i]->d_name[0] != '.' && snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name) < MOST_PATH &&
            recording_open(&recording, path)) {
            measure_recording(&recording, names[i]->d_name);
            recording_close(&recording);
        }
        free(names[i]);
    }
    if (found >= 0)
        free(names);
}

void settled_measure(const struct options *options, struct verdict *verdict)
{
    uint64_t group = 600;

    printf(
        "settled: machines in %% that count as settled after 60 and 200 buffers, at least %.0f where they stay as they "
        "are, at\n"
        "most %.0f where they change; and that have one state then, at least %.0f\n"
        "machine                    60      200  one state\n",
        100 * LEAST_SETTLED, 100 * (1 - LEAST_NOTICED), 100 * LEAST_ALONE);
    for (size_t s = 0; s < sizeof(scenes) / sizeof(scenes[0]); s++)
        measure_scene(&scenes[s], options, verdict, group++);
    measure_rare(options, verdict, group);
    if (options->sets)
        measure_recordings(options->sets);
    printf("\n");
}
