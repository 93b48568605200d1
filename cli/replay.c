/* habit replay: what other settings, or another knowledge, would have made of recorded buffers. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "client.h"
#include "commands.h"
#include "knowledge_file.h"
#include "message.h"
#include "progress.h"
#include "recording.h"
#include "replay_world.h"
#include "report/days.h"
#include "table.h"

struct replay_settings {
    const char *url, *machine, *knowledge, *from, *every, *timezone;
    uint64_t anomaly, snapshot;
    unsigned int format;
    double scale;
    bool json;
    struct words files, learn, settings, set;
};

#define ROW(kind, key, field, value, low, high, help)                                              \
    {                                                                                              \
        OPTION_##kind, false, key, offsetof(struct replay_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    ROW(OPERANDS, "", files, "FILE...", 0, WORDS_MAX,
        "recorded buffers; none: those that habitd has stored of --machine"),
    ROW(LIST, "set", set, "KEY=VALUE", 0, 0, "a setting to try, as in [machine]: threshold=85; may be repeated"),
    ROW(TEXT, "knowledge", knowledge, "FILE", 0, 0, "knowledge to try"),
    ROW(UNSIGNED, "snapshot", snapshot, "N", 1, 9e15, "of --machine, to try"),
    ROW(TEXT, "machine", machine, "ID", 0, 0, "of habitd: its settings and knowledge are those to compare with"),
    ROW(TEXT, "url", url, "URL", 0, 0, "of habitd; default $HABIT_URL, else " CLIENT_URL),
    ROW(UNSIGNED, "anomaly", anomaly, "N", 1, 9e15, "of --machine: only the stored buffers that raised this one"),
    ROW(LIST, "settings", settings, "KEY=VALUE", 0, 0, "a setting of both: buffer_size=256; may be repeated"),
    ROW(LIST, "learn", learn, "FILE", 0, 0, "nominal buffers, learned first; may be repeated"),
    ROW(CHOICE, "format", format, SAMPLES_FORMATS, 0, 0, "of the files; auto: csv by name, else f32"),
    ROW(NUMBER, "scale", scale, "S", 1e-12, 1e12, "unit per step of i16; default 1"),
    ROW(TEXT, "from", from, "TIME", 0, 0,
        "when a file without times begins; default: a midnight, so that it ends before now"),
    ROW(TEXT, "every", every, "DURATION", 0, 0,
        "from one of its buffers to the next; default: buffer_size / sampling_hz"),
    ROW(TEXT, "timezone", timezone, "ZONE", 0, 0, "whose days are reported; default: the system's"),
    ROW(FLAG, "json", json, "", 0, 0, "print one JSON document"),
    { .type = OPTION_END },
};

struct replay {
    const struct command *command;
    const struct replay_settings *options;
    struct client *client; /* NULL = no daemon is needed */
    char machine[MACHINE_ID_SIZE];
    json_t *settings, *tried; /* of both; with what is to try */
    struct recording nominal, recording;
    double every;
    void *knowledge, *other; /* in force; to try */
    size_t knowledge_size, other_size;
};

/* ----------------------------------------------------------------------------------------------------------- settings */

/* Numbers and truths as such, anything else as the text of a file. */
static json_t *value_of(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);

    if (json_is_number(value) || json_is_boolean(value))
        return value;
    json_decref(value);
    return json_string(text);
}

static int apply_words(const struct replay *replay, const struct words *words, json_t *settings)
{
    for (size_t i = 0; i < words->count; i++) {
        const char *word = words->word[i], *equals = strchr(word, '=');
        char key[32];

        if (!equals || equals == word || (size_t)(equals - word) >= sizeof(key))
            return options_refuse(replay->command, "'%.60s' is not KEY=VALUE, such as threshold=85", word);
        memcpy(key, word, (size_t)(equals - word));
        key[equals - word] = '\0';
        json_object_set_new(settings, key, value_of(equals + 1));
    }
    return 0;
}

static double number_of(const json_t *settings, const char *key)
{
    return json_number_value(json_object_get(settings, key));
}

static int check_geometry(const struct replay *replay)
{
    double size = number_of(replay->settings, "buffer_size"), axes = number_of(replay->settings, "axes");

    if (size >= 1 && size <= 4096 && floor(size) == size && axes >= 1 && axes <= 16 && floor(axes) == axes)
        return 0;
    return options_refuse(replay->command,
                          "--machine ID, or --settings buffer_size=N --settings axes=A, must say what a buffer is");
}

