"""What people do about anomalies, on the real habitd, with restarts and SIGKILL between: accept and take back, maintenance,
snapshots, relearning, one story for the machines of an asset."""
import random
import sqlite3
import threading
import time

import pytest
import requests

from support import RAW, REPOSITORY, ROOT, habit, numbers, simulate, split, wait_until

SIZE = {"buffer_size": 64, "axes": 1}
QUICK = {**SIZE, "start": "auto", "learn": 60, "window": 5, "false_alarms": "off"}


@pytest.fixture
def healthy(tmp_path):
    return simulate(tmp_path, 150)


@pytest.fixture
def faulty(tmp_path):
    return simulate(tmp_path, 60, fault="looseness")


def batch(habitd, machine, verb, buffers, **parameters):
    answer = habitd.request("POST", f"/v1/machines/{machine}/{verb}", data=b"".join(buffers), headers=RAW, params=parameters)
    assert answer.status_code == 200, answer.text
    return answer.json()["verdicts"]


def watch(habitd, machine, healthy, **settings):
    """A machine that has learned, and has judged some healthy buffers."""
    habitd.put_machine(machine, **{**QUICK, **settings})
    batch(habitd, machine, "learn", healthy[:60])
    assert habitd.machine(machine)["phase"] == "watching"
    assert all(v["status"] == "ok" for v in batch(habitd, machine, "buffers", healthy[60:70]))


def raise_anomaly(habitd, machine, faulty):
    """Its id."""
    for buffer in faulty[:20]:
        verdict = habitd.post(machine, "buffers", buffer)
        if verdict["anomaly"]:
            return verdict["anomaly"]
    raise AssertionError("nothing was raised")


def call(habitd, method, path, status, **more):
    answer = habitd.request(method, path, **more)
    assert answer.status_code == status, (answer.status_code, answer.text)
    return answer.json() if answer.content and answer.headers["Content-Type"].endswith("json") else answer


def snapshots(habitd, machine):
    return habitd.json(f"/v1/machines/{machine}/snapshots")["snapshots"]


def reasons(habitd, machine):
    """Newest first; daily ones come with a restart, too."""
    return [s["reason"] for s in snapshots(habitd, machine) if s["reason"] != "daily"]


# ---------------------------------------------------------------------------------------------------------- episodes

def test_an_anomaly_keeps_what_raised_it(habitd, healthy, faulty):
    watch(habitd, "m", healthy)
    call(habitd, "PUT", "/v1/machines/m/context", 204, json={"temperature": 61.5, "speed": 1480})
    crc = habitd.machine("m")["knowledge"]["crc"]
    number = raise_anomaly(habitd, "m", faulty)
    habitd.crash()
    anomaly = habitd.json(f"/v1/anomalies/{number}")
    assert anomaly["context"] == {"temperature": 61.5, "speed": 1480}
    assert anomaly["knowledge"] == crc and anomaly["explanation"] and anomaly["open"] and anomaly["duration_s"] is None
    kept = habitd.get(f"/v1/anomalies/{number}/buffers")
    buffers = split(kept.content, 64 * 4)
    assert 1 <= anomaly["evidence"] == len(buffers) <= 5
    span = max(map(abs, numbers(b"".join(faulty[:20]))))
    for buffer in buffers:  # each is one of the faulty ones, as exact as 16 bits are
        nearest = min(max(abs(a - b) for a, b in zip(numbers(buffer), numbers(sent))) for sent in faulty[:20])
        assert nearest <= span / 32767
    assert all(v["similarity"] < 90 for v in batch(habitd, "m", "detect", buffers, dry_run=1))
    for buffer in healthy[70:100]:
        habitd.post("m", "buffers", buffer)
    anomaly = habitd.json(f"/v1/anomalies/{number}")
    assert anomaly["event"] == "cleared" and anomaly["duration_s"] > 0 and anomaly["buffers"] >= 2


