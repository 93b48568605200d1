"""Whatever form samples come in: the same samples give the same knowledge, to the byte."""
import array
import json
import sys

import pytest

from support import CSV, JSON, RAW, ROOT, floats, habit, numbers, simulate, wait_until

SIZE, AXES, COUNT = 32, 3, 40
SETTINGS = {"buffer_size": SIZE, "axes": AXES, "sampling_hz": 1600, "unit": "g", "learn": 100000}
# 0.25: a power of two; 0.0005: rounded in every product, so that the order of roundings shows
SCALES = [0.25, 0.0005]


def as_float(value):
    """The nearest float32."""
    return array.array("f", [value])[0]


def steps(folder):
    """Buffers of int16 as a sensor of 2048 steps per g gives them."""
    return [[round(value * 2048) for value in numbers(buffer)] for buffer in simulate(folder, COUNT, SIZE, AXES, seed=11)]


def scaled(samples, scale, offset=0.0):
    """x = sample * scale + offset, each operation rounded to float32 as habitd does it."""
    return [as_float(as_float(sample * as_float(scale)) + as_float(offset)) for sample in samples]


def i16(samples):
    """Little-endian, as all raw input but i16be."""
    packed = array.array("h", samples)
    if sys.byteorder == "big":
        packed.byteswap()
    return packed.tobytes()


def i16be(samples):
    packed = array.array("h", samples)
    if sys.byteorder == "little":
        packed.byteswap()
    return packed.tobytes()


def planar(samples):
    """x0 y0 z0 x1 ... becomes x0 x1 ... y0 y1 ..."""
    return [value for axis in range(AXES) for value in samples[axis::AXES]]


def csv_line(samples, separator=",", decimal="."):
    return separator.join(repr(value).replace(".", decimal) for value in samples)


def reference(habitd, machine, values, **settings):
    """Knowledge of a machine that learned plain float32, one by one."""
    habitd.put_machine(machine, **SETTINGS, **settings)
    for buffer in values:
        habitd.post(machine, "learn", floats(buffer))
    return habitd.knowledge(machine)


def check_same(habitd, machine, expected):
    assert habitd.learned(machine) == COUNT
    assert habitd.knowledge(machine) == expected


def post(habitd, machine, body, headers, **parameters):
    answer = habitd.request("POST", f"/v1/machines/{machine}/learn", data=body, headers=headers, params=parameters)
    assert answer.status_code == 200, answer.text


# ---------------------------------------------------------------------------------------------------------------- HTTP

def send_batch_f32(habitd, machine, values):
    post(habitd, machine, b"".join(floats(v) for v in values), RAW)


def send_json(habitd, machine, values):
    for value in values:
        post(habitd, machine, json.dumps({"data": value, "colour": "red"}), JSON)


def send_bare_json(habitd, machine, values):
    for value in values:
        post(habitd, machine, json.dumps(value), JSON)


def send_batch_json(habitd, machine, values):
    post(habitd, machine, json.dumps({"data": [x for value in values for x in value]}), JSON)


def send_csv(separator, decimal="."):
    def send(habitd, machine, values):
        lines = [csv_line(value, separator, decimal) for value in values]
        post(habitd, machine, lines[0], CSV)
        post(habitd, machine, "\r\n".join(lines[1:]) + "\r\n", CSV)
    return send


HTTP_FORMS = {
    "f32 in one batch": send_batch_f32,
    "JSON": send_json,
    "bare JSON array": send_bare_json,
    "JSON batch": send_batch_json,
    "CSV, comma": send_csv(","),
    "CSV, semicolon": send_csv(";"),
    "CSV, semicolon and decimal comma": send_csv(";", ","),
    "CSV, tab": send_csv("\t"),
    "CSV, space": send_csv(" "),
}


@pytest.mark.parametrize("form", HTTP_FORMS)
def test_http_form(shared_habitd, tmp_path, form):
    values = [scaled(s, SCALES[1]) for s in steps(tmp_path)]
    name = f"h{list(HTTP_FORMS).index(form)}"
    expected = reference(shared_habitd, f"{name}-plain", values)
    shared_habitd.put_machine(name, **SETTINGS)
    HTTP_FORMS[form](shared_habitd, name, values)
    check_same(shared_habitd, name, expected)


