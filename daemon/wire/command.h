/* Commands that come over MQTT, and their answers. */
#ifndef HABIT_WIRE_COMMAND_H
#define HABIT_WIRE_COMMAND_H

#include <stddef.h>

#include "base/error.h"
#include "record/machine.h"

/* Takes a command's payload apart: nothing, or a JSON object. *id: its member "id" as JSON, a text of up to 64 bytes or a
 * number, to be given back with the answer; "null" where there is none. *rest: the object without it, "{}" at the least.
 * Both are heap. Returns 0; SYNTAX, RANGE, ... with both NULL; or -ENOMEM. */
int wire_take_command(const void *bytes, size_t size, char **id, char **rest, struct refusal *refusal);

/* {"machine":..., "command": verb, "id":..., "ok": true, and how the machine is now}. NULL when memory ran out. */
char *wire_command_done(const struct machine_view *view, const char *verb, const char *id);

/* {"machine":..., "command": verb, "id":..., "ok": false, "problem": {as over HTTP}} */
char *wire_command_refused(const char *machine, const char *verb, const char *id, const struct refusal *refusal);

#endif
