/* What comes beside buffers, from JSON. Internal to wire/. */
#ifndef HABIT_WIRE_META_H
#define HABIT_WIRE_META_H

#include <jansson.h>

#include "base/error.h"
#include "wire/buffer.h"

/* Sets one member from a JSON field. Returns 0, a refusal, or -ENOENT where the name is none of meta's. */
int meta_set_json(struct wire_meta *meta, const char *name, const json_t *value, struct refusal *refusal);

/* Replaces the context by an object of numbers. */
int meta_set_context(struct wire_meta *meta, json_t *object, struct refusal *refusal);

#endif
