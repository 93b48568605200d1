"""A library and a program that do not fit each other: the linker says so, and names what is wanted. What may differ may."""
import itertools
import os
import re
import shutil

import pytest

from installed import ROOT, board, firmware, library, must, prefix, run

CORES = firmware.cores()
# Compilers do not tell their FPUs apart: see habit/abi.h.
ALIKE = {'m4f', 'm7-sp'}
PROGRAM = '#include "habit/engine.h"\nint main(void) { return habit_init(0, 0, 0); }\n'
TYPES = ['struct habit_' + name for name in ('config', 'memory', 'engine', 'progress', 'reason', 'result', 'window', 'average',
                                             'info', 'flash', 'save')]
TYPES += ['enum habit_missing', 'enum habit_kind', 'enum habit_field']


def compile_for(core, folder, text, *flags):
    source, out = folder / 'program.c', folder / 'program.o'
    source.write_text(text)
    must(board.COMPILER, *firmware.core_flags(core), *flags, '-I', prefix() / 'include', '-c', source, '-o', out)
    return out


def symbol(core):
    return re.search(r'habit_init_for_\w+', must('arm-none-eabi-nm', library(core)))[0]


@pytest.mark.parametrize('program,other', itertools.permutations(CORES, 2))
def test_library_of_another_core_does_not_link(program, other, tmp_path):
    out = compile_for(program, tmp_path, PROGRAM)
    code, text = run(board.COMPILER, *firmware.core_flags(program), '--specs=nosys.specs', out, library(other), '-lm', '-o',
                     tmp_path / 'program')
    if {program, other} == ALIKE:
        assert code == 0, text
    else:
        assert code != 0
        assert f"undefined reference to `{symbol(program)}'" in text


@pytest.mark.parametrize('core', CORES)
def test_library_of_its_own_core_links(core, tmp_path):
    must(board.COMPILER, *firmware.core_flags(core), '--specs=nosys.specs', compile_for(core, tmp_path, PROGRAM), library(core),
         '-lm', '-o', tmp_path / 'program')


CHOICES = ['-fshort-enums -fno-short-wchar', '-fno-short-enums', '-fshort-wchar', '-fno-short-enums -fshort-wchar']


@pytest.mark.parametrize('choice', CHOICES)
def test_enums_and_wchar_do_not_matter_to_the_linker(choice, tmp_path):
    """The whole library, without a C library, which has its own opinion."""
    text = PROGRAM + 'enum size { ONE = 1 } size = ONE; __WCHAR_TYPE__ wide = 1;\n'
    out = compile_for('m4f', tmp_path, text, *choice.split())
    must(board.COMPILER, *firmware.core_flags('m4f'), '-nostdlib', '-r', out, '-Wl,--whole-archive', library('m4f'),
         '-Wl,--fatal-warnings', '-o', tmp_path / 'whole.o')


def layout(folder, choice):
    """{name: bytes} of the public types."""
    text = '#include "habit/save.h"\n' + ''.join(f'char {name.replace(" ", "_")}[sizeof({name})];\n' for name in TYPES)
    out = compile_for('m4f', folder, text, *choice.split())
    sizes = re.findall(r'^[0-9a-f]+ ([0-9a-f]+) \w (\w+)$', must('arm-none-eabi-nm', '-S', out), re.M)
    return {name: size for size, name in sizes}


def test_enums_do_not_matter_to_layouts(tmp_path):
    layouts = [layout(tmp_path, choice) for choice in CHOICES]
    assert len(layouts[0]) == len(TYPES)
    assert all(other == layouts[0] for other in layouts)


@pytest.mark.parametrize('standard', ['c99', 'c11', 'gnu17'])
def test_headers_are_clean_c(standard, tmp_path):
    headers = [path.relative_to(prefix() / 'include') for path in (prefix() / 'include').rglob('*.h')]
    for header in headers:
        compile_for('m4f', tmp_path, f'#include "{header}"\n', f'-std={standard}', '-Wall', '-Wextra', '-Wconversion', '-Wundef',
                    '-Werror')


@pytest.mark.parametrize('standard', ['c++11', 'c++17'])
def test_headers_are_clean_cpp(standard, tmp_path):
    source = tmp_path / 'program.cpp'
    for header in (prefix() / 'include').rglob('*.h'):
        source.write_text(f'#include "{header.relative_to(prefix() / "include")}"\n')
        must('arm-none-eabi-g++', *firmware.core_flags('m4f'), f'-std={standard}', '-Wall', '-Wextra', '-Wundef', '-Werror', '-I',
             prefix() / 'include', '-fsyntax-only', source)


def test_page_names_the_cores():
    rows = re.findall(r'^\| `([^`]+)` \| Cortex[^|]*\| `([^`]+)` \| `([^`]+)` \|$', (ROOT / 'firmware/BUILDING.md').read_text(), re.M)
    assert rows == [(core, ' '.join(firmware.core_flags(core)[1:]), symbol(core).removeprefix('habit_init_for_')) for core in CORES]


def test_prefix_may_be_moved(tmp_path, monkeypatch):
    shutil.copytree(prefix(), tmp_path / 'moved')
    monkeypatch.setenv('PKG_CONFIG_PATH', str(tmp_path / 'moved/lib/pkgconfig'))
    flags = must('pkg-config', '--cflags', '--libs', 'habit-m4f').split()
    out = compile_for('m4f', tmp_path, PROGRAM)
    must(board.COMPILER, *firmware.core_flags('m4f'), '--specs=nosys.specs', out, *flags, '-o', tmp_path / 'program')
    assert f'-L{tmp_path}/moved' in ' '.join(flags).replace('/lib/pkgconfig/../..', '')
    folder = must('pkg-config', '--variable=linker_folder', 'habit-m4f').strip()
    assert os.path.exists(os.path.join(folder, 'habit.ld'))
