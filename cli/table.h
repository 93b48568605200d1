/* Rows of JSON as a table for people. */
#ifndef HABIT_CLI_TABLE_H
#define HABIT_CLI_TABLE_H

#include <jansson.h>
#include <stddef.h>

struct column {
    const char *title;
    const char *path; /* of the member: "phase", "last.similarity" */
};

enum { COLUMNS_MAX = 16 };

/* Prints an array of objects, each column as wide as it must be; the last column ends at a NULL title. What is missing or
 * null is "-"; control characters in texts from outside are "?". */
void table_print(const struct column *columns, const json_t *rows);

#endif
