#include "neai_machine.h"

#include "../golden/signal.h"

#define FIRST_TURN  0x0a3d70a4u /* per sample, of 2^32 a turn */
#define SECOND_TURN 0x15c28f5cu
#define FAULT_TURN  0x3851eb85u

void machine_fill(float *samples, size_t buffer_size, size_t axes, bool faulty)
{
    static uint32_t seed = 1;

    for (size_t axis = 0; axis < axes; axis++) {
        uint32_t first = signal_random(&seed), second = signal_random(&seed), fault = signal_random(&seed);

        for (size_t i = 0; i < buffer_size; i++) {
            int32_t sum = signal_noise(&seed) / 2 + signal_sine(first) + signal_sine(second) / 2;

            if (faulty)
                sum += signal_sine(fault);
            samples[i * axes + axis] = (float)sum * (1.0f / 32768.0f);
            first += FIRST_TURN;
            second += SECOND_TURN;
            fault += FAULT_TURN;
        }
    }
}
