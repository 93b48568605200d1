/* Server-sent events: https://html.spec.whatwg.org/multipage/server-sent-events.html. Internal to http/.
 *
 * A stream lives on its connection's own thread, which waits for news, for the client's leaving, and for the next heartbeat. */
#ifndef HABIT_HTTP_STREAM_H
#define HABIT_HTTP_STREAM_H

#include "http/request.h"

/* Wakes all streams: something was stored, or they must end. */
void stream_wake_all(struct http *http);

/* How many are open. */
unsigned int stream_count(struct http *http);

#endif
