#include "rotor.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------------------------- making */

static struct rotor *rotor_of(const struct machine *machine)
{
    return machine->state;
}

void rotor_begin(struct machine *machine, double speed, double strength, struct chance *chance)
{
    struct rotor *rotor = rotor_of(machine);

    rotor->nominal_speed = speed;
    rotor->strength = strength;
    for (uint32_t a = 0; a < machine->axes; a++) {
        rotor->resonance[a] = chance_between(chance, 0.12, 0.42);
        rotor->damping[a] = chance_between(chance, 0.8, 0.97);
        rotor->mode_hz[a] = draw_log(chance, 15, 1000);
        rotor->mode_q[a] = draw_log(chance, 2, 15);
        rotor->mount[a] = wander_start(chance, 0.95);
        rotor->creep[a] = wander_start(chance, 0.98);
        rotor->offset[a] = strength * chance_between(chance, -3, 3);
    }
    rotor->mount_sway = draw_log(chance, 0.002, 0.02);
    rotor->offset_sway = strength * draw_log(chance, 0.001, 0.05);
    rotor->sensor_noise = strength * draw_log(chance, 0.01, 0.3);
    if (chance_between(chance, 0, 1) < 0.5)
        machine->resolution = rotor->sensor_noise * chance_between(chance, 0.2, 1.5);
    rotor->speed_sway = draw_log(chance, 0.0005, 0.01);
    rotor->load_sway = draw_log(chance, 0.01, 0.08);
    rotor->speed_wander = wander_start(chance, chance_between(chance, 0.7, 0.97));
    rotor->load_wander = wander_start(chance, chance_between(chance, 0.5, 0.97));
    rotor->run_in_buffers = 1;
    rotor->state[0] = (struct rotor_state){ .speed = speed, .load = 1 };
    rotor->regimes.count = 1;
}

struct rotor *rotor_draw(struct machine *machine, struct chance *chance, uint32_t low, uint32_t high)
{
    draw_geometry(machine, chance, low, high);
    machine->sampling_hz = draw_log(chance, 1600, 26000);
    rotor_begin(machine, draw_log(chance, 8, 60), draw_log(chance, 0.01, 100), chance);
    return rotor_of(machine);
}

void rotor_states(struct rotor *rotor, unsigned int count, double stay_low, double stay_high, struct chance *chance)
{
    regimes_start(&rotor->regimes, count, stay_low, stay_high, chance);
}

static struct source draw_source(const struct machine *machine, double share, struct habits habits,
                                 struct chance *chance)
{
    struct source source = { .habits = habits };

    source.wander = wander_start(chance, chance_between(chance, 0.6, 0.97));
    for (uint32_t a = 0; a < machine->axes; a++)
        source.gain[a] = share * rotor_of(machine)->strength * chance_between(chance, 0.3, 1.4);
    return source;
}

void rotor_tone(struct machine *machine, double order, double hz, double share, struct habits habits,
                struct chance *chance)
{
    struct rotor *rotor = rotor_of(machine);
    struct rotor_tone *tone = &rotor->tone[rotor->tones];

    if (rotor->tones == ROTOR_TONES)
        return;
    rotor->tones++;
    tone->source = draw_source(machine, share * M_SQRT2, habits, chance);
    tone->order = order;
    tone->hz = hz;
    for (uint32_t a = 0; a < machine->axes; a++)
        tone->turn[a] = chance_between(chance, 0, 1);
}

void rotor_rush(struct machine *machine, double frequency, double radius, double share, struct habits habits,
                struct chance *chance)
{
    struct rotor *rotor = rotor_of(machine);
    struct rotor_rush *rush = &rotor->rush[rotor->rushes];

    if (rotor->rushes == ROTOR_RUSHES)
        return;
    rotor->rushes++;
    rush->source = draw_source(machine, share, habits, chance);
    rush->coherence = chance_between(chance, 0, 1);
    for (uint32_t a = 0; a < machine->axes; a++) {
        rush->filter[a] = resonator_at(frequency * chance_between(chance, 0.9, 1.1), radius);
        rush->source.gain[a] *= rush->filter[a].for_noise;
    }
}

void rotor_knock(struct machine *machine, double per_turn, double per_second, double share, struct habits habits,
                 struct chance *chance)
{
    struct rotor *rotor = rotor_of(machine);
    struct rotor_knock *knock = &rotor->knock[rotor->knocks];

