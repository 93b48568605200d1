"""Brokers that speak broken MQTT, or none. habitd neither dies nor grows, loses nothing that came over HTTP meanwhile, says that its
broker is away, and goes on as soon as an honest one answers at the same place."""
import concurrent.futures
import contextlib
import random
import socket
import struct
import threading
import time

import pytest

from support import BUILD, floats, wait_until

SECONDS = 16 if "san" in BUILD.name else 8  # of roguery: four connections, by then
# Bytes that a process may grow meanwhile: properties in a packet of 1 MiB cost libmosquitto 18 MiB for a moment; sanitizers keep what was freed.
GROWTH = 512 << 20 if "san" in BUILD.name else 24 << 20
BUFFER = floats([0.5, -1.25, 2.0, -0.75, 1.5, -2.5, 0.25, -0.125])
CONNACK = bytes.fromhex("2003000000")
CONNECT, PUBLISH, SUBSCRIBE, UNSUBSCRIBE, PINGREQ = 1, 3, 8, 10, 12


# ---------------------------------------------------------------------------------------------------------- packets

def length_of(size):
    """Remaining length as MQTT writes it."""
    out = b""
    while True:
        size, byte = size >> 7, size & 127
        out += bytes([byte | (128 if size else 0)])
        if not size:
            return out


def packet(first, body=b""):
    return bytes([first]) + length_of(len(body)) + body


def publish(topic, payload=BUFFER, flags=0x02, number=7, properties=b""):
    topic = topic if isinstance(topic, bytes) else topic.encode()
    pid = struct.pack(">H", number) if flags & 6 else b""
    return packet(0x30 | flags, struct.pack(">H", len(topic)) + topic + pid + length_of(len(properties)) + properties + payload)


