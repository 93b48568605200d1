/* habit status: how the gateway is, at a glance. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "message.h"

struct status_settings {
    const char *url;
    bool json;
};

static const struct option_row rows[] = {
    { OPTION_FLAG, false, "json", offsetof(struct status_settings, json), "", 0, 0, "print it as JSON" },
    { OPTION_TEXT, false, "url", offsetof(struct status_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

/* ------------------------------------------------------------------------------------------------------------- words */

enum { WORDS_SIZE = 64 };

static const char *size_text(double bytes, char text[WORDS_SIZE])
{
    static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
    size_t unit = 0;

    while (bytes >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
        bytes /= 1024;
        unit++;
    }
    snprintf(text, WORDS_SIZE, "%.*f %s", unit > 0 && bytes < 100 ? 1 : 0, bytes, units[unit]);
    return text;
}

/* "3 d 4 h", "12 min" */
static const char *age_text(int64_t seconds, char text[WORDS_SIZE])
{
    if (seconds >= 86400)
        snprintf(text, WORDS_SIZE, "%" PRId64 " d %" PRId64 " h", seconds / 86400, seconds % 86400 / 3600);
    else if (seconds >= 3600)
        snprintf(text, WORDS_SIZE, "%" PRId64 " h %" PRId64 " min", seconds / 3600, seconds % 3600 / 60);
    else if (seconds >= 60)
        snprintf(text, WORDS_SIZE, "%" PRId64 " min", seconds / 60);
    else
        snprintf(text, WORDS_SIZE, "%" PRId64 " s", seconds);
    return text;
}

static const char *string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "-";
}

static int64_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool truth(const json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* -------------------------------------------------------------------------------------------------------------- lines */

static void print_reasons(const json_t *status)
{
    const json_t *reason;
    size_t i;

    json_array_foreach(json_object_get(status, "reasons"), i, reason)
        printf("          %s\n", json_string_value(reason));
}

/* "1 connection", "2 connections" */
static const char *count_text(int64_t count, const char *one, char text[WORDS_SIZE])
{
    snprintf(text, WORDS_SIZE, "%" PRId64 " %s%s", count, one, count == 1 ? "" : "s");
    return text;
}

static void print_http(const json_t *status)
{
    const json_t *http = json_object_get(status, "http");
    char connections[WORDS_SIZE], streams[WORDS_SIZE];

    printf("http      %s://%s:%" PRId64 ", %s, %s, %s\n", truth(http, "tls") ? "https" : "http",
           string(http, "address"), number(http, "port"), truth(http, "tokens") ? "tokens" : "no tokens",
           count_text(number(http, "connections"), "connection", connections),
           count_text(number(http, "streams"), "event stream", streams));
}

static void print_mqtt(const json_t *status)
{
    const json_t *mqtt = json_object_get(status, "mqtt");

    if (!json_is_object(mqtt))
        printf("mqtt      no broker is configured\n");
    else
        printf("mqtt      %s:%" PRId64 "%s, %s\n", string(mqtt, "host"), number(mqtt, "port"),
               truth(mqtt, "tls") ? ", tls" : "", truth(mqtt, "connected") ? "connected" : "not connected");
}

static void print_machines(const json_t *status)
{
    const json_t *machines = json_object_get(status, "machines"), *count;
    const char *phase;

    printf("machines  %" PRId64, number(machines, "total"));
    json_object_foreach((json_t *)machines, phase, count)
    {
        if (strcmp(phase, "total") != 0 && json_integer_value(count) > 0)
            printf(", %" PRId64 " %s", (int64_t)json_integer_value(count), phase);
    }
    printf("; %" PRId64 " pending\n", number(status, "pending"));
    printf("anomalies %" PRId64 " open\n", number(status, "open_anomalies"));
}

static void print_store(const json_t *status)
{
    const json_t *store = json_object_get(status, "store"), *outbox = json_object_get(status, "outbox"),
                 *backup = json_object_get(status, "backup");
    char size[WORDS_SIZE], free[WORDS_SIZE], age[WORDS_SIZE];

    printf("store     %s, %s free%s\n", size_text((double)number(store, "size_bytes"), size),
           size_text((double)number(store, "free_bytes"), free), truth(store, "commits") ? "" : ", does not commit");
    printf("outbox    %" PRId64 " waiting", number(outbox, "waiting"));
    if (number(outbox, "waiting") > 0)
        printf(", the oldest for %s", age_text(number(outbox, "oldest_s"), age));
    if (number(outbox, "dropped") > 0)
        printf(", %" PRId64 " dropped", number(outbox, "dropped"));
    if (json_is_object(backup))
        printf("\nbackup    %s ago, %s\n", age_text(number(backup, "age_s"), age),
               size_text((double)number(backup, "size_bytes"), size));
    else
        printf("\nbackup    never\n");
}

static void print_status(const json_t *status)
{
    char age[WORDS_SIZE];

    printf("habit %s on gateway %s, up %s: %s\n", string(status, "version"), string(status, "gateway"),
           age_text(number(status, "uptime_s"), age), string(status, "status"));
    print_reasons(status);
    print_http(status);
    print_mqtt(status);
    print_machines(status);
    print_store(status);
}

static int run(const struct command *command, int argc, char **argv)
{
    struct status_settings settings = { 0 };
    struct client *client = NULL;
    json_t *status = NULL;
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    code = client_open(&client, settings.url);
    if (code == 0)
        code = client_get(client, "/v1/status", &status);
    if (code == 0 && settings.json) {
        json_dumpf(status, stdout, JSON_INDENT(1));
        printf("\n");
    } else if (code == 0) {
        print_status(status);
    }
    json_decref(status);
    client_close(client);
    return code;
}

const struct command status_command = {
    .name = "status",
    .synopsis = "[--json] [--url URL]",
    .summary = "how the gateway is: ready or degraded and why, doors, machines, store, backup",
    .options = rows,
    .run = run,
};
