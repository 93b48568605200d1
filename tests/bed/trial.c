#include "trial.h"

#include <stdlib.h>

#include "heap.h"

enum { PATIENCE = 20 }; /* buffers waited through for each faulty one that shows */

static bool write_buffer(struct trial *trial, struct machine *machine, const struct moment *moment, unsigned int index)
{
    bool shows = machine_write(machine, moment, trial->samples + index * trial->values);

    features_of(&trial->layout, trial->samples + index * trial->values,
                trial->features + (size_t)index * trial->layout.count);
    return shows;
}

struct trial *trial_new(struct machine *machine, unsigned int learnable)
{
    struct trial *trial = heap_get(1, sizeof(*trial));
    struct moment moment = { 0 };

    trial->machine = machine;
    trial->learnable = learnable;
    trial->healthy_end = learnable + BED_HEALTHY;
    trial->count = trial->healthy_end + BED_FAULTY;
    trial->values = (size_t)machine->buffer_size * machine->axes;
    trial->layout = features_layout(machine->buffer_size, machine->axes);
    trial->samples = heap_get(trial->count * trial->values, sizeof(float));
    trial->features = heap_get((size_t)trial->count * trial->layout.count, sizeof(double));
    trial->at_fault = machine_copy(machine);
    for (; moment.t < trial->healthy_end; moment.t++)
        write_buffer(trial, trial->at_fault, &moment, moment.t);
    return trial;
}

struct trial *trial_free(struct trial *trial)
{
    if (trial) {
        machine_free(trial->machine);
        machine_free(trial->at_fault);
        free(trial->samples);
        free(trial->features);
    }
    free(trial);
    return NULL;
}

bool trial_fail(struct trial *trial, double severity)
{
    struct machine *machine = machine_copy(trial->at_fault);
    struct moment moment = { .t = trial->healthy_end, .severity = severity };
    unsigned int last = moment.t + BED_FAULTY * PATIENCE, filled = 0;

    for (; filled < BED_FAULTY && moment.t < last; moment.t++) {
        moment.grown = (double)filled / BED_FAULTY;
        filled += write_buffer(trial, machine, &moment, trial->healthy_end + filled);
    }
    machine_free(machine);
    return filled == BED_FAULTY;
}

const float *trial_samples(const struct trial *trial, unsigned int index)
{
    return trial->samples + index * trial->values;
}

const double *trial_features(const struct trial *trial, unsigned int index)
{
    return trial->features + (size_t)index * trial->layout.count;
}
