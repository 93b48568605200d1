"""The command line `habit`: scoring recordings, simulating machines, inspecting knowledge, talking to the daemon.

The daemon is a stand-in here, so that these tests say what the command sends and shows; test files beside this one run the
real one. HABIT_BUILD names the build directory (default: build/ of the repository)."""

import contextlib
import csv
import http.server
import io
import json
import os
import pathlib
import random
import re
import shutil
import signal
import socket
import stat
import struct
import subprocess
import threading
import time
import urllib.parse

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
HABIT = pathlib.Path(os.environ.get('HABIT_BUILD', ROOT / 'build')) / 'cli' / 'habit'
GEOMETRY = ['--buffer-size', '64', '--axes', '2', '--sampling-hz', '800']
VALUES = 64 * 2


def run(*words, code=0, env=None, **options):
    done = subprocess.run([str(HABIT), *map(str, words)], capture_output=True, text=True, timeout=60,
                          env={**os.environ, **(env or {})}, **options)
    assert done.returncode == code, f'exit {done.returncode}: {done.stdout[:400]}\n{done.stderr[:800]}'
    assert 'Sanitizer' not in done.stderr, done.stderr
    return done


def simulate(path, *words):
    run('simulate', *GEOMETRY, '--speed', 30, '--output', path, *words)
    return path


def floats(path):
    data = path.read_bytes()
    return [struct.unpack_from(f'<{VALUES}f', data, at) for at in range(0, len(data), 4 * VALUES)]


def emulate(*words, **options):
    return run('emulate', *GEOMETRY, *words, **options)


def table(done):
    lines = done.stdout.splitlines()
    assert lines[0] == 'index,similarity,distance,anomaly'
    return list(csv.DictReader(lines))


@pytest.fixture(scope='module')
def recordings(tmp_path_factory):
    """A healthy machine, first to learn and then to detect, and the same one with a fault."""
    folder = tmp_path_factory.mktemp('recordings')
    simulate(folder / 'learn.f32', '--buffers', 100)
    simulate(folder / 'healthy.f32', '--buffers', 60, '--seed', 2)
    simulate(folder / 'faulty.f32', '--buffers', 40, '--seed', 3, '--fault', 'looseness')
    return folder


@pytest.fixture(scope='module')
def scored(recordings):
    return table(emulate('--learn', recordings / 'learn.f32', '--detect', recordings / 'healthy.f32', '--csv'))


# ---------------------------------------------------------------------------------------------------------------- emulate


def test_healthy_is_quiet_and_faulty_is_not(recordings, scored):
    faulty = table(emulate('--learn', recordings / 'learn.f32', '--detect', recordings / 'faulty.f32', '--csv'))
    assert len(scored) == 60 and len(faulty) == 40
    assert sum(int(row['anomaly']) for row in scored) <= 6
    assert sum(int(row['anomaly']) for row in faulty) >= 38
    for index, row in enumerate(scored + faulty):
        assert int(row['index']) == (index if index < 60 else index - 60)
        assert (int(row['similarity']) < 90) == (row['anomaly'] == '1') == (float(row['distance']) > 1)


def test_distances_read_back_to_the_same_float(scored):
    for row in scored:
        number = float(row['distance'])
        assert '%.9g' % struct.unpack('<f', struct.pack('<f', number))[0] == row['distance']


def test_nothing_learned_is_not_ready_and_never_a_score(recordings):
    rows = table(emulate('--detect', recordings / 'healthy.f32', '--csv'))
    assert [(row['similarity'], row['distance'], row['anomaly']) for row in rows] == [('', '', '')] * 60
    document = json.loads(emulate('--detect', recordings / 'healthy.f32', '--json').stdout)
    assert document['not_ready'] == 60 and document['progress']['needed'] > 0
    assert all(row['status'] == 'not_ready' and 'similarity' not in row for row in document['results'])


def test_json_has_progress_and_explanations(recordings, scored):
    words = ['--learn', recordings / 'learn.f32', '--json', '--detect']
    healthy = json.loads(emulate(*words, recordings / 'healthy.f32').stdout)
    faulty = json.loads(emulate(*words, recordings / 'faulty.f32').stdout)
    assert healthy['learned'] == 100 == healthy['progress']['learned'] and healthy['threshold'] == 90
    assert [row['distance'] for row in healthy['results']] == [float(row['distance']) for row in scored]
    for row in faulty['results']:
        assert row['anomaly'] and len(row['level']) == len(row['amplitude']) == 2
        assert row['explanation'] and {'axis', 'kind', 'sigmas'} <= set(row['explanation'][0])
    bands = [reason for row in faulty['results'] for reason in row['explanation'] if reason['kind'] == 'band']
    assert bands and all(0 <= reason['from_hz'] <= reason['to_hz'] <= 400 for reason in bands)


def test_table_for_people_ends_with_a_summary(recordings):
    lines = emulate('--learn', recordings / 'learn.f32', '--detect', recordings / 'faulty.f32').stdout.splitlines()
    assert lines[0].startswith('learned 100 buffers of 64 samples x 2 axes')
    assert re.fullmatch(r'40 buffers: \d+ normal, \d+ below 90, 0 not ready', lines[-1])
    assert 'anomaly  axis ' in lines[-3]


def test_threshold_and_sensitivity_act_as_the_engine_says(recordings, scored):
    words = ['--learn', recordings / 'learn.f32', '--detect', recordings / 'healthy.f32', '--csv']
    strict = table(emulate(*words, '--threshold', 100))
    assert [row['anomaly'] for row in strict] == [str(int(int(row['similarity']) < 100)) for row in scored]
    sensitive = table(emulate(*words, '--sensitivity', 3))
    assert [row['distance'] for row in sensitive] == [row['distance'] for row in scored]
    assert sum(int(row['anomaly']) for row in sensitive) > sum(int(row['anomaly']) for row in scored)


def test_files_may_be_several_and_options_repeated(recordings, scored, tmp_path):
    data = (recordings / 'learn.f32').read_bytes()
    parts = [tmp_path / 'a.f32', tmp_path / 'b.f32', tmp_path / 'c.f32']
    for i, part in enumerate(parts):
        part.write_bytes(data[i * 30 * 4 * VALUES:(i + 1) * 30 * 4 * VALUES if i < 2 else None])
    detect = ['--detect', recordings / 'healthy.f32', '--csv']
    assert table(emulate('--learn', *parts, *detect)) == scored
    assert table(emulate('--learn', parts[0], '--learn', parts[1], parts[2], *detect)) == scored


def test_a_pipe_is_as_good_as_a_file(recordings, scored):
    with open(recordings / 'learn.f32', 'rb') as file:
        done = emulate('--learn', '-', '--detect', recordings / 'healthy.f32', '--csv', stdin=file)
    assert table(done) == scored


