/* habit simulate: machines that are not there, for trying things out, for demonstrations and for tests. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "commands.h"
#include "habit/engine.h"
#include "simulation.h"

enum { ROOT_SIZE = 256, BOOT_SIZE = 33 };

#define ROW(kind, key, field, value, low, high, help)                                                \
    {                                                                                                \
        OPTION_##kind, false, key, offsetof(struct simulate_settings, field), value, low, high, help \
    }

static const struct option_row rows[] = {
    ROW(UNSIGNED, "buffer-size", buffer_size, "N", 1, HABIT_MAX_BUFFER_SIZE, "samples in a buffer; default 256"),
    ROW(UNSIGNED, "axes", axes, "A", 1, HABIT_MAX_AXES, "values in a sample; default 3"),
    ROW(NUMBER, "sampling-hz", sampling_hz, "F", 1e-3, 1e7, "samples per second; default 1600"),
    ROW(NUMBER, "speed", speed, "HZ", 1e-3, 1e6, "of rotation; default 25"),
    ROW(NUMBER, "load", load, "L", 0, 1, "0 = idle, 1 = full; default 0.5"),
    ROW(NUMBER, "noise", noise, "G", 0, 100, "standard deviation of the noise; default 0.02"),
    ROW(UNSIGNED, "seed", seed, "N", 0, 9007199254740992.0,
        "another one: other moments of the same machine; default 1"),
    ROW(UNSIGNED, "buffers", buffers, "N", 0, 1e15, "of each machine; 0 = until stopped; default 100"),
    ROW(NUMBER, "every", every, "SECONDS", 0, 86400, "between buffers of a machine; default 0 for files, else 1"),
    ROW(UNSIGNED, "run", run, "N", 1, 1e9, "with --stop: buffers that it runs, then stands"),
    ROW(UNSIGNED, "stop", stop, "N", 1, 1e9, "buffers that it stands still"),
    ROW(CHOICE, "fault", fault, MACHINE_FAULTS, 0, 0, "what breaks"),
    ROW(NUMBER, "severity", severity, "S", 0, 1, "of the fault: 0.3 weak, 1 plain (default)"),
    ROW(UNSIGNED, "fault-after", fault_after, "N", 0, 1e15, "buffers without the fault first; default 0"),
    ROW(TEXT, "machine", machine, "ID", 0, 0, "its ID, which gives its character; default machine-1"),
    ROW(TEXT, "machines", machines, "PATTERN", 0, 0, "IDs of several, %d counts from 1: 'pump-%d'"),
    ROW(UNSIGNED, "count", count, "N", 1, SIMULATED_MACHINES, "with --machines: how many"),
    ROW(TEXT, "output", output, "FILE", 0, 0, "default: standard output"),
    ROW(CHOICE, "format", format, SAMPLES_FORMATS, 0, 0, "auto: csv by name and on stdout, else f32"),
    ROW(NUMBER, "scale", scale, "S", 1e-12, 1e12, "g per step of i16; default 1/2048, a range of 16 g"),
    ROW(TEXT, "http", http, "URL", 0, 0, "POST to habitd at URL, print its verdicts"),
    ROW(TEXT, "mqtt", mqtt, "HOST:PORT", 0, 0, "publish to a broker, QoS 1"),
    ROW(TEXT, "root", root, "TOPIC", 0, 0, "of MQTT topics; default habit/v1/HOSTNAME"),
    ROW(TEXT, "username", username, "NAME", 0, 0, "with --mqtt: at the broker"),
    ROW(TEXT, "password-file", password_file, "FILE", 0, 0, "with --mqtt: its first line is the password"),
    ROW(TEXT, "ca", ca, "FILE", 0, 0, "with --mqtt: PEM of who signed the broker's certificate; turns TLS on"),
    ROW(CHOICE, "action", action, SINK_ACTIONS, 0, 0, "buffer: the daemon decides (default)"),
    ROW(FLAG, "number", number, "", 0, 0, "number the buffers: none is applied twice"),
    ROW(TEXT, "boot", boot, "ID", 0, 0, "with --number: of this numbering; default a new one"),
    ROW(UNSIGNED, "first", first, "N", 0, 9007199254740991.0, "with --number: the first; default 0"),
    ROW(FLAG, "quiet", quiet, "", 0, 0, "no line for each buffer"),
    { .type = OPTION_END },
};

/* ------------------------------------------------------------------------------------------------------------ settings */

