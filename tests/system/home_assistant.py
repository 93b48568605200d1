"""What Home Assistant's MQTT integration accepts as a device's announcement, and how it reads what follows: enough of it to stand
in for one.

Sources. The first was read in November 2026; what the others say is from notes on them, not from the pages:
 - homeassistant/components/mqtt/schemas.py of github.com/home-assistant/core, commit 0f5c1b547043: DEVICE_DISCOVERY_SCHEMA,
   MQTT_ENTITY_DEVICE_INFO_SCHEMA, MQTT_ORIGIN_INFO_SCHEMA, MQTT_AVAILABILITY_LIST_SCHEMA, COMPONENT_CONFIG_SCHEMA;
 - https://www.home-assistant.io/integrations/mqtt/ (discovery topic, birth message, device discovery payload) and its pages
   sensor.mqtt, binary_sensor.mqtt, number.mqtt, button.mqtt (keys of each platform, defaults of payloads);
 - https://developers.home-assistant.io/docs/core/entity/sensor (enum, measurement, timestamp).
Home Assistant drops keys that it does not know; here they are an error, for a key that does nothing is a mistake of ours."""
import json
import re

import jinja2

PREFIX = "homeassistant"
TOPIC = re.compile(r"homeassistant/device/([a-zA-Z0-9_-]+)/config")

DEVICE = {"identifiers", "connections", "manufacturer", "model", "name", "hw_version", "serial_number", "sw_version",
          "via_device", "suggested_area", "configuration_url"}
ORIGIN = {"name", "sw_version", "support_url"}
SHARED = {"availability", "availability_mode", "availability_topic", "payload_available", "payload_not_available",
          "state_topic", "command_topic", "qos", "encoding"}
DOCUMENT = {"device", "origin", "components"} | SHARED
ENTITY = SHARED | {"platform", "name", "unique_id", "icon", "entity_category", "device_class", "default_entity_id",
                   "json_attributes_topic", "json_attributes_template", "enabled_by_default"}
KEYS = {
    "sensor": ENTITY | {"value_template", "unit_of_measurement", "state_class", "options", "expire_after", "force_update",
                        "suggested_display_precision"},
    "binary_sensor": ENTITY | {"value_template", "payload_on", "payload_off", "off_delay", "expire_after", "force_update"},
    "number": ENTITY | {"value_template", "command_template", "min", "max", "step", "mode", "unit_of_measurement",
                        "optimistic", "retain"},
    "button": ENTITY | {"command_template", "payload_press", "retain"},
}
REQUIRED = {"sensor": {"state_topic"}, "binary_sensor": {"state_topic"}, "number": {"command_topic"},
            "button": {"command_topic"}}
DEVICE_CLASSES = {"sensor": {"enum", "timestamp"}, "binary_sensor": {"problem", "connectivity"}, "number": set(),
                  "button": set()}
CATEGORIES = {"sensor": {"diagnostic"}, "binary_sensor": {"diagnostic"}, "number": {"config"}, "button": {"config"}}
STATE_CLASSES = {"measurement", "total", "total_increasing"}


def check_topic(topic):
    assert topic and not set("+#\0") & set(topic) and len(topic.encode()) < 65536


def check_availability(entries):
    assert entries
    for entry in entries:
        assert set(entry) <= {"topic", "payload_available", "payload_not_available", "value_template"}
        check_topic(entry["topic"])


def check_about(document):
    device, origin = document["device"], document["origin"]
    assert set(device) <= DEVICE and set(origin) <= ORIGIN
    assert device.get("identifiers") or device.get("connections")
    assert all(isinstance(i, str) and i for i in device["identifiers"]) and origin["name"]
    assert all(isinstance(v, str) and v for k, v in device.items() if k not in ("identifiers", "connections"))


def check_sensor(entity):
    if entity.get("device_class") == "enum":
        assert entity["options"] and "state_class" not in entity and "unit_of_measurement" not in entity
    else:
        assert "options" not in entity
    assert entity.get("state_class", "measurement") in STATE_CLASSES


def check_number(entity):
    assert entity["min"] < entity["max"] and entity["step"] >= 0.001 and entity["mode"] in ("auto", "box", "slider")


def check_entity(entity):
    platform = entity["platform"]
    assert set(entity) <= KEYS[platform], set(entity) - KEYS[platform]
    assert REQUIRED[platform] <= set(entity) and entity["name"]
    assert re.fullmatch(r"[a-zA-Z0-9_-]+", entity["unique_id"])  # without one it belongs to no device
    assert "device_class" not in entity or entity["device_class"] in DEVICE_CLASSES[platform]
    assert "entity_category" not in entity or entity["entity_category"] in CATEGORIES[platform]
    assert "icon" not in entity or re.fullmatch(r"mdi:[a-z0-9-]+", entity["icon"])
    for key in ("state_topic", "command_topic", "json_attributes_topic"):
        if key in entity:
            check_topic(entity[key])
    if "availability" in entity:
        check_availability(entity["availability"])
        assert entity["availability_mode"] in ("all", "any", "latest")
    {"sensor": check_sensor, "number": check_number}.get(platform, lambda _: None)(entity)


