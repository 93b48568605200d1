/* habit watch: what happens, as it happens. The stream of events is read; where it breaks off it is taken up again behind the last event
 * that was seen, for as long as it takes. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"
#include "client.h"
#include "commands.h"
#include "event_reader.h"
#include "message.h"

struct watch_settings {
    const char *url, *types;
    bool json;
    uint64_t count, after;
    struct words machine;
};

static const struct option_row rows[] = {
    { OPTION_OPERANDS, false, "", offsetof(struct watch_settings, machine), "MACHINE", 0, 1, "its ID; default: all" },
    { OPTION_TEXT, false, "types", offsetof(struct watch_settings, types), "LIST", 0, 0,
      "of anomaly, event, report and state, by commas; default: all of one machine, of all machines no states" },
    { OPTION_UNSIGNED, false, "after", offsetof(struct watch_settings, after), "N", 0, 9e15,
      "begin behind this event, as far as they are kept; default: with what happens now" },
    { OPTION_UNSIGNED, false, "count", offsetof(struct watch_settings, count), "N", 1, 9e15, "end after so many" },
    { OPTION_FLAG, false, "json", offsetof(struct watch_settings, json), "", 0, 0, "print a JSON object a line" },
    { OPTION_TEXT, false, "url", offsetof(struct watch_settings, url), "URL", 0, 0,
      "of habitd; default $HABIT_URL, else " CLIENT_URL },
    { .type = OPTION_END },
};

enum { SILENCE = 35 }; /* seconds: three heartbeats */

#define NOT_GIVEN UINT64_MAX

struct watch {
    const struct watch_settings *settings;
    struct event_reader reader;
    uint64_t seen;
    bool connected; /* it was, once */
    bool lost;      /* the connection */
};

/* ------------------------------------------------------------------------------------------------------------- lines */

static const char *string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

static double number(const json_t *object, const char *name)
{
    return json_number_value(json_object_get(object, name));
}