static void default_root(char root[ROOT_SIZE])
{
    char host[GATEWAY_ID_SIZE + 32] = "";

    gethostname(host, sizeof(host) - 1);
    host[strcspn(host, ".")] = '\0';
    snprintf(root, ROOT_SIZE, "habit/v1/%s", gateway_id_valid(host) ? host : "localhost");
}

static void default_boot(char boot[BOOT_SIZE])
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(boot, BOOT_SIZE, "%llx-%x", (unsigned long long)now.tv_sec, (unsigned int)getpid());
}

static enum samples_format output_format(const struct simulate_settings *settings)
{
    if (settings->format == SAMPLES_AUTO && !settings->output && !settings->http && !settings->mqtt)
        return SAMPLES_CSV;
    return samples_format_of(settings->output ? settings->output : "", settings->format);
}

/* What no single option shows; NULL = nothing is wrong. */
static const char *contradiction(const struct simulate_settings *settings)
{
    bool network = settings->http || settings->mqtt;
    char id[MACHINE_ID_SIZE];

    if ((settings->output != NULL) + (settings->http != NULL) + (settings->mqtt != NULL) > 1)
        return "--output, --http and --mqtt exclude each other";
    if ((settings->username || settings->password_file || settings->ca) && !settings->mqtt)
        return "--username, --password-file and --ca go with --mqtt";
    if (settings->password_file && !settings->username)
        return "--password-file needs --username";
    if ((settings->run == 0) != (settings->stop == 0))
        return "--run and --stop belong together";
    if (settings->machines && settings->machine)
        return "--machine and --machines exclude each other";
    if (settings->machines && !strstr(settings->machines, "%d"))
        return "--machines: no %d, where the number of the machine goes";
    if (settings->count > 1 && !settings->machines)
        return "--count needs --machines";
    if (settings->count > 1 && !network)
        return "several machines need --http or --mqtt: a file is of one";
    if (settings->speed >= settings->sampling_hz / 2)
        return "--speed must be below half of --sampling-hz";
    if ((settings->boot || settings->first > 0) && !settings->number)
        return "--boot and --first need --number";
    if (settings->boot &&
        (strlen(settings->boot) >= BOOT_SIZE || !machine_id_valid(settings->boot, strlen(settings->boot))))
        return "--boot: letters, digits, _ and - only, at most 32";
    if ((settings->machine || settings->machines) && !simulated_id(settings, settings->count, id))
        return "not a machine ID: letters, digits, _ and - only, at most 64, the first no _ or -";
    return NULL;
}

static void complete(struct simulate_settings *settings, char root[ROOT_SIZE], char boot[BOOT_SIZE])
{
    if (settings->count == 0)
        settings->count = 1;
    if (!settings->machine)
        settings->machine = "machine-1";
    if (settings->every < 0)
        settings->every = settings->http || settings->mqtt ? 1 : 0;
    if (!settings->root) {
        default_root(root);
        settings->root = root;
    }
    if (settings->number && !settings->boot) {
        default_boot(boot);
        settings->boot = boot;
    }
}

static int run(const struct command *command, int argc, char **argv)
{
    struct simulate_settings settings = {
        .buffer_size = 256,
        .axes = 3,
        .sampling_hz = 1600,
        .speed = 25,
        .load = 0.5,
        .noise = 0.02,
        .seed = 1,
        .every = -1,
        .buffers = 100,
        .severity = 1,
        .scale = 1.0 / 2048,
    };
    char root[ROOT_SIZE], boot[BOOT_SIZE];
    const char *wrong;
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    wrong = contradiction(&settings);
    if (wrong)
        return options_refuse(command, "%s", wrong);
    complete(&settings, root, boot);
    return simulation_run(&settings, &(struct sink_setup){
                                         .path = settings.output,
                                         .http = settings.http,
                                         .mqtt = settings.mqtt,
                                         .root = settings.root,
                                         .username = settings.username,
                                         .password_file = settings.password_file,
                                         .ca = settings.ca,
                                         .format = output_format(&settings),
                                         .shape = { (uint32_t)settings.buffer_size, (uint32_t)settings.axes,
                                                    SAMPLES_F32, (float)settings.scale },
                                         .action = settings.action,
                                         .boot = settings.boot,
                                         .quiet = settings.quiet,
                                     });
}

const struct command simulate_command = {
    .name = "simulate",
    .synopsis = "[option ...] [--output FILE | --http URL | --mqtt HOST:PORT]",
    .summary = "simulates rotating machines, healthy and faulty",
    .details =
        "Buffers go to standard output as CSV unless told otherwise. Values are in g. The same seed gives the same\n"
        "buffers, whatever they are sent to.",
    .options = rows,
    .run = run,
};
