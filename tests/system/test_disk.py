"""The disk that the store is on: full at many points, read-only, at its quota; files that are deleted, moved or replaced while
habitd runs. Detection goes on, /readyz says what is wrong, nothing acknowledged is lost, and all is well again without a request
and without a restart as soon as the cause is gone. All but a page that goes bad: that is for the next start, and a backup."""
import contextlib
import errno
import os
import re
import resource
import shutil
import sqlite3
import subprocess
import time

import pytest

from support import HABITD, RAW, ROOT, configuration, simulate, wait_until
from test_call_faults import Bench
from watch import LONG, Control

RECOVERED = 5  # seconds
LOW = 32  # MiB: habitd --show-limits


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 160, seed=3)


@pytest.fixture
def bench(house, tmp_path, nominal):
    bench = Bench(house, tmp_path, nominal)
    for _ in range(10):
        bench.learn()
    return bench


def ready(bench):
    return bench.habitd.json("/readyz")


def reasons(bench, word):
    return [reason for reason in ready(bench)["reasons"] if reason.startswith(word)]


def goes_on(bench):
    """Detection, reading and health, while nothing can be stored."""
    assert bench.ask("POST", "/v1/machines/pump-1/detect", data=bench.nominal[0], headers=RAW) == 200
    assert bench.ask("GET", "/v1/machines/pump-1") == 200
    assert bench.ask("GET", "/metrics") == 200 and bench.ask("GET", "/livez") == 200


def fails(bench, words):
    """The next learn is refused, and readyz says why in these words."""
    assert bench.learn_once() == 503
    state = ready(bench)
    assert state["status"] == "degraded" and any(words in reason for reason in state["reasons"]), state
    goes_on(bench)


def recovers(bench):
    """By itself, with nobody asking for anything to be stored; then all is as if nothing had been."""
    wait_until(lambda: not reasons(bench, "store"), "the store is well again", RECOVERED)
    bench.learn()
    bench.agrees()


