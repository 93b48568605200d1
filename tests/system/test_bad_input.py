"""Bad input changes nothing, is counted, and the answer says what was wrong."""
import http.client
import json
import math
import pathlib
import re
import socket
import sqlite3
import struct
import subprocess
import time

import pytest

from support import (CSV, GATEWAY, HABITD, JSON, RAW, REPOSITORY, ROOT, clean_environment, configuration, floats, simulate,
                     wait_until)

SIZE, AXES = 16, 2
LENGTH = SIZE * AXES
GOOD = [math.sin(i * 1.7) + (i % 2) for i in range(LENGTH)]
BODY_LIMIT, NUMBER_LIMIT = 1048576, 65536


# ------------------------------------------------------------------------------------------------------------- checking

def check_problem(answer, status, kind, field=None, words=()):
    """An RFC 9457 answer that says what was wrong."""
    assert answer.status_code == status, f"{answer.status_code}: {answer.text}"
    assert answer.headers["Content-Type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == f"urn:habit:problem:{kind}", problem
    assert problem["status"] == status and problem["title"] and problem["detail"]
    if field is not None:
        assert problem.get("field") == field, problem
    for word in words:
        assert str(word) in problem["detail"], problem
    return problem


def picture(habitd, machine):
    """All that a refused request must leave as it was."""
    return habitd.machine(machine), habitd.knowledge(machine)


class Watch:
    """Whatever is done inside changes nothing, and is counted under its reason."""

    def __init__(self, habitd, machine, counted):
        self.habitd, self.machine, self.counted = habitd, machine, counted

    def __enter__(self):
        self.before = picture(self.habitd, self.machine)
        self.refusals = self.habitd.refusals()
        return self

    def __exit__(self, kind, error, trace):
        if kind:
            return
        assert picture(self.habitd, self.machine) == self.before, "it changed something"
        for reason, count in self.counted.items():
            self.refusals[reason] += count
        assert self.habitd.refusals() == self.refusals, "not counted as it should be"


@pytest.fixture(scope="module")
def learner(shared_habitd, tmp_path_factory):
    """A machine that has learned something and goes on learning."""
    shared_habitd.put_machine("m", buffer_size=SIZE, axes=AXES, learn=100000)
    shared_habitd.act("m", "commission")
    shared_habitd.post_all("m", "learn", simulate(tmp_path_factory.mktemp("data"), 20, SIZE, AXES))
    return shared_habitd


def with_value(value, at=3):
    return [*GOOD[:at], value, *GOOD[at + 1:]]


def as_json(value, at=3):
    """JSON text with some text in place of a number."""
    return "[" + ",".join([*map(repr, GOOD[:at]), value, *map(repr, GOOD[at + 1:])]) + "]"


def csv(*rows):
    return "\n".join(",".join(map(str, row)) for row in rows)


# ------------------------------------------------------------------------------------------------------- bodies of buffers

def data(**members):
    return json.dumps({"data": GOOD, **members})


BUFFERS = {  # name: headers, body, status, type, field, words in the detail
    "empty": (RAW, b"", 422, "length", "data", ["32"]),
    "one value short": (RAW, floats(GOOD[1:]), 422, "length", "data", [31, 32]),
    "one value more": (RAW, floats([*GOOD, 1.0]), 422, "length", "data", [33, 32]),
    "half a buffer": (RAW, floats(GOOD[:16]), 422, "length", "data", [16, 32]),
    "one and a half": (RAW, floats(GOOD + GOOD[:16]), 422, "length", "data", [48, 32]),
    "three bytes more": (RAW, floats(GOOD) + b"abc", 422, "length", "data", ["float32"]),
    "NaN first": (RAW, floats(with_value(math.nan, 0)), 400, "not-finite", "data", ["data[0]"]),
    "NaN last": (RAW, floats(with_value(math.nan, LENGTH - 1)), 400, "not-finite", "data", ["data[31]"]),
    "infinite": (RAW, floats(with_value(math.inf)), 400, "not-finite", "data", ["data[3]"]),
    "minus infinite": (RAW, floats(with_value(-math.inf)), 400, "not-finite", "data", ["data[3]"]),
    "signalling NaN": (RAW, floats(GOOD[1:]) + struct.pack("<I", 0x7f800001), 400, "not-finite", "data", ["data[31]"]),
    "just beyond 1e15": (RAW, floats(with_value(1.0000001e15)), 400, "not-finite", "data", ["1e15"]),
    "largest float": (RAW, floats(with_value(3.4e38)), 400, "not-finite", "data", ["1e15"]),
    "batch with a bad one": (RAW, floats(GOOD + GOOD + with_value(math.nan)), 400, "not-finite", "data", ["data[67]"]),
    "too many numbers": (RAW, floats([1.0]) * (NUMBER_LIMIT + LENGTH), 413, "too-large", "data", [NUMBER_LIMIT]),

    "JSON 1e39": (JSON, as_json("1e39"), 400, "not-finite", "data", ["data[3]"]),
    "JSON 3.5e38": (JSON, as_json("3.5e38"), 400, "not-finite", "data", ["data[3]"]),
    "JSON -1e300": (JSON, as_json("-1e300"), 400, "not-finite", "data", ["data[3]"]),
    "JSON 1e999": (JSON, as_json("1e999"), 400, "not-finite", None, []),
    "JSON -1e999": (JSON, as_json("-1e999"), 400, "not-finite", None, []),
    "JSON 400 digits": (JSON, as_json("9" * 400), 400, "not-finite", None, []),
    "JSON string": (JSON, as_json('"1"'), 400, "syntax", "data", ["data[3]", "string"]),
    "JSON NaN as text": (JSON, as_json('"NaN"'), 400, "syntax", "data", ["data[3]", "string"]),
    "JSON null": (JSON, as_json("null"), 400, "syntax", "data", ["data[3]", "null"]),
    "JSON true": (JSON, as_json("true"), 400, "syntax", "data", ["data[3]", "true"]),
    "JSON array in it": (JSON, as_json("[1]"), 400, "syntax", "data", ["data[3]", "array"]),
    "JSON object in it": (JSON, as_json("{}"), 400, "syntax", "data", ["data[3]", "object"]),
    "JSON too few": (JSON, json.dumps(GOOD[1:]), 422, "length", "data", [31, 32]),
    "JSON too many": (JSON, json.dumps({"data": [*GOOD, 0]}), 422, "length", "data", [33, 32]),
    "JSON no data": (JSON, '{"values":[1]}', 400, "syntax", "data", ["data"]),
    "JSON empty object": (JSON, "{}", 400, "syntax", "data", ["data"]),
    "JSON empty array": (JSON, "[]", 422, "length", "data", [0, 32]),
    "JSON data is text": (JSON, '{"data":"1 2"}', 400, "syntax", "data", ["string"]),
    "JSON data is null": (JSON, '{"data":null}', 400, "syntax", "data", ["null"]),
    "JSON data is an object": (JSON, '{"data":{}}', 400, "syntax", "data", ["object"]),
    "JSON data is a number": (JSON, '{"data":5}', 400, "syntax", "data", ["number"]),
    "JSON data twice": (JSON, '{"data":[1],"data":[2]}', 400, "syntax", None, ["uplicate"]),
    "JSON nine levels": (JSON, "[" * 9 + "]" * 9, 400, "syntax", None, [8]),
    "JSON many numbers": (JSON, "[" + "1," * (NUMBER_LIMIT + LENGTH) + "1]", 413, "too-large", "data", [NUMBER_LIMIT]),
    "seq negative": (JSON, data(seq=-1), 422, "range", "seq", []),
    "seq fraction": (JSON, data(seq=1.5), 422, "range", "seq", []),
    "seq text": (JSON, data(seq="7"), 422, "range", "seq", []),
    "seq too large": (JSON, data(seq=2**53), 422, "range", "seq", [2**53 - 1]),
    "seq null": (JSON, data(seq=None), 422, "range", "seq", []),
    "boot a number": (JSON, data(seq=1, boot=5), 422, "range", "boot", []),
    "source empty": (JSON, data(seq=1, source=""), 422, "range", "source", [32]),
    "source too long": (JSON, data(seq=1, source="s" * 33), 422, "range", "source", [32]),
    "time no time": (JSON, data(time="yesterday"), 422, "range", "time", ["RFC 3339"]),
    "time 31 February": (JSON, data(time="2026-02-31T00:00:00Z"), 422, "range", "time", []),
    "time negative": (JSON, data(time=-1), 422, "range", "time", []),
    "age negative": (JSON, data(age_ms=-1), 422, "range", "age_ms", []),
    "context a number": (JSON, data(context=5), 400, "syntax", "context", []),
    "context of texts": (JSON, data(context={"speed": "fast"}), 400, "syntax", "context", ["speed"]),
    "context of nine": (JSON, data(context={f"c{i}": i for i in range(9)}), 422, "range", "context", [8]),

    "CSV too few": (CSV, csv(GOOD[1:]), 422, "length", None, ["32"]),
    "CSV ragged": (CSV, csv(GOOD, GOOD[1:]), 422, "length", None, ["line 2", "32"]),
    "CSV text": (CSV, csv(GOOD, with_value("x")), 400, "syntax", None, ["line 2", "column 4"]),
    "CSV NaN": (CSV, csv(with_value("NaN")), 400, None, None, ["line 1"]),
    "CSV inf": (CSV, csv(GOOD, with_value("inf")), 400, None, None, ["line 2"]),
    "CSV 1e39": (CSV, csv(GOOD, with_value("1e39")), 400, "not-finite", None, ["line 2", "column 4"]),
    "CSV quoted": (CSV, csv(with_value('"1"')), 400, "syntax", None, ["line 1"]),
    "CSV hex": (CSV, csv(GOOD, with_value("0x10")), 400, "syntax", None, ["line 2"]),
    "CSV empty cell": (CSV, csv(GOOD, with_value("")), 400, "syntax", None, ["line 2"]),
    "CSV empty line": (CSV, csv(GOOD) + "\n\n" + csv(GOOD), 400, "syntax", None, ["line 2"]),
    "CSV empty": (CSV, "", 422, "length", None, []),

    "no content type": ({}, floats(GOOD), 415, "media-type", "Content-Type", ["application/octet-stream"]),
    "plain text": ({"Content-Type": "text/plain"}, csv(GOOD), 415, "media-type", "Content-Type", ["text/csv"]),
    "form": ({"Content-Type": "application/x-www-form-urlencoded"}, "data=1", 415, "media-type", "Content-Type", []),
    "multipart": ({"Content-Type": "multipart/form-data; boundary=x"}, "--x--", 415, "media-type", "Content-Type", []),
    "UTF-16": ({"Content-Type": "application/json; charset=utf-16"}, data().encode("utf-16"), 415, "media-type",
               "Content-Type", ["UTF-8"]),
    "almost JSON": ({"Content-Type": "application/jsonx"}, data(), 415, "media-type", "Content-Type", []),
    "compressed": ({**JSON, "Content-Encoding": "gzip"}, b"\x1f\x8b", 415, "media-type", "Content-Encoding", []),
}


@pytest.mark.parametrize("verb", ["learn", "detect", "buffers"])
@pytest.mark.parametrize("name", BUFFERS)
def test_buffer(learner, name, verb):
    headers, body, status, kind, field, words = BUFFERS[name]
    before, refusals = picture(learner, "m"), learner.refusals()
    answer = learner.request("POST", f"/v1/machines/m/{verb}", data=body, headers=headers)
    kind = kind or answer.json()["type"].rsplit(":", 1)[1]  # None: syntax or not-finite, both are right
    assert kind in refusals
    check_problem(answer, status, kind, field, words)
    refusals[kind] += 1
    assert picture(learner, "m") == before and learner.refusals() == refusals


MALFORMED = [
    "", " ", "null", "5", '"x"', "true", "[", "]", "{", "}", "[1", "[1,", "[1,]", "[,1]", '{"data"}', '{"data":}', '{"data":[1]',
    '{"data":[1]}}', '{"data":[1],}', "{'data':[1]}", '{data:[1]}', "[1] [2]", '{"data":[1]} x', "\ufeff[1]", "// c\n[1]",
    "/* c */[1]", "[NaN]", "[Infinity]", "[-Infinity]", "[01]", "[+1]", "[.5]", "[5.]", "[0x10]", "[1_000]", "[1e]", "[--1]",
    '{"data":[1], "a":"\n"}', '{"a":"\\ud800"}', '{"a":"\\x41"}', '{"a":"\\u0000"}', "[1\x00]", "[1]\x00", "<data>1</data>",
    b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', data().encode("utf-16"), data().encode("utf-32"),
]


@pytest.mark.parametrize("body", MALFORMED, ids=lambda body: repr(body)[:30])
def test_malformed_json(learner, body):
    body = body if isinstance(body, bytes) else body.encode()
    with Watch(learner, "m", {"syntax": 1}):
        check_problem(learner.request("POST", "/v1/machines/m/learn", data=body, headers=JSON), 400, "syntax")


def test_cut_off_anywhere(learner):
    """A valid learn, cut at every byte."""
    body = data(seq=7, boot="cut", context={"speed": 5.5})
    with Watch(learner, "m", {"syntax": len(body)}):
        for end in range(len(body)):
            answer = learner.request("POST", "/v1/machines/m/learn", data=body[:end], headers=JSON)
            assert answer.status_code == 400, f"cut at {end}: {answer.text}"


def test_all_axes_constant(learner):
    with Watch(learner, "m", {"constant": 1}):
        answer = learner.request("POST", "/v1/machines/m/learn", data=floats([2.5, 1.0] * SIZE), headers=RAW)
        check_problem(answer, 422, "constant", "data")


def test_batch_with_a_constant_one(learner):
    """A batch is all or nothing: the good ones before it were not learned, nor are their numbers used up."""
    batch = floats(GOOD) + floats([x * 1.1 for x in GOOD]) + floats([2.5] * LENGTH)
    with Watch(learner, "m", {"constant": 1}):
        answer = learner.request("POST", "/v1/machines/m/learn", data=batch, headers=RAW, params={"seq": 5, "boot": "batch"})
        check_problem(answer, 422, "constant", "data", ["buffer 2"])
    learner.put_machine("again", buffer_size=SIZE, axes=AXES)
    for body, status in ((batch, 422), (batch[:2 * 4 * LENGTH], 200)):
        answer = learner.request("POST", "/v1/machines/again/learn", data=body, headers=RAW, params={"seq": 5, "boot": "b"})
        assert answer.status_code == status
    assert [v["status"] for v in answer.json()["verdicts"]] == ["learned", "learned"]


# ----------------------------------------------------------------------------------------------------- size, and the frame

def exchange(habitd, head, body=b"", seconds=5):
    """Raw bytes to habitd; everything that comes back."""
    host, port = habitd.url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), seconds) as link:
        link.settimeout(seconds)
        link.sendall(head.replace("\n", "\r\n").encode("latin-1"))
        try:
            link.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused before all was sent: the answer waits
        return receive(link)


