"""A day in little: everything that habitd does, at once and again and again, with a broker that restarts and clients that come and
go. Measured whenever all of them pause: memory, descriptors, threads and the files of the store are after the warm-up what they were.
30 minutes in ./dev test --long; HABIT_SOAK sets the seconds."""
import contextlib
import itertools
import json
import os
import random
import statistics
import threading
import time

import pytest
import requests

from support import RAW, ROOT, numbers, simulate, wait_until
from watch import LONG

SECONDS = float(os.environ.get("HABIT_SOAK", 1800 if LONG else 30))
TURN = 10 if SECONDS > 300 else 2.5   # seconds of load between two measurements
BROKER_TURNS = 6                      # turns from one restart of the broker to the next
MACHINES = 20
PACE = 0.003                          # seconds that each client rests after each act: other work shares the processors
# From the second quarter, the first being the warm-up, to the last one, medians, at most. Half a minute is a warm-up for the
# allocator's arenas, which move by some MiB.
MORE_MEMORY = 6 << 20 if SECONDS >= 600 else 24 << 20
MORE_FILES, MORE_THREADS, MORE_STORE = 2, 1, 16 << 20
SETTINGS = {"buffer_size": 64, "axes": 1, "false_alarms": "off", "start": "auto", "learn": 60}


# ---------------------------------------------------------------------------------------------------------------- clients

class Worker(threading.Thread):
    """Does one thing after the other until it is told to pause or to end; each of its connections is closed in a pause."""

    def __init__(self, load, name, act):
        super().__init__(daemon=True, name=name)
        self.load, self.act, self.acts, self.error, self.paused = load, act, 0, None, threading.Event()
        self.chance = random.Random(name)

    def run(self):
        try:
            while not self.load.ended:
                self.work()
                self.paused.set()
                self.load.gate.wait()
                self.paused.clear()
        except Exception as error:  # told to the test, which fails
            self.error = error
            self.paused.set()

    def work(self):
        session = requests.Session()
        while self.load.gate.is_set() and not self.load.ended:
            self.act(self, session)
            self.acts += 1
            time.sleep(PACE)
            if self.acts % 50 == 0:
                session.close()
        session.close()


class Load:
    """habitd, its broker, and all who use them."""

    def __init__(self, house, nominal, faulty):
        self.house, self.broker = house, house.broker()
        self.habitd = house.habitd(self.broker, mqtt="commands = yes")
        self.nominal, self.faulty = nominal, faulty
        self.gate, self.ended = threading.Event(), False
        self.client = house.client(self.broker)
        self.client.paho.reconnect_delay_set(1, 2)
        for machine in range(MACHINES):
            self.habitd.put_machine(f"m-{machine}", **SETTINGS)
            self.habitd.request("POST", f"/v1/machines/m-{machine}/buffers", data=b"".join(nominal[:72]), headers=RAW)
        acts = [raw, raw, as_json, lines, reads, streams, comes_and_goes, bad, over_mqtt, over_mqtt, commands, breaks]
        self.workers = [Worker(self, f"{act.__name__}-{i}", lambda *them, act=act: act(self, *them)) for i, act in enumerate(acts)]

    def start(self):
        self.gate.set()
        for worker in self.workers:
            worker.start()

    def pause(self):
        self.gate.clear()
        for worker in self.workers:
            assert worker.paused.wait(60), f"{worker.name} does not pause"
            assert worker.error is None, f"{worker.name}: {worker.error!r}"
        settled = lambda: self.connections() <= 1  # that of metrics itself
        wait_until(settled, "all connections are closed")

    def connections(self):
        """TCP connections that habitd has accepted and still has."""
        port = int(self.habitd.url.rsplit(":", 1)[1])
        rows = [line.split() for line in open("/proc/net/tcp", encoding="ascii").readlines()[1:]]
        return sum(row[1].endswith(f":{port:04X}") and row[3] == "01" for row in rows)

    def resume(self):
        self.gate.set()

    def end(self):
        self.ended = True
        self.gate.set()
        for worker in self.workers:
            worker.join(30)

    def url(self, path):
        return self.habitd.url + path

    def buffer(self, chance):
        return self.nominal[chance.randrange(len(self.nominal))]


def machine(chance):
    return f"m-{chance.randrange(1, MACHINES)}"


def ok(answer, *others):
    assert answer.status_code in (200, 201, 204, *others), (answer.request.method, answer.url, answer.status_code, answer.text[:300])
    return answer


def raw(load, worker, session):
    verb = worker.chance.choice(("detect", "buffers", "learn"))
    ok(session.post(load.url(f"/v1/machines/{machine(worker.chance)}/{verb}"), data=load.buffer(worker.chance), headers=RAW, timeout=20,
                    params={"source": worker.name, "boot": "b", "seq": worker.acts}))


def as_json(load, worker, session):
    body = {"data": numbers(load.buffer(worker.chance)), "context": {"temperature": worker.acts % 90}}
    ok(session.post(load.url(f"/v1/machines/{machine(worker.chance)}/detect"), json=body, timeout=20))


def lines(load, worker, session):
    text = "\n".join(json.dumps({"machine": machine(worker.chance), "data": numbers(load.buffer(worker.chance))}) for _ in range(5))
    ok(session.post(load.url("/v1/buffers"), data=text, headers={"Content-Type": "application/x-ndjson"}, timeout=20))


