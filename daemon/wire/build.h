/* Parts that several documents share. Internal to wire/; NULL when memory ran out. */
#ifndef HABIT_WIRE_BUILD_H
#define HABIT_WIRE_BUILD_H

#include <jansson.h>

#include "base/error.h"
#include "record/settings.h"
#include "record/verdict.h"

/* One verdict without the machine's name. */
json_t *build_verdict(const struct verdict *verdict);

json_t *build_problem(const struct refusal *refusal);

/* A stored anomaly as it is listed. */
struct anomaly;
json_t *build_anomaly(const struct anomaly *anomaly);

/* Settings of at least this origin, by key. */
json_t *build_settings(const struct settings *settings, enum settings_origin least);

#endif
