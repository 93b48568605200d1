"""The rest of the REST contract."""
import datetime
import io
import csv as csv_module
import http.client
import json
import re
import threading

import pytest
import requests

from support import JSON, RAW, floats, numbers, simulate

SIZE = {"buffer_size": 64, "axes": 1, "false_alarms": "off"}  # the first window below raises
HOUR = 3600000


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Nominal and faulty buffers of one machine."""
    folder = tmp_path_factory.mktemp("data")
    return simulate(folder, 200, seed=3), simulate(folder, 30, seed=3, fault="looseness")


@pytest.fixture
def habitd(shared_habitd):
    """The habitd of this file, with all machines of earlier tests gone."""
    for machine in shared_habitd.json("/v1/machines", params={"limit": 1000})["machines"]:
        shared_habitd.request("DELETE", f"/v1/machines/{machine['machine']}")
    return shared_habitd


def watching(habitd, nominal, machine="m", count=60, **settings):
    habitd.put_machine(machine, **{**SIZE, "learn": count, **settings})
    habitd.act(machine, "commission")
    habitd.post_all(machine, "buffers", nominal[:count])
    assert habitd.machine(machine)["phase"] == "watching"


def raise_one(habitd, data, machine="m", **settings):
    """A machine with an open anomaly; returns its number."""
    nominal, faulty = data
    watching(habitd, nominal, machine, **settings)
    number = habitd.post_all(machine, "buffers", nominal[60:70] + faulty)[-1]["anomaly"]
    assert number is not None
    return number


def etag(habitd, path="/v1/machines/m"):
    return habitd.get(path).headers["ETag"]


# ------------------------------------------------------------------------------------------------------------------ lists

def follow(habitd, path, name):
    """All pages of a list, by their links."""
    pages = []
    while path:
        answer = habitd.get(path)
        assert answer.status_code == 200, answer.text
        pages.append(answer.json()[name])
        link = answer.links.get("next")
        assert (answer.json()["next"] is None) == (link is None)
        path = link and link["url"]
    return pages


def test_list_by_pages(habitd):
    ids = [f"m-{i:02}" for i in range(25)]
    for machine in reversed(ids):
        habitd.put_machine(machine, **SIZE)
    pages = follow(habitd, "/v1/machines?limit=10", "machines")
    assert [len(page) for page in pages] == [10, 10, 5]
    assert [m["machine"] for page in pages for m in page] == ids
    assert [m["machine"] for m in habitd.json("/v1/machines?after=m-22")["machines"]] == ["m-23", "m-24"]
    assert [len(page) for page in follow(habitd, "/v1/machines?limit=25", "machines")] == [25]
    assert len(habitd.json("/v1/machines")["machines"]) == 25


def test_empty_lists(habitd):
    for path, name in (("/v1/machines", "machines"), ("/v1/pending", "pending"), ("/v1/anomalies?machine=nobody", "anomalies"),
                       ("/v1/reports/daily", "reports")):
        answer = habitd.get(path)
        assert answer.json()[name] == [] and "Link" not in answer.headers


# --------------------------------------------------------------------------------------------------------------- settings

def test_put_makes_and_replaces(habitd):
    answer = habitd.request("PUT", "/v1/machines/m", json={**SIZE, "window": 20, "name": "Pump", "labels": "hall=2"})
    assert answer.status_code == 201 and answer.headers["Location"] == "/v1/machines/m"
    machine = answer.json()
    assert machine["phase"] == "new" and machine["learned"] == 0 and machine["anomaly"] is None and machine["last"] is None
    assert machine["settings"]["window"] == 20 and machine["origin"]["window"] == "rest"
    assert machine["settings"]["threshold"] == 90 and machine["origin"]["threshold"] == "default"
    answer = habitd.request("PUT", "/v1/machines/m", json={**SIZE, "threshold": 80, "name": "Pumpe 7 \u00b5"})
    assert answer.status_code == 200
    machine = habitd.machine("m")
    assert machine["settings"]["window"] == 10 and machine["origin"]["window"] == "default", "PUT replaces all"
    assert machine["settings"]["threshold"] == 80 and machine["settings"]["name"] == "Pumpe 7 \u00b5"


def test_patch_changes_one(habitd):
    habitd.put_machine("m", **SIZE, window=20, name="Pump")
    habitd.patch("m", threshold=85)
    settings = habitd.machine("m")["settings"]
    assert (settings["window"], settings["threshold"], settings["name"]) == (20, 85, "Pump")


def test_patch_null_goes_back(habitd):
    habitd.put_machine("m", **SIZE, window=20, sensitivity=2, learn="24h")
    machine = habitd.patch("m", window=None, sensitivity=None, learn=None)
    assert machine["settings"]["window"] == 10 and machine["origin"]["window"] == "default"
    assert machine["settings"]["sensitivity"] == machine["sensitivity"] == 1
    assert machine["settings"]["learn"] == "auto" and machine["origin"]["learn"] == "default"


SECTIONS = """
[machine "pump-*"]
create = yes
buffer_size = 64
axes = 1
window = 15
[machine "pump-1"]
threshold = 80
"""


def test_file_and_rest(house, data):
    """REST overrides the file until it is taken back; the file makes machines."""
    habitd = house.habitd(sections=SECTIONS)
    verdict = habitd.post("pump-1", "learn", data[0][0])
    assert verdict["status"] == "learned", "a pattern with create makes a machine of the first buffer"
    assert habitd.request("POST", "/v1/machines/fan-1/learn", data=data[0][0], headers=RAW).status_code == 404
    machine = habitd.patch("pump-1", window=30)
    assert (machine["settings"]["window"], machine["origin"]["window"]) == (30, "rest")
    assert (machine["settings"]["threshold"], machine["origin"]["threshold"]) == (80, "file")
    habitd.restart()
    assert habitd.machine("pump-1")["settings"]["window"] == 30
    machine = habitd.patch("pump-1", window=None)
    assert (machine["settings"]["window"], machine["origin"]["window"]) == (15, "file")
    assert machine["origin"]["clear"] == "default"


def test_etag_guards_settings(habitd):
    habitd.put_machine("m", **SIZE)
    old = etag(habitd)
    assert etag(habitd) == old
    habitd.patch("m", window=20)
    assert etag(habitd) != old
    for method, body in (("PUT", SIZE), ("PATCH", {"window": 5}), ("DELETE", None)):
        answer = habitd.request(method, "/v1/machines/m", json=body, headers={"If-Match": old})
        assert answer.status_code == 412 and answer.json()["type"] == "urn:habit:problem:precondition"
    assert habitd.machine("m")["settings"]["window"] == 20
    answer = habitd.request("PATCH", "/v1/machines/m", json={"window": 5}, headers={"If-Match": etag(habitd)})
    assert answer.status_code == 200 and answer.headers["ETag"] == etag(habitd)
    assert habitd.request("PATCH", "/v1/machines/m", json={"window": 6}, headers={"If-Match": "*"}).status_code == 200
    assert habitd.request("DELETE", "/v1/machines/m", headers={"If-Match": etag(habitd)}).status_code == 204


def test_etag_guards_sensitivity(habitd):
    habitd.put_machine("m", **SIZE)
    path = "/v1/machines/m/sensitivity"
    old = etag(habitd, path)
    right = {"If-Match": f'"0123456789abcdef", {old}'}
    assert habitd.request("PUT", path, json={"sensitivity": 2}, headers=right).status_code == 200
    assert habitd.request("PUT", path, json={"sensitivity": 3}, headers={"If-Match": old}).status_code == 412
    assert habitd.get(path).json()["sensitivity"] == 2


def test_etag_guards_knowledge(habitd, data):
    watching(habitd, data[0], count=30)
    path = "/v1/machines/m/knowledge"
    block, old = habitd.get(path).content, etag(habitd, path)
    habitd.post("m", "learn", data[0][40])
    put = lambda tag: habitd.request("PUT", path, data=block, headers=dict(RAW, **{"If-Match": tag})).status_code
    assert put(old) == 412
    assert put(etag(habitd, path)) == 200
    assert etag(habitd, path) == old


def test_etag_of_nothing(habitd):
    answer = habitd.request("PUT", "/v1/machines/m", json=SIZE, headers={"If-Match": '"1"'})
    assert answer.status_code == 412 and habitd.get("/v1/machines/m").status_code == 404
    for status in (201, 412):
        answer = habitd.request("PUT", "/v1/machines/m", json=SIZE, headers={"If-None-Match": "*"})
        assert answer.status_code == status


def test_only_one_of_many_makes_a_new_machine(habitd, data):
    """If-None-Match: * is asked under the same lock as the machine is made."""
    for round in range(20):
        statuses, start = [], threading.Barrier(8)

        def make(size):
            start.wait()
            statuses.append(requests.put(f"{habitd.url}/v1/machines/m{round}", json={"buffer_size": size, "axes": 1},
                                         headers={"If-None-Match": "*"}, timeout=20).status_code)
        threads = [threading.Thread(target=make, args=(size,)) for size in range(8, 16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(statuses) == [201] + 7 * [412], f"round {round}"


def test_knowledge_only_for_a_new_machine(habitd, data):
    raise_one(habitd, data)
    block = habitd.knowledge("m")
    for name, status in ("m", 412), ("m2", 201), ("m2", 412):
        answer = habitd.request("PUT", f"/v1/machines/{name}/knowledge", data=block, headers={**RAW, "If-None-Match": "*"})
        assert answer.status_code == status, answer.text
    answer = habitd.request("PUT", "/v1/machines/m3", json=SIZE, headers={"If-None-Match": "*", "If-Match": "*"})
    assert answer.status_code == 412


def test_a_link_is_whole_whatever_was_asked(habitd):
    """What no URI holds but curl sends: it would end the link before its end."""
    for name in "m1", "m2":
        habitd.put_machine(name, **SIZE, asset='a>b"<c')
    door = http.client.HTTPConnection(habitd.url.partition("//")[2], timeout=10)
    door.request("GET", '/v1/reports/daily?asset=a>b"<c&limit=1')
    answer = door.getresponse()
    link = re.fullmatch(r'<([^<>"]+)>; rel="next"', answer.headers["Link"])
    assert [r["machine"] for r in json.loads(answer.read())["reports"]] == ["m1"] and link, answer.headers["Link"]
    assert [r["machine"] for r in habitd.json(link[1])["reports"]] == ["m2"]


def test_nothing_was_before_1970(habitd, data):
    number = raise_one(habitd, data)
    for early in 0, "1970-01-01T00:00:00Z", 1, "1969-12-31T23:59:59Z":
        assert habitd.anomalies(to=early) == []
        assert [a["id"] for a in habitd.anomalies(**{"from": early})] == [number]


def test_deleted_is_gone(habitd, data):
    number = raise_one(habitd, data)
    assert habitd.request("DELETE", "/v1/machines/m").status_code == 204
    for path in ("/v1/machines/m", "/v1/machines/m/knowledge", "/v1/machines/m/sensitivity", f"/v1/anomalies/{number}"):
        assert habitd.get(path).status_code == 404, path
    assert habitd.request("DELETE", "/v1/machines/m").status_code == 404
    assert habitd.request("POST", "/v1/machines/m/learn", data=data[0][0], headers=RAW).status_code == 404
    habitd.put_machine("m", **SIZE)
    machine = habitd.machine("m")
    assert machine["learned"] == 0 and machine["phase"] == "new" and machine["anomaly"] is None
    assert habitd.anomalies(machine="m") == []
    assert habitd.post("m", "learn", data[0][0], seq=1)["status"] == "learned", "no old marks either"
    habitd.restart()
    assert habitd.learned("m") == 1


def test_geometry_needs_initialize(habitd, data):
    nominal, _ = data
    habitd.put_machine("m", **SIZE, sampling_hz=1600)
    assert habitd.patch("m", buffer_size=32)["settings"]["buffer_size"] == 32, "nothing was learned yet"
    habitd.patch("m", buffer_size=64)
    habitd.post_all("m", "learn", nominal[:20])
    before, block = habitd.machine("m"), habitd.knowledge("m")
    for key, value in (("buffer_size", 32), ("axes", 2), ("sampling_hz", 800), ("unit", "g"), ("scale", 0.5),
                       ("profile", "small")):
        answer = habitd.request("PATCH", "/v1/machines/m", json={key: value})
        assert answer.status_code == 409 and answer.json()["type"] == "urn:habit:problem:geometry", key
        assert key in answer.json()["detail"] and "initialize" in answer.json()["detail"]
    assert habitd.machine("m") == before and habitd.knowledge("m") == block
    habitd.act("m", "initialize")
    habitd.patch("m", buffer_size=32)
    assert habitd.post("m", "learn", nominal[0][:128])["learned"] == 1


# -------------------------------------------------------------------------------------------------------- phases, learning

def test_initialize(habitd, data):
    nominal, faulty = data
    number = raise_one(habitd, data)
    machine = habitd.act("m", "initialize")
    assert machine["phase"] == "new" and machine["learned"] == 0 and machine["anomaly"] is None and machine["last"] is None
    assert not habitd.json(f"/v1/anomalies/{number}")["open"], "it cannot recover any more"
    assert habitd.post("m", "buffers", nominal[0])["status"] == "idle"
    habitd.act("m", "commission")
    habitd.post_all("m", "buffers", nominal[:60])
    verdicts = habitd.post_all("m", "buffers", faulty[:12])
    assert [v["average"] is None for v in verdicts] == [True] * 9 + [False] * 3, "the window was empty"


def test_initialize_forgets_all(habitd, data):
    """The same buffers afterwards give the same knowledge as on a fresh machine."""
    nominal, _ = data
    habitd.put_machine("m", **SIZE)
    habitd.post_all("m", "learn", nominal[100:130])
    habitd.act("m", "initialize")
    habitd.put_machine("fresh", **SIZE)
    for machine in ("m", "fresh"):
        habitd.post_all(machine, "learn", nominal[:30])
    assert habitd.knowledge("m") == habitd.knowledge("fresh")


def test_initialize_keeps_a_snapshot(house, data):
    """The old knowledge stays in the store. No route shows it yet."""
    import sqlite3
    habitd = house.habitd()
    watching(habitd, data[0])
    block = habitd.knowledge("m")
    habitd.act("m", "initialize")
    with sqlite3.connect(f"file:{habitd.store}?mode=ro", uri=True) as database:
        kept = database.execute("SELECT bytes, reason FROM snapshot").fetchall()
    database.close()
    assert block in [row[0] for row in kept] and any("initialize" in row[1] for row in kept)


def test_commission_again_learns_on(habitd, data):
    nominal, _ = data
    watching(habitd, nominal, count=40)
    assert habitd.act("m", "commission")["phase"] == "learning"
    verdicts = habitd.post_all("m", "buffers", nominal[40:80])
    assert [v["status"] for v in verdicts] == ["learned"] * 40
    assert habitd.machine("m")["phase"] == "watching" and habitd.learned("m") == 80


def test_start_by_itself(habitd, data):
    habitd.put_machine("m", **SIZE, start="auto", learn=20)
    verdicts = habitd.post_all("m", "buffers", data[0][:22])
    assert [v["status"] for v in verdicts] == ["learned"] * 20 + ["ok"] * 2


def test_by_hand(habitd, data):
    """learn and detect are done in any phase, count, and enter the window."""
    nominal, faulty = data
    habitd.put_machine("m", **SIZE, learn=1000)
    assert habitd.post("m", "learn", nominal[0])["phase"] == "learning"
    habitd.post_all("m", "learn", nominal[1:60])
    verdicts = habitd.post_all("m", "detect", nominal[60:70] + faulty)
    assert all(v["status"] == "ok" for v in verdicts) and verdicts[9]["average"] is not None
    assert verdicts[-1]["anomaly"] is not None
    assert habitd.post("m", "buffers", nominal[70])["status"] == "learned", "still learning"


def test_paused(habitd, data):
    nominal, _ = data
    watching(habitd, nominal)
    block = habitd.knowledge("m")
    assert habitd.patch("m", paused=True)["phase"] == "paused"
    for verb in ("buffers", "learn", "detect"):
        verdict = habitd.post("m", verb, nominal[61])
        assert verdict["status"] == "idle" and verdict["phase"] == "paused" and "paused" in verdict["note"]
    answer = habitd.request("POST", "/v1/machines/m/commission")
    assert answer.status_code == 409 and answer.json()["type"] == "urn:habit:problem:state"
    assert habitd.knowledge("m") == block
    assert habitd.patch("m", paused=False)["phase"] == "watching"
    assert habitd.post("m", "buffers", nominal[62])["status"] == "ok"


def now_ms():
    return int(datetime.datetime.now().timestamp() * 1000)


def post_at(habitd, buffer, at, verb="buffers", form="query"):
    """A buffer that says when it was measured."""
    if form == "query":
        return habitd.post("m", verb, buffer, time=at)
    text = datetime.datetime.fromtimestamp(at / 1000, datetime.timezone.utc).isoformat(timespec="milliseconds")
    answer = habitd.request("POST", f"/v1/machines/m/{verb}", json={"data": numbers(buffer), "time": text})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("form", ["query", "json"])
def test_learn_for_a_duration(habitd, data, form):
    """A day and a half of measured time; commissioned now, so the buffers are of now and later are not plausible:
    the phase begins with the first buffer of a machine that starts by itself."""
    nominal, _ = data
    habitd.put_machine("m", **SIZE, start="auto", learn="24h")
    begin = now_ms() - 36 * HOUR
    verdicts = [post_at(habitd, nominal[i], begin + i * HOUR // 2, form=form) for i in range(60)]
    statuses = [v["status"] for v in verdicts]
    assert statuses == ["learned"] * 49 + ["ok"] * 11
    assert habitd.machine("m")["phase"] == "watching"


def test_learn_until_settled(habitd, data):
    """learn = auto: at least learn_min buffers."""
    nominal, _ = data
    habitd.put_machine("m", **SIZE, start="auto", learn_min=30)
    verdicts = habitd.post_all("m", "buffers", nominal + nominal[:50])
    learned = [v["status"] for v in verdicts].count("learned")
    assert 30 <= learned <= 200, "a machine that stays as it is settles"
    assert verdicts[learned - 1]["phase"] == "watching" and verdicts[learned]["status"] == "ok"


@pytest.mark.parametrize("key, status", [("learn_every", "learned"), ("detect_every", "ok")])
def test_at_most_one_an_hour(habitd, data, key, status):
    """By measured time; the others are skipped, counted, and leave the window alone."""
    nominal, _ = data
    watching(habitd, nominal, count=30) if key == "detect_every" else habitd.put_machine("m", **SIZE, start="auto", learn=1000)
    habitd.patch("m", **{key: "1h"})
    begin = now_ms() - 24 * HOUR
    verdicts = [post_at(habitd, nominal[60 + i], begin + i * HOUR // 4) for i in range(17)]
    assert [v["status"] for v in verdicts] == ([status] + ["idle"] * 3) * 4 + [status]
    assert all(key in v["note"] for v in verdicts if v["status"] == "idle")
    assert post_at(habitd, nominal[80], begin + 4 * HOUR + 1, verb="detect")["status"] in ("ok", "not_ready"), "by hand always"


def moment(habitd, name):
    """One of the machine's times, in ms."""
    return datetime.datetime.fromisoformat(habitd.machine("m")[name].replace("Z", "+00:00")).timestamp() * 1000


