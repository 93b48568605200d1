/* Streams: messages of any length, joined and cut into buffers; and messages of which several machines have some channels each. What
 * is left over is in memory only: after a restart the next buffer begins with the next message. */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/map.h"
#include "registry/work.h"
#include "strategy/stream.h"

struct stream {
    const struct config_input *input; /* that it comes by: another one begins another stream */
    uint32_t axes;
    float *samples;
    size_t used;     /* samples */
    size_t leave;    /* samples that are to be left out yet: hop goes beyond the buffer */
    size_t consumed; /* of the samples, by the buffers that are being worked on */
    bool begun;      /* `last` is known */
    struct stream_message last;
    struct log_gate gate;
};

void stream_free(struct stream *stream)
{
    if (!stream)
        return;
    free(stream->samples);
    free(stream);
}

void stream_lose(struct registry *registry, struct machine *machine)
{
    if (machine->stream && machine->stream->used > 0) {
        registry->refusals[REFUSAL_GAP]++;
        log_warning(
            "machine %s: a gap in its stream: the store failed; %zu samples of an unfinished buffer are dropped",
            machine->id, machine->stream->used);
    }
    stream_free(machine->stream);
    machine->stream = NULL;
}

/* ---------------------------------------------------------------------------------------------------------- channels */

/* Takes a machine's channels out of a message that several share. */
static int take_channels(struct work *work, const struct settings *settings)
{
    const struct wire_message *message = work->arrival->message;
    const struct config_target *target = work->arrival->target;
    float *samples;

    if (target->count != settings->axes)
        return refuse(work->refusal, REFUSAL_LENGTH, "map", "it gives %u channels, this machine has %u axes",
                      target->count, settings->axes);
    samples = malloc(message->samples * target->count * sizeof(*samples));
    if (!samples)
        return fault(-ENOMEM);
    for (size_t i = 0; i < message->samples; i++)
        for (size_t k = 0; k < target->count; k++)
            samples[i * target->count + k] = message->values[i * message->channels + target->channel[k]];
    work->buffers = (struct wire_buffers){ .samples = samples, .count = message->samples, .meta = message->meta };
    return 0;
}

static int take_all(struct work *work, const struct wire_shape *shape)
{
    const struct arrival *arrival = work->arrival;
    struct wire_message message;
    int r = wire_decode_message(shape, arrival->bytes, arrival->size, arrival->meta, &message, work->refusal);

    if (r == 0)
        work->buffers =
            (struct wire_buffers){ .samples = message.values, .count = message.samples, .meta = message.meta };
    return r;
}

int work_decode_message(struct work *work, const struct settings *settings, const struct wire_shape *shape)
{
    size_t samples;
    int r = work->arrival->message ? take_channels(work, settings) : take_all(work, shape);

    work->stream = work->arrival->input->stream;
    if (r != 0 || work->stream)
        return r;
    samples = work->buffers.count;
    if (samples % settings->buffer_size != 0)
        return refuse(work->refusal, REFUSAL_LENGTH, "data",
                      "%zu samples, this machine's buffer has %u: or write stream = yes", samples,
                      settings->buffer_size);
    work->buffers.count = samples / settings->buffer_size;
    return 0;
}

/* -------------------------------------------------------------------------------------------------------------- gaps */

/* The machine's stream, begun anew where it is of another input or geometry. */
static struct stream *stream_of(struct work *work)
{
    struct machine *machine = work->machine;
    struct stream *stream = machine->stream;

    if (stream && (stream->input != work->arrival->input || stream->axes != machine->settings.axes)) {
        stream_free(stream);
        machine->stream = stream = NULL;
    }
    if (!stream)
        machine->stream = stream = calloc(1, sizeof(*stream));
    if (stream) {
        stream->input = work->arrival->input;
        stream->axes = machine->settings.axes;
    }
    return stream;
}

static struct stream_message describe(const struct work *work)
{
    const struct wire_meta *meta = &work->buffers.meta;
    struct stream_message message = { .samples = work->buffers.count,
                                      .numbered = meta->has_seq,
                                      .timed = meta->has_time || meta->has_age,
                                      .seq = meta->seq,
                                      .measured = work->steady,
                                      .came = work->arrival->now.mono };

    snprintf(message.source, sizeof(message.source), "%s", meta->source);
    snprintf(message.boot, sizeof(message.boot), "%s", meta->boot);
    return message;
}

