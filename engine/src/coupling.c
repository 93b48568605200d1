#include "coupling.h"

#include "block.h"
#include "maths.h"

#define LIMIT     5.0f  /* standard deviations that one buffer may add */
#define LEAST_VAR 1e-6f /* of a feature that never moved */

uint32_t habit_coupling_words(const struct habit_shape *shape)
{
    return shape->coupled == 0 ? 0 : 1 + shape->coupled * habit_triangle(shape->blocks);
}

/* One feature as a block: the same on every axis. */
static struct habit_shape across(const struct habit_shape *shape)
{
    return (struct habit_shape){ .dimension = shape->blocks, .part = shape->blocks, .blocks = 1 };
}

static void take(const struct habit_shape *shape, const float *white, uint32_t feature, float *x)
{
    for (uint32_t block = 0; block < shape->blocks; block++)
        x[block] = white[block * shape->part + feature];
}

void habit_coupling_add(struct habit_coupling *coupling, const struct habit_shape *shape, const float *white,
                        float weight, float *work)
{
    const struct habit_shape one = across(shape);

    coupling->weight += weight;
    for (uint32_t feature = 0; feature < shape->coupled; feature++) {
        take(shape, white, feature, work);
        for (uint32_t i = 0; i < one.part; i++)
            work[i] = habit_within(work[i], LIMIT);
        habit_scatter_add(coupling->scatter + feature * habit_triangle(one.part), &one, work, weight);
    }
}

static float square_of(const float *x, uint32_t count)
{
    float sum = 0.0f;

    for (uint32_t i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sum;
}

void habit_coupling_prepare(const struct habit_coupling *coupling, const struct habit_shape *shape, float *factor,
                            float *work)
{
    const struct habit_shape one = across(shape);
    const uint32_t size = habit_triangle(one.part);
    const float scale = 1.0f / habit_larger(coupling->weight, 1.0f);
    float *inverse_sd = work;

    for (uint32_t feature = 0; feature < shape->coupled; feature++) {
        const float *scatter = coupling->scatter + feature * size;

        habit_scatter_diagonal(scatter, &one, inverse_sd);
        for (uint32_t i = 0; i < one.part; i++)
            inverse_sd[i] = 1.0f / sqrtf(inverse_sd[i] * scale + LEAST_VAR);
        habit_blocks_factor(factor + feature * size, scatter, &one, scale, inverse_sd,
                            habit_larger(coupling->weight, 1.0f));
    }
}

float habit_coupling_square(const float *factor, const struct habit_shape *shape, const float *white, float *work)
{
    const uint32_t size = habit_triangle(shape->blocks);
    float sum = 0.0f;

    for (uint32_t feature = 0; feature < shape->coupled; feature++) {
        take(shape, white, feature, work);
        sum += habit_block_solve(factor + feature * size, work, shape->blocks);
    }
    for (uint32_t block = 0; block < shape->blocks; block++)
        sum += square_of(white + block * shape->part + shape->coupled, shape->part - shape->coupled);
    return sum;
}
