"""Home Assistant finds the machines, shows them, and its controls work. See home_assistant.py for what stands in for it."""
import pytest

from home_assistant import HomeAssistant
from support import GATEWAY, ROOT, retained, simulate, wait_until
from test_reports import AT_ONCE, days_earlier

PUMP = f"habit_{GATEWAY}_pump-1"
HOUSE = f"habit_{GATEWAY}"


@pytest.fixture
def nominal(tmp_path):
    return simulate(tmp_path, 120, 64, 1, seed=5)


@pytest.fixture
def home(house, broker):
    return HomeAssistant(house.client(broker))


def make(habitd, machine="pump-1", **settings):
    habitd.put_machine(machine, buffer_size=64, axes=1, learn=60, false_alarms="off", **settings)


def announced(home, device=PUMP):
    wait_until(lambda: home.update() and device in home.devices, f"{device} is announced")
    return home.devices[device]


def test_a_machine_is_a_device(house, broker, home, nominal, tmp_path):
    habitd = house.habitd(broker)
    make(habitd, name="Pump 1", asset="Line 3", location="Hall B")
    document = announced(home)
    assert document["device"]["name"] == "Pump 1" and document["device"]["suggested_area"] == "Hall B"
    assert document["device"]["via_device"] in announced(home, HOUSE)["device"]["identifiers"]
    assert home.value(PUMP, "average") is None and not home.entity(PUMP, "average").is_available()
    wait_until(lambda: home.value(PUMP, "phase") == "new", "the phase")

    habitd.act("pump-1", "commission")
    habitd.post_all("pump-1", "buffers", nominal[:60])
    wait_until(lambda: home.value(PUMP, "phase") == "watching" and home.value(PUMP, "learned") == 60, "watching")
    assert home.value(PUMP, "anomaly") is False and 0 <= home.value(PUMP, "settled") <= 100
    habitd.post_all("pump-1", "buffers", nominal[60:75])
    wait_until(lambda: home.value(PUMP, "average") is not None, "the average")
    state = habitd.machine("pump-1")["last"]
    wait_until(lambda: home.value(PUMP, "similarity") == state["similarity"], "the similarity")
    assert home.value(PUMP, "average") >= 90 and home.entity(PUMP, "average").is_available()

    habitd.post_all("pump-1", "buffers", simulate(tmp_path, 15, 64, 1, seed=5, fault="looseness"))
    wait_until(lambda: home.value(PUMP, "anomaly") is True, "the anomaly")
    wait_until(lambda: home.entity(PUMP, "anomaly").attributes.get("explanation"), "its explanation")
    assert home.value(PUMP, "distance") > 1
    habitd.post_all("pump-1", "buffers", nominal[60:110])
    wait_until(lambda: home.value(PUMP, "anomaly") is False, "it is cleared")


def test_the_report_is_shown(house, broker, home, nominal):
    habitd = house.habitd(broker, sections=AT_ONCE)
    make(habitd)
    habitd.post("pump-1", "buffers", nominal[0])
    days_earlier(habitd, 1)
    habitd.start()
    announced(home)
    wait_until(lambda: home.value(PUMP, "anomalies_per_hour") == 0, "none yesterday")


def test_the_gateway_is_a_device(house, broker, home):
    habitd = house.habitd(broker)
    announced(home, HOUSE)
    wait_until(lambda: home.value(HOUSE, "connected") is True, "connected")
    wait_until(lambda: home.value(HOUSE, "store") is False, "no problem of the store")
    assert home.value(HOUSE, "open_anomalies") == 0 and home.value(HOUSE, "pending") == 0
    habitd.kill()
    wait_until(lambda: home.value(HOUSE, "connected") is False, "gone", 60)
    assert not home.entity(HOUSE, "machines").is_available()


def test_announced_again_when_home_assistant_begins(house, broker):
    habitd = house.habitd(broker)
    make(habitd)
    habitd.post("pump-1", "buffers", bytes(256))
    wait_until(lambda: retained(house, broker, f"{ROOT}/pump-1/availability") == "online", "it was announced before")
    late = HomeAssistant(house.client(broker))
    assert late.update() and not late.devices  # nothing is retained
    late.start()
    announced(late)  # within 5 s
    wait_until(lambda: late.value(PUMP, "phase") == "new" and late.entity(PUMP, "phase").is_available(), "its state")


