/* NDJSON, a buffer a line. POST /v1/buffers: of any machine; each line is taken or refused for itself; what was learned is committed in
 * groups, and answered then. GET /v1/machines/{id}/buffers: the other way, what the store has. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/query.h"
#include "wire/document.h"

/* A line that was taken and is not durable yet. */
struct taken {
    struct receipt receipt;
    struct wire_line *line;
    size_t number;
    char *answer;
};

struct lines {
    struct request *request;
    struct verdict *verdicts; /* LIMIT_PAGE, of one line */
    struct taken taken[LIMIT_MQTT_BATCH];
    size_t count;
    FILE *answers;
};

/* ---------------------------------------------------------------------------------------------------------- answers */

static struct registry *registry_of(const struct lines *lines)
{
    return lines->request->http->options.registry;
}

/* Takes the text; NULL where memory ran out. */
static int put_answer(struct lines *lines, char *answer)
{
    if (!answer)
        return fault(-ENOMEM);
    fprintf(lines->answers, "%s\n", answer);
    free(answer);
    return 0;
}

static int put_problem(struct lines *lines, size_t number, const struct wire_line *line, const struct refusal *refusal)
{
    return put_answer(lines, wire_line_problem(number, line ? wire_line_machine(line) : NULL, refusal));
}

/* Waits for the disk: what does not get there was not taken. */
static int settle(struct lines *lines)
{
    int r = 0;

    for (size_t i = 0; i < lines->count; i++) {
        struct taken *taken = &lines->taken[i];
        struct refusal refusal = { 0 };
        int settled = taken->receipt.op ? registry_settle(registry_of(lines), &taken->receipt, &refusal) : 0;
        int put;

        if (settled != 0) {
            free(taken->answer);
            taken->answer = wire_line_problem(taken->number, wire_line_machine(taken->line), &refusal);
        }
        put = put_answer(lines, taken->answer);
        r = r == 0 ? put : r;
        wire_line_free(taken->line);
    }
    lines->count = 0;
    return r;
}

/* ------------------------------------------------------------------------------------------------------------ lines */

static int submit(struct lines *lines, const struct wire_line *line, struct taken *taken, size_t *count,
                  struct refusal *refusal)
{
    struct arrival arrival = {
        .id = wire_line_machine(line),
        .intent = INTENT_BUFFER,
        .encoding = ENCODING_JSON,
        .line = line,
        .format = -1,
        .now = lines->request->now,
    };

    return registry_submit(registry_of(lines), &arrival, lines->verdicts, LIMIT_PAGE, count, &taken->receipt, refusal);
}

/* Takes the line over. Answers come in the order of the lines: a refusal waits for those before it. */
static int take_line(struct lines *lines, struct wire_line *line, size_t number)
{
    struct taken *taken;
    struct refusal refusal;
    size_t count = 0;
    int r, settled = lines->count == LIMIT_MQTT_BATCH ? settle(lines) : 0;

    taken = &lines->taken[lines->count];
    r = submit(lines, line, taken, &count, &refusal);
    if (r == REFUSAL_STORE && lines->count > 0) { /* its queue is full: once more after the commits */
        settled = settle(lines);
        taken = &lines->taken[0];
        r = submit(lines, line, taken, &count, &refusal);
    }
    if (r < 0)
        refuse_fault(&refusal, r);
    taken->line = line;
    taken->number = number;
    taken->answer = r == 0 ? wire_line_verdicts(number, wire_line_machine(line), lines->verdicts,
                                                count < LIMIT_PAGE ? count : LIMIT_PAGE, count)
                           : wire_line_problem(number, wire_line_machine(line), &refusal);
    lines->count++;
    return settled;
}

static int read_line(struct lines *lines, const char *text, size_t size, size_t number)
{
    struct wire_line *line = NULL;
    struct refusal refusal;
    int r = wire_line_read(text, size, NULL, &line, &refusal), settled;

    if (r == 0)
        return take_line(lines, line, number);
    if (r < 0)
        refuse_fault(&refusal, r);
    registry_count_refusal(registry_of(lines), refusal.code);
    settled = settle(lines);
    r = put_problem(lines, number, NULL, &refusal);
    return settled != 0 ? settled : r;
}

