/* Machines whose buffers begin with their cycle: what counts is the shape. */
#include <math.h>

#include "kinds.h"
#include "signal.h"

enum { STAGES = 6, PRODUCTS = 4 };

/* From stage to stage a value goes over smoothly, each at its time in the cycle; a share of the buffer. */
struct stage {
    double at, takes;
    double level[BED_AXES];
    double hump[BED_AXES]; /* above the level, in the middle of the stage's way */
};

struct product {
    unsigned int stages;
    struct stage stage[STAGES];
};

struct cycle {
    struct product product[PRODUCTS];
    struct regimes regimes;
    double span[BED_AXES]; /* the range of each axis, in its unit */
    double jitter;         /* of the start of a buffer, share of it */
    double hurry;          /* scatter of the duration from cycle to cycle, relative */
    double strength_sway, warmth_sway;
    double noise[BED_AXES], ripple[BED_AXES], ripple_turns; /* of the pump: not in phase */
    double stage_jitter;
    struct wander strength, warmth; /* oil: when it is warm, all goes a little faster */
    unsigned int fault, fault_stage, fault_axis;
};

enum { SLOW_STROKE, LATE_VALVE, LEAK, WEAK, HAMMER, ERRATIC, STRONG_RIPPLE, CYCLE_FAULTS };
static const char *const cycle_faults[CYCLE_FAULTS] = { "slow stroke", "late valve", "leak",  "weak",
                                                        "hammer",      "erratic",    "ripple" };

static void draw_product(struct product *product, const struct cycle *c, uint32_t axes, double hump,
                         struct chance *chance)
{
    product->stages = draw_whole(chance, 3, STAGES);
    for (unsigned int s = 0; s < product->stages; s++) {
        struct stage *stage = &product->stage[s];

        stage->at = (s + chance_between(chance, 0.1, 0.5)) / product->stages;
        stage->takes = draw_log(chance, 0.1, 0.5) / product->stages;
        for (uint32_t a = 0; a < axes; a++) {
            stage->level[a] = c->span[a] * chance_between(chance, 0, 1);
            stage->hump[a] = c->span[a] * hump * chance_between(chance, -0.3, 1);
        }
    }
}

static void draw_cycle(struct machine *machine, struct chance *chance, unsigned int products, double hump)
{
    struct cycle *c = machine->state;

    for (uint32_t a = 0; a < machine->axes; a++) {
        c->span[a] = draw_log(chance, 0.1, 300);
        c->noise[a] = c->span[a] * draw_log(chance, 0.002, 0.03);
        c->ripple[a] = c->span[a] * draw_log(chance, 0.001, 0.02);
    }
    for (unsigned int p = 0; p < products; p++)
        draw_product(&c->product[p], c, machine->axes, hump, chance);
    regimes_start(&c->regimes, products, 2, 8, chance);
    c->jitter = draw_log(chance, 0.0003, 0.01);
    c->hurry = draw_log(chance, 0.001, 0.01);
    c->stage_jitter = draw_log(chance, 0.0005, 0.006);
    c->strength_sway = draw_log(chance, 0.003, 0.03);
    c->warmth_sway = draw_log(chance, 0.002, 0.03);
    c->ripple_turns = draw_log(chance, 3, 60);
    c->strength = wander_start(chance, chance_between(chance, 0.7, 0.97));
    c->warmth = wander_start(chance, 0.98);
    c->fault = draw_one_of(chance, CYCLE_FAULTS);
    c->fault_stage = draw_one_of(chance, 3);
    c->fault_axis = draw_one_of(chance, machine->axes);
    machine->fault = cycle_faults[c->fault];
}

static void hydraulic_draw(struct machine *machine, struct chance *chance)
{
    machine->axes = draw_whole(chance, 1, 3);
    machine->buffer_size = draw_size(chance, 16, 1024);
    machine->sampling_hz = machine->buffer_size / draw_log(chance, 1, 30);
    draw_cycle(machine, chance, 1, 0);
}