    if (rotor->knocks == ROTOR_KNOCKS)
        return;
    rotor->knocks++;
    knock->source = draw_source(machine, share, habits, chance);
    knock->per_turn = per_turn;
    knock->per_second = per_second;
    knock->slip = chance_between(chance, 0.005, 0.03);
    for (uint32_t a = 0; a < machine->axes; a++)
        knock->filter[a] = resonator_at(rotor->resonance[a], rotor->damping[a]);
}

void rotor_locked_knock(struct machine *machine, double at, double share, struct habits habits, struct chance *chance)
{
    struct rotor *rotor = rotor_of(machine);

    rotor_knock(machine, 1, 0, share, habits, chance);
    rotor->knock[rotor->knocks - 1].locked = true;
    rotor->knock[rotor->knocks - 1].at = at;
}

void rotor_harmonics(struct machine *machine, unsigned int highest, double share, struct chance *chance)
{
    struct habits habits = { .with_load = 0.2, .with_speed = 2, .flutter = 0.03 };

    for (unsigned int order = 1; order <= highest; order++) {
        habits.sway = draw_log(chance, 0.01, 0.08);
        rotor_tone(machine, order, 0, share * chance_between(chance, 0.3, 1) / order, habits, chance);
    }
}

void rotor_mesh(struct machine *machine, double order, double share, struct habits habits, struct chance *chance)
{
    rotor_tone(machine, order, 0, share, habits, chance);
    rotor_tone(machine, order - 1, 0, share * chance_between(chance, 0.05, 0.3), habits, chance);
    rotor_tone(machine, order + 1, 0, share * chance_between(chance, 0.05, 0.3), habits, chance);
}

/* ---------------------------------------------------------------------------------------------------------- writing */

static double strength_now(struct source *source, const struct rotor_state *now, const struct rotor *rotor,
                           const struct moment *moment, struct chance *chance)
{
    const struct habits *habits = &source->habits;
    double strength = exp(habits->sway * wander_next(&source->wander, chance) + habits->flutter * chance_gauss(chance));

    strength *= pow(now->load, habits->with_load) * pow(now->speed / rotor->nominal_speed, habits->with_speed);
    strength *= 1 + habits->run_in * exp(-(double)moment->t / rotor->run_in_buffers);
    if (habits->faulty)
        strength *= moment->severity * (rotor->grows ? 0.3 + moment->grown : 1);
    if (habits->fades)
        strength *= exp(-0.2 * moment->severity);
    return strength;
}

/* How much more an axis feels a tone near the frame's own frequency: half of the path leads through the frame. */
static double response_of(const struct rotor *rotor, uint32_t axis, double hz)
{
    double ratio = hz / rotor->mode_hz[axis], off = 1 - ratio * ratio, damped = ratio / rotor->mode_q[axis];

    return 0.5 + 0.5 / sqrt(off * off + damped * damped);
}

static void write_tone(struct rotor_tone *tone, const struct machine *machine, const struct rotor_state *now,
                       double angle, double strength, struct block *block)
{
    double hz = tone->order * now->speed + tone->hz;
    struct tone_wave wave = { .frequency = hz / machine->sampling_hz, .start = tone->order * angle };

    if (wave.frequency <= 0 || wave.frequency > 0.45 || strength <= 0) /* the sensor filters what it cannot sample */
        return;
    for (uint32_t a = 0; a < block->axes; a++) {
        wave.amplitude[a] = strength * tone->source.gain[a] * response_of(rotor_of(machine), a, hz);
        wave.turn[a] = tone->turn[a];
    }
    signal_tone(block, &wave);
}

static void modulate(double *noise, const struct rotor_rush *rush, double turns_per_sample, double angle, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        noise[i] *= 1 + rush->swell * cos(2 * M_PI * rush->order * (angle + i * turns_per_sample));
}

static void write_rush(struct rotor_rush *rush, double turns_per_sample, double angle, double strength,
                       struct block *block, struct chance *chance)
{
    static double shared[BED_SAMPLES], noise[BED_SAMPLES];

    memset(shared, 0, block->size * sizeof(shared[0]));
    signal_noise(shared, block->size, sqrt(rush->coherence), chance);
    for (uint32_t a = 0; a < block->axes; a++) {
        memcpy(noise, shared, block->size * sizeof(noise[0]));
        signal_noise(noise, block->size, sqrt(1 - rush->coherence), chance);
        if (rush->swell > 0)
            modulate(noise, rush, turns_per_sample, angle, block->size);
        resonator_add(&rush->filter[a], block->x[a], noise, block->size, strength * rush->source.gain[a]);
    }
}

