"""/openapi.json: complete, well formed, and true. That answers are as described is checked in every system test: support.py."""
import json
import re

import jsonschema
import pytest

from openapi import DIALECT, Description
from support import RAW, REPOSITORY, simulate, wait_until
from test_events import Stream
from test_security import NEEDS

METHODS = {"get", "put", "post", "patch", "delete"}


@pytest.fixture(scope="module")
def document(shared_habitd):
    return shared_habitd.json("/openapi.json")


def operations(document):
    return [(method.upper(), path, operation) for path, all_of in document["paths"].items() for method, operation in all_of.items()]


def references(part):
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        part = list(part.values())
    if isinstance(part, list):
        for each in part:
            yield from references(each)


def test_every_route_is_described(shared_habitd, document):
    listed = re.findall(r"^([A-Z]+) +(/\S*)", shared_habitd.get("/").text, re.M)
    assert len(listed) > 25 and sorted(listed) == sorted((m, p) for m, p, _ in operations(document))


def test_each_says_what_it_does_takes_and_gives(document):
    for method, path, operation in operations(document):
        what = f"{method} {path}"
        assert operation["summary"], what
        assert any(status.startswith("2") for status in operation["responses"]), what
        assert [p["name"] for p in operation["parameters"] if p["in"] == "path"] == re.findall(r"\{(\w+)\}", path), what
        for parameter in operation["parameters"]:
            assert parameter["description"], f"{what}: {parameter['name']} has no row in the table of parameters"
        assert method != "GET" or "requestBody" not in operation, what
        for body in [operation.get("requestBody", {}), *operation["responses"].values()]:
            for media, content in body.get("content", {}).items():
                assert "schema" in content or media not in ("application/json", "application/problem+json"), f"{what}: {media}"


def test_it_says_who_may(document):
    """The scopes themselves are those of the table, which test_security.py tries one by one."""
    schemes = document["components"]["securitySchemes"]
    assert (schemes["token"]["type"], schemes["token"]["scheme"]) == ("http", "bearer")
    assert (schemes["session"]["type"], schemes["session"]["in"], schemes["session"]["name"]) == ("apiKey", "cookie", "habit")
    of_table = {(method, path): [] if needs == "" else [{scheme: [] if needs == "any" else [needs]} for scheme in ("token", "session")]
                for (method, path), needs in NEEDS.items()}
    assert {(method, path): operation["security"] for method, path, operation in operations(document)} == of_table


def test_it_is_well_formed(document):
    assert document["openapi"] == "3.1.0" and {"paths", "info", "components"} < set(document)
    for reference in references(document):
        part = document
        for step in reference.removeprefix("#/").split("/"):
            assert step in part, reference
            part = part[step]
    for name, schema in document["components"]["schemas"].items():
        jsonschema.Draft202012Validator.check_schema({"$schema": DIALECT, **schema})
    used = {r.rsplit("/", 1)[1] for r in references(document)} | {"State", "AnomalyEvent", "TroubleEvent"}
    assert set(document["components"]["schemas"]) - used == set(), "shapes that nothing has"


def test_it_is_strict(document):
    """What it does not describe, and what lacks, is noticed."""
    description = Description(document)
    good = {"machine": "m", "sensitivity": 1.0}
    assert description.faults_of("Sensitivity", good) is None
    for bad in ({**good, "more": 1}, {"machine": "m"}, {**good, "machine": "-"}, {**good, "sensitivity": "1"}):
        assert description.faults_of("Sensitivity", bad)
    for name, schema in document["components"]["schemas"].items():
        if schema.get("type") == "object" and name not in ("Context", "HourCounters", "HourMeans"):
            assert schema.get("additionalProperties") is False or schema.get("unevaluatedProperties") is False, name


def test_problem_types_are_documented(document):
    kinds = [row["const"].removeprefix("urn:habit:problem:") for row in document["components"]["schemas"]["Problem"]["properties"]["type"]["oneOf"]]
    text = (REPOSITORY / "docs" / "interface.md").read_text()
    assert len(kinds) > 20 and [kind for kind in kinds if f"`{kind}`" not in text] == []


