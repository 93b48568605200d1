/* How habitd itself does: for people and supervisors. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "http/answer.h"
#include "http/handlers.h"
#include "http/health.h"
#include "wire/document.h"

int live_show(struct request *request)
{
    return answer_take_text(request, MHD_HTTP_OK, "text/plain; charset=utf-8", strdup("ok\n"));
}

/* -------------------------------------------------------------------------------------------------------- readiness */

enum { REASON_SIZE = 320, SLOW_MS = 5000, MIB = 1048576 };

/* What the reasons are found in. */
struct condition_now {
    const struct http_options *options;
    struct moment now;
    struct registry_figures registry;
    struct store_figures store;
    int64_t store_busy;         /* ms that the present transaction has taken */
    uint64_t outbox;            /* messages that wait for the broker */
    struct broker_state broker; /* connected where none is configured */
};

static void look(struct http *http, struct moment now, struct condition_now *is)
{
    const struct http_options *options = &http->options;
    int64_t busy = store_busy_since(options->store), since;

    memset(is, 0, sizeof(*is));
    is->options = options;
    is->now = now;
    registry_figures(options->registry, &is->registry);
    store_figures(options->store, &is->store);
    is->store_busy = busy != 0 ? clock_awake() - busy : 0;
    if (store_outbox_backlog(options->store, &is->outbox, &since) < 0)
        is->outbox = 0; /* a store that cannot be read says so itself */
    is->broker.connected = true;
    if (options->broker)
        options->broker(options->user, &is->broker);
}

/* Each says in `text` what is wrong, or leaves it as it is: "". */
static void store_fails(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->store.last_error != 0)
        snprintf(text, REASON_SIZE,
                 "store: nothing can be stored (%s): learning and changes are refused until it can, detection goes on",
                 is->store.why);
}

static void file_is_damaged(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->registry.damaged > 0)
        snprintf(
            text, REASON_SIZE,
            "database: damaged where machine %s is stored (%u in all): what they learn is refused, the others go on; "
            "restart habitd, which checks the file, and restore a backup",
            is->registry.damaged_first, is->registry.damaged);
}

static void store_is_slow(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->store_busy > SLOW_MS)
        snprintf(text, REASON_SIZE, "store: has been writing for %lld s: what learns waits for it, detection goes on",
                 (long long)is->store_busy / 1000);
}

static void writes_are_many(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->store.strain > 0)
        snprintf(text, REASON_SIZE,
                 "writes: near [store] daily_writes, %u MiB in 24 h: commits wait to gather more, answers to learns "
                 "come later",
                 is->options->config->store_daily_writes);
}

static void disk_is_low(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->store.free_bytes >= 0 && is->store.free_bytes < LIMIT_DISK_LOW)
        snprintf(text, REASON_SIZE, "disk: nearly full, %lld MiB are free where the store is",
                 (long long)is->store.free_bytes / MIB);
}

static void clock_is_doubtful(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->now.doubtful)
        snprintf(text, REASON_SIZE, "clock: not set, or it has jumped: reports wait until that is confirmed");
}

static void broker_is_away(const struct condition_now *is, char text[REASON_SIZE])
{
    if (!is->broker.connected)
        snprintf(text, REASON_SIZE, "mqtt: the broker is not connected%s%s", is->broker.why[0] != '\0' ? ": " : "",
                 is->broker.why);
}

static void broker_refuses(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->broker.deaf)
        snprintf(text, REASON_SIZE,
                 "mqtt: the broker does not grant all our subscriptions: buffers stay away or can be lost; its log and "
                 "ours say which");
}

static void id_is_contested(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->broker.contested)
        snprintf(text, REASON_SIZE,
                 "mqtt: another client seems to use our ID 'habit-%s': give each habitd its own [gateway] id",
                 is->options->config->gateway);
}

static void outbox_is_filling(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->outbox >= LIMIT_OUTBOX_HIGH)
        snprintf(text, REASON_SIZE, "outbox: %llu messages wait for the broker; beyond %d the oldest are dropped",
                 (unsigned long long)is->outbox, LIMIT_OUTBOX);
}