@pytest.mark.parametrize("scale", SCALES)
@pytest.mark.parametrize("form", ["i16", "i16be"])
@pytest.mark.parametrize("offset", [0, -1.5])
def test_integers_by_setting(shared_habitd, tmp_path, form, scale, offset):
    """The machine's own format, scale and offset; and scale is part of the knowledge."""
    samples = steps(tmp_path)
    name = f"s-{form}-{SCALES.index(scale)}-{int(offset == 0)}"
    expected = reference(shared_habitd, f"{name}-plain", [scaled(s, scale, offset) for s in samples], scale=scale)
    shared_habitd.put_machine(name, **SETTINGS, scale=scale, offset=offset, format=form)
    for buffer in samples:
        post(shared_habitd, name, {"i16": i16, "i16be": i16be}[form](buffer), RAW)
    check_same(shared_habitd, name, expected)


@pytest.mark.parametrize("form", ["i16", "i16be"])
def test_integers_by_parameter(shared_habitd, tmp_path, form):
    samples, name = steps(tmp_path), f"p-{form}"
    expected = reference(shared_habitd, f"{name}-plain", [scaled(s, SCALES[1]) for s in samples], scale=SCALES[1])
    shared_habitd.put_machine(name, **SETTINGS, scale=SCALES[1])
    pack = {"i16": i16, "i16be": i16be}[form]
    post(shared_habitd, name, pack(samples[0]), RAW, format=form)
    post(shared_habitd, name, b"".join(pack(s) for s in samples[1:]), RAW, format=form)
    check_same(shared_habitd, name, expected)


@pytest.mark.parametrize("form", ["raw", "json", "csv", "batch"])
def test_planar(shared_habitd, tmp_path, form):
    values = [scaled(s, SCALES[0]) for s in steps(tmp_path)]
    expected = reference(shared_habitd, f"planar-{form}-plain", values)
    shared_habitd.put_machine(f"planar-{form}", **SETTINGS, layout="planar")
    turned = [planar(v) for v in values]
    if form == "batch":
        post(shared_habitd, "planar-batch", b"".join(floats(t) for t in turned), RAW)
    for value in turned if form != "batch" else ():
        body, headers = {"raw": (floats(value), RAW), "json": (json.dumps(value), JSON),
                         "csv": (csv_line(value), CSV)}[form]
        post(shared_habitd, f"planar-{form}", body, headers)
    check_same(shared_habitd, f"planar-{form}", expected)


def test_forms_are_told_apart(shared_habitd, tmp_path):
    """The comparison can fail: one sample more or less by one step gives other bytes."""
    samples = steps(tmp_path)
    values = [scaled(s, SCALES[0]) for s in samples]
    expected = reference(shared_habitd, "apart-plain", values)
    values[7][5] += SCALES[0]
    assert reference(shared_habitd, "apart", values) != expected


# ---------------------------------------------------------------------------------------------------------------- MQTT

INPUTS = """
[machine "in-*"]
create = yes
buffer_size = 32
axes = 3
sampling_hz = 1600
unit = g
learn = 100000

[input "accel"]
topic = factory/+/{machine}/accel
action = learn

[input "i16"]
topic = factory/+/{machine}/i16
action = learn
format = i16
scale = 0.0005
offset = -1.5

[input "i16be"]
topic = {machine}/raw/be
action = learn
format = i16be
scale = 0.0005
offset = -1.5

[input "planar"]
topic = factory/planar/{machine}
action = learn
format = i16
scale = 0.0005
offset = -1.5
layout = planar

[input "f32-scaled"]
topic = steps/{machine}
action = learn
scale = 0.0005
offset = -1.5

[input "json"]
topic = json/{machine}/up
action = learn
format = json
path = accel.samples

[input "json-scaled"]
topic = json/{machine}/steps
action = learn
format = json
path = accel.samples
scale = 0.0005
offset = -1.5
layout = planar
"""


def nested(values):
    return json.dumps({"ts": 12, "accel": {"range": 8, "samples": values}})


MQTT_FORMS = {  # topic, payload of the steps, payload of the values
    "in-f32": ("factory/hall-2/in-f32/accel", lambda s, v: floats(v)),
    "in-i16": ("factory/hall-2/in-i16/i16", lambda s, v: i16(s)),
    "in-be": ("in-be/raw/be", lambda s, v: i16be(s)),
    "in-planar": ("factory/planar/in-planar", lambda s, v: i16(planar(s))),
    "in-steps": ("steps/in-steps", lambda s, v: floats(s)),
    "in-json": ("json/in-json/up", lambda s, v: nested(v)),
    "in-json-steps": ("json/in-json-steps/steps", lambda s, v: nested(planar(s))),
    "in-own": (f"{ROOT}/in-own/learn", lambda s, v: floats(v)),
}