def test_settings_are_described_as_they_are(shared_habitd, document):
    machine = shared_habitd.put_machine("m", buffer_size=64, axes=1, learn="auto")
    description = Description(document)
    assert set(document["components"]["schemas"]["Settings"]["properties"]) == set(machine["settings"])
    assert description.faults_of("Settings", {"buffer_size": 64, "learn": 60, "learn_max": 3600}) is None
    assert description.faults_of("Settings", {"buffer_size": 5000}) and description.faults_of("Settings", {"name": None})
    assert description.faults_of("SettingsPatch", {"name": None, "buffer_size": None}) is None


def test_events_are_as_described(habitd, document, tmp_path):
    description = Description(document)
    stream = Stream(habitd)
    habitd.put_machine("m", buffer_size=64, axes=1, learn=60, false_alarms="off")
    habitd.act("m", "commission")
    healthy, faulty = simulate(tmp_path, 80, seed=5), simulate(tmp_path, 20, seed=5, fault="looseness")
    for part in (healthy[:60], healthy[60:], faulty, [b"\0" * 256] * 20):
        assert habitd.request("POST", "/v1/machines/m/buffers", data=b"".join(part), headers=RAW).status_code in (200, 422)
    stream.wait("anomaly")
    wait_until(lambda: any(s["similarity"] is not None for s in stream.of("state")), "a judged state")
    stream.close()
    for kind, shape in (("state", "State"), ("anomaly", "AnomalyEvent"), ("event", "TroubleEvent")):
        for event in stream.of(kind):
            assert description.faults_of(shape, event) is None, json.dumps(event)


def test_recent_goes_on_where_it_was_left(habitd, tmp_path):
    habitd.put_machine("m", buffer_size=64, axes=1, learn=60, false_alarms="off")
    assert habitd.json("/v1/machines/m/recent") == {"machine": "m", "next": 0, "points": []}
    habitd.act("m", "commission")
    buffers = simulate(tmp_path, 300, seed=5)
    habitd.post_all("m", "buffers", buffers[:60])
    verdicts = habitd.post_all("m", "buffers", buffers[60:80])
    first = habitd.json("/v1/machines/m/recent")
    assert [(p["similarity"], p["distance"], p["average"]) for p in first["points"]] == [(v["similarity"], v["distance"], v["average"]) for v in verdicts]
    more = habitd.post_all("m", "buffers", buffers[80:83])
    assert [p["distance"] for p in habitd.json(f"/v1/machines/m/recent?after={first['next']}")["points"]] == [v["distance"] for v in more]
    habitd.post_all("m", "buffers", buffers[83:300])
    assert len(habitd.json("/v1/machines/m/recent")["points"]) == 160, "bounded"
    assert len(habitd.json("/v1/machines/m/recent?after=10")["points"]) == 160
    habitd.act("m", "initialize")
    assert habitd.json("/v1/machines/m/recent") == {"machine": "m", "next": 240, "points": []}, "they were judged by other knowledge"
    habitd.restart()
    assert habitd.json("/v1/machines/m/recent?after=240")["points"] == []
    assert habitd.get("/v1/machines/none/recent").status_code == 404 and habitd.get("/v1/machines/m/recent?after=x").status_code == 400


def test_the_page_is_described_as_it_answers(shared_habitd):
    asked = {"Accept": "text/html"}
    etag = shared_habitd.get("/", headers=asked).headers["ETag"]
    assert shared_habitd.get("/", headers={**asked, "If-None-Match": etag}).status_code == 304


def test_the_ends_of_ranges_are_taken(shared_habitd, document):
    """What lies at an end that is described is taken, what lies beyond is refused."""
    shared_habitd.put_machine("ends", buffer_size=64, axes=1)
    for method, path, operation in operations(document):
        for parameter in operation["parameters"]:
            schema = parameter["schema"]
            if method != "GET" or parameter["in"] != "query" or schema.get("type") != "integer":
                continue
            ask = lambda value: shared_habitd.get(path.replace("{id}", "ends"), params={parameter["name"]: value}).status_code
            what = f"{path}?{parameter['name']}"
            assert ask(schema["minimum"]) in (200, 404) and ask(schema["minimum"] - 1) == 400, what
            assert "maximum" not in schema or (ask(schema["maximum"]) == 200 and ask(schema["maximum"] + 1) == 400), what
