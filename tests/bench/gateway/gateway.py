#!/usr/bin/env python3
"""habitd against its own limits, on one machine in one run: prints tables of Markdown, and what missed its aim.

usage: gateway.py BUILD [--quick] [--strict] [PART ...]

BUILD: folder of a release build. Parts: http, batch, latency, mqtt, learn, start, disk, memory; all of them where none is named.
Rates are medians of ROUNDS rounds in which the two sides take turns. On a machine that does other work the ratio of CPU times says
more than that of rates. --strict: ends with 1 where an aim was missed."""
import os
import statistics
import sys
import tempfile
import time

import subjects
from subjects import JSON, RAW, Bare, Broker, Counter, Habitd, json_body, load, publish, values

ROUNDS, SECONDS = 5, 2.0
missed = []


def programs_of(build):
    found = {'habitd': os.path.join(build, 'daemon/habitd'), 'habit': os.path.join(build, 'cli/habit')}
    for name in ('http-load', 'http-bare', 'mqtt-load', 'mqtt-count', 'group-commit'):
        found[name] = os.path.join(build, 'tests/bench/gateway/bench-' + name)
    return found


def table(title, head, rows):
    print(f'\n{title}\n\n| {" | ".join(head)} |\n|{" --- |" * len(head)}')
    for row in rows:
        print(f'| {" | ".join(row)} |')
    sys.stdout.flush()


def aim(text, value, limit, at_least=True):
    """The value as text, with its aim; notes where it was missed."""
    held = value >= limit if at_least else value <= limit
    if not held:
        missed.append(f'{text}: {value:.3g}, aim {"at least" if at_least else "at most"} {limit:g}')
    return f'{value:.2f}' + ('' if held else ' (!)')


def median_of(results, figure):
    return statistics.median(figure(result) for result in results)


def rate(result):
    return result['done'] / result['seconds']


def cpu(result):
    """Microseconds of the server for each."""
    return result['cpu'] / max(1, result['done']) * 1e6


class Bodies:
    def __init__(self, folder):
        self.folder = folder
        self.raw = self.keep('raw', values(1, 5).tobytes())
        self.json = self.keep('json', json_body(values(1, 5)))
        self.long = self.keep('long', json_body(values(1, 5), 17))
        self.batch = self.keep('batch', values(64, 5).tobytes())

    def keep(self, name, body):
        path = os.path.join(self.folder, name)
        with open(path, 'wb') as file:
            file.write(body)
        return path


# --------------------------------------------------------------------------------------------------------------- HTTP

PATH = '/v1/machines/m%d/detect'


def taught(programs, folder, machines, **options):
    habitd = Habitd(programs, folder, **options)
    for number in range(machines):
        habitd.teach(f'm{number}')
    return habitd


def part_http(programs, folder, bodies):
    """Detect against a bare libmicrohttpd that reads the same bodies and answers the same bytes, in the same mode: a thread a
    connection; and with its epoll workers."""
    answer, rows, json_rows = os.path.join(folder, 'answer'), [], []
    with taught(programs, folder, 2) as habitd:
        load(programs, habitd.port, PATH, RAW, bodies.raw, 1, 0.3, 0, habitd.pid, answer)
        for clients in (1, 2):
            with Bare(programs, answer, 0) as bare, Bare(programs, answer, clients) as workers:
                kinds = {'habitd': (habitd, RAW, bodies.raw), 'json': (habitd, JSON, bodies.json),
                         'long': (habitd, JSON, bodies.long), 'bare': (bare, RAW, bodies.raw),
                         'workers': (workers, RAW, bodies.raw)}
                results = {name: [] for name in kinds}
                for _ in range(ROUNDS):
                    for name, (server, kind, body) in kinds.items():
                        results[name].append(load(programs, server.port, PATH, kind, body, clients, SECONDS, 0, server.pid))
            of = {name: (median_of(r, rate), median_of(r, cpu)) for name, r in results.items()}
            rows.append([str(clients), f'{of["habitd"][0]:.0f}', f'{of["bare"][0]:.0f}', f'{of["workers"][0]:.0f}',
                         aim(f'HTTP detect, {clients} clients, rate beside bare', of['habitd'][0] / of['bare'][0], 0.75),
                         f'{of["habitd"][1]:.1f}', f'{of["bare"][1]:.1f}', f'{of["workers"][1]:.1f}',
                         f'{of["bare"][1] / of["habitd"][1]:.2f}'])
            for name, digits in (('json', '6'), ('long', '17')):
                json_rows.append([str(clients), digits, f'{of[name][0]:.0f}', f'{of[name][1]:.1f}',
                                  aim(f'JSON of {digits} digits beside binary, {clients} clients',
                                      of[name][0] / of['habitd'][0], 1 / 3),
                                  f'{of["habitd"][1] / of[name][1]:.2f}'])
    table('HTTP detect, one buffer of 3 x 256 float32 a request, keep-alive; bare: libmicrohttpd alone, a thread a connection as habitd '
          'has, and with epoll workers', ['clients', 'habitd 1/s', 'bare 1/s', 'bare epoll 1/s', 'rate ratio (aim 0.75)', 'habitd CPU us',
                                          'bare CPU us', 'bare epoll CPU us', 'CPU ratio'], rows)
    table('The same in JSON', ['clients', 'digits a number', 'habitd 1/s', 'CPU us', 'of the binary rate (aim 0.33)', 'CPU ratio'],
          json_rows)


