#include "machine.h"

#include <stdlib.h>
#include <string.h>

static void *allocate(size_t size)
{
    void *memory = malloc(size);

    assert_non_null(memory);
    memset(memory, 0xa5, size); /* nothing may rely on zeros */
    return memory;
}

void machine_init(struct machine *machine, unsigned int samples, unsigned int axes, enum habit_profile profile,
                  uint32_t seed)
{
    const struct habit_config config = HABIT_CONFIG_DEFAULT;
    struct habit_memory *memory = &machine->memory;

    machine->config = config;
    machine->config.buffer_size = (uint16_t)samples;
    machine->config.axes = (uint8_t)axes;
    machine->config.profile = (uint8_t)profile;
    memory->knowledge_size = habit_knowledge_size(&machine->config);
    memory->cache_size = habit_cache_size(&machine->config);
    memory->scratch_size = habit_scratch_size(&machine->config);
    memory->knowledge = allocate(memory->knowledge_size);
    memory->cache = allocate(memory->cache_size);
    memory->scratch = allocate(memory->scratch_size);
    machine->count = (size_t)samples * axes;
    machine->buffer = allocate(machine->count * sizeof(float));
    machine->seed = seed;
    assert_int_equal(habit_init(&machine->engine, &machine->config, memory), HABIT_OK);
}

void machine_deinit(struct machine *machine)
{
    free(machine->memory.knowledge);
    free(machine->memory.cache);
    free(machine->memory.scratch);
    free(machine->buffer);
}

float noise(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)((int32_t)*seed / 256) * (1.0f / 8388608.0f);
}

float noise_normal(uint32_t *seed)
{
    float sum = 0.0f;

    for (int i = 0; i < 12; i++)
        sum += noise(seed);
    return sum * 0.5f; /* each has variance 1/3 */
}

static uint32_t mixed(uint32_t bits)
{
    bits = (bits ^ bits >> 16) * 0x9e3779b1u;
    bits = (bits ^ bits >> 15) * 0x85ebca77u;
    return bits ^ bits >> 16;
}

/* Each buffer starts somewhere else. In one long sequence the same sample of successive buffers would follow a cubic line, as
 * states a multiple of 2^8 apart do: the third differences had four values only, with 64 samples and one axis. */
void machine_noise(struct machine *machine)
{
    uint32_t seed = mixed(machine->seed++);

    for (size_t i = 0; i < machine->count; i++)
        machine->buffer[i] = noise_normal(&seed);
}

void machine_learn(struct machine *machine)
{
    assert_int_equal(habit_learn(&machine->engine, machine->buffer, machine->count, NULL), HABIT_OK);
}

struct habit_result machine_detect(struct machine *machine)
{
    struct habit_result result;

    assert_int_equal(habit_detect(&machine->engine, machine->buffer, machine->count, &result), HABIT_OK);
    return result;
}

void machine_learn_noise(struct machine *machine, unsigned int n)
{
    while (n-- > 0) {
        machine_noise(machine);
        machine_learn(machine);
    }
}

void *machine_copy_knowledge(const struct machine *machine)
{
    void *copy = allocate(machine->memory.knowledge_size);

    memcpy(copy, machine->memory.knowledge, machine->memory.knowledge_size);
    return copy;
}

/* Bit by bit, so that it shares nothing with the engine's. */
static uint32_t crc32c(const uint8_t *bytes, size_t size)
{
    uint32_t crc = UINT32_MAX;

    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x82f63b78u : crc >> 1;
    }
    return ~crc;
}

void block_seal(void *block, size_t size)
{
    uint32_t crc;

    memcpy((uint8_t *)block + 16, "SEAL", 4);
    memset((uint8_t *)block + 12, 0, 4);
    crc = crc32c(block, size);
    memcpy((uint8_t *)block + 12, &crc, 4);
}
