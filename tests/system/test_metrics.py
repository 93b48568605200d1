"""GET /metrics: the names that docs/outputs.md lists, the values that happened, and the alerts that build on them."""
import pathlib
import re
import shutil
import subprocess
import time

import pytest

from support import REPOSITORY, ROOT, simulate, wait_until

RULES = REPOSITORY / "config" / "prometheus-rules.yml"
PROMTOOL = shutil.which("promtool")


@pytest.fixture(scope="module")
def nominal(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("nominal"), 120, 64, 1, seed=5)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    return simulate(tmp_path_factory.mktemp("faulty"), 20, 64, 1, seed=5, fault="looseness")


def families(text):
    """Name of each family to its type, checked as the text format asks: help, type, then all its lines together."""
    types, current = {}, None
    for line in text.splitlines():
        if line.startswith("# HELP "):
            current = line.split(" ")[2]
            assert current not in types and re.fullmatch(r"(habit|process)_[a-z0-9_]+", current), line
        elif line.startswith("# TYPE "):
            name, kind = line.split(" ")[2:]
            assert name == current and kind in ("counter", "gauge", "histogram")
            assert (kind == "counter") == name.endswith("_total"), f"{name} is a {kind}"
            types[name] = kind
        else:
            name, labels, value = re.fullmatch(r'([a-z0-9_]+)(\{[^ ]*(?: [^ ]*)*\})? (\S+)', line).groups()
            family = re.sub(r"_(bucket|sum|count)$", "", name) if types[current] == "histogram" else name
            assert family == current, f"{line} does not belong to {current}"
            float(value)
    return types


def values(habitd, name):
    """Labels to value of one name."""
    found = [(re.fullmatch(re.escape(name) + r"(?:\{(.*)\})?", key), value) for key, value in habitd.metrics().items()]
    return {match.group(1) or "": value for match, value in found if match}


def test_the_form(house, broker, nominal):
    habitd = house.habitd(broker)
    habitd.put_machine("pump-1", buffer_size=64, axes=1, name='a "quoted" \\ name')
    habitd.act("pump-1", "commission")
    habitd.post_all("pump-1", "buffers", nominal[:70])
    types = families(habitd.get("/metrics").text)
    assert values(habitd, "habit_machine_info") == {
        'machine="pump-1",name="a \\"quoted\\" \\\\ name",asset="",location=""': 1}
    listed = set(re.findall(r"`((?:habit|process)_[a-z0-9_]+)", (REPOSITORY / "docs" / "outputs.md").read_text()))
    assert set(types) - listed == set(), "not in docs/outputs.md"
    assert listed - set(types) <= {
        "habit_knowledge_snapshot_timestamp_seconds", "habit_clock_synced",
        "habit_store_daily_writes_limit_bytes", "habit_store_daily_writes_strain_ratio"}


def test_what_a_machine_did(house, broker, nominal, faulty):
    habitd = house.habitd(broker)
    client = house.client(broker)
    habitd.put_machine("pump-1", buffer_size=64, axes=1, learn=60, false_alarms="off")
    habitd.post("pump-1", "buffers", nominal[0])
    habitd.act("pump-1", "commission")
    client.publish_all(f"{ROOT}/pump-1/buffer", nominal[:60])
    wait_until(lambda: habitd.machine("pump-1")["phase"] == "watching", "watching")
    assert values(habitd, "habit_distance") == {}, "nothing was judged yet"
    last = habitd.post_all("pump-1", "buffers", faulty)[-1]
    habitd.post("pump-1", "learn", nominal[61], seq=1)
    habitd.post("pump-1", "learn", nominal[61], seq=1)
    pump = 'machine="pump-1"'
    assert values(habitd, "habit_buffers_total") == {
        f'{pump},transport="http",action="idle"': 1, f'{pump},transport="mqtt",action="learn"': 60,
        f'{pump},transport="http",action="detect"': 20, f'{pump},transport="http",action="learn"': 1}
    assert values(habitd, "habit_buffers_duplicate_total") == {pump: 1}
    assert values(habitd, "habit_anomaly") == {pump: 1} and values(habitd, "habit_anomalies_total") == {pump: 1}
    assert values(habitd, "habit_machine_phase")[f'{pump},phase="watching"'] == 1
    assert abs(values(habitd, "habit_machine_last_seen_timestamp_seconds")[pump] - time.time()) < 60
    verdict = habitd.post("pump-1", "buffers", faulty[0])
    assert values(habitd, "habit_distance")[pump] == pytest.approx(verdict["distance"], rel=1e-4)
    assert values(habitd, "habit_similarity_ratio") == {pump: verdict["similarity"] / 100}
    assert values(habitd, "habit_average_ratio") == {pump: verdict["average"] / 100}
    assert last["anomaly"]
    habitd.act("pump-1", "initialize")
    taken, = values(habitd, "habit_knowledge_snapshot_timestamp_seconds").values()
    assert abs(taken - time.time()) < 60


