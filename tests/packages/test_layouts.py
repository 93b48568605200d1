"""The sources as package.py lays them out, compiled as Zephyr, Arduino and PlatformIO would, with their flags. Those tools
themselves are not here. What is compiled gives the golden bits on an emulated board: a layout that loses a flag would not."""
import json
import re
import sys

import pytest

from installed import BOARD_FILES, HERE, ROOT, board, firmware, must

sys.path[:0] = [str(ROOT / 'firmware'), str(ROOT / 'tests/golden')]
import package  # noqa: E402
import platforms  # noqa: E402

CC, CXX = board.COMPILER, 'arm-none-eabi-g++'
SECTIONS = ['-ffunction-sections', '-fdata-sections']
WARNINGS = ['-Wall', '-Wextra', '-Werror']

# What the tools tell the compiler: (flags of the core, flags of the tool), and the board on which it runs here.
ARDUINO = {
    'SAMD, Zero': ('m0plus', ['-mcpu=cortex-m0plus', '-mthumb'],
                   ['-g', '-Os', '-std=gnu11', *SECTIONS, '-nostdlib', '--param', 'max-inline-insns-single=500']),
    'mbed, Nano 33 BLE': ('m4f', ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=softfp', '-mthumb'],
                          ['-g', '-Os', '-std=gnu11', '-fno-builtin', '-fmessage-length=0', '-fomit-frame-pointer',
                           '-fno-exceptions', *SECTIONS]),
    'Renesas, Uno R4': ('m4f', ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard', '-mthumb'],
                        ['-g', '-Os', '-std=gnu11', '-fsigned-char', '-fmessage-length=0', *SECTIONS]),
}
PLATFORMIO = {
    'ststm32, stm32cube': ('m7-dp', ['-mcpu=cortex-m7', '-mthumb', '-mfpu=fpv5-d16', '-mfloat-abi=hard'],
                           ['-Os', '-std=gnu11', '-g', *SECTIONS, '-nostdlib']),
    'ststm32, cmsis, O2': ('m4f', ['-mcpu=cortex-m4', '-mthumb', '-mfpu=fpv4-sp-d16', '-mfloat-abi=hard'],
                           ['-O2', '-std=gnu17', *SECTIONS, '-nostdlib']),
}


def compile_all(sources, folder, *flags):
    """As a build system does that knows nothing but a list of files."""
    folder.mkdir()
    objects = []
    for source in sources:
        objects.append(folder / (source.name + '.o'))
        must(CC, *flags, '-c', source, '-o', objects[-1])
    return objects


def link(core, flags, parts, out):
    shared = [part for part in board.link_flags(core) if part not in core.flags]
    must(CC, *flags, *shared, *parts, '-lm', '-o', out)
    return out


def must_give_golden_bits(core, flags, parts, folder):
    core = board.CORES[core]
    bounds = {'GOLDEN_LEARNED': 60}
    program = compile_all([*map(package.pathlib.Path, platforms.PROGRAM), BOARD_FILES / 'startup.c'], folder / 'golden', *flags,
                          *board.ENGINE_FLAGS, '-Os', *SECTIONS, '-I', ROOT / 'engine/include',
                          *(f'-D{macro}={bound}' for macro, bound in bounds.items()))
    printed = must(*board.command(core, link(core, flags, [*program, *parts], folder / 'golden.elf')))
    assert 'are the same' in platforms.compare(printed, bounds)


@pytest.mark.parametrize('name', ARDUINO)
def test_arduino(name, tmp_path):
    core, flags, more = ARDUINO[name]
    layout = package.make('arduino', tmp_path / 'habit')
    source = layout / 'src'
    objects = compile_all(sorted(source.rglob('*.c')), tmp_path / 'objects', *flags, *more, *WARNINGS, '-I', source)
    must_give_golden_bits(core, flags, objects, tmp_path)


