#include "fuzz.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "knowledge.h"

void fuzz_fail(const char *claim, const char *file, int line)
{
    (void)fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, claim);
    abort();
}

uint8_t fuzz_byte(struct fuzz_input *input)
{
    if (input->left == 0)
        return 0;
    input->left--;
    return *input->at++;
}

uint32_t fuzz_word(struct fuzz_input *input)
{
    uint32_t word = 0;

    for (int shift = 0; shift < 32; shift += 8)
        word |= (uint32_t)fuzz_byte(input) << shift;
    return word;
}

/* ------------------------------------------------------------------------------------------------------- a machine */

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    CLAIM(memory != NULL);
    memset(memory, 0xa5, size);
    return memory;
}

void fuzz_machine_init(struct fuzz_machine *machine, const struct habit_config *config)
{
    struct habit_memory *memory = &machine->memory;

    machine->config = *config;
    machine->count = (size_t)config->buffer_size * config->axes;
    machine->dice = 1;
    memory->knowledge_size = habit_knowledge_size(config);
    memory->cache_size = habit_cache_size(config);
    memory->scratch_size = habit_scratch_size(config);
    CLAIM(memory->knowledge_size >= HABIT_HEADER_SIZE);
    memory->knowledge = allocate(memory->knowledge_size);
    memory->cache = allocate(memory->cache_size);
    memory->scratch = allocate(memory->scratch_size);
    machine->samples = allocate(2 * machine->count * sizeof(float));
    machine->integers = allocate(machine->count * sizeof(int16_t));
    machine->knowledge = allocate(memory->knowledge_size);
    machine->block = allocate(memory->knowledge_size);
    CLAIM(habit_init(&machine->engine, config, memory) == HABIT_OK);
}

void fuzz_machine_deinit(struct fuzz_machine *machine)
{
    free(machine->memory.knowledge);
    free(machine->memory.cache);
    free(machine->memory.scratch);
    free(machine->samples);
    free(machine->integers);
    free(machine->knowledge);
    free(machine->block);
}

void fuzz_spoil_scratch(struct fuzz_machine *machine)
{
    memset(machine->engine.memory.scratch, 0xff, habit_scratch_size(&machine->config)); /* NaN, where it is read */
}

/* --------------------------------------------------------------------------------------------------------- samples */

/* Uniform in -1..1. */
static float noise(struct fuzz_machine *machine)
{
    machine->dice = machine->dice * 1664525u + 1013904223u;
    return (float)(machine->dice >> 8) * 0x1p-23f - 1.0f;
}

static float from_bits(uint32_t bits)
{
    float x;

    memcpy(&x, &bits, sizeof(x));
    return x;
}

enum recipe { NOISE, TONE, STEPS, CONSTANT, CLIPPED, SPIKE, ONE_ODD, ANY_BITS, RECIPES };

/* Values at which something may change. */
static const float edges[] = { 0.0f,           -0.0f,   1e-15f, -1e-15f, 0x1p-149f, -0x1p-126f, 1e-30f,   0.9e-15f,
                               1.0f,           -1.0f,   1e7f,   -1e7f,   1e15f,     -1e15f,     9.99e14f, 1.1e15f,
                               -1.0000001e15f, 3.4e38f, -1e30f, NAN,     -NAN,      INFINITY,   -INFINITY };

static float edge(struct fuzz_input *input)
{
    return edges[fuzz_byte(input) % (sizeof(edges) / sizeof(edges[0]))];
}

struct wave {
    enum recipe recipe;
    float gain, offset, odd, step;
    size_t at; /* of the odd value */
};

static float value_at(struct fuzz_machine *machine, const struct wave *wave, size_t i)
{
    const size_t sample = i / machine->config.axes;
    const float x = noise(machine);

    switch (wave->recipe) {
    case NOISE:
        return x;
    case TONE:
        return sinf(wave->step * (float)sample) + 0.1f * x;
    case STEPS:
        return x > 0.0f ? 1.0f : -1.0f;
    case CLIPPED:
        return fmaxf(-0.5f, fminf(0.5f, x));
    case SPIKE:
        return 0.01f * x + (i == wave->at ? 1.0f : 0.0f);
    case CONSTANT:
        return 0.0f;
    default:
        return x;
    }
}

