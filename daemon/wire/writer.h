/* JSON text, written from front to back into one block: for what is said for every buffer. Internal to wire/.
 *
 * Nothing is checked on the way: where memory runs out the writer remembers it, writes no more, and writer_take gives NULL. Commas
 * come by themselves. Figures look as wire_figure's do in wire_dump. */
#ifndef HABIT_WIRE_WRITER_H
#define HABIT_WIRE_WRITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct writer {
    char *bytes; /* heap */
    size_t size, room;
    bool comma; /* before the next name or value */
    bool failed;
};

void writer_open(struct writer *writer, char bracket); /* '{' or '[' */
void writer_close(struct writer *writer, char bracket);
void writer_name(struct writer *writer,
                 const char *name); /* of the value that follows; a word of ours, nothing to escape */

void writer_integer(struct writer *writer, int64_t number);
void writer_figure(struct writer *writer, double number);  /* six digits; null where it is not finite */
void writer_float(struct writer *writer, float number);    /* the fewest digits that read back as the same float */
void writer_text(struct writer *writer, const char *text); /* bytes that are no UTF-8 become '?'; NULL gives null */
void writer_time(struct writer *writer, int64_t wall);     /* RFC 3339; 0 = never gives null */
void writer_id(struct writer *writer, int64_t id);         /* 0 = none gives null */
void writer_truth(struct writer *writer, bool truth);
void writer_null(struct writer *writer);

/* The text, heap, ended by NUL; the writer is empty then. NULL where memory ran out. */
char *writer_take(struct writer *writer);

#endif
