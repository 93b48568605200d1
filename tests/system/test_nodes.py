"""Forty nodes that nobody has announced: two commands make them machines that learn."""
from support import ROOT, habit, simulate, wait_until

NODES = 40


def publish_all_nodes(broker, buffers):
    habit("simulate", "--machines", "node-%d", "--count", NODES, "--buffers", buffers, "--every", 0, "--buffer-size", 64,
          "--axes", 3, "--mqtt", f"127.0.0.1:{broker.port}", "--root", ROOT, "--quiet")


def phases(habitd):
    return {m["machine"]: m["phase"] for m in habitd.json("/v1/machines")["machines"]}


def test_forty_unknown_nodes(house, broker):
    habitd = house.habitd(broker)
    expected = {f"node-{i}" for i in range(1, NODES + 1)}
    publish_all_nodes(broker, 2)
    pending = wait_until(lambda: seen_twice(habitd), "forty pending nodes")
    assert {p["machine"] for p in pending} == expected
    for node in pending:
        assert node["topic"] == f"{ROOT}/{node['machine']}/buffer" and node["bytes"] == 4 * 64 * 3
        assert {"buffer_size": 64, "axes": 3} in node["likely"]
        assert node["first"] <= node["last"]
    assert phases(habitd) == {}, "nothing becomes a machine by itself"

    habit("adopt", "node-*", "--axes", 3, "--url", habitd.url)
    assert phases(habitd) == dict.fromkeys(expected, "new")
    assert habitd.json("/v1/pending")["pending"] == []
    habit("commission", "node-*", "--url", habitd.url)
    assert phases(habitd) == dict.fromkeys(expected, "learning")

    publish_all_nodes(broker, 5)
    wait_until(lambda: set(learned(habitd).values()) == {5}, "five buffers learned by each")
    assert set(learned(habitd)) == expected


def seen_twice(habitd):
    pending = habitd.json("/v1/pending")["pending"]
    return pending if len(pending) == NODES and all(p["count"] == 2 for p in pending) else None


def learned(habitd):
    return {m["machine"]: m["learned"] for m in habitd.json("/v1/machines")["machines"]}


def test_patterns_choose(house, broker, tmp_path):
    """Only what matches is adopted; a setting can be given on the way; URL from the environment."""
    habitd = house.habitd(broker)
    client = house.client(broker)
    buffer = simulate(tmp_path, 1)[0]
    for machine in ("pump-1", "pump-2", "fan-1"):
        client.publish(f"{ROOT}/{machine}/buffer", buffer)
    wait_until(lambda: len(habitd.json("/v1/pending")["pending"]) == 3, "three pending")
    habit("adopt", "pump-?", "--axes", 1, "--set", "window=20", "--set", "name=Feed pump", url=habitd.url)
    assert set(phases(habitd)) == {"pump-1", "pump-2"}
    settings = habitd.machine("pump-1")["settings"]
    assert (settings["buffer_size"], settings["axes"], settings["window"], settings["name"]) == (64, 1, 20, "Feed pump")
    assert [p["machine"] for p in habitd.json("/v1/pending")["pending"]] == ["fan-1"]
    assert habit("adopt", "compressor-*", "--axes", 1, url=habitd.url, check=False).returncode != 0


def test_adopting_one_by_rest(house, broker, tmp_path):
    habitd = house.habitd(broker)
    house.client(broker).publish(f"{ROOT}/fan-1/buffer", simulate(tmp_path, 1)[0])
    wait_until(lambda: habitd.json("/v1/pending")["pending"], "pending")
    wrong = habitd.request("POST", "/v1/pending/fan-1/adopt", json={"axes": 99})
    assert wrong.status_code == 422 and habitd.json("/v1/pending")["pending"]
    answer = habitd.request("POST", "/v1/pending/fan-1/adopt", json={"axes": 1, "asset": "fan"})
    assert answer.status_code == 201 and answer.headers["Location"] == "/v1/machines/fan-1"
    assert answer.json()["settings"]["buffer_size"] == 64 and answer.json()["settings"]["asset"] == "fan"
    assert habitd.request("POST", "/v1/pending/fan-1/adopt", json={"axes": 1}).status_code == 404


def test_pending_is_bounded(house, broker):
    """Beyond 256 the one that was silent longest is forgotten, and counted."""
    habitd = house.habitd(broker)
    client = house.client(broker)
    for number in range(300):
        client.publish(f"{ROOT}/n-{number:03}/buffer", bytes(12), wait=False)
    wait_until(lambda: habitd.metrics()["habit_pending_dropped_total"] == 44, "44 forgotten")
    pages = habitd.json("/v1/pending", params={"limit": 1000})["pending"]
    assert len(pages) == 256 and "n-299" in {p["machine"] for p in pages}
