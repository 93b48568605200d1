#include "config/keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "config/checks.h"
#include "config/map.h"

static const char *const discoveries[] = { "off", "birth", "retain", NULL };
static const char *const actions[] = { "buffer", "learn", "detect", NULL };
static const char *const formats[] = { "f32", "i16", "i16be", "json", NULL };
static const char *const layouts[] = { "interleaved", "planar", NULL };

#define IN(member)      offsetof(struct config, member)
#define TEXT_IN(member) IN(member), 0, sizeof(((struct config *)0)->member)
#define OF(member)      offsetof(struct config_input, member)
#define TEXT_OF(member) OF(member), 0, sizeof(((struct config_input *)0)->member)
#define FREE            NULL, NULL /* any value of the type will do */

const struct config_key config_keys[CONFIG_KEYS] = {
    { "gateway", "id", KEY_TEXT, TEXT_IN(gateway), "", NULL, check_gateway,
      "name in topics and of the MQTT client; empty = the host name" },
    { "gateway", "machines", KEY_UNSIGNED, IN(machines), 1, LIMIT_MACHINES, "1000", FREE,
      "most that may exist; buffers of further ones only show up as pending" },
    { "gateway", "timezone", KEY_TEXT, TEXT_IN(timezone), "", NULL, check_timezone,
      "IANA name of the zone whose days are reported: Europe/Berlin; empty = the system's" },
    { "gateway", "log_level", KEY_TEXT, TEXT_IN(log_level), "info", NULL, check_log_level,
      "error, warning, notice, info or debug" },
    { "http", "address", KEY_TEXT, TEXT_IN(http_address), "127.0.0.1", NULL, check_address,
      "where to listen: beyond loopback only with certificate, key and tokens; 0.0.0.0 or :: = everywhere" },
    { "http", "port", KEY_UNSIGNED, IN(http_port), 0, 65535, "8088", FREE, "0 = any free one, printed at start" },
    { "http", "certificate", KEY_TEXT, TEXT_IN(http_certificate), "", NULL, check_path,
      "PEM file with the chain, habitd's own certificate first; empty = no TLS" },
    { "http", "key", KEY_TEXT, TEXT_IN(http_key), "", NULL, check_path,
      "PEM file with the certificate's private key; must not be readable by others" },
    { "http", "tokens", KEY_TEXT, TEXT_IN(http_tokens), "", NULL, check_path,
      "file of `habit token`; empty = whoever reaches the address may do everything" },
    { "http", "client_ca", KEY_TEXT, TEXT_IN(http_client_ca), "", NULL, check_path,
      "PEM file: clients need a certificate that it has signed, beside their token; empty = they need none" },
    { "http", "names", KEY_TEXT, TEXT_IN(http_names), "", NULL, check_names,
      "by spaces: further names by which requests may call this host, such as those of a reverse proxy" },
    { "http", "deadline", KEY_DURATION, IN(http_deadline), 1e3, 3600e3, "30s", FREE,
      "for the head of a request, its body, its answer: each; a second more for every 32 KiB; slower ones are closed" },
    { "http", "each_address", KEY_UNSIGNED, IN(http_each_address), 1, LIMIT_HTTP_CONNECTIONS, "32", FREE,
      "connections that one address may hold; loopback is not counted, a proxy may stand there" },
    { "mqtt", "host", KEY_TEXT, TEXT_IN(mqtt_host), "127.0.0.1", NULL, check_host,
      "the broker; a numeric address needs no name service; empty = no broker" },
    { "mqtt", "port", KEY_UNSIGNED, IN(mqtt_port), 1, 65535, "1883", FREE, "of the broker" },
    { "mqtt", "username", KEY_TEXT, TEXT_IN(mqtt_username), "", FREE, "empty = anonymous" },
    { "mqtt", "password_file", KEY_TEXT, TEXT_IN(mqtt_password_file), "", NULL, check_secret,
      "its first line is the password; an absolute path, not readable by others, or a name in /etc/habit/credentials" },
    { "mqtt", "ca", KEY_TEXT, TEXT_IN(mqtt_ca), "", NULL, check_ca,
      "PEM file of who signed the broker's certificate, or system; turns TLS on, always verified; empty = no TLS" },
    { "mqtt", "certificate", KEY_TEXT, TEXT_IN(mqtt_certificate), "", NULL, check_path,
      "PEM file: habitd's own certificate for the broker; empty = none" },
    { "mqtt", "key", KEY_TEXT, TEXT_IN(mqtt_key), "", NULL, check_path,
      "PEM file with its private key; must not be readable by others" },
    { "mqtt", "keepalive", KEY_UNSIGNED, IN(mqtt_keepalive), 5, 3600, "30", FREE,
      "seconds after which a silent broker counts as gone" },
    { "mqtt", "session_expiry", KEY_DURATION, IN(mqtt_session_expiry), 60e3, 365 * 86400e3, "7d", FREE,
      "how long the broker keeps messages for habitd while it is away" },
    { "mqtt", "commands", KEY_BOOLEAN, IN(mqtt_commands), 0, 1, "no", FREE,
      "whoever may publish to <machine>/cmd/<verb> may commission, initialize and set the sensitivity" },
    { "mqtt", "discovery", KEY_CHOICE, IN(mqtt_discovery), 0, 2, "birth", discoveries, NULL,
      "Home Assistant: off; birth: announced whenever it or habitd begins; retain: and kept by the broker" },
    { "mqtt", "discovery_prefix", KEY_TEXT, TEXT_IN(mqtt_discovery_prefix), "homeassistant", NULL, check_prefix,
      "of the topics of Home Assistant's discovery" },
    { "store", "path", KEY_TEXT, TEXT_IN(store_path), "", NULL, check_path,
      "database file; empty = $STATE_DIRECTORY/habit.db, else /var/lib/habit/habit.db" },
    { "store", "flush", KEY_DURATION, IN(store_flush), 100, 3600e3, "5s", FREE,
      "between flushes of counters: what a crash may lose of them" },
    { "store", "daily_writes", KEY_UNSIGNED, IN(store_daily_writes), 0, 4000000, "0", FREE,
      "MiB that are to be written in 24 hours: near it commits and flushes are put off; 0 = no ceiling" },
    { "store", "backup_age", KEY_DURATION, IN(store_backup_age), 0, 3650 * 86400e3, "0", FREE,
      "degraded where the last backup is older, or there is none; 0 = its age is only told" },
    { "report", "time", KEY_CLOCK, IN(report_minute), 0, 24 * 60 - 1, "00:10", FREE,
      "local time from which on the reports of the day before are made: later where senders are late" },
    { "machine", "create", KEY_BOOLEAN, offsetof(struct config_pattern, create), 0, 1, "no", FREE,
      "a machine exists with its first buffer" },
    { "input", "topic", KEY_TEXT, TEXT_OF(topic), "", NULL, check_topic,
      "pattern with one level {machine}, and + for levels that do not matter: factory/+/{machine}/accel" },
    { "input", "action", KEY_CHOICE, OF(action), 0, 2, "buffer", actions, NULL,
      "buffer: the strategy decides; or learn, or detect" },
    { "input", "format", KEY_CHOICE, OF(format), 0, 3, "f32", formats, NULL, "f32, i16, i16be (big-endian) or json" },
    { "input", "layout", KEY_CHOICE, OF(layout), 0, 1, "interleaved", layouts, NULL,
      "x0 y0 z0 x1 y1 z1 (interleaved) or x0 x1 y0 y1 z0 z1 (planar)" },
    { "input", "scale", KEY_NUMBER, OF(scale), 1e-12, 1e12, "1", FREE, "value = sample * scale + offset" },
    { "input", "offset", KEY_NUMBER, OF(offset), -1e15, 1e15, "0", FREE, "in the machine's unit" },
    { "input", "path", KEY_TEXT, TEXT_OF(path), "", FREE,
      "of json: where the numbers are, accel.samples; empty = data, or a bare array" },
    { "input", "stream", KEY_BOOLEAN, OF(stream), 0, 1, "no", FREE,
      "messages have any length: they are joined, and cut into buffers" },
    { "input", "hop", KEY_UNSIGNED, OF(hop), 0, LIMIT_NUMBERS, "0", FREE,
      "of a stream: samples from the beginning of a buffer to that of the next; 0 = buffer_size" },
    { "input", "gap", KEY_DURATION, OF(gap), 0, 86400e3, "0", FREE,
      "of a stream: a pause between messages that breaks it; 0 = by numbers, or where they have none by sampling_hz" },
    { "input", "channels", KEY_UNSIGNED, OF(channels), 0, LIMIT_CHANNELS, "0", FREE,
      "of a map: values in a sample of a message; 0 = up to the highest that the map names" },
    { "input", "map", KEY_TEXT, TEXT_OF(map), "", NULL, check_map,
      "machines that share a message, and their channels: {machine}-drive: 0-2, {machine}-fan: 3 4" },
};

