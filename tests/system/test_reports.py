"""Daily reports of the real habitd: made once, published, served, and what became of the hours in between."""
import contextlib
import csv as csv_module
import datetime
import io
import json
import sqlite3
import subprocess
import time

import pytest

from support import HABITD, ROOT, wait_until

SIZE = {"buffer_size": 16, "axes": 1}
DAY = 24 * 3600 * 1000
AT_ONCE = "[report]\ntime = 00:00\n"


@pytest.fixture(autouse=True)
def within_a_day():
    """Tests count days from today: none begins in a day's last seconds."""
    left = 86400 - time.time() % 86400
    if left < 20:
        time.sleep(left)


def today(days=0):
    return f"{datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days):%Y-%m-%d}"


def buffer(seed=1):
    return b"".join(int((i * 37 + seed * 11) % 100).to_bytes(1, "little") + b"\x00\x00\x3f" for i in range(16))


def first_day(habitd):
    """From which day on it owes reports; None = it does not know yet."""
    with contextlib.closing(sqlite3.connect(f"file:{habitd.store}?mode=ro", uri=True)) as database:
        return database.execute("SELECT made FROM reporting").fetchone()


def days_earlier(habitd, days):
    """Ends habitd; as if this gateway, its machines and all that was counted were so many days older."""
    wait_until(lambda: first_day(habitd), "its first day")
    habitd.terminate()
    with sqlite3.connect(habitd.store) as database:
        database.execute("UPDATE machine SET created = created - ?", (days * DAY,))
        database.execute("UPDATE hour SET start = start - ?", (days * DAY,))
        database.execute("UPDATE reporting SET made = made - ?, closed = 0, date = ''", (days * DAY,))


def stored(habitd, date):
    reports = habitd.json("/v1/reports/daily", params={"date": date})["reports"]
    return reports if reports and all(r["made"] for r in reports) else None


@pytest.fixture
def yesterdays(house, broker):
    """A habitd whose machines did all they did two days ago, and a client that listens to reports."""
    habitd = house.habitd(broker, sections=AT_ONCE)
    for machine, asset in (("a-1", "pump"), ("a-2", "pump"), ("b-1", "")):
        habitd.put_machine(machine, **SIZE, asset=asset)
        for i in range(4):
            habitd.post(machine, "buffers", buffer(i))
    days_earlier(habitd, 2)
    return habitd


def test_missed_days_are_made_once_published_and_kept(house, broker, yesterdays):
    habitd = yesterdays
    listener = house.client(broker, subscribe=[f"{ROOT}/+/report/daily", f"{ROOT}/report/daily"])
    habitd.start()
    first = wait_until(lambda: stored(habitd, today(-2)), "the report of the day before yesterday")
    wait_until(lambda: stored(habitd, today(-1)), "that of yesterday")
    assert [r["machine"] for r in first] == ["a-1", "a-2", "b-1"]
    assert all(r["idle"] == 4 and r["complete"] and r["hours"] == 24 and len(r["by_hour"]) == 24 for r in first)
    assert sum(h["idle"] for h in first[0]["by_hour"]) == 4
    wait_until(lambda: len(listener.seen) >= 8 or listener.messages.qsize() >= 8, "eight messages")
    habitd.restart()
    assert stored(habitd, today(-2)) == first, "the same whenever it is asked for"
    late = house.client(broker, subscribe=[f"{ROOT}/+/report/daily", f"{ROOT}/report/daily"])
    wait_until(lambda: late.messages.qsize() >= 4, "what is retained")
    retained = {}
    while not late.messages.empty():
        message = late.messages.get()
        retained[message.topic] = json.loads(message.payload)
    assert retained[f"{ROOT}/a-1/report/daily"] == stored(habitd, today(-1))[0]
    fleet = retained[f"{ROOT}/report/daily"]
    assert (fleet["date"], fleet["machines"], fleet["heard"]) == (today(-1), 3, 0)
    dates = [json.loads(m.payload)["date"] for m in list(listener.messages.queue) if m.topic.endswith("a-1/report/daily")]
    assert dates == [today(-2), today(-1)], "each once, in order"


def test_assets_and_fleet(yesterdays):
    habitd = yesterdays.start()
    wait_until(lambda: stored(habitd, today(-1)), "reports")
    pump, none = sorted(habitd.json("/v1/reports/daily", params={"date": today(-2), "group": "asset"})["groups"],
                        key=lambda g: g["asset"] or "~")
    assert (pump["asset"], pump["machines"], pump["heard"], pump["idle"]) == ("pump", 2, 2, 8)
    assert (none["asset"], none["machines"], none["idle"]) == (None, 1, 4)
    fleet, = habitd.json("/v1/reports/daily", params={"date": today(-2), "group": "fleet"})["groups"]
    assert (fleet["machines"], fleet["idle"], fleet["worst_machine"]) == (3, 12, None)
    of_pump = habitd.json("/v1/reports/daily", params={"date": today(-2), "asset": "pump"})["reports"]
    assert [r["machine"] for r in of_pump] == ["a-1", "a-2"]
    for query in ({"group": "hall"}, {"group": "asset", "machine": "a-1"}, {"group": "fleet", "asset": "pump"}):
        answer = habitd.get("/v1/reports/daily", params=query)
        assert (answer.status_code, answer.json()["field"]) == (400, "group")
    assert habitd.get("/v1/reports/daily?group=fleet", headers={"Accept": "text/csv"}).status_code == 406


