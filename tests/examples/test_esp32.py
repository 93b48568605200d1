"""examples/esp32 compiled for this host against stand-ins for Arduino and FreeRTOS, with a real broker and a real habitd. It was not
compiled by Arduino's tools, and ran on no board."""
import array
import datetime
import json
import pathlib
import shutil
import subprocess

import pytest

from pki import Pki
from support import GATEWAY, REPOSITORY, clean_environment, simulate, wait_until
from test_security_broker import SecureBroker, keys, node

SKETCH = REPOSITORY / "examples" / "esp32" / "habit_sensor"
STAND_INS = pathlib.Path(__file__).parent / "esp32"
STRICT = ["-Wall", "-Wextra", "-Werror", "-Wno-unused-function", "-std=gnu++17", "-O1"]
MACHINE = ('[machine "pump-*"]\ncreate = yes\nstart = auto\nbuffer_size = 256\naxes = 3\n'
           'sampling_hz = 1600\nunit = g\nformat = json\n')


def compile_sketch(folder, header=None):
    """As the IDE does: the .ino is C++ behind Arduino.h. header: another node.h."""
    place = folder / "sketch"
    shutil.copytree(SKETCH, place)
    text = (place / "node.h").read_text()
    (place / "node.h").write_text(header or text.replace("habit/v1/gw-1/", f"habit/v1/{GATEWAY}/"))
    program = folder / "sketch-on-host"
    subprocess.run(["g++", *STRICT, "-I", STAND_INS, "-I", place, "-include", "Arduino.h", "-x", "c++", place / "habit_sensor.ino",
                    STAND_INS / "stand-ins.cpp", "-o", program, "-lmosquitto", "-lpthread"], check=True)
    return program


@pytest.fixture
def run(tmp_path):
    started = []

    def start(program, broker, host="127.0.0.1"):
        environment = {**clean_environment(), "SAMPLES": str(tmp_path / "samples.f32"), "BROKER": host, "PORT": str(broker.port)}
        started.append(subprocess.Popen([program], env=environment, stderr=open(tmp_path / "sketch.log", "a", encoding="utf-8")))
        return started[-1]
    yield start
    for child in started:
        child.kill()
        child.wait()


def feel(tmp_path, values):
    (tmp_path / "new").write_bytes(values)
    (tmp_path / "new").rename(tmp_path / "samples.f32")


def test_the_sketch(house, broker, tmp_path, run):
    """It measures evenly, numbers, dates, and outlives the broker."""
    habitd = house.habitd(broker, sections=MACHINE)
    program = compile_sketch(tmp_path)
    period = 1024
    feel(tmp_path, array.array("f", [v for i in range(period) for v in (i / period, -i / period, 1.0)]).tobytes())
    run(program, broker)
    wait_until(lambda: habitd.json("/v1/machines")["machines"] and habitd.learned("pump-1") >= 2, "two buffers learned")
    broker.stop()
    before = habitd.learned("pump-1")
    subprocess.run(["sleep", "2"], check=True)
    broker.start()
    wait_until(lambda: habitd.learned("pump-1") >= before + 3, "what waited, and more", 40)
    lines = [json.loads(line) for line in habitd.get("/v1/machines/pump-1/buffers").text.splitlines()]
    times = [datetime.datetime.fromisoformat(line["time"].replace("Z", "+00:00")) for line in lines]
    assert all((later - sooner).total_seconds() > 0.5 for sooner, later in zip(times, times[1:])), "when they were measured, not sent"
    assert habitd.metrics()["habit_ignored_fields_total"] == 0
    for line in lines:
        x, y, z = (line["data"][axis::3] for axis in range(3))
        for i, (a, b, c) in enumerate(zip(x, y, z)):
            expected = (x[0] * period + i) % period / period
            assert min(abs(a - expected), 1 - abs(a - expected)) <= 0.009, (i, a, expected)
            assert abs(a + b) <= 0.009 and abs(c - 1) <= 0.0045
    assert sum(habitd.refusals().values()) == 0


def test_with_what_habit_node_prints(house, tmp_path, run):
    """node.h replaced by the one with password, CA and rights: a broker with TLS, users and an ACL."""
    broker = house._add(SecureBroker(house._place("mosquitto"), Pki(tmp_path / "pki")))
    broker.use(*broker.pki.sign("broker"))
    node(broker, "add", "habitd", "--gateway", GATEWAY, "--role", "gateway", "--password-file", broker.folder / "gateway.password")
    header = node(broker, "add", "pump-1", "--gateway", GATEWAY, "--ca", broker.pki.certificate).stdout
    broker.start()
    habitd = house.habitd(broker, mqtt=keys(broker), sections=MACHINE)
    feel(tmp_path, b"".join(simulate(tmp_path, 30, 256, 3)))
    run(compile_sketch(tmp_path, header), broker, "localhost")
    wait_until(lambda: habitd.json("/v1/machines")["machines"] and habitd.learned("pump-1") >= 2, "two buffers learned")
