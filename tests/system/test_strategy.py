"""The strategy that users order: README's own section over 48 hours, a pump that cycles, events of their own, and orders."""
import datetime
import json
import random
import re

import pytest

from support import JSON, REPOSITORY, ROOT, floats, habit, numbers, simulate, wait_until

MINUTE = datetime.timedelta(minutes=1)


def readme_section():
    """The section that README shows."""
    text = (REPOSITORY / "README.md").read_text().split("## A strategy, word for word")[1]
    block = re.search(r"((?:    .*\n)+)", text).group(1)
    return "\n".join(line.strip() for line in block.splitlines())


class Life:
    """A machine in simulated time: habitd's clock goes on by a minute with each buffer."""

    def __init__(self, house, machine, broker=None, **keys):
        self.clock, self.machine, self.verdicts = house.folder / "clock", machine, []
        self.day = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).replace(
            hour=0, minute=0, second=0, microsecond=0)  # begins at the next midnight
        self.clock.write_text("0".ljust(20))
        self.set_clock(0)
        self.habitd = house.habitd(broker, environment={"HABIT_TEST_CLOCK": str(self.clock)}, **keys)

    def set_clock(self, minute):
        ahead = self.day + minute * MINUTE + datetime.timedelta(seconds=1) - datetime.datetime.now(datetime.timezone.utc)
        with open(self.clock, "r+b") as file:  # in place: it is never empty
            file.write(str(int(ahead / datetime.timedelta(milliseconds=1))).ljust(20).encode())

    def date(self, day):
        return (self.day + datetime.timedelta(days=day)).strftime("%Y-%m-%d")

    def report(self, day):
        return self.habitd.json("/v1/reports/daily", params={"machine": self.machine, "date": self.date(day)})["reports"][0]

    def send(self, minute, data, **context):
        body = {"data": data}
        if context:
            body["context"] = context
        self.set_clock(minute)
        answer = self.habitd.request("POST", f"/v1/machines/{self.machine}/buffers", data=json.dumps(body), headers=JSON)
        assert answer.status_code == 200, answer.text
        verdict = answer.json()
        self.verdicts.append((minute, verdict))
        return verdict

    def statuses(self, start, end):
        return [verdict["status"] for minute, verdict in self.verdicts if start <= minute < end]

    def anomalies(self, start, end):
        return {verdict.get("anomaly") for minute, verdict in self.verdicts if start <= minute < end} - {None}


def louder(buffer, gain):
    return [round(value * gain, 4) for value in numbers(buffer)]


HOUR = 60
HOT = (30 * HOUR, 31 * HOUR + 30)   # of the second day: from 06:00 on, healthy
ILL = (36 * HOUR, 38 * HOUR)
HOT_AND_ILL = (42 * HOUR, 44 * HOUR)  # a fault an hour before it becomes hot


def is_faulty(minute):
    return ILL[0] <= minute < ILL[1] or HOT_AND_ILL[0] - HOUR <= minute < HOT_AND_ILL[1]


def is_hot(minute):
    return HOT[0] <= minute < HOT[1] or HOT_AND_ILL[0] <= minute < HOT_AND_ILL[1]


def test_the_seeds_strategy_over_48_hours(house, broker, tmp_path):
    client = house.client(broker, subscribe=[f"{ROOT}/#"])
    life = Life(house, "pump-7", broker, sections=readme_section())
    nominal = [louder(b, 1) for b in simulate(tmp_path, 2880, 256, 3, seed=7)]
    faulty = [louder(b, 1) for b in simulate(tmp_path, 300, 256, 3, seed=7, fault="bearing")]
    for minute in range(2880):
        data = faulty[minute % 300] if is_faulty(minute) else nominal[minute]
        life.send(minute, data, temperature=65 if is_hot(minute) else 45)
    check_phases(life)
    check_rule(life, life.habitd)
    check_alarms(life, client)
    check_reports(life, client)


def check_phases(life):
    assert life.statuses(0, 24 * HOUR) == ["learned"] * 24 * HOUR
    quiet = life.statuses(24 * HOUR + 2, 30 * HOUR)  # a day has passed with the first or second buffer of the next
    assert quiet.count("ok") == pytest.approx(60, abs=1)  # ten an hour, for six hours
    assert quiet.count("ok") + quiet.count("idle") == len(quiet)


