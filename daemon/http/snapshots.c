/* Kept knowledge, and relearned one. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "http/answer.h"
#include "http/handlers.h"
#include "http/query.h"
#include "wire/document.h"

static struct registry *registry_of(struct request *request)
{
    return request->http->options.registry;
}

static int read_all(struct request *request, struct snapshot snapshots[SNAPSHOTS_MOST])
{
    request->refusal.code = REFUSAL_NONE;
    return registry_snapshots(registry_of(request), request->id, snapshots, &request->refusal);
}

int snapshots_list(struct request *request)
{
    struct snapshot snapshots[SNAPSHOTS_MOST];
    int count = read_all(request, snapshots);

    if (count < 0 || request->refusal.code != REFUSAL_NONE)
        return count < 0 ? count : (int)request->refusal.code;
    return answer_take_json(request, MHD_HTTP_OK, wire_snapshots(request->id, snapshots, (size_t)count));
}

int snapshot_show(struct request *request)
{
    struct snapshot snapshot;
    char etag[ETAG_SIZE];
    void *bytes = NULL;
    int r = registry_get_snapshot(registry_of(request), request->id, (int64_t)request->number, &snapshot, &bytes,
                                  &request->refusal);

    if (r == 0)
        r = answer_take_bytes(request, MHD_HTTP_OK, "application/octet-stream", bytes, snapshot.size);
    if (r != 0 || !snapshot.whole)
        return r;
    registry_knowledge_etag(snapshot.crc, etag);
    return answer_header(request, MHD_HTTP_HEADER_ETAG, etag);
}

int snapshot_restore(struct request *request)
{
    int r =
        registry_restore(registry_of(request), request->id, (int64_t)request->number, request->now, &request->refusal);

    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}

/* ------------------------------------------------------------------------------------------------------------- taking */

/* The newest one with this reason: ours, or one that somebody took a moment later. */
static int answer_newest(struct request *request, const char *reason)
{
    struct snapshot snapshots[SNAPSHOTS_MOST];
    char location[MACHINE_ID_SIZE + 64];
    int count = read_all(request, snapshots), i = 0, r;

    if (count < 0 || request->refusal.code != REFUSAL_NONE)
        return count < 0 ? count : (int)request->refusal.code;
    while (i < count && strcmp(snapshots[i].reason, reason) != 0)
        i++;
    if (i == count)
        return refuse(&request->refusal, REFUSAL_STATE, "", "%s has no knowledge yet", request->id);
    r = answer_take_json(request, MHD_HTTP_CREATED, wire_snapshot(&snapshots[i]));
    snprintf(location, sizeof(location), "/v1/machines/%s/snapshots/%" PRId64, request->id, snapshots[i].id);
    return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_LOCATION, location);
}

static int read_note_parameter(struct request *request, char note[SNAPSHOT_NOTE_SIZE])
{
    const char *text = query_text(request, "note");

    note[0] = '\0';
    if (!text)
        return 0;
    if (!text_printable(text, SNAPSHOT_NOTE_SIZE))
        return refuse(&request->refusal, REFUSAL_REQUEST, "note", "note is a text of at most %d bytes",
                      SNAPSHOT_NOTE_SIZE - 1);
    snprintf(note, SNAPSHOT_NOTE_SIZE, "%s", text);
    return 0;
}

/* A block: it is kept, not put in force. */
static int add_block(struct request *request)
{
    char note[SNAPSHOT_NOTE_SIZE];
    int r = read_note_parameter(request, note);

    if (r == 0)
        r = registry_add_snapshot(registry_of(request), request->id, request->body, request->size, note, request->now,
                                  &request->refusal);
    return r != 0 ? r : answer_newest(request, SNAPSHOT_UPLOADED);
}

int snapshots_post(struct request *request)
{
    char note[SNAPSHOT_NOTE_SIZE];
    int r;

    if (request->size > 0 && request->encoding == ENCODING_RAW)
        return add_block(request);
    r = request->size > 0 ? wire_read_note(request->body, request->size, note, &request->refusal)
                          : read_note_parameter(request, note);
    if (r == 0)
        r = registry_take_snapshot(registry_of(request), request->id, note, request->now, &request->refusal);
    return r != 0 ? r : answer_newest(request, SNAPSHOT_REQUEST);
}

/* --------------------------------------------------------------------------------------------------------- relearning */

int relearn_show(struct request *request)
{
    struct relearned relearned;
    int r = registry_relearned(registry_of(request), request->id, request->now, &relearned, &request->refusal);

    return r != 0 ? r : answer_take_json(request, MHD_HTTP_OK, wire_relearned(request->id, &relearned));
}

int relearn_post(struct request *request)
{
    int r = registry_relearn(registry_of(request), request->id, request->now, &request->refusal);

    return r != 0 ? r : relearn_show(request);
}

int relearn_switch(struct request *request)
{
    int r = registry_switch(registry_of(request), request->id, request->now, &request->refusal);

    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}

int relearn_delete(struct request *request)
{
    int r = registry_drop_relearned(registry_of(request), request->id, request->now, &request->refusal);

    return r != 0 ? r : answer_empty(request, MHD_HTTP_NO_CONTENT);
}
