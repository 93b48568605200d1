/* What the tests of the daemon's rooms share: cmocka, chance that can be replayed, and a directory of one's own. */
#ifndef TEST_SUPPORT_H
#define TEST_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Chance: HABIT_TEST_SEED, or always the same; said once, so that a failure can be replayed. */
uint64_t chance_seed(void);
uint64_t chance(uint64_t *seed);
uint32_t chance_below(uint64_t *seed, uint32_t n);

/* A new directory below TMPDIR; removed with all that is in it (one level). */
enum { PATH_SIZE = 256 };
void directory_make(char path[PATH_SIZE]);
void directory_remove(const char *path);

/* Of a store that may be open elsewhere. A statement without an answer; the first number of the answer, -1 = there is none. Fail the
 * test where SQLite refuses. */
void database_run(const char *path, const char *text);
int64_t database_number(const char *path, const char *text);

/* The n-th leaf page of a table, or its only page, becomes what no page is; nobody has it in memory any more. */
void database_spoil(const char *path, const char *table, int n);

/* The whole file on the heap; fails the test where there is none. */
void *file_read(const char *path, size_t *size);

#endif