def part_batch(programs, folder, bodies):
    rows = []
    with taught(programs, folder, 2) as habitd:
        for clients in (1, 2):
            results = [load(programs, habitd.port, PATH, RAW, bodies.batch, clients, SECONDS, 0, habitd.pid)
                       for _ in range(ROUNDS)]
            rows.append([str(clients), f'{64 * median_of(results, rate):.0f}', f'{median_of(results, cpu) / 64:.2f}'])
    table('HTTP detect, 64 buffers a request', ['clients', 'buffers 1/s', 'CPU us a buffer'], rows)


def part_latency(programs, folder, bodies):
    """At shares of what as many clients get who ask without a pause; beside the bare server at the same rate."""
    answer, rows, clients = os.path.join(folder, 'answer'), [], 4
    with taught(programs, folder, 4) as habitd:
        most = rate(load(programs, habitd.port, PATH, RAW, bodies.raw, clients, SECONDS, 0, habitd.pid, answer))
        with Bare(programs, answer, 0) as bare:
            for share in (0.1, 0.25, 0.5):
                results = {server: [] for server in (habitd, bare)}
                for _ in range(ROUNDS):
                    for server, of in results.items():
                        of.append(load(programs, server.port, PATH, RAW, bodies.raw, clients, 2 * SECONDS, share * most, server.pid))
                ours, theirs = ({name: statistics.median(r[name] for r in of) for name in ('p50', 'p99', 'p999', 'worst')}
                                for of in results.values())
                p99 = aim('p99 of detect at half load, ms', ours['p99'], 5, False) if share == 0.5 else f'{ours["p99"]:.2f}'
                rows.append([f'{share:.0%} ({share * most:.0f} 1/s)', f'{ours["p50"]:.3f}', p99, f'{ours["p999"]:.2f}', f'{ours["worst"]:.1f}',
                             f'{theirs["p50"]:.3f}', f'{theirs["p99"]:.2f}'])
    table(f'Latency of an HTTP detect in ms, {clients} clients, counted from when a request was due',
          ['load', 'p50', 'p99 (aim 5)', 'p99.9', 'worst', 'bare p50', 'bare p99'], rows)


# --------------------------------------------------------------------------------------------------------------- MQTT

MACHINES = 100


def received(broker, subscriber, count, programs, body):
    """Publishes for a while; from the first to the last one received."""
    came, used, began = count(), subscriber.cpu(), time.monotonic()
    sent = publish(programs, broker.port, 'habit/v1/bench/m%u/detect', body, MACHINES, SECONDS)['done']
    while count() - came < sent:
        if time.monotonic() - began > 60:
            raise SystemExit(f'{sent} were sent over MQTT, only {count() - came} came')
        time.sleep(0.005)
    seconds = time.monotonic() - began
    return {'done': sent, 'seconds': seconds, 'cpu': subscriber.cpu() - used}


