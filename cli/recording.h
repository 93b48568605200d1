/* Buffers with the time at which each was measured: of files, or of the daemon's store. */
#ifndef HABIT_CLI_RECORDING_H
#define HABIT_CLI_RECORDING_H

#include <stdint.h>

#include "client.h"
#include "options.h"
#include "samples.h"
#include "wire/buffer.h"

struct recording {
    uint32_t buffer_size, axes;
    float sampling_hz; /* 0 = unknown */
    char unit[16], machine[80];
    size_t count;
    float *samples;            /* buffers back to back, interleaved by axis */
    int64_t *at;               /* wall ms of each */
    struct wire_meta **beside; /* what came with it: its context counts; NULL = nothing */
    int64_t *anomaly;          /* that it raised; 0 = it was learned, or comes from a file */
    bool timed;                /* a file said when its buffers were measured */
    size_t
        others; /* that were left out: stored ones of another geometry than the machine has now; lines of other machines */
};

/* What the daemon has of a machine, by time: its settings (a reference, may be NULL) and stored buffers; of one anomaly, or with
 * anomaly 0 those learned and those of its newest anomalies. Returns 0 or EXIT_FAILED. */
int recording_fetch(struct recording *recording, struct client *client, const char *machine, uint64_t anomaly,
                    json_t **ret_settings);

/* All buffers of files, which follow each other: of those samples.h reads, and of lines as POST /v1/buffers takes them (.ndjson). A
 * buffer without a time of its own comes `every` ms after the one before; the first at `from`. machine: whose lines are meant; "" =
 * there must be one machine only. Returns 0, EXIT_FAILED or EXIT_DATA. */
int recording_read(struct recording *recording, const struct words *paths, const struct samples_shape *shape,
                   const char *machine, int64_t from, double every);

void recording_free(struct recording *recording);

/* ---- inside */

/* Room for one buffer more; NULL without memory. recording_add takes what was written there, and what came beside it (heap). */
float *recording_room(struct recording *recording);
void recording_add(struct recording *recording, int64_t at, int64_t anomaly, struct wire_meta *beside);

/* When the next buffer without a time was measured; the calendar ends with the year 9999. */
double recording_after(double at, double every);

/* recording_lines.c: one file of lines. *at: when the first without a time comes; moves on. */
int recording_read_lines(struct recording *recording, const char *path, const char *machine, double *at, double every);

#endif
