/* A file in memory, for what reads files by their names. */
#ifndef FUZZ_FILE_H
#define FUZZ_FILE_H

#include <stddef.h>

/* Puts bytes in place of what it held; `which` of a few. Returns its name, good until the process ends. */
enum { FUZZ_FILES = 2 };
const char *fuzz_file(int which, const void *bytes, size_t size);

#endif
