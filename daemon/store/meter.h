/* Counts what SQLite writes. The kernel's own account, /proc/self/io, counts whole folios of its page cache, which since Linux 6.x
 * may be a hundred times what reaches the disk. Internal to store/. */
#ifndef HABIT_STORE_METER_H
#define HABIT_STORE_METER_H

#include <sqlite3.h>
#include <stdint.h>

/* Counts from now on what this connection writes into its database and its write-ahead log, which has to be open. */
void meter_attach(sqlite3 *database);

/* Bytes written through all connections of this process so far: frames of the log, and pages by checkpoints. */
int64_t meter_written(void);

#endif