READ = ["/", "/page/app.js", "/v1/machines", "/metrics", "/readyz", "/livez", "/openapi.json", "/v1/anomalies", "/v1/reports/daily",
        "/v1/machines/m-1/history", "/v1/machines/m-1/knowledge", "/v1/machines/m-1/snapshots", "/v1/machines/m-2/recent",
        "/v1/audit?limit=20", "/v1/episodes", "/v1/pending"]


def reads(load, worker, session):
    ok(session.get(load.url(READ[worker.acts % len(READ)]), timeout=20))
    time.sleep(0.01)


def streams(load, worker, session):
    """A page that is opened, looked at, and closed without a goodbye."""
    with contextlib.suppress(requests.ConnectionError, requests.Timeout):
        with requests.get(load.url("/v1/events"), stream=True, timeout=0.5) as answer:
            ok(answer, 429)
            for _ in itertools.islice(answer.iter_lines(), worker.chance.randrange(10)):
                pass
    time.sleep(0.05)


def comes_and_goes(load, worker, session):
    name = load.url(f"/v1/machines/x-{worker.acts % 7}")
    ok(session.put(name, json=SETTINGS, timeout=20))
    ok(session.post(name + "/buffers", data=b"".join(load.nominal[:40]), headers=RAW, timeout=20))
    ok(session.delete(name, timeout=20))
    time.sleep(0.5)


BAD = [("learn", b"x" * 7, RAW), ("learn", b"{", {"Content-Type": "application/json"}), ("detect", b"\xff" * 256, RAW),
       ("nothing", b"", RAW), ("detect", b"1,2,3", {"Content-Type": "text/csv"})]


def bad(load, worker, session):
    verb, body, headers = BAD[worker.acts % len(BAD)]
    answer = session.post(load.url(f"/v1/machines/m-3/{verb}"), data=body, headers=headers, timeout=20)
    assert 400 <= answer.status_code < 500, answer.text
    time.sleep(0.05)


def publish(load, topic, payload, **more):
    """Waits for the broker, which may be away for a moment."""
    info = load.client.publish(topic, payload, wait=False, **more)
    with contextlib.suppress(ValueError, RuntimeError):
        info.wait_for_publish(10)


def over_mqtt(load, worker, _session):
    verb = worker.chance.choice(("detect", "buffer", "learn"))
    publish(load, f"{ROOT}/{machine(worker.chance)}/{verb}", load.buffer(worker.chance), source=worker.name, boot="b", seq=worker.acts)
    if worker.acts % 20 == 0:
        publish(load, f"{ROOT}/{machine(worker.chance)}/detect", b"too short")
        publish(load, f"{ROOT}/unknown-{worker.acts}/buffer", load.buffer(worker.chance))


def commands(load, worker, _session):
    verb, body = worker.chance.choice((("sensitivity", '{"sensitivity": 1.1}'), ("snapshot", "{}"), ("nonsense", "{}")))
    publish(load, f"{ROOT}/{machine(worker.chance)}/cmd/{verb}", body)
    time.sleep(0.5)


def breaks(load, worker, session):
    """m-0 has a fault, and is well again: anomalies, evidence, events."""
    for buffers in (load.faulty, load.nominal[72:112]):
        for buffer in buffers:
            ok(session.post(load.url("/v1/machines/m-0/detect"), data=buffer, headers=RAW, timeout=20))
    time.sleep(0.5)


# ----------------------------------------------------------------------------------------------------------- measurements

def measure(habitd):
    process = f"/proc/{habitd.child.pid}"
    status = dict(line.split(":", 1) for line in open(f"{process}/status", encoding="ascii"))
    store = [habitd.store, habitd.store.with_name("habit.db-wal")]
    return {"memory": int(status["VmRSS"].split()[0]) * 1024, "threads": int(status["Threads"]),
            "files": len(os.listdir(f"{process}/fd")), "store": sum(os.stat(file).st_size for file in store)}


def growth(samples, key):
    """From the second quarter to the last one; the first is the warm-up."""
    values = [sample[key] for sample in samples]
    quarter = len(values) // 4
    return statistics.median(values[-quarter:]) - statistics.median(values[quarter:2 * quarter])


@pytest.fixture
def load(house, tmp_path):
    load = Load(house, simulate(tmp_path, 120, seed=3), simulate(tmp_path, 20, seed=3, fault="looseness"))
    yield load
    load.end()


def test_soak(load):
    load.start()
    samples, end = [], time.monotonic() + SECONDS
    while time.monotonic() < end:
        time.sleep(TURN)
        if len(samples) % BROKER_TURNS == BROKER_TURNS - 1:
            load.broker.stop()
            load.broker.start()
            time.sleep(1)
        load.pause()
        samples.append(measure(load.habitd))
        load.resume()
    load.pause()
    acts = {worker.name: worker.acts for worker in load.workers}
    found = {key: growth(samples, key) for key in samples[0]}
    print([sample["memory"] >> 10 for sample in samples], [sample["files"] for sample in samples])
    print(f"{SECONDS:.0f} s, {sum(acts.values())} acts {acts}\n"
          f"first {samples[0]}\nsecond quarter {samples[len(samples) // 4]}\nlast {samples[-1]}\ngrowth {found}")
    assert all(acts.values()), acts
    assert found["files"] <= MORE_FILES and found["threads"] <= MORE_THREADS, found
    assert found["memory"] <= MORE_MEMORY, found
    assert found["store"] <= MORE_STORE, found
    load.habitd.wait_connected(70)
    metrics = load.habitd.metrics()
    assert metrics["habit_store_failed_commits_total"] == 0
    assert metrics["habit_outbox_messages"] == 0 or load.habitd.connected()
