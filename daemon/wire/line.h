/* One line of NDJSON. Internal to wire/. */
#ifndef HABIT_WIRE_LINE_H
#define HABIT_WIRE_LINE_H

#include <jansson.h>

#include "wire/buffer.h"

/* What the line holds beside its machine; borrowed. */
json_t *line_document(const struct wire_line *line);

#endif
