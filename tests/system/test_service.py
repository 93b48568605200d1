"""What systemd hears of habitd, with a socket of ours in systemd's place. tests/install has the same under a real systemd."""
import resource
import signal
import socket
import subprocess
import threading
import time

import pytest
import requests

from support import HABITD, RAW, Stall, floats, wait_until
from test_security import closed

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
        environment.update(stall.environment)
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
    stall = Stall(tmp_path)
    ear, habitd = started(house, tmp_path, broker, stall)
    habitd.put_machine("pump", **GEOMETRY, run_when="level auto", start="auto")
    wait_until(lambda: ear.hears("WATCHDOG=1"), "the watchdog is fed")
    stall.begin(call)
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


# -------------------------------------------------------------------------------------------------------- configuration

def test_what_a_running_habitd_has_not_in_force_yet(house, tmp_path):
    """--check-config compares with the one that runs, wherever in conf.d a change stands, and says what takes it."""
    runtime = tmp_path / "run"
    runtime.mkdir()
    habitd = house.habitd(environment={"RUNTIME_DIRECTORY": str(runtime)})

    def check():
        done = subprocess.run([HABITD, "--config", habitd.conf, "--check-config"], capture_output=True, text=True,
                              env={"RUNTIME_DIRECTORY": str(runtime)}, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "the running habitd has the same in force" in check()
    assert (runtime / "in-force").stat().st_mode & 0o007 == 0
    (habitd.folder / "conf.d").mkdir()
    (habitd.folder / "conf.d/10-site.conf").write_text("[gateway]\nlog_level = debug\n[mqtt]\nkeepalive = 10\n")
    assert "taken by a reload: [gateway] log_level\n" in check()
    assert "taken only by a restart: [mqtt] keepalive\n" in check()
    habitd.restart()
    assert "the running habitd has the same in force" in check()


# Of each kind of wrong file one: tests/daemon/test_config.c has all of them. What they must say stands behind the file's name.
BAD = [("[http]\nprot = 1\n", ":2: "), ("[htp]\n", ":1: "), ("port = 1\n", ":1: "), ("[http]\nport = 1\nport = 1\n", ":3: "),
       ("[http]\n[http]\n", ":2: "), ("[http]\nport = 0x10\n", ":2: "), ("[store]\nflush = 5 s\n", ":2: "),
       ("[mqtt]\ncommands = maybe\n", ":2: "), ("[http]\naddress = 0.0.0.0\n", ":2: "), ("[gateway]\ntimezone = UTC+25\n", ":2: "),
       ("[http]\nport = \0\n", ":2: "), ("\ufeff[http]\n", ":1: "), ("[http]\n# " + 300 * "x" + "\n", ":2: "),
       ("[machine \"m*\"]\nthreshold = 95\nclear = 90\n", ":1: "), ("[input \"a\"]\nformat = i16\n", ":1: "), (1048577 * "\n", ": ")]


def hang_up(habitd, said):
    before = len(habitd.log())
    habitd.child.send_signal(signal.SIGHUP)
    return wait_until(lambda: said in (log := habitd.log()[before:]) and log, said)


def test_no_bad_file_is_taken_and_no_buffer_lost_meanwhile(house):
    """SIGHUP with each kind of wrong file, with good ones between, while numbered buffers come: all of them are learned."""
    habitd = house.habitd()
    (habitd.folder / "conf.d").mkdir()
    file = habitd.folder / "conf.d/99-bad.conf"
    habitd.put_machine("m", buffer_size=16, axes=1, learn=1000000)
    habitd.act("m", "commission")
    over, statuses = threading.Event(), []

    def send():
        while not over.is_set():
            url = f"{habitd.url}/v1/machines/m/learn?source=s&boot=b&seq={len(statuses)}"
            statuses.append(requests.post(url, data=floats([len(statuses) % 7 + i % 3 for i in range(16)]), headers=RAW, timeout=20).status_code)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        for text, place in BAD:
            file.write_text(text)
            assert f"all stays as it was: {file}{place}" in hang_up(habitd, "reload refused")
            file.unlink()
            hang_up(habitd, "reloaded")
        for _ in range(20):  # at once: as many as have come are one, or follow each other
            habitd.child.send_signal(signal.SIGHUP)
    finally:
        over.set()
        sender.join()
    assert set(statuses) == {200} and habitd.learned("m") == len(statuses) > len(BAD)
    assert habitd.json("/readyz")["status"] == "ready"


def test_reload_without_a_free_descriptor(house):
    habitd = house.habitd()
    soft, hard = resource.prlimit(habitd.child.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(habitd.child.pid, resource.RLIMIT_NOFILE, (3, hard))
    assert f"{habitd.folder}/conf.d: Too many open files" in hang_up(habitd, "reload refused")
    resource.prlimit(habitd.child.pid, resource.RLIMIT_NOFILE, (soft, hard))
    hang_up(habitd, "reloaded")
    wait_until(lambda: habitd.json("/readyz")["status"] == "ready", "it is ready again", 5)
