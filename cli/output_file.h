/* A file that is either written in full or not at all: made beside its place under another name, moved there at the end.
 * What exists and is no regular file (a pipe, a device) is written directly. */
#ifndef HABIT_CLI_OUTPUT_FILE_H
#define HABIT_CLI_OUTPUT_FILE_H

#include <stdbool.h>
#include <stdio.h>

struct output_file {
    FILE *file;
    const char *path;
    char *temporary; /* NULL = written directly */
};

/* Readable by its owner only. Returns 0, or EXIT_FAILED after saying why. */
int output_file_open(struct output_file *output, const char *path);

/* Moves it to its place, on the disk for sure. Returns 0, or EXIT_FAILED after saying why; the old file is kept then, unless it is the
 * disk that failed behind the move. */
int output_file_commit(struct output_file *output);

/* Leaves no trace of what was not committed. Fine on one that is all zeros. */
void output_file_abandon(struct output_file *output);

/* The folder that a file is in, to be locked or flushed: a descriptor, or -1 with errno. */
int output_folder_open(const char *path);

#endif
