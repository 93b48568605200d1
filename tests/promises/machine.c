#include "machine.h"

#include <stdio.h>
#include <stdlib.h>

void must(int result, const char *call)
{
    if (result == HABIT_OK)
        return;
    (void)fprintf(stderr, "%s: %s\n", call, habit_text(result));
    exit(2);
}

static void *allocate(size_t size)
{
    void *memory = calloc(1, size);

    if (!memory) {
        (void)fprintf(stderr, "out of memory\n");
        exit(2);
    }
    return memory;
}

void machine_init(struct machine *machine, const struct signal *signal, double sampling_hz)
{
    const struct machine made = { .config = HABIT_CONFIG_DEFAULT };
    struct habit_memory *memory = &machine->memory;

    *machine = made;
    machine->config.buffer_size = (uint16_t)signal->samples;
    machine->config.axes = (uint8_t)signal->axes;
    machine->config.sampling_hz = (float)sampling_hz;
    memory->knowledge_size = habit_knowledge_size(&machine->config);
    memory->cache_size = habit_cache_size(&machine->config);
    memory->scratch_size = habit_scratch_size(&machine->config);
    memory->knowledge = allocate(memory->knowledge_size);
    memory->cache = allocate(memory->cache_size);
    memory->scratch = allocate(memory->scratch_size);
    machine->count = (size_t)signal->samples * signal->axes;
    machine->buffer = allocate(machine->count * sizeof(float));
    must(habit_init(&machine->engine, &machine->config, memory), "habit_init");
}

void machine_deinit(struct machine *machine)
{
    free(machine->memory.knowledge);
    free(machine->memory.cache);
    free(machine->memory.scratch);
    free(machine->buffer);
}

void machine_copy(struct machine *machine, struct machine *from)
{
    must(habit_seal(&from->engine), "habit_seal");
    must(habit_load(&machine->engine, from->memory.knowledge, from->memory.knowledge_size), "habit_load");
    machine->progress = from->progress;
}

void machine_learn(struct machine *machine)
{
    must(habit_learn(&machine->engine, machine->buffer, machine->count, &machine->progress), "habit_learn");
}

void machine_learn_from(struct machine *machine, struct signal *signal, unsigned int n)
{
    for (; n > 0; n--) {
        signal_next(signal, machine->buffer);
        machine_learn(machine);
    }
}

struct habit_result machine_detect(struct machine *machine)
{
    struct habit_result result;

    must(habit_detect(&machine->engine, machine->buffer, machine->count, &result), "habit_detect");
    return result;
}

struct habit_result machine_detect_from(struct machine *machine, struct signal *signal)
{
    signal_next(signal, machine->buffer);
    return machine_detect(machine);
}

double machine_alarm_rate(struct machine *machine, struct signal *signal, unsigned int n)
{
    unsigned int alarms = 0;

    for (unsigned int i = 0; i < n; i++) {
        const struct habit_result result = machine_detect_from(machine, signal);

        alarms += is_alarm(&result);
    }
    return (double)alarms / n;
}
