#!/usr/bin/env python3
"""A fleet on one gateway: 10,000 machines of 3 x 256 over MQTT, 5,000 buffers a second in all, one machine in ten sending half of them,
one in a hundred restarting. Prints what was sent, received, refused and dropped, memory and CPU time; fails where something is missing
that is counted nowhere.

usage: fleet.py BUILD [--seconds 600] [--rate 5000] [--machines 10000] [--find]

--find: then looks for the highest rate at which everything is judged and nothing stays behind, 20 s each."""
import argparse
import os
import random
import re
import sys
import tempfile
import threading
import time

import paho.mqtt.client as paho
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import subjects
from subjects import Broker, Habitd, publish, values

TOPIC = 'habit/v1/bench/m%u/buffer'
DRAIN = 30.0  # seconds that what is under way may take behind the last one
RESTART_EVERY = 60.0  # seconds, each of those that restart


def programs_of(build):
    return {'habitd': os.path.join(build, 'daemon/habitd'),
            'mqtt-load': os.path.join(build, 'tests/bench/gateway/bench-mqtt-load')}


def client_of(port):
    made = getattr(paho, 'CallbackAPIVersion', None)
    client = paho.Client(made.VERSION2, protocol=paho.MQTTv5) if made else paho.Client(protocol=paho.MQTTv5)
    client.connect('127.0.0.1', port)
    client.loop_start()
    return client