class Link:
    """One connection of habitd, seen from the broker."""

    def __init__(self, connection, root):
        self.connection, self.root = connection, root
        connection.settimeout(SECONDS)

    def exactly(self, size):
        got = b""
        while len(got) < size:
            part = self.connection.recv(size - len(got))
            if not part:
                raise ConnectionError("habitd has left")
            got += part
        return got

    def read(self):
        """A packet of habitd: its type and its body."""
        first, size, shift = self.exactly(1)[0], 0, 0
        while True:
            byte = self.exactly(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return first >> 4, self.exactly(size)

    def send(self, content):
        self.connection.sendall(content)

    def accept(self, answer=CONNACK):
        assert self.read()[0] == CONNECT
        self.send(answer)

    def serve(self, suback=None):
        """Accepts, and answers subscriptions; suback(pid, count) makes another answer."""
        self.accept()
        for _ in range(2):
            kind, body = self.read()
            while kind not in (SUBSCRIBE, UNSUBSCRIBE):
                kind, body = self.read()
            self.answer(kind, body, suback)
        return self

    def answer(self, kind, body, suback):
        pid, rest, count = body[:2], body[3 + body[2]:], 0
        while rest:
            rest = rest[2 + struct.unpack(">H", rest[:2])[0] + (1 if kind == SUBSCRIBE else 0):]
            count += 1
        if kind == UNSUBSCRIBE:
            self.send(packet(0xb0, pid + b"\0" + b"\x11" * count))
        else:
            self.send(suback(pid, count) if suback else packet(0x90, pid + b"\0" + b"\1" * count))

    def stay(self):
        """Reads what comes and says nothing, until habitd leaves or time is up."""
        with contextlib.suppress(OSError):
            while self.connection.recv(65536):
                pass


# ---------------------------------------------------------------------------------------------------------- roguery

def says(content):
    """Whatever comes: this."""
    def behave(link):
        link.accept(content)
        link.stay()
    return behave


def sends(make):
    """After a good beginning: this. make: bytes, or a function of the root of topics."""
    def behave(link):
        link.serve()
        link.send(make(link.root) if callable(make) else make)
        link.stay()
    return behave


def subscribes(suback):
    def behave(link):
        link.serve(suback)
        link.stay()
    return behave


def giant(link):
    """Announces what MQTT allows at most, and sends 64 MiB of it."""
    link.serve()
    link.send(b"\x32\xff\xff\xff\x7f" + b"\x00\x10" + b"habit/v1/x/learn")
    for _ in range(64):
        link.send(bytes(1 << 20))
    link.stay()


def giants_in_a_row(link):
    """Each just beyond what habitd said that it takes."""
    link.serve()
    for number in range(1, 20):
        link.send(publish(f"{link.root}/m/learn", bytes(3 << 20), number=number))
    link.stay()


def flood(link):
    link.serve()
    for turn in range(200):
        link.send(b"".join(publish(f"{link.root}/m{turn}-{i}/learn", flags=0) for i in range(100)))
    link.stay()


def byte_by_byte(link):
    link.serve()
    for byte in publish(f"{link.root}/m/learn") * 3:
        link.send(bytes([byte]))
        time.sleep(0.02)
    link.stay()


def noise(link):
    chance = random.Random(3)
    link.serve()
    for _ in range(200):
        link.send(chance.randbytes(1000))
    link.stay()


def mutants(link):
    """Good packets with some bytes changed."""
    chance = random.Random(5)
    link.serve()
    for _ in range(500):
        content = bytearray(publish(f"{link.root}/m/learn", number=chance.randrange(1, 65536)))
        content[chance.randrange(2, len(content))] ^= 1 << chance.randrange(8)
        link.send(bytes(content))
    link.stay()


def closes_after_each(link):
    link.serve()
    link.send(publish(f"{link.root}/m/detect"))


def topic_of(text, **more):
    return sends(lambda root: publish(text(root) if callable(text) else text, **more))


SERVER_NEVER = [packet(0x10, bytes.fromhex("00044d5154540502003c00000161")), packet(0x82, b"\0\1\0\0\1a\0"), packet(0xa2, b"\0\1\0\0\1a"),
                packet(0xc0)]

ROGUES = {  # name: what it does on each connection
    "leaves at once": lambda link: None,
    "never answers": lambda link: link.stay(),
    "leaves after CONNECT": lambda link: link.read(),
    "CONNACK: bad credentials": says(bytes.fromhex("2003008600")),
    "CONNACK: banned": says(bytes.fromhex("2003008a00")),
    "CONNACK: code 255": says(bytes.fromhex("200300ff00")),
    "CONNACK: all flags": says(bytes.fromhex("2003ff0000")),
    "CONNACK: without a body": says(bytes.fromhex("2000")),
    "CONNACK: one byte": says(bytes.fromhex("200100")),
    "CONNACK: of MQTT 3.1.1": says(bytes.fromhex("20020000")),
    "CONNACK: refused as 3.1.1": says(bytes.fromhex("20020001")),
    "CONNACK: properties beyond it": says(bytes.fromhex("200300007f")),
    "CONNACK: receive maximum 0": says(bytes.fromhex("20060000032100") + b"\0"),
    "CONNACK: packets of one byte": says(bytes.fromhex("2008000005270000") + b"\0\1"),
    "CONNACK: 1 MiB of properties": says(packet(0x20, b"\0\0" + length_of(1 << 20) + (b"\x26\0\1a\0\1b" * 150000)[:1 << 20])),
    "CONNACK: twice": says(CONNACK * 2),
    "messages before CONNACK": says(publish("habit/v1/x/m/learn")),
    "SUBACK: refused": subscribes(lambda pid, count: packet(0x90, pid + b"\0" + b"\x87" * count)),
    "SUBACK: no codes": subscribes(lambda pid, count: packet(0x90, pid + b"\0")),
    "SUBACK: too many codes": subscribes(lambda pid, count: packet(0x90, pid + b"\0" + b"\1" * 5000)),
    "SUBACK: of another number": subscribes(lambda pid, count: packet(0x90, b"\xff\xff\0" + b"\1" * count)),
    "SUBACK: without a body": subscribes(lambda pid, count: packet(0x90)),
    "SUBACK: never": subscribes(lambda pid, count: b""),
    "acknowledges what was not sent": sends(b"".join(packet(0x40, struct.pack(">H", i)) for i in range(1, 20000))),
    "PUBREC, PUBREL, PUBCOMP of nothing": sends(b"".join(packet(kind, struct.pack(">H", i)) for i in range(1, 3000)
                                                         for kind in (0x50, 0x62, 0x70))),
    "giant": giant,
    "giants in a row": giants_in_a_row,
    "length of five bytes": sends(b"\x32\xff\xff\xff\xff\x7f"),
    "packets of type 0": sends(packet(0, b"abc")),
    "packets of type 15": sends(packet(0xf0, b"\0\0")),
    **{f"a client's packet {content[0]:#x}": sends(content) for content in SERVER_NEVER},
    "QoS 3": topic_of(lambda root: f"{root}/m/learn", flags=6),
    "QoS 2 without end": sends(lambda root: b"".join(publish(f"{root}/m/detect", flags=4, number=i) for i in range(1, 2000))),
    "number 0": topic_of(lambda root: f"{root}/m/learn", number=0),
    "topic with NUL": topic_of(lambda root: f"{root}/m\0/learn"),
    "topic in no UTF-8": topic_of(lambda root: f"{root}/".encode() + b"\xc0\xaf\xff/learn"),
    "topic with wildcards": topic_of(lambda root: f"{root}/+/learn"),
    "topic with #": topic_of(lambda root: f"{root}/#"),
    "no topic": topic_of(""),
    "topic of 65,535 bytes": topic_of("a" * 65535),
    "topic of slashes": topic_of("/" * 65000),
    "topic beyond the packet": sends(packet(0x32, b"\xff\xff" + b"abc")),
    "topics nobody asked for": topic_of("$SYS/broker/uptime"),
    "properties beyond the packet": sends(lambda root: packet(0x30, b"\0\1a\x7f")),
    "properties that are unknown": topic_of(lambda root: f"{root}/m/learn", properties=b"\x7f\0"),
    "an alias that was not given": topic_of("", properties=b"\x23\0\5"),
    "content type of 60,000 bytes": topic_of(lambda root: f"{root}/m/learn", properties=b"\x03" + struct.pack(">H", 60000) + b"x" * 60000),
    "5,000 user properties": topic_of(lambda root: f"{root}/m/learn", properties=b"\x26\0\3seq\0\0011" * 5000),
    "flood": flood,
    "retained garbage": sends(lambda root: b"".join(publish(f"{root}/{topic}", b"\xff" * 100, flags=3, number=i + 1) for i, topic in
                                                    enumerate(["m/learn", "m/state", "status", "m/cmd/initialize", "m/context"]))),
    "half a packet, and silence": sends(lambda root: publish(f"{root}/m/learn")[:-5]),
    "byte by byte": byte_by_byte,
    "leaves after each message": closes_after_each,
    "says good-bye": sends(packet(0xe0, b"\x8b\0")),
    "good-bye without words": sends(packet(0xe0)),
    "asks for more secrets": sends(packet(0xf0, b"\x18\0")),  # libmosquitto takes it for an answer
    "answers pings without end": sends(packet(0xd0) * 200000),
    "speaks HTTP": says(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"),
    "speaks TLS": says(b"\x15\x03\x03\x00\x02\x02\x28"),
    "noise": noise,
    "mutants": mutants,
}

STAYS = {  # where habitd is, or may be, rightly connected all the time
    name for name in ROGUES if name in (
        "CONNACK: all flags", "CONNACK: twice", "acknowledges what was not sent", "PUBREC, PUBREL, PUBCOMP of nothing", "QoS 2 without end",
        "topics nobody asked for", "topic of 65,535 bytes", "topic of slashes", "content type of 60,000 bytes", "5,000 user properties", "flood",
        "retained garbage", "byte by byte", "leaves after each message", "giants in a row", "answers pings without end", "SUBACK: of another number",
        "SUBACK: never", "half a packet, and silence", "mutants", "CONNACK: receive maximum 0", "CONNACK: packets of one byte",
        "SUBACK: too many codes", "asks for more secrets", "packets of type 15", "a client's packet 0xc0", "topic with wildcards",
        "topic with #", "SUBACK: refused")}
DEAF = STAYS & {name for name in ROGUES if name.startswith("SUBACK")}  # nothing was granted; the connection is as good as it was


# libmosquitto 2.0.11 ends the process, by an assertion in its logging, when a packet holds a property that it does not know. No option
# keeps it from that; systemd starts habitd again. Nothing that was acknowledged may be lost by it.
ENDS = {"properties that are unknown", "noise", "mutants"}
ASSERTION = "log__printf: Assertion `mosq' failed"


class Rogue:
    """A broker that misbehaves on each connection, until it is made an honest one: then it hands all on to a real broker."""

    def __init__(self, behave, root):
        self.behave, self.root, self.honest, self.connections, self.open = behave, root, None, 0, []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.begin = threading.Event()  # until then connections are held and nothing is said
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.run, daemon=True).start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _peer = self.listener.accept()
                self.connections += 1
                self.open.append(connection)
                threading.Thread(target=self.talk, args=[connection], daemon=True).start()

    def talk(self, connection):
        with contextlib.suppress(OSError, AssertionError, IndexError, struct.error), connection:
            if self.honest:
                relay(connection, socket.create_connection(("127.0.0.1", self.honest)))
            else:
                self.begin.wait(SECONDS)
                self.behave(Link(connection, self.root))

    def reform(self, port):
        """An honest broker from now on."""
        self.honest = port
        for connection in self.open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def close(self):
        self.listener.close()


def relay(one, other):
    def pump(source, sink):
        with contextlib.suppress(OSError):
            while part := source.recv(65536):
                sink.sendall(part)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)

    one.settimeout(None)
    back = threading.Thread(target=pump, args=[other, one], daemon=True)
    back.start()
    pump(one, other)
    back.join()
    other.close()


