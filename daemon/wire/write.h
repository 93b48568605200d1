/* Parts of documents that are written, not built, since every buffer needs them. Internal to wire/. */
#ifndef HABIT_WIRE_WRITE_H
#define HABIT_WIRE_WRITE_H

#include "record/verdict.h"
#include "wire/writer.h"

/* Members of one verdict, without the machine's name. */
void write_verdict(struct writer *writer, const struct verdict *verdict);

/* What became of `count` buffers, of the first `shown` in full: the verdict itself where there is one. */
void write_verdicts(struct writer *writer, const struct verdict *verdicts, size_t shown, size_t count);

/* The array of reasons. */
void write_explanation(struct writer *writer, const struct detection *detection);

#endif
