"""Senders as they are: messages of any length, several machines in one message, and backlogs of those that sleep."""
import collections
import datetime
import json
import time

import pytest

from support import ROOT, floats, numbers, simulate, wait_until

SIZE, AXES, RATE = 256, 3, 1600
PART = 7

INPUT = """
[input "parts"]
topic = parts/{{machine}}
stream = yes
action = learn
{more}

[machine "*"]
create = yes
buffer_size = 256
axes = 3
sampling_hz = 1600
learn = 100000
"""


def samples_of(buffers):
    """Rows of one sample each."""
    values = [x for buffer in buffers for x in numbers(buffer)]
    return [values[i:i + AXES] for i in range(0, len(values), AXES)]


def pack(samples):
    return floats([x for sample in samples for x in sample])


def parts_of(samples, length=PART):
    return [pack(samples[i:i + length]) for i in range(0, len(samples), length)]


def reference(habitd, machine, samples, starts):
    """Knowledge of a machine that learned the buffers that begin at these samples, one by one."""
    for start in starts:
        habitd.post(machine, "learn", pack(samples[start:start + SIZE]))
    return habitd.knowledge(machine)


def send(client, machine, parts, first=0, **more):
    """Numbered messages; a part that is None was lost on its way."""
    for i, part in enumerate(parts):
        if part is not None:
            client.publish(f"parts/{machine}", part, wait=False, seq=first + i, boot="a", **more)


def learned(habitd, machine, count):
    """How many, as soon as it exists and they are at least so many."""
    wait_until(lambda: habitd.get(f"/v1/machines/{machine}").status_code == 200 and habitd.learned(machine) >= count,
               f"{machine} learned {count}")
    return habitd.learned(machine)


def gaps(habitd):
    return habitd.refusals().get("gap", 0)


def settle(habitd, client, machine):
    """Everything before has been worked on when this one is there."""
    client.publish(f"{ROOT}/marker/learn", bytes(4 * SIZE * AXES - 4) + floats([1.0]))
    wait_until(lambda: habitd.get("/v1/machines/marker").status_code == 200, "the marker")
    habitd.request("DELETE", "/v1/machines/marker")
    return habitd.learned(machine)


@pytest.fixture(scope="module")
def samples(tmp_path_factory):
    return samples_of(simulate(tmp_path_factory.mktemp("data"), 42, SIZE, AXES, seed=3))


def test_messages_of_seven_samples(house, samples):
    """40 whole buffers and a bit come in 1,463 messages; what is learned is the buffers, to the byte."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more="")), house.client(broker)
    taken = samples[:40 * SIZE + 5]
    send(client, "fan", parts_of(taken))
    assert learned(habitd, "fan", 40) == 40
    assert settle(habitd, client, "fan") == 40
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, range(0, 40 * SIZE, SIZE))
    assert gaps(habitd) == 0


@pytest.mark.parametrize("hop", [64, 300])
def test_hop(house, samples, hop):
    """Overlapping buffers, and such with samples between them that nobody looks at."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more=f"hop = {hop}")), house.client(broker)
    taken = samples[:20 * SIZE]
    starts = range(0, len(taken) - SIZE + 1, hop)
    send(client, "fan", parts_of(taken, 90))
    assert learned(habitd, "fan", len(starts)) == len(starts)
    assert settle(habitd, client, "fan") == len(starts)
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, starts)


def test_a_lost_part(house, samples):
    """The buffer that it belongs to is not made, and is counted; the next begins with the message after it."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more="")), house.client(broker)
    parts = parts_of(samples[:30 * SIZE])
    lost = 400  # samples 2800 to 2806, in the eleventh buffer
    parts[lost] = None
    send(client, "fan", parts)
    begin = (lost + 1) * PART
    starts = [*range(0, 10 * SIZE, SIZE), *range(begin, 30 * SIZE - SIZE + 1, SIZE)]
    assert learned(habitd, "fan", len(starts)) == len(starts)
    assert settle(habitd, client, "fan") == len(starts)
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, starts)
    assert gaps(habitd) == 1
    wait_until(lambda: habitd.json("/v1/reports/daily", params={"machine": "fan"})["reports"][0]["gaps"] == 1,
               "the report counts the gap")
    assert "a gap in its stream" in habitd.log()


def test_a_lost_part_by_time(house, samples):
    """Messages without numbers, but with the time of their measurement."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more="")), house.client(broker)
    parts = parts_of(samples[:10 * SIZE], 64)
    began = time.time() - 60
    for i, part in enumerate(parts):
        if i != 13:  # in the middle of the fourth buffer
            client.publish("parts/fan", part, wait=False, time=round(1000 * (began + i * 64 / RATE)))
    starts = [0, SIZE, 2 * SIZE, *range(14 * 64, 10 * SIZE - SIZE + 1, SIZE)]
    assert learned(habitd, "fan", len(starts)) == len(starts)
    assert settle(habitd, client, "fan") == len(starts)
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, starts)
    assert gaps(habitd) == 1


