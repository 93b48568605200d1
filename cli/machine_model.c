#include "machine_model.h"

#include <math.h>
#include <string.h>

enum { AXIAL = 2, SETTLE_SAMPLES = 128 }; /* every third axis lies along the shaft; resonance forgets its start */

/* What turns in a machine that is well, and what a fault adds at severity 1. */
struct tone_row {
    enum machine_fault fault;
    bool erratic;         /* another strength in every buffer */
    double order;         /* multiple of the speed; beside the gear mesh: sideband */
    double teeth;         /* 1: of the gear mesh, at its teeth's multiple of the speed */
    double radial, axial; /* g across and along the shaft */
    double with_load;     /* share: meshing follows the torque, imbalance does not */
};

/* clang-format off */
static const struct tone_row tone_rows[] = {
    { FAULT_NONE,         false, 1,   0, 0.20, 0.05, 0.1 },
    { FAULT_NONE,         false, 2,   0, 0.08, 0.06, 0.3 },
    { FAULT_NONE,         false, 3,   0, 0.04, 0.03, 0.3 },
    { FAULT_NONE,         false, 4,   0, 0.02, 0.02, 0.3 },
    { FAULT_NONE,         false, 5,   0, 0.01, 0.01, 0.3 },
    { FAULT_NONE,         false, -1,  1, 0.02, 0.02, 0.8 },
    { FAULT_NONE,         false, 0,   1, 0.08, 0.06, 0.8 },
    { FAULT_NONE,         false, 1,   1, 0.02, 0.02, 0.8 },
    { FAULT_IMBALANCE,    false, 1,   0, 0.55, 0.08, 0.0 },
    { FAULT_MISALIGNMENT, false, 1,   0, 0.06, 0.16, 0.2 },
    { FAULT_MISALIGNMENT, false, 2,   0, 0.20, 0.28, 0.2 },
    { FAULT_MISALIGNMENT, false, 3,   0, 0.08, 0.10, 0.2 },
    { FAULT_LOOSENESS,    true,  0.5, 0, 0.12, 0.05, 0.2 },
    { FAULT_LOOSENESS,    true,  1,   0, 0.15, 0.06, 0.2 },
    { FAULT_LOOSENESS,    true,  1.5, 0, 0.10, 0.05, 0.2 },
    { FAULT_LOOSENESS,    true,  2.5, 0, 0.08, 0.04, 0.2 },
    { FAULT_LOOSENESS,    true,  3,   0, 0.12, 0.05, 0.2 },
    { FAULT_LOOSENESS,    true,  4,   0, 0.10, 0.05, 0.2 },
    { FAULT_LOOSENESS,    true,  6,   0, 0.08, 0.04, 0.2 },
    { FAULT_LOOSENESS,    true,  8,   0, 0.06, 0.03, 0.2 },
};
/* clang-format on */

enum { TONE_ROWS = sizeof(tone_rows) / sizeof(tone_rows[0]) };
_Static_assert(TONE_ROWS <= (int)MODEL_TONES, "a model has room for every row");

/* -------------------------------------------------------------------------------------------------------- character */

/* The healthy tone of the same order. A fault is in step with it: the heavy spot grows, it does not balance another. */
static const struct machine_tone *tone_of_order(const struct machine_model *model, double order)
{
    for (unsigned int i = 0; i < model->tones; i++)
        if (fabs(model->tone[i].order - order) < 1e-9)
            return &model->tone[i];
    return NULL;
}

static void add_tone(struct machine_model *model, const struct tone_row *row, double teeth)
{
    double order = row->order + row->teeth * teeth;
    const struct machine_tone *like = tone_of_order(model, order);
    struct machine_tone *tone = &model->tone[model->tones++];

    tone->order = order;
    tone->with_load = row->with_load;
    tone->faulty = row->fault != FAULT_NONE;
    tone->erratic = row->erratic;
    for (uint32_t axis = 0; axis < model->setup.axes; axis++) {
        double strength = axis % 3 == AXIAL ? row->axial : row->radial;

        tone->amplitude[axis] = strength * chance_between(&model->chance, 0.6, 1.4);
        tone->turn[axis] = like ? like->turn[axis] : chance_between(&model->chance, 0, 1);
    }
}

static void add_tones(struct machine_model *model)
{
    double teeth = floor(chance_between(&model->chance, 17, 24));

    for (size_t i = 0; i < TONE_ROWS; i++)
        if (tone_rows[i].fault == FAULT_NONE || tone_rows[i].fault == model->setup.fault)
            add_tone(model, &tone_rows[i], teeth);
}

static void add_structure(struct machine_model *model)
{
    double tilt = chance_between(&model->chance, 0, 0.5 * M_PI), round = chance_between(&model->chance, 0, 2 * M_PI);
    double gravity[3] = { sin(tilt) * cos(round), sin(tilt) * sin(round), cos(tilt) };

    for (uint32_t axis = 0; axis < model->setup.axes; axis++) {
        model->gravity[axis] = gravity[axis % 3];
        model->resonance_hz[axis] = model->setup.sampling_hz * chance_between(&model->chance, 0.28, 0.38);
        model->damping[axis] = chance_between(&model->chance, 0.88, 0.94);
    }
}

