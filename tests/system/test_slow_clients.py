"""Clients that are slow, many, or both: none holds a connection beyond the deadline, and an honest one is answered meanwhile."""
import contextlib
import random
import re
import socket
import ssl
import threading
import time

import pytest

from pki import Pki
from support import floats, wait_until
from test_security import closed as closed_by_default

DEADLINE = 2
MOST = 128
HEAD = b"POST /v1/machines/m/detect HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/octet-stream\r\nContent-Length: 32\r\n"


def start(house, keys=f"deadline = {DEADLINE}s\n", folder=None):
    """habitd with these keys in [http], and TLS where there is a folder for certificates."""
    habitd = house.habitd(start=False)
    habitd.session.trust_env = False  # a CA bundle of the developer's does not count here
    if folder:
        habitd.pki = Pki(folder / "pki")
        certificate, key = habitd.pki.sign("habitd")
        habitd.session.verify = str(habitd.pki.certificate)
        keys += f"certificate = {certificate}\nkey = {key}\n"
    habitd.conf.write_text(habitd.conf.read_text().replace("[http]\n", f"[http]\n{keys}"))
    habitd.start()
    habitd.put_machine("m", buffer_size=8, axes=1)
    return habitd


def connect(habitd, source="127.0.0.1"):
    return socket.create_connection(("127.0.0.1", int(habitd.url.rsplit(":", 1)[1])), 10, source_address=(source, 0))


def closed(habitd, reason):
    return habitd.metrics()[f'habit_http_closed_total{{reason="{reason}"}}']


def is_closed(link):
    link.setblocking(False)
    try:
        return link.recv(65536) == b""
    except (BlockingIOError, ssl.SSLWantReadError):
        return False
    except OSError:
        return True


def trickle(link, content, every, seconds):
    """A byte now and then, until the connection is closed. Returns how long it lived."""
    began = time.monotonic()
    for byte in content:
        try:
            link.sendall(bytes([byte]))
        except OSError:
            break
        time.sleep(every)
        if is_closed(link) or time.monotonic() - began > seconds:
            break
    return time.monotonic() - began


SLOW = {  # what is sent at once, what byte by byte
    "nothing at all": (b"", b""),
    "the first line": (b"", HEAD * 10),
    "headers": (HEAD, b"X-A: b\r\n" * 100),
    "the body": (HEAD + b"\r\n", bytes(31)),
    "chunks": (HEAD.replace(b"Content-Length: 32", b"Transfer-Encoding: chunked") + b"\r\n", b"1\r\nx\r\n" * 100),
    "empty lines": (b"", b"\r\n" * 200),
}


@pytest.mark.parametrize("name", SLOW)
def test_a_byte_now_and_then(house, name):
    """Each byte is traffic, so libmicrohttpd's own timeout never comes."""
    first, rest = SLOW[name]
    habitd = start(house)
    limit = DEADLINE + (32 if "chunks" in name else 0)  # an unknown length may take as long as the largest body
    with connect(habitd) as link:
        link.sendall(first)
        lived = trickle(link, rest, 0.2, limit + 5) if rest else None
        if lived is None:
            began = time.monotonic()
            wait_until(lambda: is_closed(link), "the silent one is closed", DEADLINE + 3)
            lived = time.monotonic() - began
    assert DEADLINE - 0.5 < lived < limit + 2, f"lived {lived:.1f} s"
    wait_until(lambda: closed(habitd, "deadline") >= 1, "it is counted", 5)  # a moment after the client sees it
    assert habitd.machine("m")["learned"] == 0


def test_slow_handshake(house, tmp_path):
    """TLS that is begun and not gone on with."""
    habitd = start(house, folder=tmp_path)
    greeting = bytes.fromhex("16030100c8010000c40303") + bytes(200)
    with connect(habitd) as link:
        lived = trickle(link, greeting, 0.2, DEADLINE + 5)
    assert DEADLINE - 0.5 < lived < DEADLINE + 2, f"lived {lived:.1f} s"


def test_slow_request_in_tls(house, tmp_path):
    habitd = start(house, folder=tmp_path)
    with ssl.create_default_context(cafile=str(habitd.pki.certificate)).wrap_socket(connect(habitd), server_hostname="localhost") as link:
        link.sendall(HEAD + b"\r\n")
        lived = trickle(link, bytes(31), 0.2, DEADLINE + 5)
    assert DEADLINE - 0.5 < lived < DEADLINE + 2, f"lived {lived:.1f} s"


def test_second_request_is_slow(house):
    """An answer does not buy another deadline for ever: 30 s and the deadline from it on."""
    habitd = start(house, "deadline = 1s\n")
    with connect(habitd) as link:
        link.sendall(HEAD + b"\r\n" + floats([1, 2, 3, 4, 5, 6, 7, 9]))
        assert link.recv(65536).startswith(b"HTTP/1.1 200")
        lived = trickle(link, HEAD * 10, 1, 40)
    assert 28 < lived < 34, f"lived {lived:.1f} s"


