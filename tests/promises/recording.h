/* A set of recorded buffers: a folder with meta.json and normal.f32, little-endian float32, buffers back to back in
 * order of time. */
#ifndef PROMISES_RECORDING_H
#define PROMISES_RECORDING_H

#include <stdbool.h>
#include <stddef.h>

struct recording {
    unsigned int samples, axes;
    size_t buffers;
    float *normal;
};

/* False where the folder holds no such set. */
bool recording_open(struct recording *recording, const char *folder);
void recording_close(struct recording *recording);

#endif
