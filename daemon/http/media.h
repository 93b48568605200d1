/* Content types: what a body is, and what an answer shall be. Internal to http/. */
#ifndef HABIT_HTTP_MEDIA_H
#define HABIT_HTTP_MEDIA_H

#include "base/error.h"
#include "http/request.h"

/* The encoding that Content-Type (NULL = absent) names, where `body` takes it; parameters are allowed, a charset only
 * if it is UTF-8. Returns 0 or MEDIA_TYPE. */
int media_of_body(enum body body, const char *type, enum wire_encoding *encoding, struct refusal *refusal);

/* Whether Accept (NULL = anything) prefers CSV to JSON: the first of the two that it names. Returns 0 or
 * NOT_ACCEPTABLE. */
int media_prefers_csv(const char *accept, bool *csv, struct refusal *refusal);

#endif
