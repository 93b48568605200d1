#include "config/whole.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/checks.h"
#include "config/keys.h"
#include "config/map.h"

struct whole {
    const struct config *config;
    char *message;
};

/* "FILE:LINE: "; of what no file has, the main file without a line. Returns the bytes used. */
static size_t put_place(const struct whole *whole, const struct config_place *place)
{
    const char *path = whole->config->files[place->file];
    int used = place->line > 0 ? snprintf(whole->message, CONFIG_MESSAGE_SIZE, "%.150s:%u: ", path, place->line)
                               : snprintf(whole->message, CONFIG_MESSAGE_SIZE, "%.150s: ", path);

    return (size_t)used;
}

static int wrong(const struct whole *whole, const char *section, const char *key, const char *what)
{
    const struct config_key *row = config_key_find(section, key);
    size_t used = put_place(whole, &whole->config->places[row - config_keys]);

    snprintf(whole->message + used, CONFIG_MESSAGE_SIZE - used, "[%s] %s: %s", section, key, what);
    return -EINVAL;
}

static bool given(const char *text)
{
    return text[0] != '\0';
}

/* A certificate without its key, or the other way round. */
static int check_pair(const struct whole *whole, const char *section, const char *certificate, const char *key)
{
    if (given(certificate) == given(key))
        return 0;
    return wrong(whole, section, given(certificate) ? "certificate" : "key",
                 "certificate and key go together: the other one is missing");
}

/* What goes beyond loopback is open to everybody on the network, but for these. */
static int check_http(const struct whole *whole)
{
    const struct config *config = whole->config;
    bool tls = given(config->http_certificate), tokens = given(config->http_tokens);
    int r = check_pair(whole, "http", config->http_certificate, config->http_key);
    char what[280];

    if (r == 0 && given(config->http_client_ca) && !tls)
        r = wrong(whole, "http", "client_ca", "needs a certificate and a key too");
    if (r != 0 || is_loopback(config->http_address) || (tls && tokens))
        return r;
    snprintf(
        what, sizeof(what),
        "%.64s is not a loopback address (127.0.0.1, ::1, localhost): anyone on the network could use it, so it needs "
        "%s%s%s as well; docs/security.md says how",
        config->http_address, tls ? "" : "certificate and key", tls || tokens ? "" : ", and ", tokens ? "" : "tokens");
    return wrong(whole, "http", "address", what);
}

static int check_mqtt(const struct whole *whole)
{
    const struct config *config = whole->config;
    int r = check_pair(whole, "mqtt", config->mqtt_certificate, config->mqtt_key);

    if (r == 0 && given(config->mqtt_password_file) && !given(config->mqtt_username))
        r = wrong(whole, "mqtt", "password_file", "needs a username too");
    if (r == 0 && given(config->mqtt_certificate) && !given(config->mqtt_ca))
        r = wrong(whole, "mqtt", "certificate", "needs ca too, which turns TLS on");
    return r;
}

/* --------------------------------------------------------------------------------------------------------- machines */

/* An ID that a pattern matches: contradictions between sections show in what such a machine would get. */
static void sample_id(const char *pattern, char id[MACHINE_ID_SIZE])
{
    snprintf(id, MACHINE_ID_SIZE, "%s", pattern);
    for (size_t i = 0; id[i] != '\0'; i++)
        if (id[i] == '*' || id[i] == '?')
            id[i] = 'x';
}

static int check_sample(const struct config *config, const char *id, struct refusal *refusal)
{
    struct settings settings;
    bool create;

    if (!machine_id_valid(id, strlen(id)))
        return refuse(refusal, REFUSAL_MACHINE_ID, "pattern", "no machine ID begins with '%c'", id[0]);
    config_settings(config, id, &settings, &create);
    if (!create) { /* the geometry may come over REST */
        settings.buffer_size += settings.buffer_size == 0;
        settings.axes += settings.axes == 0;
    }
    return settings_check(&settings, refusal);
}