void fuzz_samples(struct fuzz_machine *machine, struct fuzz_input *input, float *samples)
{
    struct wave wave = { .recipe = (enum recipe)(fuzz_byte(input) % RECIPES) };

    wave.gain = ldexpf(1.0f, (int8_t)fuzz_byte(input) / 2);
    wave.offset = (float)(int8_t)fuzz_byte(input) * ldexpf(1.0f, fuzz_byte(input) % 48 - 8);
    wave.step = 0.0123f * (float)(fuzz_byte(input) + 1);
    wave.at = fuzz_word(input) % machine->count;
    wave.odd = wave.recipe == ONE_ODD ? edge(input) : 0.0f;
    for (size_t i = 0; i < machine->count; i++) {
        if (wave.recipe == ANY_BITS)
            samples[i] = from_bits(input->left > 0 ? fuzz_word(input) : (machine->dice += 0x01234567u));
        else
            samples[i] = wave.gain * value_at(machine, &wave, i) + wave.offset;
    }
    if (wave.recipe == ONE_ODD)
        samples[wave.at] = wave.odd;
}

/* --------------------------------------------------------------------------------------------------- sealing a block */

void fuzz_seal(uint8_t *block, size_t size)
{
    struct habit_header header;

    CLAIM(size >= sizeof(header));
    memcpy(&header, block, sizeof(header));
    memcpy(header.magic, "HABT", sizeof(header.magic));
    header.format = HABIT_FORMAT_VERSION;
    header.header_size = HABIT_HEADER_SIZE;
    header.block_size = (uint32_t)size;
    header.sealed = HABIT_SEALED;
    header.crc = 0;
    memcpy(block, &header, sizeof(header));
    header.crc = habit_crc32c(0, block, size);
    memcpy(block, &header, sizeof(header));
}

/* ----------------------------------------------------------------------------------------------------------- claims */

static void check_reason(const struct fuzz_machine *machine, const struct habit_reason *reason)
{
    CLAIM(reason->axis < machine->config.axes);
    CLAIM(reason->kind < HABIT_KINDS);
    CLAIM(isfinite(reason->sigmas));
    CLAIM(isfinite(reason->from) && isfinite(reason->to));
    CLAIM(reason->from >= 0.0f && reason->from <= reason->to);
    if (reason->kind == HABIT_KIND_BAND)
        CLAIM(reason->in_hz == (machine->config.sampling_hz > 0.0f));
    else
        CLAIM(!reason->in_hz);
    if (reason->kind == HABIT_KIND_WAVEFORM)
        CLAIM(reason->to < (float)machine->config.buffer_size);
}

static void check_reasons(const struct fuzz_machine *machine, const struct habit_result *result)
{
    CLAIM(result->reasons <= HABIT_MAX_REASONS);
    CLAIM(result->reasons > 0 || result->distance <= 1.0f);
    for (int k = 0; k < result->reasons; k++) {
        check_reason(machine, &result->reason[k]);
    }
}

void fuzz_check_result(struct fuzz_machine *machine, const struct habit_result *result)
{
    const unsigned int axes = machine->config.axes;

    CLAIM(isfinite(result->distance) && result->distance > 0.0f);
    CLAIM(result->similarity == habit_similarity(result->distance, habit_get_sensitivity(&machine->engine)));
    CLAIM((habit_similarity(result->distance, 1.0f) < HABIT_THRESHOLD) == (result->distance > 1.0f));
    CLAIM(result->similarity <= 100);
    CLAIM(result->p_value >= 0.0f && result->p_value <= 1.0f);
    CLAIM(isfinite(result->score));
    CLAIM(result->constant >> axes == 0 && result->clipped >> axes == 0);
    for (unsigned int a = 0; a < HABIT_MAX_AXES; a++) {
        CLAIM(isfinite(result->level[a]) && isfinite(result->amplitude[a]) && result->amplitude[a] >= 0.0f);
        CLAIM(a < axes || (result->level[a] == 0.0f && result->amplitude[a] == 0.0f));
    }
    check_reasons(machine, result);
}

void fuzz_check_progress(const struct habit_progress *progress)
{
    CLAIM(progress->weight >= 0.0f && progress->weight <= 1.0f);
    CLAIM(progress->settled >= 0.0f && progress->settled <= 1.0f);
    CLAIM(progress->false_alarms >= 0.0f && progress->false_alarms <= 1.0f);
    CLAIM(progress->missing < HABIT_MISSINGS);
    CLAIM((progress->needed > 0) == (progress->missing == HABIT_MISSING_BUFFERS));
}

void fuzz_check_average(const struct fuzz_machine *machine, const struct habit_average *average)
{
    CLAIM(isfinite(average->distance) && average->distance > 0.0f);
    CLAIM(average->similarity == habit_similarity(average->distance, habit_get_sensitivity(&machine->engine)));
}