def test_evidence_is_bounded(habitd, healthy, faulty):
    watch(habitd, "m", healthy, window=20)
    ids = []
    for _ in range(9):
        ids.append(raise_anomaly(habitd, "m", 2 * faulty))
        habitd.post_all("m", "buffers", healthy[70:100])
        assert habitd.machine("m")["anomaly"] is None
    counts = [habitd.json(f"/v1/anomalies/{i}")["evidence"] for i in ids]
    assert counts[0] == 0 and all(1 <= c <= 16 for c in counts[1:])
    call(habitd, "GET", f"/v1/anomalies/{ids[0]}/buffers", 404)
    assert call(habitd, "POST", f"/v1/anomalies/{ids[0]}/accept", 409)["type"].endswith(":state")
    with sqlite3.connect(habitd.store) as database:
        assert database.execute("SELECT count(DISTINCT anomaly) FROM evidence").fetchone() == (8,)


def test_machines_of_one_asset_are_one_episode(habitd, healthy, faulty):
    for machine, asset in (("a-1", "pump"), ("a-2", "pump"), ("b", ""), ("c", "fan")):
        watch(habitd, machine, healthy, asset=asset)
        raise_anomaly(habitd, machine, faulty)
    habitd.post_all("a-1", "buffers", healthy[70:100])
    raise_anomaly(habitd, "a-1", faulty)  # again, while a-2 is open
    habitd.restart()
    episodes = {e["machines"][0]: e for e in habitd.json("/v1/episodes")["episodes"]}
    assert set(episodes) == {"a-1", "b", "c"}
    pump = episodes["a-1"]
    assert (pump["asset"], pump["machines"], pump["open"], len(pump["anomalies"])) == ("pump", ["a-1", "a-2"], True, 3)
    assert pump["similarity"] == min(a["similarity"] for a in pump["anomalies"])
    assert pump["from"] == min(a["raised"] for a in pump["anomalies"]) and pump["to"] is None
    assert (episodes["b"]["asset"], len(episodes["b"]["anomalies"])) == (None, 1)
    assert [e["asset"] for e in habitd.json("/v1/episodes", params={"asset": "fan"})["episodes"]] == ["fan"]
    assert habitd.json("/v1/episodes", params={"from": "2001-01-01T00:00:00Z", "to": "2001-01-02T00:00:00Z"})["episodes"] == []


# ------------------------------------------------------------------------------------------------------------- accept

def test_accept_teaches_clears_and_can_be_taken_back(house, broker, healthy, faulty):
    habitd = house.habitd(broker)
    listener = house.client(broker, subscribe=[f"{ROOT}/m/anomaly"])
    watch(habitd, "m", healthy)
    number = raise_anomaly(habitd, "m", faulty)
    before = habitd.knowledge("m")
    strange = sum(v["similarity"] < 90 for v in batch(habitd, "m", "detect", faulty[30:], dry_run=1))
    assert strange == 30
    accepted = call(habitd, "POST", f"/v1/anomalies/{number}/accept", 200)
    assert accepted["event"] == "accepted" and not accepted["open"] and accepted["undo"]
    assert accepted["accepted"]["buffers"] == accepted["evidence"] and not accepted["accepted"]["still_strange"]
    habitd.crash()
    assert habitd.machine("m")["anomaly"] is None and habitd.knowledge("m") != before
    assert habitd.json(f"/v1/anomalies/{number}")["event"] == "accepted"
    assert sum(v["similarity"] < 90 for v in batch(habitd, "m", "detect", faulty[30:], dry_run=1)) < 6
    verdicts = habitd.post_all("m", "buffers", faulty[30:])
    assert all(v["anomaly"] is None for v in verdicts), "what was accepted raises nothing"
    listener.wait_document(f"{ROOT}/m/anomaly", lambda d: d["event"] == "accepted" and d["id"] == number, "accepted")
    assert call(habitd, "POST", f"/v1/anomalies/{number}/accept", 409)["type"].endswith(":state")

    call(habitd, "POST", f"/v1/machines/m/snapshots/{accepted['undo']}/restore", 200)
    habitd.crash()
    assert habitd.knowledge("m") == before, "to the byte"
    again = habitd.json(f"/v1/anomalies/{number}")
    assert (again["event"], again["undo"]) == ("cleared", None)
    assert reasons(habitd, "m")[:2] == ["before restore", "before accept"]
    assert raise_anomaly(habitd, "m", faulty[30:]) > number
    assert call(habitd, "POST", f"/v1/anomalies/{number}/accept", 200)["event"] == "accepted", "also one that is over"


