#!/usr/bin/python3
"""Builds the Debian packages in a clean root of Debian (packaging/roots.py), for one architecture or for all.

usage: build.py [--suite bookworm] [--output DIR] [--version VERSION] [ARCH...]

amd64 also makes the packages that are the same for all. arm64 and armhf are cross-built."""
import argparse
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

import roots
import sbom

HERE = pathlib.Path(__file__).resolve().parent
TREE = HERE.parent
# The profiles of debian/control: without tests, or with the unit tests only.
PROFILES = {True: 'pkg.habit.unit', False: 'cross,nocheck'}
CROSS = {'arm64': 'crossbuild-essential-arm64', 'armhf': 'crossbuild-essential-armhf'}


def apt(*arguments):
    return ['apt-get', '-y', '-q', '--no-install-recommends', *arguments]


def provide(root, arch, *commands):
    for command in commands:
        roots.enter(root, command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def build_root(suite, arch):
    """A copy of the clean root with what debian/control wants: another one whenever that changes."""
    control = (TREE / 'debian/control').read_bytes()
    wants = re.search(rb'Build-Depends:.*?\n(?=Standards)', control, re.S)[0]

    def how(target):
        roots.say(f'{suite} {arch}: what the build needs, once')
        partial = target.with_name(target.name + '.partial')
        shutil.rmtree(partial, ignore_errors=True)
        subprocess.run(['cp', '-a', roots.clean_root(suite, 'amd64'), partial], check=True)
        (partial / 'build/debian').mkdir(parents=True)
        (partial / 'build/debian/control').write_bytes(control)
        foreign = [] if arch == 'amd64' else [['dpkg', '--add-architecture', arch]]
        provide(partial, 'amd64', *foreign, ['apt-get', 'update', '-q'],
                apt('install', 'build-essential', *([CROSS[arch]] if foreign else [])),
                apt('build-dep', f'--host-architecture={arch}', '-P' + PROFILES[not foreign],
                    *(['--arch-only'] if foreign else []), '/build'),
                ['apt-get', 'clean'])
        partial.rename(target)

    return roots.made(f'{suite}-build-{arch}-{fingerprint(wants)}', how)


def fingerprint(data):
    return hashlib.sha256(data).hexdigest()[:8]


def export(target, version):
    """What git knows of the tree, as it is now. version: another one in front of the changelog, for trying upgrades."""
    names = subprocess.run(['git', 'ls-files', '-z', '--cached', '--others', '--exclude-standard'], cwd=TREE, check=True,
                           capture_output=True).stdout.split(b'\0')
    for name in filter(None, map(os.fsdecode, names)):
        source = TREE / name
        if source.exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / name)
    if version:
        changelog = target / 'debian/changelog'
        text = changelog.read_text()
        changelog.write_text(re.sub(r'\(([^)]+)\)', f'({version})', text, count=1))


BUILD = '''
set -e
cd "$1"
export DEB_BUILD_OPTIONS="$2 parallel=$(nproc)"
dpkg-buildpackage -us -uc $3
'''


def build(suite, arch, output, version=None, check=True, folder='/build/habit'):
    """One architecture's packages, into output. Returns the .deb files. folder: where the build happens; another one must give
    the same bytes."""
    root = build_root(suite, arch)
    native = arch == 'amd64'
    with roots.layer() as layer:
        source = pathlib.Path(layer) / 'upper' / folder.lstrip('/')
        source.mkdir(parents=True)
        export(source, version)
        how = (['-b'] if native else [f'--host-arch={arch}', '-B']) + ['-P' + PROFILES[native]]
        roots.say(f'{suite} {arch}: dpkg-buildpackage {" ".join(how)}')
        output.mkdir(parents=True, exist_ok=True)
        with open(output / f'build-{arch}.log', 'w') as log:
            try:
                roots.enter(root, ['bash', '-c', BUILD, 'build', folder, '' if check and native else 'nocheck', ' '.join(how)],
                            layer=layer, network=False, stdout=log, stderr=log)
            except roots.Failed:
                raise roots.Failed(f'{suite} {arch}: not built: see {log.name}') from None
        made = []
        for path in sorted(source.parent.iterdir()):
            if path.is_file():
                shutil.copy2(path, output / path.name)
                made.append(output / path.name)
    debs = [path for path in made if path.suffix == '.deb']
    for buildinfo in (path for path in made if path.suffix == '.buildinfo'):
        of_users = [path for path in debs if '-dbgsym_' not in path.name]
        buildinfo.with_suffix('.spdx.json').write_text(json.dumps(sbom.document(buildinfo, of_users), indent=1) + '\n')
    return debs


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--suite', default='bookworm', help='of Debian: bookworm (12) or trixie (13); default: %(default)s')
    parser.add_argument('--output', type=pathlib.Path, help='default: build-packages/SUITE')
    parser.add_argument('--version', help='instead of that of debian/changelog')
    parser.add_argument('--no-check', action='store_true', help='leave the unit tests out')
    parser.add_argument('arch', nargs='*', metavar='ARCH', help='default: ' + ' '.join(roots.ARCHITECTURES))
    options = parser.parse_args()
    unknown = set(options.arch) - set(roots.ARCHITECTURES)
    if unknown:
        parser.error(f'{", ".join(unknown)}: not one of {", ".join(roots.ARCHITECTURES)}')
    output = options.output or TREE / 'build-packages' / options.suite
    try:
        for arch in options.arch or roots.ARCHITECTURES:
            for path in build(options.suite, arch, output, options.version, not options.no_check):
                print(path)
    except roots.Failed as failed:
        sys.exit(f'build: {failed}')


if __name__ == '__main__':
    main()