const struct config_key *config_key_find(const char *section, const char *key)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].key, key) == 0)
            return &config_keys[i];
    return NULL;
}

/* -------------------------------------------------------------------------------------------------------- from text */

static int set_unsigned(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    uint64_t value;

    if (!text_to_unsigned(text, (uint64_t)key->high, &value) || value < (uint64_t)key->low)
        return refuse(refusal, REFUSAL_RANGE, key->key, "%s is not in %.0f..%.0f", text, key->low, key->high);
    *(uint32_t *)member = (uint32_t)value;
    return 0;
}

static int set_number(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    double value;

    if (!text_to_number(text, &value) || value < key->low || value > key->high)
        return refuse(refusal, REFUSAL_RANGE, key->key, "%s is not a number in %g..%g", text, key->low, key->high);
    *(float *)member = (float)value;
    return 0;
}

static int set_duration(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    char low[DURATION_TEXT_SIZE], high[DURATION_TEXT_SIZE];
    uint64_t value;

    if (!text_to_duration(text, &value))
        return refuse(refusal, REFUSAL_RANGE, key->key, "%s is not a duration such as 500ms, 10s, 5m, 24h, 14d", text);
    if ((double)value < key->low || (double)value > key->high)
        return refuse(refusal, REFUSAL_RANGE, key->key, "%s is not in %s..%s", text,
                      text_of_duration((uint64_t)key->low, low), text_of_duration((uint64_t)key->high, high));
    *(uint64_t *)member = value;
    return 0;
}