def test_a_changed_name_is_announced(house, broker, home):
    habitd = house.habitd(broker)
    make(habitd, name="old")
    assert announced(home)["device"]["name"] == "old"
    habitd.patch("pump-1", name="new")
    wait_until(lambda: home.update() and home.devices[PUMP]["device"]["name"] == "new", "the new name")


def test_a_deleted_machine_is_no_device(house, broker, home):
    habitd = house.habitd(broker)
    make(habitd)
    announced(home)
    habitd.request("DELETE", "/v1/machines/pump-1")
    wait_until(lambda: home.update() and PUMP not in home.devices, "gone")


def test_controls_only_with_commands(house, broker, home):
    habitd = house.habitd(broker)
    make(habitd)
    components = announced(home)["components"]
    assert not any(set(c) - {"platform"} for c in components.values() if c["platform"] in ("button", "number"))
    assert not any("command_topic" in c for c in components.values())
    wait_until(lambda: home.value(PUMP, "sensitivity") == "1.0", "the sensitivity is shown")


def test_controls_work(house, broker, home, nominal):
    habitd = house.habitd(broker, mqtt="commands = yes")
    make(habitd)
    announced(home)
    wait_until(lambda: home.value(PUMP, "set_sensitivity") == 1, "the sensitivity")
    assert home.entity(PUMP, "sensitivity") is None and home.entity(PUMP, "commission").is_available()
    home.press(PUMP, "set_sensitivity", 1.7)
    wait_until(lambda: habitd.machine("pump-1")["sensitivity"] == 1.7, "set")
    wait_until(lambda: home.value(PUMP, "set_sensitivity") == 1.7, "and shown")
    home.press(PUMP, "commission")
    wait_until(lambda: habitd.machine("pump-1")["phase"] == "learning", "learning")
    habitd.post_all("pump-1", "buffers", nominal[:5])
    home.press(PUMP, "initialize")
    wait_until(lambda: habitd.learned("pump-1") == 0, "forgotten")
    assert habitd.refusals() == {name: 0 for name in habitd.refusals()}


def test_controls_are_taken_back(house, broker, home):
    """Who turns commands off leaves no buttons behind that do nothing."""
    habitd = house.habitd(broker, mqtt="commands = yes")
    make(habitd)
    announced(home)
    assert home.entity(PUMP, "commission")
    habitd.conf.write_text(habitd.conf.read_text().replace("commands = yes", ""))
    habitd.restart().wait_connected()
    wait_until(lambda: home.entity(PUMP, "commission") is None and home.entity(PUMP, "sensitivity"), "no buttons")
    assert {e for e in home.entities[PUMP] if home.entities[PUMP][e].config["platform"] in ("button", "number")} == set()


def test_retained_announcements(house, broker):
    habitd = house.habitd(broker, mqtt="discovery = retain\ndiscovery_prefix = homeassistant")
    make(habitd)
    late = HomeAssistant(house.client(broker))
    announced(late)
    habitd.request("DELETE", "/v1/machines/pump-1")
    wait_until(lambda: retained(house, broker, f"homeassistant/device/{PUMP}/config") is None, "it is gone")


def test_off_is_off(house, broker):
    client = house.client(broker, subscribe=["homeassistant/#"])
    habitd = house.habitd(broker, mqtt="discovery = off")
    make(habitd)
    client.publish("homeassistant/status", "online")
    watcher = house.client(broker, subscribe=[f"{ROOT}/pump-1/state"])
    wait_until(lambda: watcher.texts(f"{ROOT}/pump-1/state"), "the state")
    assert [m.topic for m in client.take()] == ["homeassistant/status"]


def test_many_machines_are_announced(house, broker):
    """In portions: the broker is never given more than it takes."""
    client = house.client(broker, subscribe=["homeassistant/device/+/config"])
    habitd = house.habitd(broker, sections='[machine "m*"]\ncreate = yes\nbuffer_size = 64\naxes = 1\n')
    for i in range(300):
        client.publish(f"{ROOT}/m{i}/buffer", bytes(256), wait=False)
    wait_until(lambda: len({m.topic for m in client.take()}) == 301, "all are devices", 60)  # each new machine waits for the disk
    before = len(client.take())
    client.publish("homeassistant/status", "online")
    wait_until(lambda: len({m.topic for m in client.take()[before:]}) == 301, "and again")
    assert habitd.running()
