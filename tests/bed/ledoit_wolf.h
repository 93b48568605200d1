/* Mahalanobis distance with the covariance of Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
 * matrices", Journal of Multivariate Analysis 88 (2004): sample covariance S shrunk towards its mean variance,
 * (1 - r) S + r mu I. Every feature is standardised before. */
#ifndef HABIT_BED_LEDOIT_WOLF_H
#define HABIT_BED_LEDOIT_WOLF_H

#include "bands.h"
#include "kind.h"

enum { LEDOIT_WOLF_MAX = BED_AXES * FEATURES_PER_AXIS };

struct ledoit_wolf {
    unsigned int size; /* features */
    double mean[LEDOIT_WOLF_MAX], deviation[LEDOIT_WOLF_MAX];
    double shrinkage;                                /* r: 0..1 */
    double factor[LEDOIT_WOLF_MAX][LEDOIT_WOLF_MAX]; /* lower triangle: Cholesky of the shrunk covariance */
};

/* Learns the rows i of features (size numbers each) with use[i]. At least 2. */
void ledoit_wolf_learn(struct ledoit_wolf *model, const double *features, const bool *use, unsigned int rows,
                       unsigned int size);
double ledoit_wolf_distance(const struct ledoit_wolf *model, const double *features);

#endif
