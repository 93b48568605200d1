/* habit export: stored buffers of a machine as a file. */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client.h"
#include "commands.h"
#include "export_format.h"
#include "message.h"
#include "output_file.h"
#include "recording.h"

struct export_settings {
    const char *url, *output;
    unsigned int format;
    uint64_t anomaly;
    struct words machine;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, true, "", offsetof(struct export_settings, machine), "MACHINE", 1, 1, "its ID" },
    { OPTION_TEXT, true, "output", offsetof(struct export_settings, output), "FILE", 0, 0,
      "to write: .csv, .wav, .npz, .ndjson; - is standard output" },
    { OPTION_CHOICE, false, "format", offsetof(struct export_settings, format), EXPORT_FORMATS, 0, 0,
      "of the file; auto: by its name" },
    { OPTION_UNSIGNED, false, "anomaly", offsetof(struct export_settings, anomaly), "N", 1, 9e15,
      "only the buffers that raised this one; default: those learned, and those of its newest anomalies" },
    { OPTION_TEXT, false, "url", offsetof(struct export_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

/* ------------------------------------------------------------------------------------------------------------ formats */

static const struct {
    const char *ending;
    int (*write)(const struct recording *recording, FILE *file);
} formats[EXPORT_KINDS] = {
    [EXPORT_CSV] = { ".csv", export_csv },
    [EXPORT_WAV] = { ".wav", export_wav },
    [EXPORT_NUMPY] = { ".npz", export_numpy },
    [EXPORT_NDJSON] = { ".ndjson", export_ndjson },
};

enum export_format export_format_of(const char *path, enum export_format format)
{
    size_t length = strlen(path);

    for (int i = EXPORT_AUTO + 1; format == EXPORT_AUTO && i < EXPORT_KINDS; i++) {
        size_t ending = strlen(formats[i].ending);

        if (length > ending && strcmp(path + length - ending, formats[i].ending) == 0)
            return (enum export_format)i;
    }
    return format;
}

int export_write(const struct recording *recording, enum export_format format, FILE *file)
{
    return formats[format].write(recording, file);
}

/* ---------------------------------------------------------------------------------------------------------------- run */

static int write_file(const struct recording *recording, enum export_format format, const char *path)
{
    struct output_file output = { 0 };
    int r;

    if (strcmp(path, "-") == 0)
        return export_write(recording, format, stdout);
    r = output_file_open(&output, path);
    if (r != 0)
        return r;
    r = export_write(recording, format, output.file);
    if (r == 0)
        return output_file_commit(&output);
    output_file_abandon(&output);
    return r;
}

static int check(const struct recording *recording)
{
    if (recording->others > 0)
        complain("warning: %zu stored buffers are of another geometry than machine %s has now: left out",
                 recording->others, recording->machine);
    if (recording->count > 0)
        return 0;
    complain("machine %s: no buffers are stored", recording->machine);
    return EXIT_DATA;
}

static int fetch_and_write(const struct export_settings *settings, enum export_format format)
{
    struct recording recording = { 0 };
    struct client *client = NULL;
    int r = client_open(&client, settings->url);

    if (r == 0)
        r = recording_fetch(&recording, client, settings->machine.word[0], settings->anomaly, NULL);
    if (r == 0)
        r = check(&recording);
    if (r == 0)
        r = write_file(&recording, format, settings->output);
    if (r == 0)
        complain("%zu buffers of %s written to %s", recording.count, recording.machine, settings->output);
    recording_free(&recording);
    client_close(client);
    return r;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct export_settings settings = { 0 };
    enum export_format format;
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    format = export_format_of(settings.output, (enum export_format)settings.format);
    if (format == EXPORT_AUTO)
        return options_refuse(command, "--output %s: name it .csv, .wav, .npz or .ndjson, or say --format",
                              settings.output);
    if (!machine_id_valid(settings.machine.word[0], strlen(settings.machine.word[0])))
        return options_refuse(command, "'%.80s' is not a machine ID: " MACHINE_ID_RULE, settings.machine.word[0]);
    return fetch_and_write(&settings, format);
}

const struct command export_command = {
    .name = "export",
    .synopsis = "MACHINE --output FILE [option ...]",
    .summary = "writes the buffers that habitd has stored of a machine as CSV, WAV, NumPy or NDJSON",
    .details =
        "habitd stores the first buffers that were learned (up to 256, or 1 MiB) and those that raised anomalies, as\n"
        "int16 with a step of their own: half a step, 1/65534 of a buffer's range, is the error.\n"
        "CSV: a buffer a line, rate and unit in comments before it; habit emulate and replay read it.\n"
        "WAV: float32 in the unit, a channel an axis. NumPy: samples, time, anomaly, sampling_hz, unit, machine.\n"
        "NDJSON: lines that POST /v1/buffers takes.",
    .options = rows,
    .run = run,
};
