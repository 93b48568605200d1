"""examples/raspberry-pi with fake chips on fake buses, a real broker and a real habitd."""
import array
import json
import pathlib
import re
import signal
import subprocess
import sys

import pytest

from support import GATEWAY, REPOSITORY, clean_environment, wait_until

EXAMPLE = REPOSITORY / "examples" / "raspberry-pi"
FAKE = pathlib.Path(__file__).parent / "fake"


class Sensor:
    """A Raspberry Pi with one chip that feels what is in self.samples."""

    def __init__(self, folder, broker, chip, machine="pump-1"):
        self.samples, self.wire, self.chip = folder / "samples.f32", folder / "unplugged", chip
        self.log = folder / "publish.log"
        self.command = [sys.executable, EXAMPLE / "publish.py", "--machine", machine, "--gateway", GATEWAY, "--chip", chip,
                        "--port", broker.port]
        self.child = None

    def feel(self, values):
        """From the beginning, again and again."""
        new = self.samples.with_suffix(".new")
        new.write_bytes(values.tobytes())
        new.rename(self.samples)

    def start(self, *options):
        environment = {**clean_environment(), "PYTHONPATH": str(FAKE), "PYTHONDONTWRITEBYTECODE": "1", "FAKE_CHIP": self.chip,
                       "FAKE_SAMPLES": str(self.samples), "FAKE_UNPLUGGED": str(self.wire)}
        with open(self.log, "a", encoding="utf-8") as log:
            self.child = subprocess.Popen([*map(str, self.command), *map(str, options)], env=environment, stderr=log)

    def said(self):
        return self.log.read_text()

    def stop(self):
        self.child.send_signal(signal.SIGTERM)
        return self.child.wait(10)


@pytest.fixture
def sensors(tmp_path):
    made = []

    def make(*arguments, **more):
        made.append(Sensor(tmp_path, *arguments, **more))
        return made[-1]
    yield make
    for sensor in made:
        if sensor.child and sensor.child.poll() is None:
            sensor.child.kill()
            sensor.child.wait()


def counting(length):
    """Samples that tell their number: x counts up to 1 g, y down, z is 1 g."""
    return array.array("f", [v for i in range(length) for v in (i / length, -i / length, 1.0)])


def stored(habitd, machine):
    lines = habitd.get(f"/v1/machines/{machine}/buffers").text.splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize("chip, bus, rate, g_range", [("adxl345", "i2c", 800, 16), ("adxl345", "spi", 3200, 8), ("lis3dh", "i2c", 1344, 16),
                                                      ("lis3dh", "spi", 400, 2), ("adxl355", "spi", 2000, 2), ("adxl355", "i2c", 1000, 8)])
def test_what_a_chip_feels_is_what_habitd_stores(house, broker, sensors, chip, bus, rate, g_range):
    """Neighbouring samples of a buffer are neighbours in time, and g is g."""
    habitd = house.habitd(broker, sections='[machine "pump-*"]\ncreate = yes\nstart = auto\nbuffer_size = 128\naxes = 3\n')
    sensor = sensors(broker, chip)
    period = 1024
    sensor.feel(counting(period))
    sensor.start("--bus", bus, "--rate", rate, "--range", g_range, "--buffer-size", 128, "--every", 0)
    wait_until(lambda: habitd.json("/v1/machines")["machines"] and habitd.learned("pump-1") >= 5, "five buffers learned")
    assert sensor.stop() == 0
    step = {2: 0.0045, 8: 0.0045, 16: 0.013}[g_range]  # the coarsest chip, and half a step of what the store keeps
    for buffer in stored(habitd, "pump-1"):
        x, y, z = (buffer["data"][axis::3] for axis in range(3))
        first = x[0] * period
        for i, (a, b, c) in enumerate(zip(x, y, z)):
            expected = (first + i) % period / period
            assert min(abs(a - expected), 1 - abs(a - expected)) <= 2 * step, (i, a, expected)
            assert abs(a + b) <= 2 * step and abs(c - 1) <= step
    assert sum(habitd.refusals().values()) == 0


def test_numbers_and_times_survive_the_broker(house, broker, sensors):
    """The broker goes away for more than 256 buffers, the numbers that habitd remembers; all of them arrive, once, with the time at
    which they were measured."""
    habitd = house.habitd(broker, sections='[machine "pump-*"]\ncreate = yes\nstart = auto\nbuffer_size = 4\naxes = 3\n')
    sensor = sensors(broker, "adxl345")
    sensor.feel(counting(128))  # steps that the chip resolves: of a refused buffer that comes again each coming would count
    sensor.start("--rate", 1600, "--buffer-size", 4, "--every", 0)
    wait_until(lambda: habitd.json("/v1/machines")["machines"] and habitd.learned("pump-1") >= 3, "three buffers learned")
    broker.stop()
    wait_until(lambda: "away" in sensor.said(), "the sensor notices")
    subprocess.run(["sleep", "6"], check=True)
    broker.start()
    seen = "habit_buffers_duplicate_total{machine=\"pump-1\"}"

    def count():
        return sum(value for name, value in habitd.metrics().items() if name.startswith('habit_buffers_total{machine="pump-1"'))
    wait_until(lambda: count() >= 300, "what waited", 40)
    assert sensor.stop() == 0
    numbers, dropped, left = map(int, re.search(r"(\d+) buffers were measured, (\d+) dropped, (\d+) not", sensor.said()).groups())
    assert dropped == 0
    wait_until(lambda: numbers - left <= count() <= numbers, f"{numbers} but for {left} at the most")
    assert habitd.metrics().get(seen, 0) <= 20, "more than were under way came twice"
    assert sum(habitd.refusals().values()) == 0


def test_a_broken_wire(house, broker, sensors):
    habitd = house.habitd(broker, sections='[machine "pump-*"]\ncreate = yes\nstart = auto\nbuffer_size = 64\naxes = 3\n')
    sensor = sensors(broker, "adxl345")
    sensor.feel(counting(1024))
    sensor.wire.write_text("")
    sensor.start("--rate", 3200, "--buffer-size", 64, "--every", 0)
    wait_until(lambda: "Remote I/O error; trying again in 2 s" in sensor.said(), "it says so")
    sensor.wire.unlink()
    wait_until(lambda: habitd.json("/v1/machines")["machines"] and habitd.learned("pump-1") >= 3, "it goes on")


def test_wrong_arguments(tmp_path):
    def run(*arguments):
        done = subprocess.run([sys.executable, EXAMPLE / "publish.py", *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        return done.stderr
    assert "--rate of adxl345: 100, 200, 400, 800, 1600, 3200" in run("--machine", "a", "--gateway", "g", "--rate", "1000")
    assert "--range of adxl355: 2, 4, 8" in run("--machine", "a", "--gateway", "g", "--chip", "adxl355", "--rate", "1000", "--range", "16")
    assert "--password-file" in run("--machine", "a", "--gateway", "g", "--username", "me")