def receive(link):
    """Until the end, or a whole answer."""
    got = b""
    try:
        while True:
            part = link.recv(65536)
            if not part:
                return got
            got += part
            head, _, rest = got.partition(b"\r\n\r\n")
            length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            if length and len(rest) >= int(length[0].split(b":")[1]):
                return got
    except (ConnectionResetError, socket.timeout):
        return got


def status_of(answer):
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else None


def post_head(extra, path="/v1/machines/m/learn"):
    return f"POST {path} HTTP/1.1\nHost: localhost\nContent-Type: application/octet-stream\n{extra}\n\n"


@pytest.mark.parametrize("length", [BODY_LIMIT + 1, 2**30, 2**63])
def test_announced_too_large(learner, length):
    """Refused at once, before any of it is read."""
    with Watch(learner, "m", {"too-large": 1}):
        began = time.monotonic()
        answer = exchange(learner, post_head(f"Content-Length: {length}"))
        assert status_of(answer) == 413 and time.monotonic() - began < 5
        assert b"urn:habit:problem:too-large" in answer and str(BODY_LIMIT).encode() in answer
        assert b"onnection: close" in answer


def test_announced_beyond_64_bits(learner):
    """This one the library refuses in words of its own."""
    with Watch(learner, "m", {}):
        assert status_of(exchange(learner, post_head(f"Content-Length: {10**30}"))) == 413


