/* The whole store: a copy of it, and its end. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "http/answer.h"
#include "http/authorize.h"
#include "http/handlers.h"
#include "wire/document.h"

#define BACKUP_TYPE "application/vnd.sqlite3"

enum { PATIENCE_MS = 5000 }; /* with a broker that is to clear what it retains */

/* ---------------------------------------------------------------------------------------------------------- backup */

/* The connection's thread has seen its last byte leave, or it broke off. */
static void end_backup(struct request *request, bool whole)
{
    struct store *store = request->http->options.store;
    char address[ADDRESS_SIZE];

    store_end_backup(store);
    authorize_address(request, address);
    if (whole && store_note_backup(store, &request->backup) == 0)
        log_notice("a backup of %lld bytes was taken by %s from %s", (long long)request->backup.size, request->who.name,
                   address);
}

static bool is_stopping(void *user)
{
    return http_is_stopping(user);
}

static int refuse_backup(struct request *request, int r)
{
    if (r == -EBUSY)
        return refuse(&request->refusal, REFUSAL_LIMIT, "",
                      "another backup is being made or sent: try again in a minute");
    if (r == -ENOSPC)
        return refuse(&request->refusal, REFUSAL_DISK, "",
                      "the file system of the store has no room for a second copy: make room and try again");
    if (r == -ECANCELED)
        return refuse(&request->refusal, REFUSAL_STORE, "", "habitd is stopping");
    return r;
}

/* "habit-gw-1-20261122T131931Z.db" */
static int name_file(struct request *request)
{
    const time_t seconds = (time_t)(request->backup.at / 1000);
    char stamp[20], disposition[128];
    struct tm utc;

    gmtime_r(&seconds, &utc);
    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", &utc);
    snprintf(disposition, sizeof(disposition), "attachment; filename=\"habit-%s-%s.db\"", request->backup.gateway,
             stamp);
    return answer_header(request, "Content-Disposition", disposition);
}

int backup_take(struct request *request)
{
    struct store_backup *backup = &request->backup;
    int r;

    *backup = (struct store_backup){ .at = request->now.wall };
    snprintf(backup->gateway, sizeof(backup->gateway), "%s", request->http->options.config->gateway);
    if (strcmp(request->method, "HEAD") == 0) {
        r = answer_empty(request, MHD_HTTP_OK);
        return r != 0 ? r : answer_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, BACKUP_TYPE);
    }
    r = store_backup(request->http->options.store, backup, is_stopping, request->http);
    if (r < 0)
        return refuse_backup(request, r);
    request->ended = end_backup;
    r = answer_take_file(request, MHD_HTTP_OK, BACKUP_TYPE, backup->fd, (uint64_t)backup->size);
    return r != 0 ? r : name_file(request);
}

/* ------------------------------------------------------------------------------------------------------------ wipe */

static int check_name(struct request *request)
{
    const char *gateway = request->http->options.config->gateway;
    char named[GATEWAY_ID_SIZE];
    int r = wire_read_gateway(request->body, request->size, named, sizeof(named), &request->refusal);

    if (r == 0 && strcmp(named, gateway) != 0)
        return refuse(&request->refusal, REFUSAL_STATE, "gateway", "this gateway is %s: nothing was deleted", gateway);
    return r;
}

/* Who asks must name the gateway: this cannot be taken back. The log says who it was, for the record of changes goes too. */
int wipe_post(struct request *request)
{
    const struct http_options *options = &request->http->options;
    struct broker_state broker = { 0 };
    char address[ADDRESS_SIZE];
    struct wiped wiped;
    int r = check_name(request);

    if (options->broker)
        options->broker(options->user, &broker);
    if (r == 0)
        r = registry_wipe(options->registry, broker.connected ? PATIENCE_MS : 0, &wiped, &request->refusal);
    if (r != 0)
        return r;
    authorize_address(request, address);
    log_warning("%s at %s has wiped the store: %u machines and all that was known of them", request->who.name, address,
                wiped.machines);
    const struct wire_member members[] = { member_integer("machines", wiped.machines),
                                           member_integer("unsaid", (int64_t)wiped.unsaid) };

    return answer_take_json(request, MHD_HTTP_OK, wire_object(members, 2));
}
