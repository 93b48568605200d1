"""Running a gateway: one look at it, watching it, importing a fleet, backup and restore, wiping, what is stored of buffers, the journal."""
import array
import json
import math
import os
import pty
import random
import re
import select
import socket
import sqlite3
import struct
import subprocess
import threading
import time

import pytest
import requests

from support import BUILD, GATEWAY, HABIT, HABITD, RAW, ROOT, clean_environment, floats, free_port, habit, simulate, wait_until

SIZE = {"buffer_size": 64, "axes": 1}
QUICK = {**SIZE, "start": "auto", "learn": 60, "window": 5, "false_alarms": "off"}


def batch(habitd, machine, verb, buffers, **parameters):
    answer = habitd.request("POST", f"/v1/machines/{machine}/{verb}", data=b"".join(buffers), headers=RAW, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["verdicts"]


def raised(habitd, machine, faulty):
    for buffer in faulty:
        verdict = habitd.post(machine, "buffers", buffer)
        if verdict["anomaly"]:
            return verdict["anomaly"]
    raise AssertionError("nothing was raised")


def watched(habitd, machine, folder, **settings):
    """A machine that has learned."""
    habitd.put_machine(machine, **{**QUICK, **settings})
    batch(habitd, machine, "learn", simulate(folder, 60))


def run_habitd(habitd, *arguments):
    """The program itself, on the same configuration, while habitd may run or not."""
    return subprocess.run([HABITD, "--config", habitd.conf, *map(str, arguments)], capture_output=True, text=True, timeout=60,
                          env=clean_environment(), check=False)


def backup(habitd, path):
    return habit("backup", path, url=habitd.url)


# ------------------------------------------------------------------------------------------------------------- status

def test_status_at_a_glance(habitd, tmp_path):
    watched(habitd, "pump-1", tmp_path)
    habitd.put_machine("pump-2", **SIZE)
    status = json.loads(habit("status", "--json", url=habitd.url).stdout)
    assert status == {**habitd.json("/v1/status"), "time": status["time"], "uptime_s": status["uptime_s"], "http": status["http"],
                      "store": status["store"]}
    assert (status["status"], status["gateway"], status["pending"], status["open_anomalies"]) == ("ready", GATEWAY, 0, 0)
    assert status["machines"] == {"total": 2, "new": 1, "learning": 0, "watching": 1, "paused": 0}
    assert status["mqtt"] is None and status["backup"] is None and status["store"]["commits"] is True
    shown = habit("status", url=habitd.url).stdout
    for words in (f"gateway {GATEWAY}", ": ready", "no tokens", "no broker", "2, 1 new, 1 watching", "0 open", "backup    never"):
        assert words in shown, (words, shown)


def test_status_says_why_it_is_degraded(house):
    broker = house.broker()
    habitd = house.habitd(broker)
    broker.stop()
    wait_until(lambda: habitd.json("/v1/status")["status"] == "degraded", "habitd noticed that the broker is away")
    shown = habit("status", url=habitd.url).stdout
    assert "degraded" in shown and "the broker is not connected" in shown and f":{broker.port}, not connected" in shown


def test_status_without_a_daemon():
    done = habit("status", url=f"http://127.0.0.1:{free_port()}", check=False)
    assert done.returncode == 1 and "does not answer" in done.stderr


@pytest.mark.parametrize("command", [("machines",), ("pending",), ("anomalies",), ("episodes",), ("audit",), ("report",)])
def test_every_list_is_a_table_and_json(habitd, tmp_path, command):
    watched(habitd, "pump-1", tmp_path)
    rows = json.loads(habit(*command, "--json", url=habitd.url).stdout)
    assert isinstance(rows, list)
    assert habit(*command, url=habitd.url).returncode == 0


# -------------------------------------------------------------------------------------------------------------- watch

class Watcher:
    """A running `habit watch`; its lines as they come."""

    def __init__(self, url, *arguments):
        self.lines = []
        self.errors = []
        self.child = subprocess.Popen([HABIT, "watch", *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                      env={**clean_environment(), "HABIT_URL": url})
        for pipe, into in ((self.child.stdout, self.lines), (self.child.stderr, self.errors)):
            threading.Thread(target=lambda p=pipe, i=into: [i.append(line) for line in p], daemon=True).start()

    def find(self, text):
        return next((line for line in self.lines if text in line), None)

    def end(self):
        self.child.kill()
        self.child.wait(10)


def test_watch_shows_what_happens_and_comes_back(house, tmp_path):
    port = free_port()
    habitd = house.habitd(gateway=f"[http]\nport = {port}", start=False)
    habitd.conf.write_text(habitd.conf.read_text().replace("[http]\nport = 0\n", ""))
    habitd.start()
    watched(habitd, "pump-1", tmp_path)
    watched(habitd, "pump-2", tmp_path)
    watcher = Watcher(habitd.url, "pump-1", "--types", "anomaly")
    wait_until(lambda: habitd.json("/v1/status")["http"]["streams"] == 1, "the stream is open")
    faulty = simulate(tmp_path, 40, fault="looseness")
    raised(habitd, "pump-2", faulty)
    number = raised(habitd, "pump-1", faulty)
    line = wait_until(lambda: watcher.find("raised"), "the anomaly is shown")
    assert re.search(rf"^\d\d:\d\d:\d\d pump-1 +anomaly {number} raised, similarity \d+, distance [\d.]+: axis 0, ", line), line
    habitd.kill()
    wait_until(lambda: any("trying again" in error for error in watcher.errors), "the lost connection is said")
    habitd.start()
    batch(habitd, "pump-1", "buffers", simulate(tmp_path, 40))
    wait_until(lambda: watcher.find("cleared"), "what happened since is shown", 40)
    assert not watcher.find("pump-2")
    watcher.end()


def test_watch_as_json_ends_after_a_count(habitd, tmp_path):
    watched(habitd, "pump-1", tmp_path)
    raised(habitd, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    done = habit("watch", "--types", "anomaly", "--after", 0, "--count", 1, "--json", url=habitd.url)
    event = json.loads(done.stdout)
    assert (event["event"], event["data"]["machine"], event["data"]["event"]) == ("anomaly", "pump-1", "raised")
    assert event["id"] > 0
    refused = habit("watch", "--types", "nonsense", url=habitd.url, check=False)
    assert refused.returncode == 1 and "types" in refused.stderr


# ------------------------------------------------------------------------------------------------------------- import

FLEET = '''\
id,buffer_size,axes,sampling_hz,name,threshold,learn
pump-1,256,3,1600,"Pump 1, hall ""B""",85,24h
fan-1,64,1,,Lüfter,,
'''


def fleet(tmp_path, text):
    path = tmp_path / "fleet.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_import_makes_and_changes(habitd, tmp_path):
    path = fleet(tmp_path, FLEET)
    habitd.put_machine("fan-1", **SIZE, threshold=80)
    dry = habit("machines", "import", path, "--dry-run", url=habitd.url).stdout
    assert dry == "pump-1: would be made\nfan-1: would be changed\n"
    assert [m["machine"] for m in habitd.json("/v1/machines")["machines"]] == ["fan-1"]
    assert habit("machines", "import", path, url=habitd.url).stdout == "1 made, 1 changed, 0 refused\n"
    pump, fan = habitd.machine("pump-1"), habitd.machine("fan-1")
    assert {k: pump["settings"][k] for k in ("buffer_size", "axes", "sampling_hz", "name", "threshold", "learn")} == \
        {"buffer_size": 256, "axes": 3, "sampling_hz": 1600, "name": 'Pump 1, hall "B"', "threshold": 85, "learn": "1d"}
    assert (fan["settings"]["name"], fan["settings"]["threshold"]) == ("Lüfter", 90)  # the file says nothing of it
    semicolons = fleet(tmp_path, b"\xef\xbb\xbf" + FLEET.replace(",", ";").replace("1; hall", "1, hall").encode().replace(b"\n", b"\r\n"))
    done = habit("machines", "import", semicolons, url=habitd.url, check=False)
    assert done.stdout == "0 made, 2 changed, 0 refused\n", done.stderr


@pytest.mark.parametrize("text, place, words", [
    ("id,axes\npump-1,17\n", "2:8", "axes is"),
    ("id,axes\npump-1,1\npump 2,1\n", "3:1", "not a machine ID"),
    ("id,axes\npump-1,1\npump-1,1\n", "3:1", "in line 2 already"),
    ("id,axis\npump-1,1\n", "1:4", "no such setting"),
    ("id,axes,axes\npump-1,1,1\n", "1:9", "second column"),
    ("name,axes\nx,1\n", "1:1", "no column is called id"),
    ("id,axes\npump-1\n", "2:1", "fewer"),
    ("id,axes\npump-1,1,2\n", "2:8", "more"),
    ("id,name\npump-1,\"x\n", "2:8", "not closed"),
    ("id,name\n\"a\nb\",1\n", "2:1", "not a machine ID"),
    ("id,learn\npump-1,soon\n", "2:8", "learn is"),
    ("id,threshold,clear\npump-1,95,90\n", "2:1", "clear"),
    ("id,name\nÜ,x\npump-1,1,2\n", "2:1", "not a machine ID"),
    ("id,axes\n", "2:1", "no machine"),
])
def test_import_checks_every_line_first(habitd, tmp_path, text, place, words):
    path = fleet(tmp_path, text.replace("\n", "\nfine,1\n", 1) if place[0] == "3" and "pump-1,1\n" not in text else text)
    done = habit("machines", "import", path, url=habitd.url, check=False)
    assert done.returncode == 3, done
    assert f"{path}:{place}: " in done.stderr and words in done.stderr, done.stderr
    assert habitd.json("/v1/machines")["machines"] == []


def test_import_of_nothing_readable(habitd, tmp_path):
    assert habit("machines", "import", tmp_path / "none.csv", url=habitd.url, check=False).returncode == 1
    done = habit("machines", "import", fleet(tmp_path, random.Random(1).randbytes(3000)), url=habitd.url, check=False)
    assert done.returncode == 3 and len(done.stderr) < 8000


def test_a_bar_on_a_terminal_only(house, tmp_path):
    """Eighty machines take longer than a moment on any disk; on this one, slowed down by a thousand of them."""
    habitd = house.habitd()
    path = fleet(tmp_path, "id,buffer_size,axes\n" + "".join(f"m-{i},64,1\n" for i in range(600)))
    command = [HABIT, "machines", "import", path]
    environment = {**clean_environment(), "HABIT_URL": habitd.url, "TERM": "xterm"}
    master, slave = pty.openpty()
    child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=environment)
    os.close(slave)
    shown = b""
    while True:
        try:
            piece = os.read(master, 65536) if select.select([master], [], [], 60)[0] else b""
        except OSError:  # the other end is closed
            break
        if not piece:
            break
        shown += piece
    assert child.wait(10) == 0 and child.stdout.read() == b"600 made, 0 changed, 0 refused\n"
    assert re.search(rb"\rimport \[#+-+\] \d+ of 600", shown), shown[:500]
    assert shown.endswith(b"\r\x1b[K")  # it went away
    assert subprocess.run(command, capture_output=True, env=environment, check=True).stderr == b""


# ------------------------------------------------------------------------------------------------- backup and restore

def numbered(habitd, machine, buffer, seq):
    answer = habitd.request("POST", f"/v1/machines/{machine}/learn", data=buffer, headers=RAW,
                            params={"source": "s", "boot": "b", "seq": seq})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_backup_while_buffers_come_and_restore_elsewhere(house, tmp_path):
    broker = house.broker()
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=[f"{ROOT}/+/anomaly"])
    habitd.put_machine("pump-1", **QUICK)
    buffers = simulate(tmp_path, 300)
    acknowledged, stop = [], threading.Event()

    def send():
        session = requests.Session()
        for seq, buffer in enumerate(buffers):
            if stop.is_set():
                return
            answer = session.post(f"{habitd.url}/v1/machines/pump-1/learn", data=buffer, headers=RAW, timeout=20,
                                  params={"source": "s", "boot": "b", "seq": seq})
            assert answer.status_code == 200, answer.text
            acknowledged.append(seq)

    sender = threading.Thread(target=send)
    sender.start()
    wait_until(lambda: len(acknowledged) >= 70, "some buffers are learned")
    before = len(acknowledged)
    assert "MiB" in backup(habitd, tmp_path / "copy.db").stdout
    after = len(acknowledged)
    stop.set()
    sender.join(20)
    number = raised(habitd, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    client.wait_document(f"{ROOT}/pump-1/anomaly", lambda d: d["id"] == number, "the anomaly")
    knowledge = habitd.knowledge("pump-1")
    age = habitd.json("/readyz")["backup"]
    assert age["size_bytes"] == (tmp_path / "copy.db").stat().st_size and 0 <= age["age_s"] < 60
    assert habitd.metrics()["habit_backup_timestamp_seconds"] > 1.7e9
    assert any(a["action"] == "GET /v1/backup" for a in habitd.json("/v1/audit?limit=1000")["audit"])

    # Onto another host, with the same gateway ID.
    habitd.terminate()
    other = house.habitd(broker, start=False)
    done = run_habitd(other, "--restore", tmp_path / "copy.db")
    assert done.returncode == 0, done.stderr
    assert "1 machines" in done.stdout and f"gateway {GATEWAY}" in done.stdout
    seen = len(client.documents(f"{ROOT}/pump-1/anomaly"))
    other.start()
    other.wait_connected()
    learned = other.learned("pump-1")
    assert before <= learned <= after + 1  # one may have been learned whose answer was on its way
    assert other.json("/readyz")["backup"]["at"] == age["at"]
    assert numbered(other, "pump-1", buffers[before - 1], before - 1)["status"] == "duplicate"  # marks are of the same moment
    assert numbered(other, "pump-1", buffers[learned], learned)["status"] == "learned"
    assert other.learned("pump-1") == learned + 1
    again = raised(other, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    assert again > number  # no number means two anomalies
    client.wait_document(f"{ROOT}/pump-1/anomaly", lambda d: d["id"] == again, "the new anomaly")
    assert [d["id"] for d in client.documents(f"{ROOT}/pump-1/anomaly")[seen:]] == [again]  # nothing was said twice
    assert other.knowledge("pump-1") != knowledge


def test_messages_that_wait_are_not_said_by_the_restored_one(house, tmp_path):
    broker = house.broker()
    habitd = house.habitd(broker)
    broker.stop()
    watched(habitd, "pump-1", tmp_path)
    raised(habitd, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    assert habitd.json("/v1/status")["outbox"]["waiting"] > 0
    backup(habitd, tmp_path / "copy.db")
    habitd.kill()
    assert run_habitd(habitd, "--restore", tmp_path / "copy.db", "--replace").returncode == 0
    habitd.start()
    assert habitd.json("/v1/status")["outbox"]["waiting"] == 0
    assert len(habitd.anomalies()) == 1  # it is known still


def test_restore_refuses_and_leaves_all_as_it_was(house, tmp_path):
    habitd = house.habitd()
    habitd.put_machine("pump-1", **SIZE)
    backup(habitd, tmp_path / "copy.db")
    running = run_habitd(habitd, "--restore", tmp_path / "copy.db", "--replace")
    assert running.returncode == 1 and "stop it first" in running.stderr
    habitd.put_machine("pump-2", **SIZE)
    habitd.terminate()
    there = run_habitd(habitd, "--restore", tmp_path / "copy.db")
    assert there.returncode == 2 and "--replace" in there.stderr
    damaged = bytearray((tmp_path / "copy.db").read_bytes())
    damaged[4096 * 2 + 100:4096 * 4] = bytes(4096 * 2 - 100)
    (tmp_path / "damaged.db").write_bytes(damaged)
    (tmp_path / "half.db").write_bytes((tmp_path / "copy.db").read_bytes()[:-4096])
    (tmp_path / "text.db").write_text("hello")
    (tmp_path / "newer.db").write_bytes((tmp_path / "copy.db").read_bytes())
    with sqlite3.connect(tmp_path / "newer.db") as database:
        database.execute("PRAGMA user_version = 9999")
    for name, words in (("damaged", "damaged"), ("half", "damaged"), ("text", "no backup of habit"), ("newer", "later version"),
                        ("none", "No such file")):
        done = run_habitd(habitd, "--restore", tmp_path / f"{name}.db", "--replace")
        assert done.returncode == 1 and words in done.stderr and f"{name}.db" in done.stderr, (name, done.stderr)
    habitd.start()
    assert len(habitd.json("/v1/machines")["machines"]) == 2
    habitd.terminate()
    done = run_habitd(habitd, "--restore", tmp_path / "copy.db", "--replace")
    kept = re.search(r"was here is (\S+):", done.stdout).group(1)
    assert done.returncode == 0
    with sqlite3.connect(kept) as database:
        assert database.execute("SELECT count(*) FROM machine").fetchone() == (2,)
    habitd.start()
    assert [m["machine"] for m in habitd.json("/v1/machines")["machines"]] == ["pump-1"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_store_that_root_restores_is_the_daemons(house, tmp_path):
    habitd = house.habitd()
    backup(habitd, tmp_path / "copy.db")
    habitd.terminate()
    for path in (habitd.folder, *habitd.folder.glob("habit.db*")):
        os.chown(path, 65534, 65533)
    assert run_habitd(habitd, "--restore", tmp_path / "copy.db", "--replace").returncode == 0
    owners = {p.name: (p.stat().st_uid, p.stat().st_gid, p.stat().st_mode & 0o777) for p in habitd.folder.glob("habit.db*")}
    assert set(owners.values()) == {(65534, 65533, 0o600)} and len(owners) == 3, owners


def test_a_backup_that_is_due(house, tmp_path):
    habitd = house.habitd(flush="300ms\nbackup_age = 1h")
    assert habitd.json("/readyz")["reasons"] == ["backup: there was none yet: habit backup FILE"]
    backup(habitd, tmp_path / "copy.db")
    wait_until(lambda: habitd.json("/readyz")["status"] == "ready", "it counts once the client has all of it")
    habitd.kill()
    with sqlite3.connect(habitd.store) as database:
        database.execute("UPDATE backup SET at = at - 2 * 3600 * 1000")
    habitd.start()
    assert "2 h old" in habitd.json("/readyz")["reasons"][0]


def test_a_broken_download_is_no_backup(house, tmp_path):
    habitd = house.habitd()
    with sqlite3.connect(habitd.store) as database:  # more than the kernel takes from habitd before anybody reads
        database.executemany("INSERT INTO audit (at, actor, door, address, action, machine, detail, outcome) "
                             "VALUES (1, 'a', 'http', '', '', '', ?, 200)", (("x" * 390,) for _ in range(40000)))
    with socket.create_connection(("127.0.0.1", int(habitd.url.rsplit(":", 1)[1]))) as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        client.sendall(b"GET /v1/backup HTTP/1.1\r\nHost: localhost\r\n\r\n")
        client.recv(100)
        assert habitd.get("/v1/backup").status_code == 429  # each takes room on the disk
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wait_until(lambda: habitd.request("HEAD", "/v1/backup").status_code == 200, "habitd goes on")
    time.sleep(0.5)
    assert habitd.json("/readyz")["backup"] is None
    assert sorted(p.name for p in habitd.folder.iterdir() if ".habitd-backup-" in p.name) == []
    done = habit("backup", tmp_path / "none" / "copy.db", url=habitd.url, check=False)
    assert done.returncode == 1 and "copy.db" in done.stderr
    backup(habitd, tmp_path / "copy.db")
    assert habitd.json("/readyz")["backup"]["size_bytes"] > 5 << 20


# ---------------------------------------------------------------------------------------------------------------- wipe

def in_files(habitd, *needles):
    """Which of these bytes are in any file beside the store."""
    texts = [p.read_bytes() for p in habitd.folder.iterdir() if p.name.startswith("habit.db")]
    return [needle for needle in needles if any(needle in text for text in texts)]


def test_wipe_leaves_no_byte(house, tmp_path):
    broker = house.broker()
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=[f"{ROOT}/+/state"])
    watched(habitd, "secret-pump", tmp_path, name="Confidential", asset="Plant-X")
    raised(habitd, "secret-pump", simulate(tmp_path, 40, fault="looseness"))
    client.wait_document(f"{ROOT}/secret-pump/state", lambda d: d["anomaly"], "its state")
    needles = b"secret-pump", b"Confidential", b"Plant-X", habitd.knowledge("secret-pump")[100:160]
    assert in_files(habitd, *needles) == list(needles)
    unsure = habit("wipe", url=habitd.url, check=False)
    assert unsure.returncode == 2 and "--yes" in unsure.stderr and GATEWAY in unsure.stderr
    wrong = habitd.request("POST", "/v1/wipe", json={"gateway": "other"})
    assert wrong.status_code == 409 and len(habitd.json("/v1/machines")["machines"]) == 1
    assert habit("wipe", "--yes", url=habitd.url).stdout.startswith("wiped: 1 machines")
    assert in_files(habitd, *needles) == []
    assert habitd.json("/v1/machines")["machines"] == [] and habitd.json("/v1/audit")["audit"] == []
    client.wait_text(f"{ROOT}/secret-pump/state", "")  # the broker has forgotten it, too
    assert "has wiped the store" in habitd.log()
    watched(habitd, "pump-1", tmp_path)  # it goes on
    habitd.crash()
    assert habitd.learned("pump-1") == 60


def test_wipe_while_sensors_send(house):
    """Buffers that would make machines anew do not keep the broker from hearing that they are gone."""
    broker = house.broker()
    habitd = house.habitd(broker, sections='[machine "n*"]\ncreate = yes\nbuffer_size = 64\naxes = 1\nstart = auto\n')
    client, buffer = house.client(broker), floats(math.sin(i * 0.7) + i % 5 * 0.1 for i in range(64))
    going = threading.Event()

    def send():
        while not going.wait(0.005):
            for i in range(20):
                client.publish(f"{ROOT}/n{i}/buffer", buffer)

    sender = threading.Thread(target=send)
    sender.start()
    try:
        wait_until(lambda: len(habitd.json("/v1/machines")["machines"]) == 20, "the machines")
        answer = habitd.request("POST", "/v1/wipe", json={"gateway": GATEWAY}).json()
    finally:
        going.set()
        sender.join()
    assert answer["machines"] == 20 and answer["unsaid"] == 0, answer


def test_deleting_a_machine_leaves_no_byte_of_its_buffers(house, tmp_path):
    habitd = house.habitd()
    watched(habitd, "pump-1", tmp_path)
    watched(habitd, "pump-2", tmp_path)
    raised(habitd, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    with sqlite3.connect(habitd.store) as database:
        samples = [row[0][:60] for row in database.execute(
            "SELECT samples FROM commissioning c JOIN machine m ON m.id = c.machine WHERE m.name = 'pump-1' "
            "UNION ALL SELECT samples FROM evidence")]
        bodies = [row[0][200:260] for row in database.execute(
            "SELECT bytes FROM knowledge k JOIN machine m ON m.id = k.machine WHERE m.name = 'pump-1'")]
        others = {row[0][:60] for row in database.execute(
            "SELECT samples FROM commissioning c JOIN machine m ON m.id = c.machine WHERE m.name = 'pump-2'")}
    own = [s for s in samples if s not in others]
    assert own and in_files(habitd, *own) == own
    assert habitd.request("DELETE", "/v1/machines/pump-1").status_code == 204
    assert in_files(habitd, *own) == []
    assert bodies  # knowledge of both is the same, so it cannot be looked for


def test_offline_wipe(house, tmp_path):
    habitd = house.habitd()
    watched(habitd, "pump-1", tmp_path)
    running = run_habitd(habitd, "--wipe", "--yes")
    assert running.returncode == 1 and "stop it first" in running.stderr
    habitd.kill()
    unsure = run_habitd(habitd, "--wipe")
    assert unsure.returncode == 2 and "would overwrite" in unsure.stdout and habitd.store.exists()
    assert run_habitd(habitd, "--wipe", "--yes").returncode == 0
    assert [p.name for p in habitd.folder.iterdir() if p.name.startswith("habit.db")] == ["habit.db.lock"]
    habitd.start()
    assert habitd.json("/v1/machines")["machines"] == []


# ------------------------------------------------------------------------------------------------------- store_buffers

MARK = [12345, -23456, 31111, -1234, 22222, -31000, 777, 15151]


def marked(chance, strange=False):
    """Packed it is the same int16 values, for it uses their whole range; all of them have the mark in the middle."""
    values = [32767 if i % 2 else -32767 for i in range(56)] if strange else [chance.randint(-32767, 32767) for _ in range(56)]
    values[0], values[1] = -32767, 32767
    values[28:28] = MARK
    return array.array("f", values).tobytes()


def marks_in_files(habitd):
    return in_files(habitd, array.array("h", MARK).tobytes(), array.array("f", MARK).tobytes())


def run_marked(habitd, machine):
    chance = random.Random(5)
    batch(habitd, machine, "learn", [marked(chance) for _ in range(60)])
    assert habitd.machine(machine)["phase"] == "watching"
    return raised(habitd, machine, [marked(chance, strange=True) for _ in range(30)])


@pytest.mark.parametrize("kept", ["none", "features", "raw"])
def test_what_is_stored_of_buffers(house, kept):
    habitd = house.habitd()
    habitd.put_machine("m", **QUICK, store_buffers=kept)
    number = run_marked(habitd, "m")
    time.sleep(0.5)  # a flush may bring more
    anomaly = habitd.json(f"/v1/anomalies/{number}")
    features = habitd.json(f"/v1/anomalies/{number}/features")["features"]
    assert bool(marks_in_files(habitd)) == (kept == "raw")
    assert (anomaly["evidence"] > 0) == (kept == "raw") and anomaly["explanation"]
    assert bool(features) == (kept == "features") and len(features) <= 16
    if features:
        assert len(features[0]["level"]) == 1 and features[0]["amplitude"][0] > 10000 and features[0]["distance"] > 1
    accepted = habitd.request("POST", f"/v1/anomalies/{number}/accept")
    relearned = habitd.request("POST", "/v1/machines/m/relearn")
    if kept == "raw":
        assert (accepted.status_code, relearned.status_code) == (200, 200)
    else:
        assert accepted.status_code == 409 and "no samples of m are stored" in accepted.json()["detail"]
        assert relearned.status_code == 409 and "commission it anew" in relearned.json()["detail"]
    habitd.crash()
    assert bool(marks_in_files(habitd)) == (kept == "raw")


def test_storing_less_forgets_what_was_stored(house):
    habitd = house.habitd()
    habitd.put_machine("m", **QUICK)
    run_marked(habitd, "m")
    assert marks_in_files(habitd)
    knowledge = habitd.knowledge("m")
    habitd.patch("m", store_buffers="none")
    assert not marks_in_files(habitd)
    assert habitd.knowledge("m") == knowledge  # what was learned stays


def test_the_file_says_to_store_less(house):
    habitd = house.habitd()
    habitd.put_machine("m", **QUICK)
    run_marked(habitd, "m")
    habitd.terminate()
    assert marks_in_files(habitd)
    habitd.conf.write_text(habitd.conf.read_text() + '\n[machine "*"]\nstore_buffers = none\n')
    habitd.start()
    assert not marks_in_files(habitd) and habitd.learned("m") == 60


# -------------------------------------------------------------------------------------------------------------- journal

class Journal:
    """What listens where journald would, in a mount namespace of habitd's own."""

    def __init__(self, folder):
        folder.mkdir()
        self.folder = folder
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(folder / "socket"))
        self.socket.setblocking(False)
        self.entries = []

    def take(self):
        while True:
            try:
                self.entries.append(self.fields(self.socket.recv(1 << 20)))
            except BlockingIOError:
                return self.entries

    @staticmethod
    def fields(datagram):
        """The native protocol: NAME=value lines, or NAME, a length and so many bytes."""
        found = {}
        while datagram:
            line, datagram = datagram.split(b"\n", 1)
            if b"=" in line:
                name, value = line.split(b"=", 1)
            else:
                name, size = line, struct.unpack("<Q", datagram[:8])[0]
                value, datagram = datagram[8:8 + size], datagram[9 + size:]
            found[name.decode()] = value.decode()
        return found

    def find(self, **wanted):
        return next((e for e in self.take() if all(e.get(name) == value for name, value in wanted.items())), None)


def spawn_beside(habitd, journal):
    """habitd with the journal as its stderr, or so it thinks."""
    mount = f"mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/journal && mount --bind {journal.folder} /run/systemd/journal"
    with open(habitd.log_file, "ab") as log:
        status = os.fstat(log.fileno())
        habitd.environment = {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    habitd.spawn(["unshare", "-m", "sh", "-c", f'{mount} && exec "$0" "$@"', HABITD, "--config", habitd.conf])
    entry = wait_until(lambda: journal.find(MESSAGE_ID="89b36461d10e45fe892ffbf029347514"), "habitd has started")
    habitd.url = re.search(r"answers on (\S+)", entry["MESSAGE"]).group(1)


@pytest.mark.skipif(os.geteuid() != 0, reason="a mount namespace needs root")
def test_fields_of_the_journal(house, tmp_path):
    broker = house.broker()
    journal = Journal(tmp_path / "journal")
    habitd = house.habitd(broker, start=False)
    spawn_beside(habitd, journal)
    habitd.wait_connected()
    watched(habitd, "pump-1", tmp_path, silent_after="2s")
    number = raised(habitd, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    entry = wait_until(lambda: journal.find(MACHINE="pump-1", REASON="raised"), "the anomaly is in the journal")
    assert entry["MESSAGE_ID"] == "d9164e73cc464439a8532fb5d7b1a4ee" and entry["ANOMALY"] == str(number)
    assert entry["PRIORITY"] == "4" and entry["SYSLOG_IDENTIFIER"] == "habitd"
    assert re.match(rf"machine pump-1: anomaly {number} raised, similarity \d+, distance [\d.]+: axis 0, ", entry["MESSAGE"])
    batch(habitd, "pump-1", "buffers", simulate(tmp_path, 60))
    wait_until(lambda: journal.find(MACHINE="pump-1", REASON="cleared"), "its end is, too")
    wait_until(lambda: journal.find(MACHINE="pump-1", REASON="silent"), "silence is", 30)
    broker.stop()
    wait_until(lambda: journal.find(MESSAGE_ID="fa58184d9fcb458aafed6af3757333d0", REASON="mqtt"), "what degrades is", 30)
    broker.start()
    wait_until(lambda: journal.find(MESSAGE_ID="8ef25edfa2e947cb873d4882fb560f26", REASON="mqtt"), "and its end is", 40)
    habitd.terminate()
    assert journal.find(MESSAGE_ID="33b5bd8b14ba4836965b61b33ed38304")
    assert sum(e.get("REASON") == "raised" for e in journal.entries) == 1  # said once
    assert "anomaly" not in habitd.log()  # and only there


def test_without_a_journal_lines_stay_readable(house, tmp_path):
    habitd = house.habitd(environment={"JOURNAL_STREAM": "1:2"}, start=False)  # of somebody else's stderr
    habitd.start()
    assert "<5>habitd" in habitd.log()
    plain = house.habitd()
    watched(plain, "pump-1", tmp_path)
    raised(plain, "pump-1", simulate(tmp_path, 40, fault="looseness"))
    wait_until(lambda: re.search(r"Z warning: machine pump-1: anomaly 1 raised", plain.log()), "the anomaly is in the log")


# ----------------------------------------------------------------------------------------------------------- benchmark

def test_benchmark_measures_and_cleans_up(tmp_path):
    done = json.loads(habit("benchmark", "--directory", tmp_path, "--seconds", 1, "--json").stdout)
    assert [(e["buffer_size"], e["axes"]) for e in done["engine"]] == [(64, 1), (256, 1), (256, 3), (1024, 3), (4096, 1)]
    assert all(0 < e["detect_us"] < 1e6 and e["knowledge_bytes"] > 1000 for e in done["engine"])
    assert [d["clients"] for d in done["durable"]] == [1, 16] and all(d["learns_per_s"] > 1 for d in done["durable"])
    assert done["device"]["processors"] >= 1
    if "asan" not in BUILD.name and "tsan" not in BUILD.name:  # their allocators tell nothing
        assert 4000 < done["bytes_per_machine"] < 100000
    assert list(tmp_path.iterdir()) == []
    refused = habit("benchmark", "--directory", tmp_path / "none", "--seconds", 1, check=False)
    assert refused.returncode == 1 and "none" in refused.stderr