def survives(bench):
    """kill -9, and a new start: what was acknowledged is there."""
    knowledge = bench.habitd.knowledge("pump-1")
    bench.habitd.crash()
    assert bench.habitd.knowledge("pump-1") == knowledge
    bench.agrees()
    with contextlib.closing(sqlite3.connect(bench.habitd.store)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


# ------------------------------------------------------------------------------------------------------------ full disk

@pytest.fixture
def disk(house, tmp_path):
    """A file system of its own, with room enough for readyz to be content."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={LOW + (64 if LONG else 8)}m", "tmpfs", place], capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    yield place
    house.close()
    subprocess.run(["umount", place], check=True)


class DiskBench(Bench):
    """Its store is on a file system of its own."""

    def __init__(self, house, folder, nominal, disk):
        self.nominal, self.seq, self.made = nominal, 0, 0
        self.habitd = house.habitd(start=False)
        self.habitd.store, self.disk = disk / "habit.db", disk
        self.habitd.conf.write_text(configuration(self.habitd.store, flush="1h", gateway="machines = 10000"))
        self.habitd.start()
        self.habitd.put_machine("pump-1", buffer_size=64, axes=1, learn=100000, false_alarms="off")
        self.habitd.act("pump-1", "commission")

    def fill(self, pages):
        """Leaves so many pages of the disk."""
        status = os.statvfs(self.disk)
        with open(self.disk / "ballast", "wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, (status.f_bavail - pages) * status.f_frsize))

    def learn_until_full(self):
        """Machines are made beside it: learning alone writes the same pages again and again."""
        block = self.habitd.knowledge("pump-1")
        for _ in range(1000):
            self.made += 1
            made = self.ask("PUT", f"/v1/machines/more-{self.made}/knowledge", data=block, headers=RAW)
            status = self.learn_once()
            assert made in (200, 201, 204, 503) and status in (200, 503), (made, status)
            if status != 200:
                return
            self.seq += 1
        raise AssertionError("the disk does not become full")

    def free(self):
        (self.disk / "ballast").unlink()


def test_full_at_many_points(house, tmp_path, nominal, disk):
    """With 0, 1, 2 ... pages left, wherever in the -wal file that falls: what was answered with 200 is there, and no more."""
    bench = DiskBench(house, tmp_path, nominal, disk)
    bench.learn()
    assert ready(bench)["status"] == "ready"
    points = range(100 if LONG else 24)
    for pages in points:
        bench.fill(pages)
        bench.learn_until_full()
        fails(bench, "database or disk is full")
        assert reasons(bench, "disk: nearly full, 0 MiB")
        assert bench.habitd.learned("pump-1") == bench.seq
        bench.free()
        recovers(bench)
        assert ready(bench)["status"] == "ready"
    survives(bench)
    print(f"full at {len(points)} points, learned {bench.seq}")


# ------------------------------------------------------------------------------------------- read-only, quota, file size

@pytest.mark.parametrize("error, words", [(errno.EROFS, ""), (errno.EDQUOT, ""), (errno.ENOSPC, "full"), (errno.EPERM, "")],
                         ids=["read-only", "quota", "full", "immutable"])
def test_nothing_can_be_written(bench, error, words):
    """The kernel refuses a remount while files are open for writing, so each write is answered as a forced one would."""
    bench.control.arm("wal-write", Control.FAIL_ON, 1, error)
    fails(bench, words or "disk I/O error")
    bench.control.clear()
    recovers(bench)
    survives(bench)


def test_files_may_not_grow(bench):
    """A limit on the size of files: an error, not the end by SIGXFSZ."""
    pid = bench.habitd.child.pid
    before = resource.prlimit(pid, resource.RLIMIT_FSIZE)
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (os.stat(f"{bench.habitd.store}-wal").st_size, before[1]))
    fails(bench, "disk I/O error")
    resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
    recovers(bench)
    survives(bench)


# ------------------------------------------------------------------------------- deleted, moved, replaced while it runs

ENDINGS = ["", "-wal", "-shm", ".lock"]


def files(bench):
    return [bench.habitd.store.with_name(bench.habitd.store.name + ending) for ending in ENDINGS]


def identities(bench):
    """Of those that are there."""
    return {file.name: file.stat().st_ino for file in files(bench) if file.exists()}


@pytest.mark.parametrize("which", [[0], [1], [2], [3], [0, 1], [0, 1, 2], [0, 1, 2, 3], [1, 2]],
                         ids=lambda which: "+".join(ENDINGS[i] or "database" for i in which))
@pytest.mark.parametrize("how", ["deleted", "moved"])
def test_files_are_put_back(bench, tmp_path, how, which):
    """What is open is written anew before anything is acknowledged."""
    (tmp_path / "elsewhere").mkdir()
    gone = [files(bench)[i] for i in which]
    for file in gone:
        file.unlink() if how == "deleted" else file.rename(tmp_path / "elsewhere" / file.name)
    bench.learn()
    assert all(file.exists() for file in files(bench)), identities(bench)
    bench.agrees()
    goes_on(bench)
    assert bench.habitd.store.stat().st_mode & 0o777 == 0o600
    survives(bench)
    bench.learn()
    bench.agrees()


def test_put_back_under_load(bench, nominal):
    """Again and again, between learns, with a kill after each: nothing that was answered is missing."""
    for turn in range(40 if LONG else 8):
        for file in files(bench)[: 1 + turn % 4]:
            file.unlink()
        for _ in range(3):
            bench.learn()
        survives(bench)


def test_another_file_in_its_place(bench, tmp_path):
    """It is somebody's: it is left alone, and nothing is acknowledged until it is gone."""
    store, mine = bench.habitd.store, tmp_path / "mine.db"
    store.rename(mine)
    with contextlib.closing(sqlite3.connect(store)) as other, other:
        other.execute("CREATE TABLE theirs (x)")
    theirs = store.read_bytes()
    fails(bench, "another file is in the place of the database")
    assert store.read_bytes() == theirs
    mine.rename(store)  # the very same comes back
    recovers(bench)
    store.rename(mine)
    store.write_bytes(theirs)
    fails(bench, "another file is in the place of the database")
    store.unlink()  # or it goes away
    recovers(bench)
    survives(bench)


def test_another_wal_in_its_place(bench):
    """Of another database, or rubbish: it never gets into this one."""
    wal = files(bench)[1]
    wal.unlink()
    wal.write_bytes(os.urandom(20000))
    bench.learn()
    bench.agrees()
    survives(bench)


@pytest.mark.parametrize("back", [True, False], ids=["comes back", "is made anew"])
def test_folder_is_moved(house, tmp_path, nominal, back):
    bench = Bench(house, tmp_path, nominal)
    home, away = bench.habitd.folder, tmp_path / "away"
    for _ in range(3):
        bench.learn()
    home.rename(away)
    fails(bench, "store: nothing can be stored")
    if back:
        away.rename(home)
    else:
        home.mkdir()
    recovers(bench)
    if not back:
        shutil.copy(away / "habitd.conf", home)
    survives(bench)


def test_a_second_habitd_gets_in(house, bench, nominal):
    """Whoever deletes the lock file can start a second one: the first then leaves the store to it, and says so until it is
    started again, for what it has in memory is old."""
    files(bench)[3].unlink()
    second = house.habitd(start=False)
    second.conf.write_text(configuration(bench.habitd.store))
    second.start()
    fails(bench, "another habitd is using this store")
    second.post("pump-1", "learn", nominal[bench.seq], source="s", boot="b", seq=bench.seq)
    bench.seq += 1
    fails(bench, "another habitd is using this store")
    assert second.terminate()[0] == 0
    wait_until(lambda: reasons(bench, "store: nothing can be stored (another habitd has written"), "it is named")
    fails(bench, "another habitd has written to this store: restart this one")
    assert bench.habitd.crash().learned("pump-1") == bench.seq
    bench.learn()
    bench.agrees()


def test_no_room_to_put_it_back(house, tmp_path, nominal, disk):
    """Deleted on a full disk: the copy waits for room."""
    bench = DiskBench(house, tmp_path, nominal, disk)
    for _ in range(3):
        bench.learn()
    bench.fill(0)
    bench.habitd.store.unlink()  # its bytes stay taken as long as it is open
    fails(bench, "full")
    assert not bench.habitd.store.exists()
    bench.free()
    recovers(bench)
    assert not list(disk.glob("*.copy"))
    survives(bench)


# ------------------------------------------------------------------------------------------------------- a page goes bad

MACHINES, ROUNDS = 60, 5


def spoil_a_page(store):
    """One of the pages that hold knowledge, a machine's or two, becomes what no page is."""
    with contextlib.closing(sqlite3.connect(store)) as database:
        assert database.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0
        size = database.execute("PRAGMA page_size").fetchone()[0]
        pages = database.execute("SELECT pageno FROM dbstat WHERE name = 'knowledge' AND pagetype = 'leaf'").fetchall()
    with open(store, "r+b") as file:
        file.seek((pages[len(pages) // 2][0] - 1) * size)
        file.write(b"\xff" * 64)


def test_a_page_goes_bad(house, broker, tmp_path):
    """Its machine is refused and named, at both doors; of the others every learn comes through. The next start finds the damage."""
    buffers = simulate(tmp_path, 20 + ROUNDS, 256, 3, seed=5)
    habitd, names = house.habitd(broker), [f"m{i}" for i in range(MACHINES)]
    for name in names:
        habitd.put_machine(name, buffer_size=256, axes=3, learn=1000)
        habitd.post_all(name, "learn", buffers[:20])
    spoil_a_page(habitd.store)
    client, connected = house.client(broker), habitd.log().count("connected to broker")
    for buffer in buffers[20:]:
        for name in names:
            client.publish(f"{ROOT}/{name}/learn", buffer)

    def counted(what):
        return int(re.search(re.escape(what) + r" (\d+)\n", habitd.get("/metrics").text).group(1))

    rejected = 'habit_buffers_rejected_total{reason="damaged"}'
    wait_until(lambda: counted("habit_buffers_learned_total") + counted(rejected) == MACHINES * (20 + ROUNDS), "all is taken or refused")
    answers = {name: habitd.request("POST", f"/v1/machines/{name}/learn", data=buffers[0], headers=RAW) for name in names}
    bad = [name for name in names if answers[name].status_code != 200]
    assert 1 <= len(bad) <= 2
    assert all(answers[name].status_code == 500 and answers[name].json()["type"] == "urn:habit:problem:damaged" for name in bad)
    assert all(answers[name].json()["learned"] == 20 + ROUNDS + 1 for name in names if name not in bad)
    assert counted(rejected) == len(bad) * (ROUNDS + 1)
    assert habitd.log().count("connected to broker") == connected
    reason = f"database: damaged where machine {bad[0]} is stored ({len(bad)} in all)"
    assert any(found.startswith(reason) for found in habitd.json("/readyz")["reasons"])
    assert habitd.get(f"/v1/machines/{bad[0]}").json()["type"] == "urn:habit:problem:damaged"
    assert habitd.get("/v1/backup").json()["type"] == "urn:habit:problem:damaged"  # no backup of it replaces a good one
    habitd.terminate()
    habitd.spawn([HABITD, "--config", habitd.conf])
    assert habitd.child.wait(10) == 1 and "restore a backup" in habitd.log()
