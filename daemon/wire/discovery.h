/* What Home Assistant is told of us: https://www.home-assistant.io/integrations/mqtt/#device-discovery-payload. Heap text; NULL
 * when memory ran out. tests/system/home_assistant.py checks it. */
#ifndef HABIT_WIRE_DISCOVERY_H
#define HABIT_WIRE_DISCOVERY_H

#include "record/machine.h"

struct wire_discovery {
    const char *gateway;
    const char *root; /* of topics, without a slash at its end */
    bool commands;    /* whether they are taken: else there is nothing to press */
};

/* One machine is one device. */
char *wire_discovery_machine(const struct wire_discovery *discovery, const struct machine_view *view);

/* And so is the gateway, by which the machines come. */
char *wire_discovery_gateway(const struct wire_discovery *discovery);

#endif
