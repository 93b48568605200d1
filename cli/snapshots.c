/* habit snapshots: knowledge that is kept of a machine: listed, taken, saved to a file, added from one, put in force. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "commands.h"
#include "knowledge_file.h"
#include "message.h"
#include "output_file.h"
#include "table.h"

struct snapshots_settings {
    const char *url, *note, *upload, *output;
    bool take, json;
    uint64_t restore, download; /* numbers; 0 = not asked for */
    struct words machine;
};

#define ROW(kind, key, field, value, low, high, help)                                                 \
    {                                                                                                 \
        OPTION_##kind, false, key, offsetof(struct snapshots_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct snapshots_settings, machine), "MACHINE", 1, 1, "its ID" },
    ROW(FLAG, "take", take, "", 0, 0, "keep the knowledge as it is now"),
    ROW(TEXT, "note", note, "TEXT", 0, 0, "of --take and --upload"),
    ROW(UNSIGNED, "restore", restore, "NUMBER", 1, 9007199254740991.0, "put this one in force"),
    ROW(UNSIGNED, "download", download, "NUMBER", 1, 9007199254740991.0, "write this one to --output"),
    ROW(TEXT, "output", output, "FILE", 0, 0, "of --download"),
    ROW(TEXT, "upload", upload, "FILE", 0, 0, "add a block from a file; it is not put in force"),
    ROW(FLAG, "json", json, "", 0, 0, "print the list as JSON"),
    ROW(TEXT, "url", url, "URL", 0, 0, "of habitd; default $HABIT_URL, else " CLIENT_URL),
    { .type = OPTION_END },
};

/* clang-format off */
static const struct column columns[] = {
    { "number",  "id" },
    { "taken",   "taken" },
    { "reason",  "reason" },
    { "learned", "learned" },
    { "crc",     "crc" },
    { "note",    "note" },
    { NULL,      NULL },
};
/* clang-format on */

enum { PATH_BYTES = 512 };

static int list(struct client *client, const struct snapshots_settings *settings, const char *path)
{
    json_t *page = NULL, *found;
    int r = client_get(client, path, &page);

    if (r != 0)
        return r;
    found = json_object_get(page, "snapshots");
    if (settings->json) {
        json_dumpf(found, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
        printf("\n");
    } else if (json_array_size(found) == 0) {
        complain("no snapshots");
    } else {
        table_print(columns, found);
    }
    json_decref(page);
    return 0;
}

static int post(struct client *client, const struct request *request, const char *what)
{
    struct reply reply;
    int r = client_send(client, request, &reply);

    if (r == 0 && (reply.status < 200 || reply.status > 299))
        r = client_complain(what, &reply);
    else if (r == 0 && reply.status == 201 && reply.json)
        printf("%s: snapshot %" JSON_INTEGER_FORMAT "\n", what, json_integer_value(json_object_get(reply.json, "id")));
    else if (r == 0)
        printf("%s: restored\n", what);
    reply_free(&reply);
    return r;
}

static int take(struct client *client, const struct snapshots_settings *settings, const char *path)
{
    json_t *object = settings->note ? json_pack("{ss}", "note", settings->note) : json_object();
    char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;
    struct request request = { .method = "POST", .path = path, .body = body, .size = body ? strlen(body) : 0 };
    int r = EXIT_USAGE;

    if (body)
        r = post(client, &request, settings->machine.word[0]);
    else
        complain("the note is not UTF-8");
    free(body);
    json_decref(object);
    return r;
}

static int restore(struct client *client, const struct snapshots_settings *settings, const char *path)
{
    char longer[PATH_BYTES + 64];
    const struct request request = { .method = "POST", .path = longer };

    snprintf(longer, sizeof(longer), "%s/%llu/restore", path, (unsigned long long)settings->restore);
    return post(client, &request, settings->machine.word[0]);
}

static int write_file(const char *path, const void *bytes, size_t size)
{
    struct output_file output = { 0 };
    int r = output_file_open(&output, path);

    if (r == 0 && fwrite(bytes, 1, size, output.file) != size)
        r = complain_errno("write", path);
    if (r == 0)
        r = output_file_commit(&output);
    output_file_abandon(&output);
    return r;
}

static int download(struct client *client, const struct snapshots_settings *settings, const char *path)
{
    char longer[PATH_BYTES + 64];
    const struct request request = { .method = "GET", .path = longer };
    struct reply reply;
    const void *bytes;
    size_t size;
    int r;

    snprintf(longer, sizeof(longer), "%s/%llu", path, (unsigned long long)settings->download);
    r = client_send(client, &request, &reply);
    if (r == 0 && reply.status != 200)
        r = client_complain(settings->machine.word[0], &reply);
    if (r == 0) {
        client_body(client, &bytes, &size);
        r = write_file(settings->output, bytes, size);
    }
    reply_free(&reply);
    return r;
}

/* The note goes into the query. */
static int upload(struct client *client, const struct snapshots_settings *settings, const char *path)
{
    char longer[PATH_BYTES + 64];
    char *note = client_escape(client, settings->note ? settings->note : "");
    struct request request = { .method = "POST", .path = longer, .type = "application/octet-stream" };
    void *bytes = NULL;
    int r = knowledge_read(settings->upload, &bytes, &request.size);

    if (r == 0 && note) {
        snprintf(longer, sizeof(longer), "%s%s%s", path, *note ? "?note=" : "", note);
        request.body = bytes;
        r = post(client, &request, settings->machine.word[0]);
    }
    free(note);
    free(bytes);
    return r;
}

static int check(const struct command *command, const struct snapshots_settings *settings)
{
    const char *id = settings->machine.word[0];
    int asked = settings->take + (settings->restore != 0) + (settings->download != 0) + (settings->upload != NULL);

    if (!machine_id_valid(id, strlen(id)))
        return options_refuse(command, "'%s' is not a machine ID: " MACHINE_ID_RULE, id);
    if (asked > 1)
        return options_refuse(command, "one of --take, --restore, --download and --upload at a time");
    if ((settings->download != 0) != (settings->output != NULL))
        return options_refuse(command, "--download and --output belong together");
    if (settings->note && (!(settings->take || settings->upload) || strlen(settings->note) >= 128))
        return options_refuse(command, "--note, of at most 127 bytes, belongs to --take and --upload");
    return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct snapshots_settings settings = { 0 };
    struct client *client = NULL;
    char path[128];
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    code = check(command, &settings);
    if (code != 0)
        return code;
    snprintf(path, sizeof(path), "/v1/machines/%s/snapshots", settings.machine.word[0]);
    code = client_open(&client, settings.url);
    if (code == 0)
        code = (settings.take            ? take
                : settings.restore != 0  ? restore
                : settings.download != 0 ? download
                : settings.upload        ? upload
                                         : list)(client, &settings, path);
    client_close(client);
    return code;
}

const struct command snapshots_command = {
    .name = "snapshots",
    .synopsis = "MACHINE [--take | --restore N | --download N --output FILE | --upload FILE] [--note TEXT] [--url URL]",
    .summary = "knowledge that is kept of a machine, and the way back to it",
    .options = rows,
    .run = run,
};
