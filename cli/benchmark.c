/* habit benchmark: what this device reaches. Nothing is looked up: every figure was measured here, just now. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "benchmark.h"
#include "commands.h"
#include "table.h"

struct benchmark_settings {
    const char *directory;
    uint64_t seconds;
    bool json;
};

static const struct option_row rows[] = {
    { OPTION_TEXT, false, "directory", offsetof(struct benchmark_settings, directory), "DIR", 0, 0,
      "on the disk that is to be measured; default /var/lib/habit where it can be written, else ." },
    { OPTION_UNSIGNED, false, "seconds", offsetof(struct benchmark_settings, seconds), "N", 1, 600,
      "of each measurement; default 2" },
    { OPTION_FLAG, false, "json", offsetof(struct benchmark_settings, json), "", 0, 0, "print the figures as JSON" },
    { .type = OPTION_END },
};

double benchmark_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

void benchmark_sort(double *figures, size_t count)
{
    qsort(figures, count, sizeof(*figures), compare);
}

double benchmark_quantile(const double *sorted, size_t count, double share)
{
    return count > 0 ? sorted[(size_t)((double)(count - 1) * share)] : 0;
}

/* ------------------------------------------------------------------------------------------------------------- device */

/* The value behind "name : " of the first line that has it. */
static bool read_value(const char *path, const char *name, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    char line[256];
    bool found = false;

    while (file && !found && fgets(line, sizeof(line), file)) {
        const char *colon = strchr(line, ':');

        if (colon && strncmp(line, name, strlen(name)) == 0) {
            snprintf(text, size, "%s", colon + 1 + strspn(colon + 1, " \t"));
            text[strcspn(text, "\n")] = '\0';
            found = true;
        }
    }
    if (file)
        fclose(file);
    return found;
}

static bool read_line(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "re");
    bool found = file && fgets(text, (int)size, file);

    if (file)
        fclose(file);
    text[found ? strcspn(text, "\n") : 0] = '\0';
    return found && text[0] != '\0';
}

/* A board names itself in its device tree; processors of PCs have a name of their own. */
static void describe_device(struct benchmark *benchmark)
{
    char board[128] = "", processor[128] = "";
    struct sysinfo system;
    struct utsname name;

    uname(&name);
    sysinfo(&system);
    if (!read_line("/proc/device-tree/model", board, sizeof(board)))
        read_line("/sys/class/dmi/id/product_name", board, sizeof(board));
    if (!read_value("/proc/cpuinfo", "model name", processor, sizeof(processor)))
        read_value("/proc/cpuinfo", "Model", processor, sizeof(processor));
    json_object_set_new(
        benchmark->result, "device",
        json_pack("{s:s, s:s, s:s, s:I, s:f, s:s, s:s}", "board", board[0] != '\0' ? board : "not known", "processor",
                  processor[0] != '\0' ? processor : "not known", "architecture", name.machine, "processors",
                  (json_int_t)sysconf(_SC_NPROCESSORS_ONLN), "memory_mib",
                  (double)system.totalram * system.mem_unit / 1048576, "kernel", name.release, "habit", HABIT_VERSION));
}

/* ------------------------------------------------------------------------------------------------------------- output */

/* clang-format off */
static const struct column engine_columns[] = {
    { "samples",      "buffer_size" },
    { "axes",         "axes" },
    { "detect us",    "detect_us" },
    { "learn us",     "learn_us" },
    { "detects/s",    "detects_per_s" },
    { "knowledge",    "knowledge_bytes" },
    { "cache",        "cache_bytes" },
    { NULL,           NULL },
};

static const struct column durable_columns[] = {
    { "clients",      "clients" },
    { "learns/s",     "learns_per_s" },
    { "p50 ms",       "p50_ms" },
    { "p99 ms",       "p99_ms" },
    { NULL,           NULL },
};
/* clang-format on */

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static void print(const struct benchmark *benchmark)
{
    const json_t *result = benchmark->result, *device = json_object_get(result, "device");

    printf("%s; %s; %s, %" JSON_INTEGER_FORMAT " processors, %.0f MiB; Linux %s; habit %s\n", text_of(device, "board"),
           text_of(device, "processor"), text_of(device, "architecture"),
           json_integer_value(json_object_get(device, "processors")),
           json_number_value(json_object_get(device, "memory_mib")), text_of(device, "kernel"),
           text_of(device, "habit"));
    printf("\nengine, one processor, medians; bytes of memory of a machine:\n");
    table_print(engine_columns, json_object_get(result, "engine"));
    printf("\nlearned and on disk (%s), clients that each wait for their answer:\n", text_of(result, "directory"));
    table_print(durable_columns, json_object_get(result, "durable"));
    printf("\nmemory of one more machine in habitd, 256 x 3: %" JSON_INTEGER_FORMAT " bytes\n",
           json_integer_value(json_object_get(result, "bytes_per_machine")));
}

static int run(const struct command *command, int argc, char **argv)
{
    struct benchmark_settings settings = { .seconds = 2 };
    struct benchmark benchmark = { 0 };
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    if (!settings.directory)
        settings.directory = access("/var/lib/habit", W_OK) == 0 ? "/var/lib/habit" : ".";
    benchmark.directory = settings.directory;
    benchmark.seconds = (double)settings.seconds;
    benchmark.result = json_object();
    describe_device(&benchmark);
    progress_begin(&benchmark.progress, "benchmark", BENCHMARK_STEPS, false);
    code = benchmark_engine(&benchmark);
    if (code == 0)
        code = benchmark_store(&benchmark);
    progress_end(&benchmark.progress);
    if (code == 0 && settings.json) {
        json_dumpf(benchmark.result, stdout, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
        printf("\n");
    } else if (code == 0) {
        print(&benchmark);
    }
    json_decref(benchmark.result);
    return code;
}

const struct command benchmark_command = {
    .name = "benchmark",
    .synopsis = "[--directory DIR] [--seconds N] [--json]",
    .summary = "measures what this device reaches: engine, disk, memory",
    .details =
        "It needs no daemon, and makes a store of its own in DIR, which it deletes. Let nothing else run meanwhile.",
    .options = rows,
    .run = run,
};