def test_int16_is_scaled(recordings, tmp_path):
    words = ['--seed', 3, '--buffers', 90, '--scale', '0.001']
    simulate(tmp_path / 'a.i16', '--format', 'i16', *words)
    raw = (tmp_path / 'a.i16').read_bytes()
    scale = struct.unpack('<f', struct.pack('<f', 0.001))[0]
    values = [struct.unpack('<f', struct.pack('<f', x * scale))[0] for (x,) in struct.iter_unpack('<h', raw)]
    (tmp_path / 'a.f32').write_bytes(struct.pack(f'<{len(values)}f', *values))
    exact = floats(simulate(tmp_path / 'exact.f32', *words[:-2]))
    flat = [x for buffer in exact for x in buffer]
    assert len(flat) == len(values) and max(abs(a - b) for a, b in zip(flat, values)) <= 0.00051
    each = [emulate('--learn', tmp_path / name, '--detect', tmp_path / name, '--csv', *more).stdout
            for name, more in (('a.i16', ['--format', 'i16', '--scale', '0.001']), ('a.f32', ['--scale', '0.001']))]
    assert each[0] == each[1]


def test_constant_buffers_are_reported_and_not_learned(recordings, scored, tmp_path):
    data = (recordings / 'learn.f32').read_bytes()
    dead = struct.pack(f'<{VALUES}f', *[0.5, -1.0] * 64)
    (tmp_path / 'learn.f32').write_bytes(data[:10 * 4 * VALUES] + dead + data[10 * 4 * VALUES:])
    done = emulate('--learn', tmp_path / 'learn.f32', '--detect', recordings / 'healthy.f32', '--csv')
    assert table(done) == scored
    assert 'buffer 10 ' in done.stderr and 'constant' in done.stderr and '1 constant' in done.stderr


# -------------------------------------------------------------------------------------------------------------------- CSV

FORMS = {
    'commas': dict(separator=','),
    'comma and space': dict(separator=', '),
    'semicolons': dict(separator=';'),
    'tabs': dict(separator='\t'),
    'spaces': dict(separator=' '),
    'columns of spaces': dict(separator='   '),
    'decimal commas, semicolons': dict(separator=';', comma=True),
    'decimal commas, tabs': dict(separator='\t', comma=True),
    'decimal commas, spaces': dict(separator=' ', comma=True),
    'header': dict(separator=',', header=','.join(f'x{i}' for i in range(VALUES))),
    'quoted header': dict(separator=';', header=';'.join(f'"acc {i} [g]"' for i in range(VALUES))),
    'CRLF': dict(separator=',', end='\r\n'),
    'byte order mark': dict(separator=',', start='\ufeff'),
    'byte order mark and header': dict(separator=';', start='\ufeff', header='time;acceleration'),
    'separator at the end': dict(separator=';', end=';\n'),
    'no newline at the end': dict(separator=',', cut=1),
    'empty lines at the end': dict(separator=',', tail='\n\r\n'),
}


def write_csv(path, buffers, separator=',', comma=False, header=None, end='\n', start='', cut=0, tail=''):
    lines = [header + end.replace(';', '')] if header else []
    for buffer in buffers:
        line = separator.join('%.9g' % value for value in buffer)
        lines.append((line.replace('.', ',') if comma else line) + end)
    text = start + ''.join(lines) + tail
    path.write_bytes(text[:len(text) - cut].encode())
    return path


@pytest.mark.parametrize('form', FORMS)
def test_csv_gives_the_distances_of_the_raw_file(recordings, scored, tmp_path, form):
    path = write_csv(tmp_path / 'healthy.csv', floats(recordings / 'healthy.f32'), **FORMS[form])
    done = emulate('--learn', recordings / 'learn.f32', '--detect', path, '--csv', env={'LC_ALL': 'de_DE.UTF-8'})
    assert table(done) == scored


def test_simulated_csv_is_the_simulated_raw(tmp_path):
    raw = floats(simulate(tmp_path / 'a.f32', '--buffers', 5))
    text = run('simulate', *GEOMETRY, '--speed', 30, '--buffers', 5).stdout
    for line, buffer in zip(text.splitlines(), raw, strict=True):
        read = [struct.unpack('<f', struct.pack('<f', float(cell)))[0] for cell in line.split(',')]
        assert tuple(read) == buffer


# --------------------------------------------------------------------------------------------------------------- bad data


def line_of(count, **cells):
    values = [str(i / 8) for i in range(count)]
    for at, cell in cells.items():
        values[int(at[1:])] = cell
    return ','.join(values) + '\n'


GOOD = line_of(VALUES)
HUGE = struct.pack('<f', 2e15)
BAD = {
    'empty.csv': (b'', r'no line'),
    'header only.csv': (b'a,b,c\n', r'no line'),
    'short line.csv': (GOOD + GOOD + line_of(VALUES - 1), r'line 3: 127 values.*128'),
    'long line.csv': (GOOD + line_of(VALUES + 1), r'line 2: 129 values.*128'),
    'a sample a line.csv': ('0.1,0.2\n' * 64, r'line 1: 2 values(.|\n)*64 samples x 2 axes = 128'),
    'word.csv': (GOOD + line_of(VALUES, c4='abc'), r'line 2, column 5'),
    'word in the first line.csv': (line_of(VALUES, c4='abc') + GOOD, r'line 1, column 5'),
    'header that is half numbers.csv': ('a,b,3\n' + GOOD, r'line 1'),
    'nan.csv': (GOOD * 3 + line_of(VALUES, c0='NaN'), r'line 4, column 1'),
    'nan in the first cell.csv': (line_of(VALUES, c0='nan') + GOOD, r'line 1, column 1'),
    'nan in every cell.csv': (','.join(['nan'] * VALUES) + '\n' + GOOD, r'line 1, column 1'),
    'minus inf.csv': (line_of(VALUES, c0='-inf') + GOOD, r'line 1, column 1'),
    'inf.csv': (GOOD + line_of(VALUES, c127='inf'), r'line 2, column 128'),
    'too large.csv': (GOOD + line_of(VALUES, c2='1.1e15'), r'line 2, column 3: .*1e15'),
    'far too large.csv': (GOOD + line_of(VALUES, c2='1e300'), r'line 2, column 3: .*1e15'),
    'endless.csv': (GOOD + line_of(VALUES, c2='1e400'), r'line 2, column 3'),
    'hex.csv': (GOOD + line_of(VALUES, c2='0x10'), r'line 2, column 3'),
    'empty cell.csv': (GOOD + line_of(VALUES, c2=''), r'line 2, column 3'),
    'quoted number.csv': (GOOD + line_of(VALUES, c2='"1"'), r'line 2, column 3'),
    'decimal comma between commas.csv': (GOOD + line_of(VALUES, c2='1,5'), r'line 2: 129 values'),
    'zero byte.csv': (GOOD + line_of(VALUES, c2='1\0'), r'line 2, column 3'),
    'UTF-16.csv': ((GOOD * 2).encode('utf-16'), r'line 1'),
    'empty.f32': (b'', r'no buffer'),
    'cut.f32': (bytes(4 * VALUES * 2 - 1), r'1023 .*512'),
    'nan.f32': (bytes(4 * VALUES) + struct.pack('<f', float('nan')) + bytes(4 * VALUES - 4), r'buffer 1 .*axis 0 of sample 0'),
    'inf.f32': (bytes(4 * VALUES - 4) + struct.pack('<f', float('-inf')), r'buffer 0 .*axis 1 of sample 63 is not finite'),
    'too large.f32': (bytes(4 * VALUES * 2 - 4) + HUGE, r'buffer 1 .*beyond 1e15'),
}


