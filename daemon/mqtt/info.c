/* The payload of the topic info: how the gateway is. */
#include <mqtt_protocol.h>
#include <stdio.h>
#include <stdlib.h>

#include "mqtt/door.h"
#include "wire/document.h"

static const char *clock_state(void)
{
    int synchronised = clock_synchronised();

    return synchronised < 0 ? "unknown" : synchronised ? "synchronised" : "unsynchronised";
}

static char *phases_text(const struct registry_figures *figures)
{
    struct wire_member members[PHASES];

    for (int phase = 0; phase < PHASES; phase++)
        members[phase] = member_integer(phase_name((enum phase)phase), figures->phases[phase]);
    return wire_object(members, PHASES);
}

static uint64_t refusals_total(const struct registry_figures *figures)
{
    uint64_t total = 0;

    for (size_t i = 0; i < REFUSAL_CODES; i++)
        total += figures->refusals[i];
    return total;
}

static char *compose(const struct mqtt *mqtt, const char *phases, const struct registry_figures *figures,
                     const struct store_figures *store)
{
    char connected[CLOCK_TEXT_SIZE], configuration[20];
    const struct wire_member members[] = {
        member_text("version", HABIT_VERSION),
        member_text("gateway", mqtt->config->gateway),
        member_integer("machines", figures->machines),
        member_json("phases", phases),
        member_integer("pending", figures->pending),
        member_integer("open_anomalies", figures->open_anomalies),
        member_integer("conflicts", figures->conflicts),
        member_integer("refusals", (int64_t)refusals_total(figures)),
        member_integer("outbox_dropped", (int64_t)store->outbox_dropped),
        member_integer("disk_free_mib", store->free_bytes / 1048576), /* in bytes it would be news each time */
        member_boolean("store_ok", store->last_error == 0),
        member_text("clock", clock_state()),
        member_text("configuration", configuration),
        member_text("connected", clock_text(mqtt->session.accepted_at, connected)),
        member_text("mqtt", mqtt->session.version == MQTT_PROTOCOL_V5 ? "5" : "3.1.1"),
    };

    snprintf(configuration, sizeof(configuration), "%016llx", (unsigned long long)mqtt->configuration);
    return wire_object(members, sizeof(members) / sizeof(members[0]));
}

/* FNV-1a over the file's own form; 0 where memory ran out. */
uint64_t info_configuration(const struct config *config)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    char *print = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&print, &size);

    if (!file)
        return 0;
    config_print(config, file, false);
    if (fclose(file) != 0)
        size = 0;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)print[i]) * UINT64_C(0x100000001b3);
    free(print);
    return hash;
}

char *info_text(const struct mqtt *mqtt)
{
    struct registry_figures figures;
    struct store_figures store;
    char *phases, *info;

    registry_figures(mqtt->registry, &figures);
    store_figures(mqtt->store, &store);
    phases = phases_text(&figures);
    info = phases ? compose(mqtt, phases, &figures, &store) : NULL;
    free(phases);
    return info;
}
