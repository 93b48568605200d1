#include "replay_world.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "message.h"
#include "options.h"
#include "registry/registry.h"
#include "report/days.h"
#include "wire/document.h"

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "buffers go to the registry as they are in memory");

enum { ANOMALIES = 1000, DAYS = 400 };

struct world {
    char folder[80], path[100];
    struct config config;
    struct store *store;
    struct registry *registry;
    char machine[MACHINE_ID_SIZE];
    float sensitivity;  /* as the settings say; 0 = they do not */
    int64_t began, now; /* wall ms */
    uint64_t verdicts[VERDICTS], refused;
};

/* Steady as the recording's own time: no clock is set while it runs. */
static struct moment moment_of(const struct world *world)
{
    return (struct moment){ .wall = world->now, .mono = world->now - world->began };
}

static int refuse_as(const char *what, int r, struct refusal *refusal)
{
    if (r < 0)
        refuse_fault(refusal, r);
    complain("%s: %s%s%s", what, refusal->detail, refusal->field[0] != '\0' ? ", field " : "", refusal->field);
    return r < 0 ? EXIT_FAILED : EXIT_DATA;
}

/* ------------------------------------------------------------------------------------------------------ open and close */

/* In memory where that is possible: its commits are of no use to anybody. */
static int make_folder(struct world *world)
{
    static const char *const places[] = { "/dev/shm", "/tmp" };

    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        snprintf(world->folder, sizeof(world->folder), "%s/habit-replay-XXXXXX", places[i]);
        if (mkdtemp(world->folder)) {
            snprintf(world->path, sizeof(world->path), "%s/habit.db", world->folder);
            return 0;
        }
    }
    world->folder[0] = '\0';
    return complain_errno("make a folder in", places[1]);
}

static int open_rooms(struct world *world)
{
    char message[STORE_MESSAGE_SIZE] = "";
    int r;

    log_set_level(LOG_ERROR); /* what the daemon would have logged is in the result */
    config_default(&world->config);
    r = store_open(&world->store, world->path, message);
    if (r == 0)
        r = registry_new(&world->registry, &world->config, world->store);
    if (r == 0)
        return 0;
    complain("cannot begin: %s", message[0] != '\0' ? message : "no memory");
    return EXIT_FAILED;
}

static int make_machine(struct world *world, const json_t *settings)
{
    char *text = json_dumps(settings, JSON_COMPACT);
    struct refusal refusal;
    bool created;
    int r = text ? registry_put(world->registry, world->machine, text, strlen(text), "", &created, &refusal) : -ENOMEM;

    free(text);
    return r == 0 ? 0 : refuse_as("settings", r, &refusal);
}

int world_open(struct world **ret_world, const char *machine, const json_t *settings, int64_t at)
{
    struct world *world = calloc(1, sizeof(*world));
    int r;

    if (!world)
        return complain_errno("hold", "a registry");
    world->began = world->now = at;
    world->sensitivity = (float)json_number_value(json_object_get(settings, "sensitivity"));
    snprintf(world->machine, sizeof(world->machine), "%s", machine);
    r = make_folder(world);
    if (r == 0)
        r = open_rooms(world);
    if (r == 0)
        r = make_machine(world, settings);
    if (r == 0)
        *ret_world = world;
    else
        world_close(world);
    return r;
}

static void remove_files(const struct world *world)
{
    static const char *const endings[] = { "", "-wal", "-shm", "-lock", ".lock" };
    char path[120];

    for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", world->path, endings[i]);
        unlink(path);
    }
    rmdir(world->folder);
}

struct world *world_close(struct world *world)
{
    if (!world)
        return NULL;
    registry_free(world->registry);
    store_close(world->store);
    if (world->folder[0] != '\0')
        remove_files(world);
    config_free(&world->config);
    free(world);
    return NULL;
}

/* ------------------------------------------------------------------------------------------------------------ buffers */

int world_put_knowledge(struct world *world, const void *bytes, size_t size)
{
    struct refusal refusal;
    bool created;
    int r =
        registry_put_knowledge(world->registry, world->machine, bytes, size, "", moment_of(world), &created, &refusal);

    if (r == 0 && world->sensitivity > 0) /* a block brings its own along */
        r = registry_set_sensitivity(world->registry, world->machine, world->sensitivity, "", &refusal);
    return r == 0 ? 0 : refuse_as("knowledge", r, &refusal);
}

int world_end_learning(struct world *world)
{
    struct refusal refusal;
    void *bytes = NULL;
    size_t size = 0;
    uint32_t crc;
    int r = registry_get_knowledge(world->registry, world->machine, &bytes, &size, &crc, &refusal);

    if (r != 0)
        return refuse_as("knowledge", r, &refusal);
    r = world_put_knowledge(world, bytes, size);
    free(bytes);
    memset(world->verdicts, 0, sizeof(world->verdicts));
    world->refused = 0;
    return r;
}

