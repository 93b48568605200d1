#!/usr/bin/env python3
"""What ./dev run starts: a broker, habitd and a few simulated machines, all on loopback, until Ctrl-C.

Three fans learn what is normal; then a bearing of the second one breaks, and stays broken. Everything lives in <build>/run and is made anew each
time, unless --keep is given."""
import argparse
import fcntl
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

GATEWAY = 'demo'
FANS, LEARN = 3, 300
BROKEN = 'fan-2'

BROKER_CONFIG = '''listener {port} 127.0.0.1
allow_anonymous true
persistence false
max_queued_messages 0
'''

HABITD_CONFIG = '''# written by ./dev run
[gateway]
id = {gateway}

[http]
port = {http}

[mqtt]
host = 127.0.0.1
port = {mqtt}

[store]
path = {folder}/habit.db

# Any fan that sends is a machine, and learns from its first buffer on.
[machine "fan-*"]
create = yes
start = auto
learn = {learn}
buffer_size = 256
axes = 3
sampling_hz = 1600
unit = g
asset = hall ventilation
'''

NEXT_STEPS = '''
Open {url} in a browser: machines, alarms, reports.
habitd answers there to programs too; the broker is at 127.0.0.1:{mqtt}. In another shell:

  curl {url}/v1/machines/{broken}                 # settings and state of one machine
  curl {url}/v1/anomalies                      # what broke its habit, and why
  curl '{url}/v1/reports/daily?machine={broken}'  # what it did today
  curl {url}/readyz
  mosquitto_sub -h 127.0.0.1 -p {mqtt} -v -t 'habit/v1/{gateway}/+/anomaly'

A machine of your own, 256 samples of x, y, z:

  curl -sS -o /dev/null -w '%{{http_code}}\\n' -X PUT -H 'Content-Type: application/json' -d '{{"buffer_size":256,"axes":3,"sampling_hz":1600}}' {url}/v1/machines/pump-1
  {habit} simulate --machine pump-1 --buffers 60 --output /tmp/nominal.f32
  curl -sS -H 'Content-Type: application/octet-stream' --data-binary @/tmp/nominal.f32 {url}/v1/machines/pump-1/learn | tail -c 190
  {habit} simulate --machine pump-1 --buffers 1 --fault looseness --output /tmp/strange.f32
  curl -H 'Content-Type: application/octet-stream' --data-binary @/tmp/strange.f32 {url}/v1/machines/pump-1/detect

The fans go on sending once a second, {broken} with its bearing broken; configuration, logs and store are in {folder}.
Ctrl-C stops everything. The next ./dev run begins with an empty store, ./dev run --keep goes on with this one.
'''


