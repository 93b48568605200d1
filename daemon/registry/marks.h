/* Which numbered buffers were applied: pure bookkeeping over the marks of one machine.
 *
 * A mark is the high-water mark of one boot of one source and a ring of bits for the last 256 numbers: number n has bit
 * n % 256. Numbers further below count as applied. Kept are the last LIMIT_BOOTS boots of the last LIMIT_SOURCES sources. */
#ifndef HABIT_REGISTRY_MARKS_H
#define HABIT_REGISTRY_MARKS_H

#include <stdbool.h>
#include <stddef.h>

#include "record/machine.h"

struct marks {
    struct mark *mark; /* heap */
    size_t count;
};

void marks_free(struct marks *marks);

/* Whether this number was applied before. */
bool marks_applied(const struct marks *marks, const char *source, const char *boot, uint64_t seq);

/* Notes a number as applied; `used`: wall ms, by which the boots that are kept are chosen.
 * Returns 0, or -ENOMEM with nothing changed. */
int marks_apply(struct marks *marks, const char *source, const char *boot, uint64_t seq, int64_t used);

/* Applies what `others` has. Returns 0, or -ENOMEM with some of it applied. */
int marks_join(struct marks *marks, const struct marks *others);

/* A copy, for marks_free. Returns 0, or -ENOMEM with an empty one. */
int marks_copy(const struct marks *marks, struct marks *copy);

#endif
