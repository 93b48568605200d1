/* A list of machines with their settings, read from CSV and checked before anything is done with it. */
#ifndef HABIT_CLI_FLEET_H
#define HABIT_CLI_FLEET_H

#include <stddef.h>

#include "base/text.h"

struct fleet_row {
    char id[MACHINE_ID_SIZE];
    unsigned int line;
    char *settings; /* JSON as PUT /v1/machines/{id} takes it; heap */
};

struct fleet {
    struct fleet_row *rows;
    size_t count;
};

/* The first line names the columns: id, and settings of machines. Comma or semicolon between them, quotes as in RFC 4180; an empty
 * cell sets nothing. All that is wrong is said, as "FILE:LINE:COLUMN: ..." (characters, from 1), up to FLEET_COMPLAINTS.
 * Returns 0, EXIT_FAILED or EXIT_DATA; then nothing is to be freed. */
enum { FLEET_COMPLAINTS = 20 };
int fleet_read(struct fleet *fleet, const char *path);
void fleet_free(struct fleet *fleet);

#endif
