"""What a broker, its network and its other clients can do to habitd: each ends as degraded with a reason in /readyz, is over by
itself when its cause is, and loses nothing acknowledged: numbered buffers are learned once, anomalies arrive once."""
import contextlib
import os
import select
import socket
import subprocess
import threading
import time

import pytest

from support import BUILD, GATEWAY, ROOT, configuration, free_port, simulate, wait_until
from watch import LONG

SIZE = {"buffer_size": 64, "axes": 1, "false_alarms": "off"}
KEEPALIVE = 5
TOPIC = f"{ROOT}/pump-1/learn"


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 160, seed=3)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 30, seed=3, fault="looseness")


# --------------------------------------------------------------------------------------------------------------- network

class Proxy:
    """The network between habitd and its broker. While it is a hole, packets vanish and connections stay."""

    def __init__(self, broker):
        self.target, self.port = broker.port, None
        self.hole, self.ended, self.accepted = False, False, 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.pairs = {}  # socket: its other end, None = into the hole
        self.thread.start()

    def running(self):
        return True

    def serve(self):
        while not self.ended:
            ready, _, _ = select.select([self.listener, *self.pairs], [], [], 0.05)
            for one in ready:
                if one is self.listener:
                    self.accept()
                elif one in self.pairs:
                    self.pass_on(one)

    def accept(self):
        client, _ = self.listener.accept()
        self.accepted += 1
        if self.hole:
            self.pairs[client] = None
            return
        try:
            server = socket.create_connection(("127.0.0.1", self.target), 2)
        except OSError:
            client.close()
            return
        self.pairs.update({client: server, server: client})

    def pass_on(self, one):
        try:
            data = one.recv(65536)
        except OSError:
            data = b""
        other = self.pairs[one]
        if data and (self.hole or not other):
            if other:  # this connection will never be whole again
                self.pairs[one] = self.pairs[other] = None
        elif data:
            with contextlib.suppress(OSError):
                other.sendall(data)
        elif not self.hole:
            self.drop(one)
        else:
            self.forget(one)

    def forget(self, one):
        """An end that closes: the other one does not learn of it."""
        other = self.pairs.pop(one)
        one.close()
        if other in self.pairs:
            self.pairs[other] = None

    def drop(self, one):
        other = self.pairs.pop(one)
        one.close()
        if other:
            self.pairs.pop(other, None)
            other.close()

    def swallow(self):
        self.hole = True

    def heal(self):
        self.hole = False

    def close(self):
        self.ended = True
        self.thread.join(5)
        for one in [self.listener, *self.pairs]:
            one.close()


@pytest.fixture
def proxy(broker):
    proxy = Proxy(broker)
    yield proxy
    proxy.close()


# ----------------------------------------------------------------------------------------------------------------- parts

def state(habitd):
    return habitd.json("/readyz")


def named(habitd, words):
    """readyz says degraded, answers 200, and has a reason with these words."""
    now = state(habitd)
    return now["status"] == "degraded" and any(words in reason for reason in now["reasons"])


def away(habitd, words="the broker is not connected", seconds=20):
    wait_until(lambda: not habitd.connected() and named(habitd, words), f"readyz says: {words}", seconds)


def back(habitd, seconds=90):
    wait_until(lambda: habitd.connected() and state(habitd)["status"] == "ready", "ready again by itself", seconds)


def prepare(habitd, nominal):
    """pump-1 learns on, pump-2 watches."""
    habitd.put_machine("pump-1", **SIZE, learn=100000)
    habitd.act("pump-1", "commission")
    habitd.put_machine("pump-2", **SIZE, learn=60)
    habitd.act("pump-2", "commission")
    habitd.post_all("pump-2", "buffers", nominal[:72])


class Numbered:
    """Buffers over MQTT, each with a number; the broker has acknowledged those that are counted."""

    def __init__(self, house, broker, nominal):
        self.house, self.broker, self.nominal, self.count = house, broker, nominal, 0

    def send(self, count):
        client = self.house.client(self.broker)
        for _ in range(count):
            client.publish(TOPIC, self.nominal[self.count % len(self.nominal)], source="esp", boot="b", seq=self.count)
            self.count += 1
        client.close()

    def all_learned(self, habitd, seconds=30):
        wait_until(lambda: habitd.learned("pump-1") >= self.count, f"{self.count} learned", seconds)
        assert habitd.learned("pump-1") == self.count


