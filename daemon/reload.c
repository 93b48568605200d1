#include "reload.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "config/changes.h"
#include "config/checks.h"
#include "http/http.h"

/* All that a reload puts in force, read and checked. */
struct fresh {
    struct config config;
    struct token_list tokens;
    struct tls *certificate;
};

void use_log_level(const char *name)
{
    static const char *const names[] = { "error", "warning", "notice", "info", "debug" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        if (strcmp(names[i], name) == 0)
            log_set_level((enum log_level)i);
}

/* ----------------------------------------------------------------------------------------------------------- tokens */

int load_tokens(const struct config *config, struct access *access, char message[TOKEN_MESSAGE_SIZE])
{
    struct token_list list;
    int r;

    if (config->http_tokens[0] == '\0')
        return 0;
    r = token_list_read(&list, config->http_tokens, message);
    if (r < 0)
        return r;
    if (list.count == 0 && !is_loopback(config->http_address)) {
        snprintf(message, TOKEN_MESSAGE_SIZE, "%.250s: holds no token, so nobody could come in: `habit token add`",
                 config->http_tokens);
        return -EINVAL;
    }
    access_take_tokens(access, &list);
    return 0;
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static void fresh_clear(struct fresh *fresh)
{
    config_free(&fresh->config);
    token_list_free(&fresh->tokens);
    http_drop_certificate(fresh->certificate);
}

/* From none to some, or back, other parts would have to change than the list and the certificate. */
static bool takes_tokens(const struct fresh *fresh, const struct config *config)
{
    return config->http_tokens[0] != '\0' && fresh->config.http_tokens[0] != '\0';
}

static int read_fresh(struct fresh *fresh, const struct config *config, const char *path,
                      char message[CONFIG_MESSAGE_SIZE])
{
    int r = config_read(&fresh->config, path, message);

    if (r < 0)
        return r;
    if (takes_tokens(fresh, config))
        r = token_list_read(&fresh->tokens, fresh->config.http_tokens, message);
    if (r == 0 && config->http_certificate[0] != '\0' && fresh->config.http_certificate[0] != '\0')
        r = http_load_certificate(&fresh->config, &fresh->certificate, message);
    return r;
}

_Static_assert((int)TOKEN_MESSAGE_SIZE <= (int)CONFIG_MESSAGE_SIZE &&
                   (int)HTTP_MESSAGE_SIZE <= (int)CONFIG_MESSAGE_SIZE,
               "one message for all that may be wrong");

/* ------------------------------------------------------------------------------------------------------ putting in force */

/* What a SIGHUP does is recorded like what a request does. Without the record nothing is changed. */
static int record(struct store *store, const char *detail, int outcome)
{
    struct audit audit = {
        .at = clock_now().wall, .actor = "signal", .door = "signal", .action = "reload", .outcome = outcome
    };

    snprintf(audit.detail, sizeof(audit.detail), "%s", detail);
    return store_audit_begin(store, &audit);
}

int reload(const struct config *config, const char *path, struct access *access, struct store *store)
{
    char message[CONFIG_MESSAGE_SIZE] = "", waiting[800], tokens[300] = "";
    struct fresh fresh = { 0 };
    int r = read_fresh(&fresh, config, path, message);

    if (r < 0) {
        record(store, message, refusal_kind(REFUSAL_RANGE)->status);
        log_error("reload refused, all stays as it was: %s", message);
        fresh_clear(&fresh);
        return r;
    }
    if (takes_tokens(&fresh, config))
        access_compare(access, &fresh.tokens, tokens, sizeof(tokens));
    r = record(store, tokens, 200);
    if (r < 0) {
        log_error("reload refused, all stays as it was: its record cannot be stored (%s)", strerror(-r));
        fresh_clear(&fresh);
        return r;
    }
    config_changes(config, &fresh.config, BY_RESTART, waiting, sizeof(waiting));
    use_log_level(fresh.config.log_level);
    if (takes_tokens(&fresh, config))
        access_take_tokens(access, &fresh.tokens);
    http_use_certificate(fresh.certificate);
    fresh.certificate = NULL;
    log_notice("reloaded: %s", tokens[0] != '\0' ? tokens : "tokens, certificate and log level are as the files say");
    if (waiting[0] != '\0')
        log_warning("changed, but taken only by a restart: %s", waiting);
    fresh_clear(&fresh);
    return 0;
}
