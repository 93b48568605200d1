#include "machine.h"

#include "signal.h"

enum { SHAFT_HZ = 49, ORDERS = 3, PITTING_HZ = 137, RINGING_HZ = 620 };

/* Order of the shaft, and amplitude in steps of the sensor. */
static const struct order {
    uint32_t order, amplitude;
} orders[ORDERS] = { { 1, 400 }, { 2, 120 }, { 11, 160 } };

/* Of a turn of 2^32, in one sample. */
static uint32_t turn(uint32_t hertz)
{
    return (uint32_t)(((uint64_t)hertz << 32) / 1600u);
}

static int32_t share(int32_t value, uint32_t amplitude)
{
    return value * (int32_t)amplitude / 32768;
}

struct tones {
    uint32_t phase[ORDERS], step[ORDERS], amplitude[ORDERS];
    uint32_t pitting, ringing;
};

/* Every buffer begins anywhere in a turn, and is a few percent louder or softer than the last. */
static void start(struct machine *machine, struct tones *tones)
{
    const uint32_t speed = turn(SHAFT_HZ) / 1000 * (machine->hot ? 975 : 1000);

    for (int k = 0; k < ORDERS; k++) {
        tones->phase[k] = signal_random(&machine->seed);
        tones->step[k] = speed * orders[k].order;
        tones->amplitude[k] = orders[k].amplitude * (950 + (signal_random(&machine->seed) >> 16) % 100) / 1000;
    }
    if (machine->hot)
        tones->amplitude[ORDERS - 1] *= 2;
    tones->pitting = signal_random(&machine->seed);
    tones->ringing = 0;
}

/* A short ringing each time that a ball passes the pitting. */
static int32_t knock(struct tones *tones)
{
    const uint32_t before = tones->pitting;

    tones->pitting += turn(PITTING_HZ);
    tones->ringing = tones->pitting < before ? 0 : tones->ringing + turn(RINGING_HZ);
    return share(signal_sine(tones->ringing), 400u >> (tones->pitting >> 30));
}

static int32_t shake(struct machine *machine, struct tones *tones)
{
    int32_t sum = 0;

    for (int k = 0; k < ORDERS; k++)
        sum += share(signal_sine(tones->phase[k] += tones->step[k]), tones->amplitude[k]);
    if (machine->faulty)
        sum += knock(tones);
    return sum;
}

void machine_read(struct machine *machine, int16_t *values, uint32_t samples, uint32_t axes)
{
    struct tones tones;

    start(machine, &tones);
    for (uint32_t i = 0; i < samples; i++) {
        const int32_t shaken = shake(machine, &tones);

        for (uint32_t axis = 0; axis < axes; axis++)
            *values++ = (int16_t)(shaken / (int32_t)(axis + 1) + share(signal_noise(&machine->seed), 60));
    }
}
