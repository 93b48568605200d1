/* A machine with an accelerometer, simulated: a shaft, its second order and a gear on three axes, in noise. What it gives are
 * the same bits on every processor. On a board of your own the sensor's driver is in its place. */
#ifndef EXAMPLE_MACHINE_H
#define EXAMPLE_MACHINE_H

#include <stdbool.h>
#include <stdint.h>

/* As the sensor says: 2048 steps are 1 g, 1600 samples a second. */
#define MACHINE_SAMPLING_HZ 1600.0f
#define MACHINE_SCALE       (1.0f / 2048.0f)
#define MACHINE_UNIT        "g"

struct machine {
    uint32_t seed;
    bool faulty; /* a bearing has a pitting */
    bool hot;    /* runs a little slower, and the gear is louder */
};

/* The next buffer: samples x axes values, interleaved by axis. */
void machine_read(struct machine *machine, int16_t *values, uint32_t samples, uint32_t axes);

#endif