/* Samples from the buffer's start to the first knock. */
static double first_knock(const struct rotor_knock *knock, double rate, double angle, struct chance *chance)
{
    double at = chance_between(chance, 0, 1);

    if (knock->locked)
        at = knock->at - angle - floor(knock->at - angle);
    return at / rate;
}

static void write_knocks(struct rotor_knock *knock, double turns_per_sample, double per_sample, double angle,
                         double strength, struct block *block, struct chance *chance)
{
    static double hit[BED_SAMPLES];
    double rate = knock->per_turn * turns_per_sample + knock->per_second * per_sample;
    double next = rate > 0 ? first_knock(knock, rate, angle, chance) : block->size;

    memset(hit, 0, block->size * sizeof(hit[0]));
    while (next < block->size) {
        double turn = angle + next * turns_per_sample, slip = knock->slip * chance_gauss(chance);

        hit[(size_t)next] += chance_between(chance, 0.7, 1.3) * (1 - knock->zone * 0.5 * (1 - cos(2 * M_PI * turn)));
        next += fmax(1, (knock->locked ? 1 : 1 + slip) / rate);
    }
    for (uint32_t a = 0; a < block->axes; a++)
        resonator_add(&knock->filter[a], block->x[a], hit, block->size, strength * knock->source.gain[a]);
}

static void write_state(struct machine *machine, const struct moment *moment, const struct rotor_state *now,
                        struct block *block)
{
    struct rotor *rotor = rotor_of(machine);
    struct chance *chance = &machine->chance;
    double angle = chance_between(chance, 0, 100), turns = now->speed / machine->sampling_hz;

    for (unsigned int i = 0; i < rotor->tones; i++)
        write_tone(&rotor->tone[i], machine, now, angle,
                   strength_now(&rotor->tone[i].source, now, rotor, moment, chance), block);
    for (unsigned int i = 0; i < rotor->rushes; i++)
        write_rush(&rotor->rush[i], turns, angle, strength_now(&rotor->rush[i].source, now, rotor, moment, chance),
                   block, chance);
    for (unsigned int i = 0; i < rotor->knocks; i++)
        write_knocks(&rotor->knock[i], turns, 1 / machine->sampling_hz, angle,
                     strength_now(&rotor->knock[i].source, now, rotor, moment, chance), block, chance);
}

static struct rotor_state state_now(struct rotor *rotor, unsigned int regime, struct chance *chance)
{
    struct rotor_state now = rotor->state[regime];
    double faster = exp(rotor->speed_sway * wander_next(&rotor->speed_wander, chance));

    now.speed *= faster;
    now.load *= exp(rotor->load_sway * wander_next(&rotor->load_wander, chance)) * pow(faster, rotor->load_per_speed);
    return now;
}

/* The buffer in which the machine changes: the old state up to a random sample, then, over some samples, the new one. */
static void splice(struct block *block, const struct block *before, struct chance *chance)
{
    double from = chance_between(chance, 0, block->size), width = 1 + chance_between(chance, 0, 0.5) * block->size;

    for (uint32_t a = 0; a < block->axes; a++)
        for (uint32_t i = 0; i < block->size; i++) {
            double share = fmin(1, fmax(0, (i - from) / width));

            block->x[a][i] = share * block->x[a][i] + (1 - share) * before->x[a][i];
        }
}

bool rotor_write(struct machine *machine, const struct moment *moment, struct block *block)
{
    static struct block before;
    struct rotor *rotor = rotor_of(machine);
    struct chance *chance = &machine->chance;
    unsigned int last = rotor->regimes.now;
    bool changes = regimes_next(&rotor->regimes, chance);
    struct rotor_state now = state_now(rotor, rotor->regimes.now, chance);

    write_state(machine, moment, &now, block);
    if (changes && rotor->splices) {
        memset(&before, 0, sizeof(before));
        before.size = block->size;
        before.axes = block->axes;
        write_state(machine, moment, &rotor->state[last], &before);
        splice(block, &before, chance);
    }
    for (uint32_t a = 0; a < block->axes; a++) {
        double creep = rotor->offset_sway * wander_next(&rotor->creep[a], chance);
        double level = rotor->offset[a] + creep + moment->severity * rotor->level_fault[a];
        double coupled = exp(rotor->mount_sway * wander_next(&rotor->mount[a], chance));

        for (uint32_t i = 0; i < block->size; i++)
            block->x[a][i] = coupled * block->x[a][i] + level;
        signal_noise(block->x[a], block->size, rotor->sensor_noise, chance);
    }
    return now.speed > 0;
}
