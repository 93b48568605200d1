"""The n-th call to the store's files, or the n-th allocation, fails: for every n, once and from then on. Each ends in a plain
error or does not matter, habitd goes on by itself, memory and store agree, and what was acknowledged is there."""
import contextlib
import errno
import sqlite3

import pytest
import requests

from support import JSON, RAW, numbers, simulate, wait_until
from watch import LONG, Control, environment

SETTINGS = {"buffer_size": 64, "axes": 1, "learn": 100000, "false_alarms": "off"}
# how many learns it may take until such a call is made: that of a checkpoint comes seldom
STORE_POINTS = {"wal-write": 1, "wal-sync": 1, "wal-read": 1, "db-read": 1, "db-write": 25, "db-sync": 25}
ONCE = {"once": Control.FAIL, "from then on": Control.FAIL_ON}
ENOUGH = 12  # in a row that no call came to: there are no more


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 160, seed=3)


class Bench:
    """A watched habitd with one machine that learns numbered buffers."""

    def __init__(self, house, folder, nominal, pragmas=None):
        self.nominal, self.seq, self.acknowledged = nominal, 0, 0
        self.habitd = house.habitd(start=False, flush="1h")
        self.control = Control(folder / "control")
        self.habitd.environment = environment(self.habitd.store, control=self.control, pragmas=pragmas)
        self.habitd.start()
        self.habitd.put_machine("pump-1", **SETTINGS)
        self.habitd.act("pump-1", "commission")

    def buffer(self):
        return self.nominal[self.seq % len(self.nominal)]

    def learn_once(self):
        """Status of the answer, None where the connection broke."""
        return self.ask("POST", f"/v1/machines/pump-1/learn?source=s&boot=b&seq={self.seq}", data=self.buffer(), headers=RAW)

    def ask(self, method, path, **more):
        """A connection of its own: what breaks is gone."""
        try:
            answer = requests.request(method, self.habitd.url + path, timeout=20, **more)
        except requests.RequestException:
            return None
        assert answer.status_code < 500 or answer.headers["Content-Type"] == "application/problem+json", answer.text
        return answer.status_code

    def learn(self):
        """Until it is acknowledged, as a sender does."""
        wait_until(lambda: self.learn_once() == 200, f"number {self.seq} is learned", 10)
        self.seq += 1

    def agrees(self):
        """Memory is what the store holds, and both are what was acknowledged."""
        with contextlib.closing(sqlite3.connect(self.habitd.store, timeout=10)) as database:
            stored, = database.execute("SELECT bytes FROM knowledge").fetchone()
            counted, = database.execute("SELECT sum(learned) FROM hour").fetchone()
        assert self.habitd.knowledge("pump-1") == stored
        assert self.habitd.learned("pump-1") == counted == self.seq


def sweep(bench, point, action, error, act, most):
    """Lets the n-th call fail while act() runs, for n = 1, 2, ...; returns how many came to happen."""
    fired = missed = 0
    for n in range(1, most + 1):
        bench.control.arm(point, action, n, error)
        act()
        happened = bench.control.fired() > 0
        bench.control.clear()
        assert bench.habitd.running(), f"{point} {n}: habitd ended\n{bench.habitd.log()[-3000:]}"
        bench.learn()
        if n % 10 == 1:
            bench.agrees()
        fired, missed = fired + happened, 0 if happened else missed + 1
        if missed == ENOUGH:
            break
    bench.agrees()
    return fired


STORE_FAULTS = [("once", errno.EIO), ("from then on", errno.ENOSPC)]
STORE_FAULTS += [("once", errno.ENOSPC), ("from then on", errno.EIO)] if LONG else []