@pytest.mark.parametrize('name', BAD)
def test_bad_data_is_refused_with_its_place(tmp_path, name):
    content, place = BAD[name]
    path = tmp_path / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    for action in ('--learn', '--detect'):
        done = emulate(action, path, code=3)
        assert name in done.stderr and re.search(place, done.stderr), done.stderr
        assert not done.stdout.startswith('{')


def test_bad_data_leaves_the_knowledge_file_alone(recordings, tmp_path):
    knowledge = tmp_path / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', knowledge)
    before = knowledge.read_bytes()
    bad = tmp_path / 'bad.f32'
    bad.write_bytes((recordings / 'healthy.f32').read_bytes() + struct.pack(f'<{VALUES}f', *[float('nan')] * VALUES))
    emulate('--learn', bad, '--knowledge', knowledge, code=3)
    assert knowledge.read_bytes() == before and os.listdir(tmp_path) and len(os.listdir(tmp_path)) == 2


def test_a_cut_file_is_refused_before_anything_of_it_is_used(recordings, tmp_path):
    (tmp_path / 'cut.f32').write_bytes((recordings / 'healthy.f32').read_bytes()[:-4])
    done = emulate('--learn', recordings / 'learn.f32', '--detect', tmp_path / 'cut.f32', '--csv', code=3)
    assert done.stdout == 'index,similarity,distance,anomaly\n' and str(60 * 4 * VALUES - 4) in done.stderr


def test_a_cut_pipe_is_bad_data(recordings):
    data = (recordings / 'learn.f32').read_bytes()[:-4]
    done = subprocess.run([HABIT, 'emulate', *GEOMETRY, '--learn', '-'], input=data, capture_output=True, timeout=60)
    assert done.returncode == 3 and str(len(data)).encode() in done.stderr


@pytest.mark.parametrize('path', ['missing.f32', '.', '/dev/zero'])
def test_what_cannot_be_read_is_a_failure(tmp_path, path):
    done = emulate('--learn', path, code=1, cwd=tmp_path)
    assert path in done.stderr


# -------------------------------------------------------------------------------------------------------------- knowledge


def test_learn_and_detect_in_two_calls_equal_one(recordings, scored, tmp_path):
    knowledge = tmp_path / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', knowledge)
    saved = knowledge.read_bytes()
    assert table(emulate('--detect', recordings / 'healthy.f32', '--knowledge', knowledge, '--csv')) == scored
    assert knowledge.read_bytes() == saved
    assert stat.S_IMODE(knowledge.stat().st_mode) & 0o022 == 0


def test_learning_on_in_a_second_call_equals_one_call(recordings, tmp_path):
    data = (recordings / 'learn.f32').read_bytes()
    (tmp_path / 'a.f32').write_bytes(data[:37 * 4 * VALUES])
    (tmp_path / 'b.f32').write_bytes(data[37 * 4 * VALUES:])
    for name in ('a', 'b'):
        emulate('--learn', tmp_path / f'{name}.f32', '--knowledge', tmp_path / 'two.habit')
    emulate('--learn', recordings / 'learn.f32', '--knowledge', tmp_path / 'one.habit')
    assert (tmp_path / 'two.habit').read_bytes() == (tmp_path / 'one.habit').read_bytes()


@pytest.mark.parametrize('words, field, sides', [
    (['--buffer-size', 128, '--axes', 1, '--sampling-hz', 800], 'buffer size', ('64', '128')),
    (['--buffer-size', 64, '--axes', 1, '--sampling-hz', 800], 'axes', ('2', '1')),
    (['--buffer-size', 64, '--axes', 2, '--sampling-hz', 801], 'sampling Hz', ('800', '801')),
    (['--buffer-size', 64, '--axes', 2], 'sampling Hz', ('800', '0')),
    (['--buffer-size', 64, '--axes', 2, '--sampling-hz', 800, '--unit', 'mm/s'], 'unit', ("''", "'mm/s'")),
    (['--buffer-size', 64, '--axes', 2, '--sampling-hz', 800, '--scale', 2], 'scale', ('1', '2')),
    (['--buffer-size', 64, '--axes', 2, '--sampling-hz', 800, '--profile', 'small'], 'profile', ('default', 'small')),
])
def test_knowledge_of_another_sensor_is_refused_naming_both(recordings, tmp_path, words, field, sides):
    knowledge = tmp_path / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', knowledge)
    before = knowledge.read_bytes()
    done = run('emulate', *words, '--knowledge', knowledge, '--learn', recordings / 'learn.f32', code=3)
    assert f'{field} {sides[0]}, asked for was {field} {sides[1]}' in done.stderr and 'pump.habit' in done.stderr
    assert knowledge.read_bytes() == before


def test_inspect_says_what_a_block_is_of(recordings, tmp_path):
    knowledge = tmp_path / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', knowledge, '--unit', 'g', '--sensitivity', '1.5')
    document = json.loads(run('inspect', knowledge, '--json').stdout)
    assert document['valid'] and document['learned'] == 100 and document['sensitivity'] == 1.5
    assert (document['buffer_size'], document['axes'], document['sampling_hz'], document['unit'], document['scale'],
            document['profile']) == (64, 2, 800, 'g', 1, 'default')
    assert document['progress']['missing'] == 'nothing' and document['progress']['states'] == 1
    assert 0 < document['drift'] < 1 and document['progress']['rare'] == 0
    assert document['size'] == knowledge.stat().st_size and re.fullmatch('[0-9a-f]{8}', document['crc'])
    text = run('inspect', knowledge).stdout
    for words in ('learned +100 buffers', 'axes +2', 'buffer size +64', "unit +'g'", 'sensitivity +1.5', document['crc'],
                  'settled 100 %, missing: nothing', 'normal states: 1', 'own estimate of false alarms', 'drift since'):
        assert re.search(words, text), words


