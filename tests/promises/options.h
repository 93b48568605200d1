/* The options that all these programs have. */
#ifndef PROMISES_OPTIONS_H
#define PROMISES_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

struct options {
    const char *about;     /* for --help */
    unsigned int machines; /* in each cell of the table */
    uint64_t seed;
    bool quick;       /* few machines: only what their number proves is counted as missed */
    const char *sets; /* folder with recordings */
    const char *only; /* part of the program; NULL = all */
};

/* Seeds up to SEED_DEVELOPMENT are for development; the figures that count come from the default, which is not one. */
enum { SEED_DEVELOPMENT = 1000, SEED_FINAL = 314159 };

/* options: about, and machines for a full run, are set. quick: machines for a quick one. Ends the program on --help
 * and on mistakes. */
void options_read(struct options *options, unsigned int quick, int argc, char **argv);

/* Whether this part of the program is wanted. */
bool options_want(const struct options *options, const char *part);

#endif