def check_rule(life, habitd):
    waiting, hot = life.statuses(HOT[0], HOT[0] + 10), life.statuses(*HOT)
    assert "learned" not in waiting
    assert hot.count("learned") == 50
    assert "learned" not in life.statuses(HOT[1], 48 * HOUR), "it was ill when it became hot the second time"
    assert 24 * HOUR + 50 <= habitd.learned("pump-7") <= 24 * HOUR + 2 + 50
    assert habitd.machine("pump-7")["rules"][0]["drift"] <= 1


def check_alarms(life, client):
    assert life.anomalies(0, ILL[0]) == set(), "a healthy machine, also while it became hot"
    first, second = life.anomalies(*ILL), life.anomalies(*HOT_AND_ILL)
    assert len(first) == 1 and len(second) == 1 and first != second
    assert life.anomalies(ILL[0] + 66, ILL[1]) == first, "ten judgements, six minutes apart"
    assert life.anomalies(47 * HOUR, 48 * HOUR) == set()
    wait_until(lambda: len([e for e in client.documents(f"{ROOT}/pump-7/anomaly") if e["event"] == "cleared"]) == 2, "cleared")


def check_reports(life, client):
    life.set_clock(49 * HOUR)  # the second day is over
    topic = f"{ROOT}/pump-7/report/daily"
    wait_until(lambda: {r["date"] for r in client.documents(topic)} >= {life.date(0), life.date(1)}, "both daily reports")
    one, two = life.report(0), life.report(1)
    assert (one["date"], two["date"]) == (life.date(0), life.date(1)) and one["machine"] == two["machine"] == "pump-7"
    assert (one["learned"], one["detected"], one["anomalies"], one["anomalies_per_hour"]) == (24 * HOUR, 0, 0, 0)
    assert 50 <= two["learned"] <= 52 and two["anomalies"] == 2
    assert two["anomalies_per_hour"] == pytest.approx(2 / 24, rel=1e-3)
    assert two["detected"] == pytest.approx(240 - 50 / 6, abs=2)  # fifty minutes were learned instead
    assert [len(r["by_hour"]) for r in (one, two)] == [24, 24]


# ---------------------------------------------------------------------------------------------------------- run_when

class Pump:
    """Noise with a tone; nearly nothing while it stands; another start within a buffer."""

    def __init__(self, seed):
        self.chance = random.Random(seed)

    def buffer(self, level, fault=0.0):
        noise = self.chance.gauss
        return [round(level * ((i % 8 < 4) * 1.0 + noise(0, 0.4) + fault * (i % 3) * noise(0, 1)), 5) for i in range(64)]


CYCLE = 48  # minutes: thirty a day; half of it running