/* ------------------------------------------------------------------------------------------------------------- body */

/* The next line without its end, at *rest, which moves behind it. */
static size_t next_line(const char **rest, const char *end, const char **line)
{
    const char *newline = memchr(*rest, '\n', (size_t)(end - *rest));
    size_t length = (size_t)((newline ? newline : end) - *rest);

    *line = *rest;
    *rest = newline ? newline + 1 : end;
    return length > 0 && (*line)[length - 1] == '\r' ? length - 1 : length;
}

static bool is_empty(const char *line, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (line[i] != ' ' && line[i] != '\t')
            return false;
    return true;
}

/* Before anything is applied. */
static int check_lines(struct request *request)
{
    const char *rest = (const char *)request->body, *end = rest + request->size, *line;
    size_t count = 0, length;

    while (rest < end) {
        length = next_line(&rest, end, &line);
        count += !is_empty(line, length);
    }
    if (count == 0)
        return refuse(&request->refusal, REFUSAL_SYNTAX, "", "no line: each is {\"machine\": ..., \"data\": [...]}");
    if (count > LIMIT_LINES)
        return refuse_limit(&request->refusal, REFUSAL_TOO_LARGE, "", LIMIT_LINES, "%zu lines, at most %d in a body",
                            count, LIMIT_LINES);
    return 0;
}

static int read_lines(struct lines *lines)
{
    const char *rest = (const char *)lines->request->body, *end = rest + lines->request->size, *line;
    size_t number = 0, length;
    int r = 0, settled;

    while (r == 0 && rest < end) {
        length = next_line(&rest, end, &line);
        number++;
        if (!is_empty(line, length))
            r = read_line(lines, line, length, number);
    }
    settled = settle(lines);
    return r != 0 ? r : settled;
}

int lines_submit(struct request *request)
{
    struct lines lines = { .request = request, .verdicts = malloc(LIMIT_PAGE * sizeof(*lines.verdicts)) };
    char *text = NULL;
    size_t size;
    int r = check_lines(request);

    if (r == 0)
        lines.answers = open_memstream(&text, &size);
    if (r == 0)
        r = lines.verdicts && lines.answers ? read_lines(&lines) : fault(-ENOMEM);
    if (lines.answers && fclose(lines.answers) != 0 && r == 0)
        r = fault(-ENOMEM);
    free(lines.verdicts);
    if (r == 0)
        return answer_take_text(request, MHD_HTTP_OK, "application/x-ndjson", text);
    free(text);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- stored ones */

struct listing {
    const char *machine;
    FILE *file;
};

static int write_stored(void *user, const struct stored_buffer *buffer)
{
    const struct listing *listing = user;
    char *line =
        wire_stored(listing->machine, buffer->at, buffer->anomaly, buffer->axes, buffer->samples, buffer->values);

    if (!line)
        return fault(-ENOMEM);
    fprintf(listing->file, "%s\n", line);
    free(line);
    return 0;
}

int stored_list(struct request *request)
{
    struct listing listing = { .machine = request->id };
    uint64_t anomaly;
    char *text = NULL;
    size_t size;
    int r = query_number(request, "anomaly", 1, INT64_MAX, 0, &anomaly);

    if (r != 0)
        return r;
    listing.file = open_memstream(&text, &size);
    if (!listing.file)
        return fault(-ENOMEM);
    r = registry_stored(request->http->options.registry, request->id, (int64_t)anomaly, write_stored, &listing,
                        &request->refusal);
    if (fclose(listing.file) != 0 && r == 0)
        r = fault(-ENOMEM);
    if (r == 0)
        return answer_take_text(request, MHD_HTTP_OK, "application/x-ndjson", text);
    free(text);
    return r;
}
