/* The anomaly of one machine: what an event of the strategy writes into the store and says to the broker. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "registry/commissioning.h"
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

/* Named numbers that are known when a machine becomes strange. */
static void note_context(const struct machine *machine, char context[ANOMALY_CONTEXT_SIZE])
{
    struct named_number fresh[LIMIT_CONTEXT];
    size_t count = 0;
    char *text;

    for (uint32_t i = 0; i < machine->context_count; i++)
        if (machine->state.last_measured - machine->context[i].at <= (int64_t)machine->settings.context_ttl)
            fresh[count++] = machine->context[i];
    text = count > 0 ? wire_named_numbers(fresh, count) : NULL;
    if (text && strlen(text) < ANOMALY_CONTEXT_SIZE)
        memcpy(context, text, strlen(text) + 1);
    free(text);
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
                                      .knowledge_crc = machine_crc(machine),
                                      .explanation = explanation };
    snprintf(machine->open.machine, sizeof(machine->open.machine), "%s", machine->id);
    snprintf(machine->open.asset, sizeof(machine->open.asset), "%s", machine->settings.asset);
    note_context(machine, machine->open.context);
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
    if (event == ANOMALY_RAISED)
        suspects_raised(&machine->suspects);
    if (event == ANOMALY_RAISED || event == ANOMALY_WORSENED)
        r = suspects_take(machine, &log->evidence, &log->evidence_count);
    if (r < 0)
        return r;
    machine->open.event = event;
    machine->open.buffers = machine->state.anomaly_buffers;
    machine->open.similarity =
        (uint8_t)machine->state.anomaly_similarity; /* the lowest, also of those that were no news */
    machine->open.distance = machine->state.anomaly_distance;
    if (event == ANOMALY_CLEARED || event == ANOMALY_ACCEPTED) {
        machine->open.cleared =
            at > machine->open.raised ? at : machine->open.raised; /* by a buffer of before, perhaps */
        machine->open.undo = event == ANOMALY_ACCEPTED ? UNDO_OF_THIS_CHANGE : 0;
        machine->state.anomaly = 0;
    }
    return append(log, &machine->open, event, at);
}

int episode_accept_cleared(const struct anomaly *anomaly, int64_t at, struct episode_log *log)
{
    struct anomaly accepted = *anomaly;

    accepted.event = ANOMALY_ACCEPTED;
    accepted.undo = UNDO_OF_THIS_CHANGE;
    return append(log, &accepted, ANOMALY_ACCEPTED, at);
}

int episode_close(struct registry *registry, struct machine *machine, int64_t at, struct episode_log *log)
{
    if (machine->state.anomaly == 0)
        return 0;
    return episode_event(machine, registry->store, ANOMALY_CLEARED, NULL, NULL, at, log);
}

void episode_log_change(const struct episode_log *log, struct store_change *change)
{
    change->anomalies = log->anomalies;
    change->outgoing = log->outgoing;
    change->anomaly_count = change->outgoing_count = log->count;
    change->evidence = log->evidence;
    change->evidence_count = log->evidence_count;
}

void episode_log_free(struct episode_log *log)
{
    for (size_t i = 0; i < log->count; i++) {
        free(log->anomalies[i].explanation);
        free((char *)log->outgoing[i].topic);
        free((char *)log->outgoing[i].payload);
    }
    for (size_t i = 0; i < log->evidence_count; i++)
        buffer_free(&log->evidence[i]);
    free(log->evidence);
    free(log->anomalies);
    free(log->outgoing);
    *log = (struct episode_log){ 0 };
}