def test_time_that_cannot_be(habitd, data):
    """Measured in the future or long ago: arrival counts."""
    nominal, _ = data
    habitd.put_machine("m", **SIZE, start="auto")
    for at in (0, now_ms() + 24 * HOUR, now_ms() - 400 * 24 * HOUR):
        post_at(habitd, nominal[0], at)
        assert abs(moment(habitd, "last_learn") - now_ms()) < 60000


def test_age(habitd, data):
    """Learned two hours ago, but heard of now."""
    habitd.put_machine("m", **SIZE, start="auto")
    habitd.post("m", "buffers", data[0][0], age_ms=2 * HOUR)
    assert abs(now_ms() - 2 * HOUR - moment(habitd, "last_learn")) < 60000
    assert abs(now_ms() - moment(habitd, "last_seen")) < 60000
    assert habitd.machine("m")["online"]


# ---------------------------------------------------------------------------------------------- context and sensitivity

def test_context_is_taken(habitd, data):
    habitd.put_machine("m", **SIZE)
    for context in ({"temperature": 61.5, "speed": 1480}, {"load": 0}):
        answer = habitd.request("PUT", "/v1/machines/m/context", json=context)
        assert answer.status_code == 204 and answer.content == b""
    body = {"data": numbers(data[0][0]), "context": {"temperature": 62}}
    assert habitd.request("POST", "/v1/machines/m/learn", json=body).status_code == 200


