/* Four floats that are computed side by side: one vector register where the compiler has such, four scalar ones elsewhere.
 * The operations are the same and so is their order, so the bits are: four sums, added at the end in a fixed order. */
#ifndef HABIT_LANES_H
#define HABIT_LANES_H

#include <stdint.h>
#include <string.h>

enum { HABIT_LANES = 4 };

/* Even where code is to be small these must not become calls: their arguments would go through memory. */
#define LANES_INLINE static inline __attribute__((always_inline))

#if (defined(__SSE2__) || defined(__aarch64__)) && !defined(HABIT_SCALAR)
#define HABIT_VECTORS 1
#else
#define HABIT_VECTORS 0
#endif

#if HABIT_VECTORS

typedef float lanes __attribute__((vector_size(16)));
typedef int32_t lanes_whole_numbers __attribute__((vector_size(16)));

LANES_INLINE lanes lanes_of(float x)
{
    return (lanes){ x, x, x, x };
}

LANES_INLINE lanes lanes_load(const float *x)
{
    lanes v;

    memcpy(&v, x, sizeof(v));
    return v;
}

LANES_INLINE void lanes_store(float *x, lanes v)
{
    memcpy(x, &v, sizeof(v));
}

LANES_INLINE lanes lanes_add(lanes a, lanes b)
{
    return a + b;
}

LANES_INLINE lanes lanes_subtract(lanes a, lanes b)
{
    return a - b;
}

LANES_INLINE lanes lanes_multiply(lanes a, lanes b)
{
    return a * b;
}

/* Without what is behind the point; magnitudes below 2^31. */
LANES_INLINE lanes lanes_whole(lanes v)
{
    return __builtin_convertvector(__builtin_convertvector(v, lanes_whole_numbers), lanes);
}

/* What came just before each value, where `before` came before v. */
LANES_INLINE lanes lanes_previous(lanes before, lanes v)
{
    return __builtin_shufflevector(before, v, 3, 4, 5, 6);
}

LANES_INLINE lanes lanes_backwards(lanes v)
{
    return __builtin_shufflevector(v, v, 3, 2, 1, 0);
}

/* Sums of neighbours: two of v, then two of w. */
LANES_INLINE lanes lanes_pairs(lanes v, lanes w)
{
    return __builtin_shufflevector(v, w, 0, 2, 4, 6) + __builtin_shufflevector(v, w, 1, 3, 5, 7);
}

LANES_INLINE float lanes_sum(lanes v)
{
    return (v[0] + v[1]) + (v[2] + v[3]);
}

/* What came in by lanes_pairs(). */
LANES_INLINE float lanes_first_sum(lanes v)
{
    return v[0] + v[1];
}

LANES_INLINE float lanes_second_sum(lanes v)
{
    return v[2] + v[3];
}

LANES_INLINE float lanes_last(lanes v)
{
    return v[3];
}

#else

typedef struct {
    float a, b, c, d;
} lanes;

LANES_INLINE lanes lanes_of(float x)
{
    return (lanes){ x, x, x, x };
}

LANES_INLINE lanes lanes_load(const float *x)
{
    return (lanes){ x[0], x[1], x[2], x[3] };
}

LANES_INLINE void lanes_store(float *x, lanes v)
{
    x[0] = v.a;
    x[1] = v.b;
    x[2] = v.c;
    x[3] = v.d;
}

LANES_INLINE lanes lanes_add(lanes v, lanes w)
{
    return (lanes){ v.a + w.a, v.b + w.b, v.c + w.c, v.d + w.d };
}

LANES_INLINE lanes lanes_subtract(lanes v, lanes w)
{
    return (lanes){ v.a - w.a, v.b - w.b, v.c - w.c, v.d - w.d };
}

LANES_INLINE lanes lanes_multiply(lanes v, lanes w)
{
    return (lanes){ v.a * w.a, v.b * w.b, v.c * w.c, v.d * w.d };
}

LANES_INLINE lanes lanes_whole(lanes v)
{
    return (lanes){ (float)(int32_t)v.a, (float)(int32_t)v.b, (float)(int32_t)v.c, (float)(int32_t)v.d };
}

LANES_INLINE lanes lanes_previous(lanes before, lanes v)
{
    return (lanes){ before.d, v.a, v.b, v.c };
}

LANES_INLINE lanes lanes_backwards(lanes v)
{
    return (lanes){ v.d, v.c, v.b, v.a };
}

LANES_INLINE lanes lanes_pairs(lanes v, lanes w)
{
    return (lanes){ v.a + v.b, v.c + v.d, w.a + w.b, w.c + w.d };
}

LANES_INLINE float lanes_sum(lanes v)
{
    return (v.a + v.b) + (v.c + v.d);
}

LANES_INLINE float lanes_first_sum(lanes v)
{
    return v.a + v.b;
}

LANES_INLINE float lanes_second_sum(lanes v)
{
    return v.c + v.d;
}

LANES_INLINE float lanes_last(lanes v)
{
    return v.d;
}

#endif

#endif