def listen(house, broker):
    """A client that misses nothing, wherever it was meanwhile."""
    return house.client(broker, subscribe=[f"{ROOT}/pump-2/anomaly"], name="listener", persistent=True)


def raise_and_clear(habitd, nominal, faulty):
    """Over HTTP. Returns the anomaly's number."""
    number = habitd.post_all("pump-2", "buffers", faulty[:20])[-1]["anomaly"]
    assert number is not None
    assert habitd.post_all("pump-2", "buffers", nominal[72:110])[-1]["anomaly"] is None
    return number


def events(client):
    return [(e["event"], e["id"]) for e in client.documents(f"{ROOT}/pump-2/anomaly") if e["event"] != "worsened"]


def arrive_once(client, *numbers):
    """Each raised and each cleared, in order, and nothing twice."""
    wanted = [(event, number) for number in numbers for event in ("raised", "cleared")]
    wait_until(lambda: len(events(client)) >= len(wanted), "the anomalies")
    time.sleep(1)  # for what should not come any more
    assert events(client) == wanted


def open_files(habitd):
    return len(os.listdir(f"/proc/{habitd.child.pid}/fd"))


def connects(broker, name=f"habit-{GATEWAY}"):
    """How often this client was accepted."""
    return broker.log().count(f" as {name} ")


# ----------------------------------------------------------------------------------------------------- stopped, flapping

def test_stopped_and_started(house, broker, nominal, faulty):
    habitd = house.habitd(broker)
    prepare(habitd, nominal)
    listen(house, broker).close()
    numbered = Numbered(house, broker, nominal)
    numbered.send(30)
    numbered.all_learned(habitd)
    broker.stop()
    away(habitd, "the broker is not connected: Connection refused")
    number = raise_and_clear(habitd, nominal, faulty)
    broker.start()
    client = listen(house, broker)
    back(habitd)
    numbered.send(10)
    numbered.all_learned(habitd)
    arrive_once(client, number)


def test_flapping(house, broker, nominal, faulty):
    """Up for a second, down for a second, for a minute."""
    habitd = house.habitd(broker)
    prepare(habitd, nominal)
    listen(house, broker).close()
    numbered = Numbered(house, broker, nominal)
    files, before, reasons = open_files(habitd), connects(broker), 0
    turns = 30 if LONG else 6
    for turn in range(turns):
        broker.stop()  # what it has acknowledged is saved
        time.sleep(1)
        reasons += named(habitd, "the broker is not connected")
        if turn == 2:
            number = raise_and_clear(habitd, nominal, faulty)
        broker.start()
        numbered.send(10)
        time.sleep(1)
    assert reasons == turns, "it was away each time"
    began = time.monotonic()
    back(habitd, 100)
    assert time.monotonic() - began < 62, "the longest back-off, and a little"
    assert "is there another client" not in habitd.log(), "nobody is accused"
    assert connects(broker) - before <= turns + 2
    numbered.all_learned(habitd)
    arrive_once(listen(house, broker), number)
    assert abs(open_files(habitd) - files) <= 2
    lines = [line for line in habitd.log().splitlines() if "is not connected (" in line]
    assert len(lines) <= 2 * turns + 2, "\n".join(lines)
    print(f"{turns} times down, {connects(broker) - before} connections, back after {time.monotonic() - began:.1f} s, {numbered.count} learned")


def test_stopped_whenever_connected(house, broker, nominal):
    """A broker that goes as soon as habitd is there: the back-off grows, nobody is accused."""
    habitd = house.habitd(broker)
    prepare(habitd, nominal)
    numbered = Numbered(house, broker, nominal)
    for _ in range(5 if LONG else 2):
        numbered.send(10)
        broker.stop()
        away(habitd, "Connection refused", 70)
        broker.start()
        habitd.wait_connected(70)
    assert not any("another client" in reason for reason in state(habitd)["reasons"]), state(habitd)
    numbered.all_learned(habitd)
    back(habitd)


