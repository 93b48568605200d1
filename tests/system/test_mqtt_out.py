"""What habitd says over MQTT: states, what waits for the broker, and answers to commands."""
import json
import time

import paho.mqtt.client as paho
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from support import GATEWAY, ROOT, retained, simulate, wait_until

COMMANDS = {"mqtt": "commands = yes"}


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("nominal"), 160, 64, 1, seed=5)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("faulty"), 20, 64, 1, seed=5, fault="looseness")


def watch(habitd, machine, nominal):
    habitd.put_machine(machine, buffer_size=64, axes=1, learn=60, false_alarms="off")
    habitd.act(machine, "commission")
    habitd.request("POST", f"/v1/machines/{machine}/buffers", data=b"".join(nominal[:60]),
                   headers={"Content-Type": "application/octet-stream"})
    assert habitd.machine(machine)["phase"] == "watching"


def send(habitd, machine, buffers):
    habitd.request("POST", f"/v1/machines/{machine}/buffers", data=b"".join(buffers),
                   headers={"Content-Type": "application/octet-stream"})


# ------------------------------------------------------------------------------------------------------------- states

def test_states_come_at_most_once_a_second(house, broker, nominal):
    habitd = house.habitd(broker)
    watch(habitd, "pump-1", nominal)
    client = house.client(broker, subscribe=[f"{ROOT}/pump-1/state"])
    wait_until(lambda: client.texts(f"{ROOT}/pump-1/state"), "the retained one")
    time.sleep(1.2)
    before, began = len(client.texts(f"{ROOT}/pump-1/state")), time.monotonic()
    while time.monotonic() - began < 3:
        habitd.post("pump-1", "buffers", nominal[100])
        time.sleep(0.01)
    last = habitd.post("pump-1", "buffers", nominal[60])
    client.wait_document(f"{ROOT}/pump-1/state", lambda d: d["distance"] == last["distance"], "the latest")
    took, count = time.monotonic() - began, len(client.texts(f"{ROOT}/pump-1/state")) - before
    assert 2 <= count <= took + 1
    time.sleep(2.2)  # and no more without news
    assert len(client.texts(f"{ROOT}/pump-1/state")) - before == count


def test_what_does_not_change_is_not_said_again(house, broker, nominal):
    """Many machines whose states change: each availability comes once."""
    habitd = house.habitd(broker, sections='[machine "m*"]\ncreate = yes\nbuffer_size = 64\naxes = 1\n')
    client = house.client(broker, subscribe=[f"{ROOT}/+/availability"])
    for _ in range(3):
        for i in range(150):
            client.publish(f"{ROOT}/m{i}/buffer", nominal[0], wait=False)
        time.sleep(1.1)
    wait_until(lambda: len({m.topic for m in client.take()}) == 150, "all are online")
    online = [m.topic for m in client.seen if m.payload == b"online"]
    assert len(online) == len(set(online)) == 150


def test_info_names_the_configuration(house, broker):
    first, second = house.habitd(broker), None
    client = house.client(broker, subscribe=[f"{ROOT}/info"])
    info = client.wait_document(f"{ROOT}/info", lambda d: True, "info")
    first.restart().wait_connected()
    assert first.terminate()[0] == 0
    second = house.habitd(broker, mqtt="keepalive = 31")
    other = client.wait_document(f"{ROOT}/info", lambda d: d["configuration"] != info["configuration"], "another")
    assert len(info["configuration"]) == 16 and other["gateway"] == GATEWAY
    assert second.running()


# ------------------------------------------------------------------------------------------------------------- outbox