/* Its number and source do not count: what was measured is replayed, however often it was sent. */
static void take_context(struct wire_meta *meta, const struct wire_meta *beside)
{
    memcpy(meta->context, beside->context, sizeof(meta->context));
    meta->context_count = beside->context_count;
}

int world_submit(struct world *world, const float *samples, size_t values, int64_t at, const struct wire_meta *beside,
                 bool learn)
{
    struct wire_meta meta = { .has_time = at < world->now, .time = at }; /* one that is late */
    struct arrival arrival = { .id = world->machine,
                               .intent = learn ? INTENT_LEARN : INTENT_BUFFER,
                               .encoding = ENCODING_RAW,
                               .format = FORMAT_F32,
                               .bytes = samples,
                               .size = values * sizeof(*samples),
                               .meta = &meta };
    struct verdict verdict;
    struct refusal refusal;
    size_t count;
    int r;

    if (beside)
        take_context(&meta, beside);
    world->now = at > world->now ? at : world->now;
    arrival.now = moment_of(world);
    r = registry_submit(world->registry, &arrival, &verdict, 1, &count, NULL, &refusal);
    if (r < 0 || r == REFUSAL_STORE || r == REFUSAL_BROKEN || r == REFUSAL_LENGTH)
        return refuse_as("replay", r, &refusal);
    if (r > 0)
        world->refused++;
    else
        world->verdicts[verdict.status]++;
    return 0;
}

/* ------------------------------------------------------------------------------------------------------------- result */

/* Takes the text. */
static json_t *parsed(char *text)
{
    json_t *value = text ? json_loads(text, 0, NULL) : NULL;

    free(text);
    return value;
}

static int add_anomalies(struct world *world, json_t *result)
{
    struct anomaly_query query = { .machine = world->machine, .limit = ANOMALIES };
    struct anomaly *anomalies = calloc(ANOMALIES, sizeof(*anomalies));
    json_t *list = json_array();
    int count = anomalies ? store_anomalies(world->store, &query, anomalies) : -ENOMEM;

    for (int i = count - 1; i >= 0; i--) /* oldest first */
        json_array_append_new(list, parsed(wire_anomaly(&anomalies[i])));
    for (int i = 0; i < count; i++)
        free(anomalies[i].explanation);
    free(anomalies);
    json_object_set_new(result, "anomalies", list);
    return count < 0 ? count : 0;
}

static int add_report(struct world *world, const struct civil_day *day, json_t *list, struct refusal *refusal)
{
    struct report_query query = { .machine = world->machine, .day = *day, .limit = 1 };
    struct daily_report report;
    int count = registry_reports(world->registry, &query, world->now, &report, refusal);

    if (count <= 0)
        return count;
    json_array_append_new(list, parsed(wire_report(&report)));
    registry_reports_clear(&report, 1);
    return 0;
}

static int add_reports(struct world *world, int64_t from, json_t *result, struct refusal *refusal)
{
    json_t *list = json_array();
    struct civil_day day;
    int r = 0;

    civil_day_of_time(from, &day);
    for (int i = 0; r == 0 && i < DAYS && day.from <= world->now; i++) {
        r = add_report(world, &day, list, refusal);
        civil_day_of_time(day.to, &day);
    }
    json_object_set_new(result, "reports", list);
    return r;
}

static int add_machine(struct world *world, json_t *result, struct refusal *refusal)
{
    struct machine_view *view = calloc(1, sizeof(*view));
    char etag[ETAG_SIZE];
    int r = view ? registry_show(world->registry, world->machine, view, etag, moment_of(world), refusal) : -ENOMEM;

    if (r == 0) {
        json_object_set_new(result, "phase", json_string(phase_name((enum phase)view->state.phase)));
        json_object_set_new(result, "promise", json_string(view->promise));
        json_object_set_new(result, "learned", json_integer(view->learning.learned));
    }
    free(view);
    return r;
}

static void add_verdicts(const struct world *world, json_t *result)
{
    json_t *buffers = json_object();

    for (int i = 0; i < VERDICTS; i++)
        json_object_set_new(buffers, verdict_name((enum verdict_status)i),
                            json_integer((json_int_t)world->verdicts[i]));
    json_object_set_new(buffers, "refused", json_integer((json_int_t)world->refused));
    json_object_set_new(result, "buffers", buffers);
}

int world_result(struct world *world, int64_t from, json_t **ret_result)
{
    struct refusal refusal;
    json_t *result = json_object();
    int r = registry_flush(world->registry, moment_of(world));

    add_verdicts(world, result);
    if (r == 0)
        r = add_machine(world, result, &refusal);
    if (r == 0)
        r = add_anomalies(world, result);
    if (r == 0)
        r = add_reports(world, from, result, &refusal);
    if (r == 0) {
        *ret_result = result;
        return 0;
    }
    json_decref(result);
    return refuse_as("replay", r, &refusal);
}
