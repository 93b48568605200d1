/* habit accept: says that what raised an anomaly was normal. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "commands.h"
#include "message.h"

struct accept_settings {
    const char *url;
    struct words numbers;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct accept_settings, numbers), "NUMBER...", 1, WORDS_MAX,
      "of anomalies, as `habit anomalies` lists them" },
    { OPTION_TEXT, false, "url", offsetof(struct accept_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

static void say(const char *number, const json_t *anomaly)
{
    const json_t *accepted = json_object_get(anomaly, "accepted");
    const char *machine = json_string_value(json_object_get(anomaly, "machine"));

    printf("%s: %s has accepted %" JSON_INTEGER_FORMAT " buffers", number, machine ? machine : "?",
           json_integer_value(json_object_get(accepted, "buffers")));
    if (json_is_true(json_object_get(accepted, "still_strange")))
        printf(", but %" JSON_INTEGER_FORMAT " of them still look strange: learn more of that state",
               json_integer_value(json_object_get(accepted, "strange")));
    printf("; habit snapshots %s --restore %" JSON_INTEGER_FORMAT " takes it back\n", machine ? machine : "?",
           json_integer_value(json_object_get(anomaly, "undo")));
}

static int accept_one(struct client *client, const char *number)
{
    char path[64];
    const struct request request = { .method = "POST", .path = path };
    struct reply reply;
    int r;

    snprintf(path, sizeof(path), "/v1/anomalies/%s/accept", number);
    r = client_send(client, &request, &reply);
    if (r == 0 && (reply.status != 200 || !reply.json))
        r = client_complain(number, &reply);
    else if (r == 0)
        say(number, reply.json);
    reply_free(&reply);
    return r;
}

static int check_numbers(const struct command *command, const struct words *numbers)
{
    uint64_t number;

    for (size_t i = 0; i < numbers->count; i++)
        if (!text_to_unsigned(numbers->word[i], INT64_MAX, &number) || number == 0)
            return options_refuse(command, "'%s' is not the number of an anomaly", numbers->word[i]);
    return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct accept_settings settings = { 0 };
    struct client *client = NULL;
    int code, worst = 0;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    code = check_numbers(command, &settings.numbers);
    if (code == 0)
        code = client_open(&client, settings.url);
    for (size_t i = 0; code == 0 && i < settings.numbers.count; i++) {
        int r = accept_one(client, settings.numbers.word[i]);

        worst = r != 0 ? r : worst;
    }
    client_close(client);
    return code != 0 ? code : worst;
}

const struct command accept_command = {
    .name = "accept",
    .synopsis = "NUMBER... [--url URL]",
    .summary = "says that what raised an anomaly was normal",
    .options = rows,
    .run = run,
};
