#include "gateway.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "file.h"
#include "fuzz.h"
#include "wire/document.h"

/* The doors ask for the time: it stands still, so that nothing but an input changes anything. The linker puts this in place of
 * clock_now. */
struct moment __wrap_clock_now(void);
struct moment __wrap_clock_now(void)
{
    return fuzz_now;
}

const struct moment fuzz_now = { .wall = INT64_C(1795353571000), .mono = 1000000 };

static const char settings[] = "[gateway]\nid = g\n"
                               "[mqtt]\ncommands = yes\ndiscovery = birth\n"
                               "[machine \"auto-*\"]\ncreate = yes\nbuffer_size = 4\naxes = 2\nstart = auto\n"
                               "[machine \"stream-*\"]\ncreate = yes\nbuffer_size = 8\naxes = 1\nstart = auto\n"
                               "learn = 1000000\n"
                               "[input \"big\"]\ntopic = big/+/{machine}/raw\nformat = i16be\nscale = 0.001\n"
                               "[input \"json\"]\ntopic = json/{machine}\nformat = json\npath = accel.samples\n"
                               "[input \"planar\"]\ntopic = planar/{machine}\nlayout = planar\naction = detect\n"
                               "[input \"map\"]\ntopic = map/{machine}\nformat = i16\nchannels = 4\n"
                               "map = auto-{machine}: 0 2, fan-1: 3\n"
                               "[input \"stream\"]\ntopic = stream/{machine}\nstream = yes\n"
                               "[input \"hop\"]\ntopic = hop/{machine}\nstream = yes\nhop = 3\n"
                               "[input \"far\"]\ntopic = far/{machine}\nstream = yes\nhop = 11\n";

static struct fuzz_gateway *standing;
static char *first, *known; /* state at the beginning, and as it was seen last; NULL = as at the beginning */
static char path[64];
static struct {
    void *bytes;
    size_t size;
} original; /* of the database */

/* ---------------------------------------------------------------------------------------------------- start and stop */

static void remove_files(void)
{
    char name[80];

    for (int i = 0; i < 3; i++) {
        snprintf(name, sizeof(name), "%s%s", path, (const char *const[]){ "", "-wal", "-shm" }[i]);
        unlink(name);
    }
}

static void start(struct fuzz_gateway *gateway)
{
    char message[STORE_MESSAGE_SIZE] = "";

    CLAIM(store_open(&gateway->store, path, message) == 0);
    CLAIM(registry_new(&gateway->registry, &gateway->config, gateway->store) == 0);
}

static void stop(struct fuzz_gateway *gateway)
{
    gateway->registry = registry_free(gateway->registry);
    gateway->store = store_close(gateway->store);
}

/* -------------------------------------------------------------------------------------------------------- its machines */

static void put(struct fuzz_gateway *gateway, const char *id, const char *json)
{
    struct refusal refusal;
    bool created;

    CLAIM(registry_put(gateway->registry, id, json, strlen(json), "", &created, &refusal) == 0);
    CLAIM(registry_commission(gateway->registry, id, fuzz_now, &refusal) == 0);
}

static void learn(struct fuzz_gateway *gateway, const char *id, size_t values, int buffers)
{
    int16_t samples[16];
    struct verdict verdict;
    struct refusal refusal;
    struct arrival arrival = {
        .id = id, .intent = INTENT_LEARN, .bytes = samples, .format = FORMAT_I16, .now = fuzz_now
    };
    uint32_t dice = 1;
    size_t count;

    arrival.size = values * sizeof(*samples);
    for (; buffers > 0; buffers--) {
        for (size_t i = 0; i < values; i++) {
            dice = dice * 1664525u + 1013904223u;
            samples[i] = (int16_t)(dice >> 20);
        }
        CLAIM(registry_submit(gateway->registry, &arrival, &verdict, 1, &count, NULL, &refusal) == 0);
    }
}

static void furnish(struct fuzz_gateway *gateway)
{
    struct refusal refusal;

    put(gateway, "pump-1", "{\"buffer_size\":8,\"axes\":2,\"format\":\"i16\",\"scale\":0.001,\"learn\":12}");
    put(gateway, "fan-1", "{\"buffer_size\":4,\"axes\":1}");
    learn(gateway, "pump-1", 16, 12);
    learn(gateway, "fan-1", 4, 3);
    CLAIM(registry_take_snapshot(gateway->registry, "pump-1", "first", fuzz_now, &refusal) == 0);
    CLAIM(registry_flush(gateway->registry, fuzz_now) == 0);
}

/* ------------------------------------------------------------------------------------------------------------ its state */

static void put_machine(struct fuzz_gateway *gateway, const struct machine_view *view, FILE *file)
{
    struct snapshot snapshots[SNAPSHOTS_MOST];
    struct refusal refusal;
    char *text = wire_machine(view, true);
    int count = registry_snapshots(gateway->registry, view->id, snapshots, &refusal);

    CLAIM(text != NULL && count >= 0);
    fprintf(file, "%s %08x %d\n", text, view->knowledge_crc, count);
    free(text);
}

static char *state_of(struct fuzz_gateway *gateway)
{
    enum { MOST = 64 };
    static struct machine_view views[MOST];
    char *text = NULL;
    size_t size;
    FILE *file = open_memstream(&text, &size);
    int count = registry_list(gateway->registry, "", views, MOST, fuzz_now);

    CLAIM(file != NULL && count >= 0);
    for (int i = 0; i < count; i++)
        put_machine(gateway, &views[i], file);
    CLAIM(fclose(file) == 0);
    return text;
}

/* ------------------------------------------------------------------------------------------------------ the same again */

static void keep_original(void)
{
    FILE *file = fopen(path, "rb");
    long size;

    CLAIM(file != NULL && fseek(file, 0, SEEK_END) == 0);
    size = ftell(file);
    CLAIM(size > 0);
    rewind(file);
    original.size = (size_t)size;
    original.bytes = malloc(original.size);
    CLAIM(original.bytes != NULL && fread(original.bytes, 1, original.size, file) == original.size);
    CLAIM(fclose(file) == 0);
}

static void put_original(void)
{
    FILE *file = fopen(path, "wb");

    CLAIM(file != NULL && fwrite(original.bytes, 1, original.size, file) == original.size);
    CLAIM(fclose(file) == 0);
}

static void make_original(struct fuzz_gateway *gateway)
{
    char message[CONFIG_MESSAGE_SIZE] = "";
    const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";

    log_set_level(LOG_ERROR);
    snprintf(path, sizeof(path), "%s/habit-fuzz-%ld.db", folder, (long)getpid());
    if (config_read(&gateway->config, fuzz_file(0, settings, strlen(settings)), message) != 0)
        fuzz_fail(message, __FILE__, __LINE__);
    atexit(remove_files);
    start(gateway);
    furnish(gateway);
    stop(gateway);
    keep_original();
}

struct fuzz_gateway *fuzz_gateway(void)
{
    static struct fuzz_gateway gateway;

    if (standing)
        return standing;
    if (!original.bytes)
        make_original(&gateway);
    remove_files();
    put_original();
    start(&gateway);
    standing = &gateway;
    if (!first)
        first = state_of(standing);
    return standing;
}

void fuzz_gateway_changed(void)
{
    if (standing)
        stop(standing);
    standing = NULL;
    free(known);
    known = NULL;
}

void fuzz_gateway_restart(void)
{
    stop(standing);
    start(standing);
}

bool fuzz_gateway_moved(struct fuzz_gateway *gateway)
{
    char *now = state_of(gateway);
    const bool moved = strcmp(now, known ? known : first) != 0;

    free(known);
    known = now;
    return moved;
}