@pytest.mark.parametrize('damage', ['flipped', 'cut', 'longer', 'empty', 'other'])
def test_inspect_refuses_what_is_no_block(recordings, tmp_path, damage):
    knowledge = tmp_path / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', knowledge)
    data = bytearray(knowledge.read_bytes())
    flipped = bytes(data[:200]) + bytes([data[200] ^ 1]) + bytes(data[201:])
    knowledge.write_bytes({'flipped': flipped, 'cut': bytes(data[:-4]), 'longer': bytes(data) + b'\0' * 4, 'empty': b'',
                           'other': b'GIF89a' * 300}[damage])
    done = run('inspect', knowledge, code=3)
    assert 'pump.habit' in done.stderr and 'knowledge' in done.stderr
    answer = run('inspect', knowledge, '--json', code=3).stdout
    assert json.loads(answer)['valid'] is False and json.loads(answer)['why']
    emulate('--detect', recordings / 'healthy.f32', '--knowledge', knowledge, code=3)


# ---------------------------------------------------------------------------------------------------------------- convert

@pytest.fixture(scope='module')
def block(recordings, tmp_path_factory):
    path = tmp_path_factory.mktemp('block') / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', path, '--unit', 'g', '--scale', '0.0001')
    return path


def dump_of(tmp_path, *parts):
    path = tmp_path / 'dump.bin'
    path.write_bytes(b''.join(parts))
    return path


def test_convert_finds_a_block_in_a_memory_dump(block, tmp_path):
    data, found = block.read_bytes(), tmp_path / 'found.habit'
    noise = random.Random(3).randbytes(997) + b'HABT, the word alone, is no block. HABT'
    dump = dump_of(tmp_path, noise, data, noise, data, noise)
    lines = run('convert', dump).stdout.splitlines()
    assert len(lines) == 2 and lines[0].startswith(f'offset {len(noise)}: {len(data)} bytes, 64 samples x 2 axes, 100 buffers')
    run('convert', dump, '--output', found)
    assert found.read_bytes() == data
    run('convert', dump, '--output', found, '--at', 2 * len(noise) + len(data))
    assert found.read_bytes() == data
    assert '--at' not in run('convert', dump, '--output', found, '--at', 5, code=3).stderr and found.read_bytes() == data


def test_convert_asks_which_of_different_blocks(block, recordings, tmp_path):
    other = tmp_path / 'other.habit'
    emulate('--learn', recordings / 'healthy.f32', '--knowledge', other)
    dump = dump_of(tmp_path, block.read_bytes(), other.read_bytes())
    found, at = tmp_path / 'found', len(block.read_bytes())
    stderr = run('convert', dump, '--output', found, code=3).stderr
    assert f'offsets 0 and {at}' in stderr and '--at' in stderr and not found.exists()
    run('convert', dump, '--output', found, '--at', at)
    assert found.read_bytes() == other.read_bytes()


@pytest.mark.parametrize('at, byte, words', [
    (4, 2, 'format version 2; this program reads version 1'),
    (16, 0, 'habit_seal()'),
    (300, None, 'damaged'),
    (None, None, 'no knowledge block in 40 bytes'),
])
def test_convert_says_what_is_wrong_with_a_block(block, tmp_path, at, byte, words):
    data = bytearray(block.read_bytes())
    if at is None:
        data = data[:40]
    else:
        data[at] = data[at] ^ 1 if byte is None else byte
        if at == 16:
            data[12:20] = bytes(8)
    dump = dump_of(tmp_path, bytes(data))
    for options in [], ['--output', tmp_path / 'found']:
        done = run('convert', dump, *options, code=3 if options or at is None else 0)
        assert words in done.stdout + done.stderr or (not options and at == 16)
    assert not (tmp_path / 'found').exists()


@pytest.mark.parametrize('option, value, words', [
    ('--buffer-size', '128', ('buffer size 64', 'buffer size 128')),
    ('--axes', '3', ('axes 2', 'axes 3')),
    ('--sampling-hz', '1600', ('sampling Hz 800', 'sampling Hz 1600')),
    ('--unit', 'mm/s', ("unit 'g'", "unit 'mm/s'")),
    ('--scale', '0.0002', ('scale 9.99999975e-05', 'scale 0.000199999995')),
    ('--profile', 'small', ('profile default', 'profile small')),
])
def test_convert_refuses_another_sensor_naming_both(block, tmp_path, option, value, words):
    found = tmp_path / 'found'
    run('convert', block, '--output', found, '--buffer-size', 64, '--axes', 2, '--sampling-hz', 800, '--unit', 'g',
        '--scale', '0.0001', '--profile', 'default')
    found.unlink()
    stderr = run('convert', block, '--output', found, option, value, code=3).stderr
    assert all(word in stderr for word in words) and not found.exists()


@pytest.mark.parametrize('pad', [8, 32, 4096])
def test_convert_pads_a_binary_to_flash(block, tmp_path, pad):
    data, flash = block.read_bytes(), tmp_path / 'flash.bin'
    run('convert', block, '--output', flash, '--as', 'flash', '--pad', pad)
    written = flash.read_bytes()
    assert len(written) % pad == 0 and len(written) - len(data) < pad
    assert written == data + b'\xff' * (len(written) - len(data))


PROGRAM = """
#include <stdio.h>
#include "block.h"

int main(void)
{
    const struct habit_config config = PUMP_1_CONFIG;
    struct habit_info info;

    fwrite(pump_1, 1, sizeof(pump_1), stdout);
    return habit_check(pump_1, sizeof(pump_1), &info) || habit_config_compare(&config, &info.config) ||
           PUMP_1_SIZE != sizeof(pump_1) || PUMP_1_BUFFER_SIZE != 64 || PUMP_1_AXES != 2 || PUMP_1_PROFILE != 1;
}
"""


@pytest.mark.parametrize('unit', ['g', '"\\??/', 'eleven/char'])
def test_convert_makes_a_c_header_that_compiles_to_the_block(recordings, tmp_path, unit):
    block = tmp_path / 'pump.habit'
    emulate('--learn', recordings / 'learn.f32', '--knowledge', block, '--unit', unit, '--scale', '0.1')
    run('convert', block, '--output', tmp_path / 'block.h', '--as', 'header', '--name', 'pump_1')
    (tmp_path / 'main.c').write_text(PROGRAM)
    subprocess.run(['gcc', '-std=c11', '-Wall', '-Wextra', '-Werror', '-I', ROOT / 'engine' / 'include', '-o',
                    tmp_path / 'main', tmp_path / 'main.c', *(ROOT / 'engine' / 'src').glob('*.c'), '-lm'], check=True)
    done = subprocess.run([tmp_path / 'main'], capture_output=True, check=True)
    assert done.stdout == block.read_bytes()


# ------------------------------------------------------------------------------------------------------------------ usage

