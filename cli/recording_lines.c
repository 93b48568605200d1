/* Lines of JSON as POST /v1/buffers takes them: with the time of each buffer and the context that came beside it. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "habit/engine.h"
#include "message.h"
#include "recording.h"

/* One file on its way. */
struct lines {
    struct recording *recording;
    const char *path, *machine;
    char only[80]; /* the machine of the first line, where any is meant */
    size_t number; /* of the line */
    double at, every;
};

static int refuse(const struct lines *lines, const char *what)
{
    complain("%s:%zu: %s", lines->path, lines->number, what);
    return EXIT_DATA;
}

static int read_time(struct lines *lines, const json_t *time)
{
    const double latest = 9007199254740992.0; /* 2^53, as for the daemon */
    double number = json_number_value(time);
    int64_t wall = -1;

    if (!time)
        return 0;
    if (json_is_number(time) && number >= 0 && number < latest)
        wall = (int64_t)number;
    else if (json_is_string(time) && clock_parse(json_string_value(time), &wall) != 0)
        wall = -1;
    if (wall < 0)
        return refuse(lines, "time is RFC 3339 since 1970, such as 2026-11-22T13:19:31Z, or milliseconds");
    lines->at = (double)wall;
    lines->recording->timed = true;
    return 0;
}

static int read_data(const struct lines *lines, const json_t *data)
{
    struct recording *recording = lines->recording;
    size_t values = (size_t)recording->buffer_size * recording->axes;
    float *samples = recording_room(recording);

    if (!samples)
        return complain_errno("hold", lines->path);
    if (json_array_size(data) != values) {
        complain("%s:%zu: %zu values in data, a buffer is %u x %u = %zu", lines->path, lines->number,
                 json_array_size(data), recording->buffer_size, recording->axes, values);
        return EXIT_DATA;
    }
    for (size_t i = 0; i < values; i++) {
        const json_t *value = json_array_get(data, i);

        if (!json_is_number(value) || !(fabs(json_number_value(value)) <= (double)HABIT_MAX_VALUE))
            return refuse(lines, "data holds something else than numbers of at most 1e15");
        samples[i] = (float)json_number_value(value);
    }
    return 0;
}

/* Whether the line is of the machine that is meant; one that names none is. */
static int check_machine(struct lines *lines, const json_t *line, bool *meant)
{
    const char *machine = json_string_value(json_object_get(line, "machine"));

    *meant = true;
    if (!machine)
        return 0;
    if (lines->machine[0] != '\0') {
        *meant = strcmp(machine, lines->machine) == 0;
        lines->recording->others += !*meant;
        return 0;
    }
    if (lines->only[0] == '\0')
        snprintf(lines->only, sizeof(lines->only), "%s", machine);
    return strcmp(machine, lines->only) == 0 ? 0
                                             : refuse(lines, "another machine than before: name one with --machine");
}

static int take_line(struct lines *lines, json_t *line)
{
    bool meant;
    int r = json_is_object(line) ? check_machine(lines, line, &meant) : refuse(lines, "not a JSON object");

    if (r != 0 || !meant)
        return r;
    r = read_time(lines, json_object_get(line, "time"));
    if (r == 0)
        r = read_data(lines, json_object_get(line, "data"));
    if (r != 0)
        return r;
    recording_add(lines->recording, (int64_t)lines->at, 0, json_incref(json_object_get(line, "context")));
    lines->at += lines->every;
    return 0;
}

static int read_all(struct lines *lines, FILE *file)
{
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_INT_AS_REAL; /* the daemon's */
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    int r = 0;

    while (r == 0 && (length = getline(&text, &room, file)) >= 0) {
        json_t *line;

        lines->number++;
        if (strspn(text, " \t\r\n") == (size_t)length)
            continue;
        line = memchr(text, '\0', (size_t)length) ? NULL : json_loadb(text, (size_t)length, flags, NULL);
        r = take_line(lines, line);
        json_decref(line);
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
