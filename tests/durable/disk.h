/* What a disk may hold after a power cut: what was synced, and of the rest any part, in any order, torn at sectors.
 *
 * The model is stricter than POSIX asks file systems to be kind: a file's name is on the disk only when its folder was synced,
 * a write only when its file was, and a sync that is not over promises nothing. */
#ifndef TEST_DURABLE_DISK_H
#define TEST_DURABLE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "watch.h"

/* Bytes of one file. */
struct image {
    uint8_t *bytes;
    size_t size, room;
    bool exists;
};

struct disk;

/* A recording that was read into memory; `bytes` must outlive it. */
struct disk *disk_new(const uint8_t *bytes, size_t size);
struct disk *disk_free(struct disk *disk);

/* The disk holds these files before the first record, all of them synced; goes back to the start. They are copied. */
void disk_begin(struct disk *disk, const struct image *images);

/* How many records there are, and how far the disk has come: records below were made. */
size_t disk_records(const struct disk *disk);
size_t disk_position(const struct disk *disk);

/* The next record. Ends the program with a message where the recording is not one. */
void disk_step(struct disk *disk);
void disk_rewind(struct disk *disk);

/* What became of all that was not synced when the power went. */
#define FATES(X)                                                              \
    X(NOTHING, "nothing unsynced is kept")                                    \
    X(ALL, "all of it is kept")                                               \
    X(FIRST, "what came first is kept")                                       \
    X(FIRST_TORN, "what came first is kept, and a part of the next write")    \
    X(ONE, "one write alone is kept")                                         \
    X(ALL_BUT_ONE, "all but one write is kept")                               \
    X(SOME, "some are kept, in whatever order")                               \
    X(SOME_TORN, "some are kept, each perhaps torn, zeros where a file grew") \
    X(SOME_STALE, "some are kept, each perhaps torn, old bytes where a file grew")

enum fate {
#define FATE_ENUM(name, words) FATE_##name,
    FATES(FATE_ENUM)
#undef FATE_ENUM
        FATE_COUNT
};
const char *fate_words(enum fate fate);

/* The files after a cut here; chance: advanced. images[OBJECT_COUNT]: kept by the caller from call to call, and freed by
 * image_free. */
void disk_cut(const struct disk *disk, enum fate fate, uint64_t *chance, struct image *images);
void image_free(struct image *image);

#endif