def test_repeated_messages_and_another_boot(house, samples):
    """What comes twice is joined once; a sender that begins anew does not go on with the old buffer."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more="")), house.client(broker)
    parts = parts_of(samples[:4 * SIZE + 8], 8)
    for i, part in enumerate(parts):
        for _ in range(2):
            client.publish("parts/fan", part, wait=False, seq=i, boot="a")
    for i, part in enumerate(parts_of(samples[5 * SIZE:6 * SIZE], 8)):
        client.publish("parts/fan", part, wait=False, seq=i, boot="b")
    starts = [0, SIZE, 2 * SIZE, 3 * SIZE, 5 * SIZE]
    assert learned(habitd, "fan", 5) == 5
    assert settle(habitd, client, "fan") == 5
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, starts)
    assert gaps(habitd) == 1, "8 samples of the first boot were left over"


def test_restart_between_two_parts(house, samples):
    """What is unfinished when habitd ends is lost; nothing is learned twice, nothing is glued over the hole."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more="")), house.client(broker)
    parts = parts_of(samples[:10 * SIZE], 64)
    send(client, "fan", parts[:22])  # five buffers and a half
    assert learned(habitd, "fan", 5) == 5
    settle(habitd, client, "fan")
    settle(habitd, client, "fan")  # the first was acknowledged before this one was read: nothing comes again
    habitd.crash().wait_connected()
    send(client, "fan", parts[22:], first=22)
    starts = [*range(0, 5 * SIZE, SIZE), *range(22 * 64, 10 * SIZE - SIZE + 1, SIZE)]
    assert learned(habitd, "fan", len(starts)) == len(starts)
    assert settle(habitd, client, "fan") == len(starts)
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, starts)


def test_a_bad_buffer_among_good_ones(house, samples):
    """One message of three buffers, the second of a dead sensor: the others are learned, the dead one is counted."""
    broker = house.broker()
    habitd, client = house.habitd(broker, sections=INPUT.format(more="")), house.client(broker)
    dead = [[1.0] * AXES] * SIZE
    client.publish("parts/fan", pack(samples[:SIZE] + dead + samples[SIZE:2 * SIZE]))
    assert learned(habitd, "fan", 2) == 2
    assert habitd.knowledge("fan") == reference(habitd, "plain", samples, [0, SIZE])
    assert habitd.refusals()["constant"] == 1


@pytest.mark.parametrize("stream", ["no", "yes"])
@pytest.mark.parametrize("layout", ["interleaved", "planar"])
def test_channel_map(house, samples, stream, layout):
    """Eight channels of one acquisition unit: two machines with three, one with one, one channel that nobody wants."""
    broker = house.broker()
    sections = (f'[input "rack"]\ntopic = rack/{{machine}}/daq\naction = learn\nstream = {stream}\nlayout = {layout}\n'
                "channels = 8\nmap = {machine}-drive: 0-2, {machine}-fan: 5 4 3, {machine}-current: 7\n"
                '[machine "*-current"]\naxes = 1\n'
                '[machine "*"]\ncreate = yes\nbuffer_size = 256\naxes = 3\nsampling_hz = 1600\nlearn = 1000\n')
    habitd, client = house.habitd(broker, sections=sections), house.client(broker)
    fan, current = samples[::-1], [[s[0]] for s in samples[7:]]
    length = 100 if stream == "yes" else SIZE
    rows = [[*samples[i], fan[i][2], fan[i][1], fan[i][0], 0.0, current[i][0]] for i in range(20 * SIZE)]
    for at in range(0, len(rows), length):
        part = rows[at:at + length]
        if layout == "planar":
            client.publish("rack/hall/daq", floats([row[c] for c in range(8) for row in part]), wait=False)
        else:
            client.publish("rack/hall/daq", floats([x for row in part for x in row]), wait=False)
    for name, wanted in (("drive", samples), ("fan", fan), ("current", current)):
        assert learned(habitd, f"hall-{name}", 20) == 20
        plain = reference(habitd, f"plain-{name}-current" if name == "current" else f"plain-{name}", wanted,
                          range(0, 20 * SIZE, SIZE))
        assert habitd.knowledge(f"hall-{name}") == plain, name


