/* Private to samples*.c: an open file of buffers, and a reader for each format. */
#ifndef HABIT_CLI_SAMPLES_FILE_H
#define HABIT_CLI_SAMPLES_FILE_H

#include <stdio.h>

#include "samples.h"
#include "wire/csv.h"

struct samples {
    const char *path;
    FILE *file;
    struct samples_shape shape;
    size_t values;          /* in a buffer */
    size_t count;           /* buffers handed out so far: the number of the next one, from 0 */
    unsigned char *bytes;   /* of one raw buffer */
    struct csv_table table; /* of a text, once it is read */
    int64_t *times;         /* of its rows; NULL = it has none */
};

/* Each returns as samples_next. */
int samples_next_f32(struct samples *samples, float *buffer);
int samples_next_i16(struct samples *samples, float *buffer);
int samples_next_csv(struct samples *samples, float *buffer);

#endif
