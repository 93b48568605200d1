/* Knowledge blocks from a stranger who can compute a CRC: what is taken must do no harm. */
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "fuzz.h"

/* ------------------------------------------------------------------------------------------------ using what was taken */

static void detect(struct fuzz_machine *machine, struct habit_window *window)
{
    struct habit_result result;
    struct habit_average average;
    float drift;

    fuzz_spoil_scratch(machine);
    if (habit_detect(&machine->engine, machine->samples, machine->count, &result) == HABIT_OK) {
        fuzz_check_result(machine, &result);
        CLAIM(habit_window_add(window, &result) == HABIT_OK);
    }
    if (habit_window_result(&machine->engine, window, &average) == HABIT_OK)
        fuzz_check_average(machine, &average);
    CLAIM(habit_drift(&machine->engine, &drift) == HABIT_OK && drift >= 0.0f && drift <= 1e9f);
}

static void learn(struct fuzz_machine *machine)
{
    struct habit_progress progress;
    int status;

    fuzz_spoil_scratch(machine);
    status = habit_learn(&machine->engine, machine->samples, machine->count, &progress);
    CLAIM(status == HABIT_OK || status == HABIT_ECONSTANT || status == HABIT_EVALUE);
    if (status == HABIT_OK)
        fuzz_check_progress(&progress);
}

/* Buffers like those that were learned, then ones that are not. */
static void use(struct fuzz_machine *machine)
{
    static const uint8_t recipes[][4] = {
        { 0, 0, 0, 0 },   { 0, 0, 0, 0 },    { 1, 10, 0, 0 }, { 3, 0, 5, 0 }, { 5, 60, 0, 0 }, { 0, 80, 100, 47 },
        { 0, 156, 0, 0 }, { 4, 0, 200, 20 }, { 0, 98, 0, 0 }, { 2, 0, 0, 0 }, { 0, 0, 0, 0 },  { 0, 0, 0, 0 },
    };
    struct habit_window window;

    CLAIM(habit_window_init(&window, 3) == HABIT_OK);
    for (size_t i = 0; i < sizeof(recipes) / sizeof(recipes[0]); i++) {
        struct fuzz_input input = { recipes[i], sizeof(recipes[i]) };

        fuzz_samples(machine, &input, machine->samples);
        detect(machine, &window);
        learn(machine);
        if (i == 5)
            (void)habit_accept(&machine->engine, machine->samples, 1);
    }
}

static void load_and_use(const struct habit_config *config, const uint8_t *bytes, size_t size)
{
    struct fuzz_machine machine;

    fuzz_machine_init(&machine, config);
    CLAIM(habit_load(&machine.engine, bytes, size) == HABIT_OK);
    CLAIM(habit_seal(&machine.engine) == HABIT_OK);
    CLAIM(memcmp(machine.memory.knowledge, bytes, size) == 0);
    use(&machine);
    fuzz_machine_deinit(&machine);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = { data, size };
    const uint8_t *block;
    const size_t length = fuzz_block(&input, &block);
    uint8_t *bytes = malloc(length + 1); /* exact, and at an address that no word can have */
    struct habit_info info;

    CLAIM(bytes != NULL);
    memcpy(bytes + 1, block, length);
    if (habit_check(bytes + 1, length, &info) == HABIT_OK && (size_t)info.config.buffer_size * info.config.axes <= 4096)
        load_and_use(&info.config, bytes + 1, length);
    free(bytes);
    return 0;
}
