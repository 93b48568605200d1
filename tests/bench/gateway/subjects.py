"""What is measured: habitd, and the programs that it is measured against. All live in one folder and end with it."""
import array
import contextlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time

BUFFER_SIZE, AXES = 256, 3
RAW, JSON = 'application/octet-stream', 'application/json'

CONFIG = '''[gateway]
id = bench
machines = 10000
[http]
port = 0
[mqtt]
host = {host}
port = {broker}
[store]
path = {folder}/habit.db
{store}
[machine "*"]
create = yes
start = auto
buffer_size = 256
axes = 3
learn = 20
'''


def values(count, seed, scale=1.0):
    """`count` buffers of a machine that stays as it is."""
    dice = random.Random(seed)
    return array.array('f', (scale * dice.gauss(0, 1) for _ in range(count * BUFFER_SIZE * AXES)))


def json_body(numbers, digits=6):
    return json.dumps({'data': [float(f'{x:.{digits}g}') for x in numbers]}).encode()


class Process:
    """A program that ends with the block."""

    def __init__(self, *command, **options):
        self.process = subprocess.Popen(command, text=True, **options)
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self, number=signal.SIGTERM):
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait()

    def status(self, name):
        """A figure of /proc/PID/status in bytes."""
        with open(f'/proc/{self.pid}/status') as file:
            return int(re.search(rf'^{name}:\s+(\d+) kB', file.read(), re.M).group(1)) * 1024

    def cpu(self):
        """Seconds of all its threads."""
        return time.clock_gettime((~self.pid << 3) | 2)  # as clock_getcpuclockid makes it


class Habitd(Process):
    def __init__(self, programs, folder, broker=0, store='', machines=''):
        self.folder, self.began = folder, time.monotonic()
        path = os.path.join(folder, 'habitd.conf')
        with open(path, 'w') as file:
            file.write(CONFIG.format(folder=folder, host='127.0.0.1' if broker else '', broker=broker or 1883,
                                     store=store) + machines)
        super().__init__(programs['habitd'], '--config', path, stderr=subprocess.PIPE)
        for line in self.process.stderr:
            found = re.search(r'answers on http://127\.0\.0\.1:(\d+)', line)
            if found:
                self.port = int(found.group(1))
                # A full pipe would stop it.
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return
        raise SystemExit('habitd did not start')

    def call(self, method, path, body=b'', kind=RAW):
        connection = http.client.HTTPConnection('127.0.0.1', self.port)
        connection.request(method, path, body, {'Content-Type': kind} if body else {})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        if answer.status >= 300:
            raise SystemExit(f'{method} {path}: {answer.status} {text[:300]}')
        return text

    def teach(self, machine, seed=1):
        self.call('POST', f'/v1/machines/{machine}/learn', values(20, seed).tobytes())

    def metric(self, name):
        text = self.call('GET', '/metrics').decode()
        return sum(float(x) for x in re.findall(rf'^{name}(?:{{[^}}]*}})? (\S+)$', text, re.M))


def store_of(programs, folder, machines):
    """A store with m0, m1, ...: all have learned what the first one has. Its rows are copied: asking for each would take minutes."""
    with Habitd(programs, folder) as habitd:
        habitd.call('POST', '/v1/machines/m0/buffers', values(20, 1).tobytes())
        habitd.call('POST', '/v1/machines/m0/buffers', values(12, 2).tobytes())
    with contextlib.closing(sqlite3.connect(os.path.join(folder, 'habit.db'))) as store, store:
        for number in range(1, machines):
            row = store.execute("INSERT INTO machine (name, created, settings) SELECT ?, created, settings FROM machine WHERE name = 'm0'",
                                (f'm{number}',)).lastrowid
            for table in ('state', 'knowledge'):
                columns = [c[1] for c in store.execute(f'PRAGMA table_info({table})') if c[1] != 'machine']
                names = ', '.join(f'"{c}"' for c in columns)
                store.execute(f"INSERT INTO {table} (machine, {names}) SELECT ?, {names} FROM {table} "
                              "WHERE machine = (SELECT id FROM machine WHERE name = 'm0')", (row,))


class Bare(Process):
    def __init__(self, programs, answer, workers):
        super().__init__(programs['http-bare'], answer, str(workers), stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())


class Counter(Process):
    """A subscriber that only counts."""

    def __init__(self, programs, broker, topic='#'):
        super().__init__(programs['mqtt-count'], str(broker), topic, stdout=subprocess.PIPE)
        if self.process.stdout.readline() != 'ready\n':
            raise SystemExit('the counter did not start')

    def count(self):
        self.process.send_signal(signal.SIGUSR1)
        return int(self.process.stdout.readline())


def free_port():
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        return probe.getsockname()[1]


class Broker(Process):
    """mosquitto with room for all that is sent."""

    def __init__(self, folder):
        self.port = free_port()
        path = os.path.join(folder, 'mosquitto.conf')
        with open(path, 'w') as file:
            file.write(f'listener {self.port} 127.0.0.1\nallow_anonymous true\nmax_queued_messages 100000\n'
                       'max_inflight_messages 128\nset_tcp_nodelay true\npersistence false\n')
        program = shutil.which('mosquitto') or '/usr/sbin/mosquitto'
        super().__init__(program, '-c', path, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        for _ in range(100):
            with contextlib.suppress(OSError), socket.create_connection(('127.0.0.1', self.port), 1):
                return
            time.sleep(0.05)
        raise SystemExit('mosquitto did not start')


def load(programs, port, path, kind, body, connections=1, seconds=1.0, rate=0, pid=0, answer=None):
    command = [programs['http-load'], str(port), path, kind, body, str(connections), str(seconds), str(rate), str(pid)]
    return run(command + ([answer] if answer else []))


def publish(programs, port, topic, body, machines=1, seconds=1.0, rate=0, window=128, share=0):
    command = [programs['mqtt-load'], str(port), topic, body, str(machines), str(seconds), str(rate), str(window), str(share)]
    return run(command)


def run(command):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        raise SystemExit(f'{" ".join(command)}: failed')
    return json.loads(done.stdout)
