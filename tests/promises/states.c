/* The promises about states: several regimes are learned as such, an operator's accept makes a state normal, drift
 * of what was learned can be read, a few abnormal buffers among the learned do little harm. */
#include <stdio.h>

#include "states.h"

static const struct part {
    const char *name;
    void (*measure)(const struct options *options, struct verdict *verdict);
} parts[] = {
    { "regimes", regimes_measure }, { "accept", accept_measure },   { "drift", drift_measure },
    { "poison", poison_measure },   { "settled", settled_measure },
};

int main(int argc, char **argv)
{
    struct options options = {
        .about = "Regimes, accept, drift, poison and progress. Parts: regimes, accept, drift, poison, settled.",
        .machines = 40,
    };
    struct verdict verdict;

    options_read(&options, 4, argc, argv);
    verdict = (struct verdict){ .quick = options.quick };
    for (size_t p = 0; p < sizeof(parts) / sizeof(parts[0]); p++)
        if (options_want(&options, parts[p].name))
            parts[p].measure(&options, &verdict);
    return verdict_end(&verdict);
}