def test_chunks_beyond_the_limit(learner):
    chunk = b"10000\r\n" + bytes(65536) + b"\r\n"
    with Watch(learner, "m", {"too-large": 1}):
        answer = exchange(learner, post_head("Transfer-Encoding: chunked"), chunk * 32 + b"0\r\n\r\n")
        assert status_of(answer) == 413 and b"too-large" in answer


def test_chunks_below_the_limit(learner):
    learner.put_machine("chunked", buffer_size=SIZE, axes=AXES)
    body = floats(GOOD)
    answer = exchange(learner, post_head("Transfer-Encoding: chunked", "/v1/machines/chunked/learn"),
                      b"40\r\n" + body[:64] + b"\r\n40\r\n" + body[64:] + b"\r\n0\r\n\r\n")
    assert status_of(answer) == 200 and learner.learned("chunked") == 1


FRAMES = {
    "both lengths": post_head(f"Content-Length: {4 * LENGTH}\nTransfer-Encoding: chunked"),
    "unknown coding": post_head("Transfer-Encoding: gzip"),
    "two lengths": post_head(f"Content-Length: {4 * LENGTH}\nContent-Length: 1"),
    "no number": post_head("Content-Length: ten"),
    "negative": post_head("Content-Length: -1"),
    "two hosts": post_head(f"Host: localhost\nContent-Length: {4 * LENGTH}"),
    "no host": post_head(f"Content-Length: {4 * LENGTH}").replace("Host: localhost\n", ""),
    "unknown expectation": post_head(f"Expect: miracles\nContent-Length: {4 * LENGTH}"),
    "two content types": post_head(f"Content-Type: text/csv\nContent-Length: {4 * LENGTH}"),
    "NUL in the path": post_head(f"Content-Length: {4 * LENGTH}", "/v1/machines/m%00/learn"),
    "raw bytes in the path": post_head(f"Content-Length: {4 * LENGTH}", "/v1/machines/m\xff/learn"),
    "long path": post_head(f"Content-Length: {4 * LENGTH}", "/v1/machines/m/learn?source=" + "x" * 2100),
    "greeting of TLS": "\x16\x03\x01\x02\n\n",
    "greeting of SSH": "SSH-2.0-x\n\n",
}


@pytest.mark.parametrize("name", FRAMES)
def test_frame(learner, name):
    """Where the end of a request is in doubt nothing of it is done, and the connection ends."""
    before = picture(learner, "m")
    answer = exchange(learner, FRAMES[name], floats(GOOD), seconds=12)
    assert status_of(answer) in (400, 417, None), answer
    assert picture(learner, "m") == before


def test_body_shorter_than_announced(learner):
    """The sender goes away in the middle: nothing is learned, habitd lives on."""
    before = picture(learner, "m")
    host, port = learner.url.removeprefix("http://").split(":")
    for end in (0, 1, 64, 4 * LENGTH - 1):
        with socket.create_connection((host, int(port)), 5) as link:
            link.sendall(post_head(f"Content-Length: {4 * LENGTH}").replace("\n", "\r\n").encode() + floats(GOOD)[:end])
    assert picture(learner, "m") == before


@pytest.mark.parametrize("headers, status, kind", [
    ({"Host": "evil.example"}, 421, "host"), ({"Host": "127.0.0.1.evil.example:80"}, 421, "host"),
    ({"Origin": "http://evil.example"}, 403, "origin"), ({"Origin": "null"}, 403, "origin"),
])
def test_web_page_from_elsewhere(learner, headers, status, kind):
    with Watch(learner, "m", {kind: 1}):
        check_problem(learner.request("POST", "/v1/machines/m/learn", data=floats(GOOD), headers={**RAW, **headers}), status,
                      kind)


# -------------------------------------------------------------------------------------------------------------- addresses

BAD_IDS = ["", "x" * 65, ".", "..", "+", "%2B", "%23", "$SYS", "a%2Fb", "a%20b", "a+b", "a.b", "a:b", "%F0%9F%98%80", "%D0%B0",
           "a%E2%80%8D", "%E2%80%AEa", "-rf", "_a", "'%3B%20DROP%20TABLE", "%27", "a%00", "a%0A", "%zz", "%", "%2", "%c0%ae",
           "%2e%2e%2f", "a%5Cb", "%61", "p*", "{id}"]


@pytest.mark.parametrize("method, suffix", [("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/learn"), ("PUT", "/knowledge"),
                                            ("POST", "/commission")])
def test_machine_id(learner, method, suffix):
    before = [m["machine"] for m in learner.json("/v1/machines")["machines"]]
    body = {"": json.dumps({"buffer_size": SIZE, "axes": AXES}), "/learn": json.dumps(GOOD)}.get(suffix, "")
    body = "" if method in ("GET", "DELETE") else body
    headers = JSON if suffix in ("", "/learn") and body else RAW if suffix == "/knowledge" else {}
    for machine in BAD_IDS:
        kind = refused_id(learner, method, f"/v1/machines/{machine}{suffix}", body, headers)
        assert kind in ("machine-id", "request"), machine
    assert [m["machine"] for m in learner.json("/v1/machines")["machines"]] == before
    assert learner.json("/v1/pending")["pending"] == []


def refused_id(habitd, method, path, body, headers):
    """Sends the path as it is written; returns the type of the problem, which has status 400."""
    link = http.client.HTTPConnection(habitd.url.removeprefix("http://"), timeout=5)
    link.request(method, path, body=body, headers=headers)
    answer = link.getresponse()
    text = answer.read()
    link.close()
    assert answer.status == 400, f"{method} {path}: {answer.status} {text}"
    assert answer.getheader("Content-Type") == "application/problem+json"
    return json.loads(text)["type"].rsplit(":", 1)[1]


def test_case_matters(learner):
    learner.put_machine("Case", buffer_size=SIZE, axes=AXES)
    assert learner.get("/v1/machines/case").status_code == 404


@pytest.mark.parametrize("path", ["/v2/machines", "/v1", "/v1/", "/v1/machine", "/v1/Machines", "/v1/machines/",
                                  "/v1/machines/m/", "/v1/machines/m/teach", "/v1/machines/m/learn/x", "//v1/machines",
                                  "/metrics/", "/favicon.ico",
                                  "/v1/anomalies/1/2", "/v1/reports", "/etc/passwd"])
