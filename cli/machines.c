/* habit machines: lists them, or makes many from a file. */
#include <stdio.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "fleet.h"
#include "lists.h"
#include "message.h"
#include "progress.h"

struct machines_settings {
    const char *url;
    bool json, dry_run;
    struct words operands;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, false, "", offsetof(struct machines_settings, operands), "import FILE", 0, 2,
      "CSV: its first line names the columns, id and settings; one machine a line" },
    { OPTION_FLAG, false, "dry-run", offsetof(struct machines_settings, dry_run), "", 0, 0,
      "of import: check the file, and say what would be made or changed" },
    { OPTION_FLAG, false, "json", offsetof(struct machines_settings, json), "", 0, 0,
      "of the list: print the rows as JSON" },
    { OPTION_TEXT, false, "url", offsetof(struct machines_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

struct importing {
    struct client *client;
    json_t *known; /* by ID */
    struct progress progress;
    size_t made, changed, refused;
};

static int put_one(struct importing *importing, const struct fleet_row *row)
{
    char path[128];
    const struct request request = {
        .method = "PUT", .path = path, .body = row->settings, .size = strlen(row->settings)
    };
    struct reply reply;
    int r;

    snprintf(path, sizeof(path), "/v1/machines/%s", row->id);
    r = client_send(importing->client, &request, &reply);
    if (r != 0)
        return r;
    if (reply.status == 201) {
        importing->made++;
    } else if (reply.status == 200) {
        importing->changed++;
    } else {
        client_complain(row->id, &reply);
        importing->refused++;
    }
    reply_free(&reply);
    return 0;
}

static int put_all(struct importing *importing, const struct fleet *fleet)
{
    int r = 0;

    progress_begin(&importing->progress, "import", fleet->count, false);
    for (size_t i = 0; i < fleet->count && r == 0; i++) {
        r = put_one(importing, &fleet->rows[i]);
        progress_step(&importing->progress, i + 1);
    }
    progress_end(&importing->progress);
    printf("%zu made, %zu changed, %zu refused\n", importing->made, importing->changed, importing->refused);
    return r != 0 || importing->refused > 0 ? EXIT_FAILED : 0;
}

static int show_all(struct importing *importing, const struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        printf("%s: would be %s\n", fleet->rows[i].id,
               json_object_get(importing->known, fleet->rows[i].id) ? "changed" : "made");
    return 0;
}

/* Those that are there already. */
static int read_known(struct importing *importing)
{
    json_t *machines = NULL;
    const json_t *machine;
    size_t i;
    int r = client_get_rows(importing->client, "/v1/machines?limit=1000", "machines", true, &machines);

    importing->known = json_object();
    json_array_foreach(machines, i, machine)
        json_object_set_new(importing->known, json_string_value(json_object_get(machine, "machine")), json_true());
    json_decref(machines);
    return r;
}

static int import(const struct machines_settings *settings)
{
    struct importing importing = { 0 };
    struct fleet fleet;
    int r = fleet_read(&fleet, settings->operands.word[1]);

    if (r != 0)
        return r;
    r = client_open(&importing.client, settings->url);
    if (r == 0 && settings->dry_run)
        r = read_known(&importing);
    if (r == 0)
        r = (settings->dry_run ? show_all : put_all)(&importing, &fleet);
    json_decref(importing.known);
    client_close(importing.client);
    fleet_free(&fleet);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct machines_settings settings = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (settings.operands.count == 2 && strcmp(settings.operands.word[0], "import") == 0)
        return import(&settings);
    if (settings.operands.count > 0)
        return options_refuse(command, "'%s' is unexpected: say nothing more, or import FILE",
                              settings.operands.word[0]);
    if (settings.dry_run)
        return options_refuse(command, "--dry-run belongs to import FILE");
    return lists_show(command, settings.url, settings.json);
}

const struct command machines_command = {
    .name = "machines",
    .synopsis = "[--json] | import FILE [--dry-run]  [--url URL]",
    .summary = "lists the machines of habitd, or makes many from a CSV file",
    .details = "import: columns are id and any settings of a machine (`habitd --explain-machine x` lists them), in any "
               "order. All lines are\n"
               "checked before anything is changed. A machine that is there already gets the file's settings in the "
               "place of those that\n"
               "REST has set before; an empty cell leaves a setting to the configuration.",
    .options = rows,
    .run = run,
};
