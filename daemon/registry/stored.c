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