def test_outage(house, broker, nominal, faulty):
    """All that was raised and cleared while the broker was away arrives in order, each once, of each machine."""
    habitd = house.habitd(broker)
    machines = [f"pump-{i}" for i in range(8)]
    for machine in machines:
        watch(habitd, machine, nominal)
    listener = house.client(broker, subscribe=[f"{ROOT}/+/anomaly"], name="listener", persistent=True)
    listener.close()
    broker.stop()
    wait_until(lambda: not habitd.connected(), "habitd notices")
    for _ in range(3):
        for machine in machines:
            send(habitd, machine, faulty)
            send(habitd, machine, nominal[60:110])
    stored = habitd.anomalies()
    assert len(stored) == 24 and not any(a["open"] for a in stored)
    waiting = habitd.metrics()
    assert waiting["habit_outbox_messages"] >= 48 and waiting["habit_outbox_oldest_seconds"] > 0

    broker.start()
    habitd.wait_connected()
    wait_until(lambda: habitd.metrics()["habit_outbox_messages"] == 0, "the outbox is empty")
    client = house.client(broker, subscribe=[f"{ROOT}/+/anomaly"], name="listener", persistent=True)
    client.publish(f"{ROOT}/end/anomaly", "{}")
    wait_until(lambda: client.texts(f"{ROOT}/end/anomaly"), "the end")
    assert habitd.metrics()["habit_mqtt_reconnects_total"] == 1
    for machine in machines:
        events = client.documents(f"{ROOT}/{machine}/anomaly")
        said = [(e["id"], e["event"]) for e in events]
        assert len(said) == len(set(said)) or any(e == "worsened" for _, e in said)
        wanted = [(n, e) for n in sorted(a["id"] for a in stored if a["machine"] == machine) for e in ("raised", "cleared")]
        assert [s for s in said if s[1] != "worsened"] == wanted


def test_a_broker_that_dies_on_the_way(house, broker, nominal, faulty):
    """Killed again and again while the outbox drains: in order, nothing is missing at the end."""
    habitd = house.habitd(broker)
    watch(habitd, "pump-1", nominal)
    house.client(broker, subscribe=[f"{ROOT}/+/anomaly"], name="listener", persistent=True).close()
    broker.stop()
    wait_until(lambda: not habitd.connected(), "habitd notices")
    for _ in range(30):
        send(habitd, "pump-1", faulty)
        send(habitd, "pump-1", nominal[60:110])
    ids = sorted(a["id"] for a in habitd.anomalies())
    assert len(ids) == 30
    for _ in range(3):
        broker.start()
        wait_until(habitd.connected, "connected again", 60)
        broker.stop()
        wait_until(lambda: not habitd.connected(), "habitd notices")
    broker.start()
    wait_until(lambda: habitd.metrics()["habit_outbox_messages"] == 0, "the outbox is empty", 60)
    client = house.client(broker, subscribe=[f"{ROOT}/+/anomaly"], name="listener", persistent=True)
    client.publish(f"{ROOT}/end/anomaly", "{}")
    wait_until(lambda: client.texts(f"{ROOT}/end/anomaly"), "the end")
    raised = [e["id"] for e in client.documents(f"{ROOT}/pump-1/anomaly") if e["event"] == "raised"]
    assert list(dict.fromkeys(raised)) == ids


# ----------------------------------------------------------------------------------------------------------- commands

class Asker:
    """Sends commands as an MQTT 5 requester does, and collects the answers."""

    def __init__(self, house, broker):
        self.client = house.client(broker, subscribe=["asker/answers", f"{ROOT}/#"])
        self.number = 0

    def ask(self, machine, verb, payload="", response="asker/answers", retain=False):
        self.number += 1
        properties = Properties(PacketTypes.PUBLISH)
        properties.CorrelationData = f"\0ask-{self.number}".encode()
        if response:
            properties.ResponseTopic = response
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self.client.paho.publish(f"{ROOT}/{machine}/cmd/{verb}", text, qos=1, retain=retain, properties=properties)
        return properties.CorrelationData

    def answers(self, topic, correlation):
        return [json.loads(m.payload) for m in self.client.take()
                if m.topic == topic and getattr(m.properties, "CorrelationData", None) == correlation]

    def request(self, machine, verb, payload="", answered="asker/answers", **more):
        correlation = self.ask(machine, verb, payload, **more)
        answer, = wait_until(lambda: self.answers(answered, correlation), f"an answer to {verb}")
        assert answer["machine"] == machine and answer["command"] == verb
        return answer

    def refused(self, machine, verb, payload="", **more):
        answer = self.request(machine, verb, payload, **more)
        assert answer["ok"] is False
        return answer["problem"]


@pytest.fixture
def gateway(house, broker):
    habitd = house.habitd(broker, **COMMANDS)
    habitd.put_machine("pump-1", buffer_size=64, axes=1)
    return habitd


@pytest.fixture
def asker(house, broker, gateway):
    return Asker(house, broker)


