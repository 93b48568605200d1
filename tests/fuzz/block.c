#include "block.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "knowledge.h"

enum { MOST_PATCHES = 64, LARGEST_BLOCK = 65536 };

static uint8_t block[LARGEST_BLOCK];

/* ---------------------------------------------------------------------------------------------- where a block is from */

static void config_of(const struct habit_header *header, struct habit_config *config)
{
    memset(config, 0, sizeof(*config));
    config->buffer_size = header->buffer_size;
    config->axes = header->axes;
    config->profile = header->profile;
    config->sampling_hz = header->sampling_hz;
    config->scale = header->scale;
    memcpy(config->unit, header->unit, HABIT_UNIT_SIZE);
}

/* The input itself. Where its header names a geometry it is filled up with zeros to the size of that: inputs stay small,
 * and need not follow every change of the layout. */
static size_t block_of_input(const struct fuzz_input *input)
{
    struct habit_header header;
    struct habit_config config;
    size_t size = input->left < sizeof(block) ? input->left : sizeof(block);

    memset(block, 0, sizeof(block));
    memcpy(block, input->at, size);
    if (size < HABIT_HEADER_SIZE)
        return size;
    memcpy(&header, block, sizeof(header));
    config_of(&header, &config);
    if (habit_knowledge_size(&config) > 0 && habit_knowledge_size(&config) <= sizeof(block))
        size = habit_knowledge_size(&config);
    return size;
}

static void learn_noise(struct fuzz_machine *machine, unsigned int n)
{
    static const uint8_t recipe[] = { 0, 0, 0 };

    for (; n > 0; n--) {
        struct fuzz_input input = { recipe, sizeof(recipe) };

        fuzz_samples(machine, &input, machine->samples);
        (void)habit_learn(&machine->engine, machine->samples, machine->count, NULL);
    }
}

/* Values that are limits of something, or no values at all. */
static uint32_t hostile_word(struct fuzz_input *input)
{
    static const float floats[] = { 0.0f,   1.0f,   -1.0f,  1e-6f, 1e6f,   1e9f,  1e12f,  -1e12f,    1e15f,
                                    1e-37f, 1e-36f, 200.0f, 9e36f, -9e36f, 1e18f, 1e-25f, 0x1p-149f, INFINITY };
    const uint8_t choice = fuzz_byte(input);
    uint32_t word = choice;

    if (choice < 64)
        return word;
    if (choice < 96)
        return 1u << choice % 32;
    if (choice >= 192)
        return fuzz_word(input);
    memcpy(&word, &floats[choice % (sizeof(floats) / sizeof(floats[0]))], sizeof(word));
    return word;
}

/* Words of an honest block are replaced, added to, or moved. */
static void patch(struct fuzz_input *input, size_t size)
{
    const size_t words = size / 4;

    for (int i = 0; i < MOST_PATCHES && input->left > 0; i++) {
        const uint8_t how = fuzz_byte(input);
        const size_t at = (fuzz_byte(input) | (size_t)fuzz_byte(input) << 8) % words;
        uint32_t word;

        memcpy(&word, block + 4 * at, sizeof(word));
        if (how % 4 == 0)
            word = hostile_word(input);
        else if (how % 4 == 1)
            word += (uint32_t)fuzz_byte(input) - 128u;
        else if (how % 4 == 2)
            word ^= 1u << fuzz_byte(input) % 32;
        else
            memcpy(&word, block + 4 * (fuzz_word(input) % words), sizeof(word));
        memcpy(block + 4 * at, &word, sizeof(word));
    }
}

static const uint16_t sizes[] = { 1, 2, 8, 16, 31, 64 };
static const uint8_t axes[] = { 1, 2, 3, 16 }, learned[] = { 0, 3, 7, 8, 10, 20, 62, 130 };

/* What an input asks to start from. */
struct origin {
    uint8_t size, axes, profile, learned;
};

static void learn_block(const struct origin *origin, struct fuzz_machine *machine)
{
    const struct habit_config standard = HABIT_CONFIG_DEFAULT;
    struct habit_config config = standard;

    config.buffer_size = sizes[origin->size];
    config.axes = axes[origin->axes];
    config.profile = origin->profile;
    fuzz_machine_init(machine, &config);
    learn_noise(machine, learned[origin->learned]);
}

/* Learned once for all inputs of a process: learning takes most of the time. */
static size_t block_that_was_learned(struct fuzz_input *input)
{
    static struct {
        uint8_t *bytes;
        size_t size;
    } known[6][4][HABIT_PROFILES][8];
    const struct origin origin = { fuzz_byte(input) % 6, fuzz_byte(input) % 4, fuzz_byte(input) % HABIT_PROFILES,
                                   fuzz_byte(input) % 8 };
    uint8_t **bytes = &known[origin.size][origin.axes][origin.profile][origin.learned].bytes;
    size_t *size = &known[origin.size][origin.axes][origin.profile][origin.learned].size;

    if (!*bytes) {
        struct fuzz_machine machine;

        learn_block(&origin, &machine);
        *size = machine.memory.knowledge_size;
        *bytes = malloc(*size);
        CLAIM(*bytes != NULL && *size <= sizeof(block));
        memcpy(*bytes, machine.memory.knowledge, *size);
        fuzz_machine_deinit(&machine);
    }
    memcpy(block, *bytes, *size);
    patch(input, *size);
    return *size;
}

size_t fuzz_block(struct fuzz_input *input, const uint8_t **ret_block)
{
    const bool patched = fuzz_byte(input) % 8 != 0;
    const size_t size = patched ? block_that_was_learned(input) : block_of_input(input);

    if (size >= HABIT_HEADER_SIZE)
        fuzz_seal(block, size);
    *ret_block = block;
    return size;
}
