/* habit commission: tells machines of the daemon to start learning. */
#include "client.h"
#include "commands.h"
#include "matching.h"

struct commission_settings {
    const char *url;
    struct words patterns;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct commission_settings, patterns), "PATTERN...", 1, WORDS_MAX,
      "machine IDs; * and ? match, quote them" },
    { OPTION_TEXT, false, "url", offsetof(struct commission_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

static int run(const struct command *command, int argc, char **argv)
{
    struct commission_settings settings = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    return matching_post(command, &(struct matching){
                                      .url = settings.url,
                                      .list = "/v1/machines",
                                      .array = "machines",
                                      .patterns = &settings.patterns,
                                      .path = "/v1/machines/%s/commission",
                                      .done = "learning",
                                  });
}

const struct command commission_command = {
    .name = "commission",
    .synopsis = "PATTERN... [--url URL]",
    .summary = "starts learning on all machines whose ID matches",
    .options = rows,
    .run = run,
};
