/* What holds for every answer of the daemon's rooms: 0, or a refusal that says what and where. */
#ifndef FUZZ_REFUSALS_H
#define FUZZ_REFUSALS_H

#include "base/error.h"
#include "wire/buffer.h"

/* r: what the call returned. Nothing is ever broken here: memory does not run out, no disk fails. */
void fuzz_check_answer(int r, const struct refusal *refusal);

/* Texts end, numbers are in their range. */
void fuzz_check_meta(const struct wire_meta *meta);

#endif