@pytest.mark.parametrize("often, error", STORE_FAULTS, ids=[f"{errno.errorcode[error]} {often}" for often, error in STORE_FAULTS])
def test_store_faults(house, nominal, tmp_path, often, error):
    bench = Bench(house, tmp_path, nominal, pragmas="PRAGMA wal_autocheckpoint = 20")
    bench.learn()

    def act(tries):
        for _ in range(tries):
            status = bench.learn_once()
            assert status in (200, 503, 507), status
            bench.seq += status == 200
            assert bench.ask("POST", "/v1/machines/pump-1/detect?dry_run=1", data=bench.nominal[0], headers=RAW) == 200
            ready = requests.get(bench.habitd.url + "/readyz", timeout=20)
            assert status == 200 or ready.json()["status"] == "degraded", ready.text
            read = bench.ask("GET", "/v1/anomalies")
            assert read == 200 or read >= 500, read
            if bench.control.fired():
                return

    most = 200 if LONG else 30
    fired = {point: sweep(bench, point, ONCE[often], error, lambda: act(tries), most if tries == 1 else most // 5)
             for point, tries in STORE_POINTS.items()}
    print(f"{often}, {errno.errorcode[error]}: {fired}, learned {bench.seq}")
    assert all(fired.values()), fired
    wait_until(lambda: bench.habitd.json("/readyz")["status"] == "ready", "ready again")
    assert bench.habitd.crash().learned("pump-1") == bench.seq


# ----------------------------------------------------------------------------------------------------------- allocations

def requests_of(nominal):
    """method, path, and what goes with it: the ways in and out that a failing allocation must not break."""
    data = {"data": numbers(nominal[0])}
    yield "learn, raw", "POST", "/v1/machines/pump-1/learn?source=s&boot=b&seq={seq}", {"data": nominal[0], "headers": RAW}
    yield "detect, JSON", "POST", "/v1/machines/pump-1/detect?dry_run=1", {"json": data}
    yield "settings", "PATCH", "/v1/machines/pump-1", {"data": '{"name": "x"}', "headers": JSON}
    yield "machines", "GET", "/v1/machines", {}
    yield "knowledge", "GET", "/v1/machines/pump-1/knowledge", {}
    yield "report", "GET", "/v1/reports/daily?machine=pump-1", {}
    yield "metrics", "GET", "/metrics", {}


@pytest.mark.parametrize("often", ONCE)
def test_allocation_faults(house, nominal, tmp_path, often):
    bench = Bench(house, tmp_path, nominal)
    bench.learn()
    fired = {}
    for name, method, path, more in requests_of(nominal):
        def act():
            status = bench.ask(method, path.format(seq=bench.seq), **more)
            assert status is None or status == 200 or status >= 500, f"{name}: {status}"

        most = 2000 if LONG else 120
        fired[name] = sweep(bench, "heap-allocate", ONCE[often], errno.ENOMEM, act, most)
    print(f"allocations, {often}: {fired}, learned {bench.seq}")
    assert all(count > 3 for count in fired.values()), fired
    assert bench.habitd.crash().learned("pump-1") == bench.seq


# -------------------------------------------------------------------------------------------------------------- starting

def sweep_start(bench, point, prepare, stride=1):
    """Starts habitd with the n-th call failing from then on, n = 1, 2, ...; it starts, or ends with a plain message."""
    fired = missed = 0
    for n in range(1, 3000, stride):
        bench.habitd.kill()
        prepare()
        bench.control.arm(point, Control.FAIL_ON, n, errno.ENOMEM if point == "heap-allocate" else errno.EIO)
        before = len(bench.habitd.log())
        with contextlib.suppress(AssertionError, requests.RequestException):
            bench.habitd.start(5)
        happened = bench.control.fired() > 0
        bench.control.clear()
        if not bench.habitd.running():
            status = bench.habitd.child.wait(5)
            assert status in (1, 2) and len(bench.habitd.log()) > before, f"{point} {n}: ended with {status}"
        fired, missed = fired + happened, 0 if happened else missed + 1
        if missed == 3:
            break
    bench.habitd.kill()
    bench.habitd.start()
    print(f"{point} while starting: {fired}")
    return fired


@pytest.mark.parametrize("point", ["db-open", "wal-open", "db-read", "wal-read", "heap-allocate"])
def test_start_faults(house, nominal, tmp_path, point):
    """The store is as it was."""
    bench = Bench(house, tmp_path, nominal)
    bench.learn()
    stride = 1 if LONG or point != "heap-allocate" else 17
    assert sweep_start(bench, point, lambda: None, stride) > 0
    bench.agrees()


@pytest.mark.parametrize("point", ["db-open", "db-write", "db-sync", "journal-open", "journal-write", "journal-sync",
                                   "journal-unlink", "folder-open", "folder-sync", "wal-open", "wal-write", "wal-sync"])
def test_first_start_faults(house, nominal, tmp_path, point):
    """What a first start has left half done, the next one makes whole."""
    bench = Bench(house, tmp_path, nominal)

    def begin_anew():
        for file in bench.habitd.folder.glob("habit.db*"):
            file.unlink()

    assert sweep_start(bench, point, begin_anew) > 0
    bench.habitd.put_machine("pump-1", **SETTINGS)
    bench.habitd.act("pump-1", "commission")
    bench.learn()
    bench.agrees()
