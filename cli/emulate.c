/* habit emulate: the engine over recordings, as a machine or a daemon would run it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "commands.h"
#include "detector.h"
#include "emulate_output.h"
#include "knowledge_file.h"
#include "message.h"
#include "samples.h"

struct emulate_settings {
    uint64_t buffer_size, axes, threshold;
    double sampling_hz, sensitivity, scale; /* sensitivity 0 = the knowledge's own */
    unsigned int profile, format;
    const char *unit, *knowledge;
    struct words learn, detect;
    bool csv, json;
};

#define ROW(kind, required, key, field, value, low, high, help)                                        \
    {                                                                                                  \
        OPTION_##kind, required, key, offsetof(struct emulate_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    ROW(UNSIGNED, true, "buffer-size", buffer_size, "N", 1, HABIT_MAX_BUFFER_SIZE, "samples in a buffer"),
    ROW(UNSIGNED, true, "axes", axes, "A", 1, HABIT_MAX_AXES, "values in a sample"),
    ROW(NUMBER, false, "sampling-hz", sampling_hz, "F", 0, 1e7, "samples per second; 0 = unknown (default)"),
    ROW(TEXT, false, "unit", unit, "U", 0, 0, "of the values: g, mm/s, A"),
    ROW(CHOICE, false, "profile", profile, PROFILE_CHOICES, 0, 0, "memory of the knowledge"),
    ROW(NUMBER, false, "sensitivity", sensitivity, "S", 1e-6, HABIT_MAX_SENSITIVITY, "scales the distance; default 1"),
    ROW(UNSIGNED, false, "threshold", threshold, "T", 1, 100, "anomaly = a similarity below; default 90"),
    ROW(TEXT, false, "knowledge", knowledge, "FILE", 0, 0, "loaded where it exists, written after learning"),
    ROW(CHOICE, false, "format", format, SAMPLES_FORMATS, 0, 0, "of the files; auto: csv by name, else f32"),
    ROW(NUMBER, false, "scale", scale, "S", 1e-12, 1e12, "unit per step of i16; default 1"),
    ROW(LIST, false, "learn", learn, "FILE...", 0, 0, "nominal buffers"),
    ROW(LIST, false, "detect", detect, "FILE...", 0, 0, "buffers to compare with what was learned"),
    ROW(FLAG, false, "csv", csv, "", 0, 0, "print index,similarity,distance,anomaly"),
    ROW(FLAG, false, "json", json, "", 0, 0, "print one JSON document, with explanations"),
    { .type = OPTION_END },
};

struct emulation {
    const struct emulate_settings *settings;
    struct detector detector;
    struct samples_shape shape;
    float *buffer;
    struct emulate_summary summary;
    struct emulate_output output;
};

/* ---------------------------------------------------------------------------------------------------- learn, detect */

static int refuse_result(const char *path, int result)
{
    complain("%s: %s", path, habit_text(result));
    return EXIT_FAILED;
}

static int learn_buffer(struct emulation *emulation, const char *path)
{
    int r = habit_learn(&emulation->detector.engine, emulation->buffer, samples_values(&emulation->shape), NULL);

    if (r == HABIT_ECONSTANT) { /* a dead sensor: the others may be fine */
        complain("warning: %s: buffer %zu of those to learn (the first is 0): %s", path,
                 emulation->summary.learned + emulation->summary.refused, habit_text(r));
        emulation->summary.refused++;
        return 0;
    }
    if (r != HABIT_OK)
        return refuse_result(path, r);
    emulation->summary.learned++;
    return 0;
}

static int detect_buffer(struct emulation *emulation, const char *path)
{
    struct emulate_summary *summary = &emulation->summary;
    struct emulate_row row = { .index = summary->detected, .path = path };
    int r =
        habit_detect(&emulation->detector.engine, emulation->buffer, samples_values(&emulation->shape), &row.result);

    if (r != HABIT_OK && r != HABIT_ENOTREADY)
        return refuse_result(path, r);
    row.ready = r == HABIT_OK;
    row.anomaly = row.ready && row.result.similarity < summary->threshold;
    emulate_output_row(&emulation->output, summary, &row);
    summary->detected++;
    summary->anomalies += row.anomaly;
    summary->not_ready += !row.ready;
    return 0;
}

typedef int (*buffer_step)(struct emulation *emulation, const char *path);

static int each_buffer(struct emulation *emulation, const char *path, buffer_step step)
{
    struct samples *samples = NULL;
    int r = samples_open(&samples, path, &emulation->shape);

    while (r == 0) {
        r = samples_next(samples, emulation->buffer);
        if (r == 0)
            r = step(emulation, path);
    }
    samples_close(samples);
    return r == SAMPLES_END ? 0 : r;
}

