"""examples/grafana/habit.json and the alerts ask for nothing that habitd does not show, and a real Prometheus, where there is one,
answers each of their questions. It was not opened in Grafana, which Debian does not have."""
import json
import re
import shutil
import subprocess

import pytest
import requests

from support import REPOSITORY, free_port, simulate, wait_until

DASHBOARD = REPOSITORY / "examples" / "grafana" / "habit.json"
RULES = REPOSITORY / "config" / "prometheus-rules.yml"
PROMETHEUS = shutil.which("prometheus")
# What PromQL itself brings, and what Prometheus adds to every target.
WORDS = {"sum", "by", "rate", "increase", "count", "or", "and", "on", "vector", "round", "changes", "histogram_quantile", "group_left"}
ADDED = {"up": {"job", "instance"}}
TARGET = {"job", "instance"}


def expressions():
    """Every question of the dashboard, by where it stands."""
    dashboard = json.loads(DASHBOARD.read_text())
    for panel in dashboard["panels"]:
        for target in panel.get("targets", ()):
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for note in dashboard["annotations"]["list"]:
        yield note["name"], note["expr"]
    for variable in dashboard["templating"]["list"]:
        if variable["type"] == "query":
            yield variable["name"], re.fullmatch(r"label_values\((.*), (\w+)\)", variable["query"]["query"])[1]


def rules():
    for name, expression in re.findall(r"- alert: (\w+)\n\s+expr: (.*)", RULES.read_text()):
        yield name, expression


def selectors(expression):
    """(metric, labels) that an expression names."""
    bare = re.sub(r"\b(?:by|on|group_left) \([^)]*\)|\[[^\]]*\]", "", expression)
    for name, labels in re.findall(r"(?<![\w.])([a-zA-Z_]\w*)(?:\{([^}]*)\})?", bare):
        if name not in WORDS:
            yield name, set(re.findall(r"(\w+)\s*[=!]~?", labels))


def grouped(expression):
    return {word for words in re.findall(r"\b(?:by|on) \(([^)]*)\)", expression) for word in words.split(", ")} - {"le"}


@pytest.fixture(scope="module")
def shown(module_house, tmp_path_factory):
    """A habitd with one machine that broke its habit, and metric to labels of what it shows."""
    broker = module_house.broker()
    habitd = module_house.habitd(broker)
    folder = tmp_path_factory.mktemp("buffers")
    habitd.put_machine("pump-1", buffer_size=64, axes=1, learn=60, false_alarms="off", asset="line", location="hall")
    habitd.act("pump-1", "commission")
    habitd.post_all("pump-1", "buffers", simulate(folder, 80, 64, 1, seed=5))
    habitd.post_all("pump-1", "buffers", simulate(folder, 20, 64, 1, seed=5, fault="looseness"))
    habitd.request("POST", "/v1/machines/pump-1/buffers", data=b"123", headers={"Content-Type": "application/octet-stream"})
    habitd.samples = {}
    for name in habitd.metrics():
        metric, labels = re.fullmatch(r"(\w+)(?:\{(.*)\})?", name, re.S).groups()
        habitd.samples.setdefault(metric, set()).update(re.findall(r'(\w+)="', labels or ""))
    return habitd


@pytest.mark.parametrize("where, expression", [*expressions(), *rules()])
def test_every_name_is_shown(shown, where, expression):
    found = list(selectors(expression))
    assert found, f"no metric in {expression}"
    everything = set()
    for metric, labels in found:
        there = ADDED.get(metric) or shown.samples.get(metric)
        assert there is not None, f"{where}: habitd shows no {metric}"
        assert labels <= there | TARGET, f"{where}: {metric} has no {labels - there - TARGET}"
        everything |= there | TARGET
    assert grouped(expression) <= everything, f"{where}: nothing has {grouped(expression) - everything}"


def test_the_test_sees_wrong_names(shown):
    assert dict(selectors('sum by (phase) (rate(habit_x{instance=~"$i", machine="a"}[5m])) > 0')) == {"habit_x": {"instance", "machine"}}
    assert "habit_x" not in shown.samples


def test_the_form():
    dashboard = json.loads(DASHBOARD.read_text())
    numbers = [panel["id"] for panel in dashboard["panels"]]
    assert len(set(numbers)) == len(numbers)
    places = [(p["gridPos"], p["title"]) for p in dashboard["panels"]]
    for one, title in places:
        assert one["x"] + one["w"] <= 24, title
        over = [other for place, other in places if place is not one and place["x"] < one["x"] + one["w"] and
                one["x"] < place["x"] + place["w"] and place["y"] < one["y"] + one["h"] and one["y"] < place["y"] + place["h"]]
        assert not over, f"{title} lies over {over}"
    text = DASHBOARD.read_text()
    known = {v["name"] for v in dashboard["templating"]["list"]} | {"__rate_interval", "__all"}
    assert set(re.findall(r"\$\{?(\w+)", text)) <= known


@pytest.mark.skipif(not PROMETHEUS, reason="prometheus is not there: Debian's package prometheus has it")
def test_prometheus_answers(shown, tmp_path):
    port = free_port()
    (tmp_path / "prometheus.yml").write_text(
        "global: { scrape_interval: 1s, evaluation_interval: 1s }\n"
        f"scrape_configs: [{{ job_name: habit, static_configs: [{{ targets: ['{shown.url.split('//')[1]}'] }}] }}]\n"
        f"rule_files: ['{RULES}']\n")
    with open(tmp_path / "log", "w", encoding="utf-8") as log:
        server = subprocess.Popen([PROMETHEUS, f"--config.file={tmp_path}/prometheus.yml", f"--web.listen-address=127.0.0.1:{port}",
                                   f"--storage.tsdb.path={tmp_path}/data"], stdout=log, stderr=log)

    def ask(expression):
        answer = requests.get(f"http://127.0.0.1:{port}/api/v1/query", params={"query": expression}, timeout=10)
        assert answer.status_code == 200, f"{expression}: {answer.text}"
        return answer.json()["data"]["result"]

    def ready():
        try:
            if requests.get(f"http://127.0.0.1:{port}/-/ready", timeout=10).status_code != 200:
                return False
            return len(ask("habit_build_info")) == 1 and ask("count_over_time(habit_build_info[20s]) > 4")
        except requests.ConnectionError:
            return False
    try:
        wait_until(ready, "scraped a few times", 40)
        empty = []
        for where, expression in expressions():
            plain = re.sub(r"\$__rate_interval|1m\b", "20s", re.sub(r'"\$\w+"', '".+"', expression))
            if not ask(plain) and where not in ("Anomalies",):  # nothing was raised since the first scrape
                empty.append(where)
        assert not empty, empty
        assert "HabitAnomaly" in {a["metric"]["alertname"] for a in wait_until(lambda: ask("ALERTS"), "alerts")}
    finally:
        server.terminate()
        server.wait(20)
