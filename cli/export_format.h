/* A recording as a file that others read: numbers with their rate and unit. */
#ifndef HABIT_CLI_EXPORT_FORMAT_H
#define HABIT_CLI_EXPORT_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "recording.h"

#define EXPORT_FORMATS "auto|csv|wav|numpy|ndjson"
enum export_format { EXPORT_AUTO, EXPORT_CSV, EXPORT_WAV, EXPORT_NUMPY, EXPORT_NDJSON, EXPORT_KINDS };

/* What AUTO means for a path, by its ending; AUTO where that is none of ours. */
enum export_format export_format_of(const char *path, enum export_format format);

/* Writes it; errors of the file show when it is committed. Returns 0, or EXIT_DATA after saying why the format cannot hold it. */
int export_write(const struct recording *recording, enum export_format format, FILE *file);

/* Each of one format. */
int export_csv(const struct recording *recording, FILE *file);
int export_wav(const struct recording *recording, FILE *file);
int export_numpy(const struct recording *recording, FILE *file);
int export_ndjson(const struct recording *recording, FILE *file);

#endif
