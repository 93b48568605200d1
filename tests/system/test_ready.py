"""/readyz: ready, degraded with each reason of docs/interface.md, and 503 only while habitd stops. The store's and the broker's
reasons have tests of their own: test_disk.py, test_broker_faults.py."""
import contextlib
import re
import sqlite3
import threading
import time

import pytest
import requests

from support import RAW, REPOSITORY, Stall, simulate, wait_until

SIZE = {"buffer_size": 64, "axes": 1, "false_alarms": "off"}
CODE = (REPOSITORY / "daemon" / "http" / "health.c").read_text()
PAGE = (REPOSITORY / "docs" / "interface.md").read_text()


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("data"), 80, seed=3)


def alter(habitd, statement):
    """Changes the store behind habitd's back."""
    with contextlib.closing(sqlite3.connect(habitd.store, timeout=10)) as database, database:
        database.execute(statement)


def degraded(habitd, words):
    answer = habitd.get("/readyz")
    assert answer.status_code == 200, answer.text
    return answer.json()["status"] == "degraded" and any(reason.startswith(words) for reason in answer.json()["reasons"])


def goes_on(habitd, nominal):
    assert habitd.post("m", "detect", nominal[70])["status"] == "ok"


def learn(habitd, nominal):
    """One buffer, which may never be answered."""
    with contextlib.suppress(requests.RequestException):
        requests.post(f"{habitd.url}/v1/machines/m/learn", data=nominal[0], headers=RAW, timeout=30)


@pytest.fixture
def watching(habitd, nominal):
    habitd.put_machine("m", **SIZE, start="auto", learn=60)
    habitd.request("POST", "/v1/machines/m/buffers", data=b"".join(nominal[:60]), headers=RAW)
    return habitd


def test_every_reason_is_documented():
    reasons = re.findall(r'"((?:outbox:|\w+: [a-z]+))', CODE)
    assert len(reasons) >= 8, reasons
    for reason in reasons:
        assert f"| `{reason}" in PAGE, f"docs/interface.md lacks {reason}"


def test_ready(watching):
    assert watching.json("/readyz") == {"status": "ready", "reasons": [], "backup": None}


def test_outbox_is_filling(watching, nominal):
    fill = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) "\
           "INSERT INTO event (at, topic, payload, retain, waits) SELECT 1, 'x/anomaly', '{{}}', 0, 1 FROM n"
    alter(watching, fill.format(4999))
    assert watching.json("/readyz")["status"] == "ready"
    alter(watching, fill.format(1))
    assert degraded(watching, "outbox: 5000 messages wait for the broker")
    goes_on(watching, nominal)
    alter(watching, "DELETE FROM event WHERE payload = '{}'")
    assert watching.json("/readyz")["status"] == "ready"


def test_clock_is_doubtful(watching, nominal):
    """The store has counted hours that the clock says are yet to come."""
    watching.terminate()
    alter(watching, f"UPDATE hour SET start = {int(time.time() // 3600 + 24 * 20) * 3600000}")
    watching.start()
    assert degraded(watching, "clock: not set, or it has jumped")
    goes_on(watching, nominal)


def test_machines_conflict(watching):
    watching.terminate()
    alter(watching, """UPDATE machine SET settings = replace(settings, '"buffer_size":64', '"buffer_size":32')""")
    watching.start()
    assert degraded(watching, "machines: settings and knowledge of 1 differ"), watching.json("/readyz")
    watching.act("m", "initialize")
    assert watching.json("/readyz")["status"] == "ready"


def test_store_is_slow(house, tmp_path, nominal):
    """A disk that does not come back with a sync: nobody knows whether it ever will."""
    stall = Stall(tmp_path)
    habitd = house.habitd(flush="1h", environment=stall.environment)
    habitd.put_machine("m", **SIZE, start="auto", learn=60)
    habitd.request("POST", "/v1/machines/m/buffers", data=b"".join(nominal[:60]), headers=RAW)
    stall.begin("fdatasync")
    threading.Thread(target=learn, args=(habitd, nominal), daemon=True).start()
    wait_until(lambda: degraded(habitd, "store: has been writing for"), "it is named", 10)
    goes_on(habitd, nominal)


def test_stopping_is_503(house, tmp_path, nominal):
    """A connection that is open already asks while habitd waits for the commits of others."""
    stall, session = Stall(tmp_path), requests.Session()
    habitd = house.habitd(environment=stall.environment)
    habitd.put_machine("m", **SIZE, start="auto", learn=60)
    assert session.get(habitd.url + "/livez", timeout=5).status_code == 200
    with stall.commits():
        threading.Thread(target=learn, args=(habitd, nominal), daemon=True).start()
        wait_until(lambda: habitd.learned("m") == 1, "it is on its way")
        habitd.child.terminate()
        wait_until(lambda: "stopping" in habitd.log(), "it stops")
        time.sleep(0.1)
        answer = session.get(habitd.url + "/readyz", timeout=5)
        assert answer.status_code == 503 and answer.json()["status"] == "unavailable"
        assert answer.json()["reasons"][0] == "habitd is stopping"
    with pytest.raises(requests.ConnectionError):  # and nobody new comes in
        requests.get(habitd.url + "/readyz", timeout=5)
    assert habitd.child.wait(10) == 0