def test_sensitivity_changes_answers_only(habitd, data):
    nominal, faulty = data
    watching(habitd, nominal)
    buffer = nominal[61]
    similarities, distances = [], []
    for sensitivity in (0.1, 0.5, 1, 1.5, 3, 100):
        answer = habitd.request("PUT", "/v1/machines/m/sensitivity", json={"sensitivity": sensitivity})
        assert answer.status_code == 200 and answer.json()["sensitivity"] == pytest.approx(sensitivity)
        assert habitd.json("/v1/machines/m/sensitivity")["sensitivity"] == pytest.approx(sensitivity)
        assert habitd.machine("m")["settings"]["sensitivity"] == pytest.approx(sensitivity)
        verdict = habitd.request("POST", "/v1/machines/m/detect?dry_run=1", data=buffer, headers=RAW).json()
        similarities.append(verdict["similarity"])
        distances.append(verdict["distance"])
        assert verdict["similarity"] == pytest.approx(expected_similarity(verdict["distance"] * sensitivity), abs=1)
    assert len(set(distances)) == 1, "the distance is before sensitivity"
    assert similarities == sorted(similarities, reverse=True) and similarities[0] > similarities[-1]


def expected_similarity(scaled):
    """As design.md has it."""
    value = 100 * 0.9 ** (scaled * scaled)
    return max(90, round(value)) if scaled <= 1 else min(89, int(value))


