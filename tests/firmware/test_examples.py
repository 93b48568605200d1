"""What the examples of firmware/examples do on emulated boards. HABIT_BUILD names the build directory."""
import random
import re
import sys
import time

import pytest

from examples import ROOT, Running, build, run_to_end, sources_of

sys.path.insert(0, str(ROOT / 'tests' / 'system'))
import support  # noqa: E402

def sources_in(folder):
    return sorted((ROOT / 'firmware' / folder).glob('*.c'))


@pytest.mark.parametrize('core', ['m0plus', 'm4f'])
def test_hello_world_finds_the_broken_bearing(tmp_path, core):
    program = tmp_path / 'hello.elf'
    build(program, core, [*sources_of('hello'), *sources_in('nanoedge')], '-DNB_AXES=3', '-DBUFFER_SIZE=128', '-DNEAI_PROFILE=0')
    code, serial = run_to_end(program, core)
    scores = [int(score) for score in re.findall(r'^similarity (\d+)', serial, re.M)]
    assert code == 0 and len(scores) == 60 and 'error' not in serial and 'not learned' not in serial
    assert sum(score < 90 for score in scores[:40]) <= 1, scores
    assert sum(score < 90 for score in scores[40:]) == 20, scores
    assert serial.count('ANOMALY') == sum(score < 90 for score in scores)


@pytest.mark.parametrize('core', ['m0plus', 'm3', 'm4f', 'm7-sp', 'm7-dp', 'm33', 'm55'])
def test_two_machines_on_one_chip_do_not_mix(tmp_path, core):
    program = tmp_path / 'two.elf'
    build(program, core, sources_of('two_machines'))
    code, serial = run_to_end(program, core)
    healthy, fan, pump = ([int(n) for n in re.findall(r'\d+', line)] for line in serial.splitlines())
    assert code == 0
    assert max(healthy) <= 1 and fan[0] <= 1 and pump[1] <= 1, serial
    assert fan[1] == 20 and pump[0] == 20, serial


def test_a_program_that_does_not_fit_says_by_how_many_bytes(tmp_path):
    program = tmp_path / 'two.elf'
    build(program, 'm4f', sources_of('two_machines'), ram=64 * 1024)
    said = build(program, 'm4f', sources_of('two_machines'), ram=6 * 1024, check=False)
    missing = re.search(r"region `RAM' overflowed by (\d+) bytes", said)
    assert missing, said
    needed = 6 * 1024 + int(missing[1])
    needed += -needed % 8
    build(program, 'm4f', sources_of('two_machines'), ram=needed)
    assert 'overflowed by' in build(program, 'm4f', sources_of('two_machines'), ram=needed - 8, check=False)


def test_the_strategy_of_the_documentation(tmp_path):
    program = tmp_path / 'strategy.elf'
    build(program, 'm4f', sources_of('strategy'))
    code, serial = run_to_end(program, 'm4f', 180)
    reports = [{key: value for key, value in re.findall(r'(\w+) ([\d.]+)', line)} for line in serial.splitlines()
               if line.startswith('report machine pump-1 ')]
    alarms = [tuple(map(int, found)) for found in re.findall(r'^day (\d+) hour (\d+) ALARM', serial, re.M)]
    assert code == 0, serial
    assert [report['day'] for report in reports] == ['0', '1', '2', '3'], serial
    assert reports[0]['learned'] == '1440' and reports[0]['detected'] == '0', serial
    assert reports[1]['detected'] == '240' and reports[1]['hours'] == '24' and reports[1]['anomalies'] == '0', serial
    assert reports[2]['learned'] == '60' and reports[2]['detected'] == '230' and int(reports[2]['anomalies']) <= 1, serial
    assert (3, 15) in alarms and all(day == 3 and hour >= 15 for day, hour in alarms if day == 3), serial
    assert reports[3]['anomalies'] == '9' and reports[3]['hour'] == '0.37', serial


# ------------------------------------------------------------------------------------------------------------- saving

FLASH_AT = 0x21000000  # the RAM of an mps2-an386 that QEMU can keep in a file
CUTS = 12


@pytest.fixture
def powered(tmp_path):
    """Starts a board with a flash that is a file, and stops it in the end, whatever happens."""
    boards, flash = [], tmp_path / 'flash.bin'
    backend = ['-machine', 'memory-backend=flash', '-object',
               f'memory-backend-file,id=flash,size=16M,mem-path={flash},share=on']

    def start(program, core='m4f', options=()):
        boards.append(Running(program, core, *backend, *options))
        return boards[-1]

    yield start
    for running in boards:
        running.cut_power()


def numbers(word, serial):
    return [int(number) for number in re.findall(rf'^{word} (\d+)$', serial, re.M)]