def test_channel_map_of_json(house, samples):
    """A topic without {machine}; JSON with its numbers at a path; a map that does not fit one of its machines."""
    broker = house.broker()
    sections = ('[input "rack"]\ntopic = rack/daq\nformat = json\npath = v.x\nmap = left: 0-2, right: 3 4, wide: 0-2\n'
                '[machine "right"]\ncreate = yes\nbuffer_size = 256\naxes = 2\nstart = auto\n'
                '[machine "left"]\ncreate = yes\nbuffer_size = 256\naxes = 3\nstart = auto\n'
                '[machine "wide"]\ncreate = yes\nbuffer_size = 256\naxes = 4\nstart = auto\n')
    habitd, client = house.habitd(broker, sections=sections), house.client(broker)
    for at in range(0, 10 * SIZE, SIZE):
        values = [x for i in range(at, at + SIZE) for x in [*samples[i], samples[i][1], samples[i][2]]]
        client.publish("rack/daq", json.dumps({"v": {"x": values}}))
    assert learned(habitd, "left", 10) == learned(habitd, "right", 10) == 10
    assert habitd.get("/v1/machines/wide").status_code == 404
    assert habitd.refusals()["length"] == 10
    client.publish("rack/daq", json.dumps({"v": {"x": [1, 2, 3, 4]}}))
    wait_until(lambda: habitd.refusals()["length"] == 11, "4 values are no whole sample of 5")


# ------------------------------------------------------------------------------------------------------------- backlogs

MINUTE = 60000
NDJSON = {"Content-Type": "application/x-ndjson"}


def post_lines(habitd, documents):
    body = "".join((d if isinstance(d, str) else json.dumps(d)) + "\n" for d in documents)
    answer = habitd.request("POST", "/v1/buffers", data=body, headers=NDJSON)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/x-ndjson"
    return [json.loads(line) for line in answer.text.splitlines()]


def check_hours(habitd, machine, times):
    """The hours in which they were measured have them, not the one in which they came; as soon as all are counted, for that is when they
    are on disk. Times in ms; one beside an hour's end may be on either side of it."""
    def counted():
        points = habitd.json(f"/v1/machines/{machine}/history", params={"from": int(min(times)) - 60 * MINUTE})["points"]
        return collections.Counter({p["from"][:13]: p["learned"] for p in points if p["learned"]})
    wait_until(lambda: counted().total() == len(times), f"{len(times)} are counted")
    expected = collections.Counter(datetime.datetime.fromtimestamp(t / 1000, datetime.timezone.utc).isoformat()[:13] for t in times)
    found = counted()
    assert all(abs(found[hour] - expected[hour]) <= 1 for hour in found | expected), (found, expected)


def test_backlog_of_sixty_minutes_by_lines(house, samples):
    """A sensor that slept for an hour: sixty buffers, one a minute, at once. learn_every = 1m keeps each of them."""
    habitd = house.habitd()
    for machine in ("pump", "fan"):
        habitd.put_machine(machine, buffer_size=64, axes=AXES, learn=100000, learn_every=60, start="auto")
    jitter = [0, 3, -2, 1, -1]  # a sender's own clock rounds
    lines = [{"machine": machine, "data": [x for s in samples[i * 64:(i + 1) * 64] for x in s], "seq": i,
              "age_ms": (60 - i) * MINUTE + jitter[i % 5]} for i in range(60) for machine in ("pump", "fan")]
    now = 1000 * time.time()
    answers = post_lines(habitd, lines)
    assert [a["line"] for a in answers] == list(range(1, 121))
    assert [a["status"] for a in answers] == ["learned"] * 120
    assert [a["machine"] for a in answers[:2]] == ["pump", "fan"]
    assert habitd.learned("pump") == habitd.learned("fan") == 60
    check_hours(habitd, "pump", [now - (60 - i) * MINUTE for i in range(60)])
    again = post_lines(habitd, lines[:4])
    assert [a["status"] for a in again] == ["duplicate"] * 4
    late = post_lines(habitd, [{**lines[0], "seq": 60, "age_ms": 0}])
    assert late[0]["status"] == "learned"
    soon = post_lines(habitd, [{**lines[0], "seq": 61, "age_ms": 0}])
    assert soon[0]["status"] == "idle" and "learn_every" in soon[0]["note"]