static void machines_conflict(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->registry.conflicts > 0)
        snprintf(text, REASON_SIZE, "machines: settings and knowledge of %u differ; see conflict in GET /v1/machines",
                 is->registry.conflicts);
}

static void reload_was_refused(const struct condition_now *is, char text[REASON_SIZE])
{
    if (is->options->reload_refused(is->options->user))
        snprintf(text, REASON_SIZE,
                 "configuration: the last reload was refused, all is as it was: the log and habit audit say why");
}

static void backup_is_due(const struct condition_now *is, char text[REASON_SIZE])
{
    const int64_t most = (int64_t)is->options->config->store_backup_age, age = is->now.wall - is->store.backup_at;

    if (most == 0 || (is->store.backup_at != 0 && age <= most))
        return;
    if (is->store.backup_at == 0)
        snprintf(text, REASON_SIZE, "backup: there was none yet: habit backup FILE");
    else
        snprintf(text, REASON_SIZE, "backup: the last one is %lld h old: habit backup FILE", (long long)age / 3600000);
}

/* What degrades us, in the order in which it is told; docs/interface.md has the same table. The names are for the journal. */
static const struct {
    const char *name;
    void (*look)(const struct condition_now *is, char text[REASON_SIZE]);
} reasons[] = {
    { "store", store_fails },
    { "database", file_is_damaged },
    { "store-slow", store_is_slow },
    { "disk", disk_is_low },
    { "writes", writes_are_many },
    { "clock", clock_is_doubtful },
    { "mqtt", broker_is_away },
    { "mqtt-deaf", broker_refuses },
    { "mqtt-id", id_is_contested },
    { "outbox", outbox_is_filling },
    { "machines", machines_conflict },
    { "backup", backup_is_due },
    { "configuration", reload_was_refused },
};

void http_reasons(struct http *http, struct moment now, void (*each)(void *user, const char *name, const char *text),
                  void *user)
{
    struct condition_now is;

    look(http, now, &is);
    for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++) {
        char text[REASON_SIZE] = "";

        reasons[i].look(&is, text);
        each(user, reasons[i].name, text);
    }
}

/* What a library or the system has said may hold anything. */
static void write_reason(FILE *file, const char *separator, const char *text)
{
    fprintf(file, "%s\"", separator);
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' || *text == '"' || *text == '\\' || (unsigned char)*text > '~' ? '\'' : *text,
              file);
    fputc('"', file);
}

struct writing {
    FILE *file;
    const char *separator;
};

static void write_one(void *user, const char *name, const char *text)
{
    struct writing *writing = user;

    (void)name;
    if (text[0] == '\0')
        return;
    write_reason(writing->file, writing->separator, text);
    writing->separator = ",";
}

/* A JSON array of plain texts. */
static void write_reasons(FILE *file, struct request *request)
{
    struct writing writing = { file, "" };

    fputc('[', file);
    if (http_is_stopping(request->http))
        write_one(&writing, "stopping", "habitd is stopping");
    http_reasons(request->http, request->now, write_one, &writing);
    fputc(']', file);
}

char *health_reasons(struct request *request)
{
    return answer_text_of(request, write_reasons);
}

const char *health_status(struct request *request, const char *list)
{
    return http_is_stopping(request->http) ? "unavailable" : strcmp(list, "[]") == 0 ? "ready" : "degraded";
}

/* 503 only where no buffer is taken any more: whoever balances on this should not leave because a broker restarts or a disk is
 * full, for detection goes on. Before habitd is ready nothing listens. */
int ready_show(struct request *request)
{
    const unsigned int status = http_is_stopping(request->http) ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK;
    char *list = health_reasons(request), *backup;
    struct store_figures store;
    int r = -ENOMEM;

    store_figures(request->http->options.store, &store);
    backup = health_backup(&store, request->now);
    if (list && backup) {
        const struct wire_member members[] = { member_text("status", health_status(request, list)),
                                               member_json("reasons", list), member_json("backup", backup) };

        r = answer_take_json(request, status, wire_object(members, sizeof(members) / sizeof(members[0])));
    }
    free(list);
    free(backup);
    return fault(r);
}