def test_unknown_route(learner, path):
    host = learner.url.removeprefix("http://")
    link = http.client.HTTPConnection(host, timeout=5)
    link.request("GET", path)
    answer = link.getresponse()
    problem = json.loads(answer.read())
    if path == "/v1/machines/":  # a machine whose ID is empty
        assert (answer.status, problem["type"]) == (400, "urn:habit:problem:machine-id")
    else:
        assert (answer.status, problem["type"]) == (404, "urn:habit:problem:no-route")


@pytest.mark.parametrize("method, path, allow", [
    ("POST", "/v1/machines", {"GET", "HEAD"}), ("DELETE", "/v1/machines", {"GET", "HEAD"}),
    ("POST", "/v1/machines/m", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}), ("GET", "/v1/machines/m/learn", {"POST"}),
    ("PUT", "/v1/machines/m/learn", {"POST"}), ("DELETE", "/v1/machines/m/knowledge", {"GET", "HEAD", "PUT"}),
    ("POST", "/v1/machines/m/sensitivity", {"GET", "HEAD", "PUT"}), ("GET", "/v1/machines/m/initialize", {"POST"}),
    ("PUT", "/v1/anomalies", {"GET", "HEAD"}), ("POST", "/readyz", {"GET", "HEAD"}), ("DELETE", "/metrics", {"GET", "HEAD"}),
    ("TRACE", "/v1/machines/m", {"GET", "HEAD", "PUT", "PATCH", "DELETE"}), ("OPTIONS", "/v1/machines", {"GET", "HEAD"}),
    ("get", "/v1/machines", {"GET", "HEAD"}), ("BREW", "/v1/machines", {"GET", "HEAD"}),
])
def test_wrong_method(learner, method, path, allow):
    """http.client, because requests writes methods in capitals."""
    with Watch(learner, "m", {"method": 1}):
        link = http.client.HTTPConnection(learner.url.removeprefix("http://"), timeout=5)
        link.request(method, path)
        answer = link.getresponse()
        assert answer.status == 405, answer.read()
        assert set(answer.getheader("Allow").split(", ")) == allow
        assert json.loads(answer.read())["type"] == "urn:habit:problem:method"


@pytest.mark.parametrize("method, path", [
    ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("POST", "/learn"), ("POST", "/detect"), ("POST", "/buffers"),
    ("GET", "/knowledge"), ("GET", "/sensitivity"), ("PUT", "/sensitivity"), ("PUT", "/context"), ("POST",
    "/commission"), ("POST", "/initialize"),
])
def test_unknown_machine(learner, method, path):
    bodies = {"": (JSON, "{}"), "/sensitivity": (JSON, '{"sensitivity":1}'), "/context": (JSON, '{"t":1}')}
    headers, body = bodies.get(path, (RAW, floats(GOOD)) if path in ("/learn", "/detect", "/buffers") else ({}, None))
    headers, body = ({}, None) if method in ("GET", "DELETE") else (headers, body)
    with Watch(learner, "m", {"no-machine": 1}):
        check_problem(learner.request(method, f"/v1/machines/nobody{path}", headers=headers, data=body), 404, "no-machine")
    assert learner.get("/v1/machines/nobody").status_code == 404
    assert learner.json("/v1/pending")["pending"] == []


@pytest.mark.parametrize("path, status, kind", [
    ("/v1/anomalies/999999", 404, "not-found"), ("/v1/anomalies/0", 404, "not-found"), ("/v1/anomalies/x", 404, "not-found"),
    ("/v1/anomalies/-1", 404, "not-found"), ("/v1/anomalies/" + "9" * 30, 404, "not-found"),
    ("/v1/reports/daily?machine=nobody", 404, "no-machine"),
])
def test_nothing_there(learner, path, status, kind):
    check_problem(learner.get(path), status, kind)


# ---------------------------------------------------------------------------------------------------------------- queries

QUERIES = [  # path, field
    ("/v1/machines?colour=red", "colour"), ("/v1/machines?limit=0", "limit"), ("/v1/machines?limit=-1", "limit"),
    ("/v1/machines?limit=1001", "limit"), ("/v1/machines?limit=1e3", "limit"), ("/v1/machines?limit=0x10", "limit"),
    ("/v1/machines?limit=", "limit"), ("/v1/machines?limit", "limit"), ("/v1/machines?limit=10&limit=10", "limit"),
    ("/v1/machines?limit=%2B5", "limit"), ("/v1/machines?limit=5%20", "limit"), ("/v1/machines?limit=" + "9" * 40, "limit"),
    ("/v1/anomalies?from=yesterday", "from"), ("/v1/anomalies?to=2026-13-01T00:00:00Z", "to"),
    ("/v1/anomalies?before=0", "before"), ("/v1/anomalies?before=x", "before"), ("/v1/anomalies?from=-5", "from"),
    ("/v1/anomalies?machines=m", "machines"),
    ("/v1/reports/daily?date=2026-02-30", "date"), ("/v1/reports/daily?date=today", "date"),
    ("/v1/reports/daily?date=2026-1-1", "date"), ("/v1/reports/daily?date=2026-01-01T00:00", "date"),
    ("/readyz?verbose", "verbose"),
]


@pytest.mark.parametrize("path, field", QUERIES)
def test_query(learner, path, field):
    with Watch(learner, "m", {"request": 1}):
        check_problem(learner.get(path), 400, "request", field)


@pytest.mark.parametrize("path", ["/v1/machines?after=a%20b", "/v1/anomalies?machine=..", "/v1/reports/daily?machine=%23"])
def test_query_machine(learner, path):
    with Watch(learner, "m", {"machine-id": 1}):
        check_problem(learner.get(path), 400, "machine-id")


@pytest.mark.parametrize("verb, query, status, kind, field", [
    ("learn", "dry_run=1", 400, "request", "dry_run"), ("detect", "dry_run=2", 400, "request", "dry_run"),
    ("detect", "dry_run=yes", 400, "request", "dry_run"), ("learn", "format=f64", 400, "request", "format"),
    ("learn", "format=json", 400, "request", "format"), ("learn", "seq=-1", 422, "range", "seq"),
    ("learn", "seq=abc", 422, "range", "seq"), ("learn", f"seq={2**53}", 422, "range", "seq"),
    ("learn", "seq=1&seq=2", 400, "request", "seq"), ("learn", "seq=1&source=" + "s" * 33, 422, "range", "source"),
    ("learn", "time=soon", 422, "range", "time"), ("learn", "age_ms=-5", 422, "range", "age_ms"),
    ("learn", "colour=red", 400, "request", "colour"),
])
def test_query_of_buffers(learner, verb, query, status, kind, field):
    with Watch(learner, "m", {kind: 1}):
        answer = learner.request("POST", f"/v1/machines/m/{verb}?{query}", data=floats(GOOD), headers=RAW)
        check_problem(answer, status, kind, field)


def test_format_of_text(learner):
    with Watch(learner, "m", {"request": 1}):
        answer = learner.request("POST", "/v1/machines/m/learn?format=i16", data=data(), headers=JSON)
        check_problem(answer, 400, "request", "format")


@pytest.mark.parametrize("method, path", [("GET", "/v1/machines"), ("GET", "/v1/machines/m/knowledge"),
                                          ("DELETE", "/v1/machines/m"), ("POST", "/v1/machines/m/initialize"),
                                          ("POST", "/v1/machines/m/commission")])
def test_body_where_none_belongs(learner, method, path):
    with Watch(learner, "m", {"request": 1}):
        check_problem(learner.request(method, path, data='{"a":1}', headers=JSON), 400, "request")


# --------------------------------------------------------------------------------------------------------------- settings

