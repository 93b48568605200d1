"""GET /v1/events: what happens is told at once, once, and again to whoever comes back."""
import json
import queue
import socket
import sqlite3
import threading
import time

import pytest
import requests

from support import simulate, wait_until
from test_reports import AT_ONCE, days_earlier, today

STREAMS = 16


class Stream:
    """A reader of events on a thread of its own."""

    def __init__(self, habitd, headers=None, **parameters):
        self.answer = requests.get(habitd.url + "/v1/events", stream=True, timeout=30, headers=headers, params=parameters)
        self.lines, self.events, self.comments, self.ended = queue.Queue(), [], 0, threading.Event()
        self.last_id = None
        if self.answer.status_code == 200:
            threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """As the standard reads: an empty line ends an event, one without data only sets the id."""
        event = {}
        try:
            for line in self.answer.iter_lines(chunk_size=1, decode_unicode=True):
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    event[name] = value
                else:
                    self.last_id = event.get("id", self.last_id)
                    if "data" in event:
                        self.events.append(event)
                    event = {}
        except (requests.RequestException, OSError, AttributeError, ValueError):
            pass
        self.ended.set()

    def of(self, kind):
        return [json.loads(e["data"]) for e in list(self.events) if e["event"] == kind]

    def ids(self):
        return [int(e["id"]) for e in list(self.events) if "id" in e]

    def wait(self, kind, check=bool):
        return wait_until(lambda: next((d for d in self.of(kind) if check(d)), None), kind)

    def close(self):
        """Also for the thread that reads."""
        self.answer.raw.connection.sock.shutdown(socket.SHUT_RDWR)


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("nominal"), 160, 64, 1, seed=5)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("faulty"), 20, 64, 1, seed=5, fault="looseness")


def watch(habitd, machine, nominal):
    habitd.put_machine(machine, buffer_size=64, axes=1, learn=60, false_alarms="off")
    habitd.act(machine, "commission")
    send(habitd, machine, nominal[:60])


def send(habitd, machine, buffers):
    answer = habitd.request("POST", f"/v1/machines/{machine}/buffers", data=b"".join(buffers),
                            headers={"Content-Type": "application/octet-stream"})
    assert answer.status_code == 200, answer.text


def episode(habitd, machine, nominal, faulty):
    send(habitd, machine, faulty)
    send(habitd, machine, nominal[60:110])


def test_an_anomaly_is_told_at_once(habitd, nominal, faulty):
    watch(habitd, "pump-1", nominal)
    stream = Stream(habitd, types="anomaly")
    assert stream.answer.headers["Content-Type"] == "text/event-stream"
    assert stream.answer.headers["Cache-Control"] == "no-store"
    wait_until(lambda: stream.last_id is not None, "the beginning")
    began = time.monotonic()
    send(habitd, "pump-1", faulty)
    raised = stream.wait("anomaly")
    assert time.monotonic() - began < 0.9, "told with the commit, not with the next look"
    assert raised["event"] == "raised" and raised["machine"] == "pump-1" and raised["explanation"]
    send(habitd, "pump-1", nominal[60:110])
    stream.wait("anomaly", lambda d: d["event"] == "cleared" and d["id"] == raised["id"])
    assert stream.of("state") == [] and stream.ids() == sorted(set(stream.ids()))


def test_states_are_told(habitd, nominal):
    """All at first, then what changes."""
    watch(habitd, "pump-1", nominal)
    watch(habitd, "pump-2", nominal)
    stream = Stream(habitd)
    stream.wait("state", lambda d: d["machine"] == "pump-1")
    stream.wait("state", lambda d: d["machine"] == "pump-2")
    last = habitd.post("pump-2", "buffers", nominal[70])
    stream.wait("state", lambda d: d["machine"] == "pump-2" and d["distance"] == last["distance"])
    assert len([d for d in stream.of("state") if d["machine"] == "pump-1"]) == 1
    assert not any("id" in e for e in stream.events), "there is nothing to replay"