void machine_model_init(struct machine_model *model, const struct machine_setup *setup)
{
    memset(model, 0, sizeof(*model));
    model->setup = *setup;
    model->chance.state = setup->character;
    model->ratio = 1;
    add_structure(model);
    model->defect_order = chance_between(&model->chance, 3.05, 5.4); /* outer races of 8 to 12 balls */
    add_tones(model);
    model->chance.state = setup->character ^ chance_bits(&(struct chance){ setup->seed });
}

/* ---------------------------------------------------------------------------------------------------------- a buffer */

/* What holds for one buffer. */
struct moment_state {
    double speed_from, speed_to; /* Hz */
    double load, severity;
    double angle;       /* turns since the buffer's start, and where that was */
    double next_impact; /* in turns of the same angle */
    double strength[MODEL_TONES];
};

/* A slow walk that is drawn home: standard deviation `spread`, a memory of about 10 buffers. */
static double wander(struct chance *chance, double now, double spread)
{
    return 0.9 * now + 0.436 * spread * chance_gauss(chance);
}

static double impact_distance(struct machine_model *model)
{
    return (1 + 0.02 * chance_gauss(&model->chance)) / model->defect_order; /* balls slip a little */
}

static double tone_strength(struct machine_model *model, const struct machine_tone *tone,
                            const struct moment_state *now)
{
    double strength = 1 - tone->with_load + tone->with_load * 2 * now->load;

    strength *= 1 + 0.06 * chance_gauss(&model->chance);
    if (tone->faulty)
        strength *= now->severity;
    if (tone->erratic)
        strength *= chance_between(&model->chance, 0.5, 1.5);
    return strength;
}

static struct moment_state begin_buffer(struct machine_model *model, double severity, bool running)
{
    struct moment_state now = { .severity = severity * severity }; /* forces grow faster than wear does */
    double speed;

    model->speed_wander = wander(&model->chance, model->speed_wander, 0.004);
    model->load_wander = wander(&model->chance, model->load_wander, 0.1);
    now.load = fmin(1, fmax(0, model->setup.load * (1 + model->load_wander)));
    speed = model->setup.speed_hz * (1 + model->speed_wander) * (1 - 0.02 * (now.load - model->setup.load)); /* slip */
    now.speed_from = speed * model->ratio;
    model->ratio = running ? 1 : 0;
    now.speed_to = speed * model->ratio;
    now.angle = chance_between(&model->chance, 0, 64);
    now.next_impact = now.angle + impact_distance(model);
    for (unsigned int i = 0; i < model->tones; i++)
        now.strength[i] = tone_strength(model, &model->tone[i], &now);
    return now;
}

/* Sum of the tones on an axis. Forces grow with the square of the speed; what is above the sensor's reach is filtered. */
static double turning(const struct machine_model *model, const struct moment_state *now, double speed, uint32_t axis)
{
    double relative = speed / model->setup.speed_hz, sum = 0;

    for (unsigned int i = 0; i < model->tones; i++) {
        const struct machine_tone *tone = &model->tone[i];

        if (tone->order * speed < 0.45 * model->setup.sampling_hz)
            sum += now->strength[i] * tone->amplitude[axis] *
                   sin(2 * M_PI * (tone->order * now->angle + tone->turn[axis]));
    }
    return sum * relative * relative;
}

/* Whether a ball passes the defect in this sample; how hard it hits, g. */
static double impact(struct machine_model *model, struct moment_state *now, double speed)
{
    double hit = 0;

    while (now->angle >= now->next_impact) {
        now->next_impact += impact_distance(model);
        hit += chance_between(&model->chance, 0.8, 1.2);
    }
    if (model->setup.fault != FAULT_BEARING)
        return 0;
    return hit * now->severity * speed / model->setup.speed_hz;
}

/* The structure answers what excites it: two poles at its resonance. */
static double resonate(struct machine_model *model, uint32_t axis, double excitation)
{
    double *ring = model->ring[axis], radius = model->damping[axis];
    double turn = 2 * M_PI * model->resonance_hz[axis] / model->setup.sampling_hz;
    double out = excitation + 2 * radius * cos(turn) * ring[0] - radius * radius * ring[1];

    ring[1] = ring[0];
    ring[0] = out;
    return out;
}

static double sample(struct machine_model *model, const struct moment_state *now, double speed, double hit,
                     uint32_t axis)
{
    double noise = model->setup.noise, relative = speed / model->setup.speed_hz;
    double flow = noise * relative * (0.2 + 0.2 * now->load) * chance_gauss(&model->chance);

    return model->gravity[axis] + turning(model, now, speed, axis) + resonate(model, axis, flow + 0.6 * hit) +
           noise * chance_gauss(&model->chance);
}

void machine_model_next(struct machine_model *model, double severity, bool running, float *samples)
{
    struct moment_state now = begin_buffer(model, severity, running);
    uint32_t size = model->setup.buffer_size, axes = model->setup.axes;

    for (uint32_t i = 0; i < SETTLE_SAMPLES + size; i++) {
        double share = i < SETTLE_SAMPLES ? 0 : (double)(i - SETTLE_SAMPLES) / size;
        double speed = now.speed_from + share * (now.speed_to - now.speed_from);
        double hit;

        now.angle += speed / model->setup.sampling_hz;
        hit = impact(model, &now, speed);
        for (uint32_t axis = 0; axis < axes; axis++) {
            double value = sample(model, &now, speed, hit, axis);

            if (i >= SETTLE_SAMPLES)
                samples[(i - SETTLE_SAMPLES) * axes + axis] = (float)value;
        }
    }
}