static void press_draw(struct machine *machine, struct chance *chance)
{
    machine->axes = draw_axes(chance);
    machine->buffer_size = draw_size(chance, 32, 512);
    machine->sampling_hz = machine->buffer_size / draw_log(chance, 0.1, 3);
    draw_cycle(machine, chance, draw_whole(chance, 2, PRODUCTS), 2);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

/* How one cycle differs from the product's ideal. */
struct cycle_now {
    double start, pace, strength, severity;
    double late[STAGES], slower[STAGES];
};

static double smooth(double share)
{
    return share <= 0 ? 0 : share >= 1 ? 1 : share * share * (3 - 2 * share);
}

static void fail_timing(const struct cycle *c, struct cycle_now *now, struct chance *chance)
{
    double lurch = chance_gauss(chance), severity = now->severity;

    if (c->fault == SLOW_STROKE)
        now->slower[c->fault_stage] *= 1 + 0.2 * severity;
    if (c->fault == LATE_VALVE)
        now->late[c->fault_stage] += fmin(0.3, 0.01 * severity);
    if (c->fault == ERRATIC)
        now->late[c->fault_stage] += fmax(-0.3, fmin(0.3, 0.01 * severity * lurch));
}

static struct cycle_now draw_now(struct cycle *c, double severity, struct chance *chance)
{
    struct cycle_now now = { .severity = severity };
    double warmth = c->warmth_sway * wander_next(&c->warmth, chance);

    now.start = c->jitter * chance_gauss(chance);
    now.pace = 1 + c->hurry * chance_gauss(chance) + 0.3 * warmth;
    now.strength = exp(c->strength_sway * wander_next(&c->strength, chance));
    for (unsigned int s = 0; s < STAGES; s++) {
        now.late[s] = c->stage_jitter * chance_gauss(chance);
        now.slower[s] = exp(-warmth);
    }
    fail_timing(c, &now, chance);
    return now;
}

/* What the fault does to the way of one axis through one stage; done: 0 before, 1 after it. */
static double fail_shape(const struct cycle *c, const struct cycle_now *now, double done, double since)
{
    double part = now->severity * 0.05;

    if (c->fault == LEAK && since > 0)
        return -part * (1 - exp(-since * 8));
    if (c->fault == WEAK)
        return -part * done;
    if (c->fault == HAMMER && since > 0)
        return 2 * part * exp(-since * 25) * cos(since * 120);
    return 0;
}

static double value_at(const struct cycle *c, const struct product *product, const struct cycle_now *now, uint32_t axis,
                       double t)
{
    double value = product->stage[product->stages - 1].level[axis], before = value;

    for (unsigned int s = 0; s < product->stages; s++) {
        const struct stage *stage = &product->stage[s];
        double since = t - stage->at - now->late[s], takes = stage->takes * now->slower[s];
        double done = smooth(since / takes), next = s + 1 < product->stages ? product->stage[s + 1].at : 1;

        value += (stage->level[axis] - before) * done + 4 * stage->hump[axis] * done * (1 - done);
        before = stage->level[axis];
        if (s == c->fault_stage && axis == c->fault_axis && t < next + now->late[s])
            value += c->span[axis] * fail_shape(c, now, done, since);
    }
    return value;
}

static bool cycle_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    struct cycle *c = machine->state;
    struct chance *chance = &machine->chance;
    struct tone_wave ripple = { .frequency = fmin(0.45, c->ripple_turns / block->size),
                                .start = chance_between(chance, 0, 1) };
    struct cycle_now now;

    regimes_next(&c->regimes, chance);
    now = draw_now(c, moment->severity, chance);
    for (uint32_t a = 0; a < block->axes; a++) {
        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] = now.strength * value_at(c, &c->product[c->regimes.now], &now, a,
                                                     now.start + now.pace * ((i + 0.5) / block->size));
        ripple.amplitude[a] = c->ripple[a];
        if (c->fault == STRONG_RIPPLE)
            ripple.amplitude[a] += 0.02 * c->span[a] * moment->severity;
        signal_noise(block->x[a], block->size, c->noise[a], chance);
    }
    signal_tone(block, &ripple);
    return true;
}

const struct kind kind_hydraulic = { "hydraulic", sizeof(struct cycle), hydraulic_draw, cycle_write };
const struct kind kind_press = { "press", sizeof(struct cycle), press_draw, cycle_write };
