/* Memory for the test bed, which cannot go on without. */
#ifndef HABIT_BED_HEAP_H
#define HABIT_BED_HEAP_H

#include <stddef.h>

/* count x size bytes of zeros, for free(). Never NULL: the program ends with a message where there is none. */
void *heap_get(size_t count, size_t size);

#endif