# ---------------------------------------------------------------------------------------------------------- the test

class Victim:
    """habitd with a rogue of its own; machine h learns over HTTP, whatever the rogue sends for m."""

    def __init__(self, house, name, number):
        self.said, self.rss = [], 0
        self.name, self.acknowledged, self.gateway = name, 0, f"gw{number}"
        self.rogue = Rogue(ROGUES[name], f"habit/v1/{self.gateway}")
        self.habitd = house.habitd(start=False)
        text = self.habitd.conf.read_text().replace("id = gw\n", f"id = {self.gateway}\n").replace("host = \nport = 1883", f"host = 127.0.0.1\nport = {self.rogue.port}\nkeepalive = 5")
        self.habitd.conf.write_text(text)

    def start(self):
        with contextlib.suppress(AssertionError, OSError):  # told by the test of this rogue
            self.begin()

    def begin(self):
        self.habitd.start(30)
        self.rss = self.memory()
        for machine in "hm":
            self.habitd.put_machine(machine, buffer_size=8, axes=1, learn=100000)
        self.rogue.begin.set()
        self.habitd.session.close()  # a kept connection would be closed before all have begun

    def memory(self):
        return self.habitd.metrics()["process_resident_memory_bytes"]

    def learn(self):
        self.habitd.post("h", "learn", BUFFER, seq=self.acknowledged, boot="b", source="s")
        self.acknowledged += 1

    def check(self):
        if self.name in ENDS and not self.habitd.running():
            assert self.habitd.condition() == "ended with -6" and ASSERTION in self.habitd.log(), self.habitd.log()[-1000:]
            self.check_restart()
            return
        assert self.habitd.running(), f"it has ended: {self.habitd.condition()}: {self.habitd.log()[-1000:]}"
        assert self.habitd.learned("h") == self.acknowledged
        grown = self.memory() - self.rss
        assert grown < GROWTH, f"grown by {grown / 2**20:.0f} MiB"
        assert self.rogue.connections >= (1 if self.name in STAYS or self.name == "never answers" else 2), f"{self.rogue.connections} connections"
        assert self.name in STAYS or any("mqtt" in reason for reason in self.said), "/readyz does not say that the broker is away"
        assert self.name not in DEAF or any("does not grant" in reason for reason in self.said), "/readyz does not say that we are deaf"

    def check_restart(self):
        """What systemd does, with a rogue that is quiet now."""
        self.rogue.behave = ROGUES["leaves at once"]
        self.habitd.start(30)
        assert self.habitd.learned("h") in (self.acknowledged, self.acknowledged + 1)  # one may have been on its way

    def look(self):
        answer = self.habitd.json("/readyz")
        self.said += answer["reasons"]
        assert (answer["status"] == "ok") == (answer["reasons"] == [])


@pytest.fixture(scope="module")
def victims(module_house):
    """All rogues at once: each takes its time. Then all turn honest."""
    broker = module_house.broker()
    found = {}
    for number, name in enumerate(ROGUES):
        found[name] = Victim(module_house, name, number)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(Victim.start, found.values()))
    until = time.monotonic() + SECONDS
    while time.monotonic() < until:
        for victim in (victim for victim in found.values() if victim.habitd.running() and victim.habitd.url):
            with contextlib.suppress(AssertionError, OSError):  # what died or lost something is told by its own test
                victim.learn()
                victim.look()
    yield found, broker
    for victim in found.values():
        victim.rogue.close()


@pytest.mark.parametrize("name", ROGUES)
def test_rogue(victims, name):
    victims[0][name].check()


def test_all_recover(victims):
    """Without help, once the broker is an honest one."""
    found, broker = victims
    for victim in found.values():
        victim.rogue.reform(broker.port)
    for victim in (victim for victim in found.values() if victim.habitd.running() or victim.name not in ENDS):
        wait_until(victim.habitd.connected, f"{victim.name}: connected again", 60)
        victim.learn()
        assert victim.habitd.learned("h") == victim.acknowledged
