#include "wire/discovery.h"

#include <string.h>

#include "wire/json.h"

/* A device's topics, below the root for the gateway, below root/<machine> for a machine. */
enum source { SOURCE_STATE, SOURCE_REPORT, SOURCE_INFO, SOURCE_STATUS, SOURCE_NONE };

static const char *const source_topics[] = {
    [SOURCE_STATE] = "state", [SOURCE_REPORT] = "report/daily", [SOURCE_INFO] = "info", [SOURCE_STATUS] = "status"
};

/* One thing that Home Assistant shows. */
struct entity {
    const char *id; /* never changes: Home Assistant remembers it */
    const char *platform, *name;
    enum source source;
    const char *value; /* template; NULL = the payload itself */
    const char *unit, *device_class, *state_class, *category, *icon;
    const char *attributes; /* topic whose members are shown beside it */
    const char *on, *off;   /* of a binary sensor */
    const char *verb;       /* of a control: the topic of its command */
    const char *command;    /* of a number: its template; of a button: its payload */
};

/* The averages of a window and the words of an anomaly are what alarms are made of; a single similarity scatters. */
static const struct entity machine_entities[] = {
    { "anomaly", "binary_sensor", "Anomaly", SOURCE_STATE, "{{ 'ON' if value_json.anomaly else 'OFF' }}",
      .device_class = "problem", .attributes = "anomaly" },
    { "average", "sensor", "Similarity", SOURCE_STATE, "{{ value_json.average }}", .unit = "%",
      .state_class = "measurement", .icon = "mdi:chart-bell-curve" },
    { "similarity", "sensor", "Similarity of the last buffer", SOURCE_STATE, "{{ value_json.similarity }}", .unit = "%",
      .state_class = "measurement", .icon = "mdi:waveform" },
    { "distance", "sensor", "Distance", SOURCE_STATE, "{{ value_json.distance }}", .state_class = "measurement",
      .icon = "mdi:arrow-expand-horizontal" },
    { "phase", "sensor", "Phase", SOURCE_STATE, "{{ value_json.phase }}", .device_class = "enum",
      .icon = "mdi:school-outline" },
    { "learned", "sensor", "Buffers learned", SOURCE_STATE, "{{ value_json.learned }}", .state_class = "measurement",
      .category = "diagnostic", .icon = "mdi:counter" },
    { "settled", "sensor", "Learning settled", SOURCE_STATE, "{{ (value_json.settled * 100) | round(0) }}", .unit = "%",
      .state_class = "measurement", .category = "diagnostic", .icon = "mdi:progress-check" },
    { "anomalies_per_hour", "sensor", "Anomalies per hour, last report", SOURCE_REPORT,
      "{{ value_json.anomalies_per_hour }}", .unit = "1/h", .icon = "mdi:calendar-alert" },
};

/* Only where commands are taken; else they are taken back, and the sensitivity is only shown. */
static const struct entity machine_controls[] = {
    { "set_sensitivity", "number", "Sensitivity", SOURCE_STATE, "{{ value_json.sensitivity }}", .category = "config",
      .icon = "mdi:tune", .verb = "cmd/sensitivity", .command = "{\"sensitivity\": {{ value }}}" },
    { "commission", "button", "Start learning", SOURCE_NONE, .category = "config", .icon = "mdi:school",
      .verb = "cmd/commission", .command = "{}" },
    { "initialize", "button", "Forget what was learned", SOURCE_NONE, .category = "config", .icon = "mdi:restart",
      .verb = "cmd/initialize", .command = "{}" },
};

static const struct entity machine_readings[] = {
    { "sensitivity", "sensor", "Sensitivity", SOURCE_STATE, "{{ value_json.sensitivity }}", .category = "diagnostic",
      .icon = "mdi:tune" },
};