EMULATE = ['emulate', '--buffer-size', '64', '--axes', '2', '--learn', 'x.f32']
USAGE = [
    ([], 'usage'),
    (['--'], "'--'"),
    (['frobnicate'], 'frobnicate'),
    (['help', 'frobnicate'], 'frobnicate'),
    (['--version', 'x'], '--version'),
    (['emulate'], '--buffer-size'),
    (['emulate', '--buffer-size', '64', '--learn', 'x'], '--axes'),
    (['emulate', '--buffer-size', '64', '--axes', '2'], '--learn'),
    (EMULATE[:4] + ['--axes'], '--axes'),
    (['emulate', '--buffer-size', '--axes', '2', '--learn', 'x'], '--buffer-size'),
    (['emulate', '--axes', '2', '--knowledge', '--buffer-size', '64'], '--knowledge'),
    (EMULATE + ['--axes', '2'], '--axes is given twice'),
    (EMULATE + ['--csv', '--csv'], '--csv'),
    (EMULATE + ['--csv', '--json'], '--json'),
    (EMULATE + ['--csv=1'], '--csv'),
    (EMULATE + ['--thres', '80'], '--threshold'),
    (EMULATE + ['--frobnicate'], '--frobnicate'),
    (EMULATE + ['-x'], '-x'),
    (EMULATE + ['--unit', 'furlongs/fortnight'], '--unit'),
    (EMULATE + ['--unit='], '--unit'),
    (EMULATE + ['--format', 'wav'], 'auto|f32|i16|csv'),
    (EMULATE + ['--profile', 'huge'], 'small|default|large'),
    (['emulate', 'x.f32'] + EMULATE[1:], "'x.f32'"),
    (['inspect'], 'FILE'),
    (['inspect', 'a', 'b'], 'FILE'),
    (['convert'], 'FILE'),
    (['convert', 'a', '--as', 'hex'], 'block|header|flash'),
    (['convert', 'a', '--name', 'pump-1'], "'pump-1'"),
    (['convert', 'a', '--unit', 'thirteen/long'], "'thirteen/long'"),
    (['simulate', '--machines', 'pump'], '--machines'),
    (['simulate', '--machine', 'no/slash'], 'machine ID'),
    (['simulate', '--machines', 'pump-%d', '--count', '3'], '--http'),
    (['simulate', '--run', '5'], '--stop'),
    (['simulate', '--speed', '800'], '--speed'),
    (['simulate', '--boot', 'a'], '--number'),
    (['simulate', '--number', '--boot', 'a' * 33], '--boot'),
    (['simulate', '--http', 'http://x', '--mqtt', 'y'], 'exclude'),
    (['commission'], 'PATTERN'),
    (['commission', 'pump/1'], "'pump/1'"),
    (['adopt', 'pump-*', '--set', 'wall'], 'wall'),
    (['adopt', 'pump-*', '--set', 'walls=1'], 'walls'),
    (['adopt', 'pump-*', '--set', 'window=65'], 'window'),
    (['adopt', 'pump-*', '--set', 'window=5', '--set', 'window=6'], 'twice'),
    (['report', 'yesterday'], 'yesterday'),
    (['machines', 'pump-1'], 'pump-1'),
]
NUMBERS = ['', ' 2', '2 ', '+2', '-2', '02', '0x2', '2.0', '2e0', '1,5', 'two', '0', '17', '99999999999999999999', 'nan']


@pytest.mark.parametrize('words, named', USAGE, ids=[' '.join(words) or 'nothing' for words, _ in USAGE])
def test_wrong_usage_says_which_option_and_exits_2(words, named, tmp_path):
    done = run(*words, code=2, cwd=tmp_path, env={'HABIT_URL': 'http://127.0.0.1:1'})
    assert named in done.stderr and 'usage: habit' in done.stderr and done.stdout == ''
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize('text', NUMBERS)
def test_numbers_are_read_strictly(text):
    done = run('emulate', '--buffer-size', 64, '--axes', text, '--learn', 'x', code=2, env={'LC_ALL': 'de_DE.UTF-8'})
    assert '--axes' in done.stderr
    if text not in ('', '0', '02', '2.0', '2e0', '17', '99999999999999999999'):
        done = run('simulate', '--severity', text, code=2)
        assert '--severity' in done.stderr


def test_help_and_version():
    everything = run('help').stdout
    assert run('-h').stdout == run('--help').stdout == everything
    for name in re.findall(r'^  ([a-z]+) +\S', everything, re.M):
        if name == 'habit':
            continue
        page = run('help', name).stdout
        assert page.startswith(f'usage: habit {name} ') and run(name, '-h').stdout == run(name, '--help').stdout == page
    assert re.fullmatch(r'habit \d+\.\d+\.\d+\n', run('--version').stdout)


@pytest.mark.parametrize('words', [['--version'], ['help'], ['simulate', '--buffers', '3'], ['emulate', *GEOMETRY, '--learn',
                                                                                            'learn.f32', '--json']])
def test_a_full_disk_behind_stdout_is_a_failure(recordings, words):
    with open('/dev/full', 'w') as full:
        done = subprocess.run([HABIT, *words], stdout=full, stderr=subprocess.PIPE, text=True, cwd=recordings, timeout=60)
    assert done.returncode == 1 and done.stderr == 'habit: cannot write standard output: No space left on device\n'


@pytest.mark.parametrize('closed', ['<&-', '>&-', '2>&-', '<&- >&- 2>&-'])
def test_what_is_printed_on_closed_files_goes_nowhere(daemon, closed):
    """Not into the connection that would otherwise be opened as file 1 or 2."""
    daemon.fallback = (404, {'detail': 'not here'})
    daemon.answers['POST', '/v1/machines/pump-1/buffers'] = (200, {'status': 'idle'})
    for name, code in (('pump-1', 0), ('pump-2', 1)):
        line = f'exec {HABIT} simulate --buffers 3 --every 0 --machine {name} --http {daemon.url} {closed}'
        assert subprocess.run(line, shell=True, capture_output=True, timeout=60).returncode == code
    assert [path for _, path, *_ in daemon.asked] == [f'/v1/machines/{name}/buffers' for name in ['pump-1'] * 3 + ['pump-2'] * 3]


# --------------------------------------------------------------------------------------------------------------- simulate


def test_a_seed_repeats_everything(tmp_path):
    words = ['--buffers', 20, '--fault', 'bearing', '--run', 5, '--stop', 3]
    same = [simulate(tmp_path / f'{i}.f32', '--seed', 7, *words).read_bytes() for i in range(2)]
    other = simulate(tmp_path / 'other.f32', '--seed', 8, *words).read_bytes()
    assert same[0] == same[1] != other and len(other) == 20 * 4 * VALUES


def test_an_id_gives_a_machine_its_character(recordings, tmp_path):
    path = simulate(tmp_path / 'a.f32', '--buffers', 40, '--machine', 'another')
    rows = table(emulate('--learn', recordings / 'learn.f32', '--detect', path, '--csv'))
    assert sum(int(row['anomaly']) for row in rows) >= 38