/* The unfinished buffer is dropped. */
static void break_stream(struct work *work, struct stream *stream, enum stream_break reason)
{
    uint64_t suppressed;

    work_hour(work)->gaps++;
    work->machine->unsaved = true;
    work->registry->refusals[REFUSAL_GAP]++;
    if (log_gate_pass(&stream->gate, work->arrival->now.mono, &suppressed))
        log_warning("machine %s: a gap in its stream: %s; %zu samples of an unfinished buffer are dropped (%llu more "
                    "gaps since the last line)",
                    work->machine->id, stream_break_text(reason), stream->used, (unsigned long long)suppressed);
    stream->used = stream->leave = 0;
}

static void find_gap(struct work *work, struct stream *stream)
{
    const struct settings *settings = &work->machine->settings;
    struct stream_message message = describe(work);
    enum stream_break found =
        stream->begun ? stream_follows(&stream->last, &message, work->arrival->input->gap, settings->sampling_hz)
                      : STREAM_FOLLOWS;

    if (found == STREAM_OTHER && stream->used == 0) /* nothing is lost */
        stream->leave = 0;
    else if (found != STREAM_FOLLOWS)
        break_stream(work, stream, found);
    stream->last = message;
    stream->begun = true;
}

/* ----------------------------------------------------------------------------------------------------------- cutting */

static int append(struct work *work, struct stream *stream)
{
    size_t left_out = stream->leave < work->buffers.count ? stream->leave : work->buffers.count;
    size_t taken = work->buffers.count - left_out, width = stream->axes * sizeof(float);
    float *grown;

    stream->leave -= left_out;
    if (taken == 0)
        return 0;
    grown = realloc(stream->samples, (stream->used + taken) * width);
    if (!grown)
        return fault(-ENOMEM);
    stream->samples = grown;
    memcpy(grown + stream->used * stream->axes, work->buffers.samples + left_out * stream->axes, taken * width);
    stream->used += taken;
    return 0;
}

static size_t hop_of(const struct work *work)
{
    const struct config_input *input = work->arrival->input;

    return input->hop > 0 ? input->hop : work->machine->settings.buffer_size;
}

static void cut(struct work *work, struct stream *stream)
{
    size_t size = work->machine->settings.buffer_size, hop = hop_of(work);

    assert(hop > 0);
    work->samples = stream->samples;
    work->stride = hop * stream->axes;
    work->count = stream->used >= size ? (stream->used - size) / hop + 1 : 0;
    stream->consumed = work->count * hop;
}

static bool is_known(const struct work *work)
{
    const struct wire_meta *meta = &work->buffers.meta;

    return meta->has_seq && marks_applied(&work->machine->marks, meta->source, meta->boot, meta->seq);
}

int work_join_stream(struct work *work)
{
    const struct wire_meta *meta = &work->buffers.meta;
    struct stream *stream = stream_of(work);
    int r = 0;

    work->count = 0;
    if (!stream)
        return fault(-ENOMEM);
    stream->consumed = 0;
    if (is_known(work)) {
        work->duplicates++;
        work_hour(work)->duplicates++;
        return 0;
    }
    find_gap(work, stream);
    if (meta->has_seq)
        r = marks_apply(&work->machine->marks, meta->source, meta->boot, meta->seq, work->arrival->now.wall);
    if (r == 0)
        r = append(work, stream);
    if (r == 0)
        cut(work, stream);
    return r;
}

void work_time_stream(struct work *work, size_t index)
{
    const struct stream *stream = work->machine->stream;
    const struct settings *settings = &work->machine->settings;
    size_t end = index * hop_of(work) + settings->buffer_size;
    double behind =
        settings->sampling_hz > 0 ? 1000.0 * (double)(stream->used - end) / (double)settings->sampling_hz : 0;

    work_set_time(work, work->came_at - (int64_t)behind);
}

void work_leave_stream(struct work *work)
{
    struct stream *stream = work->machine->stream;
    size_t width = stream->axes * sizeof(float), left;
    float *smaller;

    if (stream->consumed == 0)
        return;
    left = stream->consumed < stream->used ? stream->used - stream->consumed : 0;
    stream->leave = stream->consumed > stream->used ? stream->consumed - stream->used : 0;
    memmove(stream->samples, stream->samples + (stream->used - left) * stream->axes, left * width);
    stream->used = left;
    if (left == 0) { /* a thousand machines must not keep their largest message */
        free(stream->samples);
        stream->samples = NULL;
        return;
    }
    smaller = realloc(stream->samples, left * width);
    stream->samples = smaller ? smaller : stream->samples;
}
