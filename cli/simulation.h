/* Simulated machines that send their buffers in turn. */
#ifndef HABIT_CLI_SIMULATION_H
#define HABIT_CLI_SIMULATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "machine_model.h"
#include "sink.h"

enum { SIMULATED_MACHINES = 10000 };

struct simulate_settings {
    uint64_t buffer_size, axes, seed, buffers, run, stop, fault_after, count, first;
    double sampling_hz, speed, load, noise, every, severity, scale;
    unsigned int fault, format, action;
    const char *machine, *machines, *output, *http, *mqtt, *root, *boot, *username, *password_file, *ca;
    bool number, quiet;
};

/* The ID of a machine, index from 0: "%d" in the pattern is its number from 1. Returns whether it is one. */
bool simulated_id(const struct simulate_settings *settings, uint64_t index, char id[MACHINE_ID_SIZE]);

/* Runs until all buffers are sent or a signal comes; the second signal ends the program at once. Returns 0 or an exit code,
 * all said. */
int simulation_run(const struct simulate_settings *settings, const struct sink_setup *setup);

#endif
