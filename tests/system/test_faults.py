"""Faults that an attack on the running daemon found: each is shown as it was, and stays away."""
import contextlib
import datetime
import sqlite3
import subprocess
import threading
import time

import pytest

from support import RAW, ROOT, Stall, configuration, retained, simulate, wait_until

SIZE = {"buffer_size": 64, "axes": 1, "false_alarms": "off"}  # the first window below raises
CONSTANT = bytes(4 * 64)
SOURCES, BOOTS = 16, 4  # habitd --show-limits


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 120, seed=3)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 30, seed=3, fault="looseness")


def watching(habitd, nominal, machine="m"):
    """A machine that has learned sixty buffers and watches."""
    habitd.put_machine(machine, **SIZE, start="auto", learn=60)
    habitd.request("POST", f"/v1/machines/{machine}/learn", data=b"".join(nominal[:60]), headers=RAW)
    assert habitd.machine(machine)["phase"] == "watching"


def send(habitd, machine, verb, body, **parameters):
    """The answer, whatever it says."""
    return habitd.request("POST", f"/v1/machines/{machine}/{verb}", data=body, headers=RAW, params=parameters)


def rows(habitd, query):
    """What the store holds."""
    with contextlib.closing(sqlite3.connect(habitd.store, timeout=10)) as database:
        return database.execute(query).fetchall()


def alter(habitd, statement):
    """Changes the store behind habitd's back."""
    with contextlib.closing(sqlite3.connect(habitd.store, timeout=10)) as database, database:
        database.execute(statement)


# ---------------------------------------------------------------------------------------------------------------- marks

def stored_sources(habitd):
    return {source for source, in rows(habitd, "SELECT DISTINCT source FROM mark")}


def detect_from(habitd, nominal, source):
    """The first numbered buffer of each boot of a source."""
    for boot in range(BOOTS):
        assert habitd.post("m", "detect", nominal[60], source=source, boot=boot, seq=1)["status"] == "ok"


def test_marks_after_a_restart_are_those_of_memory(house, nominal):
    """Flushes see more sources than there is room for: the forgotten ones leave the store too."""
    habitd = house.habitd(flush="100ms")
    watching(habitd, nominal)
    sources = [f"s{i:02}" for i in range(20)]
    for count, source in enumerate(sources, 1):
        detect_from(habitd, nominal, source)
        if count % 5 == 0:
            wait_until(lambda: source in stored_sources(habitd), f"{source} in the store")
            assert len(stored_sources(habitd)) <= SOURCES
    assert habitd.post("m", "learn", nominal[61], source="zz", seq=7)["status"] == "learned"
    habitd.restart()
    assert habitd.post("m", "learn", nominal[61], source="zz", seq=7)["status"] == "duplicate"
    assert stored_sources(habitd) == {*sources[5:], "zz"}
    for source in sources[5:]:
        for boot in range(BOOTS):
            verdict = habitd.post("m", "detect", nominal[60], source=source, boot=boot, seq=1)
            assert verdict["status"] == "duplicate", (source, boot)
    assert habitd.post("m", "detect", nominal[60], source=sources[4], boot=0, seq=1)["status"] == "ok", "it made room"


def test_batches_of_many_sources_leave_few_marks(habitd, nominal):
    habitd.put_machine("m", **SIZE, learn=100000)
    for i in range(40):
        assert send(habitd, "m", "learn", nominal[0] + nominal[1], source=f"s{i}", seq=1).status_code == 200
        assert len(stored_sources(habitd)) == min(i + 1, SOURCES)


# ------------------------------------------------------------------------------------------------------------ full disk