def test_backlog_of_sixty_minutes_by_mqtt(house, samples):
    broker = house.broker()
    habitd, client = house.habitd(broker), house.client(broker)
    habitd.put_machine("pump", buffer_size=64, axes=AXES, learn=100000, learn_every=60, start="auto")
    times = [int(1000 * time.time()) - (60 - i) * MINUTE for i in range(60)]
    for i, measured in enumerate(times):
        client.publish(f"{ROOT}/pump/buffer", pack(samples[i * 64:(i + 1) * 64]), wait=False, seq=i, time=measured)
    assert learned(habitd, "pump", 60) == 60
    check_hours(habitd, "pump", times)


def test_backlog_of_a_stream(house, samples):
    """The parts of a stream are old as well: their buffers count when they were measured."""
    broker = house.broker()
    sections = ('[input "slow"]\ntopic = slow/{machine}\nstream = yes\naction = learn\n'
                '[machine "*"]\ncreate = yes\nbuffer_size = 60\naxes = 1\nsampling_hz = 1\nlearn = 1000\n')
    habitd, client = house.habitd(broker, sections=sections), house.client(broker)
    values = [s[0] for s in samples[:7200]]
    now = time.time()
    for i in range(0, 7200, 600):  # ten minutes a message, the oldest is two hours old
        client.publish("slow/well", floats(values[i:i + 600]), wait=False, age_ms=round(1000 * (7200 - i - 600)),
                       seq=i // 600)
    assert learned(habitd, "well", 120) == 120
    check_hours(habitd, "well", [1000 * (now - 60 * i) for i in range(120)])


def test_lines_are_answered_one_by_one(house, samples):
    """What is wrong with a line is said in its place; the lines around it are taken."""
    habitd = house.habitd()
    habitd.put_machine("pump", buffer_size=64, axes=AXES, start="auto")
    good = {"machine": "pump", "data": [x for s in samples[:64] for x in s]}
    answers = post_lines(habitd, [
        good, "{", "", {"data": [1]}, {"machine": 3, "data": []}, {"machine": "nobody", "data": [1]},
        {"machine": "../x", "data": [1]}, {**good, "data": [1.0]}, {**good, "seq": -1},
        {**good, "data": [1.0] * 64 * AXES}, '[1, 2]', {**good, "data": good["data"] * 2}, good])
    assert [a["line"] for a in answers] == [1, 2, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13]
    kinds = [a["problem"]["type"].rsplit(":", 1)[1] if a["status"] == "refused" else a["status"]
             for a in answers if "status" in a]
    assert kinds == ["learned", "syntax", "machine-id", "machine-id", "no-machine", "machine-id", "length", "range",
                     "constant", "machine-id", "learned"]
    assert answers[10]["buffers"] == 2 and len(answers[10]["verdicts"]) == 2
    assert habitd.learned("pump") == 4
    refused = habitd.refusals()
    assert refused["machine-id"] == 4 and refused["syntax"] == 1 and refused["length"] == 1


def test_bodies_of_lines_that_are_refused(house):
    habitd = house.habitd()

    def post(body, headers=NDJSON):
        answer = habitd.request("POST", "/v1/buffers", data=body, headers=headers)
        return answer.status_code, answer.json().get("type", "").rsplit(":", 1)[1]

    assert post("") == (400, "syntax")
    assert post("\n \n") == (400, "syntax")
    assert post("{}\n", {"Content-Type": "application/json"}) == (415, "media-type")
    assert post("{}\n" * 4097) == (413, "too-large")
    assert post(b"x" * (1 << 20) + b"x") == (413, "too-large")


def test_lines_are_durable_when_they_are_answered(house, samples):
    habitd = house.habitd()
    habitd.put_machine("pump", buffer_size=64, axes=AXES, start="auto", learn=1000)
    lines = [{"machine": "pump", "data": [x for s in samples[i * 64:(i + 1) * 64] for x in s], "seq": i}
             for i in range(100)]
    assert {a["status"] for a in post_lines(habitd, lines)} == {"learned"}
    knowledge = habitd.knowledge("pump")
    habitd.crash()
    assert habitd.learned("pump") == 100 and habitd.knowledge("pump") == knowledge
    assert {a["status"] for a in post_lines(habitd, lines)} == {"duplicate"}
