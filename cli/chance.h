/* Random numbers that a seed repeats on every system. */
#ifndef HABIT_CLI_CHANCE_H
#define HABIT_CLI_CHANCE_H

#include <stdint.h>

struct chance {
    uint64_t state; /* the seed, at first; any value is fine */
};

/* 64 random bits: SplitMix64 (Steele, Lea, Flood, OOPSLA 2014). */
uint64_t chance_bits(struct chance *chance);

/* Evenly in [low, high). */
double chance_between(struct chance *chance, double low, double high);

/* Gaussian, mean 0, standard deviation 1. */
double chance_gauss(struct chance *chance);

#endif
