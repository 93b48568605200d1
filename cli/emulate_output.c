#include "emulate_output.h"

#include <stdio.h>

#include "explanation.h"

struct emulate_style {
    void (*begin)(struct emulate_output *output, const struct emulate_summary *summary);
    void (*row)(struct emulate_output *output, const struct emulate_summary *summary, const struct emulate_row *row);
    void (*end)(struct emulate_output *output, const struct emulate_summary *summary);
};

/* ------------------------------------------------------------------------------------------------------------ table */

static void table_begin(struct emulate_output *output, const struct emulate_summary *summary)
{
    const struct habit_progress *progress = &summary->progress;

    (void)output;
    printf("learned %zu buffers of %u samples x %u axes, %u in all; %zu refused as constant\n", summary->learned,
           summary->config.buffer_size, summary->config.axes, progress->learned, summary->refused);
    progress_print(progress);
}

static void table_row(struct emulate_output *output, const struct emulate_summary *summary,
                      const struct emulate_row *row)
{
    char reason[REASON_TEXT_SIZE] = "";

    (void)output;
    if (summary->detected == 0)
        printf("\n%7s %10s %10s\n", "index", "similarity", "distance");
    if (!row->ready) {
        printf("%7zu %10s\n", row->index, "not ready");
        return;
    }
    if (row->anomaly && row->result.reasons > 0)
        reason_text(&row->result.reason[0], reason);
    printf("%7zu %10u %10.3g%s%s\n", row->index, row->result.similarity, (double)row->result.distance,
           row->anomaly ? "  anomaly  " : "", reason);
}

static void table_end(struct emulate_output *output, const struct emulate_summary *summary)
{
    (void)output;
    if (summary->detected > 0)
        printf("\n%zu buffers: %zu normal, %zu below %u, %zu not ready\n", summary->detected,
               summary->detected - summary->anomalies - summary->not_ready, summary->anomalies, summary->threshold,
               summary->not_ready);
}

/* -------------------------------------------------------------------------------------------------------------- CSV */

static void csv_begin(struct emulate_output *output, const struct emulate_summary *summary)
{
    (void)output;
    (void)summary;
    printf("index,similarity,distance,anomaly\n");
}

/* %.9g: nine digits give every float32 back. */
static void csv_row(struct emulate_output *output, const struct emulate_summary *summary, const struct emulate_row *row)
{
    (void)output;
    (void)summary;
    if (row->ready)
        printf("%zu,%u,%.9g,%d\n", row->index, row->result.similarity, (double)row->result.distance, row->anomaly);
    else
        printf("%zu,,,\n", row->index);
}

static void csv_end(struct emulate_output *output, const struct emulate_summary *summary)
{
    (void)output;
    (void)summary;
}

/* ------------------------------------------------------------------------------------------------------------- JSON */

static void json_begin(struct emulate_output *output, const struct emulate_summary *summary)
{
    (void)summary;
    output->rows = json_array();
}

static void json_row(struct emulate_output *output, const struct emulate_summary *summary,
                     const struct emulate_row *row)
{
    json_t *object = row->ready ? result_json(&row->result, summary->config.axes) : json_object();

    json_object_set_new(object, "index", json_integer((json_int_t)row->index));
    json_object_set_new(object, "file", json_string(row->path));
    json_object_set_new(object, "status", json_string(row->ready ? "ok" : "not_ready"));
    if (row->ready)
        json_object_set_new(object, "anomaly", json_boolean(row->anomaly));
    json_array_append_new(output->rows, object);
}

static void json_end(struct emulate_output *output, const struct emulate_summary *summary)
{
    json_t *document =
        json_pack("{s:I, s:I, s:o, s:i, s:f, s:I, s:I, s:I, s:O}", "learned", (json_int_t)summary->learned, "refused",
                  (json_int_t)summary->refused, "progress", progress_json(&summary->progress), "threshold",
                  (int)summary->threshold, "sensitivity", (double)summary->sensitivity, "detected",
                  (json_int_t)summary->detected, "anomalies", (json_int_t)summary->anomalies, "not_ready",
                  (json_int_t)summary->not_ready, "results", output->rows);

    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(document);
}

/* ---------------------------------------------------------------------------------------------------------- choices */

static const struct emulate_style styles[] = {
    [EMULATE_TABLE] = { table_begin, table_row, table_end },
    [EMULATE_CSV] = { csv_begin, csv_row, csv_end },
    [EMULATE_JSON] = { json_begin, json_row, json_end },
};

void emulate_output_init(struct emulate_output *output, enum emulate_style_name name)
{
    *output = (struct emulate_output){ .style = &styles[name] };
}

void emulate_output_deinit(struct emulate_output *output)
{
    json_decref(output->rows);
}

void emulate_output_begin(struct emulate_output *output, const struct emulate_summary *summary)
{
    output->style->begin(output, summary);
}

void emulate_output_row(struct emulate_output *output, const struct emulate_summary *summary,
                        const struct emulate_row *row)
{
    output->style->row(output, summary, row);
}

void emulate_output_end(struct emulate_output *output, const struct emulate_summary *summary)
{
    output->style->end(output, summary);
}