SETTINGS = [  # body, type, field
    ('{"colour":"red"}', "unknown-field", "colour"), ('{"Axes":3}', "unknown-field", "Axes"), ('{"":1}', "unknown-field", None),
    ('{"axes":0}', "range", "axes"), ('{"axes":17}', "range", "axes"), ('{"axes":1.5}', "range", "axes"),
    ('{"axes":"3"}', "range", "axes"), ('{"axes":[3]}', "range", "axes"), ('{"axes":true}', "range", "axes"),
    ('{"buffer_size":0}', "range", "buffer_size"), ('{"buffer_size":4097}', "range", "buffer_size"),
    ('{"buffer_size":-1}', "range", "buffer_size"), ('{"buffer_size":1e300}', "range", "buffer_size"),
    ('{"sensitivity":0}', "range", "sensitivity"), ('{"sensitivity":-1}', "range", "sensitivity"),
    ('{"sensitivity":100.0001}', "range", "sensitivity"), ('{"sensitivity":1e-300}', "range", "sensitivity"),
    ('{"sensitivity":"1"}', "range", "sensitivity"), ('{"threshold":0}', "range", "threshold"),
    ('{"threshold":-1}', "range", "threshold"), ('{"threshold":101}', "range", "threshold"),
    ('{"threshold":90.5}', "range", "threshold"), ('{"clear":89}', "range", "clear"), ('{"threshold":95}', "range", "clear"),
    ('{"window":0}', "range", "window"), ('{"window":65}', "range", "window"), ('{"learn":0}', "range", "learn"),
    ('{"learn":-1}', "range", "learn"), ('{"learn":1.5}', "range", "learn"), ('{"learn":"soon"}', "range", "learn"),
    ('{"learn":"5 h"}', "range", "learn"), ('{"learn":true}', "range", "learn"), ('{"learn_min":7}', "range", "learn_min"),
    ('{"learn_max":"1s"}', "range", "learn_max"), ('{"learn_max":"400d"}', "range", "learn_max"),
    ('{"learn_every":-1}', "range", "learn_every"), ('{"detect_every":"x"}', "range", "detect_every"),
    ('{"unit":"123456789012"}', "range", "unit"), ('{"unit":5}', "range", "unit"), ('{"scale":0}', "range", "scale"),
    ('{"scale":-1}', "range", "scale"), ('{"offset":1e16}', "range", "offset"), ('{"sampling_hz":-1}', "range", "sampling_hz"),
    ('{"format":"f64"}', "range", "format"), ('{"format":1}', "range", "format"), ('{"layout":"mixed"}', "range", "layout"),
    ('{"start":"now"}', "range", "start"), ('{"profile":"huge"}', "range", "profile"), ('{"paused":"yes"}', "range", "paused"),
    ('{"paused":1}', "range", "paused"), ('{"name":5}', "range", "name"), ('{"name":"a\\nb"}', "range", "name"),
    ('{"name":"' + "n" * 64 + '"}', "range", "name"), ('{"labels":"' + "n" * 256 + '"}', "range", "labels"),
    ('{"window":20,"colour":1}', "unknown-field", "colour"), ('{"window":20,"axes":99}', "range", "axes"),
]


@pytest.mark.parametrize("body, kind, field", SETTINGS)
def test_setting(learner, body, kind, field):
    """The same by PATCH, and by PUT with a geometry that is fine."""
    whole = {"buffer_size": SIZE, "axes": AXES, "learn": 100000, **json.loads(body)}
    with Watch(learner, "m", {kind: 3}):
        check_problem(learner.request("PATCH", "/v1/machines/m", data=body, headers=JSON), 422, kind, field)
        check_problem(learner.request("PUT", "/v1/machines/m", json=whole), 422, kind, field)
        check_problem(learner.request("PUT", "/v1/machines/new-one", json=whole), 422, kind, field)
    assert learner.get("/v1/machines/new-one").status_code == 404


@pytest.mark.parametrize("body", ["", "[]", "5", "null", "{", '{"axes":1,"axes":2}', '{"name":"\\ud800"}', "{'axes':1}", "[1]"])
def test_settings_malformed(learner, body):
    with Watch(learner, "m", {"syntax": 2}):
        for method in ("PUT", "PATCH"):
            check_problem(learner.request(method, "/v1/machines/m", data=body, headers=JSON), 400, "syntax")


@pytest.mark.parametrize("body, field", [("{}", "buffer_size"), ('{"axes":3}', "buffer_size"), ('{"buffer_size":64}', "axes"),
                                         ('{"buffer_size":4096,"axes":16,"window":0}', "window")])
def test_machine_without_geometry(learner, body, field):
    check_problem(learner.request("PUT", "/v1/machines/new-one", data=body, headers=JSON), 422, "range", field)
    assert learner.get("/v1/machines/new-one").status_code == 404


@pytest.mark.parametrize("body, status, kind", [
    ('{"sensitivity":0}', 422, "range"), ('{"sensitivity":101}', 422, "range"), ('{"sensitivity":"1"}', 422, "range"),
    ('{"sensitivity":null}', 422, "range"), ("{}", 422, "unknown-field"), ('{"sensitivity":1,"x":1}', 422, "unknown-field"),
    ("1.1", 400, "syntax"), ("[1.1]", 400, "syntax"), ('{"sensitivity":NaN}', 400, "syntax"),
    ('{"sensitivity":1e999}', 400, "not-finite"),
])
def test_sensitivity(learner, body, status, kind):
    with Watch(learner, "m", {kind: 1}):
        check_problem(learner.request("PUT", "/v1/machines/m/sensitivity", data=body, headers=JSON), status, kind)


@pytest.mark.parametrize("body, status, kind", [
    ("5", 400, "syntax"), ("[]", 400, "syntax"), ('{"t":"hot"}', 400, "syntax"), ('{"t":null}', 400, "syntax"),
    ('{"":1}', 422, "range"), ('{"t":1e999}', 400, "not-finite"), (json.dumps({f"c{i}": i for i in range(9)}), 422, "range"),
])
def test_context(learner, body, status, kind):
    with Watch(learner, "m", {kind: 1}):
        check_problem(learner.request("PUT", "/v1/machines/m/context", data=body, headers=JSON), status, kind)


# -------------------------------------------------------------------------------------------------------------- knowledge

OTHERS = {  # setting: a block of a machine with this setting is refused, naming both values
    "buffer_size": (SIZE, 32), "axes": (AXES, 1), "sampling_hz": (1600, 800), "unit": ("g", "mm/s"), "scale": (0.25, 0.5),
    "profile": ("default", "small"),
}
OURS = {"buffer_size": SIZE, "axes": AXES, "sampling_hz": 1600, "unit": "g", "scale": 0.25}


def refused_knowledge(habitd, block, words=()):
    """PUT of a block that is no good: 422, and what is in force stays to the byte."""
    with Watch(habitd, "k", {"knowledge": 1}):
        answer = habitd.request("PUT", "/v1/machines/k/knowledge", data=block, headers=RAW)
        return check_problem(answer, 422, "knowledge", "knowledge", words)


@pytest.fixture(scope="module")
def keeper(shared_habitd, tmp_path_factory):
    """A machine with knowledge worth keeping."""
    shared_habitd.put_machine("k", **OURS)
    shared_habitd.post_all("k", "learn", simulate(tmp_path_factory.mktemp("data"), 30, SIZE, AXES))
    return shared_habitd


@pytest.mark.parametrize("setting", OTHERS)
def test_knowledge_of_another_sensor(keeper, tmp_path, setting):
    ours, theirs = OTHERS[setting]
    other = f"other-{setting.replace('_', '-')}"
    settings = {**OURS, setting: theirs}
    keeper.put_machine(other, **settings)
    keeper.post_all(other, "learn", simulate(tmp_path, 10, settings["buffer_size"], settings["axes"]))
    refused_knowledge(keeper, keeper.knowledge(other), [setting, ours, theirs])