def test_accept_refuses(habitd, healthy, faulty):
    assert call(habitd, "POST", "/v1/anomalies/77/accept", 404)["type"].endswith(":not-found")
    call(habitd, "POST", "/v1/anomalies/x/accept", 404)
    call(habitd, "POST", "/v1/anomalies/0/accept", 404)
    watch(habitd, "m", healthy)
    number = raise_anomaly(habitd, "m", faulty)
    call(habitd, "POST", f"/v1/anomalies/{number}/accept", 400, json={"why": "so"})
    habitd.act("m", "initialize")
    habitd.put_machine("m", **{**QUICK, "buffer_size": 32})
    assert call(habitd, "POST", f"/v1/anomalies/{number}/accept", 409)["type"].endswith(":geometry")
    assert habitd.learned("m") == 0


# -------------------------------------------------------------------------------------------------------- maintenance

def mute(habitd, machine, status=200, **body):
    return call(habitd, "PUT", f"/v1/machines/{machine}/mute", status,
                json={"for": "1h", "who": "Ana", "why": "new bearing", **body})


def test_muted_machines_raise_nothing(habitd, healthy, faulty):
    watch(habitd, "m", healthy)
    page = mute(habitd, "m")
    assert (page["mute"]["who"], page["mute"]["why"], page["mute"]["then"]) == ("Ana", "new bearing", "keep")
    learned = habitd.learned("m")
    verdicts = habitd.post_all("m", "buffers", faulty[:20])
    assert all(v["status"] == "idle" and "muted" in v["note"] for v in verdicts)
    habitd.crash()
    assert habitd.machine("m")["mute"]["who"] == "Ana"
    assert all(v["similarity"] < 90 and v["anomaly"] is None for v in habitd.post_all("m", "detect", faulty[20:40]))
    assert habitd.anomalies() == [] and habitd.learned("m") == learned
    longer = mute(habitd, "m", **{"for": 7200})
    assert longer["mute"]["since"] == page["mute"]["since"] and longer["mute"]["until"] > page["mute"]["until"]
    assert call(habitd, "DELETE", "/v1/machines/m/mute", 200)["mute"] is None
    assert all(v["anomaly"] is None for v in habitd.post_all("m", "buffers", healthy[70:90])), "nothing is left of it"
    assert raise_anomaly(habitd, "m", faulty)
    call(habitd, "DELETE", "/v1/machines/m/mute", 404)


@pytest.mark.parametrize("then,phase,learned,reason", [
    ("keep", "watching", 60, None), ("enrich", "learning", 60, "before enrich"), ("relearn", "learning", 0, "before initialize")])
def test_the_end_of_maintenance(habitd, healthy, then, phase, learned, reason):
    watch(habitd, "m", healthy)
    before = habitd.knowledge("m")
    mute(habitd, "m", **{"for": 1, "then": then})
    if then != "keep":
        habitd.kill()
        time.sleep(1.2)  # it ends while habitd is away
        habitd.start()
    wait_until(lambda: habitd.machine("m")["mute"] is None, "the end")
    page = habitd.machine("m")
    assert (page["phase"], page["learned"]) == (phase, learned)
    wait_until(lambda: reasons(habitd, "m")[0] == (reason or "first readiness"), "what is shown is committed")
    if reason:
        newest = next(s["id"] for s in snapshots(habitd, "m") if s["reason"] == reason)
        assert habitd.get(f"/v1/machines/m/snapshots/{newest}").content == before
    habitd.crash()
    assert (habitd.machine("m")["phase"], habitd.machine("m")["mute"]) == (phase, None)


@pytest.mark.parametrize("body,field", [
    ({"for": "0"}, "for"), ({"for": "91d"}, "for"), ({"for": -5}, "for"), ({"for": "soon"}, "for"), ({"for": None}, "for"),
    ({"until": "2001-01-01T00:00:00Z"}, "until"), ({"who": ""}, "who"), ({"who": 7}, "who"), ({"why": "x" * 128}, "why"),
    ({"then": "forget"}, "then"), ({"whom": "x"}, "whom")])
def test_mute_refuses(shared_habitd, body, field):
    shared_habitd.put_machine("r", **SIZE)
    if "until" in body:
        body = {**body, "for": None}
        answer = call(shared_habitd, "PUT", "/v1/machines/r/mute", 422, json={"until": body["until"], "who": "a", "why": "b"})
    else:
        answer = mute(shared_habitd, "r", 422, **body)
    assert answer["field"] == field
    assert shared_habitd.machine("r")["mute"] is None
    assert mute(shared_habitd, "nobody", 404)["type"].endswith(":no-machine")


