/* Which required figures are missed. */
#ifndef PROMISES_VERDICT_H
#define PROMISES_VERDICT_H

#include "options.h"
#include "statistics.h"

struct verdict {
    bool quick; /* the interval must exclude the bound; else the mean is judged */
    unsigned int required, missed;
};

/* Counts a requirement on a figure. Returns the mark of its cell: '!' = missed, ' ' = held. */
char require_at_most(struct verdict *verdict, struct interval figure, double bound);
char require_at_least(struct verdict *verdict, struct interval figure, double bound);
char require_between(struct verdict *verdict, struct interval figure, double least, double most);

/* Prints the count. Returns the program's exit status. */
int verdict_end(const struct verdict *verdict);

#endif