/* Texts of the daemon may come from outside: no control characters on a terminal. */
static void print_plain(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

/* "axis 1, band 400..425 Hz, +8.2 sigma": the first reason. */
static void print_reason(const json_t *data)
{
    static const struct {
        const char *from, *to, *unit;
    } ranges[] = { { "from_hz", "to_hz", "Hz" },
                   { "from_bin", "to_bin", "(bins)" },
                   { "from_sample", "to_sample", "(samples)" } };
    const json_t *first = json_array_get(json_object_get(data, "explanation"), 0);

    if (!first)
        return;
    printf(": axis %.0f, %s", number(first, "axis"), string(first, "kind"));
    for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
        if (json_object_get(first, ranges[i].from))
            printf(" %.4g..%.4g %s", number(first, ranges[i].from), number(first, ranges[i].to), ranges[i].unit);
    printf(", %+.1f sigma", number(first, "sigmas"));
}

static void print_anomaly(const json_t *data)
{
    printf("anomaly %.0f %s, similarity %.0f, distance %.3g", number(data, "id"), string(data, "event"),
           number(data, "similarity"), number(data, "distance"));
    print_reason(data);
}

static void print_trouble(const json_t *data)
{
    printf("%s %s: ", string(data, "event"), string(data, "state"));
    print_plain(string(data, "meaning"));
}

static void print_report(const json_t *data)
{
    printf("report of %s: %.0f learned, %.0f detected, %.0f anomalies", string(data, "date"), number(data, "learned"),
           number(data, "detected"), number(data, "anomalies"));
}

static void print_state(const json_t *data)
{
    const json_t *similarity = json_object_get(data, "similarity"), *average = json_object_get(data, "average");

    printf("%s%s", string(data, "phase"), json_is_false(json_object_get(data, "online")) ? ", silent" : "");
    if (json_is_number(similarity))
        printf(", similarity %.0f", json_number_value(similarity));
    if (json_is_number(average))
        printf(", average %.0f", json_number_value(average));
    if (string(data, "progress")[0] != '\0') {
        printf(", ");
        print_plain(string(data, "progress"));
    }
    if (json_is_number(json_object_get(data, "anomaly")))
        printf(", anomaly %.0f", number(data, "anomaly"));
}

static void print_gap(const json_t *data)
{
    printf("events between %.0f and %.0f are not kept any more", number(data, "after"), number(data, "oldest"));
}

static const struct {
    const char *type;
    void (*print)(const json_t *data);
} kinds[] = {
    { "anomaly", print_anomaly }, { "event", print_trouble }, { "report", print_report },
    { "state", print_state },     { "gap", print_gap },
};

static void print_now(void)
{
    char text[24];
    time_t now = time(NULL);
    struct tm local;

    localtime_r(&now, &local);
    strftime(text, sizeof(text), "%H:%M:%S", &local);
    printf("%s ", text);
}

static void print_line(const char *type, const json_t *data)
{
    size_t kind = 0;

    while (kind < sizeof(kinds) / sizeof(kinds[0]) && strcmp(kinds[kind].type, type) != 0)
        kind++;
    if (kind == sizeof(kinds) / sizeof(kinds[0]))
        return;
    print_now();
    printf("%-16s ", string(data, "machine"));
    kinds[kind].print(data);
    printf("\n");
}

static void print_json(const struct watch *watch, const char *type, json_t *data)
{
    json_t *row = json_pack("{s:s, s:I, s:O}", "event", type, "id", (json_int_t)watch->reader.id, "data", data);

    json_dumpf(row, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
    printf("\n");
    json_decref(row);
}

/* What is no JSON is not of habitd. */
static bool show(void *user, const char *type, const char *text)
{
    struct watch *watch = user;
    json_t *data = json_loads(text, 0, NULL);

    if (!data)
        return true;
    if (watch->settings->json)
        print_json(watch, type, data);
    else
        print_line(type, data);
    json_decref(data);
    watch->seen++;
    return fflush(stdout) == 0 && (watch->settings->count == 0 || watch->seen < watch->settings->count);
}

/* ---------------------------------------------------------------------------------------------------------- reading */

static bool take(void *user, const char *bytes, size_t size)
{
    struct watch *watch = user;

    if (watch->lost)
        complain("connected again");
    watch->lost = false;
    watch->connected = true;
    return event_reader_take(&watch->reader, bytes, size);
}

static bool is_done(const struct watch *watch)
{
    return watch->settings->count > 0 && watch->seen >= watch->settings->count;
}

/* Says once that the connection is lost; pauses grow from one second to half a minute. */
static void wait_again(struct watch *watch, struct client *client, unsigned int *pause)
{
    enum { LONGEST_PAUSE = 30 };

    if (!watch->lost)
        complain("habitd is away (%s): trying again until it answers", client_reason(client));
    watch->lost = true;
    sleep(*pause);
    *pause = 2 * *pause < LONGEST_PAUSE ? 2 * *pause : LONGEST_PAUSE;
}

/* A stream that ends was ended by the daemon: it stops, or the token is not valid any more, which the next answer tells. */
static int follow(struct watch *watch, struct client *client, const char *path)
{
    unsigned int pause = 1;

    for (;;) {
        const struct incoming incoming = { .path = path,
                                           .events = true,
                                           .after = watch->reader.id,
                                           .quiet = watch->connected,
                                           .silence = SILENCE,
                                           .take = take,
                                           .user = watch };
        const uint64_t seen = watch->seen;
        int r = client_receive(client, &incoming);

        if (is_done(watch))
            return 0;
        if (ferror(stdout)) /* main says so */
            return EXIT_FAILED;
        if (r == EXIT_FAILED && !(watch->connected && !incoming.quiet))
            return r;
        pause = watch->seen > seen ? 1 : pause;
        event_reader_reset(&watch->reader);
        wait_again(watch, client, &pause);
    }
}

/* A large fleet has hundreds of states a second. */
static void make_path(const struct watch_settings *settings, struct client *client, char *path, size_t size)
{
    const char *wanted = settings->types               ? settings->types
                         : settings->machine.count > 0 ? NULL
                                                       : "anomaly,event,report";
    char *types = wanted ? client_escape(client, wanted) : NULL;

    snprintf(path, size, "/v1/events?%s%s%s%s", types ? "types=" : "", types ? types : "",
             settings->machine.count > 0 ? "&machine=" : "",
             settings->machine.count > 0 ? settings->machine.word[0] : "");
    free(types);
}

static int check(const struct command *command, const struct watch_settings *settings)
{
    const char *id = settings->machine.count > 0 ? settings->machine.word[0] : "any";

    if (!machine_id_valid(id, strlen(id)))
        return options_refuse(command, "'%s' is not a machine ID: " MACHINE_ID_RULE, id);
    if (settings->types && strlen(settings->types) > 100)
        return options_refuse(command, "--types is a list of anomaly, event, report and state");
    return 0;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct watch_settings settings = { .after = NOT_GIVEN };
    struct watch watch = { .settings = &settings, .reader = { .event = show, .user = &watch } };
    struct client *client = NULL;
    char path[512];
    int code;

    if (!options_read(command, &settings, argc, argv, &code))
        return code;
    code = check(command, &settings);
    if (code == 0)
        code = client_open(&client, settings.url);
    if (code != 0)
        return code;
    event_reader_init(&watch.reader);
    if (settings.after != NOT_GIVEN)
        watch.reader.id = (int64_t)settings.after;
    make_path(&settings, client, path, sizeof(path));
    code = follow(&watch, client, path);
    event_reader_deinit(&watch.reader);
    client_close(client);
    return code;
}

const struct command watch_command = {
    .name = "watch",
    .synopsis = "[MACHINE] [--types LIST] [--after N] [--count N] [--json] [--url URL]",
    .summary = "shows what happens, as it happens: anomalies, troubles, reports, states",
    .details = "Ends with Ctrl-C. Where the connection breaks off it comes back behind the last event that was seen: "
               "no anomaly is\n"
               "missed that habitd still keeps.",
    .options = rows,
    .run = run,
};