def is_taken_back(entity):
    """A component of a platform and nothing else removes what was announced before."""
    return set(entity) == {"platform"}


def check_document(topic, text):
    """Fails where Home Assistant would refuse the announcement; returns it."""
    assert TOPIC.fullmatch(topic), topic
    document = json.loads(text)
    assert set(document) <= DOCUMENT and {"device", "origin", "components"} <= set(document)
    assert document["components"] and document.get("qos", 0) in (0, 1, 2)
    check_about(document)
    for name, entity in document["components"].items():
        assert name and entity["platform"] in KEYS
        if not is_taken_back(entity):
            check_entity(entity)
    return document


class Entity:
    """One entity: what it shows, and what pressing it sends."""

    def __init__(self, config):
        self.config = config
        self.value = None
        self.attributes = {}
        self.available = {entry["topic"]: False for entry in config.get("availability", ())}

    def topics(self):
        config = self.config
        return {config[k] for k in ("state_topic", "json_attributes_topic") if k in config} | set(self.available)

    def is_available(self):
        return all(self.available.values())

    def take(self, topic, payload):
        if topic in self.available:
            self.available[topic] = payload == "online"
        if topic == self.config.get("json_attributes_topic"):
            self.attributes = json.loads(payload)
        if topic == self.config.get("state_topic") and payload:
            self.value = self.read(self.render(payload))

    def render(self, payload):
        template = self.config.get("value_template")
        if template is None:
            return payload
        return jinja2.Environment(undefined=jinja2.StrictUndefined).from_string(template).render(
            value=payload, value_json=json.loads(payload))

    def read(self, text):
        """A rendered value as the platform reads it: "None" is unknown."""
        if text == "None":
            return None
        if self.config["platform"] == "binary_sensor":
            states = {self.config.get("payload_on", "ON"): True, self.config.get("payload_off", "OFF"): False}
            return states[text]
        if "state_class" in self.config or "unit_of_measurement" in self.config or self.config["platform"] == "number":
            return float(text)
        if "options" in self.config:
            assert text in self.config["options"]
        return text

    def command(self, value=None):
        """What is published when it is set or pressed."""
        template = self.config.get("command_template")
        if template:
            return jinja2.Environment().from_string(template).render(value=value)
        return self.config.get("payload_press", "PRESS")


class HomeAssistant:
    """Subscribes to announcements, then to what they name, and shows it."""

    def __init__(self, client):
        self.client = client
        self.devices, self.entities, self.subscribed, self.removed, self.count = {}, {}, set(), [], 0
        self.subscribe(f"{PREFIX}/device/+/config")

    def subscribe(self, topic):
        self.subscribed.add(topic)
        self.client.paho.subscribe(topic, qos=1)

    def start(self):
        """The birth message."""
        self.client.publish(f"{PREFIX}/status", "online")

    def update(self):
        """Takes in what has come since the last time; true for a use in wait_until."""
        messages = self.client.take()
        while self.count < len(messages):
            message = messages[self.count]
            self.count += 1
            if TOPIC.fullmatch(message.topic):
                self.discover(message)
            else:
                for entities in self.entities.values():
                    for entity in entities.values():
                        if message.topic in entity.topics():
                            entity.take(message.topic, message.payload.decode())
        return True

    def discover(self, message):
        name = TOPIC.fullmatch(message.topic).group(1)
        if not message.payload:
            self.removed.append(name)
            self.devices.pop(name, None)
            self.entities.pop(name, None)
            return
        document = check_document(message.topic, message.payload)
        self.devices[name] = document
        shown = self.entities.setdefault(name, {})
        for key, config in document["components"].items():
            if is_taken_back(config):
                shown.pop(key, None)
            elif key not in shown or shown[key].config != config:
                shown[key] = Entity(config)
                for topic in shown[key].topics():
                    self.subscribe(topic)  # again: the broker sends what is retained

    def entity(self, device, name):
        self.update()
        return self.entities.get(device, {}).get(name)

    def value(self, device, name):
        entity = self.entity(device, name)
        return entity.value if entity else None

    def press(self, device, name, value=None):
        entity = self.entity(device, name)
        self.client.publish(entity.config["command_topic"], entity.command(value))
