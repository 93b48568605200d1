"""find_package(habit) in a project that knows nothing of this tree, for every core, and the programs run on its board."""
import shutil

import pytest

from installed import HERE, ROOT, board, board_folder, firmware, must, prefix, run

TOOLCHAIN = '''set(CMAKE_SYSTEM_NAME Generic)
set(CMAKE_SYSTEM_PROCESSOR arm)
set(CMAKE_C_COMPILER arm-none-eabi-gcc)
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_C_FLAGS_INIT "{flags}")
set(CMAKE_EXE_LINKER_FLAGS_INIT "{link}")
'''


def configure(folder, core, flags, *options):
    """A copy of project/ in an empty folder, and its build folder."""
    project = folder / 'project'
    shutil.copytree(HERE / 'project', project)
    link = [part for part in board.link_flags(board.CORES[core]) if str(ROOT) not in part and part not in ('-L', '-T')]
    (folder / 'toolchain.cmake').write_text(TOOLCHAIN.format(flags=' '.join(flags), link=' '.join(link)))
    build = folder / 'build'
    return build, run('cmake', '-S', project, '-B', build, f'-DCMAKE_TOOLCHAIN_FILE={folder}/toolchain.cmake',
                      f'-DCMAKE_PREFIX_PATH={prefix()}', f'-DBOARD={board_folder(folder / "vendor")}', *options)


@pytest.mark.parametrize('core', firmware.cores())
def test_project_runs(core, tmp_path):
    build, (code, text) = configure(tmp_path, core, firmware.core_flags(core))
    assert code == 0, text
    assert f'libhabit-{core}.a' in ''.join(path.read_text() for path in build.glob('CMakeFiles/*/link.txt'))
    must('cmake', '--build', build)
    assert 'no knowledge' in must(*board.command(board.CORES[core], build / 'native'))
    must(*board.command(board.CORES[core], build / 'compatible'))


def test_section_is_as_large_as_the_knowledge(tmp_path):
    build, (code, text) = configure(tmp_path, 'm4f', firmware.core_flags('m4f'))
    assert code == 0, text
    must('cmake', '--build', build, '--target', 'compatible')
    sections = {line.split()[0]: int(line.split()[1]) for line in must('arm-none-eabi-size', '-A', build / 'compatible').splitlines()
                if line.startswith('.')}
    symbols = must('arm-none-eabi-nm', build / 'compatible')
    start, end = (next(int(line.split()[0], 16) for line in symbols.splitlines() if line.endswith(' ' + name))
                  for name in ('neai_start', 'neai_end'))
    assert sections['.neai'] == end - start > 1000
    assert sections['.text'] > 10000


def test_other_core_is_refused_by_name(tmp_path):
    _, (code, text) = configure(tmp_path, 'm4f', ['-mthumb', '-mcpu=cortex-m23'])
    assert code != 0
    assert 'habit_init_for_v8mbase_soft' in text and 'm0plus' in text and 'HABIT_CORE' in text


def test_flags_without_processor_are_refused(tmp_path):
    _, (code, text) = configure(tmp_path, 'm4f', [])
    assert code != 0
    assert 'not those of a Cortex-M: -mcpu?' in ' '.join(text.split())  # CMake wraps lines


def test_core_can_be_chosen(tmp_path):
    build, (code, text) = configure(tmp_path, 'm7-sp', firmware.core_flags('m7-sp'), '-DHABIT_CORE=m4f')
    assert code == 0, text
    assert 'libhabit-m4f.a' in ''.join(path.read_text() for path in build.glob('CMakeFiles/*/link.txt'))