static const struct entity gateway_entities[] = {
    { "connected", "binary_sensor", "Connected", SOURCE_STATUS, .device_class = "connectivity",
      .category = "diagnostic", .on = "online", .off = "offline" },
    { "store", "binary_sensor", "Store", SOURCE_INFO, "{{ 'OFF' if value_json.store_ok else 'ON' }}",
      .device_class = "problem", .category = "diagnostic" },
    { "machines", "sensor", "Machines", SOURCE_INFO, "{{ value_json.machines }}", .state_class = "measurement",
      .icon = "mdi:engine-outline" },
    { "open_anomalies", "sensor", "Open anomalies", SOURCE_INFO, "{{ value_json.open_anomalies }}",
      .state_class = "measurement", .icon = "mdi:alert-outline" },
    { "pending", "sensor", "Unknown machines", SOURCE_INFO, "{{ value_json.pending }}", .state_class = "measurement",
      .category = "diagnostic", .icon = "mdi:help-network-outline" },
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* --------------------------------------------------------------------------------------------------------- one device */

struct device {
    const struct wire_discovery *discovery;
    const char *machine; /* NULL = the gateway */
};

static json_t *build_identifier(const struct device *device)
{
    if (!device->machine)
        return json_sprintf("habit_%s", device->discovery->gateway);
    return json_sprintf("habit_%s_%s", device->discovery->gateway, device->machine);
}

static json_t *build_topic(const struct device *device, const char *below)
{
    if (!device->machine)
        return json_sprintf("%s/%s", device->discovery->root, below);
    return json_sprintf("%s/%s/%s", device->discovery->root, device->machine, below);
}

static json_t *build_availability_topic(json_t *topic)
{
    json_t *item = json_object();

    wire_put(&item, "topic", topic);
    return item;
}

/* The gateway must be there; and the machine must not be silent, for what it says to count. */
static json_t *build_availability(const struct device *device, bool machine)
{
    json_t *list = json_array();

    wire_append(&list, build_availability_topic(json_sprintf("%s/status", device->discovery->root)));
    if (machine)
        wire_append(&list, build_availability_topic(build_topic(device, "availability")));
    return list;
}

static void put_text(json_t **object, const char *name, const char *text)
{
    if (text)
        wire_put(object, name, wire_text(text));
}

static json_t *build_phases(void)
{
    json_t *phases = json_array();

    for (int phase = 0; phase < PHASES; phase++)
        wire_append(&phases, json_string(phase_name((enum phase)phase)));
    return phases;
}

static void put_command(json_t **object, const struct device *device, const struct entity *entity)
{
    bool number = strcmp(entity->platform, "number") == 0;

    wire_put(object, "command_topic", build_topic(device, entity->verb));
    put_text(object, number ? "command_template" : "payload_press", entity->command);
    if (number) {
        wire_put(object, "min", wire_figure(0.1));
        wire_put(object, "max", json_integer(100));
        wire_put(object, "step", wire_figure(0.1));
        put_text(object, "mode", "box");
    }
}

static json_t *build_entity(const struct device *device, const struct entity *entity)
{
    json_t *object = json_object(), *identifier = build_identifier(device);

    put_text(&object, "platform", entity->platform);
    put_text(&object, "name", entity->name);
    wire_put(&object, "unique_id", json_sprintf("%s_%s", json_string_value(identifier), entity->id));
    if (entity->source != SOURCE_NONE)
        wire_put(&object, "state_topic", build_topic(device, source_topics[entity->source]));
    put_text(&object, "value_template", entity->value);
    put_text(&object, "unit_of_measurement", entity->unit);
    put_text(&object, "device_class", entity->device_class);
    put_text(&object, "state_class", entity->state_class);
    put_text(&object, "entity_category", entity->category);
    put_text(&object, "icon", entity->icon);
    if (entity->attributes)
        wire_put(&object, "json_attributes_topic", build_topic(device, entity->attributes));
    put_text(&object, "payload_on", entity->on);
    put_text(&object, "payload_off", entity->off);
    if (entity->device_class && strcmp(entity->device_class, "enum") == 0)
        wire_put(&object, "options", build_phases());
    if (entity->verb)
        put_command(&object, device, entity);
    if (entity->source != SOURCE_STATUS) { /* which is what says whether we are there */
        wire_put(&object, "availability", build_availability(device, entity->source == SOURCE_STATE && !entity->verb));
        put_text(&object, "availability_mode", "all");
    }
    json_decref(identifier);
    return object;
}

static void put_entities(json_t **components, const struct device *device, const struct entity *entities, size_t count)
{
    for (size_t i = 0; i < count; i++)
        wire_put(components, entities[i].id, build_entity(device, &entities[i]));
}

/* A component of a platform and nothing else takes back what may have been announced before. */
static void take_back(json_t **components, const struct entity *entities, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_t *nothing = json_object();

        put_text(&nothing, "platform", entities[i].platform);
        wire_put(components, entities[i].id, nothing);
    }
}

static json_t *build_identifiers(const struct device *device)
{
    json_t *identifiers = json_array();

    wire_append(&identifiers, build_identifier(device));
    return identifiers;
}

static json_t *build_origin(void)
{
    json_t *origin = json_object();

    put_text(&origin, "name", "habit");
    put_text(&origin, "sw_version", HABIT_VERSION);
    return origin;
}

/* Takes both. */
static char *compose(json_t *about, json_t *components)
{
    json_t *document = json_object();

    wire_put(&document, "device", about);
    wire_put(&document, "origin", build_origin());
    wire_put(&document, "components", components);
    wire_put(&document, "qos", json_integer(1));
    return wire_dump(document);
}

/* ---------------------------------------------------------------------------------------------------------- documents */

static json_t *build_machine(const struct device *device, const struct settings *settings)
{
    json_t *about = json_object();

    wire_put(&about, "identifiers", build_identifiers(device));
    put_text(&about, "name", settings->name[0] != '\0' ? settings->name : device->machine);
    put_text(&about, "manufacturer", "habit");
    put_text(&about, "model", settings->asset[0] != '\0' ? settings->asset : "machine");
    put_text(&about, "serial_number", device->machine);
    put_text(&about, "sw_version", HABIT_VERSION);
    put_text(&about, "suggested_area", settings->location[0] != '\0' ? settings->location : NULL);
    wire_put(&about, "via_device", json_sprintf("habit_%s", device->discovery->gateway));
    return about;
}

char *wire_discovery_machine(const struct wire_discovery *discovery, const struct machine_view *view)
{
    const struct device device = { discovery, view->id };
    json_t *components = json_object();

    put_entities(&components, &device, machine_entities, COUNT(machine_entities));
    if (discovery->commands) {
        put_entities(&components, &device, machine_controls, COUNT(machine_controls));
        take_back(&components, machine_readings, COUNT(machine_readings));
    } else {
        put_entities(&components, &device, machine_readings, COUNT(machine_readings));
        take_back(&components, machine_controls, COUNT(machine_controls));
    }
    return compose(build_machine(&device, &view->settings), components);
}

char *wire_discovery_gateway(const struct wire_discovery *discovery)
{
    const struct device device = { discovery, NULL };
    json_t *about = json_object(), *components = json_object();

    wire_put(&about, "identifiers", build_identifiers(&device));
    wire_put(&about, "name", json_sprintf("habit %s", discovery->gateway));
    put_text(&about, "manufacturer", "habit");
    put_text(&about, "model", "gateway");
    put_text(&about, "sw_version", HABIT_VERSION);
    put_entities(&components, &device, gateway_entities, COUNT(gateway_entities));
    return compose(about, components);
}