def test_knowledge_survives_power_cuts_in_the_middle_of_saving(tmp_path, powered):
    program, chance, expected = tmp_path / 'saving.elf', random.Random(5), [0]
    build(program, 'm4f', sources_of('saving'), f'-DFLASH_AT={FLASH_AT:#x}')
    middle, strange = 0, []
    for _ in range(CUTS):
        running = powered(program)
        running.wait_for('saving')
        time.sleep(chance.random() * 0.5)
        running.cut_power()
        serial = running.serial()
        restored, saving, saved = numbers('restored', serial) or [0], numbers('saving', serial), serial.count('saved')
        assert restored[0] in expected, f'{serial}: one of {expected} was to be restored'
        assert (restored == [0]) == ('no knowledge' in serial), serial
        detected = 20 * (int(re.findall(r' (\d+)\n', serial)[-1]) - max(restored[0], 8))
        strange.append((serial.count('strange'), detected))
        middle += len(saving) > saved
        expected = [*restored, *saving][saved:]  # the last that was over, or that which was under way
    assert expected[-1] > 60 and middle >= 1, f'{middle} of {CUTS} cuts were in the middle of a save'
    found = support.habit('convert', tmp_path / 'flash.bin').stdout  # as a debugger's dump of the flash
    assert f', {expected[0]} buffers learned' in found, found
    assert sum(few for few, _ in strange) < 0.03 * sum(many for _, many in strange), strange  # detection went on


# ----------------------------------------------------------------------------------------------------------- exchange

FLASHED_AT = 0x00100000  # in the board's flash, behind the program
RAM_AT, RAM_SIZE = 0x20000000, 64 * 1024


@pytest.fixture
def house(tmp_path):
    house = support.House(tmp_path)
    yield house
    house.close()


def run_board(powered, program, flashed=None):
    options = ['-device', f'loader,file={flashed},addr={FLASHED_AT:#x},force-raw=on'] if flashed else []
    running = powered(program, options=options)
    running.wait_for('ready\n')
    return running


def block_on(running, tmp_path):
    """What a debugger finds in the board's RAM."""
    dump, block = running.dump(RAM_AT, RAM_SIZE, tmp_path / 'dump.bin'), tmp_path / 'board.habit'
    support.habit('convert', dump, '--output', block, '--buffer-size', 128, '--axes', 3, '--sampling-hz', 1600,
                  '--unit', 'g', '--scale', 1 / 2048)
    return block.read_bytes()


def put(habitd, path, block):
    return habitd.request('PUT', path, data=block, headers=support.RAW)


def flash_binary(tmp_path, block):
    (tmp_path / 'gateway.habit').write_bytes(block)
    support.habit('convert', tmp_path / 'gateway.habit', '--output', tmp_path / 'to-flash.bin', '--as', 'flash')
    return tmp_path / 'to-flash.bin'


def test_knowledge_goes_from_board_to_gateway_and_back(tmp_path, powered, house):
    program, habitd = tmp_path / 'exchange.elf', house.habitd()
    build(program, 'm4f', sources_of('exchange'), f'-DFLASHED_AT={FLASHED_AT:#x}')
    running = run_board(powered, program)
    assert running.serial() == 'refused: not a knowledge block\nready\n'
    learned = block_on(running, tmp_path)

    path = '/v1/machines/pump-1/knowledge'
    assert put(habitd, path, learned).status_code == 201
    assert habitd.get(path).content == learned
    machine = habitd.machine('pump-1')
    assert machine['settings']['buffer_size'] == 128 and machine['settings']['unit'] == 'g', machine

    # The simulated machine is another one than the board's: more than the budget of what is normal.
    habitd.patch('pump-1', drift_budget=1000)
    nominal = b''.join(support.simulate(tmp_path, 20, 128, 3))
    assert habitd.request('POST', '/v1/machines/pump-1/learn', data=nominal, headers=support.RAW).status_code == 200
    enriched = habitd.get(path).content
    assert enriched != learned
    running = run_board(powered, program, flash_binary(tmp_path, enriched))
    assert running.serial() == f'loaded: 80 buffers learned, {len(enriched)} bytes\nready\n'
    assert block_on(running, tmp_path) == enriched


def test_a_board_refuses_knowledge_of_another_sensor_or_version(tmp_path, powered, house):
    program, habitd = tmp_path / 'exchange.elf', house.habitd()
    build(program, 'm4f', sources_of('exchange'), f'-DFLASHED_AT={FLASHED_AT:#x}')
    sensor = {'buffer_size': 128, 'axes': 3, 'sampling_hz': 1600, 'unit': 'g', 'scale': 1 / 2048}
    for number, (key, value, words) in enumerate([
            ('buffer_size', 64, 'buffer size 64 in the block, 128 on this board'),
            ('axes', 2, 'axes 2 in the block, 3 on this board'),
            ('sampling_hz', 1600.5, 'sampling Hz 1600.5 in the block, 1600 on this board'),
            ('unit', 'mm/s', "unit 'mm/s' in the block, 'g' on this board"),
            ('scale', 0.0005, 'scale 0.000500000024 in the block, 0.00048828125 on this board'),
            ('profile', 'small', 'profile small in the block, default on this board')]):
        machine = f'/v1/machines/other-{number}'
        assert habitd.request('PUT', machine, json={**sensor, key: value}).status_code == 201
        block = habitd.get(machine + '/knowledge').content
        running = run_board(powered, program, flash_binary(tmp_path, block))
        assert running.serial() == f'refused: {words}\nready\n'
        running.cut_power()

    newer = bytearray(block)
    newer[4] = 2  # its format version
    (tmp_path / 'newer').write_bytes(newer)
    running = run_board(powered, program, tmp_path / 'newer')
    assert running.serial() == 'refused: format version 2 in the block, 1 on this board\nready\n'
    refused = put(habitd, '/v1/machines/other-0/knowledge', bytes(newer))
    assert refused.status_code == 422
    assert 'format version 2' in refused.json()['detail'] and 'version 1' in refused.json()['detail']
