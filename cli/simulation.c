#include "simulation.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "message.h"

/* ---------------------------------------------------------------------------------------------------------- stopping */

static volatile sig_atomic_t stopped;

static void on_signal(int number)
{
    (void)number;
    stopped = 1;
}

/* A second signal ends the program at once. */
static void catch_signals(void)
{
    struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };

    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* --------------------------------------------------------------------------------------------------------- simulation */

struct simulation {
    const struct simulate_settings *settings;
    struct sink_setup setup;
    struct sink sink;
    struct machine_model *models; /* settings->count */
    float *samples;
    struct timespec start;
};

/* Not printf's business: the pattern comes from outside. */
bool simulated_id(const struct simulate_settings *settings, uint64_t index, char id[MACHINE_ID_SIZE])
{
    const char *pattern = settings->machines ? settings->machines : settings->machine;
    const char *mark = strstr(pattern, "%d");
    int length = mark ? snprintf(id, MACHINE_ID_SIZE, "%.*s%llu%s", (int)(mark - pattern), pattern,
                                 (unsigned long long)index + 1, mark + 2)
                      : snprintf(id, MACHINE_ID_SIZE, "%s", pattern);

    return length > 0 && machine_id_valid(id, (size_t)length);
}

static double severity_of(const struct simulate_settings *settings, uint64_t number)
{
    return settings->fault != FAULT_NONE && number >= settings->fault_after ? settings->severity : 0;
}

static bool is_running(const struct simulate_settings *settings, uint64_t number)
{
    return settings->stop == 0 || number % (settings->run + settings->stop) < settings->run;
}

/* Sleeps until a number of seconds after the start: intervals do not add up their errors. */
static void sleep_until(const struct timespec *start, double seconds)
{
    struct timespec until = *start;
    double whole = floor(seconds);

    until.tv_sec += (time_t)whole;
    until.tv_nsec += (long)((seconds - whole) * 1e9);
    if (until.tv_nsec >= 1000000000) {
        until.tv_nsec -= 1000000000;
        until.tv_sec++;
    }
    while (!stopped && clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == EINTR)
        continue;
}

static int send_one(struct simulation *simulation, uint64_t index, uint64_t number)
{
    const struct simulate_settings *settings = simulation->settings;
    char id[MACHINE_ID_SIZE];
    struct sink_buffer buffer = { id, settings->first + number, simulation->samples };

    simulated_id(settings, index, id);
    machine_model_next(&simulation->models[index], severity_of(settings, number), is_running(settings, number),
                       simulation->samples);
    return sink_send(&simulation->sink, &buffer);
}

/* All machines in turn, evenly spread over the interval. */
static int send_all(struct simulation *simulation)
{
    const struct simulate_settings *settings = simulation->settings;
    int r = 0;

    clock_gettime(CLOCK_MONOTONIC, &simulation->start);
    for (uint64_t number = 0; r == 0 && !stopped && (settings->buffers == 0 || number < settings->buffers); number++)
        for (uint64_t index = 0; r == 0 && index < settings->count; index++) {
            if (settings->every > 0)
                sleep_until(&simulation->start,
                            settings->every * ((double)number + (double)index / (double)settings->count));
            if (stopped)
                break;
            r = send_one(simulation, index, number);
        }
    return r;
}

/* FNV-1a: a machine has the same character whenever its ID is simulated. */
static uint64_t character_of(const char *id)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * UINT64_C(0x100000001b3);
    return hash;
}

static void make_model(struct machine_model *model, const struct simulate_settings *settings, uint64_t index)
{
    char id[MACHINE_ID_SIZE];
    struct machine_setup setup = {
        .buffer_size = (uint32_t)settings->buffer_size,
        .axes = (uint32_t)settings->axes,
        .sampling_hz = settings->sampling_hz,
        .speed_hz = settings->speed,
        .load = settings->load,
        .noise = settings->noise,
        .seed = settings->seed,
        .fault = settings->fault,
    };

    simulated_id(settings, index, id);
    setup.character = character_of(id);
    machine_model_init(model, &setup);
}

static int make_models(struct simulation *simulation)
{
    const struct simulate_settings *settings = simulation->settings;

    simulation->models = calloc(settings->count, sizeof(*simulation->models));
    simulation->samples = calloc(settings->buffer_size * settings->axes, sizeof(float));
    if (!simulation->models || !simulation->samples)
        return complain_errno("hold", "so many machines");
    for (uint64_t i = 0; i < settings->count; i++)
        make_model(&simulation->models[i], settings, i);
    return 0;
}

int simulation_run(const struct simulate_settings *settings, const struct sink_setup *setup)
{
    struct simulation simulation = { .settings = settings, .setup = *setup };
    int r = make_models(&simulation);

    catch_signals();
    if (r == 0)
        r = sink_open(&simulation.sink, setup);
    if (r == 0)
        r = send_all(&simulation);
    if (r == 0)
        r = sink_finish(&simulation.sink);
    sink_close(&simulation.sink);
    free(simulation.models);
    free(simulation.samples);
    return r;
}
