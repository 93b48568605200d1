#include "journal.h"

#include <inttypes.h>
#include <string.h>

#include "base/log.h"
#include "wire/document.h"

enum { PORTION = 64, LOOK_MS = 5000 };

/* -------------------------------------------------------------------------------------------------------- of machines */

static const struct {
    const char *event;
    enum log_message message;
    enum log_level level;
} anomaly_events[] = {
    { "raised", MESSAGE_RAISED, LOG_WARNING },
    { "worsened", MESSAGE_WORSENED, LOG_WARNING },
    { "cleared", MESSAGE_CLEARED, LOG_NOTICE },
    { "accepted", MESSAGE_CLEARED, LOG_NOTICE },
};

static void log_anomaly(const struct wire_said *said)
{
    for (size_t i = 0; i < sizeof(anomaly_events) / sizeof(anomaly_events[0]); i++) {
        const struct log_fields fields = {
            .message = anomaly_events[i].message, .machine = said->machine, .reason = said->event, .anomaly = said->id
        };

        if (strcmp(anomaly_events[i].event, said->event) == 0)
            log_with(anomaly_events[i].level, &fields,
                     "machine %s: anomaly %" PRId64 " %s, similarity %d, distance %.3g%s%s", said->machine, said->id,
                     said->event, said->similarity, said->distance, said->reason[0] != '\0' ? ": " : "", said->reason);
    }
}

static void log_trouble(const struct wire_said *said)
{
    const struct log_fields fields = { .message = MESSAGE_TROUBLE, .machine = said->machine, .reason = said->event };

    log_with(LOG_NOTICE, &fields, "machine %s: %s %s: %s", said->machine, said->event, said->state, said->meaning);
}

static void log_event(const struct outbox_message *message)
{
    static const struct {
        const char *topic;
        void (*log)(const struct wire_said *said);
    } kinds[] = { { "/anomaly", log_anomaly }, { "/event", log_trouble } };
    const char *below = strchr(message->topic, '/');
    struct wire_said said;

    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
        if (below && !message->whole && strcmp(below, kinds[i].topic) == 0 && wire_read_said(message->payload, &said))
            kinds[i].log(&said);
}

static void follow_events(struct journal *journal)
{
    struct outbox_message messages[PORTION];
    int count;

    do {
        count = store_events(journal->store, journal->after, messages, PORTION);
        for (int i = 0; i < count; i++) {
            log_event(&messages[i]);
            journal->after = messages[i].id;
        }
        if (count > 0)
            store_free_messages(messages, (size_t)count);
    } while (count == PORTION);
}

/* --------------------------------------------------------------------------------------------------------- of habitd */

struct comparing {
    struct journal *journal;
    uint32_t bit;
};

static void compare(void *user, const char *name, const char *text)
{
    struct comparing *comparing = user;
    struct journal *journal = comparing->journal;
    const bool was = (journal->degraded & comparing->bit) != 0, is = text[0] != '\0';
    const struct log_fields fields = { .message = is ? MESSAGE_DEGRADED : MESSAGE_RECOVERED, .reason = name };

    if (is && !was)
        log_with(LOG_WARNING, &fields, "degraded: %s", text);
    else if (!is && was)
        log_with(LOG_NOTICE, &fields, "recovered: %s", name);
    if (is != was)
        journal->degraded ^= comparing->bit;
    comparing->bit <<= 1;
}

/* ------------------------------------------------------------------------------------------------------------- calls */

void journal_begin(struct journal *journal, struct store *store, struct http *http)
{
    int64_t oldest;

    *journal = (struct journal){ .store = store, .http = http };
    if (store_event_range(store, &oldest, &journal->after) < 0)
        journal->after = 0;
}

void journal_look(struct journal *journal, struct moment now)
{
    struct comparing comparing = { journal, 1 };

    follow_events(journal);
    if (now.mono < journal->next)
        return;
    http_reasons(journal->http, now, compare, &comparing);
    journal->next = now.mono + LOOK_MS;
}