@pytest.fixture(scope="module")
def inputs(module_house):
    """A gateway with a table of inputs, its broker's client, and what plain float32 gives."""
    broker = module_house.broker()
    return module_house.habitd(broker, sections=INPUTS), module_house.client(broker)


@pytest.mark.parametrize("machine", MQTT_FORMS)
def test_mqtt_input(inputs, tmp_path, machine):
    habitd, client = inputs
    samples = steps(tmp_path)
    values = [scaled(s, SCALES[1], -1.5) for s in samples]
    expected = reference(habitd, f"plain-{machine}", values)
    topic, form = MQTT_FORMS[machine]
    client.publish_all(topic, [form(s, v) for s, v in zip(samples, values)])
    wait_until(lambda: habitd.get(f"/v1/machines/{machine}").status_code == 200 and habitd.learned(machine) == COUNT,
               "all learned")
    check_same(habitd, machine, expected)


@pytest.mark.parametrize("kind", ["audio/L16", "application/json", "no type at all"])
def test_what_an_input_says_counts_whatever_a_sensor_calls_it(inputs, tmp_path, kind):
    """A sensor that knows nothing of us has words of its own for what it sends."""
    habitd, client = inputs
    machine = "in-typed-" + kind.partition("/")[0].partition(" ")[0]
    client.publish_all(f"factory/hall-2/{machine}/i16", [i16(s) for s in steps(tmp_path)], content_type=kind)
    wait_until(lambda: habitd.get(f"/v1/machines/{machine}").status_code == 200 and habitd.learned(machine) == COUNT, "all learned", 5)


@pytest.mark.parametrize("kind", ["json", "csv", "batch"])
def test_announced_on_own_topics(inputs, tmp_path, kind):
    """Content type, and a batch in one message."""
    habitd, client = inputs
    values = [scaled(s, SCALES[1]) for s in steps(tmp_path)]
    expected = reference(habitd, f"plain-{kind}", values)
    habitd.put_machine(f"own-{kind}", **SETTINGS)
    topic = f"{ROOT}/own-{kind}/learn"
    if kind == "json":
        client.publish_all(topic, [json.dumps(v) for v in values], content_type="application/json; charset=utf-8")
    elif kind == "csv":
        client.publish_all(topic, [csv_line(v) for v in values], content_type="text/csv")
    else:
        client.publish(topic, b"".join(floats(v) for v in values))
    wait_until(lambda: habitd.learned(f"own-{kind}") == COUNT, "all learned")
    check_same(habitd, f"own-{kind}", expected)


def test_machine_that_speaks_json(inputs, tmp_path):
    """format = json: its own topics carry JSON without saying so."""
    habitd, client = inputs
    values = [scaled(s, SCALES[1]) for s in steps(tmp_path)]
    expected = reference(habitd, "plain-speaks", values)
    habitd.put_machine("speaks", **SETTINGS, format="json")
    client.publish_all(f"{ROOT}/speaks/learn", [json.dumps({"data": v}) for v in values])
    wait_until(lambda: habitd.learned("speaks") == COUNT, "all learned")
    check_same(habitd, "speaks", expected)


def test_numbers_in_user_properties(inputs, tmp_path):
    habitd, client = inputs
    buffers = simulate(tmp_path, 3, SIZE, AXES)
    habitd.put_machine("numbered", **SETTINGS)
    for seq in (1, 2, 2, 1, 3):
        client.publish(f"{ROOT}/numbered/learn", buffers[seq - 1], seq=seq, boot="b", source="s", colour="red")
    wait_until(lambda: habitd.learned("numbered") == 3, "three of five")
    client.publish(f"{ROOT}/numbered/learn", buffers[0])
    wait_until(lambda: habitd.learned("numbered") == 4, "the last one")


def test_simulated_files_agree(shared_habitd, tmp_path):
    """habit simulate writes the same machine as float32 and CSV."""
    raw = simulate(tmp_path, COUNT, SIZE, AXES, seed=5)
    text = habit("simulate", "--buffers", COUNT, "--buffer-size", SIZE, "--axes", AXES, "--seed", 5).stdout
    expected = reference(shared_habitd, "sim-plain", [numbers(b) for b in raw])
    shared_habitd.put_machine("sim", **SETTINGS)
    post(shared_habitd, "sim", text, CSV)
    check_same(shared_habitd, "sim", expected)
