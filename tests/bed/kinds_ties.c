/* Values that move together because one or two things move all of them: valve position and flow, torque and current. Under
 * the fault one of them goes its own way, in the same range and at the same pace as ever. */
#include <math.h>

#include "kinds.h"
#include "signal.h"

enum { FACTORS = 2 };

struct ties {
    unsigned int factors;
    double weight[BED_AXES][FACTORS], own_weight[BED_AXES]; /* of a value's variance: 1 in all, when squared */
    double base[BED_AXES], span[BED_AXES], noise[BED_AXES];
    double unrest; /* how much the factors move within a buffer */
    struct wander factor[FACTORS], own[BED_AXES], stray[FACTORS];
    unsigned int fault, axis;
};

enum { BROKEN_TIE, DELAYED, TIES_FAULTS };
static const char *const ties_faults[TIES_FAULTS] = { "broken tie", "delayed" };

static void draw_value(struct ties *t, uint32_t a, struct chance *chance)
{
    double squares = 0;

    t->own_weight[a] = draw_log(chance, 0.02, 0.4);
    for (unsigned int f = 0; f < t->factors; f++) {
        t->weight[a][f] = chance_gauss(chance);
        squares += t->weight[a][f] * t->weight[a][f];
    }
    for (unsigned int f = 0; f < t->factors; f++)
        t->weight[a][f] *= sqrt((1 - t->own_weight[a] * t->own_weight[a]) / squares);
    t->span[a] = draw_log(chance, 0.01, 1000);
    t->base[a] = t->span[a] * chance_between(chance, -3, 10);
    t->noise[a] = draw_log(chance, 0.003, 0.05);
    t->own[a] = wander_start(chance, chance_between(chance, 0, 0.95));
}

static void ties_draw(struct machine *machine, struct chance *chance)
{
    struct ties *t = machine->state;
    double memory = chance_between(chance, 0, 0.95);

    machine->axes = draw_whole(chance, 2, BED_AXES);
    machine->buffer_size = chance_between(chance, 0, 1) < 0.5 ? 1 : draw_whole(chance, 2, 8);
    machine->sampling_hz = draw_log(chance, 0.1, 100);
    t->factors = machine->axes < 4 ? 1 : draw_whole(chance, 1, FACTORS);
    t->unrest = draw_log(chance, 0.02, 0.3);
    for (uint32_t a = 0; a < machine->axes; a++)
        draw_value(t, a, chance);
    for (unsigned int f = 0; f < t->factors; f++) {
        t->factor[f] = wander_start(chance, memory);
        t->stray[f] = wander_start(chance, memory);
    }
    t->axis = draw_one_of(chance, machine->axes);
    t->fault = memory > 0.3 ? draw_one_of(chance, TIES_FAULTS) : BROKEN_TIE;
    machine->fault = ties_faults[t->fault];
}

/* Shares of the true factors and of the others that the faulty value follows. */
struct mix {
    double true_share, other_share;
};

/* Others that are independent are mixed so that the variance stays what it was; those of the buffer before are akin to the true
 * ones, a weighted mean of both has at most their variance. */
static struct mix mix_of(const struct ties *t, uint32_t a, double severity)
{
    double gone = a == t->axis ? 1 - exp(-0.2 * severity) : 0, angle = 0.5 * M_PI * gone;

    if (t->fault == DELAYED)
        return (struct mix){ 1 - gone, gone };
    return (struct mix){ cos(angle), sin(angle) };
}

static void write_value(struct ties *t, uint32_t a, const double *true_factor, const double *other_factor,
                        const double *slope, double severity, struct block *block, struct chance *chance)
{
    struct mix mix = mix_of(t, a, severity);
    double level = t->own_weight[a] * wander_next(&t->own[a], chance), rise = 0;

    for (unsigned int f = 0; f < t->factors; f++) {
        level += t->weight[a][f] * (mix.true_share * true_factor[f] + mix.other_share * other_factor[f]);
        rise += t->weight[a][f] * slope[f];
    }
    for (uint32_t i = 0; i < block->size; i++)
        block->x[a][i] = level + rise * ((i + 0.5) / block->size - 0.5);
    signal_noise(block->x[a], block->size, t->noise[a], chance);
    for (uint32_t i = 0; i < block->size; i++)
        block->x[a][i] = t->base[a] + t->span[a] * block->x[a][i];
}

static bool ties_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    struct ties *t = machine->state;
    struct chance *chance = &machine->chance;
    double now[FACTORS] = { 0 }, other[FACTORS] = { 0 }, slope[FACTORS] = { 0 };

    for (unsigned int f = 0; f < t->factors; f++) {
        double before = t->factor[f].value, stray = wander_next(&t->stray[f], chance);

        now[f] = wander_next(&t->factor[f], chance);
        other[f] = t->fault == DELAYED ? before : stray;
        slope[f] = t->unrest * chance_gauss(chance);
    }
    for (uint32_t a = 0; a < block->axes; a++)
        write_value(t, a, now, other, slope, moment->severity, block, chance);
    return true;
}

const struct kind kind_ties = { "ties", sizeof(struct ties), ties_draw, ties_write };