# --------------------------------------------------------------------------------------------------------- dry run, answers

def test_dry_run_touches_nothing(habitd, data):
    nominal, faulty = data
    watching(habitd, nominal)
    habitd.post_all("m", "buffers", nominal[60:66])
    before, metrics = habitd.machine("m"), habitd.metrics()
    report = habitd.json("/v1/reports/daily", params={"machine": "m"})
    for _ in range(30):
        verdict = habitd.request("POST", "/v1/machines/m/detect", params={"dry_run": 1}, data=faulty[0], headers=RAW).json()
        assert verdict["status"] == "ok" and verdict["similarity"] < 90 and verdict["anomaly"] is None
    numbered = habitd.request("POST", "/v1/machines/m/detect", params={"dry_run": 1, "seq": 5}, data=faulty[0], headers=RAW)
    assert numbered.json()["status"] == "ok"
    assert habitd.machine("m") == before
    after = habitd.json("/v1/reports/daily", params={"machine": "m"})
    assert after["reports"][0]["detected"] == report["reports"][0]["detected"]
    assert habitd.metrics()["habit_buffers_detected_total"] == metrics["habit_buffers_detected_total"]
    assert habitd.post("m", "detect", nominal[66], seq=5)["status"] == "ok", "the number was not used up"
    assert habitd.anomalies(machine="m") == []


