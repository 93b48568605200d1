/* "Did you mean": the known word that a misspelt one is close to. */
#ifndef HABIT_BASE_NEAREST_H
#define HABIT_BASE_NEAREST_H

struct nearest {
    const char *word; /* best so far, NULL = none is close */
    unsigned int distance;
};

/* Offers one known word for the misspelt one; keeps the closest that is at most two letters off. */
void nearest_offer(struct nearest *nearest, const char *misspelt, const char *known);

#endif
