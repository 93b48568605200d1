#!/usr/bin/env python3
"""Resident memory of habitd with many machines of 3 x 256: prints it, and fails beyond the bounds of design.md.

usage: memory.py HABITD [MACHINES]"""
import array
import http.client
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading

BUFFER_SIZE, AXES, LEARNED = 256, 3, 20
MOST_PER_MACHINE, MOST_IN_ALL = 12 * 1024, 40 * 1024 * 1024  # bytes; the second for 1,000 machines

CONFIG = '''[gateway]
id = bench
machines = 10000
[http]
port = 0
[mqtt]
host =
[store]
path = {folder}/habit.db
[machine "*"]
create = yes
start = auto
buffer_size = 256
axes = 3
learn = 20
'''


def resident(pid):
    """Bytes, and those of them that are the process's own and not pages of the binary and libraries."""
    with open(f'/proc/{pid}/status') as file:
        status = file.read()
    read = lambda name: int(re.search(rf'^{name}:\s+(\d+) kB', status, re.M).group(1)) * 1024
    return read('VmRSS'), read('RssAnon')


def start(habitd, folder):
    path = os.path.join(folder, 'habitd.conf')
    with open(path, 'w') as file:
        file.write(CONFIG.format(folder=folder))
    process = subprocess.Popen([habitd, '--config', path], stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r'answers on http://127\.0\.0\.1:(\d+)', line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()  # a full pipe would stop habitd
            return process, int(found.group(1))
    sys.exit('habitd did not start')


def batch(count, seed):
    dice = random.Random(seed)
    values = array.array('f', (dice.gauss(0, 1) for _ in range(count * BUFFER_SIZE * AXES)))
    return values.tobytes()


def post(connection, machine, body):
    connection.request('POST', f'/v1/machines/{machine}/buffers', body, {'Content-Type': 'application/octet-stream'})
    answer = connection.getresponse()
    text = answer.read()
    if answer.status != 200:
        sys.exit(f'{machine}: {answer.status} {text[:200]}')


def main():
    habitd, machines = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    learn, detect = batch(LEARNED, 1), batch(12, 2)
    with tempfile.TemporaryDirectory() as folder:
        process, port = start(habitd, folder)
        try:
            connection = http.client.HTTPConnection('127.0.0.1', port)
            post(connection, 'warm-up', learn)
            _, before = resident(process.pid)
            for number in range(machines):
                post(connection, f'machine-{number}', learn)
                post(connection, f'machine-{number}', detect)
            total, after = resident(process.pid)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()
    each = (after - before) / machines
    print(f'{machines} machines of {AXES} x {BUFFER_SIZE}: {total / 2**20:.1f} MiB resident in all, '
          f'{each / 1024:.1f} KiB a machine')
    if each > MOST_PER_MACHINE or total > MOST_IN_ALL * max(1, machines / 1000):
        sys.exit(f'beyond the bounds: {MOST_PER_MACHINE // 1024} KiB a machine, '
                 f'{MOST_IN_ALL // 2**20} MiB for 1,000')


if __name__ == '__main__':
    main()