def test_one_machine_only(habitd, nominal, faulty):
    for machine in ("pump-1", "pump-10"):
        watch(habitd, machine, nominal)
    stream = Stream(habitd, machine="pump-1")
    episode(habitd, "pump-10", nominal, faulty)
    episode(habitd, "pump-1", nominal, faulty)
    stream.wait("anomaly", lambda d: d["event"] == "cleared")
    assert {d["machine"] for d in stream.of("anomaly") + stream.of("state")} == {"pump-1"}


def test_reports_are_told(house, nominal):
    """Without a broker too; those of each machine, then that of all together."""
    habitd = house.habitd(sections=AT_ONCE)
    watch(habitd, "pump-1", nominal)
    days_earlier(habitd, 1)
    habitd.start()
    stream = Stream(habitd, types="report", after=0)
    wait_until(lambda: len(stream.of("report")) >= 2, "both")
    machine, fleet = stream.of("report")[:2]
    assert machine["machine"] == "pump-1" and machine["date"] == fleet["date"] == today(-1)
    assert machine["learned"] == 60 and "machine" not in fleet
    one = Stream(habitd, types="report", machine="pump-1", after=0)
    one.wait("report")
    assert [d["machine"] for d in one.of("report")] == ["pump-1"]


def test_replay_after_a_restart(habitd, nominal, faulty):
    """Whoever says which event came last gets those after it, in order, once."""
    watch(habitd, "pump-1", nominal)
    everything = Stream(habitd, types="anomaly", after=0)
    episode(habitd, "pump-1", nominal, faulty)
    first = Stream(habitd, types="anomaly", after=0)
    first.wait("anomaly", lambda d: d["event"] == "cleared")
    last = first.last_id
    first.close()
    for _ in range(3):
        episode(habitd, "pump-1", nominal, faulty)
    wait_until(lambda: len([d for d in everything.of("anomaly") if d["event"] == "cleared"]) == 4, "all")
    habitd.crash()
    again = Stream(habitd, headers={"Last-Event-ID": last}, types="anomaly")
    wait_until(lambda: len([d for d in again.of("anomaly") if d["event"] == "cleared"]) == 3, "those that were missed")
    missed = [e for e in everything.events if int(e["id"]) > int(last)]
    assert again.events == missed and again.ids() == sorted(set(again.ids()))
    assert Stream(habitd, types="anomaly").of("anomaly") == [], "without an id it begins now"


def test_what_is_kept_no_more_is_a_gap(habitd, nominal, faulty):
    watch(habitd, "pump-1", nominal)
    episode(habitd, "pump-1", nominal, faulty)
    stream = Stream(habitd, headers={"Last-Event-ID": "999999"})
    gap = stream.wait("gap")
    assert gap["after"] == 999999 and gap["newest"] >= 2
    assert int(stream.last_id) == gap["newest"]
    episode(habitd, "pump-1", nominal, faulty)
    stream.wait("anomaly", lambda d: d["event"] == "cleared")


def test_what_a_slow_reader_misses_is_a_gap(habitd, nominal, faulty):
    """More happens than is kept while its connection is stuck, so that the stream goes on behind a hole; here the hole is cut."""
    watch(habitd, "pump-1", nominal)
    stream = Stream(habitd, types="anomaly")
    episode(habitd, "pump-1", nominal, faulty)
    stream.wait("anomaly", lambda d: d["event"] == "cleared")
    seen = int(stream.last_id)
    assert not stream.of("gap")
    with sqlite3.connect(habitd.store) as store:
        store.execute("UPDATE sqlite_sequence SET seq = seq + 5000 WHERE name = 'event'")
    episode(habitd, "pump-1", nominal, faulty)
    stream.wait("anomaly", lambda d: d["id"] == 2 and d["event"] == "cleared")
    (gap,) = stream.of("gap")
    assert (gap["after"], gap["oldest"]) == (seen, seen + 5001) and gap["newest"] >= gap["oldest"]
    assert [e["event"] for e in stream.events].index("gap") == len([e for e in stream.events if "id" in e and int(e["id"]) <= seen])
    again = Stream(habitd, headers={"Last-Event-ID": str(seen)}, types="anomaly")
    again.wait("anomaly", lambda d: d["event"] == "cleared")
    assert len(again.of("gap")) == 1, "said once"