/* ---------------------------------------------------------------------------------------------------------- gathering */

static int fetch_machine(struct replay *replay)
{
    char path[200];
    int r = recording_fetch(&replay->recording, replay->client, replay->machine, replay->options->anomaly,
                            &replay->settings);

    if (replay->options->files.count > 0) /* these are asked for instead */
        recording_free(&replay->recording);
    snprintf(path, sizeof(path), "/v1/machines/%s/knowledge", replay->machine);
    if (r == 0)
        r = client_get_bytes(replay->client, path, &replay->knowledge, &replay->knowledge_size);
    snprintf(path, sizeof(path), "/v1/machines/%s/snapshots/%llu", replay->machine,
             (unsigned long long)replay->options->snapshot);
    if (r == 0 && replay->options->snapshot > 0)
        r = client_get_bytes(replay->client, path, &replay->other, &replay->other_size);
    return r;
}

static int read_every(struct replay *replay)
{
    double size = number_of(replay->settings, "buffer_size"), rate = number_of(replay->settings, "sampling_hz");
    uint64_t every;

    replay->every = rate > 0 ? 1000 * size / rate : 1000;
    if (!replay->options->every)
        return 0;
    if (!text_to_duration(replay->options->every, &every) || every == 0)
        return options_refuse(replay->command, "--every: %.40s is not a duration such as 500ms, 10s, 1m",
                              replay->options->every);
    replay->every = (double)every;
    return 0;
}

/* How many buffers there are decides when they begin, so they are read first, and moved then. */
static int read_begin(const struct replay *replay, int64_t *from)
{
    double now = (double)time(NULL) * 1000, span = replay->every * (double)replay->recording.count;
    struct civil_day day;

    civil_day_of_time((int64_t)fmax(now - span, 0), &day);
    *from = day.from;
    if (replay->options->from && clock_parse(replay->options->from, from) != 0)
        return options_refuse(replay->command, "--from: %.40s is not RFC 3339, such as 2026-11-22T00:00:00Z",
                              replay->options->from);
    return 0;
}

/* Whatever is asked for, there is a calendar for it. */
static int check_span(const struct replay *replay)
{
    const struct recording *recording = &replay->recording;
    double before = replay->every * (double)replay->nominal.count + 1;
    double span = recording->timed ? 0 : replay->every * (double)recording->count;

    if ((double)recording->at[0] >= before && (double)recording->at[0] + span <= (double)CLOCK_LAST)
        return 0;
    return options_refuse(replay->command,
                          "%zu buffers to learn, then %zu, do not fit between 1970 and 9999: see --from and --every",
                          replay->nominal.count, recording->count);
}

static int read_files(struct replay *replay)
{
    const struct replay_settings *options = replay->options;
    struct samples_shape shape = { .buffer_size = (uint32_t)number_of(replay->settings, "buffer_size"),
                                   .axes = (uint32_t)number_of(replay->settings, "axes"),
                                   .format = (enum samples_format)options->format,
                                   .scale = (float)options->scale };
    int64_t from = 0;
    int r = read_every(replay);

    if (r == 0 && options->files.count > 0)
        r = recording_read(&replay->recording, &options->files, &shape, options->machine ? options->machine : "", 0,
                           replay->every);
    if (r == 0)
        r = read_begin(replay, &from);
    for (size_t i = 0; r == 0 && options->files.count > 0 && !replay->recording.timed && i < replay->recording.count;
         i++)
        replay->recording.at[i] += from;
    if (r == 0)
        r = recording_read(&replay->nominal, &options->learn, &shape, options->machine ? options->machine : "", 0,
                           replay->every);
    return r;
}

static int read_knowledge(struct replay *replay)
{
    if (!replay->options->knowledge)
        return 0;
    return knowledge_read(replay->options->knowledge, &replay->other, &replay->other_size);
}

static int check_recording(const struct replay *replay)
{
    const struct recording *recording = &replay->recording;

    if (recording->others > 0)
        complain("warning: %zu buffers were left out: %s than machine %s", recording->others,
                 replay->options->files.count > 0 ? "of others" : "stored, of another geometry", replay->machine);
    if (recording->timed && recording->at[0] == 0) {
        complain("%s: the first buffer has no time, one after it has: either all, or none",
                 replay->options->files.word[0]);
        return EXIT_DATA;
    }
    if (recording->count > 0)
        return check_span(replay);
    complain("machine %s: no buffers are stored: name a FILE", replay->machine);
    return EXIT_DATA;
}

