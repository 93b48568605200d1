/* A second power cut, while habitd recovers from the first. */
#ifndef TEST_DURABLE_SECOND_H
#define TEST_DURABLE_SECOND_H

#include "check.h"
#include "disk.h"

/* A whole file. Ends the program with a message where it cannot be read. */
const uint8_t *map_file(const char *path, size_t *size);

/* Lets habitd's recovery run on the disk that a cut has left, and gives the disk under what it wrote: records from 0 on. *bytes and
 * *size: the recording, given back with second_free. */
struct disk *second_disk(const char *folder, const struct image *images, const uint8_t **bytes, size_t *size);
struct disk *second_free(struct disk *disk, const uint8_t *bytes, size_t size);

#endif
