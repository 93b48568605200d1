/* Lines of JSON as POST /v1/buffers takes them, read as it reads them: with the time of each buffer and the context beside it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "message.h"
#include "recording.h"

/* One file on its way. */
struct lines {
    struct recording *recording;
    const char *path, *machine;
    char only[MACHINE_ID_SIZE]; /* the machine of the first line, where any is meant */
    size_t number;              /* of the line */
    double at, every;
};

static int refuse_line(const struct lines *lines, int r, struct refusal *refusal)
{
    if (r < 0)
        refuse_fault(refusal, r);
    complain("%s:%zu: %s", lines->path, lines->number, refusal->detail);
    return r < 0 ? EXIT_FAILED : EXIT_DATA;
}

/* The one that is named; else that of the first line that names one. */
static int check_same(struct lines *lines, const char *machine, struct refusal *refusal)
{
    if (!machine_id_valid(machine, strlen(machine)))
        return refuse(refusal, REFUSAL_MACHINE_ID, "machine", "machine is not a machine ID: " MACHINE_ID_RULE);
    if (lines->only[0] == '\0')
        snprintf(lines->only, sizeof(lines->only), "%s", machine);
    if (strcmp(machine, lines->only) != 0)
        return refuse(refusal, REFUSAL_MACHINE_ID, "machine", "another machine than before: name one with --machine");
    return 0;
}

/* Whether the line is of the machine that is meant; one that names none is. */
static int check_machine(struct lines *lines, const char *machine, bool *meant)
{
    struct refusal refusal;
    int r;

    *meant = machine[0] == '\0' || lines->machine[0] == '\0' || strcmp(machine, lines->machine) == 0;
    lines->recording->others += !*meant;
    if (machine[0] == '\0' || lines->machine[0] != '\0')
        return 0;
    r = check_same(lines, machine, &refusal);
    return r == 0 ? 0 : refuse_line(lines, r, &refusal);
}

/* Of what came beside it only context is of use here; *ret = NULL without. Returns 0 or EXIT_FAILED. */
static int copy_beside(const struct lines *lines, const struct wire_meta *meta, struct wire_meta **ret)
{
    *ret = NULL;
    if (meta->context_count == 0)
        return 0;
    *ret = malloc(sizeof(**ret));
    if (!*ret)
        return complain_errno("hold", lines->path);
    **ret = *meta;
    return 0;
}

/* A line may hold several buffers: they follow each other, and what came beside them came with the first. */
static int keep(struct lines *lines, const struct wire_buffers *buffers)
{
    struct recording *recording = lines->recording;
    size_t values = (size_t)recording->buffer_size * recording->axes;

    if (buffers->meta.has_time) {
        lines->at = (double)buffers->meta.time;
        recording->timed = true;
    }
    for (size_t i = 0; i < buffers->count; i++) {
        float *room = recording_room(recording);
        struct wire_meta *beside = NULL;

        if (!room)
            return complain_errno("hold", lines->path);
        if (i == 0 && copy_beside(lines, &buffers->meta, &beside) != 0)
            return EXIT_FAILED;
        memcpy(room, buffers->samples + i * values, values * sizeof(*room));
        recording_add(recording, (int64_t)lines->at, 0, beside);
        lines->at = recording_after(lines->at, lines->every);
    }
    return 0;
}

static int take_line(struct lines *lines, const struct wire_line *line)
{
    struct wire_shape shape = { .encoding = ENCODING_JSON,
                                .buffer_size = lines->recording->buffer_size,
                                .axes = lines->recording->axes,
                                .scale = 1.0f,
                                .line = line };
    struct wire_buffers buffers;
    struct refusal refusal;
    bool meant;
    int r = check_machine(lines, wire_line_machine(line), &meant);

    if (r != 0 || !meant)
        return r;
    r = wire_decode(&shape, NULL, 0, NULL, &buffers, &refusal);
    if (r != 0)
        return refuse_line(lines, r, &refusal);
    r = keep(lines, &buffers);
    wire_buffers_free(&buffers);
    return r;
}

static int read_line(struct lines *lines, const char *text, size_t length)
{
    struct wire_line *line = NULL;
    struct refusal refusal;
    int r = wire_line_read(text, length, "", &line, &refusal);

    if (r != 0)
        return refuse_line(lines, r, &refusal);
    r = take_line(lines, line);
    wire_line_free(line);
    return r;
}

static int read_all(struct lines *lines, FILE *file)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int r = 0;

    while (r == 0 && (length = getline(&text, &room, file)) >= 0) {
        size_t size = (size_t)length;

        lines->number++;
        while (size > 0 && strchr(" \t\r\n", text[size - 1]) && text[size - 1] != '\0')
            size--;
        if (size > 0)
            r = read_line(lines, text, size);
    }
    free(text);
    return r == 0 && ferror(file) ? complain_errno("read", lines->path) : r;
}

int recording_read_lines(struct recording *recording, const char *path, const char *machine, double *at, double every)
{
    struct lines lines = { .recording = recording, .path = path, .machine = machine, .at = *at, .every = every };
    FILE *file = fopen(path, "re");
    int r;

    if (!file)
        return complain_errno("open", path);
    r = read_all(&lines, file);
    *at = lines.at;
    fclose(file);
    return r;
}
