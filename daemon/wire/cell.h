/* A text as a cell of CSV, for every table that we answer with. */
#ifndef HABIT_WIRE_CELL_H
#define HABIT_WIRE_CELL_H

#include <stdio.h>

/* In quotes. What a spreadsheet would take for a formula gets an apostrophe before it: the texts come from outside. */
void cell_put_text(FILE *file, const char *text);

#endif