def test_arduino_sketch_runs(tmp_path):
    """Compiled as C++, behind #include <Arduino.h>, as the IDE does."""
    core, flags, more = ARDUINO['SAMD, Zero']
    layout = package.make('arduino', tmp_path / 'habit')
    objects = compile_all(sorted((layout / 'src').rglob('*.c')), tmp_path / 'objects', *flags, *more, '-I', layout / 'src')
    sketch = layout / 'examples/HelloMachine/HelloMachine.ino'
    parts = []
    for source, options in ((sketch, ['-x', 'c++', '-include', 'Arduino.h']), (HERE / 'arduino/main.cpp', [])):
        parts.append(tmp_path / (source.name + '.o'))
        must(CXX, *flags, '-Os', '-std=gnu++11', *SECTIONS, '-fno-exceptions', '-fno-rtti', '-fno-threadsafe-statics', *WARNINGS,
             '-I', HERE / 'arduino', '-I', layout / 'src', '-I', BOARD_FILES, *options, '-c', source, '-o', parts[-1])
    parts += compile_all([BOARD_FILES / 'startup.c'], tmp_path / 'start', *flags, '-Os')
    program = link(board.CORES[core], flags, [*parts, *objects], tmp_path / 'sketch.elf')
    said = must(*board.command(board.CORES[core], program)).split()
    assert said[0] == 'done'
    usual, strange = list(map(int, said[1:11])), list(map(int, said[11:21]))
    assert min(usual) >= 90 > max(strange)


def test_arduino_properties(tmp_path):
    text = (package.make('arduino', tmp_path / 'habit') / 'library.properties').read_text()
    properties = dict(line.split('=', 1) for line in text.splitlines())
    assert {'name', 'version', 'author', 'maintainer', 'sentence', 'paragraph', 'category', 'url', 'architectures'} <= set(properties)
    assert properties['version'] == package.version()
    assert (tmp_path / 'habit/src' / properties['includes']).exists()


@pytest.mark.parametrize('name', PLATFORMIO)
def test_platformio(name, tmp_path):
    core, flags, more = PLATFORMIO[name]
    layout = package.make('platformio', tmp_path / 'habit')
    manifest = json.loads((layout / 'library.json').read_text())
    assert manifest['version'] == package.version()
    assert all((layout / 'src' / header).exists() for header in manifest['headers'])
    pattern = re.fullmatch(r'\+<(.*)>', manifest['build']['srcFilter'])[1]
    sources = sorted((layout / 'src').glob(pattern))
    assert len(sources) == len(list((layout / 'src').rglob('*.c')))
    objects = compile_all(sources, tmp_path / 'objects', *flags, *more, *WARNINGS, '-I', layout / 'src')
    must_give_golden_bits(core, flags, objects, tmp_path)


def test_zephyr(tmp_path):
    layout = package.make('zephyr', tmp_path / 'habit')
    flags = ' '.join(firmware.core_flags('m4f'))
    build = tmp_path / 'build'
    must('cmake', '-S', HERE / 'zephyr', '-B', build, f'-DMODULE={layout}', f'-DSTUBS={ROOT}/tests/firmware/zephyr',
         '-DCMAKE_SYSTEM_NAME=Generic', f'-DCMAKE_C_COMPILER={CC}', f'-DCMAKE_C_FLAGS={flags}',
         '-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY')
    must('cmake', '--build', build)
    library = next(build.rglob('libhabit.a'))
    symbols = must('arm-none-eabi-nm', library)
    assert ' T neai_anomalydetection_init' in symbols and ' T habit_flash_zephyr_open' in symbols
    must_give_golden_bits('m4f', firmware.core_flags('m4f'), [library], tmp_path)


def test_zephyr_module_names_what_is_there(tmp_path):
    layout = package.make('zephyr', tmp_path / 'habit')
    module = (layout / 'zephyr/module.yml').read_text()
    assert (layout / re.search(r'cmake: (\S+)', module)[1] / 'CMakeLists.txt').exists()
    options = set(re.findall(r'^config (\w+)', (layout / re.search(r'kconfig: (\S+)', module)[1]).read_text(), re.M))
    used = set(re.findall(r'CONFIG_(\w+)', (layout / 'zephyr/CMakeLists.txt').read_text()))
    assert used == options


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path):
    (tmp_path / 'mine').write_text('')
    with pytest.raises(SystemExit, match='not empty'):
        package.make('zephyr', tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ['mine']