@pytest.fixture
def disk(house, tmp_path):
    """A small file system of one's own."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    yield place
    house.close()
    subprocess.run(["umount", place], check=True)


def on_disk(house, disk):
    """A habitd that has its store there."""
    habitd = house.habitd(start=False)
    habitd.store = disk / "habit.db"
    habitd.conf.write_text(configuration(habitd.store))
    return habitd.start()


def fill(disk, name):
    """Takes all the space that is left."""
    with contextlib.suppress(OSError), open(disk / name, "wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass


def learn_until_full(habitd, buffer):
    """The -wal file has some room yet."""
    for _ in range(2000):
        if send(habitd, "full", "learn", buffer).status_code != 200:
            return
    raise AssertionError("the disk does not become full")


@pytest.mark.parametrize("end", ["kill", "terminate"])
def test_starts_on_a_full_disk(house, disk, nominal, end):
    habitd = on_disk(house, disk)
    watching(habitd, nominal)
    habitd.put_machine("full", **SIZE, learn=100000)
    fill(disk, "ballast")
    learn_until_full(habitd, nominal[0])
    learned = habitd.learned("full")
    getattr(habitd, end)()
    if end == "terminate":
        fill(disk, "more")  # what the -wal file has left
    habitd.start()
    assert habitd.learned("full") == learned and habitd.learned("m") == 60
    assert habitd.post("m", "detect", nominal[61])["status"] == "ok"
    learn_until_full(habitd, nominal[0])
    answer = send(habitd, "full", "learn", nominal[0])
    assert answer.status_code == 503 and answer.json()["type"] == "urn:habit:problem:store"
    assert habitd.post("m", "detect", nominal[61])["status"] == "ok"
    learned = habitd.learned("full")
    for file in ("ballast", "more"):
        (disk / file).unlink(missing_ok=True)
    assert habitd.post("full", "learn", nominal[1])["learned"] == learned + 1
    assert habitd.restart().learned("full") == learned + 1


# ------------------------------------------------------------------------------------------------- the store fails

def test_anomalies_fill_their_window_while_the_store_fails(house, broker, nominal, faulty):
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=[f"{ROOT}/m/anomaly"])
    watching(habitd, nominal)
    habitd.put_machine("other", **SIZE, learn=100000)
    assert habitd.post_all("m", "detect", nominal[60:72])[-1]["average"] >= 90
    alter(habitd, "CREATE TRIGGER forbid BEFORE INSERT ON state BEGIN SELECT RAISE(ABORT, 'not now'); END")
    for buffer in faulty[:20]:
        assert send(habitd, "other", "learn", nominal[0]).status_code == 503
        verdict = habitd.post("m", "detect", buffer)
        assert verdict["anomaly"] is None, "it would be gone after a restart"
    assert verdict["average"] < 90
    alter(habitd, "DROP TRIGGER forbid")
    number = habitd.post_all("m", "detect", faulty[20:22])[-1]["anomaly"]
    assert number is not None and habitd.json(f"/v1/anomalies/{number}")["open"]
    client.wait_document(f"{ROOT}/m/anomaly", lambda e: e["event"] == "raised" and e["id"] == number, "raised")


def test_a_failed_commit_of_another_machine_changes_nothing(house, nominal):
    """What no flush has seen yet stays in memory: window and marks."""
    habitd = house.habitd(flush="1h")
    watching(habitd, nominal)
    habitd.put_machine("other", **SIZE, learn=100000)
    for seq in range(12):
        habitd.post("m", "detect", nominal[60 + seq], seq=seq)
    alter(habitd, "CREATE TRIGGER forbid BEFORE INSERT ON state BEGIN SELECT RAISE(ABORT, 'not now'); END")
    assert send(habitd, "other", "learn", nominal[0]).status_code == 503
    assert habitd.post("m", "detect", nominal[72], seq=12)["average"] is not None
    alter(habitd, "DROP TRIGGER forbid")
    assert habitd.learned("other") == 0
    for seq in range(13):
        assert habitd.post("m", "detect", nominal[60], seq=seq)["status"] == "duplicate", seq


def test_stops_in_time_while_another_process_has_the_store(habitd, nominal):
    habitd.put_machine("m", **SIZE)
    habitd.post("m", "buffers", nominal[0])  # counters to be flushed
    other = sqlite3.connect(habitd.store, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    answers = []
    learner = threading.Thread(target=lambda: answers.append(send(habitd, "m", "learn", nominal[0]).status_code))
    learner.start()
    time.sleep(0.3)  # it waits now
    _, seconds = habitd.terminate(20)
    learner.join(20)
    other.close()
    assert seconds < 5
    assert answers == [503]


# ------------------------------------------------------------------------------------------------------------ knowledge

def test_uploaded_knowledge_brings_its_sensitivity(habitd, nominal, faulty):
    watching(habitd, nominal, "a")
    habitd.patch("a", sensitivity=2)
    habitd.put_machine("b", **SIZE)
    block = habitd.knowledge("a")
    answer = habitd.request("PUT", "/v1/machines/b/knowledge", data=block, headers=RAW)
    assert answer.status_code == 200, answer.text
    before = habitd.post("b", "detect", faulty[0], dry_run=1)
    habitd.restart()
    assert habitd.json("/v1/machines/b/sensitivity")["sensitivity"] == 2
    assert habitd.knowledge("b") == block
    after = habitd.post("b", "detect", faulty[0], dry_run=1)
    assert (after["similarity"], after["distance"]) == (before["similarity"], before["distance"])


def test_damaged_knowledge_becomes_a_snapshot(habitd, nominal):
    watching(habitd, nominal)
    habitd.terminate()
    alter(habitd, "UPDATE knowledge SET bytes = zeroblob(length(bytes))")
    damaged = rows(habitd, "SELECT bytes FROM knowledge")
    habitd.start()
    assert habitd.post("m", "learn", nominal[0])["learned"] == 1
    habitd.post("m", "learn", nominal[1])
    assert rows(habitd, "SELECT bytes FROM snapshot WHERE reason = 'damaged'") == damaged, "once"
    assert habitd.restart().learned("m") == 2


# -------------------------------------------------------------------------------------------------- what was refused

def test_refused_batches_leave_window_and_marks(house, nominal):
    """No flush has seen them: they are in memory only."""
    habitd = house.habitd(flush="1h")
    watching(habitd, nominal)
    verdicts = [habitd.post("m", "detect", nominal[60 + seq], source="s", seq=seq) for seq in range(12)]
    assert verdicts[-1]["average"] is not None
    assert send(habitd, "m", "learn", nominal[0] + CONSTANT, source="t", seq=100).status_code == 422
    assert habitd.post("m", "detect", nominal[72], source="s", seq=12)["average"] is not None
    for seq in range(13):
        assert habitd.post("m", "detect", nominal[60], source="s", seq=seq)["status"] == "duplicate", seq
    assert habitd.post("m", "detect", nominal[0], source="t", seq=100)["status"] == "ok", "refused is not applied"


def yesterday():
    today = datetime.datetime.now(datetime.timezone.utc).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - datetime.timedelta(days=1)


def test_refused_batches_count_nothing_twice(house, nominal):
    """A duplicate makes room for another hour, then its batch is refused: what left memory for the store left it once."""
    habitd = house.habitd(flush="1h")
    watching(habitd, nominal)
    habitd.post("m", "learn", nominal[0], seq=1)
    day = yesterday()
    at = lambda hour: (day + datetime.timedelta(hours=hour, minutes=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    report = lambda: habitd.json("/v1/reports/daily", params={"machine": "m", "date": f"{day:%Y-%m-%d}"})["reports"][0]
    for hour in (1, 2, 3, 4):
        for i in range(5):
            habitd.post("m", "detect", nominal[60 + i], time=at(hour))
    wait_until(lambda: report()["detected"] == 20, "the twenty")  # one hour is on its way to the store
    for hour in (5, 6, 7):
        assert send(habitd, "m", "learn", nominal[0] + CONSTANT, seq=1, time=at(hour)).status_code == 422
    habitd.restart()
    assert (report()["detected"], report()["learned"], report()["duplicates"]) == (20, 0, 0)


def test_reports_know_what_is_on_its_way_to_the_store(house, tmp_path, nominal):
    """A flush that waits for the disk takes no counters out of a report."""
    stall = Stall(tmp_path)
    habitd = house.habitd(flush="100ms", environment=stall.environment)
    watching(habitd, nominal)
    detected = lambda: habitd.json("/v1/reports/daily", params={"machine": "m"})["reports"][0]["detected"]
    with stall.commits():
        habitd.post_all("m", "detect", nominal[60:70])
        end = time.monotonic() + 0.5  # some flushes
        seen = set()
        while time.monotonic() < end:
            seen.add(detected())
    assert seen == {10}
    assert detected() == 10


def test_backlogs_are_counted_while_the_store_fails(house, nominal):
    """Ten hours at once are more than memory keeps apart: none of their buffers is forgotten."""
    habitd = house.habitd(flush="1h")
    watching(habitd, nominal)
    day = yesterday()
    for table in ("state", "hour"):
        alter(habitd, f"CREATE TRIGGER forbid_{table} BEFORE INSERT ON {table} BEGIN SELECT RAISE(ABORT, 'no'); END")
    for hour in range(10):
        for i in range(5):
            habitd.post("m", "detect", nominal[60 + i], time=f"{day + datetime.timedelta(hours=hour):%Y-%m-%dT%H:01:00Z}")
    for table in ("state", "hour"):
        alter(habitd, f"DROP TRIGGER forbid_{table}")
    habitd.restart()
    assert habitd.json("/v1/reports/daily", params={"machine": "m", "date": f"{day:%Y-%m-%d}"})["reports"][0]["detected"] == 50


# ------------------------------------------------------------------------------------------------------------- machines

def test_deleted_machine_is_not_left_raised(house, broker, nominal, faulty):
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=[f"{ROOT}/m/#"])
    watching(habitd, nominal)
    number = habitd.post_all("m", "detect", nominal[60:72] + faulty)[-1]["anomaly"]
    assert number is not None
    client.wait_document(f"{ROOT}/m/anomaly", lambda e: e["event"] == "raised", "raised")
    client.wait_document(f"{ROOT}/m/state", lambda d: d["anomaly"] == number, "the state")
    client.wait_text(f"{ROOT}/m/availability", "online")
    assert habitd.request("DELETE", "/v1/machines/m").status_code == 204
    client.wait_document(f"{ROOT}/m/anomaly", lambda e: e["event"] == "cleared" and e["id"] == number, "cleared")
    for topic in ("state", "availability"):
        client.wait_text(f"{ROOT}/m/{topic}", "")
        assert retained(house, broker, f"{ROOT}/m/{topic}") is None


def churn(habitd, session, number, stop):
    """Makes and deletes machines between the others."""
    while not stop.is_set():
        for i in range(3):
            path = f"{habitd.url}/v1/machines/m{10 * number + 3:02}x{number}{i}"
            session.put(path, json=SIZE, timeout=20)
            session.delete(path, timeout=20)


def listed(habitd, path):
    """All machines of all pages."""
    found = set()
    after = ""
    while after is not None:
        page = habitd.json(path, params={"limit": 10, "after": after} if after else {"limit": 10})
        found |= {row["machine"] for row in next(v for v in page.values() if isinstance(v, list))}
        after = page["next"]
    return found


def test_lists_are_whole_while_machines_are_deleted(habitd):
    ids = {f"m{i:02}" for i in range(40)}
    for machine in ids:
        habitd.put_machine(machine, **SIZE)
    stop = threading.Event()
    sessions = [type(habitd.session)() for _ in range(4)]
    threads = [threading.Thread(target=churn, args=(habitd, s, i, stop)) for i, s in enumerate(sessions)]
    for thread in threads:
        thread.start()
    try:
        end = time.monotonic() + 3
        while time.monotonic() < end:
            assert not ids - listed(habitd, "/v1/machines")
            assert not ids - listed(habitd, "/v1/reports/daily")
    finally:
        stop.set()
        for thread in threads:
            thread.join(20)


PATTERN = """
[machine "auto-*"]
create = yes
buffer_size = {}
axes = 1
"""


def test_only_a_good_buffer_makes_a_machine(house, nominal):
    habitd = house.habitd(sections=PATTERN.format(64))
    for verb, body, parameters in (("detect", nominal[0], {"dry_run": 1}), ("detect", b"xx", {"dry_run": 1}),
                                   ("buffers", b"xx", {}), ("learn", nominal[0][:-4], {})):
        assert 400 <= send(habitd, "auto-1", verb, body, **parameters).status_code < 500
        assert habitd.get("/v1/machines/auto-1").status_code == 404, (verb, parameters)
    assert habitd.json("/v1/machines")["machines"] == []
    assert habitd.post("auto-1", "learn", nominal[0])["learned"] == 1
    assert habitd.learned("auto-1") == 1


def test_conflict_ends_where_the_geometry_comes_back(house, nominal):
    habitd = house.habitd(sections=PATTERN.format(64))
    for machine in ("auto-1", "auto-2"):
        habitd.post_all(machine, "learn", nominal[:30])
    block = habitd.knowledge("auto-1")
    habitd.terminate()
    habitd.conf.write_text(configuration(habitd.store, sections=PATTERN.format(32)))
    habitd.start()
    for machine in ("auto-1", "auto-2"):
        assert habitd.patch(machine, threshold=80)["settings"]["threshold"] == 80
        for body in (nominal[0], nominal[0][:4 * 32]):
            assert send(habitd, machine, "buffers", body).status_code == 409, "of either size"
    assert habitd.knowledge("auto-1") == block
    habitd.patch("auto-1", buffer_size=64)
    assert habitd.post("auto-1", "detect", nominal[60])["status"] == "ok"
    habitd.act("auto-2", "initialize")
    assert habitd.post("auto-2", "learn", nominal[0][:4 * 32])["learned"] == 1
    habitd.restart()
    assert habitd.learned("auto-1") == 30 and habitd.learned("auto-2") == 1
    assert habitd.knowledge("auto-1") == block