def rms(buffer, axis):
    part = buffer[axis::2]
    mean = sum(part) / len(part)
    return (sum((x - mean) ** 2 for x in part) / len(part)) ** 0.5


def test_starts_and_stops(tmp_path):
    buffers = floats(simulate(tmp_path / 'a.f32', '--buffers', 32, '--run', 5, '--stop', 3, '--noise', '0.001'))
    still = [rms(buffer, 0) < 0.01 for buffer in buffers]
    # The first buffer after a change still speeds up or down.
    assert all(still[i] for i in range(32) if i % 8 in (6, 7)) and not any(still[i] for i in range(32) if i % 8 in (1, 2, 3, 4))


@pytest.mark.parametrize('fault', ['imbalance', 'misalignment', 'bearing', 'looseness'])
def test_faults_begin_when_told_and_grow_with_severity(recordings, tmp_path, fault):
    def alarms(*words):
        path = simulate(tmp_path / 'a.f32', '--buffers', 60, '--seed', 5, '--fault', fault, *words)
        rows = table(emulate('--learn', recordings / 'learn.f32', '--detect', path, '--csv'))
        return [int(row['anomaly']) for row in rows]
    assert sum(alarms('--severity', 0)) <= 6
    late = alarms('--fault-after', 30)
    assert sum(late[:30]) <= 4 and sum(late[30:]) >= 28


def test_an_output_is_complete_or_not_there(tmp_path):
    limited = f'ulimit -f 8; trap "" XFSZ; exec {HABIT} simulate --output {tmp_path}/a.f32'
    done = subprocess.run(['bash', '-c', limited], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1 and 'a.f32' in done.stderr and os.listdir(tmp_path) == []
    run('simulate', '--output', tmp_path / 'no' / 'a.f32', code=1)
    run('simulate', '--output', '/dev/full', code=1)


def test_a_signal_ends_it_in_good_order(tmp_path):
    path = tmp_path / 'a.f32'
    words = [HABIT, 'simulate', *GEOMETRY, '--speed', '30', '--buffers', '0', '--every', '0.01', '--output', path]
    process = subprocess.Popen(words)
    deadline = time.monotonic() + 20
    while not any(entry.stat().st_size for entry in tmp_path.iterdir()) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=10) == 0
    assert path.stat().st_size > 0 and path.stat().st_size % (4 * VALUES) == 0


# ----------------------------------------------------------------------------------------------------- a stand-in habitd


