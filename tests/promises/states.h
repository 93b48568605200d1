/* The parts of promise-states, a table each. */
#ifndef PROMISES_STATES_H
#define PROMISES_STATES_H

#include "machine.h"
#include "verdict.h"

void regimes_measure(const struct options *options, struct verdict *verdict);
void accept_measure(const struct options *options, struct verdict *verdict);
void drift_measure(const struct options *options, struct verdict *verdict);
void poison_measure(const struct options *options, struct verdict *verdict);
void settled_measure(const struct options *options, struct verdict *verdict);

#endif
