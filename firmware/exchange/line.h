/* A line of text that is put together piece by piece, without printf; what does not fit is left out. */
#ifndef HABIT_LINE_H
#define HABIT_LINE_H

#include <stddef.h>
#include <stdint.h>

struct line {
    char *text;
    size_t size, length; /* of the memory; of the text, without its zero */
};

/* Empty, in memory of at least one byte. */
void line_start(struct line *line, char *text, size_t size);

void line_add(struct line *line, const char *text);
void line_add_unsigned(struct line *line, uint32_t number);

/* As many of nine digits as are needed: "1600", "0.00048828125", "9.99999975e-05". 0 or positive, within 1e-15 .. 1e15. */
void line_add_float(struct line *line, float number);

#endif
