#include "regime.h"

#include <math.h>
#include <string.h>

#include "kinds.h"

enum { LONGEST_STAY = 20, MOST_AXES = 3 };

static const char *const names[REGIME_FAMILIES] = {
    [REGIME_SPEEDS] = "speeds", [REGIME_SPECTRUM] = "spectrum", [REGIME_LEVELS] = "levels"
};

const char *regime_family_name(enum regime_family family)
{
    return names[family];
}

/* --------------------------------------------------------------------------------------------------------- machines */

/* Of one axis: how strongly each harmonic is felt, and what noise makes of the structure. */
struct character {
    double harmonic[3], noise, pole, frequency, unit;
};

static struct character any_character(struct chance *chance)
{
    struct character c = { .noise = chance_scale(chance, 0.1, 0.5),
                           .pole = chance_between(chance, 0.5, 0.9),
                           .frequency = chance_between(chance, 0.05, 0.4),
                           .unit = chance_scale(chance, 1e-2, 1e2) };

    for (int h = 0; h < 3; h++)
        c.harmonic[h] = chance_scale(chance, 0.2, 1) / (h + 1);
    return c;
}

/* Forces grow with the square of the speed, noise with the speed; the resonance stays where it is. */
static void run_at(struct axis *axis, const struct character *c, double speed, double base)
{
    axis->noise = c->noise * c->unit * speed;
    axis->pole = c->pole;
    axis->frequency = c->frequency;
    axis->tones = 3;
    for (int h = 0; h < 3; h++) {
        axis->tone[h].frequency = base * speed * (h + 1);
        axis->tone[h].amplitude = c->harmonic[h] * c->unit * speed * speed;
    }
}

static void draw_speeds(struct signal regime[REGIMES], struct chance *chance)
{
    const double base = chance_between(chance, 0.03, 0.05), ratio = chance_between(chance, 1.2, 1.45);

    for (unsigned int a = 0; a < regime[0].axes; a++) {
        const struct character c = any_character(chance);

        for (int r = 0; r < REGIMES; r++)
            run_at(&regime[r].axis[a], &c, pow(ratio, r), base);
    }
}

/* Noise through another resonance in each regime, and one tone that is elsewhere; the power stays the same. */
static void draw_spectra(struct signal regime[REGIMES], struct chance *chance)
{
    for (unsigned int a = 0; a < regime[0].axes; a++) {
        const double unit = chance_scale(chance, 1e-2, 1e2), first = chance_between(chance, 0.04, 0.06);

        for (int r = 0; r < REGIMES; r++) {
            struct axis *axis = &regime[r].axis[a];

            axis->noise = unit;
            axis->pole = 0.85;
            axis->frequency = first * pow(1.9, r);
            axis->tones = 1;
            axis->tone[0].frequency = first * pow(1.7, REGIMES - 1 - r);
            axis->tone[0].amplitude = unit;
        }
    }
}

static void draw_levels(struct signal regime[REGIMES], struct chance *chance)
{
    for (unsigned int a = 0; a < regime[0].axes; a++) {
        const double unit = chance_scale(chance, 1e-2, 1e2);

        for (int r = 0; r < REGIMES; r++) {
            struct axis *axis = &regime[r].axis[a];

            axis->noise = unit;
            axis->level_sd = 0.5 * unit;
            axis->level = unit * (chance_between(chance, -20, 20));
        }
    }
}

static void (*const draw[REGIME_FAMILIES])(struct signal regime[REGIMES], struct chance *chance) = {
    [REGIME_SPEEDS] = draw_speeds, [REGIME_SPECTRUM] = draw_spectra, [REGIME_LEVELS] = draw_levels
};

void regimes_draw(enum regime_family family, struct signal regime[REGIMES], struct chance *chance)
{
    const unsigned int axes = 1 + (unsigned int)(chance_bits(chance) % MOST_AXES);
    const unsigned int samples = 64u << (chance_bits(chance) % 3);

    for (int r = 0; r < REGIMES; r++)
        signal_init(&regime[r], family == REGIME_LEVELS ? samples / 4 : samples, axes, chance);
    draw[family](regime, chance);
    for (int r = 0; r < REGIMES; r++)
        signal_start(&regime[r]);
}

/* ------------------------------------------------------------------------------------------------------------ order */

struct stay {
    unsigned int regime, length;
};

static void shuffle(struct stay *stay, unsigned int count, struct chance *chance)
{
    for (unsigned int i = count; i > 1; i--) {
        const unsigned int k = (unsigned int)(chance_bits(chance) % i);
        const struct stay other = stay[k];

        stay[k] = stay[i - 1];
        stay[i - 1] = other;
    }
}

void regimes_order(const unsigned int share[REGIMES], unsigned char *order, unsigned int length, struct chance *chance)
{
    struct stay stay[1024];
    unsigned int stays = 0;

    for (unsigned int r = 0; r < REGIMES; r++)
        for (unsigned int left = share[r] * length / 100; left > 0 && stays < 1024; stays++) {
            const unsigned int wish = 1 + (unsigned int)(chance_bits(chance) % LONGEST_STAY);

            stay[stays].regime = r;
            stay[stays].length = wish < left ? wish : left;
            left -= stay[stays].length;
        }
    shuffle(stay, stays, chance);
    for (unsigned int s = 0; s < stays; s++) {
        memset(order, (int)stay[s].regime, stay[s].length);
        order += stay[s].length;
    }
}
