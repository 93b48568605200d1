"""Power cuts: a recording of habitd under load, and thousands of disks that a cut could have left, each opened by habitd's own
recovery (tests/durable). Nothing that was told may be missing, nothing half there, and a weaker setting must be found out."""
import contextlib
import http.client
import json
import os
import re
import sqlite3
import subprocess
import threading

import pytest

from support import GATEWAY, JSON, RAW, ROOT, simulate, wait_until
from watch import BROKER, CLIENT, LONG, MACHINE_SQL, REPLAY, environment, streams

STATES = 20000 if LONG else 2000
TWICE, EACH = (5000, 20) if LONG else (300, 10)  # disks after two cuts, and how many of each recovery
LEARNED, SOURCE = 30, {"source": "s", "boot": "b"}
HTTP_MACHINES, MQTT_MACHINE = [f"h-{i}" for i in range(6)], "m-1"
PUBACK, PUBLISH = 4, 3
SETTINGS = {"buffer_size": 64, "axes": 1, "learn": LEARNED, "false_alarms": "off"}


# ----------------------------------------------------------------------------------------------------------- the script

@pytest.fixture(scope="module")
def buffers(tmp_path_factory):
    """What every machine is sent: nominal ones to learn, then a fault that passes, twice."""
    folder = tmp_path_factory.mktemp("data")
    nominal, faulty = simulate(folder, LEARNED + 40, seed=3), simulate(folder, 12, seed=3, fault="looseness")
    return nominal[:LEARNED + 5] + faulty + nominal[LEARNED + 5:LEARNED + 20] + faulty + nominal[LEARNED + 20:]


def buffer_requests(buffers):
    """verb, body, parameters: the part of the script that goes over either door."""
    for seq, buffer in enumerate(buffers):
        yield ("learn", buffer, {**SOURCE, "seq": seq}) if seq < LEARNED else ("buffer", buffer, {})


def script(machine, buffers):
    """method, path, body, headers: each is a step."""
    base = f"/v1/machines/{machine}"
    yield "PUT", base, json.dumps(SETTINGS), JSON
    yield "POST", base + "/commission", "", {}
    for verb, body, parameters in buffer_requests(buffers):
        query = "&".join(f"{k}={v}" for k, v in parameters.items())
        yield "POST", f"{base}/{'learn' if verb == 'learn' else 'buffers'}?{query}", body, RAW
    yield "POST", "/v1/anomalies/{anomaly}/accept", "", {}
    yield "PUT", base + "/mute", '{"for": "2h", "who": "Ana", "why": "bearing"}', JSON
    yield "DELETE", base + "/mute", "", {}
    yield "PATCH", base, '{"name": "renamed"}', JSON
    yield "PUT", base + "/sensitivity", '{"sensitivity": 1.5}', JSON
    yield "POST", base + "/initialize", "", {}
    yield "POST", base + "/commission", "", {}
    yield "POST", base + "/learn?boot=c&seq=0", b"".join(buffers[:12]), RAW  # a batch: all or nothing
    yield "PATCH", base, '{"name": null}', JSON
    yield "DELETE", base, "", {}


class Script(threading.Thread):
    """Sends a machine its script over a connection of its own; step(n) is called after each."""

    def __init__(self, habitd, machine, buffers, steps=None, each=None):
        super().__init__(daemon=True)
        self.habitd, self.machine, self.each, self.error = habitd, machine, each, None
        self.steps = list(script(machine, buffers))[:steps]
        self.port = None

    def run(self):
        try:
            self.send()
        except Exception as error:  # told to the test, which fails
            self.error = error

    def send(self):
        connection = http.client.HTTPConnection(self.habitd.url.split("//")[1], timeout=30)
        connection.connect()
        self.port = connection.sock.getsockname()[1]
        anomaly = None
        for method, path, body, headers in self.steps:
            connection.request(method, path.format(anomaly=anomaly), body, headers)
            answer = connection.getresponse()
            text = answer.read()
            assert answer.status in (200, 201, 204), (method, path, text)
            anomaly = (json.loads(text).get("anomaly") if text else None) or anomaly  # the last that was raised
            if self.each:
                self.each()
        connection.close()

    def done(self):
        self.join(120)
        assert self.error is None and not self.is_alive(), self.error
        return self


@pytest.fixture(scope="module")
def truth(module_house, buffers):
    """The line of machine.sql after each step, as an undisturbed habitd has it; the first: before anything."""
    habitd = module_house.habitd(flush="1h")
    lines = [""]
    with contextlib.closing(sqlite3.connect(habitd.store, timeout=10)) as database:
        sql = MACHINE_SQL.read_text()

        def look():
            row = database.execute(sql, ("truth",)).fetchone()
            lines.append(row[0] if row else "")

        one = Script(habitd, "truth", buffers, each=look)
        one.send()
    assert len(set(lines)) > LEARNED + 8, "every learn must be told from the others"
    assert "anomalies 2" in lines[-8] or "anomalies 3" in lines[-8], lines[-8]
    return lines


# ------------------------------------------------------------------------------------------------------------ recording

def record_load(house, buffers, folder, **keys):
    """habitd under the script over both doors, until it has ended. Returns the recording and the scripts."""
    recording, broker = folder / "recording", house.broker()
    habitd = house.habitd(broker, start=False)
    habitd.environment = environment(habitd.store, recording, **keys)
    habitd.start().wait_connected()
    first = Script(habitd, MQTT_MACHINE, buffers, steps=2)
    first.send()  # is made and commissioned before its messages come
    scripts = [Script(habitd, machine, buffers, steps=None if i % 2 else -11 + i) for i, machine in enumerate(HTTP_MACHINES)]
    for one in scripts:
        one.start()
    client = house.client(broker)
    for verb, body, parameters in buffer_requests(buffers):
        client.publish(f"{ROOT}/{MQTT_MACHINE}/{verb}", body, wait=False, **parameters)
    for one in scripts:
        one.done()
    wait_until(lambda: sum(1 for _ in pubacks(recording)) == len(buffers), "all messages are acknowledged")
    status, _ = habitd.terminate()
    assert status == 0
    return recording, [first] + scripts