def test_knowledge_damaged_anywhere(keeper):
    block = keeper.knowledge("k")
    for at in [*range(0, 128), *range(128, len(block), 37), len(block) - 1]:
        refused_knowledge(keeper, block[:at] + bytes([block[at] ^ 0x10]) + block[at + 1:])


def test_knowledge_of_another_length(keeper):
    block = keeper.knowledge("k")
    for cut in (b"", block[:1], block[:127], block[:128], block[:-1], block + b"\0", block + block, bytes(len(block)),
                b"\xff" * len(block), block[4:] + block[:4]):
        refused_knowledge(keeper, cut)


def test_knowledge_for_nobody(keeper):
    """A damaged block makes no machine."""
    block = bytearray(keeper.knowledge("k"))
    block[200] ^= 1
    answer = keeper.request("PUT", "/v1/machines/nobody/knowledge", data=bytes(block), headers=RAW)
    check_problem(answer, 422, "knowledge")
    assert keeper.get("/v1/machines/nobody").status_code == 404


@pytest.mark.parametrize("headers", [JSON, CSV, {}])
def test_knowledge_of_another_type(keeper, headers):
    with Watch(keeper, "k", {"media-type": 1}):
        answer = keeper.request("PUT", "/v1/machines/k/knowledge", data=keeper.knowledge("k"), headers=headers)
        check_problem(answer, 415, "media-type", "Content-Type", ["application/octet-stream"])


# ------------------------------------------------------------------------------------------------------------------- MQTT

@pytest.fixture
def gateway(house, broker, tmp_path):
    """A connected habitd with a machine that learns, and a client."""
    habitd = house.habitd(broker)
    habitd.put_machine("m", buffer_size=SIZE, axes=AXES, learn=100000)
    habitd.act("m", "commission")
    habitd.post_all("m", "learn", simulate(tmp_path, 20, SIZE, AXES))
    return habitd, house.client(broker)


def check_good_works(habitd, client):
    """The next good message is learned; it also shows that all before it were handled."""
    learned = habitd.learned("m")
    client.publish(f"{ROOT}/m/learn", floats(GOOD))
    wait_until(lambda: habitd.learned("m") > learned, "a good buffer")
    assert habitd.learned("m") == learned + 1


MEDIA = {id(JSON): "application/json", id(CSV): "text/csv", id(RAW): "application/octet-stream"}


def test_same_bodies_over_mqtt(gateway):
    """What HTTP refuses, MQTT drops, for the same reason."""
    habitd, client = gateway
    before, expected = habitd.knowledge("m"), habitd.refusals()
    for headers, body, _status, kind, _field, _words in BUFFERS.values():
        if id(headers) not in MEDIA or kind is None:
            continue
        expected[kind] += 1
        client.publish(f"{ROOT}/m/learn", body, content_type=MEDIA[id(headers)])
    for body in MALFORMED:
        expected["syntax"] += 1
        client.publish(f"{ROOT}/m/learn", body, content_type="application/json")
    wait_until(lambda: sum(habitd.refusals().values()) >= sum(expected.values()), "all dropped")
    assert habitd.refusals() == expected and habitd.knowledge("m") == before
    check_good_works(habitd, client)


def test_bad_envelopes_over_mqtt(gateway):
    habitd, client = gateway
    before, expected = habitd.knowledge("m"), habitd.refusals()
    good = floats(GOOD)
    for count in range(3):
        client.publish(f"{ROOT}/m/learn", good, content_type="text/plain")
        client.publish(f"{ROOT}/m/learn", good, seq="x")
        client.publish(f"{ROOT}/m/learn", good, seq=-1, boot="b")
        client.publish(f"{ROOT}/m/learn", good, seq=count, source="s" * 33)
        client.publish(f"{ROOT}/m/context", '{"t":"hot"}')
        client.publish(f"{ROOT}/m/learn", floats([2.5] * LENGTH))
    for reason, count in {"media-type": 3, "range": 9, "syntax": 3, "constant": 3}.items():
        expected[reason] += count
    wait_until(lambda: sum(habitd.refusals().values()) >= sum(expected.values()), "all dropped")
    assert habitd.refusals() == expected and habitd.knowledge("m") == before
    check_good_works(habitd, client)


def test_logged_once_a_minute(gateway):
    """A line for each reason, not one for each message."""
    habitd, client = gateway
    for _ in range(50):
        client.publish(f"{ROOT}/m/learn", b"abc", wait=False)
        client.publish(f"{ROOT}/m/learn", floats(with_value(math.nan)), wait=False)
    wait_until(lambda: habitd.refusals()["length"] + habitd.refusals()["not-finite"] == 100, "all dropped")
    lines = [line for line in habitd.log().splitlines() if "dropped a message" in line]
    assert len(lines) == 2, lines
    assert f"{ROOT}/m/learn" in lines[0] and "length" in lines[0] and "32" in lines[0]
    assert "not-finite" in lines[1]
    check_good_works(habitd, client)


def test_bad_ids_over_mqtt(gateway):
    habitd, client = gateway
    ids = ["", "x" * 65, ".", "..", "a b", "a.b", "-rf", "_a", "\U0001f600", "\u0430", "a\u200d", "'; DROP TABLE", "$SYS"]
    before = habitd.refusals()["machine-id"]
    for machine in ids:
        client.publish(f"{ROOT}/{machine}/learn", floats(GOOD))
    wait_until(lambda: habitd.refusals()["machine-id"] == before + len(ids), "all dropped")
    assert [m["machine"] for m in habitd.json("/v1/machines")["machines"]] == ["m"]
    assert habitd.json("/v1/pending")["pending"] == []
    check_good_works(habitd, client)


def test_retained_buffer_is_not_learned(house, broker, gateway):
    """It would be learned again whenever habitd subscribes anew."""
    habitd, client = gateway
    client.publish(f"{ROOT}/m/learn", floats(GOOD), retain=True)  # to those who listen already it comes as any other
    wait_until(lambda: habitd.learned("m") == 21, "the fresh one")
    habitd.terminate()
    house.client(broker, name=f"habit-{GATEWAY}").close()  # takes the session over, and ends it
    habitd.start().wait_connected()
    wait_until(lambda: habitd.refusals()["retained"] == 1, "the retained one comes and is refused")
    assert habitd.learned("m") == 21
    check_good_works(habitd, client)


def test_oversize_message(gateway):
    """Neither learned nor the end of the connection."""
    habitd, client = gateway
    before = habitd.knowledge("m")
    client.publish(f"{ROOT}/m/learn", bytes(BODY_LIMIT + 4))
    client.publish(f"{ROOT}/m/learn", bytes(8 * BODY_LIMIT))
    client.publish(f"{ROOT}/m/buffer", b"")
    wait_until(lambda: habitd.refusals()["length"] == 1, "the empty one behind them")
    assert habitd.knowledge("m") == before
    check_good_works(habitd, client)


def test_own_topics_come_back(gateway):
    """What nobody should publish but habitd changes nothing."""
    habitd, client = gateway
    before = habitd.knowledge("m")
    for topic in ("m/state", "m/anomaly", "m/availability", "status", "info", "m/learn/x", "m", "m/cmd/initialize", "learn"):
        client.publish(f"{ROOT}/{topic}", floats(GOOD))
    check_good_works(habitd, client)
    assert habitd.learned("m") == 21 and before != habitd.knowledge("m")


# ---------------------------------------------------------------------------------------------------------- configuration