# ------------------------------------------------------------------------------------------------------------ black hole

def test_black_hole(house, broker, proxy, nominal, faulty):
    """Packets vanish, the connection stays open: known within twice the keepalive."""
    habitd = house.habitd(proxy, mqtt=f"keepalive = {KEEPALIVE}")
    prepare(habitd, nominal)
    client, numbered = listen(house, broker), Numbered(house, broker, nominal)
    numbered.send(30)
    numbered.all_learned(habitd)
    proxy.swallow()
    began = time.monotonic()
    numbered.send(30)
    number = raise_and_clear(habitd, nominal, faulty)
    away(habitd, "no answer to a ping within the keepalive", 2 * KEEPALIVE + 3)
    noticed = time.monotonic() - began
    time.sleep(12)  # connections that nobody answers
    assert named(habitd, "no answer"), state(habitd)
    proxy.heal()
    back(habitd, 60)
    numbered.all_learned(habitd)
    arrive_once(client, number)
    assert noticed < 2 * KEEPALIVE + 2
    print(f"noticed after {noticed:.1f} s with keepalive {KEEPALIVE}")


def test_black_hole_while_reading(house, broker, proxy, nominal):
    """In the middle of many messages, several times."""
    habitd = house.habitd(proxy, mqtt=f"keepalive = {KEEPALIVE}")
    prepare(habitd, nominal)
    numbered = Numbered(house, broker, nominal)
    sender = threading.Thread(target=numbered.send, args=(1500,))
    sender.start()
    for turn in range(4 if LONG else 1):
        seen = habitd.learned("pump-1")
        wait_until(lambda: habitd.learned("pump-1") > seen + 50 or not sender.is_alive(), "under way")
        proxy.swallow()
        away(habitd, seconds=2 * KEEPALIVE + 3)
        proxy.heal()
        wait_until(habitd.connected, "connected again", 60)
    sender.join(60)
    numbered.all_learned(habitd, 60)
    back(habitd)


# ------------------------------------------------------------------------------------------------------------- session

def test_session_lost(house, broker, nominal, faulty):
    """A broker that comes back without any memory: what was not yet published comes all the same."""
    habitd = house.habitd(broker)
    prepare(habitd, nominal)
    broker.kill()
    broker.forget()
    away(habitd)
    number = raise_and_clear(habitd, nominal, faulty)
    port = broker.port
    broker.port = free_port()  # the listener first, so that it misses nothing of what comes then
    broker.start()
    listen(house, broker).close()
    broker.stop()
    broker.port = port
    broker.start()
    client, numbered = listen(house, broker), Numbered(house, broker, nominal)
    back(habitd)
    wait_until(lambda: "new session" in habitd.log().split("is not connected")[-1], "a new session")
    numbered.send(20)
    numbered.all_learned(habitd)
    arrive_once(client, number)


def test_id_taken_by_a_second_habitd(house, broker, nominal):
    """Two with one gateway ID: neither storms, both say what is wrong, and one that is alone again works."""
    first = house.habitd(broker)
    prepare(first, nominal)
    before = connects(broker)
    second = house.habitd(broker, start=False)
    second.start()
    seconds = 60 if LONG else 20
    began = time.monotonic()
    wait_until(lambda: named(first, f"another client seems to use our ID 'habit-{GATEWAY}'"), "the first names it", 40)
    wait_until(lambda: named(second, f"another client seems to use our ID 'habit-{GATEWAY}'"), "the second names it", 40)
    time.sleep(max(0, seconds - (time.monotonic() - began)))
    taken = time.monotonic() - began
    count = connects(broker) - before
    for habitd in (first, second):
        lines = [line for line in habitd.log().splitlines() if f"another client with id 'habit-{GATEWAY}'" in line]
        assert 1 <= len(lines) <= 1 + taken / 10, "\n".join(lines)
    assert count <= 20, f"{count} connections in {taken:.0f} s"
    second.terminate()
    first.wait_connected(70)
    numbered = Numbered(house, broker, nominal)
    numbered.send(20)
    numbered.all_learned(first)
    print(f"{count} connections of both in {taken:.0f} s")
    if LONG:
        back(first, 200)


