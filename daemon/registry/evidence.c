/* Buffers that were strange: those of the window wait in memory, packed; where an anomaly is raised they go into the store, and
 * from there to whoever asks, accepts or relearns. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "registry/commissioning.h"
#include "registry/internal.h"
#include "wire/document.h"

/* Standard deviations on the log scale that windows add up: of a healthy machine one buffer in fifteen is beyond. Each that
 * waits costs memory. Of a window that is below the threshold all count. */
#define STRANGE 1.5f

static void drop_first(struct suspects *suspects)
{
    buffer_free(&suspects->item[0].buffer);
    suspects->count--;
    memmove(&suspects->item[0], &suspects->item[1], suspects->count * sizeof(*suspects->item));
}

void suspects_clear(struct suspects *suspects)
{
    for (uint32_t i = 0; i < suspects->count; i++)
        buffer_free(&suspects->item[i].buffer);
    free(suspects->item);
    suspects->item = NULL;
    suspects->count = 0;
}

/* Samples, or where these are not to be stored what the engine made of them. */
static bool pack(struct store_buffer *buffer, const struct settings *settings, const float *samples,
                 const struct detection *detection, int64_t at)
{
    if (settings->store_buffers == BUFFERS_RAW)
        return buffer_pack(buffer, samples, (size_t)settings->buffer_size * settings->axes, settings->axes, at);
    *buffer = (struct store_buffer){ .axes = settings->axes, .at = at, .features = wire_features(detection, at) };
    return buffer->features;
}

/* Without memory it is left out: only accepting would miss it. */
static void keep(struct suspects *suspects, const struct settings *settings, const float *samples,
                 const struct detection *detection, float score, int64_t at)
{
    struct suspect *grown = realloc(suspects->item, (suspects->count + 1) * sizeof(*grown));

    if (!grown)
        return;
    suspects->item = grown;
    if (!pack(&grown[suspects->count].buffer, settings, samples, detection, at))
        return;
    grown[suspects->count].score = score;
    grown[suspects->count++].number = suspects->judged;
}

void suspects_note(struct machine *machine, const float *samples, const struct detection *detection, float score,
                   bool below, int64_t at)
{
    struct suspects *suspects = &machine->suspects;
    size_t bytes = (size_t)machine->settings.buffer_size * machine->settings.axes * sizeof(int16_t);

    if (machine->settings.store_buffers == BUFFERS_NONE)
        return;
    suspects->judged++;
    while (suspects->count > 0 && suspects->judged - suspects->item[0].number >= machine->settings.window)
        drop_first(suspects);
    if (score <= STRANGE && !below)
        return;
    while (suspects->count > 0 &&
           (suspects->count >= LIMIT_EVIDENCE || (suspects->count + 1) * bytes > LIMIT_EVIDENCE_BYTES))
        drop_first(suspects);
    keep(suspects, &machine->settings, samples, detection, score, at);
}

void suspects_raised(struct suspects *suspects)
{
    float first = 0, second = 0;

    for (uint32_t i = 0; i < suspects->count; i++) {
        float score = suspects->item[i].score;

        if (score > first) {
            second = first;
            first = score;
        } else if (score > second) {
            second = score;
        }
    }
    suspects->least = (suspects->count > 1 ? second : first) / 2;
}

static size_t most_evidence(const struct settings *settings)
{
    size_t most = LIMIT_EVIDENCE_BYTES / ((size_t)settings->buffer_size * settings->axes * sizeof(int16_t));

    return most < LIMIT_EVIDENCE ? most : LIMIT_EVIDENCE;
}

int suspects_take(struct machine *machine, struct store_buffer **buffers, size_t *count)
{
    struct suspects *suspects = &machine->suspects;
    size_t most = most_evidence(&machine->settings);
    struct store_buffer *grown = realloc(*buffers, (*count + suspects->count + 1) * sizeof(*grown));

    if (!grown)
        return fault(-ENOMEM);
    *buffers = grown;
    for (uint32_t i = 0; i < suspects->count && machine->open.evidence < most && suspects->least > 0; i++) {
        struct suspect *suspect = &suspects->item[i];

        if (suspect->score < suspects->least)
            continue;
        suspect->buffer.anomaly = machine->open.id;
        grown[(*count)++] = suspect->buffer;
        suspect->buffer = (struct store_buffer){ 0 };
        machine->open.evidence++;
    }
    suspects_clear(suspects);
    return 0;
}

/* ------------------------------------------------------------------------------------------------------- from the store */

static int take_one(void *user, const struct store_buffer *buffer)
{
    struct kept *kept = user;
    float *samples;
    int64_t *anomaly;

    if (buffer->axes != kept->axes || buffer->count != kept->values) {
        kept->others++;
        return 0;
    }
    samples = realloc(kept->samples, (kept->count + 1) * kept->values * sizeof(*samples));
    kept->samples = samples ? samples : kept->samples;
    anomaly = realloc(kept->anomaly, (kept->count + 1) * sizeof(*anomaly));
    kept->anomaly = anomaly ? anomaly : kept->anomaly;
    if (!samples || !anomaly)
        return fault(-ENOMEM);
    buffer_unpack(buffer, samples + kept->count * kept->values);
    anomaly[kept->count++] = buffer->anomaly;
    return 0;
}

int kept_read(struct registry *registry, enum store_kept which, int64_t of, const struct habit_config *config,
              struct kept *kept)
{
    int r;

    *kept = (struct kept){ .axes = config->axes, .values = (size_t)config->buffer_size * config->axes };
    r = store_kept(registry->store, which, of, take_one, kept);
    if (r < 0)
        kept_free(kept);
    return r;
}

void kept_free(struct kept *kept)
{
    free(kept->samples);
    free(kept->anomaly);
    kept->samples = NULL;
    kept->anomaly = NULL;
    kept->count = 0;
}
