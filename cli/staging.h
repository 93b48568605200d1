/* Several files that come into their places together, or not at all. */
#ifndef HABIT_CLI_STAGING_H
#define HABIT_CLI_STAGING_H

#include <stdbool.h>
#include <stddef.h>

#include "output_file.h"

enum { STAGED_FILES = 16 };

struct staged {
    char *path, *kept; /* kept: what was there before, under another name; NULL = nothing was */
    struct output_file output;
    bool placed;
};

struct staging {
    const char *root; /* of an image, whose groups count; "" or NULL = this host */
    size_t count;
    struct staged files[STAGED_FILES];
};

/* Writes a new text for a file beside it. group: of the daemon that may read it, where there is such a group; "" = owner only; NULL =
 * everybody may read it. An existing file keeps its owner, group and mode. Folders are made as needed. Returns 0; or an exit code
 * after saying why: an image that has groups must have this one. */
int staging_add(struct staging *staging, const char *path, const char *text, const char *group);

/* Puts all of them in place, in the order they were added. Returns 0; or EXIT_FAILED after saying why, with everything as it was. */
int staging_commit(struct staging *staging);

/* Leaves no trace of what was not put in place. */
void staging_clear(struct staging *staging);

#endif