def test_csv_of_a_stored_day(yesterdays):
    habitd = yesterdays.start()
    reports = wait_until(lambda: stored(habitd, today(-2)), "reports")
    text = habitd.get("/v1/reports/daily", params={"date": today(-2)}, headers={"Accept": "text/csv"}).text
    rows = list(csv_module.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 3
    for row, report in zip(rows, reports):
        for key in ("date", "machine", "from", "to", "made"):
            assert row[key] == report[key]
        for key in ("idle", "late", "starts", "untrusted", "running_s", "silent_s", "sensitivity", "threshold"):
            assert float(row[key]) == report[key], key
        assert row["trend_rising"] == "no" and row["days_to_line"] == ""


def test_history(habitd):
    habitd.put_machine("m", **SIZE)
    midnight = int(datetime.datetime.now(datetime.timezone.utc).timestamp() * 1000) // DAY * DAY
    for hour in (-30, -29, -5, -4):
        for i in range(3):
            habitd.post("m", "buffers", buffer(i), time=midnight + hour * 3600000 + i * 1000)
    ask = lambda **query: habitd.json("/v1/machines/m/history", params=query)["points"]
    points = ask()
    assert [p["idle"] for p in points] == [3, 3, 3, 3] and all(p["phase"] == "new" for p in points)
    wait_until(lambda: sum(p["idle"] for p in ask()) == 12, "all")
    early = {"from": midnight - 48 * 3600000}
    assert [p["idle"] for p in ask(step="2h", **early)] == [6, 3, 3]
    assert [(p["from"][11:16], p["to"][11:16]) for p in ask(step="2h", **early)] == [
        ("18:00", "20:00"), ("18:00", "20:00"), ("20:00", "22:00")]
    assert [p["idle"] for p in ask(step="day")] == [6, 6]
    assert [p["from"][11:16] for p in ask(step="day")] == ["00:00", "00:00"]
    assert [p["idle"] for p in ask(**{"from": midnight - 5 * 3600000})] == [3, 3]
    assert [p["idle"] for p in ask(**{"from": midnight - 30 * 3600000, "to": midnight - 29 * 3600000})] == [3]
    assert points[0]["similarity_mean"] is None and points[0]["detected"] == 0
    habitd.restart()
    assert ask() == points


@pytest.mark.parametrize("query,field", [("step=90m", "step"), ("step=0", "step"), ("step=x", "step"), ("from=x", "from"),
                                         ("from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "from"), ("steps=1h", "steps")])
def test_history_refuses(habitd, query, field):
    habitd.put_machine("m", **SIZE)
    answer = habitd.get(f"/v1/machines/m/history?{query}")
    assert (answer.status_code, answer.json()["field"]) == (400, field)
    assert habitd.get("/v1/machines/nobody/history").status_code == 404


@pytest.mark.parametrize("time", ["24:00", "7:30", "12:60", "noon", "12:00:00", ""])
def test_report_time_is_checked(house, time):
    habitd = house.habitd(start=False, sections=f"[report]\ntime = {time}\n")
    done = subprocess.run([HABITD, "--config", habitd.conf, "--check-config"], capture_output=True, text=True)
    assert done.returncode == 2 and "time" in done.stderr and habitd.conf.name in done.stderr


def test_deleting_a_machine_takes_its_reports_along(house, broker, yesterdays):
    habitd = yesterdays.start().wait_connected()
    wait_until(lambda: stored(habitd, today(-1)), "reports")
    assert habitd.request("DELETE", "/v1/machines/a-1").status_code == 204
    with sqlite3.connect(habitd.store) as database:
        assert database.execute("SELECT count(*) FROM report WHERE machine NOT IN (SELECT id FROM machine)").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM hour WHERE machine NOT IN (SELECT id FROM machine)").fetchone() == (0,)
        assert database.execute("SELECT count(*) FROM report").fetchone() == (4,)
    wait_until(lambda: habitd.metrics().get("habit_outbox_waiting", 0) == 0, "the outbox is empty")
    listener = house.client(broker, subscribe=[f"{ROOT}/a-1/report/daily", f"{ROOT}/a-2/report/daily"])
    message = listener.messages.get(timeout=10)
    assert message.topic == f"{ROOT}/a-2/report/daily", "nothing is retained of the deleted one"
