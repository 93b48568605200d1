/* One line of NDJSON. Internal to wire/. */
#ifndef HABIT_WIRE_LINE_H
#define HABIT_WIRE_LINE_H

#include "wire/buffer_json.h"

/* What the line holds beside its machine; borrowed. */
const struct json_buffer *line_document(const struct wire_line *line);

#endif