def test_dry_run_judges_alike(habitd, data):
    nominal, faulty = data
    watching(habitd, nominal)
    for buffer in (nominal[70], faulty[0]):
        tried = habitd.request("POST", "/v1/machines/m/detect?dry_run=1", data=buffer, headers=RAW).json()
        done = habitd.post("m", "detect", buffer)
        assert {k: tried[k] for k in ("similarity", "distance", "explanation")} == \
               {k: done[k] for k in ("similarity", "distance", "explanation")}


def test_answer_of_detect(habitd, tmp_path):
    watching(habitd, simulate(tmp_path, 60, 256, 3, seed=7), buffer_size=256, axes=3, sampling_hz=1600)
    verdict = habitd.post("m", "detect", simulate(tmp_path, 1, 256, 3, seed=7, fault="looseness")[0])
    assert verdict["machine"] == "m" and verdict["status"] == "ok" and verdict["phase"] == "watching"
    assert 0 <= verdict["similarity"] < 90 and verdict["distance"] > 1 and verdict["average"] is None
    assert len(verdict["level"]) == 3 and verdict["flags"] == []
    strengths = [abs(reason["sigmas"]) for reason in verdict["explanation"]]
    assert strengths and max(strengths) > 3 and all(strength >= 2 for strength in strengths[1:])
    bands = [reason for reason in verdict["explanation"] if reason["kind"] == "band"]
    assert bands, "looseness shows in bands"
    assert all(0 <= band["from_hz"] <= band["to_hz"] <= 800 and band["axis"] in (0, 1, 2) for band in bands)