# ---------------------------------------------------------------------------------------------------------- snapshots

def test_snapshots_come_by_themselves_and_on_request(habitd, healthy):
    watch(habitd, "m", healthy)
    assert reasons(habitd, "m") == ["first readiness"]
    ready = habitd.knowledge("m")
    batch(habitd, "m", "learn", healthy[70:80])  # of a watched machine
    batch(habitd, "m", "learn", healthy[80:90])
    assert reasons(habitd, "m") == ["before enrich", "first readiness"], "of many in a row one"
    taken = call(habitd, "POST", "/v1/machines/m/snapshots", 201, json={"note": "before the holidays"})
    assert (taken["note"], taken["learned"], taken["reason"]) == ("before the holidays", 80, "on request")
    habitd.crash()
    first, enrich = [next(s for s in snapshots(habitd, "m") if s["reason"] == r) for r in ("first readiness", "before enrich")]
    for snapshot in (first, enrich):
        answer = habitd.get(f"/v1/machines/m/snapshots/{snapshot['id']}")
        assert answer.content == ready and answer.headers["ETag"] == f'"{snapshot["crc"]}"'
    call(habitd, "POST", f"/v1/machines/m/snapshots/{first['id']}/restore", 200)
    assert habitd.knowledge("m") == ready and reasons(habitd, "m")[0] == "before restore"
    habitd.act("m", "initialize")
    assert habitd.learned("m") == 0 and reasons(habitd, "m")[0] == "before initialize"
    habitd.crash()
    call(habitd, "POST", f"/v1/machines/m/snapshots/{first['id']}/restore", 200)
    assert habitd.knowledge("m") == ready and habitd.machine("m")["phase"] == "watching"


def test_uploaded_snapshots_wait(habitd, healthy):
    watch(habitd, "m", healthy)
    watch(habitd, "other", healthy[10:])
    mine, block = habitd.knowledge("m"), habitd.knowledge("other")
    added = call(habitd, "POST", "/v1/machines/m/snapshots", 201, data=block, headers=RAW, params={"note": "of the sister"})
    assert (added["reason"], added["note"], added["bytes"]) == ("uploaded", "of the sister", len(block))
    assert habitd.knowledge("m") == mine
    call(habitd, "POST", f"/v1/machines/m/snapshots/{added['id']}/restore", 200)
    assert habitd.knowledge("m") == block
    call(habitd, "POST", "/v1/machines/m/snapshots", 422, data=block[:-4], headers=RAW)
    call(habitd, "POST", "/v1/machines/m/snapshots", 422, json={"notes": 1})
    call(habitd, "POST", "/v1/machines/m/snapshots", 415, data="x", headers={"Content-Type": "text/plain"})
    habitd.put_machine("small", buffer_size=32, axes=1)
    call(habitd, "POST", "/v1/machines/small/snapshots", 409, data=block, headers=RAW)
    call(habitd, "POST", f"/v1/machines/small/snapshots/{added['id']}/restore", 404)
    call(habitd, "GET", f"/v1/machines/other/snapshots/{added['id']}", 404)
    call(habitd, "GET", "/v1/machines/nobody/snapshots", 404)


def test_snapshots_are_bounded_and_the_first_stays(habitd, healthy):
    watch(habitd, "m", healthy)
    first = snapshots(habitd, "m")[0]["id"]
    for _ in range(20):
        last = call(habitd, "POST", "/v1/machines/m/snapshots", 201)["id"]
    found = [s["id"] for s in snapshots(habitd, "m")]
    assert len(found) == 17 and found[0] == last and found[-1] == first


