#include "heap.h"

#include <stdio.h>
#include <stdlib.h>

void *heap_get(size_t count, size_t size)
{
    void *memory = calloc(count, size > 0 ? size : 1);

    if (!memory) {
        fputs("bed: out of memory\n", stderr);
        exit(EXIT_FAILURE);
    }
    return memory;
}