def test_a_recorded_command_is_plain_text(gateway, asker):
    """Cut where it is long, but between characters; nothing in it turns a terminal's line around."""
    asker.refused("pump-1", "snapshot", json.dumps({"note": "\u202ea" + "\u00e9" * 300}, ensure_ascii=False))
    text = gateway.get("/v1/audit", headers={"Accept": "text/csv"}).content.decode()
    assert "\u202e" not in text and "\u00e9" * 100 in text
    detail = gateway.json("/v1/audit")["audit"][-1]["detail"]
    assert "\u00e9" * 100 in detail and "?" not in detail


def test_commands_do_what_rest_does(gateway, asker, nominal):
    answer = asker.request("pump-1", "sensitivity", {"sensitivity": 1.5})
    assert answer["ok"] is True and answer["sensitivity"] == 1.5 and answer["id"] is None
    assert gateway.machine("pump-1")["sensitivity"] == 1.5
    assert asker.request("pump-1", "commission", "{}")["phase"] == "learning"
    gateway.post_all("pump-1", "buffers", nominal[:9])
    assert asker.request("pump-1", "commission")["learned"] == 9
    assert asker.request("pump-1", "initialize", {"id": "x-1"}) == {
        "machine": "pump-1", "command": "initialize", "id": "x-1", "ok": True, "phase": "new", "learned": 0,
        "sensitivity": 1.5, "anomaly": None}
    assert gateway.learned("pump-1") == 0


def test_maintenance_and_snapshots_over_mqtt(gateway, asker, nominal):
    asker.request("pump-1", "commission")
    gateway.post_all("pump-1", "buffers", nominal[:9])
    assert asker.request("pump-1", "snapshot", {"note": "nine"})["ok"]
    kept, = gateway.json("/v1/machines/pump-1/snapshots")["snapshots"]
    assert (kept["note"], kept["learned"], kept["reason"]) == ("nine", 9, "on request")
    assert asker.request("pump-1", "mute", {"for": "2h", "who": "Ana", "why": "belt"})["ok"]
    assert gateway.machine("pump-1")["mute"]["why"] == "belt"
    assert asker.refused("pump-1", "mute", {"for": "2h", "who": "Ana"})["field"] == "why"
    assert gateway.post("pump-1", "buffers", nominal[9])["status"] == "idle"
    assert asker.request("pump-1", "unmute")["ok"]
    assert gateway.machine("pump-1")["mute"] is None
    assert asker.refused("pump-1", "unmute")["type"].endswith(":not-found")


def test_answers_without_a_response_topic(gateway, asker):
    answer = asker.request("pump-1", "sensitivity", {"sensitivity": 2, "id": 7}, response=None,
                           answered=f"{ROOT}/pump-1/rsp/sensitivity")
    assert answer["ok"] and answer["id"] == 7


def test_commands_of_an_old_client(gateway, broker):
    """MQTT 3.1.1 has no properties: the id tells which answer it is."""
    client = paho.Client("old", protocol=paho.MQTTv311)
    answers = []
    client.on_message = lambda _client, _user, message: answers.append(json.loads(message.payload))
    client.on_connect = lambda *_: client.subscribe(f"{ROOT}/pump-1/rsp/#", qos=1)
    client.on_subscribe = lambda *_: client.publish(f"{ROOT}/pump-1/cmd/sensitivity", '{"sensitivity":3,"id":"a"}', qos=1)
    client.connect("127.0.0.1", broker.port)
    client.loop_start()
    try:
        wait_until(lambda: answers, "an answer")
    finally:
        client.disconnect()
        client.loop_stop()
    assert answers[0]["id"] == "a" and gateway.machine("pump-1")["sensitivity"] == 3


@pytest.mark.parametrize("machine, verb, payload, kind", [
    ("pump-1", "explode", "", "no-route"),
    ("nobody", "commission", "", "no-machine"),
    ("pump-1", "sensitivity", "", "unknown-field"),
    ("pump-1", "sensitivity", {"sensitivity": 0}, "range"),
    ("pump-1", "sensitivity", {"sensitivity": "high"}, "range"),
    ("pump-1", "sensitivity", {"sensitivity": 2, "colour": 1}, "unknown-field"),
    ("pump-1", "commission", {"now": True}, "unknown-field"),
    ("pump-1", "commission", "[1]", "request"),
    ("pump-1", "commission", "{", "syntax"),
    ("pump-1", "commission", {"id": "x" * 65}, "range"),
    ("pump-1", "commission", {"id": [1]}, "range"),
    ("pump-1", "commission", " " * 5000, "too-large"),
])
def test_commands_that_are_refused(gateway, asker, machine, verb, payload, kind):
    before, refusals = gateway.machine("pump-1"), gateway.refusals()[kind]
    problem = asker.refused(machine, verb, payload)
    assert problem["type"] == f"urn:habit:problem:{kind}" and problem["detail"]
    assert gateway.machine("pump-1") == before
    assert gateway.refusals()[kind] == refusals + 1


