/* The one table of bounds. Everything that grows has its row here; `habitd --show-limits` prints it. */
#ifndef HABIT_BASE_LIMITS_H
#define HABIT_BASE_LIMITS_H

/* name, value, unit, what happens beyond it */
#define LIMITS(X)                                                                                                 \
    X(MACHINES, 10000, "machines", "most that [gateway] machines can allow; beyond: 429 or pending")              \
    X(PENDING, 256, "machine IDs", "the one that was silent longest is forgotten, counted")                       \
    X(BODY, 1048576, "bytes", "413, or dropped and counted")                                                      \
    X(NUMBERS, 65536, "numbers in a body", "413, or dropped and counted")                                         \
    X(JSON_DEPTH, 8, "levels", "400, or dropped and counted")                                                     \
    X(JSON_CONTAINERS, 4096, "arrays and objects in a text", "413, or dropped and counted")                       \
    X(JSON_NUMBER, 512, "characters of a number", "400, or dropped and counted")                                  \
    X(RULES, 4, "rules a machine", "422, or the configuration is refused")                                        \
    X(CONTEXT, 8, "named numbers a machine", "422, or dropped and counted")                                       \
    X(HTTP_CONNECTIONS, 128, "connections",                                                                       \
      "the one that waited longest is closed, counted; if all work, the backlog")                                 \
    X(HTTP_SPARE, 64, "connections beside those",                                                                 \
      "that are being closed to make room; further ones are closed at once")                                      \
    X(HTTP_IDLE, 30, "seconds", "a connection without traffic is closed")                                         \
    X(HTTP_RATE, 32768, "bytes a second beyond [http] deadline", "slower bodies and readers are closed, counted") \
    X(COMMAND, 4096, "bytes of an MQTT command", "refused and counted")                                           \
    X(MQTT_BATCH, 64, "messages", "committed together at the most, then acknowledged")                            \
    X(STORE_QUEUE, 4096, "changes", "503; over MQTT the reader waits")                                            \
    X(STORE_BATCH, 256, "changes", "in one transaction")                                                          \
    X(COMMISSIONING, 256, "buffers a machine", "later ones are learned but not stored")                           \
    X(COMMISSIONING_BYTES, 1048576, "bytes a machine", "later ones are learned but not stored")                   \
    X(SNAPSHOTS, 16, "knowledge snapshots a machine", "the oldest is deleted, but for that of first readiness")   \
    X(SNAPSHOTS_DAILY, 8, "daily ones, beside those", "the oldest is deleted")                                    \
    X(SNAPSHOT_DAYS, 400, "days", "older snapshots are deleted, but for a machine's newest")                      \
    X(EVIDENCE, 16, "buffers kept of an anomaly", "further ones are judged but not stored")                       \
    X(EVIDENCE_BYTES, 262144, "bytes of them", "further ones are judged but not stored")                          \
    X(EVIDENCE_ANOMALIES, 8, "anomalies a machine whose buffers are kept", "those of the oldest are deleted")     \
    X(MUTE_DAYS, 90, "days that maintenance may last", "422")                                                     \
    X(SOURCES, 16, "sources a machine that number their buffers", "the one that was silent longest is forgotten") \
    X(BOOTS, 4, "boots a source", "the oldest is forgotten")                                                      \
    X(SEQUENCE_WINDOW, 256, "sequence numbers", "older ones count as duplicates")                                 \
    X(ANOMALIES, 100000, "anomalies", "the oldest cleared ones are deleted")                                      \
    X(HOURS, 10000, "hours of counters (400 days)", "older ones are deleted")                                     \
    X(REPORTS, 400, "days of reports", "older ones are deleted; of a longer downtime no more are made")           \
    X(OUTBOX, 10000, "messages waiting for the broker", "the oldest is deleted, counted")                         \
    X(OUTBOX_HIGH, 5000, "messages waiting for the broker", "/readyz says degraded")                              \
    X(DISK_LOW, 33554432, "bytes free where the store is", "with less /readyz says degraded")                     \
    X(EVENTS, 4000, "events kept for readers of /v1/events", "older ones are deleted once the broker has them")   \
    X(BACKUPS, 1, "backups made or sent at a time", "429")                                                        \
    X(STREAMS, 16, "readers of /v1/events", "429")                                                                \
    X(TOKENS, 1000, "tokens", "the file is refused")                                                              \
    X(SESSIONS, 64, "logins of the web page", "the oldest one ends")                                              \
    X(SESSION_HOURS, 12, "hours", "a login of the web page ends")                                                 \
    X(FAILURES, 256, "addresses that sent wrong tokens", "the one with the fewest of late is forgotten")          \
    X(EACH_CONNECTIONS, 32, "connections an address, see [http] each_address",                                    \
      "its longest waiting one is closed, else the new")                                                          \
    X(AUDIT, 20000, "records of changes", "the oldest are deleted")                                               \
    X(PAGE, 1000, "rows an answer", "the rest by cursor")                                                         \
    X(RECENT, 160, "judged buffers a machine for GET .../recent",                                                 \
      "older ones are forgotten; 12 until it is asked for")                                                       \
    X(LINES, 4096, "lines of POST /v1/buffers", "413, nothing of them is applied")                                \
    X(MAPPED, 16, "machines an [input] maps a message to", "the configuration is refused")                        \
    X(CHANNELS, 64, "values in a sample of a message", "the configuration is refused")                            \
    X(INPUTS, 64, "[input] sections", "the configuration is refused")                                             \
    X(PATTERNS, 256, "[machine] sections", "the configuration is refused")                                        \
    X(CONFIG_FILES, 64, "files in conf.d", "the configuration is refused")

enum {
#define LIMIT_ENUM(name, value, unit, beyond) LIMIT_##name = (value),
    LIMITS(LIMIT_ENUM)
#undef LIMIT_ENUM
};

#endif