def test_id_taken_by_a_rude_client(house, broker, nominal):
    """It comes back at once, each time, and throws habitd's session away."""
    habitd = house.habitd(broker)
    prepare(habitd, nominal)
    before, end = connects(broker), time.monotonic() + (60 if LONG else 15)
    rude = 0
    while time.monotonic() < end:
        if habitd.connected():
            house.client(broker, name=f"habit-{GATEWAY}").close()
            rude += 1
        time.sleep(0.05)
    mine = connects(broker) - before - rude
    assert named(habitd, "another client seems to use our ID")
    assert mine <= 10, f"{mine} connections"
    habitd.wait_connected(70)
    numbered = Numbered(house, broker, nominal)
    numbered.send(20)
    numbered.all_learned(habitd)
    print(f"thrown out {rude} times, {mine} connections")


# ------------------------------------------------------------------------------------------------------ names and rights

def test_name_that_resolves_late(house, broker, nominal, tmp_path):
    """A gateway is often up before its network is."""
    address = tmp_path / "address"
    habitd = house.habitd(broker, start=False,
                          environment={"LD_PRELOAD": str(BUILD / "tests" / "system" / "liblate_name.so"), "LATE_NAME": str(address)})
    habitd.conf.write_text(configuration(habitd.store, broker).replace("host = 127.0.0.1", "host = late.example"))
    habitd.start()
    prepare(habitd, nominal)
    time.sleep(3)
    away(habitd, "Lookup error")
    address.write_text("127.0.0.1")
    back(habitd, 30)
    numbered = Numbered(house, broker, nominal)
    numbered.send(20)
    numbered.all_learned(habitd)


def test_refused_for_a_while(house, nominal, tmp_path):
    """The password at the broker is changed later than ours."""
    broker = house.broker()
    broker.stop()
    passwords, secret = broker.folder / "passwords", tmp_path / "secret"

    def allow(password):
        passwords.touch(mode=0o600)
        subprocess.run(["mosquitto_passwd", "-b", passwords, "habit", password], check=True, capture_output=True)
        if broker.running():
            broker.reload()

    configure = broker.configure
    broker.configure = lambda: (configure(), open(broker.folder / "mosquitto.conf", "a").write(f"password_file {passwords}\n"))
    allow("old")
    broker.start()
    secret.write_text("new\n")
    secret.chmod(0o600)
    habitd = house.habitd(broker, start=False, mqtt=f"username = habit\npassword_file = {secret}")
    habitd.start()
    prepare(habitd, nominal)
    away(habitd, "broker refused us: Not authorized")
    before = connects(broker)
    allow("new")
    back(habitd, 40)
    assert connects(broker) - before == 1
    numbered = Numbered(house, broker, nominal)
    numbered.send(20)
    numbered.all_learned(habitd)


def test_a_broker_that_takes_no_large_packets(house, nominal, faulty):
    """What is too large for it is dropped and counted, and said once a minute; what it takes comes."""
    broker = house.broker()
    broker.stop()
    configure = broker.configure
    broker.configure = lambda: (configure(), (broker.folder / "mosquitto.conf").open("a").write("max_packet_size 300\n"))
    broker.start()
    habitd = house.habitd(broker)
    habitd.wait_connected()
    client = house.client(broker, subscribe=[f"{ROOT}/#"])
    habitd.put_machine("pump-1", buffer_size=64, axes=1, learn=60, false_alarms="off", threshold=90)
    habitd.act("pump-1", "commission")
    habitd.post_all("pump-1", "buffers", nominal[:60])
    for buffer in faulty[:12]:
        habitd.post("pump-1", "buffers", buffer)
        time.sleep(0.3)
    wait_until(habitd.anomalies, "an anomaly")
    client.wait_text(f"{ROOT}/pump-1/availability", "online")
    wait_until(lambda: habitd.metrics()["habit_outbox_dropped_total"] >= 1, "it is counted")
    said = [line for line in habitd.log().splitlines() if "cannot publish" in line]
    assert len(said) == 1, said
    assert habitd.metrics()["habit_outbox_messages"] == 0
