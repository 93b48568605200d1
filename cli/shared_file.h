/* A file that a daemon reads: replaced whole, with the owner, group and mode that it had. */
#ifndef HABIT_CLI_SHARED_FILE_H
#define HABIT_CLI_SHARED_FILE_H

#include <sys/types.h>

#include "output_file.h"

/* Opens what will replace `path`. A new one may be read by the group of the daemon, where there is such a group, and by nobody else.
 * Returns 0 or EXIT_FAILED after saying why; then commit or abandon it as any output file. */
int shared_file_open(struct output_file *output, const char *path, const char *group);

/* The same for a group's number; -1 = the caller's own. */
int shared_file_open_of(struct output_file *output, const char *path, gid_t group);

/* Waits until no other command changes files of this folder; from then on others wait, until this process ends. Before what is to be
 * changed is read. Returns 0 or EXIT_FAILED after saying why. */
int shared_file_lock(const char *path);

/* The whole text of a file, heap; "" where there is none. NULL after saying why. */
char *shared_file_read(const char *path);

#endif
