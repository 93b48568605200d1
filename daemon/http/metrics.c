/* GET /metrics: the text format of Prometheus, https://prometheus.io/docs/instrumenting/exposition_formats/, version 0.0.4.
 * Units are seconds, bytes and ratios, as its naming rules ask. */
#include "http/metrics.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/histogram.h"
#include "http/answer.h"
#include "http/crowd.h"
#include "http/handlers.h"
#include "http/route.h"
#include "http/stream.h"

/* ------------------------------------------------------------------------------------------------- counting answers */

static const unsigned short statuses[] = { 200, 201, 204, 304, 400, 401, 403, 404, 405, 406, 409, 412,
                                           413, 415, 421, 422, 428, 429, 431, 500, 503, 507, 0 /* any other */ };
enum { STATUSES = sizeof(statuses) / sizeof(statuses[0]), NO_ROUTE = COUNTED_ROUTES - 1 };
_Static_assert(sizeof(statuses) / sizeof(statuses[0]) <= (size_t)COUNTED_STATUSES, "as many as there is room for");

void metrics_count(struct request *request)
{
    size_t route = request->route ? (size_t)(request->route - routes) : NO_ROUTE, i = 0;

    while (i < STATUSES - 1 && statuses[i] != request->status)
        i++;
    request->http->answers[route < NO_ROUTE ? route : NO_ROUTE][i]++;
}

/* ----------------------------------------------------------------------------------------------------------- the form */

