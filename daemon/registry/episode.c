/* The anomaly of one machine: what an event of the strategy writes into the store and says to the broker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/internal.h"
#include "wire/document.h"

/* After a restart the open anomaly is in the store only; where it was pruned there, what is still known is its id. */
static int remember(struct machine *machine, struct store *store)
{
    struct anomaly_query query = { .id = machine->state.anomaly, .limit = 1 };
    int r;

    if (machine->open.id == machine->state.anomaly)
        return 0;
    free(machine->open.explanation);
    machine->open = (struct anomaly){ 0 };
    r = store_anomalies(store, &query, &machine->open);
    machine->open.id = machine->state.anomaly;
    snprintf(machine->open.machine, sizeof(machine->open.machine), "%s", machine->id);
    return r < 0 ? r : 0;
}

static int raise(struct machine *machine, struct store *store, const struct average *average,
                 const struct detection *detection, int64_t at)
{
    char *explanation = wire_explanation(detection);
    struct habit_progress progress = { 0 };

    if (!explanation)
        return fault(-ENOMEM);
    habit_status(&machine->engine, &progress);
    free(machine->open.explanation);
    machine->open = (struct anomaly){ .id = store_next_anomaly(store),
                                      .raised = at,
                                      .similarity = average->similarity,
                                      .distance = average->distance,
                                      .threshold = machine->settings.threshold,
                                      .sensitivity = machine->settings.sensitivity,
                                      .learned = progress.learned,
                                      .explanation = explanation };
    snprintf(machine->open.machine, sizeof(machine->open.machine), "%s", machine->id);
    snprintf(machine->open.asset, sizeof(machine->open.asset), "%s", machine->settings.asset);
    machine->state.anomaly = machine->open.id;
    return 0;
}

static int worsen(struct machine *machine, const struct average *average, const struct detection *detection)
{
    char *explanation = wire_explanation(detection);

    if (!explanation)
        return fault(-ENOMEM);
    free(machine->open.explanation);
    machine->open.explanation = explanation;
    machine->open.similarity = average->similarity;
    machine->open.distance = average->distance;
    return 0;
}

static int append(struct episode_log *log, const struct anomaly *anomaly, enum anomaly_event event, int64_t at)
{
    struct anomaly *anomalies = realloc(log->anomalies, (log->count + 1) * sizeof(*anomalies));
    struct store_outgoing *outgoing = realloc(log->outgoing, (log->count + 1) * sizeof(*outgoing));
    char *topic = NULL;

    log->anomalies = anomalies ? anomalies : log->anomalies;
    log->outgoing = outgoing ? outgoing : log->outgoing;
    if (!anomalies || !outgoing || asprintf(&topic, "%s/anomaly", anomaly->machine) < 0)
        return fault(-ENOMEM);
    anomalies[log->count] = *anomaly;
    anomalies[log->count].explanation = strdup(anomaly->explanation ? anomaly->explanation : "[]");
    outgoing[log->count] = (struct store_outgoing){ .topic = topic, .payload = wire_anomaly_event(anomaly, event, at) };
    log->count++;
    return anomalies[log->count - 1].explanation && outgoing[log->count - 1].payload ? 0 : fault(-ENOMEM);
}

int episode_event(struct machine *machine, struct store *store, enum anomaly_event event, const struct average *average,
                  const struct detection *detection, int64_t at, struct episode_log *log)
{
    int r = event == ANOMALY_RAISED ? raise(machine, store, average, detection, at) : remember(machine, store);

    if (r == 0 && event == ANOMALY_WORSENED)
        r = worsen(machine, average, detection);
    if (r < 0)
        return r;
    machine->open.event = event;
    machine->open.buffers = machine->state.anomaly_buffers;
    machine->open.similarity =
        (uint8_t)machine->state.anomaly_similarity; /* the lowest, also of those that were no news */
    machine->open.distance = machine->state.anomaly_distance;
    if (event == ANOMALY_CLEARED || event == ANOMALY_ACCEPTED) {
        machine->open.cleared = at;
        machine->state.anomaly = 0;
    }
    return append(log, &machine->open, event, at);
}

void episode_log_free(struct episode_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->anomalies[i].explanation);
        free((char *)log->outgoing[i].topic);
        free((char *)log->outgoing[i].payload);
    }
    free(log->anomalies);
    free(log->outgoing);
    *log = (struct episode_log){ 0 };
}
