/* Whether somebody listens, without a word to him. */
#ifndef HABIT_MQTT_PROBE_H
#define HABIT_MQTT_PROBE_H

#include <stdbool.h>
#include <stdint.h>

/* Opens a TCP connection to one of the host's addresses and closes it. Takes at most `timeout` ms an address, and what the name takes. */
bool probe_listens(const char *host, uint32_t port, int timeout);

#endif
