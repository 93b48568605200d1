/* Whether a store that a power cut left is what it must be. */
#ifndef TEST_DURABLE_CHECK_H
#define TEST_DURABLE_CHECK_H

#include <stddef.h>

#include "disk.h"

/* What the script must have left, and who was told what; see expected_read. */
struct expected;

/* Reads a file of lines, each a letter, a space and
 *   T LINE               what machine.sql gives after step 0, 1, 2 ... of the script
 *   M NAME LAST AHEAD    a machine: the last step that it was sent, and how many steps may be done and not yet told
 *   F RECORD M STEP      at this record somebody was told that machine M (0 = the first) has made this step; ascending */
struct expected *expected_read(const char *path);
struct expected *expected_free(struct expected *expected);

/* Steps that were told before a record: a number that only grows with the record. */
size_t expected_told(const struct expected *expected, size_t record);

enum finding { FOUND_FINE, FOUND_UNREADABLE, FOUND_CORRUPT, FOUND_LOST, FOUND_MIXED, FINDING_COUNT };
const char *finding_words(enum finding finding);
enum { WHY_SIZE = 640 };

/* Writes the images into files of `folder`; path: of the database. */
enum { CHECK_PATH_SIZE = 400 };
void put_files(const char *folder, const struct image *images, char path[CHECK_PATH_SIZE]);

/* What habitd does when it starts, to all the machines loaded, and when it ends. */
enum finding recover_store(const char *path, char why[WHY_SIZE]);

/* Writes the images into `folder`, opens them with habitd's own recovery, looks into what it found. why: room for a line. */
enum finding check_cut(const struct expected *expected, const char *sql, const char *folder, const struct image *images,
                       size_t record, char why[WHY_SIZE]);

#endif