def check_histogram(habitd, name, label, at_least):
    buckets = [(float(re.search(r'le="(.*)"', k).group(1)), v) for k, v in values(habitd, name + "_bucket").items()
               if label in k]
    assert [b for b, _ in buckets] == sorted(b for b, _ in buckets) and buckets[-1][0] == float("inf")
    assert [c for _, c in buckets] == sorted(c for _, c in buckets)
    assert values(habitd, name + "_count")[label] == buckets[-1][1] >= at_least
    assert values(habitd, name + "_sum")[label] > 0


def test_durations(house, broker, nominal):
    habitd = house.habitd(broker)
    habitd.put_machine("pump-1", buffer_size=64, axes=1)
    habitd.act("pump-1", "commission")
    habitd.post_all("pump-1", "learn", nominal[:20])
    habitd.post_all("pump-1", "detect", nominal[20:30])
    house.client(broker).publish_all(f"{ROOT}/pump-1/learn", nominal[30:35])
    wait_until(lambda: habitd.learned("pump-1") == 25, "learned")
    check_histogram(habitd, "habit_engine_duration_seconds", 'action="learn"', 25)
    check_histogram(habitd, "habit_engine_duration_seconds", 'action="detect"', 10)
    check_histogram(habitd, "habit_ingest_latency_seconds", 'transport="http"', 30)
    check_histogram(habitd, "habit_ingest_latency_seconds", 'transport="mqtt"', 5)
    check_histogram(habitd, "habit_commit_duration_seconds", "", 20)
    check_histogram(habitd, "habit_commit_batch_size", "", 20)


def test_requests_and_process(habitd):
    habitd.get("/v1/machines/nobody")
    habitd.get("/nowhere")
    requests = values(habitd, "habit_http_requests_total")
    assert requests['method="GET",route="/v1/machines/{id}",code="404"'] == 1
    assert requests['method="",route="",code="404"'] == 1
    process = {name: value for name, value in habitd.metrics().items() if name.startswith("process_")}
    assert 1e6 < process["process_resident_memory_bytes"] < 200e6
    descriptors = len(list(pathlib.Path(f"/proc/{habitd.child.pid}/fd").iterdir()))
    assert process["process_open_fds"] == pytest.approx(descriptors, abs=2)
    started = pathlib.Path(f"/proc/{habitd.child.pid}").stat().st_ctime
    assert process["process_start_time_seconds"] == pytest.approx(started, abs=5)
    assert process["process_cpu_seconds_total"] > 0


def test_alerts_build_on_what_there_is(house, broker, nominal):
    """Every name in the example of alerts is one that habitd shows."""
    habitd = house.habitd(broker)
    habitd.put_machine("pump-1", buffer_size=64, axes=1)
    habitd.post("pump-1", "buffers", nominal[0])
    shown = families(habitd.get("/metrics").text)
    used = set(re.findall(r"habit_[a-z_]+", RULES.read_text()))
    assert used and used <= set(shown), used - set(shown)


@pytest.mark.skipif(not PROMTOOL, reason="promtool is not there: Debian's package prometheus has it")
def test_promtool(house, broker, nominal):
    habitd = house.habitd(broker)
    habitd.put_machine("pump-1", buffer_size=64, axes=1)
    habitd.act("pump-1", "commission")
    habitd.post_all("pump-1", "buffers", nominal[:70])
    tests = REPOSITORY / "tests" / "prometheus" / "rules_test.yml"
    subprocess.run([PROMTOOL, "check", "rules", RULES], check=True)
    subprocess.run([PROMTOOL, "test", "rules", tests], check=True)
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=habitd.get("/metrics").text, text=True,
                          capture_output=True, check=False)
    assert done.returncode == 0 and done.stderr == "", done.stderr
