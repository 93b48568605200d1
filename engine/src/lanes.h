/* Four floats that are computed side by side: in one vector register where there are vectors, one after the other where
 * there are none, with the same bits. The order in which sums are taken is therefore the same on every processor. */
#ifndef HABIT_LANES_H
#define HABIT_LANES_H

#include <stdint.h>
#include <string.h>

enum { HABIT_LANES = 4 };

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t lanes_mask __attribute__((vector_size(16)));

static inline lanes lanes_of(float x)
{
    return (lanes){ x, x, x, x };
}

static inline lanes lanes_load(const float *x)
{
    lanes v;

    memcpy(&v, x, sizeof(v));
    return v;
}

static inline void lanes_store(float *x, lanes v)
{
    memcpy(x, &v, sizeof(v));
}

static inline float lanes_sum(lanes v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

static inline lanes lanes_select(lanes_mask mask, lanes yes, lanes no)
{
    return (lanes)((mask & (lanes_mask)yes) | (~mask & (lanes_mask)no));
}

static inline lanes lanes_larger(lanes a, lanes b)
{
    return lanes_select(a > b, a, b);
}

static inline lanes lanes_smaller(lanes a, lanes b)
{
    return lanes_select(a < b, a, b);
}

static inline lanes lanes_absolute(lanes v)
{
    const lanes_mask sign = { INT32_MIN, INT32_MIN, INT32_MIN, INT32_MIN };

    return (lanes)((lanes_mask)v & ~sign);
}

/* See habit_without_dust(). */
static inline lanes lanes_without_dust(lanes v, float dust)
{
    return (lanes)((lanes_mask)v & (lanes_absolute(v) >= lanes_of(dust)));
}

#endif
