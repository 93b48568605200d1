/* Complex numbers, as many side by side as there are lanes: four where the compiler has vectors, else one. In memory real
 * and imaginary parts take turns. */
#ifndef HABIT_POINTS_H
#define HABIT_POINTS_H

#include "lanes.h"

#if HABIT_VECTORS

enum { HABIT_POINTS = HABIT_LANES };

typedef lanes number;

#define SELECT(a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)

LANES_INLINE number number_of(float x)
{
    return lanes_of(x);
}

LANES_INLINE number number_load(const float *x)
{
    return lanes_load(x);
}

LANES_INLINE void number_store(float *x, number p)
{
    lanes_store(x, p);
}

LANES_INLINE number number_backwards(number p)
{
    return SELECT(p, p, 3, 2, 1, 0);
}

#else

enum { HABIT_POINTS = 1 };

typedef float number;

LANES_INLINE number number_of(float x)
{
    return x;
}

LANES_INLINE number number_load(const float *x)
{
    return *x;
}

LANES_INLINE void number_store(float *x, number p)
{
    *x = p;
}

LANES_INLINE number number_backwards(number p)
{
    return p;
}

#endif

struct points {
    number re, im;
};

LANES_INLINE struct points points_of(const float *x)
{
    return (struct points){ number_of(x[0]), number_of(x[1]) };
}

LANES_INLINE struct points points_multiply(struct points a, struct points b)
{
    return (struct points){ a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re };
}

LANES_INLINE struct points points_backwards(struct points p)
{
    return (struct points){ number_backwards(p.re), number_backwards(p.im) };
}

#if HABIT_VECTORS

LANES_INLINE struct points points_load(const float *x)
{
    const lanes a = lanes_load(x), b = lanes_load(x + 4);

    return (struct points){ SELECT(a, b, 0, 2, 4, 6), SELECT(a, b, 1, 3, 5, 7) };
}

LANES_INLINE void points_store(float *x, struct points p)
{
    lanes_store(x, SELECT(p.re, p.im, 0, 4, 1, 5));
    lanes_store(x + 4, SELECT(p.re, p.im, 2, 6, 3, 7));
}

/* Two neighbours from each of four places that are eight floats apart. */
LANES_INLINE void points_load_across(const float *x, struct points *p, struct points *q)
{
    const lanes a = lanes_load(x), b = lanes_load(x + 8), c = lanes_load(x + 16), d = lanes_load(x + 24);
    const lanes p_ab = SELECT(a, b, 0, 4, 1, 5), p_cd = SELECT(c, d, 0, 4, 1, 5);
    const lanes q_ab = SELECT(a, b, 2, 6, 3, 7), q_cd = SELECT(c, d, 2, 6, 3, 7);

    p->re = SELECT(p_ab, p_cd, 0, 1, 4, 5);
    p->im = SELECT(p_ab, p_cd, 2, 3, 6, 7);
    q->re = SELECT(q_ab, q_cd, 0, 1, 4, 5);
    q->im = SELECT(q_ab, q_cd, 2, 3, 6, 7);
}

LANES_INLINE void points_store_across(float *x, struct points p, struct points q)
{
    const lanes p_ab = SELECT(p.re, p.im, 0, 4, 1, 5), p_cd = SELECT(p.re, p.im, 2, 6, 3, 7);
    const lanes q_ab = SELECT(q.re, q.im, 0, 4, 1, 5), q_cd = SELECT(q.re, q.im, 2, 6, 3, 7);

    lanes_store(x, SELECT(p_ab, q_ab, 0, 1, 4, 5));
    lanes_store(x + 8, SELECT(p_ab, q_ab, 2, 3, 6, 7));
    lanes_store(x + 16, SELECT(p_cd, q_cd, 0, 1, 4, 5));
    lanes_store(x + 24, SELECT(p_cd, q_cd, 2, 3, 6, 7));
}

#else

LANES_INLINE struct points points_load(const float *x)
{
    return points_of(x);
}

LANES_INLINE void points_store(float *x, struct points p)
{
    x[0] = p.re;
    x[1] = p.im;
}

#endif

#endif