def test_slow_reader(house):
    """Who does not take its answer: the deadline, and a second for each 32 KiB."""
    habitd = start(house, "deadline = 1s\n")
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        link.connect(("127.0.0.1", int(habitd.url.rsplit(":", 1)[1])))
        for _ in range(200):  # answers of some 100 KiB, more than fits between us
            link.sendall(b"GET /openapi.json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        wait_until(lambda: closed(habitd, "deadline") == 1, "the reader is given up", 20)
    assert habitd.get("/livez").status_code == 200


def test_a_backup_has_time_for_its_size(house):
    """A second for each 32 KiB, beyond the deadline: whoever fetches it over a thin line gets it whole."""
    habitd = start(house, "deadline = 1s\n")
    for i in range(64):  # some 20 MB: more than fits between us
        habitd.put_machine(f"big-{i}", buffer_size=4096, axes=16, start="auto", learn=30)
        habitd.request("POST", f"/v1/machines/big-{i}/buffers", headers={"Content-Type": "application/octet-stream"},
                       data=random.Random(i).randbytes(65536 * 2), params={"format": "i16"})
    with socket.socket() as link:
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        link.connect(("127.0.0.1", int(habitd.url.rsplit(":", 1)[1])))
        link.sendall(b"GET /v1/backup HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = link.recv(4096)
        size = int(re.search(rb"Content-Length: (\d+)", answer)[1])
        assert size > 8 << 20, f"a backup of {size} bytes shows nothing"
        time.sleep(4)
        got = len(answer) - answer.index(b"\r\n\r\n") - 4
        link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        while part := link.recv(1 << 20):
            got += len(part)
    assert got == size and closed(habitd, "deadline") == 0


def test_event_streams_have_no_deadline(house):
    habitd = start(house, "deadline = 1s\n")
    with connect(habitd) as link:
        link.sendall(b"GET /v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
        time.sleep(4)
        assert link.recv(65536).startswith(b"HTTP/1.1 200") and not is_closed(link)
    assert closed(habitd, "deadline") == 0


def test_long_work_has_no_deadline(house):
    """A request that is there is answered, however long that takes: only clients are hurried."""
    habitd = start(house, "deadline = 1s\n")
    body = b"".join(b'{"machine":"m","data":[1,2,3,4,5,6,7,%d]}\n' % i for i in range(4000))
    answer = habitd.request("POST", "/v1/buffers", data=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200 and len(answer.text.splitlines()) == 4000


@contextlib.contextmanager
def crowd(habitd, count, source, first=HEAD):
    """So many clients that send a byte every half second, and come again when they are thrown out."""
    done = threading.Event()
    links = []

    def keep_on():
        while not done.is_set():
            for at in range(count):
                with contextlib.suppress(OSError):
                    if at >= len(links):
                        links.append(connect(habitd, source))
                        links[at].sendall(first)
                    elif is_closed(links[at]):
                        links[at].close()
                        links[at] = connect(habitd, source)
                        links[at].sendall(first)
                    else:
                        links[at].setblocking(True)
                        links[at].sendall(b"X")
            done.wait(0.5)

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        wait_until(lambda: len(links) >= count, "the crowd is there", 30)
        yield links
    finally:
        done.set()
        thread.join()
        for link in links:
            link.close()


def answered(habitd, count=20):
    """How long honest requests took, each on a connection of its own; None where it was thrown out."""
    took = []
    for _ in range(count):
        began = time.monotonic()
        answer = b""
        with connect(habitd) as link, contextlib.suppress(ConnectionError):
            link.settimeout(10)
            link.sendall(HEAD + b"Connection: close\r\n\r\n" + floats([1, 2, 3, 4, 5, 6, 7, 9]))
            answer = link.recv(65536)
        took.append(time.monotonic() - began if answer.startswith(b"HTTP/1.1 200") else None)
        time.sleep(0.1)
    return took


@pytest.mark.parametrize("count, lost", [(MOST, 0), (3 * MOST, 2)])
def test_slow_crowd(house, count, lost):
    """Slowloris on loopback, where addresses do not tell them apart: the slow ones make room. Three times as many as there are
    connections, all coming back at once, throw out an honest one now and then."""
    habitd = start(house, "deadline = 30s\n")
    with crowd(habitd, count, "127.0.0.1"):
        took = answered(habitd)
    good = sorted(t for t in took if t is not None)
    print(f"{count} slow clients: {len(good)} of 20 answered, median {good[len(good) // 2] * 1000:.0f} ms, most {good[-1] * 1000:.0f} ms")
    assert len(good) >= 20 - lost and good[-1] < 2
    assert closed(habitd, "connections") > 0


def test_idle_crowd(house):
    """Connections that were answered and are kept open give way too."""
    habitd = start(house)
    with contextlib.ExitStack() as stack:
        for _ in range(MOST + 40):
            link = stack.enter_context(connect(habitd))
            link.sendall(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert link.recv(65536).startswith(b"HTTP/1.1 200")
        assert max(answered(habitd, 10)) < 2  # none is None
    assert closed(habitd, "connections") >= 10


def own_address():
    """One of this host that is not loopback, or None."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
        except OSError:
            return None
        address = probe.getsockname()[0]
    return None if address.startswith("127.") else address


def test_loopback_is_not_counted(house):
    """A proxy may stand there for many."""
    habitd = start(house, "deadline = 30s\neach_address = 4\n")
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(connect(habitd)) for _ in range(40)]
        time.sleep(0.5)
        assert not any(is_closed(link) for link in links) and closed(habitd, "address") == 0


@pytest.mark.skipif(not own_address(), reason="this host has no address but loopback")
def test_each_address(house, tmp_path):
    """One address gets no more than its share, others are not touched; its own oldest makes room for its newest."""
    habitd = closed_by_default(house, tmp_path, extra="deadline = 30s\neach_address = 4")
    port = int(habitd.url.rsplit(":", 1)[1])
    with contextlib.ExitStack() as stack:
        links = [stack.enter_context(socket.create_connection((own_address(), port), 5)) for _ in range(12)]
        wait_until(lambda: sum(map(is_closed, links)) == 8, "eight of twelve are closed", 8)
        assert closed(habitd, "address") == 8 and not is_closed(links[-1])