def part_mqtt(programs, folder, bodies):
    results = {'count': [], 'habitd': []}
    for _ in range(ROUNDS):
        with Broker(folder) as broker, Counter(programs, broker.port, 'habit/v1/bench/+/detect') as counter:
            results['count'].append(received(broker, counter, counter.count, programs, bodies.raw))
        with Broker(folder) as broker, taught(programs, folder, MACHINES, broker=broker.port) as habitd:
            while habitd.metric('habit_mqtt_connected') < 1:
                time.sleep(0.05)
            count = lambda: habitd.metric('habit_ingest_latency_seconds_count')
            results['habitd'].append(received(broker, habitd, count, programs, bodies.raw))
    of = {name: (median_of(r, rate), median_of(r, cpu)) for name, r in results.items()}
    table(f'MQTT detect at QoS 1, {MACHINES} machines, one publisher, mosquitto between; beside a subscriber that only counts',
          ['habitd 1/s', 'counter 1/s', 'rate ratio (aim 0.85)', 'habitd CPU us', 'counter CPU us', 'CPU ratio'],
          [[f'{of["habitd"][0]:.0f}', f'{of["count"][0]:.0f}',
            aim('MQTT detect, rate beside a counter', of['habitd'][0] / of['count'][0], 0.85),
            f'{of["habitd"][1]:.1f}', f'{of["count"][1]:.1f}', f'{of["count"][1] / of["habitd"][1]:.2f}']])


# -------------------------------------------------------------------------------------------------------------- learning

FREELY = 'drift_budget = 1000\n'  # the same buffers again and again


def commission(habitd, machines):
    """As many as are kept of the commissioning: later ones only change knowledge."""
    body = values(64, 3).tobytes()
    for number in range(machines):
        for _ in range(4):
            habitd.call('POST', f'/v1/machines/m{number}/learn', body)


def part_learn(programs, folder, bodies):
    clients, results, rows = (1, 16, 64), {}, []
    with Habitd(programs, folder, machines=FREELY) as habitd:
        commission(habitd, 64)
    for _ in range(ROUNDS):
        for count in clients:
            with Habitd(programs, folder, machines=FREELY) as habitd:
                written = habitd.metric('habit_store_written_bytes_total')
                result = load(programs, habitd.port, '/v1/machines/m%d/learn', RAW, bodies.raw, count, SECONDS, 0, habitd.pid)
                result['written'] = habitd.metric('habit_store_written_bytes_total') - written
            results.setdefault(('habitd', count), []).append(result)
            results.setdefault(('sqlite', count), []).append(
                subjects.run([programs['group-commit'], os.path.join(folder, 'habit.db'), str(count), str(SECONDS)]))
    for count in clients:
        ours, theirs = results['habitd', count], results['sqlite', count]
        rows.append([str(count), f'{median_of(ours, rate):.0f}', f'{median_of(theirs, rate):.0f}',
                     aim(f'durable learns of {count} clients beside SQLite', median_of(ours, rate) / median_of(theirs, rate), 0.7),
                     f'{statistics.median(r["p50"] for r in ours):.1f}', f'{statistics.median(r["p99"] for r in ours):.1f}',
                     f'{median_of(ours, lambda r: r["written"] / r["done"]) / 1024:.1f}'])
    table('Durable learns over HTTP, beside SQLite with the same rows, syncs and group commit', [
        'clients', 'habitd 1/s', 'SQLite 1/s', 'ratio (aim 0.70)', 'p50 ms', 'p99 ms', 'KiB written a learn'], rows)


# -------------------------------------------------------------------------------------------------- start, disk, memory

def part_start(programs, folder, bodies):
    rows = []
    for machines, limit in ((1000, 1), (10000, 5)):
        with tempfile.TemporaryDirectory(dir=folder) as place:
            subjects.store_of(programs, place, machines)
            took, used, resident = [], [], []
            for _ in range(ROUNDS):
                with Habitd(programs, place) as habitd:
                    habitd.call('POST', '/v1/machines/m1/detect', values(1, 5).tobytes())
                    took.append(time.monotonic() - habitd.began)
                    used.append(habitd.cpu())
                    resident.append(habitd.status('VmRSS'))
        rows.append([str(machines), aim(f'start with {machines} machines, s', statistics.median(took), limit, False),
                     f'{limit}', f'{statistics.median(used):.2f}', f'{statistics.median(resident) / 2**20:.0f}'])
    table('From start to the first answer to a detect', ['stored machines', 's', 'aim', 'CPU s', 'MiB resident then'], rows)


def written_by(habitd, what, times):
    before = habitd.metric('habit_store_written_bytes_total')
    what()
    return (habitd.metric('habit_store_written_bytes_total') - before) / times / 1024


MANY = 30  # so that each flush is on time: those of more machines are spaced


