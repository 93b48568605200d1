/* A machine to learn, for the engine's tests: memory from the heap, so that sanitizers see its ends, and noise from a
 * generator that is the same everywhere. */
#ifndef TEST_MACHINE_H
#define TEST_MACHINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "habit/engine.h"

struct machine {
    struct habit_engine engine;
    struct habit_config config;
    struct habit_memory memory;
    float *buffer; /* buffer_size x axes */
    size_t count;
    uint32_t seed; /* of the next noise */
};

void machine_init(struct machine *machine, unsigned int samples, unsigned int axes, enum habit_profile profile,
                  uint32_t seed);
void machine_deinit(struct machine *machine);

/* Uniform in -1..1, exactly representable; and close to normal with variance 1. */
float noise(uint32_t *seed);
float noise_normal(uint32_t *seed);

/* Fills the buffer with normal white noise on every axis. */
void machine_noise(struct machine *machine);

/* Learns `n` buffers of noise; every one must be taken. */
void machine_learn_noise(struct machine *machine, unsigned int n);

/* Learns or detects what is in the buffer; it must be taken. */
void machine_learn(struct machine *machine);
struct habit_result machine_detect(struct machine *machine);

void *machine_copy_knowledge(const struct machine *machine);

/* Block with a CRC that fits what is in it. */
void block_seal(void *block, size_t size);

#endif