def test_daily_snapshots(habitd, healthy):
    watch(habitd, "m", healthy)
    habitd.put_machine("idle", **SIZE)
    habitd.terminate()
    day = 24 * 3600 * 1000
    with sqlite3.connect(habitd.store) as database:  # as if the day before yesterday was the last one
        database.execute("UPDATE snapshot SET taken = taken - ?", (2 * day,))
        database.execute("DELETE FROM snapshot WHERE reason = 'daily'")
    habitd.start()
    wait_until(lambda: habitd.machine("m"), "it runs")
    time.sleep(1.5)
    assert len(snapshots(habitd, "m")) == 1, "nothing was learned since"
    habitd.terminate()
    with sqlite3.connect(habitd.store) as database:
        database.execute("UPDATE snapshot SET bytes = substr(bytes, 1, 100)")  # it changed since
    habitd.start()
    every = lambda machine: [s["reason"] for s in snapshots(habitd, machine)]
    wait_until(lambda: every("m") == ["daily", "first readiness"], "the daily one")
    habitd.restart()
    time.sleep(1.5)
    assert every("m") == ["daily", "first readiness"] and every("idle") == []
    assert snapshots(habitd, "m")[1]["crc"] is None, "what is damaged says so"
    damaged = snapshots(habitd, "m")[1]["id"]
    call(habitd, "POST", f"/v1/machines/m/snapshots/{damaged}/restore", 422)
    assert habitd.learned("m") == 60


# --------------------------------------------------------------------------------------------------------- relearning

def test_relearn_compare_switch_and_go_back(habitd, healthy, faulty):
    watch(habitd, "m", healthy)
    number = raise_anomaly(habitd, "m", faulty)
    habitd.post_all("m", "buffers", healthy[70:100])
    before = habitd.knowledge("m")
    call(habitd, "GET", "/v1/machines/m/relearn", 404)
    call(habitd, "POST", "/v1/machines/m/relearn/switch", 404)
    made = call(habitd, "POST", "/v1/machines/m/relearn", 200)
    assert (made["buffers"], made["accepted"], made["judged"]) == (60, 0, 0)
    assert made["relearned"]["learned"] == made["in_force"]["learned"] == 60
    assert made["anomaly_buffers"] == made["in_force"]["anomalies_found"] == made["relearned"]["anomalies_found"] > 0
    assert habitd.knowledge("m") == before, "nothing is in force yet"
    habitd.crash()
    assert habitd.machine("m")["relearned"]
    habitd.post_all("m", "buffers", healthy[100:140] + faulty[:5])
    compared = habitd.json("/v1/machines/m/relearn")
    assert compared["judged"] == 45 and 5 <= compared["strange_to_both"] <= compared["relearned"]["strange"] <= 8
    assert abs(compared["relearned"]["distance"] / compared["in_force"]["distance"] - 1) < 0.1
    call(habitd, "POST", "/v1/machines/m/relearn/switch", 200)
    habitd.crash()
    assert not habitd.machine("m")["relearned"] and habitd.machine("m")["phase"] == "watching"
    assert habitd.machine("m")["knowledge"]["crc"] == made["relearned"]["crc"]
    back = next(s for s in snapshots(habitd, "m") if s["reason"] == "before relearn")
    call(habitd, "POST", f"/v1/machines/m/snapshots/{back['id']}/restore", 200)
    assert habitd.knowledge("m") == before
    assert call(habitd, "POST", f"/v1/anomalies/{number}/accept", 200)["event"] == "accepted"
    again = call(habitd, "POST", "/v1/machines/m/relearn", 200)
    assert (again["buffers"], again["accepted"]) == (60, again["accepted"]) and again["accepted"] > 0
    call(habitd, "POST", "/v1/machines/m/relearn/switch", 200)
    assert sum(v["similarity"] < 90 for v in batch(habitd, "m", "detect", faulty[30:], dry_run=1)) < 6, "still accepted"
    call(habitd, "POST", "/v1/machines/m/relearn", 200)
    call(habitd, "DELETE", "/v1/machines/m/relearn", 204)
    habitd.crash()
    call(habitd, "GET", "/v1/machines/m/relearn", 404)


def test_relearning_with_other_memory(habitd, healthy):
    watch(habitd, "m", healthy)
    habitd.terminate()
    habitd.conf.write_text(habitd.conf.read_text() + '[machine "m"]\nprofile = large\n')
    habitd.start()
    assert habitd.machine("m")["conflict"]
    assert call(habitd, "POST", "/v1/machines/m/relearn", 200)["buffers"] == 60
    call(habitd, "POST", "/v1/machines/m/relearn/switch", 200)
    habitd.crash()
    page = habitd.machine("m")
    assert page["conflict"] is None and page["learned"] == 60 and page["phase"] == "watching"


