#!/usr/bin/python3
"""Clean Debian roots, for building packages and for trying them: made once by debootstrap, kept, never changed by their users.

usage: roots.py make SUITE ARCH          e.g. bookworm arm64; prints the folder
       roots.py run SUITE ARCH COMMAND   in a copy that is thrown away

Whoever enters one gets namespaces of their own: users, mounts, processes, and (with network=False) network. Programs of other
processors run there by qemu-user, which is registered in that namespace only (Linux 6.7 and later): the machine outside stays as
it is. Needs root, debootstrap and qemu-user-static."""
import argparse
import contextlib
import fcntl
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

FOLDER = pathlib.Path(os.environ.get('HABIT_ROOTS', '/var/tmp/habit-roots'))
MIRROR = os.environ.get('HABIT_MIRROR', 'http://deb.debian.org/debian')
ARCHITECTURES = ('amd64', 'arm64', 'armhf')
EMULATORS = {'arm64': 'qemu-aarch64', 'armhf': 'qemu-arm'}
# The whole range: what belongs to root, _apt and habit outside belongs to them inside.
WHOLE_RANGE = '0 0 4294967295'

# The first line waits until the parent has mapped the users: only programs started after that have their capabilities.
INSIDE = r'''
set -e
echo entered; read -r _
root=$1 emulator=$2 layer=$3 network=$4; shift 4
mount --make-rprivate /
if [ "$layer" ]; then
    mount -t overlay -o "userxattr,lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" overlay "$layer/merged"
    root=$layer/merged
fi
if [ "$emulator" ]; then
    mount -t proc proc /proc
    mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
    cat "/usr/lib/binfmt.d/$emulator.conf" >/proc/sys/fs/binfmt_misc/register
fi
mkdir -p "$root/proc" "$root/dev" "$root/sys"
mount -t tmpfs -o mode=755 dev "$root/dev"
for node in null zero full random urandom tty console; do
    : >"$root/dev/$node"
    mount --bind /dev/$node "$root/dev/$node"
done
mkdir "$root/dev/shm" "$root/dev/pts"
mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=666 pts "$root/dev/pts"
ln -s pts/ptmx "$root/dev/ptmx"
if [ ! -e "$root/debootstrap" ]; then # which makes them itself
    ln -s /proc/self/fd "$root/dev/fd"
    ln -s fd/0 "$root/dev/stdin"
    ln -s fd/1 "$root/dev/stdout"
    ln -s fd/2 "$root/dev/stderr"
fi
mount --rbind /sys "$root/sys"
mount -t proc proc "$root/proc"
while [ "$1" != -- ]; do # folders of outside, read-only or not: SOURCE TARGET MODE
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
    shift 3
done
shift
if [ "$network" ]; then cp /etc/resolv.conf "$root/etc/resolv.conf"; else ip link set lo up; fi
exec chroot "$root" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
'''


class Failed(Exception):
    pass


def say(text):
    print(f'roots: {text}', file=sys.stderr, flush=True)


def enter(root, command, arch='amd64', layer=None, network=True, binds=(), check=True, **options):
    """Runs a command in the root. layer: a folder for what it changes, else the root itself changes. binds: (outside, inside,
    'ro' or 'rw'). options as subprocess.run has them, stdin excepted. Returns (status, output or None)."""
    arguments = [str(part) for bind in binds for part in bind]
    emulator = EMULATORS.get(arch, '')
    if layer:
        for name in ('upper', 'work', 'merged'):
            (pathlib.Path(layer) / name).mkdir(parents=True, exist_ok=True)
    flags = ['--user', '--mount', '--pid', '--ipc', '--uts', '--kill-child', '--fork'] + ([] if network else ['--net'])
    to_child, go = os.pipe()
    ready, from_child = os.pipe()
    # Standard output is the command's: the handshake has descriptors of its own.
    script = INSIDE.replace('echo entered; read -r _', f'echo entered >&{from_child}; read -r _ <&{to_child}\n'
                            f'exec {from_child}>&- {to_child}<&-')
    process = subprocess.Popen(
        ['unshare', *flags, 'bash', '-c', script, 'inside', root, emulator, layer or '', 'network' if network else '',
         *arguments, '--', *command], stdin=subprocess.DEVNULL, pass_fds=(to_child, from_child), text=True, **options)
    os.close(from_child)
    os.close(to_child)
    with os.fdopen(ready) as pipe:
        entered = pipe.readline()
    if entered:
        for name in ('uid_map', 'gid_map'):
            pathlib.Path(f'/proc/{process.pid}/{name}').write_text(WHOLE_RANGE)
        os.write(go, b'go\n')
    os.close(go)
    output, _ = process.communicate()
    if check and process.returncode != 0:
        raise Failed(f'{" ".join(map(str, command))[:200]}: status {process.returncode}\n{output or ""}')
    return process.returncode, output


def sources(suite):
    return f'deb {MIRROR} {suite} main\n'


def bootstrap(suite, arch, target):
    partial = target.with_name(target.name + '.partial')
    shutil.rmtree(partial, ignore_errors=True)
    say(f'{suite} {arch}: debootstrap, once')
    foreign = [] if arch == 'amd64' else ['--foreign']
    with open(FOLDER / f'{target.name}.log', 'w') as log:
        done = subprocess.run(['debootstrap', *foreign, '--arch=' + arch, '--variant=minbase', suite, partial, MIRROR],
                              stdout=log, stderr=log)
        if done.returncode != 0:
            raise Failed(f'debootstrap {suite} {arch} failed: see {log.name}')
        if foreign:
            enter(partial, ['env', 'container=lxc', '/debootstrap/debootstrap', '--second-stage'], arch, stdout=log, stderr=log)
        (partial / 'etc/apt/sources.list').write_text(sources(suite))
        # No services: there is no init. Nobody asks.
        policy = partial / 'usr/sbin/policy-rc.d'
        policy.write_text('#!/bin/sh\nexit 101\n')
        policy.chmod(0o755)
        enter(partial, ['apt-get', 'update', '-q'], arch, stdout=log, stderr=log)
    partial.rename(target)


def made(name, how):
    """The root of that name; makes it when it is not there. One maker at a time."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    target = FOLDER / name
    with open(FOLDER / f'{name}.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not target.exists():
            how(target)
    return target


def clean_root(suite, arch):
    return made(f'{suite}-{arch}', lambda target: bootstrap(suite, arch, target))


@contextlib.contextmanager
def layer():
    """A folder for what is changed, removed at the end. On a disk: an overlay's upper folder may not be on an overlay."""
    folder = tempfile.mkdtemp(prefix='layer-', dir=FOLDER)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('action', choices=('make', 'run'))
    parser.add_argument('suite')
    parser.add_argument('arch', choices=ARCHITECTURES)
    parser.add_argument('command', nargs=argparse.REMAINDER)
    options = parser.parse_args()
    try:
        root = clean_root(options.suite, options.arch)
        if options.action == 'make':
            print(root)
            return 0
        with layer() as folder:
            return enter(root, options.command, options.arch, folder, check=False)[0]
    except Failed as failed:
        print(f'roots: {failed}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
