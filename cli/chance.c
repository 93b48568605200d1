#include "chance.h"

#include <math.h>

uint64_t chance_bits(struct chance *chance)
{
    uint64_t z = chance->state += UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double chance_between(struct chance *chance, double low, double high)
{
    return low + (high - low) * (double)(chance_bits(chance) >> 11) * 0x1p-53;
}

/* Box and Muller; the second of the pair is not kept, so that the state is the seed alone. */
double chance_gauss(struct chance *chance)
{
    double radius = sqrt(-2 * log(1 - chance_between(chance, 0, 1)));

    return radius * cos(2 * M_PI * chance_between(chance, 0, 1));
}