def test_answer_of_learn(habitd, data):
    habitd.put_machine("m", **SIZE)
    verdicts = habitd.post_all("m", "learn", data[0][:60])
    assert [v["learned"] for v in verdicts] == list(range(1, 61))
    assert verdicts[0]["needed"] > 0 and verdicts[0]["missing"] and verdicts[-1]["needed"] == 0
    assert verdicts[-2]["settled"] < 1 and verdicts[-2]["phase"] == "learning" and verdicts[-2]["missing"] != "nothing"
    assert verdicts[-1]["phase"] == ("watching" if verdicts[-1]["settled"] == 1 else "learning")
    assert verdicts[-1]["states"] == 1 and verdicts[-1]["rare"] == 0


def test_dead_axis_is_flagged(habitd, tmp_path):
    buffers = simulate(tmp_path, 40, 64, 3, seed=9)
    habitd.put_machine("m", buffer_size=64, axes=3)
    habitd.post_all("m", "learn", buffers)
    values = numbers(buffers[0])
    values[1::3] = [0.5] * 64
    assert "constant:1" in habitd.post("m", "detect", floats(values))["flags"]


# --------------------------------------------------------------------------------------------------------------- knowledge

def test_knowledge_round_trip(habitd, data):
    """The same bytes on another machine, and from there again; it judges alike and learns on alike."""
    nominal, faulty = data
    watching(habitd, nominal, sampling_hz=1600, unit="g")
    habitd.request("PUT", "/v1/machines/m/sensitivity", json={"sensitivity": 1.3})
    first = habitd.get("/v1/machines/m/knowledge")
    assert first.headers["Content-Type"] == "application/octet-stream"
    answer = habitd.request("PUT", "/v1/machines/copy/knowledge", data=first.content, headers=RAW)
    assert answer.status_code == 201
    copy = answer.json()
    assert copy["phase"] == "watching" and copy["learned"] == 60 and copy["sensitivity"] == pytest.approx(1.3)
    assert {k: copy["settings"][k] for k in ("buffer_size", "axes", "sampling_hz", "unit")} == \
           {"buffer_size": 64, "axes": 1, "sampling_hz": 1600, "unit": "g"}
    second = habitd.get("/v1/machines/copy/knowledge")
    assert second.content == first.content and second.headers["ETag"] == first.headers["ETag"]
    for buffer in (nominal[61], faulty[0]):
        verdicts = [habitd.post(machine, "detect", buffer) for machine in ("m", "copy")]
        assert verdicts[0]["distance"] == verdicts[1]["distance"]
    for machine in ("m", "copy"):
        habitd.post_all(machine, "learn", nominal[60:70])
    assert habitd.knowledge("m") == habitd.knowledge("copy") != first.content


