#include <stdio.h>
#include <stdlib.h>

#include "message.h"
#include "options.h"
#include "output_file.h"
#include "sink.h"

/* Standard output is an output_file that nobody commits: main closes it and sees its errors. */
static int open_file(struct sink *sink)
{
    struct output_file *output = calloc(1, sizeof(*output));

    sink->state = output;
    if (!output)
        return complain_errno("write", "simulated buffers");
    if (sink->setup.path)
        return output_file_open(output, sink->setup.path);
    return 0;
}

static int send_file(struct sink *sink, const struct sink_buffer *buffer, const void *bytes, size_t size)
{
    struct output_file *output = sink->state;

    (void)buffer;
    if (fwrite(bytes, 1, size, output->file ? output->file : stdout) == size)
        return 0;
    return sink->setup.path ? complain_errno("write", sink->setup.path) : EXIT_FAILED; /* main says it of stdout */
}

static int finish_file(struct sink *sink)
{
    struct output_file *output = sink->state;

    return output->file ? output_file_commit(output) : 0;
}

static void close_file(struct sink *sink)
{
    output_file_abandon(sink->state);
    free(sink->state);
}

const struct sink_kind sink_file = { open_file, send_file, finish_file, close_file };
