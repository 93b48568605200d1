"""What README.md, docs/install.md and docs/first-machine.md tell to type is run as it stands there; only ports and places are this test's."""
import json
import os
import re
import signal
import subprocess
import sys

import pytest

from pages import ROOT, all_pages, commands, configurations
from support import HABIT, HABITD, clean_environment, simulate, wait_until

sys.path += [str(ROOT / "tests" / "examples"), str(ROOT / "tests" / "install")]
import steps  # noqa: E402

FIRST = "First steps with a machine of your own"



def demo(house, broker, sections=""):
    habitd = house.habitd(broker, sections=sections, start=False)
    habitd.conf.write_text(habitd.conf.read_text().replace("id = gw\n", "id = demo\n"))
    habitd.start()
    return habitd.wait_connected()


def run(script, habitd, broker, folder, seconds=120):
    """As a shell does that stops at the first failure, with the ports of this test."""
    script = script.replace("http://127.0.0.1:8088", habitd.url).replace("127.0.0.1:1883", f"127.0.0.1:{broker.port}")
    script = script.replace("mosquitto_sub -h 127.0.0.1", f"mosquitto_sub -h 127.0.0.1 -p {broker.port}").replace("/tmp/", f"{folder}/")
    environment = {**clean_environment(), "HABIT_URL": habitd.url,
                   "PATH": f"{HABIT.parent}:{HABITD.parent}:{os.environ['PATH']}"}
    shell = subprocess.Popen(["bash", "-e", "-o", "pipefail", "-c", script], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             cwd=ROOT, env=environment, start_new_session=True)
    try:
        # what runs in the background ends with the script
        status = shell.wait(seconds)
        os.killpg(shell.pid, signal.SIGTERM)
    except ProcessLookupError:
        pass
    said = shell.stdout.read()
    assert status == 0, said
    return said


def documents(said):
    """The JSON answers, in order."""
    return [json.loads(line) for line in re.findall(r"^\{.*\}$", re.sub(r"\}\{", "}\n{", said), re.M)]


def test_readme_first_steps(house, broker, tmp_path):
    habitd = demo(house, broker)
    said = run(commands("README.md", FIRST), habitd, broker, tmp_path)
    answers = documents(said)
    assert '{"status":"learned","learned":60,' in said and habitd.learned("pump-1") == 60
    detected = next(answer for answer in answers if answer.get("status") == "ok")
    assert detected["similarity"] < 90 and detected["explanation"]
    assert re.search(r'^habit/v1/demo/pump-1/anomaly \{.*"raised"', said, re.M), said
    assert len(said) < 6000, "a newcomer drowns"
    report = steps.report(said)
    assert (report["machine"], report["learned"], report["anomalies"]) == ("pump-1", 60, 1) and report["below"] > 0, said


def test_install_first_machine(house, broker, tmp_path):
    """The same on an installed gateway; tests/install does it with the packages."""
    habitd = demo(house, broker)
    script = commands("docs/install.md", "First machine").replace("$(hostname)", "demo").replace("nominal.f32", "/tmp/nominal.f32")
    said = run(script, habitd, broker, tmp_path)
    assert said.startswith("201\n") and '{"status":"learned","learned":60,' in said and len(said) < 6000, said
    assert re.search(r'^habit/v1/demo/pump-1/anomaly \{.*"raised"', said, re.M), said
    report = steps.report(said)
    assert (report["machine"], report["learned"], report["anomalies"]) == ("pump-1", 60, 1), report


EXAMPLES = [(f"{page.relative_to(ROOT)} {text.splitlines()[0]}", text) for page in all_pages() for text in configurations(page)]


@pytest.mark.parametrize("name, text", EXAMPLES, ids=[name for name, _ in EXAMPLES])
def test_configurations(name, text, tmp_path):
    """Every section that a page shows is one that habitd takes; certificates and passwords that it names are not here."""
    (tmp_path / "habitd.conf").write_text(text)
    done = subprocess.run([HABITD, "--check-config", "--config", tmp_path / "habitd.conf"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 or "No such file" in done.stderr, f"{name}: {done.stderr}"


def test_readme_alarm(house, broker, tmp_path):
    """The alarm that it shows has the members of a real one."""
    shown = json.loads(re.search(r"^    (\{.*?^    \})$", (ROOT / "README.md").read_text(), re.S | re.M)[1])
    habitd = demo(house, broker)
    habitd.put_machine("fan-2", buffer_size=256, axes=3, sampling_hz=1600, learn=60, false_alarms="off")
    habitd.act("fan-2", "commission")
    habitd.post_all("fan-2", "buffers", simulate(tmp_path, 75, 256, 3))
    habitd.post_all("fan-2", "buffers", simulate(tmp_path, 20, 256, 3, fault="bearing"))
    real = habitd.anomalies()[0]
    assert set(shown) <= set(real)
    assert all(set(part) <= set().union(*real["explanation"]) for part in shown["explanation"])


def test_first_machine(house, broker, tmp_path):
    """Make it a machine, and its first alarm, with a fake chip."""
    from test_raspberry_pi import Sensor
    habitd = house.habitd(broker)
    sensor = Sensor(tmp_path, broker, "adxl345")
    healthy, broken = (simulate(tmp_path, 40, 256, 3, seed=9, fault=fault) for fault in (None, "looseness"))
    sensor.samples.write_bytes(b"".join(healthy))
    sensor.start("--rate", 3200, "--every", 0)
    try:
        wait_until(lambda: habitd.json("/v1/pending")["pending"], "it is pending")
        said = run(commands("docs/first-machine.md", "Make it a machine"), habitd, broker, tmp_path)
        assert "pump-1" in said and "learning" in said, said
        settings = habitd.machine("pump-1")["settings"]
        assert (settings["buffer_size"], settings["axes"], settings["unit"], settings["asset"]) == (256, 3, "g", "feed pump")
        wait_until(lambda: habitd.machine("pump-1")["phase"] == "watching", "it is watched", 90)
        sensor.samples.with_suffix(".new").write_bytes(b"".join(broken))
        sensor.samples.with_suffix(".new").rename(sensor.samples)
        wait_until(lambda: habitd.anomalies(), "an anomaly", 60)
    finally:
        sensor.child.kill()
        sensor.child.wait()
