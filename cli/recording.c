#include "recording.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "message.h"
#include "progress.h"

static size_t values_of(const struct recording *recording)
{
    return (size_t)recording->buffer_size * recording->axes;
}

float *recording_room(struct recording *recording)
{
    size_t count = recording->count + 1;
    float *samples = realloc(recording->samples, count * values_of(recording) * sizeof(*samples));
    int64_t *at = realloc(recording->at, count * sizeof(*at));
    int64_t *anomaly = realloc(recording->anomaly, count * sizeof(*anomaly));
    struct wire_meta **beside = realloc(recording->beside, count * sizeof(struct wire_meta *));

    recording->samples = samples ? samples : recording->samples;
    recording->at = at ? at : recording->at;
    recording->anomaly = anomaly ? anomaly : recording->anomaly;
    recording->beside = beside ? beside : recording->beside;
    if (!samples || !at || !anomaly || !beside)
        return NULL;
    return recording->samples + recording->count * values_of(recording);
}

void recording_add(struct recording *recording, int64_t at, int64_t anomaly, struct wire_meta *beside)
{
    recording->at[recording->count] = at;
    recording->anomaly[recording->count] = anomaly;
    recording->beside[recording->count++] = beside;
}

double recording_after(double at, double every)
{
    return fmin(at + every, (double)CLOCK_LAST);
}

void recording_free(struct recording *recording)
{
    for (size_t i = 0; i < recording->count; i++)
        free(recording->beside[i]);
    free(recording->beside);
    free(recording->samples);
    free(recording->at);
    free(recording->anomaly);
    *recording = (struct recording){ 0 };
}

/* ----------------------------------------------------------------------------------------------------- of the daemon */

static double number_of(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

static void describe(struct recording *recording, const char *machine, const json_t *settings)
{
    const char *unit = json_string_value(json_object_get(settings, "unit"));

    recording->buffer_size = (uint32_t)number_of(settings, "buffer_size");
    recording->axes = (uint32_t)number_of(settings, "axes");
    recording->sampling_hz = (float)number_of(settings, "sampling_hz");
    snprintf(recording->unit, sizeof(recording->unit), "%s", unit ? unit : "");
    snprintf(recording->machine, sizeof(recording->machine), "%s", machine);
}

static int take_row(struct recording *recording, const json_t *row)
{
    const json_t *data = json_object_get(row, "data");
    const char *time = json_string_value(json_object_get(row, "time"));
    int64_t at = 0;
    float *samples;

    if (json_array_size(data) != values_of(recording) || number_of(row, "axes") != recording->axes) {
        recording->others++;
        return 0;
    }
    samples = recording_room(recording);
    if (!samples)
        return complain_errno("hold", "a recording");
    for (size_t i = 0; i < values_of(recording); i++)
        samples[i] = (float)json_number_value(json_array_get(data, i));
    if (time)
        clock_parse(time, &at);
    recording_add(recording, at, json_integer_value(json_object_get(row, "anomaly")), NULL);
    return 0;
}

/* anomaly 0: those learned. */
static int fetch_buffers(struct recording *recording, struct client *client, int64_t anomaly)
{
    char path[160];
    json_t *rows = NULL;
    int r;

    if (anomaly != 0)
        snprintf(path, sizeof(path), "/v1/machines/%s/buffers?anomaly=%" PRId64, recording->machine, anomaly);
    else
        snprintf(path, sizeof(path), "/v1/machines/%s/buffers", recording->machine);
    r = client_get_lines(client, path, &rows);
    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++)
        r = take_row(recording, json_array_get(rows, i));
    json_decref(rows);
    return r;
}

static int fetch_anomalies(struct recording *recording, struct client *client)
{
    struct progress progress;
    char path[160];
    json_t *rows = NULL;
    int r;

    snprintf(path, sizeof(path), "/v1/anomalies?machine=%s", recording->machine);
    r = client_get_rows(client, path, "anomalies", false, &rows);
    progress_begin(&progress, "anomalies", json_array_size(rows), false);
    for (size_t i = 0; r == 0 && i < json_array_size(rows); i++) {
        r = fetch_buffers(recording, client, json_integer_value(json_object_get(json_array_get(rows, i), "id")));
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    json_decref(rows);
    return r;
}

/* By time; stored ones have no context. What was learned and what raised is not much: insertion moves few of them far. */
static int sort(struct recording *recording)
{
    size_t bytes = values_of(recording) * sizeof(float);
    float *held = malloc(bytes);

    if (!held)
        return complain_errno("hold", "a buffer");
    for (size_t i = 1; i < recording->count; i++) {
        int64_t at = recording->at[i], anomaly = recording->anomaly[i];
        size_t to = i;

        while (to > 0 && recording->at[to - 1] > at)
            to--;
        if (to == i)
            continue;
        memcpy(held, recording->samples + i * values_of(recording), bytes);
        memmove(recording->samples + (to + 1) * values_of(recording), recording->samples + to * values_of(recording),
                (i - to) * bytes);
        memmove(&recording->at[to + 1], &recording->at[to], (i - to) * sizeof(*recording->at));
        memmove(&recording->anomaly[to + 1], &recording->anomaly[to], (i - to) * sizeof(*recording->anomaly));
        memcpy(recording->samples + to * values_of(recording), held, bytes);
        recording->at[to] = at;
        recording->anomaly[to] = anomaly;
    }
    free(held);
    return 0;
}

int recording_fetch(struct recording *recording, struct client *client, const char *machine, uint64_t anomaly,
                    json_t **ret_settings)
{
    char path[160];
    json_t *page = NULL, *settings;
    int r;

    snprintf(path, sizeof(path), "/v1/machines/%.64s", machine);
    r = client_get(client, path, &page);
    settings = json_object_get(page, "settings");
    if (r == 0)
        describe(recording, machine, settings);
    if (r == 0)
        r = fetch_buffers(recording, client, (int64_t)anomaly);
    if (r == 0 && anomaly == 0)
        r = fetch_anomalies(recording, client);
    if (r == 0)
        r = sort(recording);
    if (r == 0 && ret_settings)
        *ret_settings = json_incref(settings);
    json_decref(page);
    return r;
}

/* --------------------------------------------------------------------------------------------------------- of files */

static int read_file(struct recording *recording, const char *path, const struct samples_shape *shape, double *at,
                     double every)
{
    struct samples *samples = NULL;
    int r = samples_open(&samples, path, shape);

    while (r == 0) {
        float *room = recording_room(recording);

        r = room ? samples_next(samples, room) : complain_errno("hold", path);
        if (r != 0)
            break;
        if (samples_time(samples) != 0) {
            *at = (double)samples_time(samples);
            recording->timed = true;
        }
        recording_add(recording, (int64_t)*at, 0, NULL);
        *at = recording_after(*at, every);
    }
    samples_close(samples);
    return r == SAMPLES_END ? 0 : r;
}

static bool holds_lines(const char *path)
{
    const char *ending = strrchr(path, '.');

    return ending && strcmp(ending, ".ndjson") == 0;
}

int recording_read(struct recording *recording, const struct words *paths, const struct samples_shape *shape,
                   const char *machine, int64_t from, double every)
{
    double at = (double)from;
    int r = 0;

    recording->buffer_size = shape->buffer_size;
    recording->axes = shape->axes;
    for (size_t i = 0; r == 0 && i < paths->count; i++)
        r = holds_lines(paths->word[i]) ? recording_read_lines(recording, paths->word[i], machine, &at, every)
                                        : read_file(recording, paths->word[i], shape, &at, every);
    return r;
}