def test_retained_commands_are_refused(gateway, asker, house, broker):
    """One that was retained meets habitd with each connection."""
    asker.ask("pump-1", "sensitivity", {"sensitivity": 9}, response=None, retain=True)
    wait_until(lambda: gateway.machine("pump-1")["sensitivity"] == 9, "sent to those who are there, it is like any other")
    gateway.request("PUT", "/v1/machines/pump-1/sensitivity", json={"sensitivity": 1})
    broker.kill()
    broker.forget()  # a new session: the subscription brings what is retained
    broker.start()
    house.client(broker).publish(f"{ROOT}/pump-1/cmd/sensitivity", '{"sensitivity": 9}', retain=True)
    wait_until(lambda: gateway.refusals()["retained"] == 1, "a refusal", 30)
    assert gateway.machine("pump-1")["sensitivity"] == 1


def test_an_answer_goes_nowhere_below_our_root(gateway, asker):
    """The sender might not be allowed to publish there, and we are."""
    problem = asker.refused("pump-1", "commission", response=f"{ROOT}/pump-1/learn",
                            answered=f"{ROOT}/pump-1/rsp/commission")
    assert problem["field"] == "response topic"
    assert gateway.machine("pump-1")["phase"] == "new"


def test_commands_while_habitd_is_away(gateway, asker):
    """They wait at the broker, and are answered when it comes back."""
    gateway.kill()
    first = asker.ask("pump-1", "sensitivity", {"sensitivity": 4})
    second = asker.ask("pump-1", "commission")
    gateway.start().wait_connected()
    wait_until(lambda: asker.answers("asker/answers", first) and asker.answers("asker/answers", second), "both")
    machine = gateway.machine("pump-1")
    assert machine["sensitivity"] == 4 and machine["phase"] == "learning"


def test_commands_are_off_by_default(house, broker):
    """Also where the session at the broker still has the subscription."""
    habitd = house.habitd(broker, **COMMANDS)
    habitd.put_machine("pump-1", buffer_size=64, axes=1)
    assert habitd.terminate()[0] == 0
    client = house.client(broker)
    client.publish(f"{ROOT}/pump-1/cmd/commission", "")  # waits in the session
    habitd.conf.write_text(habitd.conf.read_text().replace("commands = yes", ""))
    habitd.start().wait_connected()
    wait_until(lambda: habitd.refusals()["no-route"] == 1, "what waited is refused")
    client.publish(f"{ROOT}/pump-1/cmd/commission", "")
    client.publish(f"{ROOT}/pump-1/buffer", bytes(3))  # behind it
    wait_until(lambda: habitd.refusals()["length"] == 1, "the buffer")
    assert habitd.refusals()["no-route"] == 1 and habitd.machine("pump-1")["phase"] == "new"


def test_farewell(house, broker, nominal):
    """What was retained of a deleted machine is gone."""
    habitd = house.habitd(broker)
    watch(habitd, "pump-1", nominal)
    topics = [f"{ROOT}/pump-1/state", f"{ROOT}/pump-1/availability"]
    for topic in topics:
        wait_until(lambda: retained(house, broker, topic), topic)
    habitd.request("DELETE", "/v1/machines/pump-1")
    for topic in topics:
        wait_until(lambda: retained(house, broker, topic) is None, f"nothing on {topic}")


def test_farewell_of_machines_that_were_made_again(house, broker):
    """More was said of them while the broker was away than is in flight at once: what is retained is of those that are."""
    machines = [f"x{i:02d}" for i in range(12)]
    habitd = house.habitd(broker)
    broker.stop()
    for machine in machines:
        habitd.put_machine(machine, buffer_size=64, axes=1)
        habitd.request("DELETE", f"/v1/machines/{machine}")
        habitd.put_machine(machine, buffer_size=64, axes=1)
    broker.start()
    habitd.wait_connected()
    time.sleep(3)  # farewells, and a round
    for machine in machines:
        for topic in ("state", "availability"):
            wait_until(lambda: retained(house, broker, f"{ROOT}/{machine}/{topic}"), f"{topic} of {machine}")
