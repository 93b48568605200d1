/* Buffers: learn, detect, or what the strategy decides; and the context that comes beside them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/query.h"
#include "wire/document.h"

static int read_meta(struct request *request, struct wire_meta *meta)
{
    static const char *const names[] = { "seq", "boot", "source", "time", "age_ms" };

    memset(meta, 0, sizeof(*meta));
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const char *value = query_text(request, names[i]);
        int r = value ? wire_meta_set(meta, names[i], value, &request->refusal) : 0;

        if (r != 0)
            return r;
    }
    return 0;
}

/* Of raw bodies; -1: as the machine's settings say. */
static int read_format(struct request *request, int *format)
{
    static const char *const names[] = { [FORMAT_F32] = "f32", [FORMAT_I16] = "i16", [FORMAT_I16BE] = "i16be" };
    const char *text = query_text(request, "format");

    *format = -1;
    if (!text)
        return 0;
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], text) == 0)
            *format = (int)i;
    if (*format < 0 || request->encoding != ENCODING_RAW)
        return refuse(&request->refusal, REFUSAL_REQUEST, "format",
                      "format is f32, i16 or i16be, and goes with application/octet-stream");
    return 0;
}

static int read_dry_run(struct request *request, bool *dry_run)
{
    uint64_t value;
    int r = query_number(request, "dry_run", 0, 1, 0, &value);

    *dry_run = value == 1;
    return r;
}

static int submit_and_answer(struct request *request, const struct arrival *arrival)
{
    struct verdict *verdicts = malloc(LIMIT_PAGE * sizeof(*verdicts));
    size_t count = 0;
    int r;

    if (!verdicts)
        return fault(-ENOMEM);
    request->counted = true; /* what the registry refuses, it counts */
    r = registry_submit(request->http->options.registry, arrival, verdicts, LIMIT_PAGE, &count, NULL,
                        &request->refusal);
    if (r == 0)
        r = answer_take_json(request, MHD_HTTP_OK,
                             wire_verdicts(request->id, verdicts, count < LIMIT_PAGE ? count : LIMIT_PAGE, count));
    free(verdicts);
    return r;
}

static int submit(struct request *request, enum intent intent)
{
    struct wire_meta meta;
    struct arrival arrival = {
        .id = request->id,
        .intent = intent,
        .encoding = request->encoding,
        .bytes = request->body,
        .size = request->size,
        .meta = &meta,
        .now = request->now,
    };
    int r = read_meta(request, &meta);

    if (r == 0)
        r = read_format(request, &arrival.format);
    if (r == 0)
        r = read_dry_run(request, &arrival.dry_run);
    return r != 0 ? r : submit_and_answer(request, &arrival);
}

int buffers_learn(struct request *request)
{
    return submit(request, INTENT_LEARN);
}

int buffers_detect(struct request *request)
{
    return submit(request, INTENT_DETECT);
}

int buffers_submit(struct request *request)
{
    return submit(request, INTENT_BUFFER);
}

int context_put(struct request *request)
{
    struct wire_meta context = { 0 };
    int r = wire_decode_context(request->body, request->size, &context, &request->refusal);

    if (r == 0) {
        request->counted = true;
        r = registry_context(request->http->options.registry, request->id, &context, request->now, &request->refusal);
    }
    return r != 0 ? r : answer_empty(request, MHD_HTTP_NO_CONTENT);
}
