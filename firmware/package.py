#!/usr/bin/python3
"""Lays the library's sources out as another build system wants them, in a new folder. No copies are kept in the tree.

usage: package.py zephyr DIR        a Zephyr module
       package.py arduino DIR       an Arduino library
       package.py platformio DIR    a PlatformIO library"""
import argparse
import os
import pathlib
import re
import shutil
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent

# The sources, by room; and in which folders public headers are.
ROOMS = {'engine': ROOT / 'engine/src', 'exchange': HERE / 'exchange', 'saving': HERE / 'saving', 'nanoedge': HERE / 'nanoedge'}
HEADERS = [ROOT / 'engine/include', HERE / 'include']
PORTS = HERE / 'saving/ports'

# Arduino knows no flags of a library: what the bits depend on stands in each source.
PREAMBLE = '''/* No fused multiply-add: knowledge must be the same bytes everywhere. */
#if defined(__clang__)
#pragma STDC FP_CONTRACT OFF
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off", "no-math-errno")
#endif
'''


def version():
    return re.search(r"version: '([^']+)'", (ROOT / 'meson.build').read_text())[1]


def copy(source, target, change=lambda text: text):
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(change(source.read_text()))


def with_version(text):
    return text.replace('@version@', version())


def as_in_the_tree(target):
    """Folders as here: for build systems that can be told where to look."""
    for folder in [*ROOMS.values(), *HEADERS]:
        for path in sorted(folder.rglob('*.[ch]') if folder in HEADERS else folder.glob('*.[ch]')):
            copy(path, target / path.relative_to(ROOT))


def all_in_one(target):
    """src/ with the public headers and src/private/ with all else: for those that look in src/ only."""
    for folder in HEADERS:
        for path in sorted(folder.rglob('*.h')):
            copy(path, target / 'src' / path.relative_to(folder))
    for room, folder in ROOMS.items():
        for path in sorted(folder.glob('*.c')):
            copy(path, target / 'src/private' / f'{room}_{path.name}', lambda text: PREAMBLE + text)
        for path in sorted(folder.glob('*.h')):
            if (target / 'src/private' / path.name).exists():
                sys.exit(f'two private headers are called {path.name}: rename {path}')
            copy(path, target / 'src/private' / path.name)
    copy(HERE / 'arduino/habit.h', target / 'src/habit.h')
    for name in ('template', 'stm32l4', 'nrf52'):
        shutil.copytree(PORTS / name, target / 'extras/flash' / name)  # to be copied into a program; not compiled


def zephyr(target):
    as_in_the_tree(target)
    shutil.copytree(PORTS / 'zephyr', target / 'firmware/saving/ports/zephyr')
    copy(PORTS / 'zephyr/flash.h', target / 'firmware/include/habit/flash_zephyr.h')
    for name in ('module.yml', 'CMakeLists.txt', 'Kconfig'):
        copy(HERE / 'zephyr' / name, target / 'zephyr' / name)


def arduino(target):
    all_in_one(target)
    copy(HERE / 'arduino/library.properties', target / 'library.properties', with_version)
    shutil.copytree(HERE / 'arduino/examples', target / 'examples')


def platformio(target):
    all_in_one(target)
    copy(HERE / 'platformio/library.json', target / 'library.json', with_version)


LAYOUTS = {'zephyr': zephyr, 'arduino': arduino, 'platformio': platformio}


def make(layout, folder):
    target = pathlib.Path(folder)
    if target.exists() and any(target.iterdir()):
        sys.exit(f'{target} is not empty: name a new folder')
    copy(ROOT / 'LICENSE', target / 'LICENSE')
    LAYOUTS[layout](target)
    return target


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('layout', choices=LAYOUTS)
    parser.add_argument('folder', type=os.path.abspath)
    options = parser.parse_args()
    print(make(options.layout, options.folder))


if __name__ == '__main__':
    main()
