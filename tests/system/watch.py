"""habitd with tests/durable/libwatch.so between it and the kernel: what it wrote and told, in order; kills and faults on order."""
import ctypes
import mmap
import os
import pathlib
import struct

from support import BUILD

LIBRARY = BUILD / "tests" / "durable" / "libwatch.so"
REPLAY = BUILD / "tests" / "durable" / "replay"
MACHINE_SQL = pathlib.Path(__file__).resolve().parents[1] / "durable" / "machine.sql"
LONG = os.environ.get("HABIT_LONG") == "1"  # ./dev test --long


def environment(store, recording=None, control=None, pragmas=None):
    """What a habitd is started with to be watched."""
    values = {"LD_PRELOAD": LIBRARY, "HABIT_WATCH_STORE": store, "HABIT_WATCH_LOG": recording,
              "HABIT_WATCH_CONTROL": control and control.path, "HABIT_WATCH_PRAGMAS": pragmas}
    return {name: str(value) for name, value in values.items() if value}


# ------------------------------------------------------------------------------------------------------- the recording

RECORD = struct.Struct("=IIQQQ")  # struct record of watch.h
CONNECTION, SENT, UNSENT = 8, 9, 10
CLIENT, BROKER = 5, 6


def records(recording):
    """number, kind, object, id, offset, bytes of each."""
    data = recording.read_bytes()
    at = number = 0
    while at < len(data):
        kind, kind_of, identity, offset, size = RECORD.unpack_from(data, at)
        at += RECORD.size
        yield number, kind, kind_of, identity, offset, data[at:at + size]
        at += size
        number += 1


class Stream:
    """What left on one connection: bytes, and which record each belongs to."""

    def __init__(self, kind_of, port):
        self.kind_of, self.port = kind_of, port
        self.data = bytearray()
        self.ends = []  # (length after it, record)

    def sent(self, number, data):
        self.data += data
        self.ends.append((len(self.data), number))

    def unsent(self, count):
        if count:
            del self.data[-count:]
            self.ends[-1] = (len(self.data), self.ends[-1][1])

    def record_of(self, length):
        """The record with which so many bytes had left."""
        return next(number for end, number in self.ends if end >= length)

    def http_answers(self):
        """Records at which an answer was complete."""
        at = 0
        while (head := self.data.find(b"\r\n\r\n", at)) >= 0:
            fields = bytes(self.data[at:head]).lower().split(b"\r\n")
            length = next((int(f.split(b":")[1]) for f in fields if f.startswith(b"content-length:")), 0)
            at = head + 4 + length
            if at > len(self.data):
                return
            if fields[0].split()[1] != b"100":
                yield self.record_of(at), int(fields[0].split()[1])

    def mqtt_packets(self):
        """Record at which it was complete, type, body."""
        at = 0
        while at + 2 <= len(self.data):
            size, shift, start = 0, 0, at + 1
            while True:
                byte = self.data[start]
                size |= (byte & 127) << shift
                start, shift = start + 1, shift + 7
                if byte < 128:
                    break
            if start + size > len(self.data):
                return
            yield self.record_of(start + size), self.data[at] >> 4, bytes(self.data[start:start + size])
            at = start + size


def streams(recording):
    """All connections of a recording."""
    found = {}
    for number, kind, kind_of, identity, offset, data in records(recording):
        if kind == CONNECTION:
            found[identity] = Stream(kind_of, offset)
        elif kind == SENT:
            found[identity].sent(number, data)
        elif kind == UNSENT:
            found[identity].unsent(offset)
    return list(found.values())


# -------------------------------------------------------------------------------------------------------------- control

def point_names():
    """Of every point that the library knows, in its order."""
    library = ctypes.CDLL(str(LIBRARY))
    text = ctypes.create_string_buffer(32)
    names = []
    for number in range(8 * 7 * 2):
        library.watch_point_name(number, text)
        names.append(text.value.decode())
    return names


class Control:
    """struct control of watch.h in a file that habitd shares."""

    HEAD = struct.Struct("=iiqq")
    KILL, FAIL, FAIL_ON = 1, 2, 3

    def __init__(self, path):
        self.path, self.names = path, point_names()
        self.place = self.HEAD.size + 8 * len(self.names)
        size = (self.place + 4 + 7) // 8 * 8
        path.write_bytes(bytes(size))
        with open(path, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), size)
        self.clear()

    def clear(self):
        """Nothing more happens."""
        struct.pack_into("=i", self.shared, self.place, -1)

    def arm(self, point, action, countdown=1, error=0):
        """At the n-th time from now that habitd passes the point."""
        self.clear()
        self.HEAD.pack_into(self.shared, 0, action, error, countdown, 0)
        struct.pack_into("=i", self.shared, self.place, self.names.index(point))

    def fired(self):
        """How often it has happened since it was armed."""
        return self.HEAD.unpack_from(self.shared, 0)[3]

    def hits(self):
        """How often each point was passed, where it was at all."""
        counts = struct.unpack_from(f"={len(self.names)}q", self.shared, self.HEAD.size)
        return {name: count for name, count in zip(self.names, counts) if count}