@pytest.mark.parametrize("headers, parameters", [
    ({"Last-Event-ID": "x"}, {}), ({"Last-Event-ID": "-1"}, {}), ({"Last-Event-ID": "9" * 30}, {}),
    ({}, {"after": "1.5"}), ({}, {"types": "anomalies"}), ({}, {"types": "state,,anomaly"}), ({}, {"machine": "a b"}),
    ({}, {"colour": "red"})])
def test_bad_requests(shared_habitd, headers, parameters):
    answer = shared_habitd.get("/v1/events", headers=headers, params=parameters)
    assert answer.status_code == 400 and answer.headers["Content-Type"] == "application/problem+json"


def clients(habitd):
    return habitd.metrics()["habit_sse_clients"]


def test_head_takes_no_place(habitd):
    answer = habitd.request("HEAD", "/v1/events")
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "text/event-stream"
    assert habitd.request("HEAD", "/v1/events?types=x").status_code == 400
    for _ in range(20):  # on the same connection: nothing of a body is in the way
        assert habitd.request("HEAD", "/v1/events").status_code == 200
        assert habitd.get("/livez").status_code == 200
    assert clients(habitd) == 0


def test_streams_are_capped(habitd):
    streams = [Stream(habitd) for _ in range(STREAMS)]
    assert all(s.answer.status_code == 200 for s in streams) and clients(habitd) == STREAMS
    refused = habitd.get("/v1/events")
    assert refused.status_code == 429 and refused.json()["limit"] == STREAMS
    assert habitd.get("/livez").status_code == 200
    streams[3].close()
    wait_until(lambda: clients(habitd) == STREAMS - 1, "one is free")
    assert Stream(habitd).answer.status_code == 200


def test_gone_clients_are_noticed(habitd):
    """At once, not with the next heartbeat: closed, and reset."""
    for linger in (None, b"\1\0\0\0\0\0\0\0"):
        host, port = habitd.url.removeprefix("http://").split(":")
        client = socket.create_connection((host, int(port)))
        client.sendall(b"GET /v1/events?types=anomaly HTTP/1.1\r\nHost: localhost\r\n\r\n")
        while b"id: " not in client.recv(4096):
            pass  # all is read: else closing would reset
        assert clients(habitd) == 1
        if linger:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        began = time.monotonic()
        client.close()
        wait_until(lambda: clients(habitd) == 0, "gone")
        assert time.monotonic() - began < 5


def test_heartbeat(habitd):
    """Within the time after which a silent connection would be closed, and beyond it the stream lives."""
    stream = Stream(habitd, types="anomaly")
    wait_until(lambda: stream.comments >= 2, "two heartbeats", 25)
    assert not stream.ended.is_set()


def test_stopping_ends_streams(habitd):
    streams = [Stream(habitd) for _ in range(4)]
    status, seconds = habitd.terminate()
    assert status == 0 and seconds < 5
    assert all(s.ended.wait(2) for s in streams)


def test_a_reader_that_does_not_read(habitd, nominal):
    """Holds up nobody."""
    for i in range(20):
        watch(habitd, f"pump-{i}", nominal)
    host, port = habitd.url.removeprefix("http://").split(":")
    client = socket.create_connection((host, int(port)))
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    client.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    reader = Stream(habitd)
    for _ in range(3):
        for i in range(20):
            habitd.post(f"pump-{i}", "buffers", nominal[80])
        time.sleep(1.1)
    wait_until(lambda: len(reader.of("state")) >= 60, "the other reader has it all")
    status, seconds = habitd.terminate(8)
    assert status == 0 and seconds < 5
    client.close()