def free_port(wanted):
    """The port itself where nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(('127.0.0.1', port))
                return probe.getsockname()[1]
            except OSError:
                continue
    sys.exit('no free port on 127.0.0.1')


def wait_until(what, works, seconds=15):
    deadline = time.monotonic() + seconds
    while not works():
        if time.monotonic() > deadline:
            sys.exit(f'{what} is not there after {seconds} s; see the logs in the run folder')
        time.sleep(0.05)


def answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.status == 200 and b'"degraded"' not in answer.read()
    except (urllib.error.URLError, OSError):
        return False


def listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(('127.0.0.1', port)) == 0


class Demo:
    def __init__(self, build, folder, http, mqtt):
        self.habitd = os.path.join(build, 'daemon', 'habitd')
        self.habit = os.path.join(build, 'cli', 'habit')
        self.folder, self.http, self.mqtt = folder, http, mqtt
        self.url = f'http://127.0.0.1:{http}'
        self.children = []

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, 'w') as file:
            file.write(text)
        return path

    def start(self, name, command):
        log = open(os.path.join(self.folder, f'{name}.log'), 'w')
        self.children.append(subprocess.Popen(command, stdout=log, stderr=log))

    def start_broker(self):
        path = self.write('mosquitto.conf', BROKER_CONFIG.format(port=self.mqtt))
        broker = shutil.which('mosquitto', path=os.environ['PATH'] + ':/usr/sbin')
        self.start('mosquitto', [broker, '-c', path])
        wait_until('the broker', lambda: listens(self.mqtt))

    def start_habitd(self):
        path = self.write('habitd.conf', HABITD_CONFIG.format(gateway=GATEWAY, http=self.http, mqtt=self.mqtt,
                                                              folder=self.folder, learn=LEARN))
        self.start('habitd', [self.habitd, '--config', path])
        wait_until('habitd', lambda: answers(f'{self.url}/readyz'))

    def simulate(self, *options):
        return [self.habit, 'simulate', '--mqtt', f'127.0.0.1:{self.mqtt}', '--root', f'habit/v1/{GATEWAY}', '--quiet',
                *options]

    def simulate_fans(self, *options):
        return self.simulate('--machines', 'fan-%d', '--count', str(FANS), *options)

    def learn(self):
        subprocess.run(self.simulate_fans('--buffers', str(LEARN + 15), '--every', '0'), check=True)

    def break_bearing(self):
        """Publishes a fault of one fan while listening for the anomaly; returns what the broker said."""
        listener = subprocess.Popen(['mosquitto_sub', '-h', '127.0.0.1', '-p', str(self.mqtt), '-v', '-C', '1', '-W', '30',
                                     '-t', f'habit/v1/{GATEWAY}/{BROKEN}/anomaly'], stdout=subprocess.PIPE, text=True)
        subprocess.run(self.simulate('--machine', BROKEN, '--fault', 'bearing', '--buffers', '100', '--every', '0.05'),
                       check=True)
        return listener.communicate()[0].strip()

    def keep_sending(self):
        for fan in (f'fan-{number + 1}' for number in range(FANS)):
            fault = ('--fault', 'bearing') if fan == BROKEN else ()
            self.start(fan, self.simulate('--machine', fan, '--buffers', '0', '--every', '1', '--seed', '2', *fault))

    def stop(self):
        for child in reversed(self.children):
            child.terminate()
        for child in reversed(self.children):
            child.wait()


def refuse_second(folder):
    """The store of a demo that runs is not ours to throw away."""
    with open(os.path.join(folder, 'habit.db.lock'), 'w') as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            sys.exit(f'./dev run is running already, in {folder}: stop it first')


def play(demo):
    print('starting a broker and habitd ...', flush=True)
    demo.start_broker()
    demo.start_habitd()
    print(f'{FANS} fans show {LEARN} healthy buffers each, then some more ...', flush=True)
    demo.learn()
    print(f'a bearing of {BROKEN} breaks; on its anomaly topic:', flush=True)
    print('  ' + (demo.break_bearing() or 'nothing came: see the line above and the logs in ' + demo.folder))


def stay(demo):
    demo.keep_sending()
    print(NEXT_STEPS.format(url=demo.url, mqtt=demo.mqtt, gateway=GATEWAY, broken=BROKEN, habit=demo.habit, folder=demo.folder),
          flush=True)
    signal.pause()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--build', default='build')
    parser.add_argument('--keep', action='store_true', help='go on with the store of the last run')
    parser.add_argument('--once', action='store_true', help='stop when the tour is over')
    arguments = parser.parse_args()
    folder = os.path.abspath(os.path.join(arguments.build, 'run'))
    os.makedirs(folder, exist_ok=True)
    refuse_second(folder)
    if not arguments.keep:
        shutil.rmtree(folder)
        os.makedirs(folder)
    demo = Demo(arguments.build, folder, free_port(8088), free_port(1883))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        play(demo)
        if not arguments.once:
            stay(demo)
    except KeyboardInterrupt:
        pass
    finally:
        demo.stop()


if __name__ == '__main__':
    main()
