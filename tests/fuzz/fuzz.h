/* What fuzz targets share: reading an input byte by byte, a machine in memory of exact size, and claims that hold for any
 * input. Every decision is taken from the input, so an input is all that is needed to see a failure again. */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "habit/engine.h"

/* The interface of libFuzzer; replay.c calls it too. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program where a claim does not hold, so that the fuzzer keeps the input. */
#define CLAIM(holds) ((holds) ? (void)0 : fuzz_fail(#holds, __FILE__, __LINE__))

_Noreturn void fuzz_fail(const char *claim, const char *file, int line);

/* What is left of an input; behind its end there are zeros. */
struct fuzz_input {
    const uint8_t *at;
    size_t left;
};

uint8_t fuzz_byte(struct fuzz_input *input);
uint32_t fuzz_word(struct fuzz_input *input);

struct fuzz_machine {
    struct habit_engine engine;
    struct habit_config config;
    struct habit_memory memory;
    size_t count;      /* values in a buffer */
    float *samples;    /* two buffers, so that two can be accepted */
    int16_t *integers; /* one buffer */
    void *knowledge;   /* as it was before a call */
    uint8_t *block;    /* room for a copy of the knowledge */
    uint32_t dice;     /* of the noise */
};

void fuzz_machine_init(struct fuzz_machine *machine, const struct habit_config *config);
void fuzz_machine_deinit(struct fuzz_machine *machine);

/* Nothing may rely on what a scratch holds. */
void fuzz_spoil_scratch(struct fuzz_machine *machine);

/* Fills a buffer by one of many recipes that the input names: noise, tones, offsets, constants, extremes, any bits. */
void fuzz_samples(struct fuzz_machine *machine, struct fuzz_input *input, float *samples);

/* Makes magic, size, seal and CRC of a block what they should be. */
void fuzz_seal(uint8_t *block, size_t size);

/* Every number is one, and they agree with each other. */
void fuzz_check_result(struct fuzz_machine *machine, const struct habit_result *result);
void fuzz_check_progress(const struct habit_progress *progress);
void fuzz_check_average(const struct fuzz_machine *machine, const struct habit_average *average);

#endif
