"""Stored buffers leave the gateway as files, and recordings are tried with other settings before switching."""
import json
import struct
import time
import zipfile

import pytest

from support import floats, habit, numbers, simulate

SIZE, AXES, RATE = 64, 3, 1000
MINUTE = 60000
GEOMETRY = ("--settings", f"buffer_size={SIZE}", "--settings", f"axes={AXES}", "--settings", f"sampling_hz={RATE}")


def rfc3339(wall):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(wall // 1000)) + f".{wall % 1000:03d}Z"


def csv_file(path, rows):
    """rows: (wall ms, buffer)"""
    lines = ["time," + ",".join(f"v{i}" for i in range(SIZE * AXES))]
    lines += [",".join([rfc3339(at), *map(repr, numbers(buffer))]) for at, buffer in rows]
    path.write_text("\n".join(lines) + "\n")
    return path


def live(habitd, buffers, begin):
    """What the daemon did with buffers of one a minute that were sent afterwards."""
    body = "".join(json.dumps({"machine": "pump", "data": numbers(buffer), "time": begin + i * MINUTE}) + "\n"
                   for i, buffer in enumerate(buffers))
    answer = habitd.request("POST", "/v1/buffers", data=body, headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.text.splitlines()]


def replay(*arguments, url=None):
    return json.loads(habit("replay", "--json", *arguments, url=url).stdout)


@pytest.fixture(scope="module")
def world(module_house, tmp_path_factory):
    """A machine that learned 100 buffers and was ill for an hour."""
    folder = tmp_path_factory.mktemp("data")
    habitd = module_house.habitd()
    good, bad = simulate(folder, 260, SIZE, AXES, seed=5), simulate(folder, 60, SIZE, AXES, seed=5, fault="looseness")
    habitd.put_machine("pump", buffer_size=SIZE, axes=AXES, sampling_hz=RATE, unit="g", learn=100)
    habitd.post_all("pump", "learn", good[:100])
    assert habitd.machine("pump")["phase"] == "watching"
    return {"habitd": habitd, "folder": folder, "good": good, "bad": bad,
            "begin": int(1000 * time.time()) - 6 * 60 * MINUTE}


@pytest.fixture(scope="module")
def recorded(world):
    """A file of four hours, and what the daemon said of them."""
    buffers = world["good"][100:200] + world["bad"] + world["good"][200:]
    verdicts = live(world["habitd"], buffers, world["begin"])
    rows = [(world["begin"] + i * MINUTE, buffer) for i, buffer in enumerate(buffers)]
    return csv_file(world["folder"] / "pump.csv", rows), verdicts, rows


def test_replay_does_what_the_daemon_did(world, recorded):
    path, verdicts, _ = recorded
    wanted = world["habitd"].anomalies(machine="pump")
    assert len(wanted) == 1 and wanted[0]["cleared"]
    done = replay("--machine", "pump", path, "--timezone", "UTC", url=world["habitd"].url)["as_it_is"]
    assert done["buffers"]["ok"] == len(verdicts)
    assert len(done["anomalies"]) == 1
    for member in ("raised", "cleared", "similarity", "distance", "buffers", "explanation"):
        assert done["anomalies"][0][member] == wanted[0][member], member
    report = world["habitd"].json("/v1/reports/daily", params={"machine": "pump", "date": done["reports"][0]["date"]})
    for member in ("detected", "below", "anomalies", "similarity_mean", "similarity_min"):
        assert done["reports"][0][member] == report["reports"][0][member], member


def test_other_settings_are_tried_and_nothing_changes(world, recorded):
    path, _, _ = recorded
    before = world["habitd"].machine("pump")
    both = replay("--machine", "pump", path, "--set", "false_alarms=off", "--set", "sensitivity=0.5",
                  url=world["habitd"].url)
    assert both["tried"]["anomalies"][0]["raised"] < both["as_it_is"]["anomalies"][0]["raised"]
    assert both["tried"]["anomalies"][0]["sensitivity"] == 0.5
    dull = replay("--machine", "pump", path, "--set", "sensitivity=0.01", url=world["habitd"].url)
    assert dull["tried"]["anomalies"] == [] and len(dull["as_it_is"]["anomalies"]) == 1
    after = world["habitd"].machine("pump")
    for volatile in ("last_seen", "online"):
        before.pop(volatile, None), after.pop(volatile, None)
    assert after == before


def test_other_knowledge_is_tried(world, recorded, tmp_path):
    """What has learned the fault does not mind it."""
    path, _, rows = recorded
    learned = tmp_path / "both.f32"
    learned.write_bytes(b"".join(world["good"][:100] + world["bad"]))
    block = tmp_path / "block.habt"
    habit("emulate", "--buffer-size", SIZE, "--axes", AXES, "--sampling-hz", RATE, "--unit", "g", "--learn", learned,
          "--knowledge", block)
    both = replay("--machine", "pump", path, "--knowledge", block, url=world["habitd"].url)
    assert len(both["as_it_is"]["anomalies"]) == 1
    assert both["tried"]["learned"] == 160
    assert sum(r["below"] for r in both["tried"]["reports"]) < sum(r["below"] for r in both["as_it_is"]["reports"]) / 2


def test_replay_of_stored_buffers(world, recorded):
    """Those that were learned, and those that raised."""
    done = replay("--machine", "pump", url=world["habitd"].url)["as_it_is"]
    stored = sum(done["buffers"].values())
    assert 100 < stored <= 100 + 60
    text = habit("replay", "--machine", "pump", url=world["habitd"].url).stdout
    assert "Stored are only buffers" in text and "report:" in text


def test_replay_without_a_daemon(world, tmp_path):
    """Raw files, times by --from and --every; 25 hours of a day in autumn."""
    good, bad = tmp_path / "good.f32", tmp_path / "bad.f32"
    good.write_bytes(b"".join(world["good"]))
    bad.write_bytes(b"".join(world["bad"]))
    both = replay(*GEOMETRY, "--learn", good, good, bad, "--from", "2026-10-24T22:00:00Z", "--every", "5m",
                  "--timezone", "Europe/Berlin", "--set", "threshold=70", "--set", "clear=75",
                  "--settings", "false_alarms=off")
    for name in ("as_it_is", "tried"):
        assert both[name]["learned"] == 260
        assert [r["date"] for r in both[name]["reports"]] == ["2026-10-25", "2026-10-26"]
        assert both[name]["reports"][0]["hours"] == 25
        assert len(both[name]["anomalies"]) == 1
    assert both["tried"]["anomalies"][0]["raised"] >= both["as_it_is"]["anomalies"][0]["raised"]
    alone = replay(*GEOMETRY, good, "--every", "1m")
    assert "tried" not in alone
    assert alone["as_it_is"]["buffers"]["learned"] >= 60, "the first buffers are learned"


def lines_file(path, rows, machine="pump"):
    path.write_text("".join(json.dumps({"machine": machine, "time": at, "data": numbers(buffer), "context": context})
                            + "\n" for at, buffer, context in rows))
    return path


def test_rules_are_tried_on_lines_with_context(world, tmp_path):
    """Lines hold what came beside the buffers: a rule learns when it is hot."""
    rows = [(world["begin"] + i * MINUTE, buffer, {"temperature": 65 if i >= 60 else 40})
            for i, buffer in enumerate(world["good"][100:])]
    other = [(rows[-1][0] + MINUTE, world["bad"][0], {})]
    path = lines_file(tmp_path / "pump.ndjson", rows)
    both = replay("--machine", "pump", path, "--set", "rule=temperature > 60 for 10m : learn 20",
                  url=world["habitd"].url)
    assert both["as_it_is"]["buffers"]["learned"] == 0
    assert both["tried"]["buffers"]["learned"] == 20 and both["tried"]["learned"] == 120
    path.write_text(path.read_text() + lines_file(tmp_path / "x", other, "fan").read_text())
    done = habit("replay", "--machine", "pump", path, url=world["habitd"].url)
    assert "1 buffers were left out: of others than machine pump" in done.stderr
    refused = habit("replay", *GEOMETRY, path, check=False)
    assert refused.returncode == 3 and f"{path}:161: another machine than before" in refused.stderr


WRONG = [
    (["x.f32"], 2, "must say what a buffer is"),
    ([*GEOMETRY], 2, "FILE... or --machine ID is missing"),
    ([*GEOMETRY, "good.f32", "--set", "thershold=80"], 3, "no setting thershold"),
    ([*GEOMETRY, "good.f32", "--set", "threshold"], 2, "is not KEY=VALUE"),
    ([*GEOMETRY, "good.f32", "--set", "threshold=99"], 3, "clear 93 is below threshold 99"),
    ([*GEOMETRY, "good.f32", "--set", "axes=2"], 3, "values"),
    ([*GEOMETRY, "good.f32", "--every", "0"], 2, "not a duration"),
    ([*GEOMETRY, "good.f32", "--from", "yesterday"], 2, "RFC 3339"),
    ([*GEOMETRY, "good.f32", "--from", "1969-12-31T23:59:59Z"], 2, "between 1970 and 9999: see --from and --every"),
    ([*GEOMETRY, "good.f32", "--from", "9999-12-31T23:59:59Z"], 2, "20, do not fit between 1970 and 9999"),
    ([*GEOMETRY, "good.f32", "--every", "99999999999d"], 2, "do not fit between"),
    ([*GEOMETRY, "--learn", "good.f32", "good.f32", "--every", "700d"], 2, "20 buffers to learn, then 20, do not fit"),
    ([*GEOMETRY, "good.f32", "--knowledge", "good.f32"], 3, "knowledge"),
    ([*GEOMETRY, "good.f32", "--snapshot", "1"], 2, "are of --machine"),
    ([*GEOMETRY, "nothing.f32"], 1, "cannot open"),
    ([*GEOMETRY, "times.csv"], 3, "time is not RFC 3339"),
    ([*GEOMETRY, "a.ndjson"], 3, "a.ndjson:2: a line is an object"),
]


@pytest.mark.parametrize("arguments, code, said", WRONG, ids=[w[2] for w in WRONG])
def test_wrong_use_of_replay(world, tmp_path, monkeypatch, arguments, code, said):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.f32").write_bytes(b"".join(world["good"][:20]))
    (tmp_path / "times.csv").write_text("time,a\nnoon," + ",".join(["1"] * SIZE * AXES) + "\n")
    good = json.dumps(numbers(world["good"][0]))
    (tmp_path / "a.ndjson").write_text('{"data":' + good + "}\n[1]\n")
    done = habit("replay", *arguments, check=False)
    assert done.returncode == code and said in done.stderr, (done.returncode, done.stderr)
    assert done.stdout == ""


WRONG_LINES = [{"data": [1, 2]}, {"time": "noon"}, {"time": 1795395353571000}, {"time": 1795353571000.5}, {"time": -1},
               {"time": "9999-12-31T23:59:59-01:00"}, {"context": [1]}, {"context": {"load": "full"}}, {"data": [["1"]]},
               {"data": 7}, {"machine": 5}, {"seq": -1}, "{", "7", '{"machine":"pump","data":[1e16]}', '{"data":[1],"data":[1]}']


@pytest.mark.parametrize("wrong", WRONG_LINES, ids=str)
def test_lines_are_refused_as_the_door_refuses_them(world, tmp_path, wrong):
    line = {"machine": "pump", "data": numbers(world["good"][0])}
    text = wrong if isinstance(wrong, str) else json.dumps({**line, **wrong})
    said = world["habitd"].request("POST", "/v1/buffers", data=text, headers={"Content-Type": "application/x-ndjson"})
    (tmp_path / "wrong.ndjson").write_text(json.dumps(line) + "\n" + text + "\n")
    done = habit("replay", *GEOMETRY, tmp_path / "wrong.ndjson", check=False)
    assert done.returncode == 3 and done.stdout == ""
    assert f"wrong.ndjson:2: {said.json()['problem']['detail']}\n" in done.stderr


def test_times_are_of_all_buffers_or_of_none(world, tmp_path):
    lines = [{"data": numbers(world["good"][0])}, {"data": numbers(world["good"][1]), "time": world["begin"]}]
    (tmp_path / "late.ndjson").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = habit("replay", *GEOMETRY, tmp_path / "late.ndjson", check=False)
    assert done.returncode == 3 and "late.ndjson: the first buffer has no time, one after it has" in done.stderr


def test_lines_may_hold_several_buffers(world, tmp_path):
    buffers = [number for buffer in world["good"][:10] for number in numbers(buffer)]
    (tmp_path / "whole.ndjson").write_text(json.dumps({"time": world["begin"], "data": buffers}) + "\n")
    whole = replay(*GEOMETRY, tmp_path / "whole.ndjson", "--every", "1m")
    assert sum(whole["as_it_is"]["buffers"].values()) == 10


# --------------------------------------------------------------------------------------------------------------- export

def export(world, path, *more):
    habit("export", "pump", "--output", path, *more, url=world["habitd"].url)
    return path


def close(stored, sent):
    """int16 with a step of its own for each axis: half a step of the range is the error."""
    for axis in range(AXES):
        a, b = stored[axis::AXES], sent[axis::AXES]
        step = (max(b) - min(b)) / 65534
        assert max(abs(x - y) for x, y in zip(a, b)) <= 0.51 * step


def stored_lines(world, **parameters):
    answer = world["habitd"].get("/v1/machines/pump/buffers", params=parameters)
    assert answer.status_code == 200 and answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def test_stored_buffers_over_rest(world, recorded):
    lines = stored_lines(world)
    assert len(lines) == 100
    for line, sent in zip(lines, world["good"]):
        assert line["machine"] == "pump" and line["axes"] == AXES and "anomaly" not in line
        close(line["data"], numbers(sent))
    anomaly = world["habitd"].anomalies(machine="pump")[0]["id"]
    evidence = stored_lines(world, anomaly=anomaly)
    sent = {rfc3339(at): buffer for at, buffer in recorded[2]}
    assert evidence and all(line["anomaly"] == anomaly for line in evidence)
    for line in evidence:
        close(line["data"], numbers(sent[line["time"]]))
    assert world["habitd"].get("/v1/machines/pump/buffers", params={"anomaly": 999}).status_code == 404
    assert world["habitd"].get("/v1/machines/nobody/buffers").status_code == 404


def test_export_to_csv_is_read_again(world, recorded, tmp_path):
    path = export(world, tmp_path / "pump.csv")
    text = path.read_text().splitlines()
    assert "# sampling_hz: 1000" in text and "# unit: g" in text and f"# buffer_size: {SIZE}" in text
    header = next(line for line in text if line.startswith("time,"))
    assert header.split(",")[1:5] == ["x0 [g]", "y0 [g]", "z0 [g]", "x1 [g]"]
    lines = stored_lines(world)
    rows = [line.split(",") for line in text if line[0].isdigit()]
    assert len(rows) > 100
    by_time = {row[0]: [float(x) for x in row[1:]] for row in rows}
    assert all(floats(by_time[line["time"]]) == floats(line["data"]) for line in lines[:5])
    assert [row[0] for row in rows] == sorted(row[0] for row in rows)
    scored = habit("emulate", "--buffer-size", SIZE, "--axes", AXES, "--learn", path).stdout
    assert scored is not None
    again = replay(*GEOMETRY, path, "--timezone", "UTC")["as_it_is"]
    assert sum(again["buffers"].values()) == len(rows)


def test_export_to_numpy(world, tmp_path):
    """As its documents say: a ZIP of .npy; read by hand, and by NumPy where it is installed."""
    path = export(world, tmp_path / "pump.npz")
    lines = stored_lines(world)
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        members = {name: archive.read(name) for name in archive.namelist()}
    assert set(members) == {f"{n}.npy" for n in ("samples", "time", "anomaly", "sampling_hz", "unit", "machine")}

    def array_of(name):
        raw = members[name + ".npy"]
        assert raw[:8] == b"\x93NUMPY\x01\x00"
        size = struct.unpack("<H", raw[8:10])[0]
        assert (10 + size) % 64 == 0 and raw[9 + size:10 + size] == b"\n"
        return eval(raw[10:10 + size].decode(), {}), raw[10 + size:]  # pylint: disable=eval-used

    about, data = array_of("samples")
    count = about["shape"][0]
    assert about == {"descr": "<f4", "fortran_order": False, "shape": (count, SIZE, AXES)} and count > 100
    assert len(data) == 4 * count * SIZE * AXES
    assert floats(lines[0]["data"]) in data
    about, data = array_of("time")
    assert about["descr"] == "<M8[ms]" and about["shape"] == (count,) and len(data) == 8 * count
    assert struct.unpack("<d", array_of("sampling_hz")[1]) == (RATE,)
    assert array_of("unit")[1].decode("utf-32-le") == "g"
    assert array_of("machine")[1].decode("utf-32-le") == "pump"
    try:
        import numpy  # pylint: disable=import-outside-toplevel
    except ImportError:
        return
    loaded = numpy.load(path)
    assert loaded["samples"].shape == (count, SIZE, AXES) and str(loaded["unit"]) == "g"
    assert loaded["sampling_hz"] == RATE and loaded["time"].dtype == "datetime64[ms]"


def chunks_of(raw):
    assert raw[:4] == b"RIFF" and raw[8:12] == b"WAVE" and struct.unpack("<I", raw[4:8])[0] == len(raw) - 8
    at, chunks = 12, {}
    while at < len(raw):
        name, size = raw[at:at + 4], struct.unpack("<I", raw[at + 4:at + 8])[0]
        chunks[name] = raw[at + 8:at + 8 + size]
        at += 8 + size + size % 2
    assert at == len(raw)
    return chunks


def test_export_to_wav(world, tmp_path):
    anomaly = world["habitd"].anomalies(machine="pump")[0]["id"]
    chunks = chunks_of(export(world, tmp_path / "pump.wav", "--anomaly", anomaly).read_bytes())
    kind, channels, rate, _, frame, bits, _ = struct.unpack("<HHIIHHH", chunks[b"fmt "])
    assert (kind, channels, rate, frame, bits) == (3, AXES, RATE, 4 * AXES, 32)
    lines = stored_lines(world, anomaly=anomaly)
    assert chunks[b"data"] == b"".join(floats(line["data"]) for line in lines)
    assert struct.unpack("<I", chunks[b"fact"])[0] == len(lines) * SIZE
    assert b"unit: g" in chunks[b"LIST"] and b"pump" in chunks[b"LIST"]


def test_export_to_lines_that_another_gateway_takes(world, house, tmp_path):
    path = export(world, tmp_path / "pump.ndjson")
    other = house.habitd()
    other.put_machine("pump", buffer_size=SIZE, axes=AXES, sampling_hz=RATE, unit="g", start="auto", learn=100)
    answer = other.request("POST", "/v1/buffers", data=path.read_bytes(),
                           headers={"Content-Type": "application/x-ndjson"})
    assert answer.status_code == 200, answer.text
    statuses = [json.loads(line)["status"] for line in answer.text.splitlines()]
    assert statuses[:100].count("learned") + statuses[100:].count("learned") == 100 and "refused" not in statuses


def test_wrong_use_of_export(world, house, tmp_path):
    def refused(*arguments, url=world["habitd"].url):
        done = habit("export", *arguments, url=url, check=False)
        assert done.returncode != 0
        return done.stderr

    assert "name it .csv" in refused("pump", "--output", tmp_path / "pump.mp3")
    assert "not a machine ID" in refused("../x", "--output", tmp_path / "x.csv")
    assert "no machine nobody" in refused("nobody", "--output", tmp_path / "x.csv")
    world["habitd"].put_machine("slow", buffer_size=SIZE, axes=AXES)
    assert "no buffers are stored" in refused("slow", "--output", tmp_path / "x.csv")
    world["habitd"].post_all("slow", "learn", world["good"][:3])
    assert "sampling rate" in refused("slow", "--output", tmp_path / "x.wav")
    assert not list(tmp_path.iterdir()), "nothing is left behind"
