/* Buffers from a file: raw float32 or int16, little-endian, back to back; or text with a buffer a line, as habit export writes it too. What is wrong with a
 * file is said on stderr with its place, once, and comes back as an exit code. */
#ifndef HABIT_CLI_SAMPLES_H
#define HABIT_CLI_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLES_FORMATS "auto|f32|i16|csv"
enum samples_format {
    SAMPLES_AUTO,
    SAMPLES_F32,
    SAMPLES_I16,
    SAMPLES_CSV
}; /* AUTO: csv by the file's name, else f32 */

struct samples_shape {
    uint32_t buffer_size, axes;
    enum samples_format format;
    float scale; /* of i16: unit per step */
};

/* Values in a buffer. */
size_t samples_values(const struct samples_shape *shape);

/* What AUTO means for a path. */
enum samples_format samples_format_of(const char *path, enum samples_format format);

struct samples;

/* Opens a regular file or a pipe; "-" is standard input. A raw file whose size is no multiple of a buffer is refused here.
 * Returns 0 with *ret_samples set, or EXIT_FAILED, EXIT_DATA. */
int samples_open(struct samples **ret_samples, const char *path, const struct samples_shape *shape);

enum { SAMPLES_END = -1 };

/* Reads the next buffer: finite values of at most 1e15, interleaved by axis. Returns 0, SAMPLES_END, or EXIT_FAILED,
 * EXIT_DATA; a file without any buffer is EXIT_DATA too. */
int samples_next(struct samples *samples, float *buffer);

/* When the buffer that was read last was measured, wall ms; 0 = the file does not say: only CSV with a first column `time` does. */
int64_t samples_time(const struct samples *samples);

/* NULL is fine; always returns NULL. */
struct samples *samples_close(struct samples *samples);

#endif