def part_disk(programs, folder, bodies):
    """At the pace of one machine: nothing shares its commits."""
    rows = []
    with Habitd(programs, folder, machines=FREELY + 'false_alarms = off\n', store='flush = 1h') as habitd:
        commission(habitd, 2)
        one = values(1, 9).tobytes()
        for _ in range(200):  # until commissioning has been written back from the log
            habitd.call('POST', '/v1/machines/m0/learn', one)
        rows.append(['a learn, alone', f'{written_by(habitd, lambda: [habitd.call("POST", "/v1/machines/m0/learn", one) for _ in range(200)], 200):.1f}'])
        rows.append(['a detect that changes no anomaly', f'{written_by(habitd, lambda: [habitd.call("POST", "/v1/machines/m1/detect", one) for _ in range(200)], 200):.2f}'])
        strange, usual, count = values(1, 8, 6.0).tobytes(), values(1, 3).tobytes(), 20

        def anomalies():
            for _ in range(count):
                for body in (strange, usual):
                    for _ in range(30):
                        habitd.call('POST', '/v1/machines/m1/detect', body)

        before = habitd.metric('habit_anomalies_total')
        written = written_by(habitd, anomalies, 1)
        raised = habitd.metric('habit_anomalies_total') - before
        rows.append([f'an anomaly, from raised to cleared ({raised:.0f} seen)', f'{written / max(1, raised):.1f}'])
    with tempfile.TemporaryDirectory(dir=folder) as place:
        with taught(programs, place, MANY, store='flush = 1s') as habitd:
            body, flushes = values(1, 9).tobytes(), 8

            def detect_all():
                until = time.monotonic() + flushes + 0.5
                while time.monotonic() < until:
                    for number in range(MANY):
                        habitd.call('POST', f'/v1/machines/m{number}/detect', body)

            a_flush = written_by(habitd, detect_all, flushes) / MANY
            each = f'{a_flush * 720:.0f}'
    rows.append([f'a machine and flush, of {MANY} machines that are judged', f'{a_flush:.2f}'])
    rows.append(['a machine-hour at the default flush of 5 s, of those', each])
    table('Written into database and log', ['for', 'KiB'], rows)


def part_memory(programs, folder, bodies):
    machines = 1000
    with taught(programs, folder, 1) as habitd:
        before = habitd.status('RssAnon')
        learn, detect = values(20, 1).tobytes(), values(12, 2).tobytes()
        for number in range(machines):
            habitd.call('POST', f'/v1/machines/x{number}/buffers', learn)
            habitd.call('POST', f'/v1/machines/x{number}/buffers', detect)
        each, resident = (habitd.status('RssAnon') - before) / machines / 1024, habitd.status('VmRSS') / 2**20
    table(f'Memory with {machines} machines of 3 x 256', ['KiB a machine (aim 12)', 'MiB in all (aim 40)'],
          [[aim('KiB a machine', each, 12, False), aim('MiB of 1000 machines', resident, 40, False)]])


PARTS = {'http': part_http, 'batch': part_batch, 'latency': part_latency, 'mqtt': part_mqtt, 'learn': part_learn, 'start': part_start,
         'disk': part_disk, 'memory': part_memory}


def main():
    global ROUNDS, SECONDS
    arguments = sys.argv[1:]
    strict, quick = '--strict' in arguments, '--quick' in arguments
    names = [a for a in arguments[1:] if not a.startswith('--')] or list(PARTS)
    if not arguments or any(name not in PARTS for name in names):
        sys.exit(__doc__)
    if quick:
        ROUNDS, SECONDS = 3, 0.7
    programs = programs_of(os.path.abspath(arguments[0]))
    print(f'{time.strftime("%Y-%m-%d", time.gmtime())}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} at the beginning, '
          f'medians of {ROUNDS} rounds of {SECONDS:g} s; (!): aim missed')
    for name in names:
        # A real disk: a commit into memory would prove nothing.
        with tempfile.TemporaryDirectory(prefix='habit-bench-', dir='/var/tmp') as folder:
            PARTS[name](programs, folder, Bodies(folder))
    print(f'\nLoad {os.getloadavg()[0]:.1f} at the end.', 'Every aim was met.' if not missed else 'Missed: ' + '; '.join(missed) + '.')
    sys.exit(1 if missed and strict else 0)


if __name__ == '__main__':
    main()
