/* The configuration: a file, and those in the folder conf.d beside it; INI by libinih, one table of keys, everything checked,
 * nothing half applied. */
#ifndef HABIT_CONFIG_CONFIG_H
#define HABIT_CONFIG_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/limits.h"
#include "base/text.h"
#include "record/settings.h"

/* Where something was written: config->files[file], and the line; line 0 = nowhere. */
struct config_place {
    uint32_t file;
    uint32_t line;
};

enum { CONFIG_LINES = 64 }; /* no fewer than there are rows of config_keys */

/* [machine "pump-*"]: settings of all machines whose ID matches. */
struct config_pattern {
    char pattern[MACHINE_ID_SIZE];
    bool create;                                                     /* a machine exists with its first buffer */
    struct settings settings;                                        /* origin FILE where the section sets a key */
    struct config_place place, create_place, places[SETTINGS_COUNT]; /* of its last heading, and of the keys it has */
};

/* One machine of a map: which channels of a message are its axes, in this order. */
struct config_target {
    char machine[96]; /* an ID, perhaps with {machine} in it: "{machine}-drive" */
    uint8_t channel[16];
    uint32_t count;
};

enum input_action { INPUT_BUFFER, INPUT_LEARN, INPUT_DETECT };

/* [input "name"]: maps a topic of sensors that are there already. */
struct config_input {
    char name[64];
    char topic[256]; /* MQTT topic pattern with exactly one level {machine}, '+' elsewhere: factory/+/{machine}/accel */
    uint32_t action; /* enum input_action */
    uint32_t format; /* enum sample_format */
    uint32_t layout; /* enum sample_layout */
    float scale, offset;
    char path[128];    /* of format json: where the numbers are, "accel.samples"; "" = data, or a bare array */
    bool stream;       /* messages of any length are joined, and cut into buffers */
    uint32_t hop;      /* of a stream: samples between the beginnings of two buffers; 0 = buffer_size */
    uint64_t gap;      /* of a stream: ms of a pause that breaks it; 0 = by sampling_hz, where that is known */
    uint32_t channels; /* values in a sample of a message with a map; 0 = as the map needs */
    char map[256];     /* "{machine}-drive: 0-2, {machine}-fan: 3 4"; "" = a message is of one machine */
    struct config_target target[LIMIT_MAPPED]; /* what map says */
    uint32_t targets;                          /* 0 = no map */
    struct config_place place;                 /* of its last heading */
    struct config_place places[CONFIG_LINES];  /* of each row of config_keys that it has */
};

/* Whether machines are announced to Home Assistant: not at all; whenever it or we begin; or retained too. */
enum discovery_mode { DISCOVERY_OFF, DISCOVERY_BIRTH, DISCOVERY_RETAIN };

struct config {
    char gateway[GATEWAY_ID_SIZE]; /* default: the host name */
    uint32_t machines;             /* most that may exist */
    char timezone[64];             /* IANA name; "" = the system's */
    char log_level[8];
    char http_address[64];      /* beyond loopback only with the next three */
    char http_certificate[256]; /* PEM; "" = no TLS */
    char http_key[256];
    char http_tokens[256];      /* file; "" = everybody who reaches us may do everything */
    char http_client_ca[256];   /* PEM; "" = clients need no certificate */
    char http_names[256];       /* by spaces, that requests may call us beside loopback, address and certificate */
    uint64_t http_deadline;     /* ms */
    uint32_t http_each_address; /* connections */
    uint32_t http_port;         /* 0 = any free one: printed at start */
    char mqtt_host[128];        /* "" = no broker */
    uint32_t mqtt_port;
    char mqtt_username[64];
    char mqtt_password_file[256];
    char mqtt_ca[256]; /* PEM, or "system"; "" = no TLS */
    char mqtt_certificate[256];
    char mqtt_key[256];
    uint32_t mqtt_keepalive;      /* seconds */
    uint64_t mqtt_session_expiry; /* ms */
    bool mqtt_commands;           /* <machine>/cmd/<verb> is taken */
    uint32_t mqtt_discovery;      /* enum discovery_mode */
    char mqtt_discovery_prefix[64];
    char store_path[256];        /* of the database file */
    uint32_t store_daily_writes; /* MiB in 24 hours; 0 = no ceiling */
    uint64_t store_flush;        /* ms between flushes of counters and windows */
    uint64_t store_backup_age;   /* ms; 0 = backups are nobody's duty */
    uint32_t report_minute;      /* of the day after, by local time, from which on a day's reports are made */
    struct config_pattern *patterns;
    size_t pattern_count;
    struct config_input *inputs;
    size_t input_count;
    struct config_place places[CONFIG_LINES]; /* of each row of config_keys that stands in a plain section */
    char **files;                             /* that were read, in this order, the main one first */
    size_t file_count;
};

enum { CONFIG_MESSAGE_SIZE = 512 };

/* Defaults only: what an empty file gives. */
int config_default(struct config *config);

/* Reads a file over the defaults, then those beside it whose names are conf.d/NAME.conf, in the order of the names' bytes: of a key
 * that stands in several files the last one counts, sections of the same name are one section. Returns 0; or -EINVAL with `message`
 * "FILE:LINE: what is wrong and what is allowed" and nothing to free; or another negative error. Unknown sections and keys, keys and
 * sections that one file gives twice, values out of range and contradictions between keys are all wrong. */
int config_read(struct config *config, const char *path, char message[CONFIG_MESSAGE_SIZE]);

void config_free(struct config *config);

/* Settings of a machine before REST: defaults, then every matching section, the most specific last (ties: the one
 * that has the key later). *create follows the same rule: what the most specific section that has the key says. */
void config_settings(const struct config *config, const char *id, struct settings *settings, bool *create);

/* The section that gives a machine this field; NULL = default. */
const struct config_pattern *config_origin(const struct config *config, const char *id,
                                           const struct settings_field *field);

/* Where the secret is that a key names: an absolute path as it is, a name alone in $CREDENTIALS_DIRECTORY, which systemd sets, else
 * in /etc/habit/credentials. */
enum { SECRET_PATH_SIZE = 512 };
void config_secret_path(const char *name, char path[SECRET_PATH_SIZE]);

/* Writes the effective configuration in the file's own form, secrets left out. places: with a comment before each key that a
 * file gives, saying which and where; those without one are defaults. */
void config_print(const struct config *config, FILE *file, bool places);

#endif
