/* A habitd without doors, on a store that is thrown away, whose clock is that of a recording: what it does with a buffer is what the
 * daemon would have done, because it is the daemon's own registry. */
#ifndef HABIT_CLI_REPLAY_WORLD_H
#define HABIT_CLI_REPLAY_WORLD_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/buffer.h"

struct world;

/* A machine with settings as PUT /v1/machines/{id} takes them, at a moment in wall ms. Returns 0, or EXIT_FAILED, EXIT_DATA after
 * saying why. */
int world_open(struct world **ret_world, const char *machine, const json_t *settings, int64_t at);

/* Puts a block in force; the machine is watched then. */
int world_put_knowledge(struct world *world, const void *bytes, size_t size);

/* What was learned so far is in force: the machine is watched, settled or not, and counting begins. */
int world_end_learning(struct world *world);

/* A buffer that was measured at `at`, with the context that came beside it (NULL = nothing did); learn: by
 * hand, else as the strategy decides. What the registry refuses is counted. */
int world_submit(struct world *world, const float *samples, size_t values, int64_t at, const struct wire_meta *beside,
                 bool learn);

/* What came of it: {"buffers": {"ok": 7, ...}, "refused": 0, "promise": "...", "phase": "watching", "anomalies": [...], "reports":
 * [...]}, the reports of the days from..now. */
int world_result(struct world *world, int64_t from, json_t **ret_result);

/* NULL is fine; always returns NULL. */
struct world *world_close(struct world *world);

#endif
