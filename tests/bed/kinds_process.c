/* Slow values of several sensors, temperatures, pressures, flows at 1 Hz: the level is what counts. It follows the hour of the
 * day, the weather and the load. */
#include <math.h>

#include "kinds.h"
#include "signal.h"

struct process {
    double hours_per_buffer, hour;
    double base[BED_AXES], span[BED_AXES]; /* span: the unit of all that follows */
    double daily[BED_AXES], peak[BED_AXES], half_daily[BED_AXES];
    double with_weather[BED_AXES], with_load[BED_AXES];
    double noise[BED_AXES], unrest[BED_AXES]; /* noise of the sensor; slow movement within a buffer */
    struct wander own[BED_AXES], weather, load;
    double own_sway[BED_AXES];
    bool shifts; /* at work from six to ten in the evening */
    double at_work[BED_AXES];
    unsigned int fault, axis;
    double frozen; /* where a stuck sensor stays */
    double sign;
};

enum { LEVEL_SHIFT, STUCK, NOISY, HUNTING, FOULING, LOST_COUPLING, PROCESS_FAULTS };
static const char *const process_faults[PROCESS_FAULTS] = { "level shift", "stuck",   "noisy sensor",
                                                            "hunting",     "fouling", "lost coupling" };

static void draw_sensor(struct process *p, uint32_t a, struct chance *chance)
{
    p->span[a] = draw_log(chance, 0.1, 100);
    p->base[a] = p->span[a] * chance_between(chance, -2, 20);
    p->daily[a] = chance_between(chance, 0.1, 1);
    p->half_daily[a] = chance_between(chance, 0, 0.3);
    p->peak[a] = chance_between(chance, 10, 18);
    p->with_weather[a] = chance_between(chance, 0, 0.4);
    p->with_load[a] = chance_between(chance, -0.4, 0.4);
    p->at_work[a] = chance_between(chance, -1, 1);
    p->noise[a] = draw_log(chance, 0.005, 0.1);
    p->unrest[a] = draw_log(chance, 0.005, 0.1);
    p->own[a] = wander_start(chance, chance_between(chance, 0.7, 0.97));
    p->own_sway[a] = draw_log(chance, 0.01, 0.15);
}

static void process_draw(struct machine *machine, struct chance *chance)
{
    static const uint32_t sizes[] = { 1, 1, 1, 4, 10, 16, 30, 60 };
    struct process *p = machine->state;

    machine->axes = draw_whole(chance, 2, BED_AXES);
    machine->buffer_size = sizes[draw_one_of(chance, COUNT(sizes))];
    machine->sampling_hz = 1;
    for (uint32_t a = 0; a < machine->axes; a++)
        draw_sensor(p, a, chance);
    p->hours_per_buffer = 24 / draw_log(chance, 20, 100);
    p->hour = chance_between(chance, 0, 24);
    p->weather = wander_start(chance, 0.99);
    p->load = wander_start(chance, chance_between(chance, 0.7, 0.97));
    p->shifts = chance_between(chance, 0, 1) < 0.4;
    p->axis = draw_one_of(chance, machine->axes);
    p->frozen = chance_between(chance, -0.7, 0.7);
    p->sign = chance_between(chance, 0, 1) < 0.5 ? -1 : 1;
    p->fault = draw_one_of(chance, PROCESS_FAULTS);
    if (machine->buffer_size < 10 && p->fault == NOISY)
        p->fault = LEVEL_SHIFT;
    machine->fault = process_faults[p->fault];
}

/* In spans, of the values that all sensors follow. */
struct process_now {
    double hour, weather, load;
    bool works;
};

static double level_of(const struct process *p, uint32_t a, const struct process_now *now, double severity)
{
    double turn = 2 * M_PI * (now->hour - p->peak[a]) / 24, coupling = 1, shift = 0;

    if (a == p->axis && p->fault == LOST_COUPLING)
        coupling = exp(-0.1 * severity);
    if (a == p->axis && p->fault == LEVEL_SHIFT)
        shift = 0.2 * severity;
    if (a == p->axis && p->fault == FOULING) /* the more, the harder it works */
        shift = 0.1 * severity * (1 + 0.5 * now->load);
    return p->sign * shift +
           coupling * (p->daily[a] * cos(turn) + p->half_daily[a] * cos(2 * turn) + p->with_weather[a] * now->weather +
                       p->with_load[a] * now->load + (now->works ? p->at_work[a] : 0));
}

static double hunting(const struct process *p, uint32_t a, double severity, double phase, uint32_t i)
{
    if (p->fault != HUNTING || a != p->axis)
        return 0;
    return 0.1 * severity * cos(2 * M_PI * (phase + i / 12.0));
}

static void write_sensor(struct process *p, uint32_t a, const struct process_now *now, const struct moment *moment,
                         struct block *block, struct chance *chance)
{
    double level = level_of(p, a, now, moment->severity) + p->own_sway[a] * wander_next(&p->own[a], chance);
    double slope = p->unrest[a] * chance_gauss(chance), phase = chance_between(chance, 0, 1);
    double noise = p->noise[a] * (p->fault == NOISY && a == p->axis ? 1 + 0.2 * moment->severity : 1);
    double stuck = p->fault == STUCK && a == p->axis ? 1 - exp(-0.2 * moment->severity) : 0;

    for (uint32_t i = 0; i < block->size; i++)
        block->x[a][i] = level + slope * ((i + 0.5) / block->size - 0.5) + hunting(p, a, moment->severity, phase, i);
    signal_noise(block->x[a], block->size, noise, chance);
    for (uint32_t i = 0; i < block->size; i++)
        block->x[a][i] = p->base[a] + p->span[a] * ((1 - stuck) * block->x[a][i] + stuck * p->frozen);
}

static bool process_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    struct process *p = machine->state;
    struct chance *chance = &machine->chance;
    struct process_now now = { .hour = fmod(p->hour + moment->t * p->hours_per_buffer, 24) };

    now.weather = wander_next(&p->weather, chance);
    now.load = wander_next(&p->load, chance);
    now.works = p->shifts && now.hour >= 6 && now.hour < 22;
    for (uint32_t a = 0; a < block->axes; a++)
        write_sensor(p, a, &now, moment, block, chance);
    return true;
}

const struct kind kind_process = { "process", sizeof(struct process), process_draw, process_write };
