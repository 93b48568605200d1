/* A machine that is learned while it drifts slowly: habit_drift shows how far the mean of what was learned has
 * moved since commissioning, and shows nothing where nothing moves. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "kinds.h"
#include "states.h"

enum { COMMISSIONED = 60, DRIFTED = 1000, WATCHED = 400, DISTANCES = 4 };

#define BUDGET      1.0 /* standard deviations: the default of strategy; a machine that stays must keep below it */
#define LEAST_SHOWN 0.5 /* of what the mean has really moved */
#define MOST_SHOWN  2.0

static const double distance[DISTANCES] = { 0, 2, 5, 10 }; /* standard deviations from buffer to buffer */

/* What drifts: how it is measured in a healthy buffer, and how the recipe is moved by so many of its units. */
static double level_of(const struct habit_result *result)
{
    return (double)result->level[0];
}

static double amplitude_of(const struct habit_result *result)
{
    return log((double)result->amplitude[0]);
}

static void move_level(struct axis *axis, const struct axis *healthy, double by)
{
    axis->level = healthy->level + by;
}

static void move_amplitude(struct axis *axis, const struct axis *healthy, double by)
{
    axis->noise = healthy->noise * exp(by);
    for (unsigned int t = 0; t < axis->tones; t++)
        axis->tone[t].amplitude = healthy->tone[t].amplitude * exp(by);
}

static const struct scene {
    const char *name;
    enum kind kind;
    double (*figure)(const struct habit_result *result);
    void (*move)(struct axis *axis, const struct axis *healthy, double by);
} scenes[] = {
    { "level of white noise", KIND_WHITE, level_of, move_level },
    { "level of levels", KIND_LEVELS, level_of, move_level },
    { "level of values", KIND_VALUES, level_of, move_level },
    { "amplitude of noise", KIND_RESONANCE, amplitude_of, move_amplitude },
    { "amplitude of tones", KIND_WANDERING, amplitude_of, move_amplitude },
};

/* Standard deviation of the figure over healthy buffers. */
static double unit_of(const struct scene *scene, struct machine *machine, struct signal *signal)
{
    double sum = 0, squares = 0, first = 0;

    for (int i = 0; i < WATCHED; i++) {
        const struct habit_result result = machine_detect_from(machine, signal);
        double figure = scene->figure(&result);

        first = i == 0 ? figure : first;
        figure -= first;
        sum += figure;
        squares += figure * figure;
    }
    return sqrt((squares - sum * sum / WATCHED) / (WATCHED - 1));
}

static double measure_machine(const struct scene *scene, double sigmas, struct chance *chance)
{
    struct signal signal;
    struct axis healthy;
    struct machine machine;
    double unit;
    float drift;

    kind_draw_sized(scene->kind, &signal, scene->kind == KIND_VALUES ? 1 : 64, 2, chance);
    healthy = signal.axis[0];
    machine_init(&machine, &signal, 0);
    machine_learn_from(&machine, &signal, COMMISSIONED);
    unit = unit_of(scene, &machine, &signal);
    for (int i = 0; i < DRIFTED; i++) {
        scene->move(&signal.axis[0], &healthy, sigmas * unit * i / DRIFTED);
        machine_learn_from(&machine, &signal, 1);
    }
    must(habit_drift(&machine.engine, &drift), "habit_drift");
    machine_deinit(&machine);
    return (double)drift;
}

static void print_still(struct interval drift, const double *shown, unsigned int machines, struct verdict *verdict)
{
    unsigned int beyond = 0;

    for (unsigned int m = 0; m < machines; m++)
        beyond += shown[m] > BUDGET;
    printf(" %6.2f%c %u of %u machines beyond the budget of %.0f", drift.mean, require_at_most(verdict, drift, BUDGET),
           beyond, machines, BUDGET);
}

static void measure_scene(const struct scene *scene, double sigmas, const struct options *options,
                          struct verdict *verdict, uint64_t group)
{
    const double moved = sigmas * 0.5 * DRIFTED / (DRIFTED + COMMISSIONED); /* of the mean of all that was learned */
    double *shown = calloc(options->machines, sizeof(*shown));
    struct interval drift;

    if (!shown)
        exit(2);
    for (unsigned int m = 0; m < options->machines; m++) {
        struct chance chance = chance_of(options->seed, group, m);

        shown[m] = measure_machine(scene, sigmas, &chance);
    }
    drift = interval_of_mean(shown, options->machines);
    printf("%-22s %4.0f %6.2f", scene->name, sigmas, moved);
    if (sigmas > 0)
        printf(" %6.2f%c [%.2f %.2f]", drift.mean,
               require_between(verdict, drift, LEAST_SHOWN * moved, MOST_SHOWN * moved), drift.low, drift.high);
    else
        print_still(drift, shown, options->machines, verdict);
    printf("\n");
    free(shown);
}

void drift_measure(const struct options *options, struct verdict *verdict)
{
    uint64_t group = 300;

    printf("drift: %d buffers learned, then %d more while one axis moves evenly; standard deviations of a buffer. "
           "habit_drift\n"
           "must be between %.1f and %.0f times what the mean of all that was learned has moved\n"
           "what drifts             far  mean  shown\n",
           COMMISSIONED, DRIFTED, LEAST_SHOWN, MOST_SHOWN);
    for (size_t s = 0; s < sizeof(scenes) / sizeof(scenes[0]); s++)
        for (int d = 0; d < DISTANCES; d++)
            measure_scene(&scenes[s], distance[d], options, verdict, group++);
    printf("\n");
}