def test_relearning_needs_the_buffers_of_the_knowledge(habitd, healthy):
    watch(habitd, "m", healthy)
    first = snapshots(habitd, "m")[0]["id"]
    habitd.act("m", "initialize")
    batch(habitd, "m", "learn", healthy[80:140])
    call(habitd, "POST", f"/v1/machines/m/snapshots/{first}/restore", 200)
    habitd.crash()
    refused = call(habitd, "POST", "/v1/machines/m/relearn", 409)
    assert refused["type"].endswith(":state") and "0 buffers" in refused["detail"]
    with sqlite3.connect(habitd.store) as database:
        assert database.execute("SELECT count(*) FROM commissioning").fetchone() == (0,)


def test_initialize_ends_what_the_knowledge_was_of(habitd, healthy, faulty):
    watch(habitd, "m", healthy)
    number = raise_anomaly(habitd, "m", faulty)
    call(habitd, "POST", f"/v1/anomalies/{number}/accept", 200)
    assert call(habitd, "POST", "/v1/machines/m/relearn", 200)["accepted"] > 0
    habitd.act("m", "initialize")
    assert habitd.machine("m")["relearned"] is False
    batch(habitd, "m", "learn", healthy[60:120])
    habitd.crash()
    made = call(habitd, "POST", "/v1/machines/m/relearn", 200)
    assert (made["buffers"], made["accepted"]) == (60, 0), "what was accepted of the old knowledge is not of this one"
    assert habitd.json(f"/v1/anomalies/{number}")["evidence"] == 0


# ------------------------------------------------------------------------------------------------------- habit, the tool

def tool(habitd, *words, check=True):
    return habit(*words, url=habitd.url, check=check)


def test_the_tool_accepts_and_takes_back(habitd, tmp_path, healthy, faulty):
    watch(habitd, "fan-1", healthy, asset="hall 3")
    before = habitd.knowledge("fan-1")
    number = raise_anomaly(habitd, "fan-1", faulty)
    assert "hall 3" in tool(habitd, "episodes").stdout and "fan-1" in tool(habitd, "episodes").stdout
    said = tool(habitd, "accept", number).stdout
    assert said.startswith(f"{number}: fan-1 has accepted ")
    words = said.split("; habit ")[1].split(" takes")[0].split()
    assert tool(habitd, *words).stdout == "fan-1: restored\n"
    assert habitd.knowledge("fan-1") == before
    again = tool(habitd, "accept", number, 999, check=False)
    assert again.returncode == 1 and again.stdout.startswith(f"{number}: ") and "no anomaly 999" in again.stderr
    assert tool(habitd, "accept", "x", check=False).returncode == 2

    listed = tool(habitd, "snapshots", "fan-1").stdout
    assert "before restore" in listed and "first readiness" in listed
    assert tool(habitd, "snapshots", "fan-1", "--take", "--note", "ä good state").stdout.startswith("fan-1: snapshot ")
    taken = snapshots(habitd, "fan-1")[0]
    assert (taken["note"], taken["reason"]) == ("ä good state", "on request")
    file = tmp_path / "block"
    tool(habitd, "snapshots", "fan-1", "--download", taken["id"], "--output", file)
    assert file.read_bytes() == habitd.knowledge("fan-1")
    tool(habitd, "snapshots", "fan-1", "--upload", file, "--note", "from & to file")
    assert snapshots(habitd, "fan-1")[0]["note"] == "from & to file"
    missing = tool(habitd, "snapshots", "fan-1", "--download", 9999, "--output", tmp_path / "none", check=False)
    assert missing.returncode == 1 and not (tmp_path / "none").exists()
    for words in (["--take", "--restore", "1"], ["--download", "1"], ["--note", "x"], ["--restore", "0"]):
        assert tool(habitd, "snapshots", "fan-1", *words, check=False).returncode == 2


@pytest.mark.parametrize("then,words,learned", [("keep", "goes on with what it knows", 60), ("relearn", "is forgotten", 0)])
def test_the_tool_says_what_unmute_does(habitd, healthy, then, words, learned):
    watch(habitd, "m", healthy)
    tool(habitd, "mute", "m", "--for", "2h", "--why", "x", "--who", "y", "--then", then)
    assert words in tool(habitd, "unmute", "m").stdout and habitd.machine("m")["learned"] == learned