static int gather(struct replay *replay)
{
    int r = replay->client ? fetch_machine(replay) : 0;

    if (!replay->settings)
        replay->settings = json_object();
    if (r == 0)
        r = apply_words(replay, &replay->options->settings, replay->settings);
    if (r == 0)
        r = check_geometry(replay);
    if (r == 0)
        r = read_files(replay);
    if (r == 0)
        r = read_knowledge(replay);
    if (r == 0)
        r = check_recording(replay);
    if (r != 0)
        return r;
    json_object_set_new(replay->settings, "paused", json_false());
    if (!replay->knowledge && !json_object_get(replay->settings, "start"))
        json_object_set_new(replay->settings, "start", json_string("auto"));
    replay->tried = json_copy(replay->settings);
    return apply_words(replay, &replay->options->set, replay->tried);
}

/* -------------------------------------------------------------------------------------------------------------- worlds */

static size_t values_of(const struct recording *recording)
{
    return (size_t)recording->buffer_size * recording->axes;
}

/* Nominal files were measured before the recording. */
static int learn(const struct replay *replay, struct world *world, int64_t begin)
{
    const struct recording *nominal = &replay->nominal;
    int r = 0;

    for (size_t i = 0; r == 0 && i < nominal->count; i++)
        r = world_submit(world, nominal->samples + i * values_of(nominal), values_of(nominal),
                         begin - (int64_t)((double)(nominal->count - i) * replay->every), NULL, true);
    return r == 0 && nominal->count > 0 ? world_end_learning(world) : r;
}

