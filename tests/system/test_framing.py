"""Raw bytes that are almost a request. Where a request ends must never be in doubt: what is in doubt is refused and the connection
closed, so that nothing behind it is taken for a request. Sources: the 56 raw requests that were tried on libmicrohttpd 0.9.75, and what
each of its versions refuses by itself. All rows go over plain TCP and over TLS."""
import re
import socket
import ssl
import struct
import time

import pytest

import pki
from support import floats

SIZE, AXES = 8, 1
BUFFER = floats([0.5, -1.25, 2.0, -0.75, 1.5, -2.5, 0.25, -0.125])
LENGTH = str(len(BUFFER)).encode()
CHUNKS = b"20\r\n" + BUFFER + b"\r\n0\r\n\r\n"
SMUGGLED = b"GET /v1/machines/m HTTP/1.1\r\nHost: localhost\r\n\r\n"
assert len(BUFFER) == 0x20


def post(*headers, body=BUFFER, line=b"POST /v1/machines/m/detect HTTP/1.1", end=b"\r\n"):
    """A detect with these headers beside those that it needs."""
    head = [line, b"Host: localhost", b"Content-Type: application/octet-stream", *headers]
    return end.join(head) + end + end + body


def get(path=b"/v1/machines/m", *headers, version=b"HTTP/1.1", method=b"GET", host=b"Host: localhost"):
    return b"\r\n".join([b" ".join([method, path, version]), *filter(None, [host]), *headers]) + b"\r\n\r\n"


LONG = b"x" * 40960
SECONDS = 4  # to wait for an answer; the deadline of these habitds is shorter
FINE, CLOSED = {200}, {None}
REFUSED = {400}
SILENT = {400, None}  # closed with or without words: the library's own choice, it never comes to us