def test_the_tool_mutes_and_relearns(habitd, healthy):
    for machine in ("fan-1", "fan-2", "pump-1"):
        watch(habitd, machine, healthy)
    done = tool(habitd, "mute", "fan-*", "--for", "2h", "--why", "new belts", "--who", "Ana", "--then", "enrich").stdout
    assert done == "fan-1: muted; at the end it learns on\nfan-2: muted; at the end it learns on\n"
    assert habitd.machine("fan-2")["mute"]["then"] == "enrich" and habitd.machine("pump-1")["mute"] is None
    ended = tool(habitd, "unmute", "*", check=False)
    assert ended.returncode == 1 and ended.stdout.startswith("fan-1: not muted any more: it learns on\n"), "one was not muted"
    assert habitd.machine("fan-1")["mute"] is None and habitd.machine("fan-1")["phase"] == "learning"
    assert "at most 90 days" in tool(habitd, "mute", "*", "--for", "91d", "--why", "x", "--who", "y", check=False).stderr
    made = tool(habitd, "relearn", "fan-*").stdout.splitlines()
    assert made[0].split()[:3] == ["machine", "buffers", "learned"] and len(set(made[0].split())) == len(made[0].split())
    assert [l.split()[0] for l in made[1:]] == ["fan-1", "fan-2"]
    assert tool(habitd, "relearn", "fan-1", "--show").stdout.splitlines()[1].split()[1] == "60"
    assert tool(habitd, "relearn", "fan-1", "--switch").stdout == "fan-1: relearned knowledge is in force\n"
    assert tool(habitd, "relearn", "fan-2", "--drop").stdout == "fan-2: relearned knowledge is forgotten\n"
    assert tool(habitd, "relearn", "fan-1", "--show", check=False).returncode == 1


# --------------------------------------------------------------------------------------------------------------- kill -9

def state_of(habitd, number):
    """What accept changes, all of which must agree."""
    anomaly = habitd.json(f"/v1/anomalies/{number}")
    return anomaly, {s["id"]: s for s in snapshots(habitd, "m")}, habitd.machine("m")


@pytest.mark.parametrize("seed", range(4))
def test_sigkill_during_accept_leaves_all_or_nothing(habitd, healthy, faulty, seed):
    watch(habitd, "m", healthy)
    number = raise_anomaly(habitd, "m", faulty)
    before = habitd.machine("m")["knowledge"]["crc"]
    chance = random.Random(seed)
    done = {True: 0, False: 0}
    for _ in range(6):
        thread = threading.Thread(target=lambda: quietly(habitd, f"/v1/anomalies/{number}/accept"))
        thread.start()
        time.sleep(chance.uniform(0, 0.012))
        habitd.crash()
        thread.join()
        anomaly, kept, page = state_of(habitd, number)
        accepted = anomaly["event"] == "accepted"
        done[accepted] += 1
        assert accepted == (page["knowledge"]["crc"] != before), (anomaly, page)
        assert accepted == (page["anomaly"] is None) or anomaly["event"] == "cleared"
        if accepted:
            assert kept[anomaly["undo"]]["crc"] == before and kept[anomaly["undo"]]["reason"] == "before accept"
            call(habitd, "POST", f"/v1/machines/m/snapshots/{anomaly['undo']}/restore", 200)
        assert habitd.machine("m")["knowledge"]["crc"] == before
    print(done)


def quietly(habitd, path):
    """A request whose answer may never come."""
    try:
        requests.post(habitd.url + path, timeout=5)
    except requests.RequestException:
        pass


# ------------------------------------------------------------------------------------------- knowledge of a version before

def test_a_store_of_the_first_version_is_relearned(house):
    """Whether or not this engine reads the knowledge that the first schema held: its buffers are still there."""
    habitd = house.habitd(start=False)
    with sqlite3.connect(habitd.store) as database:
        database.executescript((REPOSITORY / "tests" / "daemon" / "stores" / "schema-1.sql").read_text())
    habitd.start()
    made = call(habitd, "POST", "/v1/machines/fan/relearn", 200)
    assert (made["buffers"], made["relearned"]["learned"]) == (20, 20)
    call(habitd, "POST", "/v1/machines/fan/relearn/switch", 200)
    habitd.crash()
    page = habitd.machine("fan")
    assert (page["learned"], page["phase"], page["knowledge"]["crc"]) == (20, "watching", made["relearned"]["crc"])
    assert reasons(habitd, "fan")[0] in ("before relearn", "damaged"), "what was there is kept, read or not"
