#include "block.h"

#include "maths.h"

#define RIDGE 1e-6f /* added to the diagonal of a correlation */

void habit_scatter_add(float *scatter, const struct habit_shape *shape, const float *d, float weight)
{
    for (uint32_t block = 0; block < shape->blocks; block++, d += shape->part)
        for (uint32_t i = 0; i < shape->part; i++) {
            const float weighted = weight * d[i];

            for (uint32_t j = 0; j <= i; j++, scatter++)
                *scatter = habit_without_dust(*scatter + weighted * d[j], HABIT_DUST);
        }
}

void habit_scatter_diagonal(const float *scatter, const struct habit_shape *shape, float *diagonal)
{
    for (uint32_t block = 0; block < shape->blocks; block++)
        for (uint32_t i = 0; i < shape->part; i++) {
            scatter += i;
            *diagonal++ = *scatter++;
        }
}

/* Writes the correlations below the diagonal; returns the sum of their squares. */
static float correlate(float *factor, const float *scatter, uint32_t size, float scale, const float *inverse_sd)
{
    float squares = 0.0f;

    for (uint32_t i = 0; i < size; i++, factor++, scatter++) {
        const float row = scale * inverse_sd[i];

        for (uint32_t j = 0; j < i; j++, factor++, scatter++) {
            *factor = habit_without_dust(*scatter * row * inverse_sd[j], 1e-12f);
            squares += *factor * *factor;
        }
    }
    return squares;
}

/* Oracle approximating shrinkage (Chen, Wiesel, Eldar, Hero 2010): how far a correlation from so few samples should be drawn
 * to the identity. squares: of one triangle without the diagonal, so the trace of R^2 is p + 2 squares. */
static float shrinkage(float squares, uint32_t size, float samples)
{
    const float p = (float)size;
    const float part = 1.0f - 2.0f / p;
    const float denominator = (samples + part) * 2.0f * squares;
    const float numerator = part * (p + 2.0f * squares) + p * p;

    return numerator < denominator ? numerator / denominator : 1.0f;
}

float habit_block_solve(const float *factor, float *x, uint32_t size)
{
    float rest = x[0], sum = 0.0f;

    for (uint32_t i = 0;;) {
        const float *solved = x;

        x[i] = rest;
        sum += rest * rest * *factor++;
        if (++i == size)
            return sum;
        rest = x[i];
        do
            rest -= *factor++ * *solved++;
        while (solved != x + i);
    }
}

/* In place, of correlations that are multiplied by `keep`. False where the matrix is not positive definite, which no shrunk
 * correlation is. */
static bool decompose(float *factor, uint32_t size, float keep)
{
    float *row = factor;
    float sum = 0.0f;

    for (uint32_t i = 0; i < size; i++) {
        const float *reciprocal = factor;
        float pivot;

        if (i > 0)
            sum = habit_block_solve(factor, row, i);
        pivot = 1.0f + RIDGE - keep * keep * sum;
        if (!(pivot >= 0.5f * RIDGE))
            return false;
        for (uint32_t j = 0; j < i; j++) {
            *row++ *= keep * *reciprocal;
            reciprocal += j + 2;
        }
        *row++ = 1.0f / pivot;
    }
    return true;
}

/* Only the knowledge of a hostile block can come here: correlations that contradict each other are left out. */
static void factor_identity(float *factor, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        for (uint32_t j = 0; j < i; j++)
            *factor++ = 0.0f;
        *factor++ = 1.0f;
    }
}

void habit_blocks_factor(float *factor, const float *scatter, const struct habit_shape *shape, float scale,
                         const float *inverse_sd, float samples)
{
    const uint32_t size = shape->part;

    for (uint32_t block = 0; block < shape->blocks; block++) {
        const float squares = correlate(factor, scatter, size, scale, inverse_sd);

        if (!decompose(factor, size, 1.0f - shrinkage(squares, size, samples)))
            factor_identity(factor, size);
        factor += habit_triangle(size);
        scatter += habit_triangle(size);
        inverse_sd += size;
    }
}

void habit_blocks_whiten(const float *factor, const struct habit_shape *shape, const float *inverse_sd, const float *x,
                         const float *point, float *white)
{
    for (uint32_t i = 0; i < shape->dimension; i++)
        white[i] = (x[i] - point[i]) * inverse_sd[i];
    for (uint32_t block = 0; block < shape->blocks; block++) {
        (void)habit_block_solve(factor, white, shape->part);
        for (uint32_t i = 0; i < shape->part; i++) {
            factor += i;
            *white++ *= sqrtf(*factor++);
        }
    }
}

#if HABIT_VECTORS

/* habit_block_solve() for as many x side by side as there are lanes. */
static number solve_numbers(const float *factor, float *x, uint32_t size)
{
    number rest = number_load(x), sum = number_of(0.0f);

    for (uint32_t i = 0;;) {
        number_store(x + i * HABIT_POINTS, rest);
        sum += rest * rest * *factor++;
        if (++i == size)
            return sum;
        rest = number_load(x + i * HABIT_POINTS);
        for (uint32_t j = 0; j < i; j++)
            rest -= *factor++ * number_load(x + j * HABIT_POINTS);
    }
}

#else

static number solve_numbers(const float *factor, float *x, uint32_t size)
{
    return habit_block_solve(factor, x, size);
}

#endif

void habit_blocks_distances(const float *factor, const struct habit_shape *shape, const float *inverse_sd,
                            const float *x, const float *const points[HABIT_POINTS], float *work,
                            float distance[HABIT_POINTS])
{
    number sum = number_of(0.0f);
    uint32_t at = 0;

    for (uint32_t block = 0; block < shape->blocks; block++) {
        for (uint32_t i = 0; i < shape->part; i++, at++)
            for (uint32_t k = 0; k < HABIT_POINTS; k++)
                work[i * HABIT_POINTS + k] = (x[at] - points[k][at]) * inverse_sd[at];
        sum += solve_numbers(factor, work, shape->part);
        factor += habit_triangle(shape->part);
    }
    number_store(distance, sum);
}
