/* CSV of numbers: a row a line, separated by comma, semicolon, tab or spaces, as sensors' loggers, spreadsheets and
 * NanoEdge AI Studio write them. Uses base/ only, so that the command line tool reads the same files with the same
 * words.
 *
 * The first row settles the separator of the whole text. Where that is not the comma, numbers may have a decimal comma.
 * Lines end with LF or CRLF; empty lines are allowed at the end only; one separator at the end of a line is passed
 * over. */
#ifndef HABIT_WIRE_CSV_H
#define HABIT_WIRE_CSV_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct csv_options {
    size_t columns; /* of every row; 0: as many as the first has */
    size_t most;    /* numbers in all; 0: no bound of ours */
    bool header;    /* a first line that is not numbers is passed over */
};

struct csv_table {
    float *values; /* rows x columns, row by row; heap */
    size_t rows, columns;
};

/* Reads a whole text. Returns 0 with *table filled (csv_free), or a refusal that names line and column: SYNTAX,
 * NOT_FINITE (beyond 1e15 too), LENGTH, TOO_LARGE; or -ENOMEM. A text without rows is refused with LENGTH. */
int csv_read(const char *text, size_t size, const struct csv_options *options, struct csv_table *table,
             struct refusal *refusal);
void csv_free(struct csv_table *table);

#endif