def drive_pump(life, pump, minutes, fault=0.0):
    for minute in minutes:
        phase = minute % CYCLE
        runs = phase >= CYCLE // 2
        life.send(minute, pump.buffer(0.4 if phase == CYCLE // 2 else 1.0 if runs else 0.01, fault if runs else 0.0))


def test_a_pump_that_cycles_for_seven_days(house):
    life = Life(house, "pump-1")
    week = 7 * 24 * HOUR
    life.habitd.put_machine("pump-1", buffer_size=64, axes=1, start="auto", run_when="level auto", settle="2m", learn=300)
    drive_pump(life, Pump(1), range(week))
    assert life.anomalies(0, week) == set()
    statuses = life.statuses(0, week)
    assert life.habitd.learned("pump-1") == 300
    assert statuses.count("learned") <= 300 + CYCLE  # the standing of the first minutes was forgotten
    assert statuses.count("idle") == pytest.approx(week / 2, rel=0.12)
    report = life.report(3)
    assert report["starts"] == 30
    assert report["running_s"] == pytest.approx(12 * 3600, rel=0.1)
    drive_pump(life, Pump(2), range(week, week + 5 * CYCLE), fault=1.0)
    assert len(life.anomalies(week, week + 5 * CYCLE)) == 1, "a fault while it runs is raised"


# ------------------------------------------------------------------------------------------------------------ events

def events(client, machine):
    return [(e["event"], e["state"]) for e in client.documents(f"{ROOT}/{machine}/event")]


def test_silence_and_a_dead_sensor_are_events_of_their_own(house, broker, tmp_path):
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=[f"{ROOT}/#"])
    buffers = simulate(tmp_path, 120, 64, 2)
    habitd.put_machine("m", buffer_size=64, axes=2, start="auto", learn=100, silent_after="2s")
    habitd.post_all("m", "buffers", buffers)
    dead = [floats([0.5 if i % 2 else v for i, v in enumerate(numbers(b))]) for b in buffers[:6]]
    habitd.post_all("m", "buffers", dead)
    wait_until(lambda: ("dead_sensor", "began") in events(client, "m"), "the dead sensor")
    wait_until(lambda: ("silent", "began") in events(client, "m"), "silence")
    assert "silent" in habitd.machine("m")["troubles"]
    habitd.restart()
    habitd.post_all("m", "buffers", buffers[:3])
    wait_until(lambda: ("silent", "ended") in events(client, "m") and ("dead_sensor", "ended") in events(client, "m"), "the end")
    assert len(events(client, "m")) == 4, events(client, "m")


# ----------------------------------------------------------------------------------------------------- commissioning

def test_commissioning_leaves_no_byte_of_before(habitd, tmp_path):
    """Buffers from before, however many, are not in the knowledge; and progress is told in words."""
    before, after = simulate(tmp_path, 50, fault="looseness"), simulate(tmp_path, 70, seed=2)
    for machine, buffers in (("pump-1", before), ("pump-2", [])):
        habitd.put_machine(machine, buffer_size=64, axes=1, learn="24h")
        habitd.post_all(machine, "buffers", buffers)
    done = habit("commission", "pump-*", url=habitd.url)
    assert done.stdout.count("learning") == 2
    for machine in ("pump-1", "pump-2"):
        habitd.post_all(machine, "buffers", after)
    assert habitd.knowledge("pump-1") == habitd.knowledge("pump-2")
    progress = habitd.machine("pump-1")["progress"]
    assert re.fullmatch(r"\d+ m?s of 24 h, \w.*", progress), progress
    assert progress.split(" of ")[1] in habit("machines", url=habitd.url).stdout


# ------------------------------------------------------------------------------------------------------------ orders

def test_what_an_order_means_is_said(habitd, tmp_path):
    habitd.put_machine("m", buffer_size=64, axes=1, start="auto", learn=60, detect_every="1m")
    habitd.post_all("m", "buffers", simulate(tmp_path, 60))
    alarm = habitd.machine("m")["alarm"]
    assert alarm["ordered"] and alarm["kept"] and alarm["extrapolated"]
    assert alarm["within_s"] == 60 * alarm["buffers"] and alarm["buffers"] > 10
    assert "129600" in alarm["words"] and "60 were learned" in alarm["words"]
    assert alarm["words"] in habitd.log()
    assert not habitd.patch("m", false_alarms="off")["alarm"]["ordered"]


def test_learning_is_bound_by_the_drift_budget(habitd, tmp_path):
    """Once watched, a machine may be taught more, but not another habit."""
    nominal, other = simulate(tmp_path, 100), simulate(tmp_path, 100, seed=9, fault="looseness")
    habitd.put_machine("m", buffer_size=64, axes=1, start="auto", learn=60)
    habitd.post_all("m", "buffers", nominal[:60])
    assert all(v["status"] == "learned" for v in habitd.post_all("m", "learn", nominal[60:]))
    answers = [habitd.request("POST", "/v1/machines/m/learn", data=b, headers={"Content-Type": "application/octet-stream"})
               for b in other]
    refused = [a for a in answers if a.status_code == 409]
    assert refused and refused[0].json()["type"].endswith(":drift") and "drift_budget" in refused[0].json()["detail"]
    assert habitd.machine("m")["drift"] <= 1
    assert habitd.learned("m") == 100 + len(answers) - len(refused)


@pytest.mark.parametrize("body,field", [({"rule": "temperature > 60 for 10m : learn 0"}, "rule"), ({"settle": -1}, "settle"),
                                        ({"false_alarms": "none"}, "false_alarms"), ({"run_when": "level >= 3"}, "run_when"),
                                        ({"run_when": "context.a > 5", "rule": "a < 2 : learn 5"}, "rule"),
                                        ({"threshold": 95}, "clear"), ({"drift_budget": 0}, "drift_budget"),
                                        ({"context_ttl": "0"}, "context_ttl")])
def test_impossible_settings_are_refused(habitd, body, field):
    habitd.put_machine("m", buffer_size=64, axes=1)
    before = habitd.machine("m")["settings"]
    answer = habitd.request("PATCH", "/v1/machines/m", json=body)
    assert answer.status_code == 422 and answer.json()["field"] == field, answer.text
    assert habitd.machine("m")["settings"] == before
