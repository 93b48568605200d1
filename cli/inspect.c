/* habit inspect: what a knowledge block says about itself. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "block_search.h"
#include "commands.h"
#include "detector.h"
#include "explanation.h"
#include "knowledge_file.h"
#include "message.h"

struct inspect_settings {
    struct words files;
    bool json;
};

/* What an engine says that works with the block. */
struct state {
    struct habit_progress progress;
    float drift;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct inspect_settings, files), "FILE", 1, 1, "a knowledge block" },
    { OPTION_FLAG, false, "json", offsetof(struct inspect_settings, json), "", 0, 0, "print one JSON document" },
    { .type = OPTION_END },
};

static void print_json(const char *path, const struct habit_info *info, const struct state *state)
{
    const struct habit_config *config = &info->config;
    char crc[9], unit[HABIT_UNIT_SIZE + 1];
    json_t *document;

    snprintf(crc, sizeof(crc), "%08x", info->crc);
    snprintf(unit, sizeof(unit), "%.*s", HABIT_UNIT_SIZE, config->unit);
    document = json_pack("{s:s, s:b, s:i, s:I, s:s, s:I, s:f, s:i, s:i, s:s, s:f, s:f, s:s, s:o, s:f}", "file", path,
                         "valid", 1, "format", info->format, "size", (json_int_t)info->size, "crc", crc, "learned",
                         (json_int_t)info->learned, "sensitivity", (double)info->sensitivity, "buffer_size",
                         config->buffer_size, "axes", config->axes, "profile", profile_names[config->profile],
                         "sampling_hz", (double)config->sampling_hz, "scale", (double)config->scale, "unit", unit,
                         "progress", progress_json(&state->progress), "drift", (double)state->drift);
    json_dumpf(document, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(document);
}

static void print_text(const char *path, const struct habit_info *info, const struct state *state)
{
    char text[CONFIG_FIELD_TEXT_SIZE];

    printf("%-12s %s\n%-12s %s\n", "file", path, "valid", "yes");
    printf("%-12s %u\n%-12s %u bytes\n%-12s %08x\n", "format", info->format, "size", info->size, "crc", info->crc);
    printf("%-12s %u buffers\n%-12s %.6g\n", "learned", info->learned, "sensitivity", (double)info->sensitivity);
    for (enum habit_field field = HABIT_FIELD_BUFFER_SIZE; field <= HABIT_FIELD_UNIT; field++)
        printf("%-12s %s\n", habit_field_name(field), config_field_text(&info->config, field, text));
    progress_print(&state->progress);
    printf("drift since commissioning: %.2g standard deviations\n", (double)state->drift);
}

static int refuse(const char *path, const void *bytes, size_t size, int result, bool json)
{
    struct habit_info info = { 0 };
    char why[BLOCK_TEXT_SIZE];

    habit_peek(bytes, size, &info);
    block_text(result, &info, why);
    if (json) {
        json_t *document =
            json_pack("{s:s, s:b, s:I, s:s}", "file", path, "valid", 0, "size", (json_int_t)size, "why", why);

        json_dumpf(document, stdout, JSON_INDENT(1));
        printf("\n");
        json_decref(document);
    }
    complain("%s: %zu bytes: %s", path, size, why);
    return EXIT_DATA;
}

/* A block that was checked. Returns EXIT_FINE, or an exit code after saying why. */
static int ask(const void *bytes, size_t size, const struct habit_info *info, struct state *state)
{
    struct detector detector = { 0 };
    int r = detector_init(&detector, &info->config);

    if (r == 0 && (habit_load(&detector.engine, bytes, size) != HABIT_OK ||
                   habit_status(&detector.engine, &state->progress) != HABIT_OK ||
                   habit_drift(&detector.engine, &state->drift) != HABIT_OK)) {
        complain("the engine refuses the block");
        r = EXIT_FAILED;
    }
    detector_deinit(&detector);
    return r;
}

static int inspect(const char *path, bool json)
{
    struct habit_info info;
    struct state state;
    void *bytes = NULL;
    size_t size = 0;
    int r = knowledge_read(path, &bytes, &size);

    if (r != 0)
        return r;
    r = habit_check(bytes, size, &info);
    if (r != HABIT_OK)
        r = refuse(path, bytes, size, r, json);
    else
        r = ask(bytes, size, &info, &state);
    if (r == EXIT_FINE)
        (json ? print_json : print_text)(path, &info, &state);
    free(bytes);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct inspect_settings settings = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    return inspect(settings.files.word[0], settings.json);
}

const struct command inspect_command = {
    .name = "inspect",
    .synopsis = "FILE [--json]",
    .summary = "says what a knowledge block is of, or why it is none",
    .options = rows,
    .run = run,
};