# name: bytes, statuses that the first answer may have (None: closed without one), whether the connection may go on
FRAMES = {
    # --- what is fine, so that a refusal below has one cause only
    "a detect": (post(b"Content-Length: " + LENGTH), FINE, True),
    "chunks": (post(b"Transfer-Encoding: chunked", body=CHUNKS), FINE, False),
    "chunks with a trailer": (post(b"Transfer-Encoding: chunked", body=CHUNKS[:-2] + b"X: y\r\n\r\n"), FINE, False),
    "no space behind the colon": (get(b"/v1/machines/m", b"X-A:b"), FINE, True),
    "tab behind the colon": (get(b"/v1/machines/m", b"X-A:\tb"), FINE, True),
    "space behind a value": (get(b"/v1/machines/m", b"X-A: b \t"), FINE, True),
    "an empty value": (get(b"/v1/machines/m", b"X-A:", b"X-B: "), FINE, True),
    "Latin-1 in a value": (get(b"/v1/machines/m", b"X-A: \xe9"), FINE, True),
    "expected and asked": (post(b"Content-Length: " + LENGTH, b"Expect: 100-continue"), {100, 200}, True),
    "forty headers": (get(b"/v1/machines/m", *[b"X-%d: y" % i for i in range(40)]), FINE, True),
    "HTTP/1.0": (get(version=b"HTTP/1.0"), FINE, False),
    "HTTP/1.0 without a host": (get(version=b"HTTP/1.0", host=None), FINE, False),
    "told to close": (get(b"/v1/machines/m", b"Connection: close"), FINE, False),
    "empty lines before it": (b"\r\n" + get(), {200, 400}, True),

    # --- how long the body is
    "both lengths": (post(b"Content-Length: " + LENGTH, b"Transfer-Encoding: chunked", body=b"0\r\n\r\n" + SMUGGLED), REFUSED, False),
    "both lengths, the other way round": (post(b"Transfer-Encoding: chunked", b"Content-Length: 5", body=b"0\r\n\r\n" + SMUGGLED),
                                          REFUSED, False),
    "two lengths": (post(b"Content-Length: 0", b"Content-Length: " + LENGTH, body=SMUGGLED), REFUSED, False),
    "two equal lengths": (post(b"Content-Length: " + LENGTH, b"Content-Length: " + LENGTH), REFUSED, False),
    "length with a plus": (post(b"Content-Length: +32"), REFUSED, False),
    "length below zero": (post(b"Content-Length: -1"), REFUSED, False),
    "hexadecimal length": (post(b"Content-Length: 0x20"), REFUSED, False),
    "empty length": (post(b"Content-Length:"), REFUSED, False),
    "length of a space": (post(b"Content-Length:  "), REFUSED, False),
    "list of lengths": (post(b"Content-Length: 32,32"), REFUSED, False),
    "two numbers": (post(b"Content-Length: 32 32"), REFUSED, False),
    "length with letters": (post(b"Content-Length: 32x"), REFUSED, False),
    "length 2^63": (post(b"Content-Length: 9223372036854775808"), {413}, False),
    "length 2^64": (post(b"Content-Length: 18446744073709551616"), {413}, False),
    "length 10^30": (post(b"Content-Length: 1" + b"0" * 30), {413}, False),
    "length of 1 GiB": (post(b"Content-Length: 1073741824"), {413}, False),
    "expected and too long": (post(b"Content-Length: 1073741824", b"Expect: 100-continue", body=b""), {413}, False),
    "two encodings": (post(b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked", body=CHUNKS), REFUSED, False),
    "encoding xchunked": (post(b"Transfer-Encoding: xchunked", body=CHUNKS), SILENT | {501}, False),
    "encoding gzip, chunked": (post(b"Transfer-Encoding: gzip, chunked", body=CHUNKS), SILENT | {501}, False),
    "encoding chunked, chunked": (post(b"Transfer-Encoding: chunked, chunked", body=CHUNKS), SILENT | {501}, False),
    "encoding identity": (post(b"Transfer-Encoding: identity"), SILENT | {501}, False),
    "encoding in quotes": (post(b'Transfer-Encoding: "chunked"', body=CHUNKS), SILENT | {501}, False),
    "encoding with a tab": (post(b"Transfer-Encoding: \x0bchunked", body=CHUNKS), SILENT | {501}, False),
    "empty encoding": (post(b"Transfer-Encoding:", body=CHUNKS), SILENT | {501}, False),
    "encoding in HTTP/1.0": (post(b"Transfer-Encoding: chunked", body=CHUNKS, line=b"POST /v1/machines/m/detect HTTP/1.0"),
                             REFUSED, False),
    "body of a GET": (get(b"/v1/machines/m", b"Content-Length: 49") + SMUGGLED, REFUSED, False),

    # --- chunks
    "chunk of -1": (post(b"Transfer-Encoding: chunked", body=b"-1\r\n" + BUFFER), SILENT, False),
    "chunk of 0x20": (post(b"Transfer-Encoding: chunked", body=b"0x20\r\n" + BUFFER + b"\r\n0\r\n\r\n"), SILENT, False),
    "chunk of 17 digits": (post(b"Transfer-Encoding: chunked", body=b"1" + b"0" * 16 + b"\r\n" + BUFFER), SILENT | {413}, False),
    "chunk of 2^64": (post(b"Transfer-Encoding: chunked", body=b"10000000000000000\r\n" + BUFFER), SILENT | {413}, False),
    "chunk without digits": (post(b"Transfer-Encoding: chunked", body=b"\r\n" + BUFFER), SILENT, False),
    "chunk longer than it says": (post(b"Transfer-Encoding: chunked", body=b"4\r\n" + BUFFER + b"\r\n0\r\n\r\n"), SILENT, False),
    "chunk with an extension": (post(b"Transfer-Encoding: chunked", body=CHUNKS.replace(b"20\r\n", b"20;a=b\r\n", 1)), FINE | SILENT, False),
    "chunk with a long extension": (post(b"Transfer-Encoding: chunked", body=b"20;" + b"a" * 200000 + b"\r\n"), SILENT | {413, 500}, False),
    "chunks by bare LF": (post(b"Transfer-Encoding: chunked", body=CHUNKS.replace(b"\r\n", b"\n") + SMUGGLED), FINE | SILENT, False),
    "length in the trailer": (post(b"Transfer-Encoding: chunked", body=CHUNKS[:-2] + b"Content-Length: 49\r\n\r\n" + SMUGGLED),
                              FINE | SILENT, False),

    # --- lines and names
    "space before the colon": (post(b"Content-Length : 32"), REFUSED, False),
    "tab before the colon": (post(b"Transfer-Encoding\t: chunked", body=CHUNKS), REFUSED, False),
    "space before a name": (post(b"Content-Length: 32", b" X: y"), REFUSED, False),
    "folded value": (post(b"X-A: b\r\n c", b"Content-Length: 32"), REFUSED, False),
    "folded encoding": (post(b"Transfer-Encoding:\r\n chunked", body=CHUNKS), SILENT, False),
    "folded first header": (get(b"/v1/machines/m", host=b" Host: localhost"), REFUSED, False),
    "no colon": (get(b"/v1/machines/m", b"nonsense"), REFUSED, False),
    "no name": (get(b"/v1/machines/m", b": x"), REFUSED, False),
    "name with a control byte": (get(b"/v1/machines/m", b"X\x01A: b"), REFUSED, False),
    "name in brackets": (get(b"/v1/machines/m", b"[X]: b"), REFUSED, False),
    "name with a high byte": (get(b"/v1/machines/m", b"X\xe9: b"), REFUSED, False),
    "bare CR in a value": (get(b"/v1/machines/m", b"X-A: b\rContent-Length: 5"), REFUSED, False),
    "control byte in a value": (get(b"/v1/machines/m", b"X-A: b\x01c"), REFUSED, False),
    "DEL in a value": (get(b"/v1/machines/m", b"X-A: b\x7f"), REFUSED, False),
    "NUL in a value": (get(b"/v1/machines/m", b"X-A: b\0c"), REFUSED, False),
    "NUL behind a value": (get(b"/v1/machines/m", b"X-A: b\0"), REFUSED, False),
    "NUL in the last value": (b"GET /v1/machines/m HTTP/1.1\r\nHost: localhost\r\nX: y\0z\r\n\r\n", REFUSED, False),
    "NUL in a length": (post(b"Content-Length: 3\0" + b"2"), REFUSED, False),
    "NUL behind a length": (post(b"Content-Length: 32\0" + b"9"), REFUSED, False),
    "NUL in the host": (get(host=b"Host: localhost\0.evil.example"), REFUSED, False),
    "NUL in a name": (get(b"/v1/machines/m", b"X\0A: b"), REFUSED, False),
    "NUL made up for": (b"GET /v1/machines/m HTTP/1.1\nHost: localhost\r\nX: y\0\r\n\r\n", REFUSED, False),
    "all lines by bare LF": (post(b"Content-Length: 32", end=b"\n"), REFUSED, False),
    "one line by bare LF": (b"GET /v1/machines/m HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n", REFUSED, False),
    "first line by bare LF": (b"GET /v1/machines/m HTTP/1.1\nHost: localhost\r\n\r\n", REFUSED, False),
    "last line by bare LF": (b"GET /v1/machines/m HTTP/1.1\r\nHost: localhost\r\n\n", REFUSED, False),
    "LF LF in a value": (b"GET /v1/machines/m HTTP/1.1\r\nHost: localhost\r\nX: y\n\n" + SMUGGLED, REFUSED, False),
    "long header": (get(b"/v1/machines/m", b"X: " + LONG), {431}, False),
    "2,000 headers": (get(b"/v1/machines/m", *[b"X-%d: y" % i for i in range(2000)]), {431}, False),

    # --- what is asked for
    "no host": (get(host=None), REFUSED, False),
    "two hosts": (get(b"/v1/machines/m", b"Host: localhost"), REFUSED, False),
    "another's host": (get(host=b"Host: evil.example"), {421}, True),
    "two content types": (post(b"Content-Length: 32", b"Content-Type: text/csv"), REFUSED, False),
    "NUL escaped in the path": (get(b"/v1/machines/m%00x"), REFUSED, False),
    "NUL in the path": (get(b"/v1/machines/m\0x"), REFUSED, False),
    "NUL at the end of the path": (get(b"/v1/machines/m\0"), REFUSED, False),
    "NUL in the query": (get(b"/v1/machines?limit=5\0"), REFUSED, False),
    "NUL in the method": (get(method=b"GE\0T"), REFUSED, False),
    "NUL in the version": (get(version=b"HTTP/1.1\0"), REFUSED, False),
    "escape that is none": (get(b"/v1/%zz"), REFUSED, False),
    "escaped dots": (get(b"/v1/%2e%2e/etc"), REFUSED, False),
    "escaped slash": (get(b"/v1/machines%2Fm"), REFUSED, False),
    "absolute form": (get(b"http://localhost/v1/machines/m"), REFUSED, False),
    "asterisk": (get(b"*", method=b"OPTIONS"), REFUSED, False),
    "authority form": (get(b"localhost:80", method=b"CONNECT"), REFUSED, False),
    "space in the path": (get(b"/v1/machines/a b"), SILENT, False),
    "raw bytes in the path": (get(b"/v1/machines/\xff"), REFUSED, False),
    "long path": (get(b"/" + LONG), {414, 431}, False),
    "path of 2,049 bytes": (get(b"/v1/machines?limit=" + b"1" * 2030), REFUSED, False),
    "long method": (get(method=b"A" * 1000), {405, 400, 501}, True),
    "lower-case method": (get(method=b"get"), {405}, True),
    "no method": (get(method=b""), SILENT | {405}, False),
    "TRACE": (get(method=b"TRACE"), {405}, True),
    "two spaces": (get(b" /v1/machines/m"), SILENT, False),
    "tab for a space": (b"GET\t/v1/machines/m\tHTTP/1.1\r\nHost: localhost\r\n\r\n", SILENT | {414, 405, 505}, False),
    "HTTP/0.9": (b"GET /v1/machines/m\r\n\r\n", SILENT | {505}, False),
    "HTTP/2.0": (get(version=b"HTTP/2.0"), SILENT | {505}, False),
    "HTTP/9.9": (get(version=b"HTTP/9.9"), SILENT | {505}, False),
    "HTTP/1.2": (get(version=b"HTTP/1.2"), SILENT | {505, 200}, True),
    "HTTP/11": (get(version=b"HTTP/11"), SILENT | {505}, False),
    "lower-case version": (get(version=b"http/1.1"), SILENT | {505}, False),
    "greeting of HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", SILENT | {505}, False),
    "asks for another protocol": (get(b"/v1/machines/m", b"Connection: Upgrade", b"Upgrade: h2c"), FINE, True),
    "unknown expectation": (post(b"Content-Length: 32", b"Expect: miracles"), REFUSED | {417}, False),
    "greeting of TLS": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", SILENT | {505}, False),
    "greeting of SSH": (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", SILENT | {505}, False),
    "greeting of MQTT": (bytes.fromhex("101000044d5154540502003c00000361") + b"\r\n\r\n", SILENT | {505}, False),
    "nothing but NUL": (bytes(64) + b"\r\n\r\n", SILENT | {200}, True),  # 0.9.75 passes over it as over an empty line
    "NUL before it": (b"\0" + get(), SILENT | {405}, False),
}


def test_at_least_the_56():
    assert len(FRAMES) >= 56


# ------------------------------------------------------------------------------------------------------------- connecting

class Door:
    """habitd with a machine m, and raw connections to it."""

    def __init__(self, habitd, authority=None):
        self.habitd, self.port = habitd, int(habitd.url.rsplit(":", 1)[1])
        self.context = ssl.create_default_context(cafile=str(authority)) if authority else None
        habitd.put_machine("m", buffer_size=SIZE, axes=AXES)

    def connect(self, seconds=5):
        link = socket.create_connection(("127.0.0.1", self.port), seconds)
        return self.context.wrap_socket(link, server_hostname="localhost") if self.context else link


@pytest.fixture(scope="module", params=["plain", "tls"])
def door(request, module_house, tmp_path_factory):
    if request.param == "plain":
        return Door(start(module_house, ""))
    return secure_door(module_house, tmp_path_factory.mktemp("pki"))


def secure_door(house, folder):
    """habitd with TLS on loopback."""
    authority = pki.Pki(folder)
    certificate, key = authority.sign("habitd")
    return Door(start(house, f"certificate = {certificate}\nkey = {key}\n", authority.certificate), authority.certificate)


def start(house, keys, authority=None):
    """habitd with these keys in [http]."""
    habitd = house.habitd(start=False)
    habitd.conf.write_text(habitd.conf.read_text().replace("[http]\n", f"[http]\ndeadline = 2s\n{keys}"))
    habitd.session.trust_env = False  # a CA bundle of the developer's does not count here
    habitd.session.verify = str(authority) if authority else True
    return habitd.start()


def receive_all(link, quiet=0.4, seconds=5):
    """All that comes: until the end (then True), or until nothing came for a while."""
    got, deadline = b"", time.monotonic() + seconds
    while time.monotonic() < deadline:
        link.settimeout(quiet if got else max(0.05, deadline - time.monotonic()))
        try:
            part = link.recv(65536)
        except (TimeoutError, socket.timeout, ssl.SSLWantReadError):
            if got:
                return got, False
            continue
        except OSError:
            return got, True
        if not part:
            return got, True
        got += part
    return got, False


STATUS = re.compile(rb"HTTP/1\.[01] (\d\d\d) ")


def send(link, content):
    try:
        link.sendall(content)
    except OSError:
        pass  # refused before all was sent: the answer waits


# ------------------------------------------------------------------------------------------------------------- the frames

@pytest.mark.parametrize("name", FRAMES)
def test_frame(door, name):
    """The first answer is one that may be; what is not fine in every respect ends the connection, and nothing behind it is answered."""
    content, allowed, goes_on = FRAMES[name]
    before = door.habitd.machine("m")
    with door.connect() as link:
        send(link, content)
        send(link, get(b"/livez"))  # a second request, which must not be answered where the end of the first is in doubt
        got, ended = receive_all(link, seconds=SECONDS)
    statuses = [int(status) for status in STATUS.findall(got)]
    first = statuses[0] if statuses else None
    assert first in allowed, f"{first}: {got[:300]}"
    if not goes_on:
        assert statuses.count(200) <= (1 if 200 in allowed else 0), f"something behind it was answered: {got[:600]}"
        assert b"ok\n" not in got and (ended or first is None), f"the connection goes on: {got[:600]}"
    assert door.habitd.machine("m") == before or 200 in allowed


def test_smuggled_request_is_none(door):
    """A request inside the body of one with both lengths is part of nothing."""
    counted = 'habit_http_requests_total{method="GET",route="/v1/machines/{id}",code="200"}'
    before = door.habitd.metrics().get(counted, 0)
    for name in ("both lengths", "both lengths, the other way round", "two lengths", "chunks by bare LF", "length in the trailer",
                 "body of a GET", "LF LF in a value"):
        with door.connect() as link:
            send(link, FRAMES[name][0])
            receive_all(link, seconds=2)
    assert door.habitd.metrics().get(counted, 0) == before


def test_pipelined_requests_that_are_fine(door):
    """The guard is in nobody's way: twenty at once, each answered in order."""
    with door.connect() as link:
        link.sendall(b"".join([post(b"Content-Length: " + LENGTH), get(b"/livez")] * 10))
        got = b""
        while len(STATUS.findall(got)) < 20 or not got.endswith(b"ok\n"):
            part = link.recv(65536)
            assert part, f"closed after {len(STATUS.findall(got))} answers"
            got += part
    assert STATUS.findall(got) == [b"200"] * 20 and got.count(b"ok\n") == 10


def test_head_in_single_bytes(door):
    """However it is cut into packets."""
    with door.connect() as link:
        for byte in post(b"Content-Length: " + LENGTH, b"X-A:", b"X-B:c"):
            link.sendall(bytes([byte]))
        got, _ended = receive_all(link)
    assert STATUS.findall(got) == [b"200"], got


def test_reset_in_the_middle(door):
    """RST while the answer is made: no harm."""
    for _ in range(20):
        link = door.connect()
        link.sendall(post(b"Content-Length: " + LENGTH))
        link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        link.close()
    assert door.habitd.get("/livez").status_code == 200
