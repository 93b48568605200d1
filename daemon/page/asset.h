/* Files that are part of the program: the web page, and the shapes of documents. embed.py makes them C arrays. */
#ifndef HABIT_PAGE_ASSET_H
#define HABIT_PAGE_ASSET_H

#include <stddef.h>

struct asset {
    const char *name;
    const char *type; /* media type */
    const char *etag; /* of the content, with quotes */
    const unsigned char *bytes;
    size_t size;
};

/* All of them; ends with a row whose name is NULL. */
extern const struct asset assets[];

#endif