static int check_pattern(const struct whole *whole, const struct config_pattern *pattern)
{
    char id[MACHINE_ID_SIZE];
    struct refusal refusal;
    size_t used;

    sample_id(pattern->pattern, id);
    if (check_sample(whole->config, id, &refusal) == 0)
        return 0;
    used = put_place(whole, &pattern->place);
    snprintf(whole->message + used, CONFIG_MESSAGE_SIZE - used, "[machine \"%s\"]: %s", pattern->pattern,
             refusal.detail);
    return -EINVAL;
}

/* ----------------------------------------------------------------------------------------------------------- inputs */

/* Another input before this one that takes the same messages; NULL = none. */
static const struct config_input *overlapping(const struct config *config, const struct config_input *input)
{
    for (const struct config_input *other = config->inputs; other < input; other++)
        if (topics_overlap(input->topic, other->topic))
            return other;
    return NULL;
}

/* Machines that a map makes of {machine} need one in the topic. */
static bool needs_machine(const struct config_input *input)
{
    bool named = false;

    for (uint32_t i = 0; i < input->targets; i++)
        named = named || strstr(input->target[i].machine, "{machine}");
    return named || input->targets == 0;
}

static int check_map_of(const struct config_input *input, struct refusal *refusal)
{
    bool machine = strstr(input->topic, "{machine}") != NULL;

    if (!machine && needs_machine(input))
        return refuse(refusal, REFUSAL_RANGE, "topic", "'%.100s' has 0 levels {machine}, but needs exactly one",
                      input->topic);
    if (machine && !needs_machine(input))
        return refuse(refusal, REFUSAL_RANGE, "map", "it does not use {machine}, which the topic has: write + there");
    if (input->channels > 0 && input->targets == 0)
        return refuse(refusal, REFUSAL_RANGE, "channels", "goes with map: without one a sample has the machine's axes");
    if (input->channels > 0 && input->channels < map_highest(input) + 1)
        return refuse(refusal, REFUSAL_RANGE, "channels", "%u, but map names channel %u (the first is 0)",
                      input->channels, map_highest(input));
    return 0;
}

static int check_stream(const struct config_input *input, struct refusal *refusal)
{
    const char *key = input->hop > 0 ? "hop" : "gap";

    if (!input->stream && (input->hop > 0 || input->gap > 0))
        return refuse(refusal, REFUSAL_RANGE, key, "goes with stream = yes");
    return 0;
}

static int check_input(const struct whole *whole, const struct config_input *input)
{
    const struct config *config = whole->config;
    const struct config_input *other = overlapping(config, input);
    struct refusal refusal;
    size_t used;

    if (input->topic[0] == '\0')
        refuse(&refusal, REFUSAL_RANGE, "topic", "is needed");
    else if (topic_meets_root(input->topic, config->gateway))
        refuse(&refusal, REFUSAL_RANGE, "topic", "%.100s takes in habitd's own topics, habit/v1/%s/...", input->topic,
               config->gateway);
    else if (other)
        refuse(&refusal, REFUSAL_RANGE, "topic",
               "%.80s overlaps with [input \"%.63s\"] in %.60s%sline %u: messages would come twice", input->topic,
               other->name, other->place.file == input->place.file ? "" : config->files[other->place.file],
               other->place.file == input->place.file ? "" : ", ", other->place.line);
    else if (check_map_of(input, &refusal) == 0 && check_stream(input, &refusal) == 0)
        return 0;
    used = put_place(whole, &input->place);
    snprintf(whole->message + used, CONFIG_MESSAGE_SIZE - used, "[input \"%s\"] %.16s: %s", input->name, refusal.field,
             refusal.detail);
    return -EINVAL;
}

int config_whole(const struct config *config, char message[CONFIG_MESSAGE_SIZE])
{
    const struct whole whole = { .config = config, .message = message };
    int r;

    message[0] = '\0';
    r = check_http(&whole);
    if (r == 0)
        r = check_mqtt(&whole);
    for (size_t i = 0; r == 0 && i < config->pattern_count; i++)
        r = check_pattern(&whole, &config->patterns[i]);
    for (size_t i = 0; r == 0 && i < config->input_count; i++)
        r = check_input(&whole, &config->inputs[i]);
    return r;
}
