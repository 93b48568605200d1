#!/usr/bin/python3
"""Publishes buffers of an accelerometer for habitd: docs/first-machine.md.

    publish.py --machine pump-1 --gateway gw-1                       # ADXL345 on I2C bus 1, broker on this host
    publish.py --machine pump-1 --gateway gw-1 --chip adxl355 --bus spi --rate 2000 --range 8
    publish.py ... --broker gw-1.local --port 8883 --ca ca.pem --username pump-1 --password-file password

A buffer is --buffer-size samples x 3 axes of float32, in g. Each has a number, so that habitd applies none twice, and the time at which
it was measured, so that what waits while the broker is away counts where it belongs."""
import argparse
import collections
import os
import signal
import struct
import sys
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from accelerometer import CHIPS, open_chip

BACKLOG = 1000  # buffers that wait for the broker: 3 MB. Beyond, new ones are dropped, and counted
# Handed to the MQTT library at a time: after a reconnect it may send a new one before those. habitd knows the last 256 numbers of
# a source, so what comes later than that would be taken for a duplicate.
UNDER_WAY = 20


def say(text):
    print(f"publish: {text}", file=sys.stderr, flush=True)


# ------------------------------------------------------------------------------------------------------------ measuring

def collect(chip, rate, size, stop):
    """One buffer of consecutive samples, and how often it had to begin anew because the FIFO may have run over.

    What is in the FIFO came after `known`, when it was emptied or counted last. So it cannot have run over before it was read
    where less than a FIFO's time has passed since."""
    values, lost = [], 0
    known = time.monotonic()
    chip.empty()
    while len(values) < size and not stop.wait(chip.fifo / rate / 3):
        asked = time.monotonic()
        values += chip.fetch()
        if (time.monotonic() - known) * rate > chip.fifo - 2:
            values, lost, asked = [], lost + 1, time.monotonic()
            chip.empty()
        known = asked
    return values[:size], lost


def measure(settings, stop, send):
    """Collects and sends until told to stop. A chip that fails is set up anew."""
    due = time.monotonic()
    while not stop.is_set():
        try:
            chip = open_chip(settings.chip, settings.bus, settings.number, settings.select, settings.address)
            chip.begin(settings.rate, settings.range)
            say(f"{settings.chip} measures at {settings.rate} Hz, +-{settings.range} g")
            while not stop.wait(max(0, due - time.monotonic())):
                due = time.monotonic() + settings.every
                values, lost = collect(chip, settings.rate, settings.buffer_size, stop)
                if lost:
                    say(f"samples were lost {lost} times: this host is too busy, or the bus too slow for {settings.rate} Hz")
                if len(values) == settings.buffer_size:
                    send(values)
        except OSError as error:
            say(f"{error}; trying again in 2 s")
            stop.wait(2)


# ----------------------------------------------------------------------------------------------------------- publishing

class Publisher:
    """Numbers buffers and hands them to the broker, QoS 1. It keeps them while the broker is away."""

    def __init__(self, settings):
        self.topic = f"habit/v1/{settings.gateway}/{settings.machine}/buffer"
        self.source, self.boot, self.number = settings.machine, os.urandom(4).hex(), 0
        self.lock, self.waiting, self.under_way, self.dropped = threading.Lock(), collections.deque(), 0, 0
        versions = getattr(paho, "CallbackAPIVersion", None)  # paho 2 asks for one, paho 1.6 has none
        self.client = paho.Client(*([versions.VERSION2] if versions else []), client_id=f"sensor-{settings.machine}",
                                  protocol=paho.MQTTv5)
        self.client.reconnect_delay_set(1, 30)
        self.client.on_connect = lambda *call: say(f"broker {settings.broker}: {call[3]}")
        self.client.on_publish = self.on_acknowledged
        self.client.on_disconnect = lambda *_: say(f"broker {settings.broker}: away")
        if settings.username:
            self.client.username_pw_set(settings.username, read_password(settings.password_file))
        if settings.ca:
            self.client.tls_set(ca_certs=settings.ca)
        self.client.connect_async(settings.broker, settings.port, keepalive=30)
        self.client.loop_start()

    def send(self, values):
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = [("source", self.source), ("boot", self.boot), ("seq", str(self.number)),
                                   ("time", str(round(time.time() * 1000)))]
        payload = struct.pack(f"<{3 * len(values)}f", *(value for sample in values for value in sample))
        with self.lock:
            if len(self.waiting) < BACKLOG:
                self.waiting.append((payload, properties))
            else:
                self.dropped += 1
                say(f"{self.dropped} buffers dropped: the broker was away for too long")
        self.number += 1
        self.hand_over()

    def hand_over(self):
        """To the library, in order."""
        with self.lock:
            while self.waiting and self.under_way < UNDER_WAY:
                payload, properties = self.waiting.popleft()
                self.client.publish(self.topic, payload, qos=1, properties=properties)
                self.under_way += 1

    def on_acknowledged(self, *_):
        with self.lock:
            self.under_way -= 1
        self.hand_over()

    def close(self):
        """Waits a little for what is under way."""
        deadline = time.monotonic() + 2
        while (self.under_way or self.waiting) and time.monotonic() < deadline:
            time.sleep(0.05)
        self.client.disconnect()
        self.client.loop_stop()


def read_password(path):
    with open(path, encoding="utf-8") as file:
        return file.readline().rstrip("\n")


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--machine", required=True, help="its ID: letters, digits, '_' and '-'")
    parser.add_argument("--gateway", required=True, help="[gateway] id of habitd; by default the host name of its host")
    parser.add_argument("--chip", choices=CHIPS, default="adxl345")
    parser.add_argument("--bus", choices=("i2c", "spi"), default="i2c")
    parser.add_argument("--number", type=int, help="of the bus; default 1 for I2C, 0 for SPI")
    parser.add_argument("--select", type=int, default=0, help="SPI: chip select")
    parser.add_argument("--address", type=lambda text: int(text, 0), help="I2C: where it is wired otherwise")
    parser.add_argument("--rate", type=int, default=800, help="samples per second")
    parser.add_argument("--range", type=int, default=8, help="+- g")
    parser.add_argument("--buffer-size", type=int, default=256, help="samples")
    parser.add_argument("--every", type=float, default=1, help="seconds from one buffer to the next; 0: one behind the other")
    parser.add_argument("--broker", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=1883)
    parser.add_argument("--username")
    parser.add_argument("--password-file")
    parser.add_argument("--ca", help="PEM file: TLS, and who signed the broker's certificate")
    settings = parser.parse_args()
    kind = CHIPS[settings.chip]
    for name, known in (("rate", kind.rates), ("range", kind.ranges)):
        if getattr(settings, name) not in known:
            parser.error(f"--{name} of {settings.chip}: {', '.join(map(str, known))}")
    if settings.username and not settings.password_file:
        parser.error("--username needs --password-file")
    if settings.number is None:
        settings.number = 0 if settings.bus == "spi" else 1
    return settings


def main():
    settings = read_arguments()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    publisher = Publisher(settings)
    measure(settings, stop, publisher.send)
    publisher.close()
    left = len(publisher.waiting) + publisher.under_way
    say(f"{publisher.number} buffers were measured, {publisher.dropped} dropped, {left} not acknowledged")


if __name__ == "__main__":
    main()
