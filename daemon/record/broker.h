/* How the MQTT door does: what it tells the others. */
#ifndef HABIT_RECORD_BROKER_H
#define HABIT_RECORD_BROKER_H

#include <stdbool.h>
#include <stdint.h>

enum { BROKER_WHY_SIZE = 160 };

struct broker_state {
    bool connected;            /* the broker has accepted us */
    bool deaf;                 /* connected, but what we subscribe to is not granted, or not as we asked */
    bool contested;            /* of late it went over to another client with our ID, or so it looks */
    uint64_t reconnects;       /* how often a broker has accepted us again */
    char why[BROKER_WHY_SIZE]; /* the last connection, or the last try, ended; "" = none has */
};

#endif
