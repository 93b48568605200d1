/* The machine that the test programs of the compatible interfaces watch: two tones and noise on every axis. The same samples
 * on every processor. */
#ifndef NEAI_MACHINE_H
#define NEAI_MACHINE_H

#include <stdbool.h>
#include <stddef.h>

/* Fills a buffer as the sensor's driver would. faulty: with a third tone, as strong as the first. */
void machine_fill(float *samples, size_t buffer_size, size_t axes, bool faulty);

#endif