def test_knowledge_survives_the_copy(habitd, data):
    watching(habitd, data[0])
    block = habitd.knowledge("m")
    habitd.request("PUT", "/v1/machines/copy/knowledge", data=block, headers=RAW)
    habitd.crash()
    assert habitd.knowledge("copy") == block == habitd.knowledge("m")


def test_knowledge_put_empties_the_window(habitd, data):
    nominal, faulty = data
    number = raise_one(habitd, data)
    answer = habitd.request("PUT", "/v1/machines/m/knowledge", data=habitd.knowledge("m"), headers=RAW)
    assert answer.status_code == 200 and answer.json()["anomaly"] is None
    assert not habitd.json(f"/v1/anomalies/{number}")["open"]
    verdicts = habitd.post_all("m", "buffers", faulty[:10])
    assert [v["average"] is None for v in verdicts] == [True] * 9 + [False]


def test_knowledge_etags(habitd, data):
    nominal, _ = data
    watching(habitd, nominal)
    path = "/v1/machines/m/knowledge"
    old, block = etag(habitd, path), habitd.knowledge("m")
    assert old.strip('"') == habitd.machine("m")["knowledge"]["crc"]
    assert habitd.get(path, headers={"If-None-Match": old}).status_code == 304
    habitd.post("m", "learn", nominal[60])
    assert etag(habitd, path) != old
    assert habitd.get(path, headers={"If-None-Match": old}).status_code == 200
    answer = habitd.request("PUT", path, data=block, headers={**RAW, "If-Match": old})
    assert answer.status_code == 412 and habitd.learned("m") == 61
    answer = habitd.request("PUT", path, data=block, headers={**RAW, "If-Match": etag(habitd, path)})
    assert answer.status_code == 200 and habitd.knowledge("m") == block and etag(habitd, path) == old


def test_detect_never_changes_knowledge(habitd, data):
    nominal, faulty = data
    watching(habitd, nominal)
    block = habitd.knowledge("m")
    habitd.post_all("m", "detect", nominal[60:] + faulty)
    assert habitd.knowledge("m") == block


# ------------------------------------------------------------------------------------------------------ anomalies, reports

def test_anomalies_by_filter_and_cursor(house, data):
    habitd = house.habitd()
    nominal, faulty = data
    first = raise_one(habitd, data, "pump-1", asset="pump")
    raised = [first]
    for _ in range(2):
        habitd.post_all("pump-1", "buffers", nominal[70:100])
        raised.append(habitd.post_all("pump-1", "buffers", faulty)[-1]["anomaly"])
    raised.append(raise_one(habitd, data, "fan-1", asset="fan"))
    assert None not in raised and len(set(raised)) == 4
    newest_first = sorted(raised, reverse=True)
    assert [a["id"] for a in habitd.anomalies()] == newest_first
    assert [a["id"] for a in habitd.anomalies(machine="fan-1")] == [raised[3]] == [a["id"] for a in habitd.anomalies(asset="fan")]
    assert habitd.anomalies(machine="nobody") == [] == habitd.anomalies(asset="nothing")
    pages = follow(habitd, "/v1/anomalies?limit=3", "anomalies")
    assert [[a["id"] for a in page] for page in pages] == [newest_first[:3], newest_first[3:]]
    pages = follow(habitd, "/v1/anomalies?machine=pump-1&limit=2", "anomalies")
    assert [len(page) for page in pages] == [2, 1], "the link keeps the filter"
    times = {a["id"]: a["raised"] for a in habitd.anomalies()}
    later = habitd.anomalies(**{"from": times[raised[1]]})
    assert [a["id"] for a in later] == newest_first[:3], "from is included"
    assert [a["id"] for a in habitd.anomalies(to=times[raised[1]])] == [raised[0]], "to is not"
    one = habitd.json(f"/v1/anomalies/{first}")
    assert one["machine"] == "pump-1" and one["asset"] == "pump" and not one["open"] and one["cleared"] > one["raised"]
    assert one["threshold"] == 90 and one["similarity"] < 90 and one["learned"] == 60


def today():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d")