class Restarts(threading.Thread):
    """One machine in a hundred loses its connection and its memory, again and again: it numbers its buffers in a new boot, and sends the
    last one of the old boot once more, as a sender does that saw no acknowledgment."""

    def __init__(self, port, machines, body):
        super().__init__(daemon=True)
        self.port, self.body, self.count = port, body, max(1, machines // 100)
        self.sent = self.twice = 0
        self.over = threading.Event()

    def send(self, client, machine, boot, seq):
        properties = Properties(PacketTypes.PUBLISH)
        properties.UserProperty = [('source', 'restarts'), ('boot', boot), ('seq', str(seq))]
        client.publish(TOPIC % machine, self.body, 1, properties=properties).wait_for_publish(10)
        self.sent += 1

    def restart(self, machine, boot):
        client = client_of(self.port)
        if boot > 0:
            self.send(client, machine, f'b{boot - 1}', 3)
            self.twice += 1
        for seq in range(1, 4):
            self.send(client, machine, f'b{boot}', seq)
        client.disconnect()
        client.loop_stop()

    def run(self):
        boots = [0] * self.count
        while not self.over.wait(RESTART_EVERY / self.count):
            machine = random.randrange(self.count)
            self.restart(machine * 100, boots[machine])
            boots[machine] += 1

    def end(self):
        self.over.set()
        self.join()


def refused(habitd):
    text = habitd.call('GET', '/metrics').decode()
    return {reason: int(float(count)) for reason, count in
            re.findall(r'^habit_buffers_rejected_total{reason="([^"]+)"} (\S+)$', text, re.M) if float(count) > 0}


def received(habitd):
    return int(habitd.metric('habit_buffers_total') + habitd.metric('habit_buffers_duplicate_total'))


class Watch(threading.Thread):
    """Memory while it runs."""

    def __init__(self, habitd):
        super().__init__(daemon=True)
        self.habitd, self.resident, self.over = habitd, [], threading.Event()

    def run(self):
        while not self.over.wait(1):
            self.resident.append(self.habitd.status('VmRSS') / 2**20)

    def end(self):
        self.over.set()
        self.join()


def drain(habitd, wanted):
    """Waits for what is under way. Returns how many came, and how long it took."""
    began = time.monotonic()
    while (came := received(habitd)) < wanted and time.monotonic() - began < DRAIN:
        time.sleep(0.2)
    return came, time.monotonic() - began


def run(programs, habitd, broker, body, arguments, rate, seconds):
    """Returns sent, received, of the run alone."""
    before = received(habitd)
    with open(body, 'rb') as file:
        restarts = Restarts(broker.port, arguments.machines, file.read())
    restarts.start()
    sent = publish(programs, broker.port, TOPIC, body, arguments.machines, seconds, rate, 1000, 0.5)
    restarts.end()
    all_sent = sent['done'] + sent['failed'] + restarts.sent
    lost_by_refusal = sum(refused(habitd).values())
    came, took = drain(habitd, before + all_sent - lost_by_refusal)
    return {'sent': all_sent, 'rate': sent['done'] / sent['seconds'], 'came': came - before, 'drain': took, 'restarts': restarts,
            'p99': sent['p99']}


def report(habitd, watch, outcome, used, seconds):
    rows = [('sent', f'{outcome["sent"]}'), ('a second', f'{outcome["rate"]:.0f}'), ('received', f'{outcome["came"]}'),
            ('of those duplicates, as sent', f'{habitd.metric("habit_buffers_duplicate_total"):.0f} of {outcome["restarts"].twice}'),
            ('refused, by reason', ', '.join(f'{count} {reason}' for reason, count in refused(habitd).items()) or 'none'),
            ('missing, counted nowhere', f'{outcome["sent"] - outcome["came"] - sum(refused(habitd).values())}'),
            ('behind the last one, s', f'{outcome["drain"]:.1f}'),
            ('CPU of habitd', f'{used / seconds:.2f} cores, {used / max(1, outcome["came"]) * 1e6:.0f} us a buffer'),
            ('memory at the beginning, middle and end, MiB',
             ', '.join(f'{watch.resident[i]:.0f}' for i in (0, len(watch.resident) // 2, -1)) if watch.resident else '-'),
            ('most memory, MiB', f'{max(watch.resident, default=0):.0f}'),
            ('written, MiB', f'{habitd.metric("habit_store_written_bytes_total") / 2**20:.0f}'),
            ('reconnects', f'{habitd.metric("habit_mqtt_reconnects_total"):.0f}')]
    for name, value in rows:
        print(f'| {name} | {value} |')
    sys.stdout.flush()
    return outcome['sent'] - outcome['came'] - sum(refused(habitd).values())


def find(programs, habitd, broker, body, arguments):
    low, high = 0, arguments.rate
    best = 0
    while high - low > max(250, low // 10):
        outcome = run(programs, habitd, broker, body, arguments, high, 20)
        held = outcome['came'] == outcome['sent'] and outcome['drain'] < 2 and outcome['rate'] >= 0.97 * high
        print(f'| at {high} a second | {"all judged" if held else "not held"}: sent {outcome["rate"]:.0f} 1/s, '
              f'{outcome["sent"] - outcome["came"]} missing, {outcome["drain"]:.1f} s behind |')
        sys.stdout.flush()
        if held:
            low = best = high
            high = high * 3 // 2
        else:
            high = (low + high) // 2
            if high - low < 250:
                break
    print(f'| highest rate at which nothing was dropped | {best} 1/s |')


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('build')
    parser.add_argument('--seconds', type=float, default=600)
    parser.add_argument('--rate', type=int, default=5000)
    parser.add_argument('--machines', type=int, default=10000)
    parser.add_argument('--find', action='store_true')
    arguments = parser.parse_args()
    programs = programs_of(os.path.abspath(arguments.build))
    with tempfile.TemporaryDirectory(prefix='habit-fleet-', dir='/var/tmp') as folder:
        body = os.path.join(folder, 'raw')
        with open(body, 'wb') as file:
            file.write(values(1, 5).tobytes())
        subjects.store_of(programs, folder, arguments.machines)
        with Broker(folder) as broker, Habitd(programs, folder, broker.port) as habitd:
            while habitd.metric('habit_mqtt_connected') < 1:
                time.sleep(0.1)
            time.sleep(3)  # the states of all machines are published when it begins
            print(f'{time.strftime("%Y-%m-%d", time.gmtime())}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}: '
                  f'{arguments.machines} machines, {arguments.rate} buffers a second, {arguments.seconds:.0f} s\n\n| | |\n| --- | --- |')
            watch = Watch(habitd)
            watch.start()
            used = habitd.cpu()
            outcome = run(programs, habitd, broker, body, arguments, arguments.rate, arguments.seconds)
            watch.end()
            missing = report(habitd, watch, outcome, habitd.cpu() - used, arguments.seconds)
            if arguments.find:
                find(programs, habitd, broker, body, arguments)
    sys.exit(1 if missing else 0)


if __name__ == '__main__':
    main()