class Daemon(http.server.ThreadingHTTPServer):
    """Remembers what was asked, answers what was prepared: {(method, path): (status, JSON)}."""
    daemon_threads = True

    def __init__(self):
        super().__init__(('127.0.0.1', 0), Handler)
        self.asked, self.answers, self.fallback = [], {}, (404, {'detail': 'no such thing', 'status': 404})
        self.url = f'http://127.0.0.1:{self.server_port}'
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def answer(self):
        body = self.rfile.read(int(self.headers.get('Content-Length', 0)))
        self.server.asked.append((self.command, self.path, self.headers.get('Content-Type'), body))
        key = (self.command, self.path)
        status, document = self.server.answers.get(key, self.server.fallback)
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header('Content-Type', 'application/json')
        self.send_header('Content-Length', str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_POST = answer

    def log_message(self, *words):
        pass


@pytest.fixture
def daemon():
    server = Daemon()
    yield server
    server.shutdown()
    server.server_close()


def machine(name, **more):
    return {'machine': name, 'phase': 'new', 'learned': 0, 'settings': {}, **more}


def test_simulate_posts_and_prints_verdicts(daemon, tmp_path):
    daemon.fallback = (200, {'status': 'ok', 'similarity': 97, 'average': 98, 'anomaly': None})
    done = run('simulate', *GEOMETRY, '--speed', 30, '--buffers', 3, '--every', 0, '--machine', 'pump-1', '--http', daemon.url)
    assert done.stdout.splitlines() == [f'pump-1 {i} ok: similarity 97, average 98, anomaly -' for i in range(3)]
    assert [(method, path, kind) for method, path, kind, _ in daemon.asked] == [
        ('POST', '/v1/machines/pump-1/buffers', 'application/octet-stream')] * 3
    raw = simulate(tmp_path / 'a.f32', '--buffers', 3, '--machine', 'pump-1').read_bytes()
    assert b''.join(body for *_, body in daemon.asked) == raw


def test_simulate_numbers_its_buffers_and_takes_several_machines(daemon):
    daemon.fallback = (200, {'status': 'learned', 'learned': 5})
    done = run('simulate', *GEOMETRY, '--speed', 30, '--buffers', 2, '--every', 0, '--machines', 'p%d-x', '--count', 2, '--http',
               daemon.url + '/', '--action', 'learn', '--format', 'i16', '--number', '--boot', 'b1', '--first', 40)
    assert done.stdout.splitlines()[-1] == 'p2-x 41 learned: learned 5'
    asked = [urllib.parse.urlsplit(path) for _, path, _, _ in daemon.asked]
    assert [url.path for url in asked] == ['/v1/machines/p1-x/learn', '/v1/machines/p2-x/learn'] * 2
    assert [urllib.parse.parse_qs(url.query) for url in asked] == [
        {'format': ['i16'], 'boot': ['b1'], 'seq': [seq]} for seq in ('40', '40', '41', '41')]
    assert all(len(body) == 2 * VALUES for *_, body in daemon.asked)
    assert daemon.asked[0][3] != daemon.asked[1][3]


def test_simulate_goes_on_after_a_refusal_and_fails_in_the_end(daemon):
    daemon.fallback = (404, {'detail': 'pump-1 is not known', 'field': 'machine', 'status': 404})
    done = run('simulate', *GEOMETRY, '--speed', 30, '--buffers', 3, '--every', 0, '--machine', 'pump-1', '--http', daemon.url,
               code=1)
    assert len(daemon.asked) == 3 and done.stderr.count('pump-1 is not known, field machine (HTTP 404)') == 3
    assert '3 buffers were refused' in done.stderr


def test_intervals_are_kept(daemon):
    daemon.fallback = (200, {'status': 'idle'})
    start = time.monotonic()
    run('simulate', '--buffers', 4, '--every', '0.2', '--http', daemon.url, '--quiet')
    assert 0.6 <= time.monotonic() - start < 5


@pytest.mark.parametrize('words', [['machines'], ['pending'], ['anomalies'], ['report'], ['commission', '*'], ['adopt', '*'],
                                   ['simulate', '--buffers', '1', '--http', 'http://127.0.0.1:1']])
def test_no_daemon_is_a_failure(words):
    done = run(*words, code=1, env={'HABIT_URL': 'http://127.0.0.1:1'})
    assert 'http://127.0.0.1:1' in done.stderr and done.stdout == ''


def test_commission_matches_over_all_pages(daemon):
    daemon.answers = {
        ('GET', '/v1/machines'): (200, {'machines': [machine('fan-1'), machine('pump-1')], 'next': 'pump-1'}),
        ('GET', '/v1/machines?after=pump-1'): (200, {'machines': [machine('pump-2'), machine('pump-22')], 'next': None}),
        ('POST', '/v1/machines/pump-1/commission'): (409, {'detail': 'it is paused', 'field': 'paused'}),
        ('POST', '/v1/machines/pump-2/commission'): (200, {}),
    }
    done = run('commission', 'pump-?', 'x*', code=1, env={'HABIT_URL': daemon.url})
    assert done.stdout == 'pump-2: learning\n' and 'pump-1: it is paused, field paused (HTTP 409)' in done.stderr
    assert [path for method, path, *_ in daemon.asked if method == 'POST'] == [
        '/v1/machines/pump-1/commission', '/v1/machines/pump-2/commission']
    daemon.answers['POST', '/v1/machines/pump-1/commission'] = (200, {})
    assert run('commission', '--url', daemon.url, 'pump-?').stdout == 'pump-1: learning\npump-2: learning\n'
    done = run('commission', '--url', daemon.url, 'motor-*', code=1)
    assert "matches motor-*" in done.stderr


def test_a_cursor_that_stays_does_not_run_for_ever(daemon):
    daemon.fallback = (200, {'machines': [machine('a')], 'next': 'a'})
    run('machines', '--url', daemon.url)
    assert len(daemon.asked) == 2


def test_adopt_sends_settings_of_the_right_types(daemon):
    daemon.answers = {
        ('GET', '/v1/pending?limit=1000'): (200, {'pending': [{'machine': 'pump-1', 'bytes': 3072, 'count': 5}, {'machine': 'fan-1'}]}),
        ('POST', '/v1/pending/pump-1/adopt'): (201, {}),
    }
    done = run('adopt', '--url', daemon.url, '--axes', 3, '--set', 'learn=200', '--set', 'name=77', 'pump-*', '--set', 'paused=yes',
               '--set', 'window=20', '--set', 'scale=0.5', '--set', 'start=auto')
    assert done.stdout == 'pump-1: adopted\n'
    method, path, kind, body = daemon.asked[-1]
    assert (method, path, kind) == ('POST', '/v1/pending/pump-1/adopt', 'application/json')
    assert json.loads(body) == {'axes': 3, 'learn': '200', 'name': '77', 'paused': True, 'window': 20, 'scale': 0.5,
                                'start': 'auto'}
    run('adopt', '--url', daemon.url, '--axes', 3, '--buffer-size', 256, 'pump-1')
    assert json.loads(daemon.asked[-1][3]) == {'axes': 3, 'buffer_size': 256}
    done = run('adopt', '--url', daemon.url, 'zzz', code=1)
    assert 'none of 2 IDs in pending matches zzz: ' in done.stderr and 'habit machines import' in done.stderr


def test_refusals_name_what_a_shell_sets(daemon, tmp_path):
    daemon.fallback = (401, {'detail': "send 'Authorization: Bearer TOKEN'", 'status': 401})
    done = run('machines', env={'HABIT_URL': daemon.url, 'HABIT_TOKEN_FILE': ''}, code=1)
    assert 'HABIT_TOKEN_FILE must name a file' in done.stderr and 'Authorization' not in done.stderr
    token = tmp_path / 'token'
    token.write_text('wrong\n')
    daemon.fallback = (401, {'detail': 'this token is not known', 'status': 401})
    done = run('machines', env={'HABIT_URL': daemon.url, 'HABIT_TOKEN_FILE': str(token)}, code=1)
    assert 'this token is not known' in done.stderr and str(token) in done.stderr and 'HABIT_TOKEN_FILE' in done.stderr


@pytest.mark.parametrize('content', ['', '\n', '\r\n', '\r'])
def test_a_file_without_a_token_is_named(tmp_path, content):
    token = tmp_path / 'token'
    token.write_bytes(content.encode())
    done = run('machines', env={'HABIT_URL': 'http://127.0.0.1:9', 'HABIT_TOKEN_FILE': str(token)}, code=1)
    assert done.stderr == f'habit: {token}: holds no token\n'


@contextlib.contextmanager
def door_of(serve):
    """The URL of somebody who takes what each connection says first, and serves it."""
    with socket.create_server(('127.0.0.1', 0)) as door:
        def serve_all():
            while True:
                try:
                    connection = door.accept()[0]
                except OSError:
                    return
                connection.recv(4096)
                serve(connection)
        threading.Thread(target=serve_all, daemon=True).start()
        yield f'http://127.0.0.1:{door.getsockname()[1]}'
        door.shutdown(socket.SHUT_RDWR)


def test_a_connection_that_breaks_off_may_want_tls():
    with door_of(lambda connection: connection.close()) as url:
        done = run('machines', '--url', url, code=1)
    assert all(word in done.stderr for word in ('https://', 'HABIT_URL', 'HABIT_CA', 'HABIT_TOKEN_FILE')), done.stderr


def test_a_backup_that_cannot_be_written_says_why(daemon):
    daemon.fallback = (200, {'pages': 'x' * 100_000})
    done = run('backup', '/dev/full', '--url', daemon.url, code=1)
    assert done.stderr == 'habit: cannot write /dev/full: No space left on device\n'


def test_watch_ends_where_nothing_can_be_written():
    """A full disk is not a daemon that is away."""
    event = (b'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n'
             b'id: 7\nevent: anomaly\ndata: {"machine":"pump-1","event":"raised"}\n\n')
    connections = []  # kept open

    def serve(connection):
        connections.append(connection)
        connection.sendall(event)
    with door_of(serve) as url, open('/dev/full', 'w') as full:
        done = subprocess.run([HABIT, 'watch', '--url', url], stdout=full, stderr=subprocess.PIPE, text=True, timeout=10)
    assert done.returncode == 1 and done.stderr == 'habit: cannot write standard output: No space left on device\n'


def test_watch_goes_on_behind_an_event_beyond_32_bits():
    """A store's ids rise for ever, and a long has 32 bits on a Raspberry Pi of old."""
    asked = []
    with socket.create_server(('127.0.0.1', 0)) as door:
        def answer():
            for number in 3_000_000_001, 3_000_000_002:
                connection = door.accept()[0]
                asked.append(connection.recv(4096).decode())
                connection.sendall(b'HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n'
                                   b'id: %d\nevent: anomaly\ndata: {}\n\n' % number)
                connection.close()
        threading.Thread(target=answer, daemon=True).start()
        run('watch', '--after', 3_000_000_000, '--count', 2, '--url', f'http://127.0.0.1:{door.getsockname()[1]}')
    assert [re.search(r'Last-Event-ID: (\S+)', head)[1] for head in asked] == ['3000000000', '3000000001']


def test_what_is_on_this_host_is_asked_without_a_proxy(daemon, tmp_path):
    """Its proxy is elsewhere: it would get the token in clear text, and reaches another 127.0.0.1."""
    token = tmp_path / 'token'
    token.write_text('secret\n')
    daemon.fallback = (200, {'machines': []})
    with socket.create_server(('127.0.0.1', 0)) as proxy:
        proxy.settimeout(0.1)
        run('machines', '--url', daemon.url, env={'http_proxy': f'http://127.0.0.1:{proxy.getsockname()[1]}', 'no_proxy': '',
                                                  'all_proxy': '', 'HABIT_TOKEN_FILE': str(token)})
        with pytest.raises(TimeoutError):
            proxy.accept()
    assert [path for _, path, *_ in daemon.asked] == ['/v1/machines']


@pytest.mark.parametrize('host', ['127.evil.example', 'localhost.example', '127.0.0.1@evil.example', 'localhost@evil.example',
                                  '127.0.0.1.example:8088', '[::1', '127.0.0.1\t.example'])
def test_a_token_is_not_sent_where_a_name_only_begins_like_this_host(tmp_path, host):
    token = tmp_path / 'token'
    token.write_text('secret\n')
    done = run('machines', env={'HABIT_URL': f'http://{host}', 'HABIT_TOKEN_FILE': str(token)}, code=1)
    assert 'a token is not sent in clear text over the network' in done.stderr


@pytest.mark.parametrize('connections, streams, words', [(1, 0, '1 connection, 0 event streams'), (2, 1, '2 connections, 1 event stream\n')])
def test_status_counts_in_words(daemon, connections, streams, words):
    daemon.answers['GET', '/v1/status'] = (200, {'http': {'address': '127.0.0.1', 'port': 8088, 'connections': connections,
                                                          'streams': streams}})
    assert words in run('status', '--url', daemon.url).stdout


def test_lists_are_tables_and_json(daemon):
    daemon.answers = {
        ('GET', '/v1/machines'): (200, {'machines': [machine('pump-1', last={'similarity': 97}, online=True),
                                                     machine('a' * 64, settings={'name': 'red\x1b[31m'})], 'next': None}),
        ('GET', '/v1/pending?limit=1000'): (200, {'pending': [{'machine': 'new-1', 'topic': 'habit/v1/gw/new-1/buffer', 'count': 3}]}),
        ('GET', '/v1/anomalies'): (200, {'anomalies': [{'id': 12, 'machine': 'pump-1', 'cleared': None}], 'next': 12}),
        ('GET', '/v1/reports/daily?date=2026-11-22'): (200, {'reports': [{'machine': 'pump-1', 'detected': 1440}]}),
        ('GET', '/v1/reports/daily'): (200, {'reports': []}),
    }
    lines = run('machines', '--url', daemon.url).stdout.splitlines()
    assert lines[0].split()[:3] == ['machine', 'phase', 'online'] and lines[1].split()[:3] == ['pump-1', 'new', 'yes']
    assert lines[0].index('phase') == lines[1].index('new') == lines[2].index('new') and ' 97 ' in lines[1]
    assert 'red?[31m' in lines[2] and '\x1b' not in lines[2]
    assert [row['machine'] for row in json.loads(run('machines', '--json', '--url', daemon.url).stdout)] == ['pump-1', 'a' * 64]
    assert 'habit/v1/gw/new-1/buffer' in run('pending', '--url', daemon.url).stdout
    assert run('anomalies', '--url', daemon.url).stdout.splitlines()[1].split()[:4] == ['12', 'pump-1', '-', '-']
    assert '1440' in run('report', '2026-11-22', '--url', daemon.url).stdout
    done = run('report', '--url', daemon.url)
    assert done.stdout == '' and 'no reports' in done.stderr


# ------------------------------------------------------------------------------------------------------------------- MQTT


@pytest.fixture
def broker(tmp_path):
    program = shutil.which('mosquitto') or '/usr/sbin/mosquitto'
    if not os.path.exists(program):
        pytest.skip('no mosquitto')
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    (tmp_path / 'broker.conf').write_text(f'listener {port} 127.0.0.1\nallow_anonymous true\nuser root\n')
    process = subprocess.Popen([program, '-c', tmp_path / 'broker.conf'], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with socket.socket() as probe:
            if probe.connect_ex(('127.0.0.1', port)) == 0:
                break
        time.sleep(0.02)
    yield f'127.0.0.1:{port}'
    process.terminate()
    process.wait(timeout=10)


def test_simulate_publishes_numbered_buffers(broker, tmp_path):
    mqtt = pytest.importorskip('paho.mqtt.client')
    got, ready, host, port = [], threading.Event(), *broker.split(':')
    client = mqtt.Client(protocol=mqtt.MQTTv5)
    client.on_connect = lambda c, *_: c.subscribe('habit/v1/gw/#', qos=1)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda c, u, message: got.append(message)
    client.connect(host, int(port))
    client.loop_start()
    assert ready.wait(10)
    done = run('simulate', *GEOMETRY, '--speed', 30, '--buffers', 40, '--every', 0, '--machine', 'pump-1', '--mqtt', broker,
               '--root', 'habit/v1/gw', '--number', '--boot', 'b7')
    deadline = time.monotonic() + 10
    while len(got) < 40 and time.monotonic() < deadline:
        time.sleep(0.02)
    client.loop_stop()
    client.disconnect()
    assert done.stdout.splitlines()[-1] == 'pump-1 39 sent' and done.stderr == ''
    assert [message.topic for message in got] == ['habit/v1/gw/pump-1/buffer'] * 40
    assert [dict(message.properties.UserProperty) for message in got] == [{'boot': 'b7', 'seq': str(i)} for i in range(40)]
    assert b''.join(message.payload for message in got) == simulate(tmp_path / 'a.f32', '--buffers', 40, '--machine',
                                                                      'pump-1').read_bytes()


def test_simulate_says_when_nobody_listens(broker):
    done = run('simulate', '--buffers', 3, '--every', 0, '--mqtt', broker, '--root', 'habit/v1/gw', '--quiet')
    assert done.stdout == '' and 'nobody was subscribed to 3 buffers below habit/v1/gw' in done.stderr


@pytest.mark.parametrize('address, code', [('127.0.0.1:1', 1), ('127.0.0.1:0', 2), ('127.0.0.1:x', 2), (':1883', 2), ('[::1', 2)])
def test_no_broker_is_a_failure(address, code):
    done = run('simulate', '--buffers', 1, '--mqtt', address, code=code)
    assert address in done.stderr
