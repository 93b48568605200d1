"""examples/node-red/flow.json in a headless Node-RED, where there is one: an anomaly of a real habitd comes out as a sentence.
Debian has no Node-RED: `npm install node-red` in any folder, and HABIT_NODE_RED=<folder>/node_modules/.bin/node-red."""
import json
import os
import re
import shutil
import subprocess

import pytest

from support import REPOSITORY, ROOT, free_port, simulate, wait_until

FLOW = REPOSITORY / "examples" / "node-red" / "flow.json"
NODE_RED = os.environ.get("HABIT_NODE_RED") or shutil.which("node-red")


def test_the_form():
    """Every wire leads to a node; topics are habitd's."""
    nodes = {node["id"]: node for node in json.loads(FLOW.read_text())}
    for node in nodes.values():
        assert {end for wires in node.get("wires", []) for end in wires} <= set(nodes), node["id"]
        assert node.get("broker", "habit-broker") == "habit-broker" or node["type"] == "mqtt-broker"
    topics = {node["topic"] for node in nodes.values() if node["type"] == "mqtt in"}
    assert topics == {"habit/v1/+/+/anomaly", "habit/v1/+/+/event", "habit/v1/+/status"}


@pytest.mark.skipif(not NODE_RED, reason="Node-RED is not there: HABIT_NODE_RED names its program")
def test_an_anomaly_becomes_a_sentence(house, broker, tmp_path):
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=["alerts/habit"])
    habitd.put_machine("pump-1", buffer_size=256, axes=3, sampling_hz=1600, learn=60, false_alarms="off")
    habitd.act("pump-1", "commission")
    client.publish_all(f"{ROOT}/pump-1/buffer", simulate(tmp_path, 75, 256, 3, seed=5))
    flow = json.loads(FLOW.read_text())
    for node in flow:
        if node["type"] == "mqtt-broker":
            node["port"] = str(broker.port)
    (tmp_path / "red").mkdir()
    (tmp_path / "red" / "flow.json").write_text(json.dumps(flow))
    (tmp_path / "red" / "settings.js").write_text(f"module.exports = {{ uiPort: {free_port()}, uiHost: '127.0.0.1', httpAdminRoot: false }};\n")
    log = open(tmp_path / "red.log", "w", encoding="utf-8")
    red = subprocess.Popen([NODE_RED, "--userDir", tmp_path / "red", "flow.json"], stdout=log, stderr=log)
    try:
        wait_until(lambda: "Connected to broker" in (tmp_path / "red.log").read_text(), "Node-RED is connected", 90)
        client.publish_all(f"{ROOT}/pump-1/buffer", simulate(tmp_path, 20, 256, 3, seed=5, fault="looseness"))
        told = wait_until(lambda: client.texts("alerts/habit"), "a sentence", 30)
        assert re.fullmatch(r"pump-1 breaks its habit: similarity \d+, (.+ on axis \d (above|below) normal by [\d.]+ sigma(; )?)+", told[0]), told
        habitd.kill()
        wait_until(lambda: "gateway gw is offline" in client.texts("alerts/habit"), "the gateway is away", 60)
    finally:
        red.terminate()
        red.wait(20)
