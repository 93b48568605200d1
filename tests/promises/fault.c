#include "fault.h"

#include <math.h>

#include "kinds.h"

enum { GRADE_STEPS = 10, GRADE_BUFFERS = 60 };

#define SMALLEST    0.003
#define LARGEST     100.0
#define NEAR_ENOUGH 0.04 /* less than what so many buffers say */

static const char *const names[FAULTS] = {
    [FAULT_TONE] = "tone",     [FAULT_GAIN] = "gain", [FAULT_LEVEL] = "level",
    [FAULT_SHOCKS] = "shocks", [FAULT_LOSS] = "loss",
};

const char *fault_name(enum fault_kind kind)
{
    return names[kind];
}

static struct tone *strongest_tone(struct axis *axis)
{
    struct tone *strongest = &axis->tone[0];

    for (unsigned int t = 1; t < axis->tones; t++)
        if (axis->tone[t].amplitude > strongest->amplitude)
            strongest = &axis->tone[t];
    return strongest;
}

bool fault_draw(struct fault *fault, enum fault_kind kind, const struct signal *healthy, struct chance *chance)
{
    struct signal copy = *healthy;
    struct axis *axis;

    fault->kind = kind;
    fault->axis = (unsigned int)(chance_bits(chance) % healthy->axes);
    fault->frequency = chance_scale(chance, 3.0 / healthy->samples, 0.45);
    fault->size = 1;
    axis = &copy.axis[fault->axis];
    if (kind == FAULT_LOSS && axis->tones > 0)
        fault->frequency = strongest_tone(axis)->frequency;
    return (kind == FAULT_LEVEL || healthy->samples > 1) && (kind != FAULT_LOSS || axis->tones > 0) &&
           (kind != FAULT_TONE || axis->tones < SIGNAL_TONES);
}

/* ---------------------------------------------------------------------------------------------------------- recipes */

static void add_tone(const struct fault *fault, struct axis *axis, double rms)
{
    axis->tone[axis->tones++] =
        (struct tone){ .frequency = fault->frequency, .amplitude = M_SQRT2 * fault->size * rms };
}

static void louder(const struct fault *fault, struct axis *axis, double rms)
{
    (void)rms;
    axis->noise *= 1 + fault->size;
    axis->shocks.height *= 1 + fault->size;
    for (unsigned int t = 0; t < axis->tones; t++)
        axis->tone[t].amplitude *= 1 + fault->size;
}

static void shift(const struct fault *fault, struct axis *axis, double rms)
{
    axis->level += fault->size * hypot(rms, axis->level_sd);
}

static void add_shocks(const struct fault *fault, struct axis *axis, double rms)
{
    axis->shocks = (struct shocks){
        .each_buffer = 3, .steady = true, .height = 3 * fault->size * rms, .frequency = fault->frequency, .decay = 3
    };
}

static void weaken(const struct fault *fault, struct axis *axis, double rms)
{
    (void)rms;
    strongest_tone(axis)->amplitude *= exp(-fault->size);
}

static void (*const change[FAULTS])(const struct fault *fault, struct axis *axis, double rms) = {
    [FAULT_TONE] = add_tone,     [FAULT_GAIN] = louder, [FAULT_LEVEL] = shift,
    [FAULT_SHOCKS] = add_shocks, [FAULT_LOSS] = weaken,
};

struct signal fault_apply(const struct fault *fault, const struct signal *healthy)
{
    struct signal faulty = *healthy;

    change[fault->kind](fault, &faulty.axis[fault->axis], signal_rms(healthy, fault->axis));
    return faulty;
}

/* ------------------------------------------------------------------------------------------------------------ grade */

static double caught(const struct fault *fault, struct machine *machine, const struct signal *healthy)
{
    struct signal faulty = fault_apply(fault, healthy);

    return machine_alarm_rate(machine, &faulty, GRADE_BUFFERS);
}

/* Bisection: every size is tried on the same chance, so what a size catches a larger one catches too. */
double fault_grade(struct fault *fault, struct machine *machine, const struct signal *healthy, double target)
{
    double low = log(SMALLEST), high = log(LARGEST);
    double reached = 0, nearest = 2, best = 1;

    for (int step = 0; step < GRADE_STEPS && nearest > NEAR_ENOUGH; step++) {
        double rate;

        fault->size = exp(0.5 * (low + high));
        rate = caught(fault, machine, healthy);
        if (fabs(rate - target) < nearest) {
            nearest = fabs(rate - target);
            reached = rate;
            best = fault->size;
        }
        if (rate < target)
            low = log(fault->size);
        else
            high = log(fault->size);
    }
    fault->size = best;
    return reached;
}