static int each_file(struct emulation *emulation, const struct words *paths, buffer_step step)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < paths->count; i++)
        r = each_buffer(emulation, paths->word[i], step);
    return r;
}

/* ------------------------------------------------------------------------------------------------------------ a run */

static struct habit_config make_config(const struct emulate_settings *settings)
{
    struct habit_config config = HABIT_CONFIG_DEFAULT;

    config.buffer_size = (uint16_t)settings->buffer_size;
    config.axes = (uint8_t)settings->axes;
    config.profile = (uint8_t)settings->profile;
    config.sampling_hz = (float)settings->sampling_hz;
    config.scale = (float)settings->scale;
    memcpy(config.unit, settings->unit, strlen(settings->unit));
    return config;
}

static int set_up(struct emulation *emulation)
{
    const struct emulate_settings *settings = emulation->settings;
    struct habit_config config = make_config(settings);
    int r = detector_init(&emulation->detector, &config);

    emulation->shape = (struct samples_shape){ config.buffer_size, config.axes, settings->format, config.scale };
    emulation->buffer = calloc(samples_values(&emulation->shape), sizeof(float));
    if (!emulation->buffer)
        r = complain_errno("hold", "a buffer");
    if (r == 0 && settings->knowledge)
        r = knowledge_load(&emulation->detector.engine, settings->knowledge);
    if (r == 0 && settings->sensitivity > 0)
        habit_set_sensitivity(&emulation->detector.engine, (float)settings->sensitivity); /* in range: rows[] says so */
    emulation->summary.config = config;
    emulation->summary.threshold = (unsigned int)settings->threshold;
    return r;
}

static int learn(struct emulation *emulation)
{
    const struct emulate_settings *settings = emulation->settings;
    struct habit_engine *engine = &emulation->detector.engine;
    int r = each_file(emulation, &settings->learn, learn_buffer);

    if (r == 0 && emulation->summary.refused > 0)
        complain("warning: %zu constant buffers were not learned", emulation->summary.refused);
    if (r == 0 && settings->knowledge && settings->learn.count > 0)
        r = knowledge_save(engine, settings->knowledge);
    habit_status(engine, &emulation->summary.progress);
    emulation->summary.sensitivity = habit_get_sensitivity(engine);
    return r;
}

static int detect(struct emulation *emulation)
{
    int r;

    emulate_output_begin(&emulation->output, &emulation->summary);
    r = each_file(emulation, &emulation->settings->detect, detect_buffer);
    if (r == 0)
        emulate_output_end(&emulation->output, &emulation->summary);
    return r;
}

static int emulate(const struct emulate_settings *settings)
{
    struct emulation emulation = { .settings = settings };
    int r = set_up(&emulation);

    emulate_output_init(&emulation.output, settings->csv ? EMULATE_CSV : settings->json ? EMULATE_JSON : EMULATE_TABLE);
    if (r == 0)
        r = learn(&emulation);
    if (r == 0)
        r = detect(&emulation);
    emulate_output_deinit(&emulation.output);
    detector_deinit(&emulation.detector);
    free(emulation.buffer);
    return r;
}

/* Whether the engine can keep the unit: printable ASCII that leaves a zero at the end. */
static bool unit_valid(const char *unit)
{
    size_t length = strlen(unit);

    for (size_t i = 0; i < length; i++)
        if (unit[i] < ' ' || unit[i] > '~')
            return false;
    return length < HABIT_UNIT_SIZE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct emulate_settings settings = {
        .threshold = HABIT_THRESHOLD, .scale = 1, .unit = "", .profile = HABIT_PROFILE_DEFAULT
    };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (settings.csv && settings.json)
        return options_refuse(command, "--csv and --json exclude each other");
    if (settings.learn.count == 0 && settings.detect.count == 0)
        return options_refuse(command, "--learn FILE... or --detect FILE... is missing");
    if (!unit_valid(settings.unit))
        return options_refuse(command, "--unit: at most %d printable ASCII characters", HABIT_UNIT_SIZE - 1);
    return emulate(&settings);
}

const struct command emulate_command = {
    .name = "emulate",
    .synopsis = "--buffer-size N --axes A [option ...] [--learn FILE...] [--detect FILE...]",
    .summary = "learns and detects recorded buffers with the engine",
    .details =
        "Files hold buffers back to back, little-endian, interleaved by axis (x0 y0 z0 x1 ...); a CSV file has a\n"
        "buffer a line, separated by commas, semicolons, tabs or spaces, with a header line or none.\n"
        "With --knowledge, learning and detecting may be calls of their own.",
    .options = rows,
    .run = run,
};
