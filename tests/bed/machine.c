#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"
#include "kind.h"

struct machine *machine_new(const struct kind *kind, uint64_t seed)
{
    struct machine *machine = heap_get(1, sizeof(*machine));
    struct chance chance = { seed };

    machine->kind = kind;
    machine->state = heap_get(1, kind->state_size);
    machine->chance.state = chance_bits(&chance);
    kind->draw(machine, &chance);
    return machine;
}

struct machine *machine_copy(const struct machine *machine)
{
    struct machine *copy = heap_get(1, sizeof(*copy));

    *copy = *machine;
    copy->state = heap_get(1, machine->kind->state_size);
    memcpy(copy->state, machine->state, machine->kind->state_size);
    return copy;
}

struct machine *machine_free(struct machine *machine)
{
    if (machine)
        free(machine->state);
    free(machine);
    return NULL;
}

static float converted(const struct machine *machine, double value)
{
    if (machine->resolution > 0)
        value = machine->resolution * rint(value / machine->resolution);
    return (float)value;
}

bool machine_write(struct machine *machine, const struct moment *moment, float *samples)
{
    static struct block block; /* 96 KiB: too much for a stack; the bed runs in processes, not threads */
    bool shows;

    block.size = machine->buffer_size;
    block.axes = machine->axes;
    for (uint32_t a = 0; a < block.axes; a++)
        memset(block.x[a], 0, block.size * sizeof(block.x[a][0]));
    shows = machine->kind->write(machine, moment, &block);
    for (uint32_t a = 0; a < block.axes; a++)
        for (uint32_t i = 0; i < block.size; i++)
            samples[i * block.axes + a] = converted(machine, block.x[a][i]);
    return shows;
}

/* --------------------------------------------------------------------------------------------------------- drawing */

double draw_log(struct chance *chance, double low, double high)
{
    return low * pow(high / low, chance_between(chance, 0, 1));
}

unsigned int draw_one_of(struct chance *chance, unsigned int count)
{
    return (unsigned int)(chance_bits(chance) % count);
}

unsigned int draw_whole(struct chance *chance, unsigned int a, unsigned int b)
{
    return a + draw_one_of(chance, b - a + 1);
}

uint32_t draw_size(struct chance *chance, uint32_t low, uint32_t high)
{
    double size = draw_log(chance, low, (double)high + 0.999);

    if (chance_between(chance, 0, 1) < 0.75) {
        size = exp2(rint(log2(size)));
        size = fmin(high, fmax(low, size));
    }
    return (uint32_t)size;
}

uint32_t draw_axes(struct chance *chance)
{
    static const uint32_t axes[] = { 1, 1, 1, 2, 3, 3, 3, 3, 4, 6 };

    return axes[draw_one_of(chance, sizeof(axes) / sizeof(axes[0]))];
}

void draw_geometry(struct machine *machine, struct chance *chance, uint32_t low, uint32_t high)
{
    machine->axes = draw_axes(chance);
    machine->buffer_size = draw_size(chance, low, high);
    while (machine->buffer_size * machine->axes > BED_VALUES)
        machine->buffer_size /= 2;
}