static void write_head(FILE *file, const char *name, const char *type, const char *help)
{
    fprintf(file, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

struct metric {
    const char *name, *type, *help;
    double value;
};

/* Whole numbers up to 2^53 are written in full. */
static void write_metrics_of(FILE *file, const struct metric *metrics, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        write_head(file, metrics[i].name, metrics[i].type, metrics[i].help);
        fprintf(file, "%s %.17g\n", metrics[i].name, metrics[i].value);
    }
}

/* Text of a person in a label: '\', '"' and line feeds are escaped. */
static void write_label(FILE *file, const char *name, const char *text)
{
    fprintf(file, ",%s=\"", name);
    for (; *text != '\0'; text++)
        fprintf(file, *text == '\n' ? "\\n" : *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    fputc('"', file);
}

/* label: `action="learn"`, "" = none. */
static void write_histogram(FILE *file, const char *name, const char *label, const struct histogram *histogram,
                            const struct histogram_scale *scale)
{
    const char *comma = label[0] != '\0' ? "," : "", *open = label[0] != '\0' ? "{" : "",
               *close = label[0] != '\0' ? "}" : "";
    uint64_t total = 0;

    for (size_t i = 0; i < HISTOGRAM_BOUNDS && scale->bound[i] != 0; i++) {
        total += histogram->count[i];
        fprintf(file, "%s_bucket{%s%sle=\"%g\"} %" PRIu64 "\n", name, label, comma,
                (double)scale->bound[i] / scale->unit, total);
    }
    total += histogram->count[HISTOGRAM_BOUNDS];
    fprintf(file, "%s_bucket{%s%sle=\"+Inf\"} %" PRIu64 "\n", name, label, comma, total);
    fprintf(file, "%s_sum%s%s%s %.15g\n", name, open, label, close, (double)histogram->sum / scale->unit);
    fprintf(file, "%s_count%s%s%s %" PRIu64 "\n", name, open, label, close, total);
}

/* ----------------------------------------------------------------------------------------------------------- machines */

static const char *const transport_names[TRANSPORTS] = { "http", "mqtt" };
static const char *const actions[VERDICTS] = {
    [VERDICT_OK] = "detect", [VERDICT_LEARNED] = "learn", [VERDICT_NOT_READY] = "not_ready", [VERDICT_IDLE] = "idle"
};

static void write_buffers(FILE *file, const char *name, const struct machine_gauges *machine)
{
    for (size_t transport = 0; transport < TRANSPORTS; transport++)
        for (size_t verdict = 0; verdict < VERDICTS; verdict++)
            if (actions[verdict] && machine->counters.buffers[transport][verdict] > 0)
                fprintf(file, "%s{machine=\"%s\",transport=\"%s\",action=\"%s\"} %" PRIu64 "\n", name, machine->id,
                        transport_names[transport], actions[verdict], machine->counters.buffers[transport][verdict]);
}

static void write_value(FILE *file, const char *name, const struct machine_gauges *machine, double value)
{
    fprintf(file, "%s{machine=\"%s\"} %.9g\n", name, machine->id, value);
}

static void write_count(FILE *file, const char *name, const struct machine_gauges *machine, uint64_t count)
{
    fprintf(file, "%s{machine=\"%s\"} %" PRIu64 "\n", name, machine->id, count);
}

static void write_duplicates(FILE *file, const char *name, const struct machine_gauges *machine)
{
    const struct machine_counters *counters = &machine->counters;

    write_count(file, name, machine,
                counters->buffers[TRANSPORT_HTTP][VERDICT_DUPLICATE] +
                    counters->buffers[TRANSPORT_MQTT][VERDICT_DUPLICATE]);
}

static void write_anomalies(FILE *file, const char *name, const struct machine_gauges *machine)
{
    write_count(file, name, machine, machine->counters.anomalies);
}

static void write_anomaly(FILE *file, const char *name, const struct machine_gauges *machine)
{
    write_value(file, name, machine, machine->anomaly);
}

/* No line where the last buffer was not judged: an old score would look like a fresh one. */
static void write_similarity(FILE *file, const char *name, const struct machine_gauges *machine)
{
    if (machine->judged)
        write_value(file, name, machine, machine->similarity / 100.0);
}

static void write_average(FILE *file, const char *name, const struct machine_gauges *machine)
{
    if (machine->judged && machine->average_known)
        write_value(file, name, machine, machine->average / 100.0);
}

static void write_distance(FILE *file, const char *name, const struct machine_gauges *machine)
{
    if (machine->judged)
        write_value(file, name, machine, (double)machine->distance);
}

static void write_phase(FILE *file, const char *name, const struct machine_gauges *machine)
{
    for (uint32_t phase = 0; phase < PHASES; phase++)
        fprintf(file, "%s{machine=\"%s\",phase=\"%s\"} %d\n", name, machine->id, phase_name((enum phase)phase),
                machine->phase == phase);
}

static void write_online(FILE *file, const char *name, const struct machine_gauges *machine)
{
    write_value(file, name, machine, machine->online);
}

static void write_seen(FILE *file, const char *name, const struct machine_gauges *machine)
{
    if (machine->last_seen != 0)
        fprintf(file, "%s{machine=\"%s\"} %" PRId64 ".%03d\n", name, machine->id, machine->last_seen / 1000,
                (int)(machine->last_seen % 1000));
}

static void write_texts(FILE *file, const char *name, const struct machine_gauges *machine)
{
    fprintf(file, "%s{machine=\"%s\"", name, machine->id);
    write_label(file, "name", machine->name);
    write_label(file, "asset", machine->asset);
    write_label(file, "location", machine->location);
    fputs("} 1\n", file);
}

/* All lines of one name stand together, as the format asks. */
static const struct {
    const char *name, *type, *help;
    void (*write)(FILE *file, const char *name, const struct machine_gauges *machine);
} of_machines[] = {
    { "habit_machine_info", "gauge", "Texts of a machine.", write_texts },
    { "habit_machine_phase", "gauge", "1 for the phase a machine is in.", write_phase },
    { "habit_machine_online", "gauge", "0 when a machine is silent.", write_online },
    { "habit_machine_last_seen_timestamp_seconds", "gauge", "When its last buffer came.", write_seen },
    { "habit_anomaly", "gauge", "1 while an anomaly is open.", write_anomaly },
    { "habit_similarity_ratio", "gauge", "Of the last judged buffer, 0 to 1.", write_similarity },
    { "habit_average_ratio", "gauge", "Similarity of the window, 0 to 1: what anomalies are raised by.",
      write_average },
    { "habit_distance", "gauge", "Of the last judged buffer; 1 is the line.", write_distance },
    { "habit_anomalies_total", "counter", "Anomalies raised.", write_anomalies },
    { "habit_buffers_total", "counter", "Buffers, by what became of them.", write_buffers },
    { "habit_buffers_duplicate_total", "counter", "Buffers that had been applied before.", write_duplicates },
};

static void write_machines(FILE *file, struct request *request)
{
    struct machine_gauges *gauges = NULL;
    int count = registry_gauges(request->http->options.registry, request->now, &gauges);

    for (size_t i = 0; i < sizeof(of_machines) / sizeof(of_machines[0]) && count > 0; i++) {
        write_head(file, of_machines[i].name, of_machines[i].type, of_machines[i].help);
        for (int machine = 0; machine < count; machine++)
            of_machines[i].write(file, of_machines[i].name, &gauges[machine]);
    }
    free(gauges);
}

static void write_snapshot(void *user, const char *id, int64_t taken)
{
    fprintf(user, "habit_knowledge_snapshot_timestamp_seconds{machine=\"%s\"} %" PRId64 "\n", id, taken / 1000);
}

/* ----------------------------------------------------------------------------------------------------------- registry */

static void write_phases(FILE *file, const struct registry_figures *figures)
{
    write_head(file, "habit_machines", "gauge", "Machines by phase.");
    for (int phase = 0; phase < PHASES; phase++)
        fprintf(file, "habit_machines{phase=\"%s\"} %" PRIu32 "\n", phase_name((enum phase)phase),
                figures->phases[phase]);
}

static void write_rejections(FILE *file, const struct registry_figures *figures)
{
    write_head(file, "habit_buffers_rejected_total", "counter",
               "Buffers, requests and messages that were refused or dropped, by reason.");
    for (int code = REFUSAL_NONE + 1; code < REFUSAL_CODES; code++)
        fprintf(file, "habit_buffers_rejected_total{reason=\"%s\"} %" PRIu64 "\n",
                refusal_kind((enum refusal_code)code)->type, figures->refusals[code]);
}

static void write_durations(FILE *file, const struct registry_figures *figures)
{
    char label[32];

    write_head(file, "habit_engine_duration_seconds", "histogram", "Of the engine's work on one buffer.");
    write_histogram(file, "habit_engine_duration_seconds", "action=\"learn\"", figures->learn_duration,
                    &histogram_microseconds);
    write_histogram(file, "habit_engine_duration_seconds", "action=\"detect\"", figures->detect_duration,
                    &histogram_microseconds);
    write_head(file, "habit_ingest_latency_seconds", "histogram",
               "From a message that was read until it may be acknowledged, its commit included.");
    for (size_t i = 0; i < TRANSPORTS; i++) {
        snprintf(label, sizeof(label), "transport=\"%s\"", transport_names[i]);
        write_histogram(file, "habit_ingest_latency_seconds", label, figures->ingest_latency[i],
                        &histogram_milliseconds);
    }
}

static void write_registry(FILE *file, struct request *request)
{
    struct registry_figures figures;

    registry_figures(request->http->options.registry, &figures);
    const struct metric metrics[] = {
        { "habit_pending_machines", "gauge", "IDs that send but are not known.", figures.pending },
        { "habit_open_anomalies", "gauge", "Anomalies that were raised and not cleared.", figures.open_anomalies },
        { "habit_conflicting_machines", "gauge", "Machines whose settings and knowledge differ.", figures.conflicts },
        { "habit_buffers_learned_total", "counter", "Buffers learned.", (double)figures.learned },
        { "habit_buffers_detected_total", "counter", "Buffers judged.", (double)figures.detected },
        { "habit_pending_dropped_total", "counter", "Unknown IDs that had to make room for others.",
          (double)figures.pending_dropped },
        { "habit_ignored_fields_total", "counter", "Unknown JSON fields beside buffers.",
          (double)figures.ignored_fields },
    };

    write_phases(file, &figures);
    write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
    write_rejections(file, &figures);
    write_durations(file, &figures);
}

/* -------------------------------------------------------------------------------------------------------------- store */

/* Where [store] daily_writes is set. */
static void write_ceiling(FILE *file, const struct store_figures *figures)
{
    const struct metric metrics[] = {
        { "habit_store_daily_writes_limit_bytes", "gauge", "What [store] daily_writes allows in 24 hours.",
          (double)figures->daily_bytes },
        { "habit_store_daily_writes_strain_ratio", "gauge",
          "How far commits and flushes are put off because of it: 0 not at all, 1 as far as they can be.",
          figures->strain },
    };

    if (figures->daily_bytes > 0)
        write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
}

static void write_outbox(FILE *file, struct request *request, const struct store_figures *figures)
{
    int64_t since = 0, age = 0;
    uint64_t count = 0;

    if (store_outbox_backlog(request->http->options.store, &count, &since) == 0 && since != 0)
        age = request->now.wall - since;
    const struct metric metrics[] = {
        { "habit_outbox_messages", "gauge", "Messages that wait for the broker.", (double)count },
        { "habit_outbox_oldest_seconds", "gauge", "How long the oldest of them has waited.",
          age > 0 ? (double)age / 1000 : 0 },
        { "habit_outbox_dropped_total", "counter",
          "Messages that had to make room for others while the broker was away, or that are too large for it.",
          (double)figures->outbox_dropped },
    };

    write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
}

static void write_store(FILE *file, struct request *request)
{
    struct store_figures figures;

    store_figures(request->http->options.store, &figures);
    const struct metric metrics[] = {
        { "habit_store_up", "gauge", "Whether the last commit succeeded.", figures.last_error == 0 },
        { "habit_store_commits_total", "counter", "Transactions committed.", (double)figures.commits },
        { "habit_store_failed_commits_total", "counter", "Transactions that failed.", (double)figures.failed_commits },
        { "habit_store_changes_total", "counter", "Changes in committed transactions.", (double)figures.changes },
        { "habit_store_written_bytes_total", "counter", "Bytes written into the database and its log by this process.",
          (double)figures.written_bytes },
        { "habit_store_size_bytes", "gauge", "Size of the database.", (double)figures.size_bytes },
        { "habit_store_free_bytes", "gauge", "Free space on its file system.", (double)figures.free_bytes },
    };
    const struct metric backup = { "habit_backup_timestamp_seconds", "gauge",
                                   "When the last backup was taken; 0: never.", (double)figures.backup_at / 1000 };

    write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
    write_metrics_of(file, &backup, 1);
    write_head(file, "habit_commit_duration_seconds", "histogram", "Of a transaction, its sync included.");
    write_histogram(file, "habit_commit_duration_seconds", "", figures.commit_duration, &histogram_milliseconds);
    write_head(file, "habit_commit_batch_size", "histogram", "Changes in a committed transaction.");
    write_histogram(file, "habit_commit_batch_size", "", figures.commit_size, &histogram_sizes);
    write_ceiling(file, &figures);
    write_outbox(file, request, &figures);
    write_head(file, "habit_knowledge_snapshot_timestamp_seconds", "gauge",
               "When the newest snapshot of a machine's knowledge was taken.");
    store_snapshot_times(request->http->options.store, write_snapshot, file);
}

/* -------------------------------------------------------------------------------------------------------------- doors */

static void write_answers(FILE *file, const struct http *http)
{
    write_head(file, "habit_http_requests_total", "counter",
               "Requests answered, by route and status; code 0: any other.");
    for (size_t i = 0; i < COUNTED_ROUTES; i++)
        for (size_t j = 0; j < STATUSES; j++)
            if (http->answers[i][j] > 0)
                fprintf(file, "habit_http_requests_total{method=\"%s\",route=\"%s\",code=\"%u\"} %" PRIu64 "\n",
                        i < NO_ROUTE ? routes[i].method : "", i < NO_ROUTE ? routes[i].path : "", statuses[j],
                        http->answers[i][j]);
}

/* What was not answered at all. */
static void write_ended(FILE *file, const struct http *http)
{
    static const char *const reasons[CROWD_REASONS] = {
        [CROWD_LATE] = "deadline", [CROWD_FULL] = "connections", [CROWD_ADDRESS] = "address"
    };

    write_head(file, "habit_http_closed_total", "counter", "Connections that were closed from our side, by reason.");
    for (enum crowd_reason i = 0; i < CROWD_REASONS; i++)
        fprintf(file, "habit_http_closed_total{reason=\"%s\"} %" PRIu64 "\n", reasons[i], crowd_ended(http->crowd, i));
}

static void write_doors(FILE *file, struct request *request)
{
    const struct http_options *options = &request->http->options;
    struct broker_state state;
    const struct metric streams = { "habit_sse_clients", "gauge", "Event streams that are open.",
                                    stream_count(request->http) };
    const struct metric synchronised = { "habit_clock_synced", "gauge", "Whether the clock is synchronised.",
                                         clock_synchronised() };

    write_answers(file, request->http);
    write_ended(file, request->http);
    write_metrics_of(file, &streams, 1);
    if (synchronised.value >= 0) /* a sandbox may forbid to ask */
        write_metrics_of(file, &synchronised, 1);
    if (!options->broker)
        return;
    options->broker(options->user, &state);
    const struct metric broker[] = {
        { "habit_mqtt_connected", "gauge", "Whether the MQTT broker is connected.", state.connected },
        { "habit_mqtt_reconnects_total", "counter", "How often it has accepted us again.", (double)state.reconnects },
    };

    write_metrics_of(file, broker, sizeof(broker) / sizeof(broker[0]));
}

/* ------------------------------------------------------------------------------------------------------------ process */

/* The 22nd value of /proc/self/stat: when it began, in ticks since the machine was started. Behind the name, which may hold
 * spaces, the third value follows. */
static double start_ticks(void)
{
    FILE *file = fopen("/proc/self/stat", "re");
    char text[1024] = "", *at;
    size_t size = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

    if (file)
        fclose(file);
    text[size] = '\0';
    at = strrchr(text, ')');
    for (int i = 3; at && i <= 22; i++)
        at = strchr(at + 1, ' ');
    return at ? strtod(at, NULL) : 0;
}

static double start_time(const struct request *request)
{
    struct timespec up;

    clock_gettime(CLOCK_BOOTTIME, &up);
    return (double)request->now.wall / 1000 - (double)up.tv_sec - (double)up.tv_nsec / 1e9 +
           start_ticks() / (double)sysconf(_SC_CLK_TCK);
}

static void memory_pages(unsigned long long *all, unsigned long long *resident)
{
    FILE *file = fopen("/proc/self/statm", "re");
    char text[128] = "", *end = text;

    if (file && fgets(text, sizeof(text), file)) {
        *all = strtoull(text, &end, 10);
        *resident = strtoull(end, NULL, 10);
    }
    if (file)
        fclose(file);
}

static double open_files(void)
{
    DIR *directory = opendir("/proc/self/fd");
    double count = -3; /* the directory's own, ".", ".." */

    if (!directory)
        return 0;
    while (readdir(directory)) /* NOLINT(concurrency-mt-unsafe): a stream of its own */
        count++;
    closedir(directory);
    return count;
}

static void write_process(FILE *file, struct request *request)
{
    unsigned long long all = 0, resident = 0;
    struct rlimit files = { 0 };
    struct timespec spent;
    double page = (double)sysconf(_SC_PAGESIZE);

    memory_pages(&all, &resident);
    getrlimit(RLIMIT_NOFILE, &files);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &spent);
    const struct metric metrics[] = {
        { "process_cpu_seconds_total", "counter", "Processor time, user and system.",
          (double)spent.tv_sec + (double)spent.tv_nsec / 1e9 },
        { "process_resident_memory_bytes", "gauge", "Memory in use.", (double)resident * page },
        { "process_virtual_memory_bytes", "gauge", "Address space in use.", (double)all * page },
        { "process_open_fds", "gauge", "Open files and sockets.", open_files() },
        { "process_max_fds", "gauge", "Most that may be open.", (double)files.rlim_cur },
        { "process_start_time_seconds", "gauge", "When it began, since 1970.", start_time(request) },
    };

    write_metrics_of(file, metrics, sizeof(metrics) / sizeof(metrics[0]));
}

static void write_metrics(FILE *file, struct request *request)
{
    write_head(file, "habit_build_info", "gauge", "Version of habitd.");
    fprintf(file, "habit_build_info{version=\"" HABIT_VERSION "\"} 1\n");
    write_machines(file, request);
    write_registry(file, request);
    write_store(file, request);
    write_doors(file, request);
    write_process(file, request);
}

int metrics_show(struct request *request)
{
    return answer_take_text(request, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8",
                            answer_text_of(request, write_metrics));
}
