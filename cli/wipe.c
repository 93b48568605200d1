/* habit wipe: the daemon forgets everything. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "message.h"

struct wipe_settings {
    const char *url;
    bool yes;
};

static const struct option_row rows[] = {
    { OPTION_FLAG, false, "yes", offsetof(struct wipe_settings, yes), "", 0, 0, "do it; nothing brings it back" },
    { OPTION_TEXT, false, "url", offsetof(struct wipe_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

static long long number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static int refuse_unsure(const json_t *status)
{
    complain(
        "gateway %s has %lld machines: --yes deletes them with all that is known of them, and every record and report; "
        "nothing was deleted",
        json_string_value(json_object_get(status, "gateway")), number(json_object_get(status, "machines"), "total"));
    return EXIT_USAGE;
}

static void tell(const json_t *answer)
{
    printf("wiped: %lld machines, and all that was known of them\n", number(answer, "machines"));
    if (number(answer, "unsaid") > 0)
        complain("%lld messages did not reach the broker: it still retains what was last said of the machines",
                 number(answer, "unsaid"));
}

static int wipe(struct client *client, const json_t *status)
{
    json_t *object = json_pack("{s:O}", "gateway", json_object_get(status, "gateway"));
    char *body = json_dumps(object, JSON_COMPACT);
    struct request request = { .method = "POST", .path = "/v1/wipe", .body = body, .size = body ? strlen(body) : 0 };
    struct reply reply;
    int r = client_send(client, &request, &reply);

    if (r == 0 && reply.status != 200)
        r = client_complain("wipe", &reply);
    else if (r == 0)
        tell(reply.json);
    reply_free(&reply);
    free(body);
    json_decref(object);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct wipe_settings settings = { 0 };
    struct client *client = NULL;
    json_t *status = NULL;
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    code = client_open(&client, settings.url);
    if (code == 0)
        code = client_get(client, "/v1/status", &status);
    if (code == 0)
        code = settings.yes ? wipe(client, status) : refuse_unsure(status);
    json_decref(status);
    client_close(client);
    return code;
}

const struct command wipe_command = {
    .name = "wipe",
    .synopsis = "--yes [--url URL]",
    .summary = "deletes everything that the daemon has stored, such that no byte of it remains",
    .details =
        "Before a gateway is sold. It needs a token with scope admin. Machines that go on sending come back where the\n"
        "configuration says create = yes: `habitd --wipe`, with the daemon stopped, leaves no file at all.",
    .options = rows,
    .run = run,
};
