/* Announcements to Home Assistant: each machine is a device, and so is the gateway. They are repeated when Home Assistant says
 * that it has begun, a random while later, for others do the same: nothing of it needs to be retained. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "mqtt/door.h"
#include "mqtt/topic.h"
#include "wire/discovery.h"

enum { BIRTH_DELAY_MS = 5000 };

static bool wanted(const struct mqtt *mqtt)
{
    return mqtt->config->mqtt_discovery != DISCOVERY_OFF;
}

/* NULL payload: out of memory; the device stays as it was announced. */
static void announce(struct mqtt *mqtt, const char *machine, const char *payload)
{
    char topic[TOPIC_SIZE];

    if (payload)
        outlet_publish_latest(mqtt, topic_of_discovery(mqtt->config, machine, topic), payload,
                              mqtt->config->mqtt_discovery == DISCOVERY_RETAIN);
}

static struct wire_discovery about(const struct mqtt *mqtt, char root[TOPIC_SIZE])
{
    topic_below_root(mqtt->config, "", root);
    root[strlen(root) - 1] = '\0'; /* the slash */
    return (struct wire_discovery){ .gateway = mqtt->config->gateway,
                                    .root = root,
                                    .commands = mqtt->config->mqtt_commands };
}

void discovery_announce_gateway(struct mqtt *mqtt)
{
    char root[TOPIC_SIZE];
    const struct wire_discovery discovery = about(mqtt, root);
    char *payload = wanted(mqtt) ? wire_discovery_gateway(&discovery) : NULL;

    announce(mqtt, NULL, payload);
    free(payload);
}

void discovery_announce(struct mqtt *mqtt, const struct machine_view *view)
{
    char root[TOPIC_SIZE];
    const struct wire_discovery discovery = about(mqtt, root);
    char *payload = wanted(mqtt) ? wire_discovery_machine(&discovery, view) : NULL;

    announce(mqtt, view->id, payload);
    free(payload);
}

void discovery_take_back(struct mqtt *mqtt, const char *machine)
{
    if (wanted(mqtt))
        announce(mqtt, machine, "");
}

int64_t discovery_birth(const struct mosquitto_message *message, struct moment now)
{
    unsigned int chance = 0;

    if (message->payloadlen != (int)strlen("online") || memcmp(message->payload, "online", strlen("online")) != 0)
        return 0;
    if (getrandom(&chance, sizeof(chance), GRND_NONBLOCK) != sizeof(chance))
        chance = 0;
    return now.mono + (int64_t)(chance % BIRTH_DELAY_MS) + 1;
}
