"""Clean Debian roots with the built packages in /packages, under systemd as the first process where the processor is this one's."""
import os
import pathlib
import shutil
import subprocess
import sys

sys.dont_write_bytecode = True

import pytest  # noqa: E402

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / 'packaging'))

import roots  # noqa: E402

SUITE = os.environ.get('HABIT_SUITE', 'bookworm')
BUILT = REPOSITORY / 'build-packages' / SUITE
TOOLS = ['mosquitto', 'mosquitto-clients', 'curl']


def pytest_sessionstart():
    if os.getuid() != 0:
        pytest.exit('clean roots need root', 3)
    if not list(BUILT.glob('habitd_*.deb')):
        pytest.exit(f'there are no packages in {BUILT}: ./dev package', 3)


def package(name, arch):
    """The built one; of the newest build, where several versions lie around."""
    found = sorted(BUILT.glob(f'{name}_*_{arch}.deb'), key=lambda path: path.stat().st_mtime)
    assert found, f'{name} is not built for {arch}: ./dev package {arch}'
    return found[-1]


def with_version(path, version, folder):
    """The same package under another version: what dpkg does with it is that of an upgrade."""
    unpacked = folder / 'unpacked'
    shutil.rmtree(unpacked, ignore_errors=True)
    subprocess.run(['dpkg-deb', '-R', path, unpacked], check=True)
    control = unpacked / 'DEBIAN/control'
    lines = [f'Version: {version}' if line.startswith('Version:') else line for line in control.read_text().splitlines()]
    control.write_text('\n'.join(lines) + '\n')
    made = folder / path.name.replace(path.name.split('_')[1], version)
    subprocess.run(['dpkg-deb', '--root-owner-group', '-b', unpacked, made], check=True, capture_output=True)
    shutil.rmtree(unpacked)
    return made


def packages_of(arch, folder):
    """habitd and habit as built, and habitd older and newer."""
    for name in ('habitd', 'habit'):
        shutil.copy2(package(name, arch), folder)
    for version in ('0.0.1', '99.0'):
        with_version(package('habitd', arch), version, folder)


def prepared(arch, tmp_path, layer, more=()):
    """A clean root with packages in /packages, and all that apt needs to install them without network, and with more packages
    installed already. Returns (root, binds)."""
    folder = tmp_path / 'packages'
    folder.mkdir()
    packages_of(arch, folder)
    os.chmod(tmp_path, 0o755)
    root = roots.clean_root(SUITE, arch)
    binds = [(folder, '/packages', 'ro')]
    # procps as on every Debian that an installer has made: mosquitto.service reloads by its kill.
    there = [*more, *(['systemd-sysv', 'procps'] if arch == 'amd64' else [])]
    roots.enter(root, ['sh', '-c', 'apt-get install -y -q --no-install-recommends --download-only '
                       f'/packages/*_0.0.1_*.deb /packages/habit_*.deb {" ".join(TOOLS)}'], arch=arch, layer=layer, binds=binds,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if there:
        roots.enter(root, ['apt-get', 'install', '-y', '-q', '--no-install-recommends', *there], arch=arch, layer=layer,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return root, binds


def page(process, picture, url='http://127.0.0.1:8088/', machine='pump-1', token=None):
    """What the web page says to a browser of this machine that is in the network of a process."""
    look = pathlib.Path(__file__).with_name('look.py')
    done = subprocess.run(['nsenter', '-t', str(process), '-n', '/usr/bin/python3', look, url, machine, picture],
                          env={**os.environ, **({'LOOK_TOKEN': token} if token else {})}, capture_output=True, text=True,
                          timeout=180, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope='module')
def machine(tmp_path_factory):
    """A booted Debian in which habit is not installed yet."""
    with roots.layer() as layer:
        root, binds = prepared('amd64', tmp_path_factory.mktemp('amd64'), layer)
        booted = roots.Booted(root, layer, binds)
        yield booted
        booted.stop()
