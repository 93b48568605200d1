/* Recordings of real machines: windows of held-back normal buffers, in order of time, against single ones. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recording.h"
#include "windows.h"

enum { MOST_SETS = 64, AMOUNTS = 2, LEAST_LEFT = 30, MOST_PATH = 4096 };

#define MOST_RATIO 2.0
#define POOL       0.6 /* of the buffers: what the protocol 'spread' chooses from */

static const unsigned int amount[AMOUNTS] = { 60, 200 };

/* Whether buffer i is learned, of the protocols that bench/score.py knows. */
static bool first(size_t i, size_t learned, size_t buffers)
{
    const size_t most = buffers - LEAST_LEFT;

    return i < (learned < most ? learned : most);
}

static bool spread(size_t i, size_t learned, size_t buffers)
{
    const size_t pool = (size_t)(POOL * (double)buffers), count = learned < pool ? learned : pool;

    for (size_t k = i * count / pool; i < pool && k < count && k * pool / count <= i; k++)
        if (k * pool / count == i)
            return true;
    return false;
}

static const struct protocol {
    const char *name;
    bool (*learns)(size_t i, size_t learned, size_t buffers);
} protocols[] = { { "first", first }, { "spread", spread } };

static void load(struct machine *machine, const struct recording *recording, size_t i)
{
    memcpy(machine->buffer, recording->normal + i * machine->count, machine->count * sizeof(float));
}

static void watch(struct machine *machine, const struct recording *recording, const bool *learned, double *single,
                  double *windowed)
{
    struct habit_window window;
    unsigned int singles = 0, windows = 0, tried = 0;

    must(habit_window_init(&window, WINDOW), "habit_window_init");
    for (size_t i = 0; i < recording->buffers; i++) {
        struct habit_result result;

        if (learned[i])
            continue;
        load(machine, recording, i);
        result = machine_detect(machine);
        must(habit_window_add(&window, &result), "habit_window_add");
        singles += is_alarm(&result);
        windows += windows_alarm(machine, &window);
        tried++;
    }
    *single = (double)singles / tried;
    *windowed = (double)windows / (tried - WINDOW + 1);
}

static void measure_set(const struct recording *recording, const struct protocol *protocol, unsigned int learn,
                        double *single, double *windowed)
{
    const struct signal shape = { .samples = recording->samples, .axes = recording->axes };
    bool *learned = calloc(recording->buffers, sizeof(*learned));
    struct machine machine;

    if (!learned)
        exit(2);
    machine_init(&machine, &shape, 0);
    for (size_t i = 0; i < recording->buffers; i++) {
        learned[i] = protocol->learns(i, learn, recording->buffers);
        if (!learned[i])
            continue;
        load(&machine, recording, i);
        machine_learn(&machine);
    }
    watch(&machine, recording, learned, single, windowed);
    machine_deinit(&machine);
    free(learned);
}

static size_t open_sets(struct recording set[MOST_SETS], const char *folder)
{
    struct dirent **names;
    const int found = scandir(folder, &names, NULL, alphasort);
    size_t sets = 0;

    for (int i = 0; i < found; i++) {
        char path[MOST_PATH];

        if (sets < MOST_SETS && names[i]->d_name[0] != '.' &&
            snprintf(path, sizeof(path), "%s/%s", folder, names[i]->d_name) < MOST_PATH &&
            recording_open(&set[sets], path)) {
            printf("%2zu %s\n", sets, names[i]->d_name);
            sets++;
        }
        free(names[i]);
    }
    if (found >= 0)
        free(names);
    return sets;
}

static void measure_protocol(const struct recording *set, size_t sets, const struct protocol *protocol,
                             unsigned int learn, struct verdict *verdict)
{
    double single[MOST_SETS], windowed[MOST_SETS];
    struct interval ratio;

    printf("%-6s %7u  ", protocol->name, learn);
    for (size_t s = 0; s < sets; s++) {
        measure_set(&set[s], protocol, learn, &single[s], &windowed[s]);
        printf("  %5.1f %5.1f", 100 * single[s], 100 * windowed[s]);
    }
    ratio = interval_of_ratio(windowed, single, sets);
    printf("   %5.1f %5.1f  %.2f%c\n", 100 * mean_of(single, sets), 100 * mean_of(windowed, sets), ratio.mean,
           require_at_most(verdict, ratio, MOST_RATIO));
}

void windows_recordings(const struct options *options, struct verdict *verdict)
{
    static struct recording set[MOST_SETS];
    size_t sets;

    if (!options->sets)
        return;
    printf("recordings: held-back normal buffers below the line in %%, single and windows of %d; in the mean at most "
           "%.0f times as\n"
           "many windows\n",
           WINDOW, MOST_RATIO);
    sets = open_sets(set, options->sets);
    for (size_t p = 0; sets > 0 && p < sizeof(protocols) / sizeof(protocols[0]); p++)
        for (size_t a = 0; a < AMOUNTS; a++)
            measure_protocol(set, sets, &protocols[p], amount[a], verdict);
    for (size_t s = 0; s < sets; s++)
        recording_close(&set[s]);
    printf("\n");
}