/* "hh:mm" to minutes. */
static int set_clock(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    static const char form[] = "00:00";
    uint32_t minutes = 0;
    bool good = strlen(text) == strlen(form);

    for (size_t i = 0; good && form[i] != '\0'; i++)
        good = form[i] == '0' ? text[i] >= '0' && text[i] <= '9' : text[i] == form[i];
    if (good)
        minutes = (uint32_t)((text[0] - '0') * 10 + (text[1] - '0')) * 60 +
                  (uint32_t)((text[3] - '0') * 10 + (text[4] - '0'));
    if (!good || text[3] > '5' || minutes > (uint32_t)key->high)
        return refuse(refusal, REFUSAL_RANGE, key->key, "%s is not a time of day from 00:00 to 23:59", text);
    *(uint32_t *)member = minutes;
    return 0;
}

static int set_boolean(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    bool yes = strcmp(text, "yes") == 0 || strcmp(text, "true") == 0;

    if (!yes && strcmp(text, "no") != 0 && strcmp(text, "false") != 0)
        return refuse(refusal, REFUSAL_RANGE, key->key, "%s is neither yes nor no", text);
    *(bool *)member = yes;
    return 0;
}

static int set_text(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    size_t size = (size_t)key->high;

    if (!text_printable(text, size))
        return refuse(refusal, REFUSAL_RANGE, key->key, "printable UTF-8 of at most %zu bytes is wanted", size - 1);
    memset(member, 0, size);
    memcpy(member, text, strlen(text));
    return 0;
}

static int set_choice(void *member, const struct config_key *key, const char *text, struct refusal *refusal)
{
    for (uint32_t i = 0; key->choices[i]; i++)
        if (strcmp(key->choices[i], text) == 0) {
            *(uint32_t *)member = i;
            return 0;
        }
    return refuse(refusal, REFUSAL_RANGE, key->key, "%s is not known: %s", text, key->help);
}

int config_key_set(void *target, const struct config_key *key, const char *text, struct refusal *refusal)
{
    static int (*const setters[])(void *, const struct config_key *, const char *, struct refusal *) = {
        [KEY_UNSIGNED] = set_unsigned, [KEY_NUMBER] = set_number, [KEY_DURATION] = set_duration,
        [KEY_BOOLEAN] = set_boolean,   [KEY_TEXT] = set_text,     [KEY_CHOICE] = set_choice,
        [KEY_CLOCK] = set_clock,
    };
    int r = key->check ? key->check(text, refusal) : 0;

    return r != 0 ? r : setters[key->type]((char *)target + key->offset, key, text, refusal);
}

void config_keys_default(void *target, const char *section)
{
    for (size_t i = 0; i < CONFIG_KEYS; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            config_key_set(target, &config_keys[i], config_keys[i].fallback, NULL);
}

/* ---------------------------------------------------------------------------------------------------------- to text */

/* The shortest decimal that gives the same float: 0.1, not 0.100000001. */
static void number_text(float value, char text[CONFIG_TEXT_SIZE])
{
    for (int digits = 6; digits <= 9; digits++) {
        snprintf(text, CONFIG_TEXT_SIZE, "%.*g", digits, (double)value);
        if ((float)strtod(text, NULL) == value)
            return;
    }
}

const char *config_key_text(const void *target, const struct config_key *key, char text[CONFIG_TEXT_SIZE])
{
    const void *member = (const char *)target + key->offset;
    char duration[DURATION_TEXT_SIZE];

    switch (key->type) {
    case KEY_UNSIGNED:
        snprintf(text, CONFIG_TEXT_SIZE, "%u", *(const uint32_t *)member);
        break;
    case KEY_NUMBER:
        number_text(*(const float *)member, text);
        break;
    case KEY_DURATION:
        snprintf(text, CONFIG_TEXT_SIZE, "%s", text_of_duration(*(const uint64_t *)member, duration));
        break;
    case KEY_BOOLEAN:
        snprintf(text, CONFIG_TEXT_SIZE, "%s", *(const bool *)member ? "yes" : "no");
        break;
    case KEY_TEXT:
        snprintf(text, CONFIG_TEXT_SIZE, "%s", (const char *)member);
        break;
    case KEY_CLOCK:
        snprintf(text, CONFIG_TEXT_SIZE, "%02u:%02u", *(const uint32_t *)member / 60, *(const uint32_t *)member % 60);
        break;
    case KEY_CHOICE:
        snprintf(text, CONFIG_TEXT_SIZE, "%s", key->choices[*(const uint32_t *)member]);
        break;
    }
    return text;
}
