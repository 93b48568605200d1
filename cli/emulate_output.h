/* How `habit emulate` shows what it found: for people, as CSV, or as one JSON document. */
#ifndef HABIT_CLI_EMULATE_OUTPUT_H
#define HABIT_CLI_EMULATE_OUTPUT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "habit/engine.h"

/* Of one run. */
struct emulate_summary {
    struct habit_config config;
    struct habit_progress progress; /* after learning */
    float sensitivity;
    unsigned int threshold;
    size_t learned; /* in this run */
    size_t refused; /* constant buffers, not learned */
    size_t detected, anomalies, not_ready;
};

/* One detected buffer. */
struct emulate_row {
    size_t index; /* over all detected files, from 0 */
    const char *path;
    bool ready; /* else there is no result */
    bool anomaly;
    struct habit_result result;
};

struct emulate_output {
    const struct emulate_style *style;
    json_t *rows; /* of the JSON document */
};

enum emulate_style_name { EMULATE_TABLE, EMULATE_CSV, EMULATE_JSON };
void emulate_output_init(struct emulate_output *output, enum emulate_style_name name);
void emulate_output_deinit(struct emulate_output *output);

/* After learning, before the first row. */
void emulate_output_begin(struct emulate_output *output, const struct emulate_summary *summary);
void emulate_output_row(struct emulate_output *output, const struct emulate_summary *summary,
                        const struct emulate_row *row);
void emulate_output_end(struct emulate_output *output, const struct emulate_summary *summary);

#endif
