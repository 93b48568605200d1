/* What people do about anomalies: look at them by asset, accept, mute. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "http/answer.h"
#include "http/handlers.h"
#include "http/own.h"
#include "http/query.h"
#include "report/episodes.h"
#include "wire/document.h"

static struct registry *registry_of(struct request *request)
{
    return request->http->options.registry;
}

/* --------------------------------------------------------------------------------------------------------- episodes */

static int answer_episodes(struct request *request, struct anomaly *anomalies, size_t count, bool cut)
{
    size_t *episode = calloc(count + 1, sizeof(*episode));
    size_t episodes;
    int r;

    if (!episode)
        return fault(-ENOMEM);
    episodes = episodes_group(anomalies, count, episode);
    r = answer_take_json(request, MHD_HTTP_OK, wire_episodes(anomalies, count, episode, episodes, cut));
    free(episode);
    return r;
}

static int read_query(struct request *request, struct anomaly_query *query)
{
    int r = query_time(request, "from", &query->from);

    query->asset = query_text(request, "asset");
    if (r == 0)
        r = query_time(request, "to", &query->to);
    if (query->from == 0)
        query->from = (query->to != 0 ? query->to : request->now.wall) - INT64_C(7) * 86400000;
    return r;
}

int episodes_list(struct request *request)
{
    struct anomaly_query query = { .limit = LIMIT_PAGE };
    struct anomaly *anomalies;
    int count, r = read_query(request, &query);

    if (r != 0)
        return r;
    anomalies = calloc(query.limit, sizeof(*anomalies));
    if (!anomalies)
        return fault(-ENOMEM);
    count = own_anomalies(request, query, anomalies);
    r = count < 0 ? count : answer_episodes(request, anomalies, (size_t)count, (size_t)count == query.limit);
    for (int i = 0; i < count; i++)
        free(anomalies[i].explanation);
    free(anomalies);
    return r;
}

/* ---------------------------------------------------------------------------------------------------------- accepting */

int anomaly_accept(struct request *request)
{
    const struct anomaly_query query = { .id = (int64_t)request->number, .limit = 1 };
    struct anomaly anomaly = { 0 };
    struct accepted accepted;
    int r = registry_accept(registry_of(request), (int64_t)request->number, request->now, &accepted, &request->refusal);

    if (r != 0)
        return r;
    r = store_anomalies(request->http->options.store, &query, &anomaly);
    if (r > 0)
        r = answer_take_json(request, MHD_HTTP_OK, wire_accepted(&anomaly, &accepted));
    else if (r == 0)
        r = refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "anomaly %" PRIu64 " was deleted meanwhile",
                   request->number);
    free(anomaly.explanation);
    return r;
}

/* Whether there is such an anomaly for this token. */
static int check_own(struct request *request)
{
    const struct anomaly_query query = { .id = (int64_t)request->number, .limit = 1 };
    struct anomaly anomaly = { 0 };
    int found;

    if (!token_bound(&request->who))
        return 0;
    found = own_anomalies(request, query, &anomaly);
    free(anomaly.explanation);
    if (found == 0)
        return refuse(&request->refusal, REFUSAL_NOT_FOUND, "", "there is no anomaly %" PRIu64, request->number);
    return found < 0 ? found : 0;
}

int anomaly_buffers(struct request *request)
{
    float *samples = NULL;
    size_t count = 0;
    int r = check_own(request);

    if (r == 0)
        r = registry_evidence(registry_of(request), (int64_t)request->number, &samples, &count, &request->refusal);

    return r != 0
               ? r
               : answer_take_bytes(request, MHD_HTTP_OK, "application/octet-stream", samples, count * sizeof(*samples));
}

struct listing {
    FILE *file;
    const char *separator;
};

static int write_features(void *user, const char *features)
{
    struct listing *listing = user;

    fprintf(listing->file, "%s%s", listing->separator, features);
    listing->separator = ",";
    return 0;
}

/* Each is JSON already. */
int anomaly_features(struct request *request)
{
    struct listing listing = { .separator = "" };
    char *text = NULL;
    size_t size;
    int r;

    listing.file = open_memstream(&text, &size);
    if (!listing.file)
        return fault(-ENOMEM);
    fprintf(listing.file, "{\"anomaly\":%" PRIu64 ",\"features\":[", request->number);
    r = registry_features(registry_of(request), (int64_t)request->number, write_features, &listing, &request->refusal);
    fputs("]}", listing.file);
    if (fclose(listing.file) != 0 && r == 0)
        r = fault(-ENOMEM);
    if (r == 0)
        return answer_take_json(request, MHD_HTTP_OK, text);
    free(text);
    return r;
}

/* -------------------------------------------------------------------------------------------------------- maintenance */

int mute_put(struct request *request)
{
    struct mute mute;
    int r = wire_read_mute(request->body, request->size, request->now.wall, &mute, &request->refusal);

    if (r == 0)
        r = registry_mute(registry_of(request), request->id, &mute, request->now, &request->refusal);
    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}

int mute_delete(struct request *request)
{
    int r = registry_unmute(registry_of(request), request->id, request->now, &request->refusal);

    return r != 0 ? r : answer_machine(request, MHD_HTTP_OK);
}
