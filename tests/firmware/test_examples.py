"""What the examples of firmware/examples do on emulated boards. HABIT_BUILD names the build directory."""
import random
import re
import time

import pytest

from examples import ROOT, Running, build, run_to_end, sources_of

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


@pytest.mark.parametrize('core', ['m0plus', 'm3', 'm4f', 'm7-sp'])
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
    build(program, 'm4f', [*sources_of('saving'), *sources_in('saving')], f'-DFLASH_AT={FLASH_AT:#x}')
    middle = 0
    for _ in range(CUTS):
        running = powered(program)
        serial = running.wait_for('\n')
        restored = numbers('restored', serial)
        assert restored[:1] == expected[-1:] or restored and restored[0] in expected or expected == [0] and not restored, \
            f'{serial}: one of {expected} was to be restored'
        running.wait_for('saving')
        time.sleep(chance.random() * 0.12)
        running.cut_power()
        serial = running.serial()
        saving, saved = numbers('saving', serial), serial.count('saved')
        assert 'not' not in serial and serial.count('strange') <= 10, serial
        middle += len(saving) > saved
        before = [saving[saved - 1]] if saved else restored or [0]
        expected = before + saving[saved:]  # the last that was over, or that which was under way
    assert expected[-1] > 15 and middle >= 2, f'{middle} of {CUTS} cuts were in the middle of a save'
