"""What systemd hears of habitd, with a socket of ours in systemd's place. tests/install has the same under a real systemd."""
import os
import signal
import socket
import subprocess
import time

import pytest
import requests

from support import BUILD, HABITD, RAW, floats, wait_until
from test_security import closed

STALL = BUILD / "tests" / "system" / "libstall.so"
GEOMETRY = {"buffer_size": 64, "axes": 1}


class Ear:
    """Collects notifications."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.setblocking(False)
        self.heard = []

    def listen(self):
        """All that was said until now."""
        try:
            while True:
                self.heard += self.socket.recv(4096).decode().split("\n")
        except BlockingIOError:
            return self.heard

    def hears(self, start):
        return [line for line in self.listen() if line.startswith(start)]

    def forget(self):
        self.listen()
        self.heard = []


def started(house, folder, broker=None, stall=None):
    ear = Ear(folder)
    environment = {"NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "1500000"}
    if stall:
        environment.update(LD_PRELOAD=str(STALL), STALL_FILE=str(stall),
                           ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
    return ear, house.habitd(broker, environment=environment)


def test_ready_status_watchdog_stopping(house, tmp_path):
    ear, habitd = started(house, tmp_path)
    wait_until(lambda: ear.hears("READY=1"), "READY=1")
    wait_until(lambda: len(ear.hears("WATCHDOG=1")) >= 3, "the watchdog is fed")
    habitd.put_machine("pump", **GEOMETRY)
    wait_until(lambda: ear.hears("STATUS=1 machines: 1 new"), "the status counts the machine")
    assert "broker: none configured; store: fine" in ear.hears("STATUS=")[-1]
    habitd.terminate()
    assert ear.hears("STOPPING=1")


def test_reload_is_told_once(house, tmp_path):
    ear, habitd = started(house, tmp_path)
    wait_until(lambda: ear.hears("WATCHDOG=1"), "the watchdog is fed")
    good = habitd.conf.read_text()
    for text in (good, good + "[nonsense]\n"):  # one that is refused is over too
        habitd.conf.write_text(text)
        ear.forget()
        habitd.child.send_signal(signal.SIGHUP)
        wait_until(lambda: ear.hears("READY=1") and ear.hears("WATCHDOG=1"), "ready again, and fed")
        said = [line for line in ear.listen() if line.startswith(("RELOADING", "MONOTONIC", "READY"))]
        assert said[0] == "RELOADING=1" and said[2:] == ["READY=1"], said
        assert 0 <= time.monotonic_ns() // 1000 - int(said[1].removeprefix("MONOTONIC_USEC=")) < 10e6, said


def test_the_watchdog_is_fed_where_tls_is_spoken(house, tmp_path):
    """habitd's own client speaks no TLS, and is no stranger whose failures are counted."""
    ear = Ear(tmp_path)
    habitd = closed(house, tmp_path, start=False)
    habitd.environment = {"NOTIFY_SOCKET": ear.path, "WATCHDOG_USEC": "1500000"}
    habitd.start()
    wait_until(lambda: len(ear.hears("WATCHDOG=1")) >= 5, "the watchdog is fed")
    assert "too long" not in habitd.log() and "too many" not in habitd.log()


def commit(habitd):
    requests.patch(f"{habitd.url}/v1/machines/pump", json={"name": "x"}, timeout=0.5)


def judge(habitd):
    requests.post(f"{habitd.url}/v1/machines/pump/buffers", data=floats(range(64)), headers=RAW, timeout=0.5)


@pytest.mark.parametrize("call, cause", [
    ("fdatasync", commit), ("log2f", judge), ("mosquitto_loop_misc", commit), ("accept4", commit)],
    ids=["store", "engine", "mqtt", "http"])
def test_a_stalled_room_starves_the_watchdog(house, broker, tmp_path, call, cause):
    """The store's writer, a machine's engine, the MQTT thread or the HTTP door hangs for ever; patience with the store and MQTT
    is 15 s."""
    stall = tmp_path / "stall"
    ear, habitd = started(house, tmp_path, broker, stall)
    habitd.put_machine("pump", **GEOMETRY, run_when="level auto", start="auto")
    wait_until(lambda: ear.hears("WATCHDOG=1"), "the watchdog is fed")
    stall.write_text(call)
    try:
        cause(habitd)
    except requests.RequestException:
        pass
    fed = time.monotonic()
    deadline = fed + 30
    while time.monotonic() - fed < 4:
        assert time.monotonic() < deadline, f"still fed: {habitd.log()}"
        if ear.hears("WATCHDOG=1"):
            fed = time.monotonic()
            ear.forget()
        time.sleep(0.1)


def inherited(habitd, address):
    """Starts habitd as systemd does with habitd.socket. Returns the port."""
    listener = socket.create_server((address, 0))
    # LISTEN_PID must be habitd's own: the shell that execs it has its number.
    script = f'exec env LISTEN_FDS=1 LISTEN_PID=$$ "$0" --config "$1" 3<&{listener.fileno()}'
    with open(habitd.log_file, "ab") as log:
        habitd.child = subprocess.Popen(["bash", "-c", script, HABITD, habitd.conf], pass_fds=[listener.fileno()],
                                        stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    return listener.getsockname()[1]


def test_a_socket_that_was_opened_for_it(house):
    habitd = house.habitd(start=False)
    port = inherited(habitd, "127.0.0.1")
    answer = wait_until(lambda: habitd.answers(0) and requests.get(f"http://127.0.0.1:{port}/livez", timeout=5), "it answers")
    assert answer.status_code == 200
    assert habitd.terminate()[0] == 0


def test_a_socket_beyond_loopback_is_refused(house):
    habitd = house.habitd(start=False)
    inherited(habitd, "0.0.0.0")
    assert habitd.child.wait(10) == 1
    assert "habitd.socket: Operation not permitted" in habitd.log()


def test_a_socket_beyond_loopback_with_tls_and_tokens(house, tmp_path):
    """What [http] address may be, the socket may be too: the certificate is loaded, and wrong ones are named as without a socket."""
    habitd = closed(house, tmp_path, start=False)
    port = inherited(habitd, "0.0.0.0")
    wait_until(lambda: habitd.answers(0), "it answers")
    assert habitd.url == f"https://127.0.0.1:{port}"
    assert habitd.get("/v1/machines").status_code == 200
    assert habitd.terminate()[0] == 0
    habitd.certificate.write_text("nothing\n")
    inherited(habitd, "0.0.0.0")
    assert habitd.child.wait(10) == 1
    assert "c.pem: holds no certificate" in habitd.log() and "one TCP socket is wanted" not in habitd.log()
