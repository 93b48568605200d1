#include "recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PATH = 4096 };

/* The bytes of a file, and a 0 behind them; NULL where it cannot be read. */
static char *read_file(const char *folder, const char *name, size_t *size)
{
    char path[MOST_PATH];
    char *bytes = NULL;
    long length = -1;
    FILE *file;

    if (snprintf(path, sizeof(path), "%s/%s", folder, name) >= MOST_PATH)
        return NULL;
    file = fopen(path, "rb");
    if (!file)
        return NULL;
    if (fseek(file, 0, SEEK_END) == 0)
        length = ftell(file);
    if (length >= 0 && fseek(file, 0, SEEK_SET) == 0)
        bytes = calloc((size_t)length + 1, 1);
    if (bytes)
        *size = fread(bytes, 1, (size_t)length, file);
    (void)fclose(file);
    return bytes;
}

static unsigned int number_behind(const char *text, const char *key)
{
    const char *found = strstr(text, key);

    return found ? (unsigned int)strtoul(found + strlen(key), NULL, 10) : 0;
}

bool recording_open(struct recording *recording, const char *folder)
{
    size_t size = 0;
    char *meta = read_file(folder, "meta.json", &size);

    memset(recording, 0, sizeof(*recording));
    if (!meta)
        return false;
    recording->samples = number_behind(meta, "\"buffer_size\":");
    recording->axes = number_behind(meta, "\"axes\":");
    free(meta);
    if (recording->samples == 0 || recording->axes == 0)
        return false;
    recording->normal = (float *)(void *)read_file(folder, "normal.f32", &size);
    recording->buffers = size / sizeof(float) / recording->samples / recording->axes;
    return recording->normal != NULL;
}

void recording_close(struct recording *recording)
{
    free(recording->normal);
    recording->normal = NULL;
}
