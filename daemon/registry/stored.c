/* Buffers that are in the store, for those who want to look at them elsewhere. */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#include "registry/commissioning.h"
#include "registry/internal.h"

struct reading {
    int (*each)(void *user, const struct stored_buffer *buffer);
    void *user;
};

static int read_one(void *user, const struct store_buffer *buffer)
{
    const struct reading *reading = user;
    float *samples = malloc(buffer->count * sizeof(*samples));
    int r;

    if (!samples)
        return fault(-ENOMEM);
    buffer_unpack(buffer, samples);
    r = reading->each(reading->user, &(struct stored_buffer){ .at = buffer->at,
                                                              .anomaly = buffer->anomaly,
                                                              .samples = samples,
                                                              .values = buffer->count,
                                                              .axes = buffer->axes });
    free(samples);
    return r;
}

/* Whether there is such an anomaly of this machine. */
static int check_anomaly(struct registry *registry, const char *id, int64_t anomaly, struct refusal *refusal)
{
    struct anomaly_query query = { .machine = id, .id = anomaly, .limit = 1 };
    struct anomaly found = { 0 };
    int r = store_anomalies(registry->store, &query, &found);

    free(found.explanation);
    if (r == 0)
        return refuse(refusal, REFUSAL_NOT_FOUND, "anomaly", "machine %s has no anomaly %" PRId64, id, anomaly);
    return r < 0 ? r : 0;
}

int registry_stored(struct registry *registry, const char *id, int64_t anomaly,
                    int (*each)(void *user, const struct stored_buffer *buffer), void *user, struct refusal *refusal)
{
    struct reading reading = { .each = each, .user = user };
    struct machine *machine;
    int r = machine_enter(registry, id, &machine, refusal);
    int64_t row;

    if (r != 0)
        return r;
    row = machine->row;
    machine_leave(machine);
    r = anomaly != 0 ? check_anomaly(registry, id, anomaly, refusal) : 0;
    if (r != 0)
        return r;
    return store_kept(registry->store, anomaly != 0 ? KEPT_EVIDENCE : KEPT_COMMISSIONING, anomaly != 0 ? anomaly : row,
                      read_one, &reading);
}

/* ------------------------------------------------------------------------------------------------- what is not stored */

void machine_forget_buffers(struct machine *machine)
{
    suspects_clear(&machine->suspects);
    machine->commissioning_count = 0;
    machine->commissioning_bytes = 0;
}

static bool is_unwanted(struct registry *registry, const struct machine *machine)
{
    bool samples = false, features = false;

    store_holds(registry->store, machine->row, &samples, &features);
    return (samples && machine->settings.store_buffers != BUFFERS_RAW) ||
           (features && machine->settings.store_buffers == BUFFERS_NONE);
}

static int forget_stored(struct registry *registry, struct machine *machine)
{
    const struct store_change change = { .machine = machine->row,
                                         .epoch = store_epoch(registry->store, machine->row),
                                         .at = clock_now().wall,
                                         .forget_buffers = true };
    struct store_op *op = NULL;
    int r = store_submit(registry->store, &change, &op);

    machine_forget_buffers(machine);
    return r == 0 ? store_finish(registry->store, op) : r;
}

int registry_forget_unwanted(struct registry *registry)
{
    int r = 0;

    for (size_t i = 0; i < registry->count && r == 0; i++)
        if (is_unwanted(registry, registry->machine[i]))
            r = forget_stored(registry, registry->machine[i]);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- features */

int registry_features(struct registry *registry, int64_t anomaly, int (*each)(void *user, const char *features),
                      void *user, struct refusal *refusal)
{
    const struct anomaly_query query = { .id = anomaly, .limit = 1 };
    struct anomaly found = { 0 };
    int r = anomaly > 0 ? store_anomalies(registry->store, &query, &found) : 0;

    free(found.explanation);
    if (r == 0)
        return refuse(refusal, REFUSAL_NOT_FOUND, "", "there is no anomaly %" PRId64, anomaly);
    return r < 0 ? r : store_features(registry->store, anomaly, each, user);
}