/* Other knowledge counts where it is given, else what the daemon has. */
static int run_world(const struct replay *replay, bool tried, json_t **ret_result)
{
    const struct recording *recording = &replay->recording;
    int64_t begin = recording->at[0], before = (int64_t)((double)replay->nominal.count * replay->every) + 1;
    const void *knowledge = tried && replay->other ? replay->other : replay->knowledge;
    size_t size = tried && replay->other ? replay->other_size : replay->knowledge_size;
    struct progress progress;
    struct world *world = NULL;
    int r = world_open(&world, replay->machine, tried ? replay->tried : replay->settings, begin - before);

    if (r == 0 && knowledge)
        r = world_put_knowledge(world, knowledge, size);
    if (r == 0)
        r = learn(replay, world, begin);
    progress_begin(&progress, tried ? "replay, tried" : "replay", recording->count, false);
    for (size_t i = 0; r == 0 && i < recording->count; i++) {
        r = world_submit(world, recording->samples + i * values_of(recording), values_of(recording), recording->at[i],
                         recording->beside[i], false);
        progress_step(&progress, i + 1);
    }
    progress_end(&progress);
    if (r == 0)
        r = world_result(world, begin, ret_result);
    world_close(world);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------- output */

/* clang-format off */
static const struct column anomaly_columns[] = {
    { "raised",     "raised" },
    { "cleared",    "cleared" },
    { "similarity", "similarity" },
    { "distance",   "distance" },
    { "buffers",    "buffers" },
    { NULL,         NULL },
};

static const struct column report_columns[] = {
    { "date",       "date" },
    { "learned",    "learned" },
    { "detected",   "detected" },
    { "below",      "below" },
    { "idle",       "idle" },
    { "skipped",    "skipped" },
    { "anomalies",  "anomalies" },
    { "per hour",   "anomalies_per_hour" },
    { "mean",       "similarity_mean" },
    { "lowest",     "similarity_min" },
    { NULL,         NULL },
};
/* clang-format on */

static void print_result(const char *heading, const json_t *result)
{
    const json_t *anomalies = json_object_get(result, "anomalies"), *count;
    const char *name;

    if (heading[0] != '\0')
        printf("\n%s\n", heading);
    json_object_foreach((json_t *)json_object_get(result, "buffers"), name, count)
    {
        if (json_integer_value(count) > 0)
            printf("  %s: %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(count));
    }
    printf("  phase: %s, %" JSON_INTEGER_FORMAT " learned; %s\n", json_string_value(json_object_get(result, "phase")),
           json_integer_value(json_object_get(result, "learned")),
           json_string_value(json_object_get(result, "promise")));
    printf("anomalies: %zu\n", json_array_size(anomalies));
    if (json_array_size(anomalies) > 0)
        table_print(anomaly_columns, anomalies);
    printf("report:\n");
    table_print(report_columns, json_object_get(result, "reports"));
}

static void print_tried(const struct replay *replay)
{
    printf("\n-- tried:");
    for (size_t i = 0; i < replay->options->set.count; i++)
        printf(" %s", replay->options->set.word[i]);
    if (replay->options->knowledge)
        printf(" knowledge %s", replay->options->knowledge);
    if (replay->options->snapshot > 0)
        printf(" snapshot %llu", (unsigned long long)replay->options->snapshot);
    printf("\n");
}

static void print_all(const struct replay *replay, const json_t *as_it_is, const json_t *tried)
{
    const struct recording *recording = &replay->recording;
    char first[CLOCK_TEXT_SIZE], last[CLOCK_TEXT_SIZE];

    printf("%s: %zu buffers from %s to %s\n", replay->machine, recording->count, clock_text(recording->at[0], first),
           clock_text(recording->at[recording->count - 1], last));
    if (replay->options->files.count == 0)
        printf("Stored are only buffers that were learned and those that raised anomalies: not how often, nor how "
               "long.\n");
    print_result(tried ? "-- as it is" : "-- replayed", as_it_is);
    if (!tried)
        return;
    print_tried(replay);
    print_result("", tried);
}

static void print_json(const struct replay *replay, json_t *as_it_is, json_t *tried)
{
    json_t *all = json_pack("{s:s, s:I, s:O}", "machine", replay->machine, "buffers",
                            (json_int_t)replay->recording.count, "as_it_is", as_it_is);

    if (tried)
        json_object_set(all, "tried", tried);
    json_dumpf(all, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(all);
}

/* ---------------------------------------------------------------------------------------------------------------- run */

static bool tries(const struct replay_settings *options)
{
    return options->set.count > 0 || options->knowledge || options->snapshot > 0;
}

static int compare(struct replay *replay)
{
    json_t *as_it_is = NULL, *tried = NULL;
    int r = run_world(replay, false, &as_it_is);

    if (r == 0 && tries(replay->options))
        r = run_world(replay, true, &tried);
    if (r == 0 && replay->options->json)
        print_json(replay, as_it_is, tried);
    else if (r == 0)
        print_all(replay, as_it_is, tried);
    json_decref(as_it_is);
    json_decref(tried);
    return r;
}

static int check_options(const struct command *command, const struct replay_settings *options)
{
    if (!options->machine && (options->snapshot > 0 || options->anomaly > 0))
        return options_refuse(command, "--snapshot and --anomaly are of --machine");
    if (options->snapshot > 0 && options->knowledge)
        return options_refuse(command, "--snapshot and --knowledge exclude each other");
    if (options->machine && !machine_id_valid(options->machine, strlen(options->machine)))
        return options_refuse(command, "'%.80s' is not a machine ID: " MACHINE_ID_RULE, options->machine);
    if (!options->machine && options->files.count == 0)
        return options_refuse(command, "FILE... or --machine ID is missing");
    return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct replay_settings options = { .scale = 1 };
    struct replay replay = { .command = command, .options = &options };
    int code;

    if (!options_read(command, &options, argc, argv, &code))
        return code;
    code = check_options(command, &options);
    if (code != 0)
        return code;
    if (options.timezone) {
        setenv("TZ", options.timezone, 1);
        tzset();
    }
    snprintf(replay.machine, sizeof(replay.machine), "%s", options.machine ? options.machine : "recording");
    code = options.machine ? client_open(&replay.client, options.url) : 0;
    if (code == 0)
        code = gather(&replay);
    if (code == 0)
        code = compare(&replay);
    client_close(replay.client);
    recording_free(&replay.recording);
    recording_free(&replay.nominal);
    json_decref(replay.settings);
    json_decref(replay.tried);
    free(replay.knowledge);
    free(replay.other);
    return code;
}

const struct command replay_command = {
    .name = "replay",
    .synopsis = "[FILE...] [--machine ID] [--set KEY=VALUE ...] [option ...]",
    .summary = "shows what other settings or knowledge would have made of recorded buffers",
    .details = "Runs the buffers through the daemon's own registry and strategy, in their own time, twice: as it is, "
               "and with what\n"
               "is tried; shows the anomalies and daily reports of both. Nothing of the daemon is changed.\n"
               "Without --machine, --learn or --knowledge the first buffers are learned, as start = auto does.",
    .options = rows,
    .run = run,
};
