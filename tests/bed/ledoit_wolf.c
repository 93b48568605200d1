#include "ledoit_wolf.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "heap.h"

static unsigned int count_of(const bool *use, unsigned int rows)
{
    unsigned int count = 0;

    for (unsigned int i = 0; i < rows; i++)
        count += use[i];
    return count;
}

/* A feature that did not move while learning gets a deviation that any later movement is huge against. */
static void standardise(struct ledoit_wolf *model, const double *features, const bool *use, unsigned int rows)
{
    unsigned int n = count_of(use, rows);

    for (unsigned int f = 0; f < model->size; f++) {
        double sum = 0, square = 0;

        for (unsigned int i = 0; i < rows; i++)
            sum += use[i] ? features[i * model->size + f] : 0;
        model->mean[f] = sum / n;
        for (unsigned int i = 0; i < rows; i++) {
            double d = features[i * model->size + f] - model->mean[f];

            square += use[i] ? d * d : 0;
        }
        model->deviation[f] = sqrt(square / n) + 1e-9 * fabs(model->mean[f]) + 1e-12;
    }
}

static void scale_row(const struct ledoit_wolf *model, const double *features, double *row)
{
    for (unsigned int f = 0; f < model->size; f++)
        row[f] = (features[f] - model->mean[f]) / model->deviation[f];
}

/* r = b^2 / d^2 of the paper: d^2 how far S is from mu I, b^2 how far the single rows are from S, at most d^2. */
static double shrinkage_of(const double *z, unsigned int n, unsigned int size, double (*s)[LEDOIT_WOLF_MAX])
{
    double trace = 0, norm = 0, mu, d2, b2 = 0;

    for (unsigned int i = 0; i < size; i++) {
        trace += s[i][i];
        norm += s[i][i] * s[i][i];
        for (unsigned int j = 0; j < i; j++)
            norm += 2 * s[i][j] * s[i][j];
    }
    mu = trace / size;
    d2 = norm - size * mu * mu;
    for (unsigned int row = 0; row < n; row++) { /* |z z' - S|^2 summed = |z|^4 summed - n |S|^2 */
        double length = 0;

        for (unsigned int f = 0; f < size; f++)
            length += z[row * size + f] * z[row * size + f];
        b2 += length * length;
    }
    b2 = (b2 / n - norm) / n;
    return d2 > 0 ? fmin(1, fmax(0, b2 / d2)) : 1;
}

static void covariance_of(const double *z, unsigned int n, unsigned int size, double (*s)[LEDOIT_WOLF_MAX])
{
    for (unsigned int i = 0; i < size; i++)
        memset(s[i], 0, size * sizeof(s[i][0]));
    for (unsigned int row = 0; row < n; row++)
        for (unsigned int i = 0; i < size; i++) {
            double zi = z[row * size + i] / n;

            for (unsigned int j = 0; j <= i; j++)
                s[i][j] += zi * z[row * size + j];
        }
}

static void cholesky(double (*s)[LEDOIT_WOLF_MAX], unsigned int size)
{
    for (unsigned int i = 0; i < size; i++)
        for (unsigned int j = 0; j <= i; j++) {
            double sum = s[i][j];

            for (unsigned int k = 0; k < j; k++)
                sum -= s[i][k] * s[j][k];
            s[i][j] = i == j ? sqrt(fmax(sum, 1e-12)) : sum / s[j][j];
        }
}

void ledoit_wolf_learn(struct ledoit_wolf *model, const double *features, const bool *use, unsigned int rows,
                       unsigned int size)
{
    double *z = heap_get((size_t)rows * size, sizeof(double)), trace = 0, mu;
    unsigned int n = 0;

    model->size = size;
    standardise(model, features, use, rows);
    for (unsigned int i = 0; i < rows; i++)
        if (use[i])
            scale_row(model, features + (size_t)i * size, z + (size_t)n++ * size);
    covariance_of(z, n, size, model->factor);
    model->shrinkage = shrinkage_of(z, n, size, model->factor);
    free(z);
    for (unsigned int i = 0; i < size; i++)
        trace += model->factor[i][i];
    mu = trace / size;
    for (unsigned int i = 0; i < size; i++) {
        for (unsigned int j = 0; j <= i; j++)
            model->factor[i][j] *= 1 - model->shrinkage;
        model->factor[i][i] += model->shrinkage * mu;
    }
    cholesky(model->factor, size);
}

double ledoit_wolf_distance(const struct ledoit_wolf *model, const double *features)
{
    double y[LEDOIT_WOLF_MAX], sum = 0;

    scale_row(model, features, y);
    for (unsigned int i = 0; i < model->size; i++) {
        for (unsigned int j = 0; j < i; j++)
            y[i] -= model->factor[i][j] * y[j];
        y[i] /= model->factor[i][i];
        sum += y[i] * y[i];
    }
    return sqrt(sum);
}
