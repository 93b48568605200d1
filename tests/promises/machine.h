/* An engine on memory from the heap, and the buffer that it is shown. Whatever it refuses ends the program: these
 * programs show it nothing that it may refuse. */
#ifndef PROMISES_MACHINE_H
#define PROMISES_MACHINE_H

#include "signal.h"

struct machine {
    struct habit_engine engine;
    struct habit_config config;
    struct habit_memory memory;
    float *buffer;
    size_t count; /* values in it */
    struct habit_progress progress;
};

void machine_init(struct machine *machine, const struct signal *signal, double sampling_hz);
void machine_deinit(struct machine *machine);

/* Takes over all that another machine of the same geometry learned. */
void machine_copy(struct machine *machine, struct machine *from);

/* Learns what is in the buffer, or the next n buffers of a signal. */
void machine_learn(struct machine *machine);
void machine_learn_from(struct machine *machine, struct signal *signal, unsigned int n);

struct habit_result machine_detect(struct machine *machine);
struct habit_result machine_detect_from(struct machine *machine, struct signal *signal);

static inline bool is_alarm(const struct habit_result *result)
{
    return result->similarity < HABIT_THRESHOLD;
}

/* Share of the next n buffers that are called strange. */
double machine_alarm_rate(struct machine *machine, struct signal *signal, unsigned int n);

/* Ends the program when a call of the engine failed. */
void must(int result, const char *call);

#endif
