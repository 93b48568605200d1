/* A rotating machine as an accelerometer on its housing feels it, in g.
 *
 * Harmonics of the speed and a gear mesh with sidebands, each with amplitudes and phases of this machine; a structural
 * resonance that noise and impacts excite; gravity; broadband noise. Speed and load wander slowly, the amplitudes with them.
 * Buffers are moments far apart: each begins at a random angle. */
#ifndef HABIT_CLI_MACHINE_MODEL_H
#define HABIT_CLI_MACHINE_MODEL_H

#include <stdbool.h>
#include <stdint.h>

#include "chance.h"

#define MACHINE_FAULTS "none|imbalance|misalignment|bearing|looseness"
enum machine_fault { FAULT_NONE, FAULT_IMBALANCE, FAULT_MISALIGNMENT, FAULT_BEARING, FAULT_LOOSENESS };

struct machine_setup {
    uint32_t buffer_size, axes;
    double sampling_hz;
    double speed_hz;    /* of rotation, below half of sampling_hz */
    double load;        /* 0..1 */
    double noise;       /* standard deviation, g */
    uint64_t character; /* of this machine: its amplitudes, phases, teeth, resonances */
    uint64_t seed;      /* of everything that changes from buffer to buffer */
    enum machine_fault fault;
};

enum { MODEL_AXES = 16, MODEL_TONES = 24 };

struct machine_tone {
    double order;                                   /* multiple of the speed */
    double amplitude[MODEL_AXES], turn[MODEL_AXES]; /* g, and where in its cycle, 0..1 */
    double with_load;                               /* share of the amplitude that follows the load */
    bool faulty;                                    /* grows with the severity of the fault */
    bool erratic;                                   /* another strength in every buffer */
};

struct machine_model {
    struct machine_setup setup;
    struct chance chance;
    struct machine_tone tone[MODEL_TONES];
    unsigned int tones;
    double gravity[MODEL_AXES];                           /* g */
    double resonance_hz[MODEL_AXES], damping[MODEL_AXES]; /* of the structure; damping: radius of the pole */
    double ring[MODEL_AXES][2];                           /* its last two outputs */
    double speed_wander, load_wander;                     /* relative */
    double ratio;                                         /* of the speed now: 0 = stands still, 1 = runs */
    double defect_order;                                  /* impacts a turn of a bearing fault */
};

void machine_model_init(struct machine_model *model, const struct machine_setup *setup);

/* Makes the next buffer, interleaved by axis. severity 0..1 of the fault now: 0.3 is weak, 1 is plain. `running` where it
 * should be heading: a machine that changes between running and standing speeds up or down within this buffer. */
void machine_model_next(struct machine_model *model, double severity, bool running, float *samples);

#endif