def test_daily_report(habitd, data):
    """A day that the buffers' own times make: yesterday, hour by hour."""
    nominal, faulty = data
    habitd.put_machine("m", **SIZE, start="auto", learn=60, asset="pump")
    midnight = now_ms() // (24 * HOUR) * 24 * HOUR
    begin = midnight - 24 * HOUR
    for i, buffer in enumerate(nominal[:60]):
        post_at(habitd, buffer, begin + i * 60000)
    for i, buffer in enumerate(nominal[60:80] + faulty[:20]):
        post_at(habitd, buffer, begin + 5 * HOUR + i * 60000)
    date = datetime.datetime.fromtimestamp(begin / 1000, datetime.timezone.utc).strftime("%Y-%m-%d")
    report, = habitd.json("/v1/reports/daily", params={"machine": "m", "date": date})["reports"]
    assert report["date"] == date and report["machine"] == "m" and report["asset"] == "pump"
    assert report["hours"] == 24 and report["complete"] is True
    assert (report["learned"], report["detected"], report["anomalies"]) == (60, 40, 1)
    assert report["anomalies_per_hour"] == pytest.approx(1 / 24, abs=1e-4)
    assert 0 <= report["similarity_min"] < 90 and report["similarity_min"] <= report["similarity_mean"] <= 100
    assert report["time_in_anomaly_s"] > 0
    hours = {h["from"][11:13]: (h["learned"], h["detected"]) for h in report["by_hour"]}
    assert len(hours) == 24 and hours["00"] == (60, 0) and hours["05"] == (0, 40) and hours["01"] == (0, 0)
    habitd.restart()
    again, = habitd.json("/v1/reports/daily", params={"machine": "m", "date": date})["reports"]
    assert again == report, "the same whenever it is asked for"


def test_report_as_csv(habitd, data):
    for machine in ("m-1", "m-2", "m-3"):
        watching(habitd, data[0], machine, count=20, asset='pump "7", hall 2')
        habitd.post_all(machine, "buffers", data[0][60:65])
    answer = habitd.get("/v1/reports/daily", params={"date": today()}, headers={"Accept": "text/csv"})
    assert answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv_module.DictReader(io.StringIO(answer.content.decode(), newline="")))
    assert [row["machine"] for row in rows] == ["m-1", "m-2", "m-3"]
    document = habitd.json("/v1/reports/daily", params={"date": today()})
    for row, report in zip(rows, document["reports"]):
        assert row["asset"] == 'pump "7", hall 2' and row["date"] == report["date"]
        for key in ("learned", "detected", "anomalies", "duplicates"):
            assert int(row[key]) == report[key], key
        assert int(row["learned"]) == 20 and int(row["detected"]) == 5
    pages = follow(habitd, f"/v1/reports/daily?date={today()}&limit=2", "reports")
    assert [[r["machine"] for r in page] for page in pages] == [["m-1", "m-2"], ["m-3"]]
    assert habitd.get("/v1/reports/daily", headers={"Accept": "image/png"}).status_code == 406


# ----------------------------------------------------------------------------------------------------------------- health

def test_health(habitd):
    assert habitd.get("/livez").status_code == 200
    assert habitd.json("/readyz") == {"status": "ready", "reasons": [], "backup": None}
    answer = habitd.get("/metrics")
    assert answer.headers["Content-Type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert habitd.get("/").status_code == 200 and "/v1/machines" in habitd.get("/").text


def test_metrics_count(habitd, data):
    before = habitd.metrics()
    watching(habitd, data[0], count=20)
    habitd.post_all("m", "buffers", data[0][60:65])
    habitd.post("m", "learn", data[0][0], seq=1)
    habitd.post("m", "learn", data[0][0], seq=1)
    habitd.request("POST", "/v1/machines/m/learn", data="{}", headers=JSON)
    after = habitd.metrics()
    grown = {name: after[name] - before.get(name, 0) for name in after}
    assert grown["habit_buffers_learned_total"] == 21 and grown["habit_buffers_detected_total"] == 5
    assert grown['habit_buffers_duplicate_total{machine="m"}'] == 1
    assert grown['habit_buffers_rejected_total{reason="syntax"}'] == 1
    assert after['habit_machines{phase="watching"}'] == 1


def test_metrics_count_batches(habitd, data):
    """All of a batch, also what is beyond the answer's page."""
    habitd.put_machine("m", buffer_size=4, axes=1)
    before = habitd.metrics()["habit_buffers_learned_total"]
    values = [x for buffer in data[0] for x in numbers(buffer)][:4 * 1500]
    answer = habitd.post("m", "learn", floats(values))
    assert len(answer["verdicts"]) == 1000 and habitd.learned("m") == 1500
    assert habitd.metrics()["habit_buffers_learned_total"] - before == 1500


def test_head(habitd):
    habitd.put_machine("m", **SIZE)
    answer = habitd.request("HEAD", "/v1/machines/m")
    assert answer.status_code == 200 and answer.content == b"" and answer.headers["ETag"] == etag(habitd)