def run_habitd(*arguments, seconds=10):
    """Runs habitd where it should end by itself."""
    try:
        return subprocess.run([str(HABITD), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=seconds, env=clean_environment(), check=False)
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(f"habitd did not end but ran on: {expired.stderr}") from None


BROKEN = [  # text, line, words
    ("[http]\nprot = 1\n", 2, ["prot", "port"]), ("[htpp]\nport = 1\n", 1, ["htpp", "http"]), ("port = 1\n", 1, []),
    ("[http]\nport = 1\nport = 1\n", 3, ["port"]), ("[http]\nport = 1\n[http]\n", 3, []), ("[http]\nport\n", 2, []),
    ("[http]\nport =\n", 2, ["port"]), ("[http]\nport = abc\n", 2, ["port", "65535"]),
    ("[http]\nport = 65536\n", 2, ["port"]), ("[http]\nport = -1\n", 2, ["port"]), ("[http]\nport = 0x10\n", 2, ["port"]),
    ("[http]\nport = 1e3\n", 2, ["port"]), ("[http]\nport = 10 20\n", 2, ["port"]), ("[http]\nport = \u0663\n", 2, ["port"]),
    ("[http]\naddress = 0.0.0.0\n", 2, ["address", "loopback"]), ("[http]\naddress = 192.168.1.1\n", 2, ["address"]),
    ("[gateway]\nid = a/b\n", 2, ["a/b"]), ("[gateway]\nid = " + "x" * 33 + "\n", 2, ["32"]),
    ("[gateway]\ntimezone = Mars/Olympus\n", 2, ["Mars/Olympus"]), ("[gateway]\ntimezone = ../../etc/passwd\n", 2, []),
    ("[gateway]\ntimezone = UTC+25\n", 2, []), ("[gateway]\nlog_level = loud\n", 2, ["loud"]),
    ("[gateway]\nmachines = 10001\n", 2, ["machines", "10000"]), ("[store]\npath = relative.db\n", 2, ["relative.db"]),
    ("[store]\nflush = 5 s\n", 2, ["flush"]), ("[store]\nflush = 1.5m\n", 2, ["flush"]), ("[store]\nflush = 5S\n", 2, ["flush"]),
    ("[store]\nflush = 1ms\n", 2, ["flush"]), ("[mqtt]\nkeepalive = 4\n", 2, ["keepalive"]), ("[mqtt]\nport = 0\n", 2, ["port"]),
    ("[mqtt]\nhost = a b\n", 2, ["host"]), ('[machine "p*"]\naxes = 17\n', 2, ["axes", "16"]),
    ('[machine "p*"]\nsensitivity = 0\n', 2, ["sensitivity"]), ('[machine "p*"]\nsensitivity = 1,5\n', 2, ["sensitivity"]),
    ('[machine "p*"]\ncolour = red\n', 2, ["colour"]), ('[machine "p*"]\nsensitivty = 1\n', 2, ["sensitivity"]),
    ('[machine "p+"]\n', 1, ["p+"]), ("[machine]\naxes = 3\n", 1, ["name"]), ('[machine "p"]\n[machine "p"]\n', 2, ["line 1"]),
    ('[machine "p"]\ncreate = maybe\n', 2, ["create"]), ('[machine "p"]\ncreate = 1\n', 2, ["create"]),
    ('[machine "p"]\naxes = 3\nbuffer_size = 64\nthreshold = 95\n', 1, ["clear"]), ('[machine "p"]\ncreate = yes\n', 1, []),
    ('[input "a"]\nformat = i16\n', 1, ["topic"]), ('[input "a"]\ntopic = a/b\n', 1, ["{machine}"]),
    ('[input "a"]\ntopic = {machine}/{machine}\n', 2, ["{machine}"]), ('[input "a"]\ntopic = #/{machine}\n', 2, ["#"]),
    ('[input "a"]\ntopic = x{machine}\n', 2, []), ('[input "a"]\ntopic = a+/{machine}\n', 2, []),
    ('[input "a"]\ntopic = a/{machine}\n[input "b"]\ntopic = +/{machine}\n', 3, ["overlap"]),
    ('[input "a"]\ntopic = habit/v1/gw/{machine}\n[gateway]\nid = gw\n', 1, ["habit/v1/gw"]),
    ('[input "a"]\ntopic = $SYS/{machine}\n', 2, []), ('[input "a"]\ntopic = a/{machine}\nscale = 0\n', 3, ["scale"]),
    ('[input "a"]\ntopic = a/{machine}\nformat = f64\n', 3, ["f64"]),
    ('[input "a"]\ntopic = a/{machine}\naction = eat\n', 3, ["eat"]),
    ("[http\nport = 1\n", 1, []), ("[http] x\n", 1, []), ('port = "1"\n', 1, []), ('[http]\nport = "1"\n', 2, ["quotes"]),
    ("[http]\nport = 1 ; the port\n", 2, []), ("\ufeff[http]\n", 1, []), ("[http]\nport = 1\x01\n", 2, []),
    ("[http]\n# " + "x" * 100000 + "\n", 2, []), ("[gateway]\n\n# a comment\n\nid = ?\n", 5, ["?"]),
]


@pytest.mark.parametrize("text, line, words", BROKEN, ids=[repr(t)[:50] for t, _l, _w in BROKEN])
def test_broken_configuration(tmp_path, text, line, words):
    """Exit 2 with file and line, whether it was only to be checked or to run."""
    file = tmp_path / "habitd.conf"
    file.write_bytes(text.encode())
    for more in ([], ["--check-config"], ["--print-config"]):
        done = run_habitd("--config", file, *more)
        assert done.returncode == 2, done.stderr
        assert f"{file}:{line}: " in done.stderr, done.stderr
        assert all(word in done.stderr for word in words), done.stderr
        assert len(done.stderr.splitlines()) == 1 and done.stdout == ""


@pytest.mark.parametrize("content", [b"[http]\nport = 1\0\n", "[http]\nport = 1\n".encode("utf-16"), b"[http]\nport = \xff\n"])
def test_configuration_that_is_no_text(tmp_path, content):
    file = tmp_path / "habitd.conf"
    file.write_bytes(content)
    done = run_habitd("--config", file)
    assert done.returncode == 2 and f"{file}:" in done.stderr


def test_configuration_that_is_no_file(tmp_path):
    """Never the defaults instead."""
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nowhere")
    for path in (tmp_path / "missing", tmp_path, link, pathlib.Path("/dev/null"), pathlib.Path("/dev/zero")):
        done = run_habitd("--config", path, "--check-config")
        assert done.returncode == 2 and str(path) in done.stderr, done.stderr


@pytest.mark.parametrize("more", [["--check-config"], ["--explain-machine", "pump-1"]])
def test_without_the_default_file(more):
    default = re.search(r"default (/\S+/habitd\.conf);", run_habitd("--help").stdout)[1]
    if pathlib.Path(default).exists():
        pytest.skip(f"{default}: habitd is installed here")
    done = run_habitd(*more)
    assert done.returncode == 2 and f"{default}: No such file or directory; --config FILE names another" in done.stderr


@pytest.mark.parametrize("arguments", [["--colour"], ["extra"], ["--config"], ["--explain-machine", "a b"],
                                       ["--explain-machine"]])
def test_broken_arguments(tmp_path, arguments):
    file = tmp_path / "habitd.conf"
    file.write_text("")
    assert run_habitd(*(["--config", file] if "--config" not in arguments else []), *arguments).returncode == 2


FULL = """
[machine "*"]
window = 20
unit = mm/s

[machine "pump-*"]
create = yes
axes = 3
buffer_size = 256
sensitivity = 1.1
learn = 24h
name = Pump of hall 2

[input "accel"]
topic = factory/+/{machine}/accel
format = i16be
scale = 0.00048828125
layout = planar
"""


def test_printed_configuration_reads_back(tmp_path):
    file, again = tmp_path / "a.conf", tmp_path / "b.conf"
    file.write_text(configuration(tmp_path / "habit.db", sections=FULL))
    printed = run_habitd("--config", file, "--print-config")
    assert printed.returncode == 0
    for line in ("window = 20", "unit = mm/s", "create = yes", "sensitivity = 1.1", "learn = 1d", "name = Pump of hall 2",
                 "topic = factory/+/{machine}/accel", "format = i16be", "scale = 0.00048828125", "layout = planar",
                 "timezone = UTC", "keepalive = 30"):
        assert line in printed.stdout.splitlines(), line
    again.write_text(printed.stdout)
    assert run_habitd("--config", again, "--check-config").returncode == 0
    values = [line for line in printed.stdout.splitlines() if not line.startswith("#")]
    second = run_habitd("--config", again, "--print-config").stdout.splitlines()
    assert [line for line in second if not line.startswith("#")] == values
    assert f"# {file}:3" in printed.stdout.splitlines()


def test_checked_configuration(tmp_path):
    file = tmp_path / "habitd.conf"
    file.write_text(FULL.replace("\n", "\r\n").rstrip())  # CRLF, no newline at the end
    done = run_habitd("--config", file, "--check-config")
    assert done.returncode == 0 and str(file) in done.stdout and done.stderr == ""
    assert not (tmp_path / "habit.db").exists()


def test_explained_machine(tmp_path):
    """Each setting and the line that it comes from."""
    file = tmp_path / "habitd.conf"
    file.write_text(FULL.lstrip())
    lines = run_habitd("--config", file, "--explain-machine", "pump-1").stdout.splitlines()
    found = {line.split()[0]: line for line in lines}
    where = {line.split(" =")[0]: n for n, line in reversed(list(enumerate(file.read_text().splitlines(), 1)))}
    assert f'{file}:{where["axes"]} [machine "pump-*"]' in found["axes"] and " 3 " in found["axes"]
    assert f'{file}:{where["window"]} [machine "*"]' in found["window"]
    assert found["threshold"].endswith("default")
    assert found["create"].split()[1] == "yes"


def test_delivered_configuration():
    """The file that is installed is fine as it is."""
    file = REPOSITORY / "config" / "habitd.conf"
    done = run_habitd("--config", file, "--check-config")
    assert done.returncode == 0, done.stderr


def test_password_is_not_printed(tmp_path):
    secret = tmp_path / "password"
    secret.write_text("hunter2\n")
    secret.chmod(0o600)
    file = tmp_path / "habitd.conf"
    file.write_text(f"[mqtt]\nusername = habit\npassword_file = {secret}\n")
    done = run_habitd("--config", file, "--print-config")
    assert done.returncode == 0 and "hunter2" not in done.stdout + done.stderr
    assert "username = habit" in done.stdout


def test_limits_are_shown(tmp_path):
    file = tmp_path / "habitd.conf"
    file.write_text("")
    done = run_habitd("--config", file, "--show-limits")
    assert done.returncode == 0
    rows = {line.split()[0]: int(line.split()[1]) for line in done.stdout.splitlines()}
    assert rows["BODY"] == BODY_LIMIT and rows["NUMBERS"] == NUMBER_LIMIT and len(rows) > 20


# -------------------------------------------------------------------------------------------------------------- the store

@pytest.fixture
def stopped(house, tmp_path):
    """A habitd that has ended and left a store with a machine in it."""
    habitd = house.habitd()
    habitd.put_machine("m", buffer_size=SIZE, axes=AXES)
    habitd.post_all("m", "learn", simulate(tmp_path, 60, SIZE, AXES))
    habitd.terminate()
    assert not pathlib.Path(f"{habitd.store}-wal").exists(), "the store was not closed"
    return habitd


def check_refused_store(habitd, words):
    """Exit 1 with a clear line, and the file as it was."""
    before = habitd.store.read_bytes()
    done = run_habitd("--config", habitd.conf)
    assert done.returncode == 1, done.stderr
    assert str(habitd.store) in done.stderr and all(word in done.stderr for word in words), done.stderr
    assert habitd.store.read_bytes() == before, "the file was changed"
    return done


def test_store_of_a_later_version(stopped):
    with sqlite3.connect(stopped.store) as database:
        database.execute("PRAGMA user_version = 99")
    database.close()
    check_refused_store(stopped, ["later version", "99"])


def pages_of(habitd):
    content = habitd.store.read_bytes()
    size = struct.unpack(">H", content[16:18])[0]
    return size, len(content) // size


@pytest.mark.parametrize("page", [2, 3, 5, 8, -1])
def test_store_damaged(stopped, page):
    """A page of something else, as a worn out card leaves it."""
    size, count = pages_of(stopped)
    with open(stopped.store, "r+b") as file:
        file.seek((page - 1 if page > 0 else count - 1) * size)
        file.write(b"\xa5" * size)
    check_refused_store(stopped, ["damaged"])


def test_store_cut_off(stopped):
    size, count = pages_of(stopped)
    with open(stopped.store, "r+b") as file:
        file.truncate(size * (count // 2))
    check_refused_store(stopped, ["damaged"])


@pytest.mark.parametrize("content", [b"this is no database at all, but a letter to my aunt\n" * 100, b"\0" * 8192, b"x",
                                     b"SQLite format 3\0" + b"\xff" * 4080])
def test_store_is_something_else(stopped, content):
    stopped.store.write_bytes(content)
    check_refused_store(stopped, ["not a database of habit"] if b"SQLite" not in content else [])


def test_store_of_another_program(stopped):
    stopped.store.unlink()
    with sqlite3.connect(stopped.store) as database:
        database.execute("CREATE TABLE books (title TEXT)")
    database.close()
    check_refused_store(stopped, ["not a database of habit"])


def test_store_in_use(habitd):
    """Two on one store: the second one leaves, the first one does not notice."""
    done = run_habitd("--config", habitd.conf)
    assert done.returncode == 1 and "another habitd" in done.stderr and str(habitd.store) in done.stderr
    habitd.put_machine("m", buffer_size=SIZE, axes=AXES)
    assert habitd.post("m", "learn", floats(GOOD))["status"] == "learned"


def test_lock_of_the_dead(house):
    habitd = house.habitd()
    habitd.crash()
    assert habitd.json("/readyz")["status"] == "ready"


def test_store_without_a_folder(tmp_path):
    file = tmp_path / "habitd.conf"
    file.write_text(configuration(tmp_path / "nowhere" / "habit.db"))
    done = run_habitd("--config", file)
    assert done.returncode == 1 and str(tmp_path / "nowhere") in done.stderr


def test_store_is_private(habitd):
    """Nobody else reads what is learned."""
    assert habitd.store.stat().st_mode & 0o077 == 0


def test_port_in_use(habitd, tmp_path):
    port = habitd.url.rsplit(":", 1)[1]
    file = tmp_path / "second.conf"
    file.write_text(configuration(tmp_path / "second.db").replace("port = 0", f"port = {port}"))
    done = run_habitd("--config", file)
    assert done.returncode == 1 and f":{port}" in done.stderr and "port" in done.stderr


def test_good_is_good(learner):
    """The good buffer of these tables is good: every refusal above has one cause only."""
    learner.put_machine("good", buffer_size=SIZE, axes=AXES)
    for headers, body in ((RAW, floats(GOOD)), (JSON, data()), (JSON, json.dumps(GOOD)), (CSV, csv(GOOD)),
                          (JSON, as_json("1e15")), (JSON, as_json("1e-999")), (JSON, as_json("-0"))):
        answer = learner.request("POST", "/v1/machines/good/learn", data=body, headers=headers)
        assert answer.status_code == 200, answer.text
    assert learner.learned("good") == 7
