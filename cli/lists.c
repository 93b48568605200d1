/* habit machines (without more words), pending, anomalies, episodes, report: lists of the daemon as thin tables. */
#include <stdio.h>
#include <string.h>

#include "lists.h"

#include "client.h"
#include "commands.h"
#include "message.h"
#include "table.h"

struct list_settings {
    const char *url;
    bool json;
    struct words operands;
};

#define URL_ROW                                                                      \
    {                                                                                \
        OPTION_TEXT, false, "url", offsetof(struct list_settings, url), "URL", 0, 0, \
            "of habitd; default $HABIT_URL, else " CLIENT_URL                        \
    }
#define JSON_ROW                                                                                             \
    {                                                                                                        \
        OPTION_FLAG, false, "json", offsetof(struct list_settings, json), "", 0, 0, "print the rows as JSON" \
    }

static const struct option_row plain_rows[] = { URL_ROW, JSON_ROW, { .type = OPTION_END } };

static const struct option_row report_rows[] = {
    { OPTION_OPERANDS, false, "", offsetof(struct list_settings, operands), "DATE", 0, 1,
      "2026-11-22; default: the day that runs" },
    URL_ROW,
    JSON_ROW,
    { .type = OPTION_END },
};

/* ------------------------------------------------------------------------------------------------------ what they show */

struct list {
    const struct command *command;
    const char *path, *array; /* of the rows: route, and member of its answer */
    const struct column *columns;
    bool all; /* pages; else the first only: there may be very many */
};

/* clang-format off */
static const struct column machine_columns[] = {
    { "machine",    "machine" },
    { "phase",      "phase" },
    { "online",     "online" },
    { "learned",    "learned" },
    { "settled",    "settled" },
    { "progress",   "progress" },
    { "similarity", "last.similarity" },
    { "average",    "last.average" },
    { "anomaly",    "anomaly" },
    { "seen",       "last_seen" },
    { "name",       "settings.name" },
    { NULL,        NULL },
};

static const struct column pending_columns[] = {
    { "machine",    "machine" },
    { "topic",      "topic" },
    { "messages",   "count" },
    { "bytes",      "bytes" },
    { "format",     "format" },
    { "last",       "last" },
    { NULL,        NULL },
};

static const struct column anomaly_columns[] = {
    { "id",         "id" },
    { "machine",    "machine" },
    { "raised",     "raised" },
    { "cleared",    "cleared" },
    { "event",      "event" },
    { "similarity", "similarity" },
    { "distance",   "distance" },
    { "buffers",    "buffers" },
    { NULL,        NULL },
};

static const struct column audit_columns[] = {
    { "id",         "id" },
    { "at",         "at" },
    { "actor",      "actor" },
    { "from",       "address" },
    { "action",     "action" },
    { "machine",    "machine" },
    { "outcome",    "outcome" },
    { "detail",     "detail" },
    { NULL,        NULL },
};

static const struct column episode_columns[] = {
    { "from",       "from" },
    { "to",         "to" },
    { "asset",      "asset" },
    { "machines",   "machines" },
    { "similarity", "similarity" },
    { "distance",   "distance" },
    { NULL,        NULL },
};

static const struct column report_columns[] = {
    { "date",       "date" },
    { "machine",    "machine" },
    { "learned",    "learned" },
    { "detected",   "detected" },
    { "below",      "below" },
    { "idle",       "idle" },
    { "anomalies",  "anomalies" },
    { "per hour",   "anomalies_per_hour" },
    { "mean",       "similarity_mean" },
    { "lowest",     "similarity_min" },
    { NULL,        NULL },
};
/* clang-format on */

static const struct list lists[] = {
    { &machines_command, "/v1/machines", "machines", machine_columns, true },
    { &pending_command, "/v1/pending?limit=1000", "pending", pending_columns, true },
    { &anomalies_command, "/v1/anomalies", "anomalies", anomaly_columns, false },
    { &episodes_command, "/v1/episodes", "episodes", episode_columns, false },
    { &audit_command, "/v1/audit?limit=1000", "audit", audit_columns, true },
    { &report_command, "/v1/reports/daily", "reports", report_columns, true },
};

static const struct list *find_list(const struct command *command)
{
    const struct list *list = lists;

    while (list->command != command)
        list++;
    return list;
}

/* ----------------------------------------------------------------------------------------------------------------- run */

static void show(const struct list *list, const json_t *rows, bool json)
{
    if (json) {
        json_dumpf(rows, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        printf("\n");
    } else if (json_array_size(rows) == 0) {
        complain("no %s", list->array);
    } else {
        table_print(list->columns, rows);
    }
}

static int fetch(const struct list *list, const struct list_settings *settings, const char *path)
{
    struct client *client = NULL;
    json_t *rows = NULL;
    int r = client_open(&client, settings->url);

    if (r == 0)
        r = client_get_rows(client, path, list->array, list->all, &rows);
    if (r == 0)
        show(list, rows, settings->json);
    json_decref(rows);
    client_close(client);
    return r;
}

int lists_show(const struct command *command, const char *url, bool json)
{
    const struct list *list = find_list(command);
    const struct list_settings settings = { .url = url, .json = json };

    return fetch(list, &settings, list->path);
}

/* A date goes into the path as it is, so it must look like one; whether it is one, the daemon says. */
static bool looks_like_date(const char *text)
{
    return strlen(text) == 10 && strspn(text, "0123456789-") == 10;
}

static int run(const struct command *command, int argc, char **argv)
{
    const struct list *list = find_list(command);
    struct list_settings settings = { 0 };
    char path[64];
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (settings.operands.count == 0)
        return fetch(list, &settings, list->path);
    if (!looks_like_date(settings.operands.word[0]))
        return options_refuse(command, "'%s' is not a date such as 2026-11-22", settings.operands.word[0]);
    snprintf(path, sizeof(path), "%s?date=%s", list->path, settings.operands.word[0]);
    return fetch(list, &settings, path);
}

const struct command pending_command = {
    .name = "pending",
    .synopsis = "[--json] [--url URL]",
    .summary = "lists IDs that send buffers but are no machines yet",
    .options = plain_rows,
    .run = run,
};

const struct command anomalies_command = {
    .name = "anomalies",
    .synopsis = "[--json] [--url URL]",
    .summary = "lists the newest anomalies",
    .options = plain_rows,
    .run = run,
};

const struct command audit_command = {
    .name = "audit",
    .synopsis = "[--json] [--url URL]",
    .summary = "lists who changed what; needs a token with scope admin",
    .options = plain_rows,
    .run = run,
};

const struct command episodes_command = {
    .name = "episodes",
    .synopsis = "[--json] [--url URL]",
    .summary = "lists the anomalies of the last week, by asset",
    .options = plain_rows,
    .run = run,
};

const struct command report_command = {
    .name = "report",
    .synopsis = "[DATE] [--json] [--url URL]",
    .summary = "shows what each machine did in one day",
    .options = report_rows,
    .run = run,
};
