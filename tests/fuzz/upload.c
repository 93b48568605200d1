/* Knowledge blocks at the daemon's door: a block that is refused changes nothing; one that is taken comes back byte for byte, from
 * memory, from the disk, as a snapshot and from another machine, and the machine works with it. The first byte says for which
 * machine it is, and what is wrong with it beside its words. */
#include <stdlib.h>
#include <string.h>

#include "block.h"
#include "fuzz.h"
#include "gateway.h"
#include "habit/engine.h"
#include "refusals.h"

struct upload {
    const char *id;
    const uint8_t *bytes;
    size_t size;
    struct habit_info info;
};

static void check_stored(const struct upload *upload, const char *id)
{
    struct refusal refusal;
    void *bytes;
    size_t size;
    uint32_t crc;

    CLAIM(registry_get_knowledge(fuzz_gateway()->registry, id, &bytes, &size, &crc, &refusal) == 0);
    CLAIM(size == upload->size && crc == upload->info.crc && memcmp(bytes, upload->bytes, size) == 0);
    free(bytes);
}

static void check_settings(const struct upload *upload)
{
    const struct habit_config *config = &upload->info.config;
    struct machine_view view;
    struct refusal refusal;
    char etag[ETAG_SIZE];

    CLAIM(registry_show(fuzz_gateway()->registry, upload->id, &view, etag, fuzz_now, &refusal) == 0);
    CLAIM(view.settings.buffer_size == config->buffer_size && view.settings.axes == config->axes);
    CLAIM(view.settings.sensitivity == upload->info.sensitivity && !view.conflict);
    CLAIM(settings_check(&view.settings, &refusal) == 0);
}

/* Another machine of its own. */
static void check_copy(const struct upload *upload)
{
    struct registry *registry = fuzz_gateway()->registry;
    struct refusal refusal;
    bool created = false;

    CLAIM(registry_put_knowledge(registry, "copy-1", upload->bytes, upload->size, "", fuzz_now, &created, &refusal) ==
          0);
    CLAIM(created);
    check_stored(upload, "copy-1");
}

static void check_snapshot(const struct upload *upload)
{
    struct registry *registry = fuzz_gateway()->registry;
    struct snapshot snapshots[SNAPSHOTS_MOST];
    struct refusal refusal;
    int r = registry_add_snapshot(registry, upload->id, upload->bytes, upload->size, "fuzz", fuzz_now, &refusal);

    CLAIM(r == 0 && registry_snapshots(registry, upload->id, snapshots, &refusal) >= 1);
    CLAIM(registry_restore(registry, upload->id, snapshots[0].id, fuzz_now, &refusal) == 0);
    check_stored(upload, upload->id);
}

/* Buffers for it, judged and learned; scores are numbers. */
static void use(const struct upload *upload)
{
    const size_t values = (size_t)upload->info.config.buffer_size * upload->info.config.axes;
    float *samples = malloc(values * sizeof(*samples));
    struct arrival arrival = { .id = upload->id, .bytes = samples, .size = values * sizeof(*samples), .now = fuzz_now };
    struct refusal refusal;
    struct verdict verdict;
    size_t count;

    CLAIM(samples != NULL);
    for (size_t i = 0; i < values; i++)
        samples[i] = (float)((i * 37 + i / 3) % 101) - 50.0f;
    for (int i = 0; i < 3; i++) {
        arrival.intent = i == 1 ? INTENT_LEARN : INTENT_DETECT;
        fuzz_check_answer(registry_submit(fuzz_gateway()->registry, &arrival, &verdict, 1, &count, NULL, &refusal),
                          &refusal);
    }
    free(samples);
}

static void check_taken(const struct upload *upload)
{
    check_stored(upload, upload->id);
    check_settings(upload);
    check_copy(upload);
    check_snapshot(upload);
    fuzz_gateway_restart();
    check_stored(upload, upload->id);
    use(upload);
}

static void put(struct upload *upload)
{
    struct fuzz_gateway *gateway = fuzz_gateway();
    const int status = habit_check(upload->bytes, upload->size, &upload->info);
    struct refusal refusal;
    bool created = false;
    int r = registry_put_knowledge(gateway->registry, upload->id, upload->bytes, upload->size, "", fuzz_now, &created,
                                   &refusal);

    fuzz_check_answer(r, &refusal);
    CLAIM(r != 0 || status == HABIT_OK);
    CLAIM(!fuzz_gateway_moved(gateway) || r == 0);
    if (r != 0)
        return;
    check_taken(upload);
    fuzz_gateway_changed();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const ids[] = { "new-1", "new-1", "new-1", "pump-1", "fan-1", "auto-1" };
    struct fuzz_input input = { data, size };
    const uint8_t how = fuzz_byte(&input);
    struct upload upload = { .id = ids[how % 6] };
    const uint8_t *block;
    uint8_t *bytes;

    upload.size = fuzz_block(&input, &block);
    if (how / 6 % 8 == 1) /* cut */
        upload.size -= upload.size / 3;
    bytes = malloc(upload.size + 1);
    CLAIM(bytes != NULL);
    memcpy(bytes + 1, block, upload.size); /* at an address that no word can have */
    if (how / 6 % 8 == 2 && upload.size > 0)
        bytes[1 + upload.size / 2] ^= 1; /* damaged */
    upload.bytes = bytes + 1;
    put(&upload);
    free(bytes);
    return 0;
}
