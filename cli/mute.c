/* habit mute, unmute: maintenance of machines, and its end. */
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "commands.h"
#include "matching.h"
#include "message.h"

struct mute_settings {
    const char *url, *duration, *who, *why;
    unsigned int then; /* index of THEN_CHOICES */
    struct words patterns;
};

#define THEN_CHOICES "keep|enrich|relearn"

#define ROW(kind, needed, key, field, value, low, high, help)                                     \
    {                                                                                             \
        OPTION_##kind, needed, key, offsetof(struct mute_settings, field), value, low, high, help \
    }
#define PATTERN_ROW \
    ROW(OPERANDS, true, "", patterns, "PATTERN...", 1, WORDS_MAX, "machine IDs; * and ? match, quote them")
#define URL_ROW ROW(TEXT, false, "url", url, "URL", 0, 0, "of habitd; default $HABIT_URL, else " CLIENT_URL)

static const struct option_row mute_rows[] = {
    PATTERN_ROW,
    ROW(TEXT, true, "for", duration, "TIME", 0, 0, "how long: 30m, 2h, 3d"),
    ROW(TEXT, true, "why", why, "TEXT", 0, 0, "what is done: \"new bearing\""),
    ROW(TEXT, false, "who", who, "NAME", 0, 0, "who does it; default $USER"),
    ROW(CHOICE, false, "then", then, THEN_CHOICES, 0, 0,
        "at the end: keep what it knows, learn on, or forget and learn from the beginning"),
    URL_ROW,
    { .type = OPTION_END },
};

static const struct option_row unmute_rows[] = { PATTERN_ROW, URL_ROW, { .type = OPTION_END } };

/* What the end of maintenance does to the knowledge is asked for when it begins. */
static const struct {
    const char *then, *begun, *ended;
} ends[] = {
    { "keep", "muted", "not muted any more: it goes on with what it knows" },
    { "enrich", "muted; at the end it learns on", "not muted any more: it learns on" },
    { "relearn", "muted; at the end it forgets what it knows, and learns from the beginning",
      "not muted any more: what it knew is forgotten, and it learns from the beginning; `habit snapshots` has the old "
      "knowledge" },
};

static const char *what_ended(const json_t *machine)
{
    const char *then = json_string_value(json_object_get(json_object_get(machine, "mute"), "then"));

    for (size_t i = 0; then && i < sizeof(ends) / sizeof(ends[0]); i++)
        if (strcmp(ends[i].then, then) == 0)
            return ends[i].ended;
    return "not muted any more";
}

static int send_mute(const struct command *command, const struct mute_settings *settings)
{
    const char *who = settings->who ? settings->who : getenv("USER");
    json_t *object = json_pack("{ss ss ss ss}", "for", settings->duration, "who", who ? who : "", "why", settings->why,
                               "then", ends[settings->then].then);
    char *body = object ? json_dumps(object, JSON_COMPACT) : NULL;
    int r;

    json_decref(object);
    if (!body) {
        complain("a text is not UTF-8");
        return EXIT_USAGE;
    }
    r = matching_post(command, &(struct matching){ .url = settings->url,
                                                   .list = "/v1/machines",
                                                   .array = "machines",
                                                   .patterns = &settings->patterns,
                                                   .method = "PUT",
                                                   .path = "/v1/machines/%s/mute",
                                                   .body = body,
                                                   .done = ends[settings->then].begun });
    free(body);
    return r;
}

static int run_mute(const struct command *command, int argc, char **argv)
{
    struct mute_settings settings = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (!settings.who && !getenv("USER"))
        return options_refuse(command, "say --who works on the machines");
    return send_mute(command, &settings);
}

static int run_unmute(const struct command *command, int argc, char **argv)
{
    struct mute_settings settings = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    return matching_post(command, &(struct matching){ .url = settings.url,
                                                      .list = "/v1/machines",
                                                      .array = "machines",
                                                      .patterns = &settings.patterns,
                                                      .method = "DELETE",
                                                      .path = "/v1/machines/%s/mute",
                                                      .became = what_ended });
}

const struct command mute_command = {
    .name = "mute",
    .synopsis = "PATTERN... --for TIME --why TEXT [--who NAME] [--then " THEN_CHOICES "] [--url URL]",
    .summary = "machines that are worked on raise nothing for some time",
    .options = mute_rows,
    .run = run_mute,
};

const struct command unmute_command = {
    .name = "unmute",
    .synopsis = "PATTERN... [--url URL]",
    .summary = "ends maintenance before its time",
    .options = unmute_rows,
    .run = run_unmute,
};
