#!/usr/bin/env python3
"""Runs fuzz targets, some at a time, from the committed inputs and from what earlier runs found: ./dev fuzz.

What fails is kept in tests/fuzz/regressions/ and named. BUILD/hours sums up, over all runs, the CPU seconds and the inputs of each
target; BUILD/found-TARGET keeps the inputs that reached something new, so a search can be done in steps."""
import argparse
import concurrent.futures
import json
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
TARGETS = ('http', 'json', 'mqtt', 'inputs', 'config', 'upload', 'cli', 'interface', 'knowledge')
WORDS_OF = {'config', 'json', 'http', 'mqtt', 'cli', 'inputs'}  # whose inputs are texts
LONGEST = {'http': 4096, 'config': 4096}  # bytes of an input; 2048 of the others


def write_words(build, name):
    """Words that inputs are made of: those of the committed inputs, and all keys of the configuration. Returns an option."""
    if name not in WORDS_OF:
        return []
    texts = [path.read_bytes() for path in sorted((HERE / 'corpus' / name).iterdir())]
    texts.append((HERE.parent.parent / 'config' / 'habitd.conf').read_bytes())
    words = sorted({word for text in texts for word in re.findall(rb'[A-Za-z/_][A-Za-z0-9_/-]{2,40}', text)})
    path = build / f'{name}.dict'
    path.write_text(''.join(f'"{word.decode()}"\n' for word in words))
    return [f'-dict={path}']


def run(build, name, seconds):
    """Returns exit status, CPU seconds, inputs; the output goes to BUILD/NAME.log."""
    found = build / f'found-{name}'
    kept = HERE / 'regressions' / name
    found.mkdir(exist_ok=True)
    kept.mkdir(parents=True, exist_ok=True)
    command = [str(build / 'tests' / 'fuzz' / f'fuzz-{name}'), f'-max_total_time={seconds}',
               f'-max_len={LONGEST.get(name, 2048)}', '-timeout=60', '-report_slow_units=60', '-verbosity=0',
               '-print_final_stats=1', f'-artifact_prefix={kept}/', *write_words(build, name), str(found), str(HERE / 'corpus' / name), str(kept)]
    with open(build / f'{name}.log', 'w') as log:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                 env={**os.environ, 'UBSAN_OPTIONS': 'print_stacktrace=1'})
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    text = (build / f'{name}.log').read_text(errors='replace')
    inputs = re.search(r'number_of_executed_units: *(\d+)', text)
    return child.returncode, usage.ru_utime + usage.ru_stime, int(inputs.group(1)) if inputs else 0


def read_hours(build):
    path = build / 'hours'
    return json.loads(path.read_text()) if path.exists() else {}


def add_hours(build, name, seconds, inputs):
    """Returns what there is of the target now."""
    hours = read_hours(build)
    row = hours.setdefault(name, {'cpu_seconds': 0, 'inputs': 0})
    row['cpu_seconds'] = round(row['cpu_seconds'] + seconds)
    row['inputs'] += inputs
    (build / 'hours.new').write_text(json.dumps(hours, indent=1) + '\n')
    (build / 'hours.new').rename(build / 'hours')
    return row


def tail(path, lines):
    return '\n'.join(path.read_text(errors='replace').splitlines()[-lines:])


def search(build, names, seconds, parallel):
    """Returns the names of targets that failed."""
    failed = []
    with concurrent.futures.ThreadPoolExecutor(parallel) as pool:
        running = {pool.submit(run, build, name, seconds): name for name in names}
        for done in concurrent.futures.as_completed(running):
            name = running[done]
            status, cpu, inputs = done.result()
            row = add_hours(build, name, cpu, inputs)
            print(f'fuzz {name}: {inputs:,} inputs in {cpu:.0f} s of CPU; in all runs {row["inputs"]:,} in '
                  f'{row["cpu_seconds"] / 60:.1f} min', flush=True)
            if status != 0:
                failed.append(name)
                print(f'{tail(build / f"{name}.log", 40)}\nfuzz {name}: FAILED; the input is kept in {HERE}/regressions/{name}')
    return failed


def print_table(build):
    hours = read_hours(build)
    print('| target | CPU minutes | inputs |\n| --- | --- | --- |')
    for name in TARGETS:
        row = hours.get(name, {'cpu_seconds': 0, 'inputs': 0})
        print(f'| {name} | {row["cpu_seconds"] / 60:.1f} | {row["inputs"]:,} |')
    print(f'| all | {sum(row["cpu_seconds"] for row in hours.values()) / 60:.1f} '
          f'| {sum(row["inputs"] for row in hours.values()):,} |')


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--build', type=pathlib.Path, required=True)
    parser.add_argument('--seconds', type=int, default=600, help='of each target')
    parser.add_argument('--hours', action='store_true', help='print what all runs add up to, and end')
    parser.add_argument('names', nargs='*', metavar='TARGET', help=', '.join(TARGETS))
    options = parser.parse_args()
    unknown = set(options.names) - set(TARGETS)
    if unknown:
        parser.error(f'no such target: {", ".join(sorted(unknown))}')
    if options.hours:
        print_table(options.build)
        return 0
    began = time.monotonic()
    failed = search(options.build.resolve(), options.names or TARGETS, options.seconds, os.cpu_count() or 1)
    print(f'fuzzing took {time.monotonic() - began:.0f} s')
    return 1 if failed else 0


if __name__ == '__main__':
    sys.exit(main())