def pubacks(recording):
    for stream in streams(recording):
        if stream.kind_of == BROKER:
            yield from (number for number, kind, _ in stream.mqtt_packets() if kind == PUBACK)


def said(stream):
    """Record, machine of each event that left on <machine>/anomaly."""
    for number, kind, body in stream.mqtt_packets():
        found = kind == PUBLISH and re.match(rb"..habit/v1/" + GATEWAY.encode() + rb"/([\w-]+)/anomaly", body, re.DOTALL)
        if found and b'"event"' in body:
            yield number, found.group(1).decode()


def step_of_events(truth):
    """After which step so many events had been said."""
    found = [re.search(r" said (\S+)", line) for line in truth]
    counts = [0 if not match or match.group(1) == "nothing" else match.group(1).count(",") + 1 for match in found]
    return [next(step for step, have in enumerate(counts) if have >= n) for n in range(1, max(counts) + 1)]


def told(recording, scripts, truth):
    """record, machine, step: by answers over HTTP, by PUBACKs, and by what was published."""
    machines = {one.port: one.machine for one in scripts}
    for stream in streams(recording):
        if stream.kind_of == CLIENT and stream.port in machines:
            for step, (number, status) in enumerate(stream.http_answers(), 1):
                assert status < 300
                yield number, machines[stream.port], step
        elif stream.kind_of == BROKER:
            for count, (number, _, _) in enumerate((p for p in stream.mqtt_packets() if p[1] == PUBACK), 1):
                yield number, MQTT_MACHINE, 2 + count
            events = {}
            for number, machine in said(stream):
                events[machine] = events.get(machine, 0) + 1
                yield number, machine, step_of_events(truth)[events[machine] - 1]


def write_expected(path, recording, scripts, buffers, truth):
    machines = [(MQTT_MACHINE, 2 + len(buffers), len(buffers))] + [(one.machine, len(one.steps), 1) for one in scripts[1:]]
    numbers = {name: i for i, (name, _, _) in enumerate(machines)}
    facts = sorted(told(recording, scripts, truth))
    for i, (name, last, _) in enumerate(machines):
        assert max(step for _, machine, step in facts if machine == name) == last, f"{name}: not all was told"
    lines = [f"T {line}" for line in truth] + [f"M {name} {last} {ahead}" for name, last, ahead in machines]
    path.write_text("\n".join(lines + [f"F {at} {numbers[m]} {step}" for at, m, step in facts]) + "\n")


def replay(recording, expected, folder, states, again=0, pragmas=""):
    """Figures of the replayer, and its text. again: cuts of each recovery from a first one; pragmas: of those recoveries."""
    folder.mkdir()
    done = subprocess.run([REPLAY, recording, expected, MACHINE_SQL, folder, str(states), "1", str(again)], capture_output=True,
                          text=True, timeout=1200, check=False, env={**os.environ, "HABIT_WATCH_PRAGMAS": pragmas})
    assert done.returncode in (0, 1), done.stdout + done.stderr
    words = done.stdout.splitlines()[-1].split()
    print(done.stdout)
    return dict(zip(words[::2], map(int, words[1::2]))), done.stdout


def cut(house, buffers, truth, folder, states, again=0, **keys):
    recording, scripts = record_load(house, buffers, folder, **keys)
    write_expected(folder / "expected", recording, scripts, buffers, truth)
    return replay(recording, folder / "expected", folder / "disk", states, again)


# ---------------------------------------------------------------------------------------------------------------- tests

@pytest.mark.parametrize("pragmas", [None, "PRAGMA wal_autocheckpoint = 10"], ids=["as it is", "many checkpoints"])
def test_power_cut(house, buffers, truth, tmp_path, pragmas):
    """No acknowledged step is missing, none is half there, every disk is whole."""
    found, text = cut(house, buffers, truth, tmp_path, STATES // 2, pragmas=pragmas)
    assert found["states"] == found["fine"] == STATES // 2, text


def test_second_power_cut(house, buffers, truth, tmp_path):
    """The power goes again while habitd recovers, or ends, after the first cut."""
    found, text = cut(house, buffers, truth, tmp_path, TWICE, again=EACH)
    assert found["states"] == found["fine"] == TWICE and found["recoveries"] >= TWICE / EACH / 3, text
    weak, text = replay(tmp_path / "recording", tmp_path / "expected", tmp_path / "weak", 200, EACH, "PRAGMA synchronous = OFF")
    assert weak["fine"] < 190, "a recovery that does not sync is found out: " + text


def test_normal_is_found_out(house, buffers, truth, tmp_path):
    """With synchronous = NORMAL the same tool finds losses."""
    found, text = cut(house, buffers, truth, tmp_path, 300, pragmas="PRAGMA synchronous = NORMAL")
    assert found["lost"] > 30 and found["corrupt"] == 0, text


def test_off_is_found_out(house, buffers, truth, tmp_path):
    """With synchronous = OFF it finds damage too."""
    found, text = cut(house, buffers, truth, tmp_path, 300, pragmas="PRAGMA synchronous = OFF")
    assert found["lost"] > 30 and found["corrupt"] + found["unreadable"] + found["mixed"] > 0, text
