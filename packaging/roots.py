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
import time

FOLDER = pathlib.Path(os.environ.get('HABIT_ROOTS', '/var/tmp/habit-roots'))
MIRROR = os.environ.get('HABIT_MIRROR', 'http://deb.debian.org/debian')
ARCHITECTURES = ('amd64', 'arm64', 'armhf')
EMULATORS = {'arm64': 'qemu-aarch64', 'armhf': 'qemu-arm'}
# The whole range: what belongs to root, _apt and habit outside belongs to them inside.
WHOLE_RANGE = '0 0 4294967295'

# A tree of processes that systemd may manage; without controllers, so MemoryMax= and TasksMax= have no effect there.
CONTROL_GROUPS = pathlib.Path('/sys/fs/cgroup/unified')
if not CONTROL_GROUPS.is_dir():
    CONTROL_GROUPS = pathlib.Path('/sys/fs/cgroup')

# The first line waits until the parent has mapped the users: only programs started after that have their capabilities.
INSIDE = r'''
set -e
echo entered; read -r _
root=$1 emulator=$2 layer=$3 network=$4 init=$5; shift 5
mount --make-rprivate /
if [ "$layer" ]; then
    mount -t overlay -o "userxattr,lowerdir=$root,upperdir=$layer/upper,workdir=$layer/work" overlay "$layer/merged"
    root=$layer/merged
else
    mount --bind "$root" "$root"
fi
mkdir -p "$root/proc" "$root/dev" "$root/sys" "$root/mnt" # debootstrap may not have made them yet
mount -t tmpfs -o mode=755 dev "$root/dev"
nodes="null zero full random urandom tty"
[ "$init" ] || nodes="$nodes console" # systemd would write to it
for node in $nodes; do
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
if [ "$init" ]; then mount -t sysfs sysfs "$root/sys"; else mount --rbind /sys "$root/sys"; fi
mount -t proc proc "$root/proc"
if [ "$emulator" ]; then
    mount -t binfmt_misc none "$root/proc/sys/fs/binfmt_misc"
    cat "/usr/lib/binfmt.d/$emulator.conf" >"$root/proc/sys/fs/binfmt_misc/register"
fi
while [ "$1" != -- ]; do # folders of outside, read-only or not: SOURCE TARGET MODE
    mkdir -p "$root$2"
    mount --bind "$1" "$root$2"
    [ "$3" = rw ] || mount -o remount,bind,ro "$root$2"
    shift 3
done
shift
if [ "$init" ]; then
    mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
    mount -t tmpfs -o mode=755 run "$root/run"
    mount -t tmpfs -o mode=1777 tmp "$root/tmp"
    rm -f "$root/usr/sbin/policy-rc.d"
    [ -e "$root/etc/hosts" ] || echo 127.0.0.1 localhost >"$root/etc/hosts" # as installers write it; debootstrap does not
    for unit in dev-hugepages.mount sys-fs-fuse-connections.mount sys-kernel-debug.mount; do # not for namespaces
        ln -sf /dev/null "$root/etc/systemd/system/$unit"
    done
    set -- env -u HOME container=other "$@"
fi
if [ "$network" ]; then cp /etc/resolv.conf "$root/etc/resolv.conf"; else ip link set lo up; fi
# Not chroot: in one, the kernel allows no further user namespaces (PrivateUsers= of a unit).
cd "$root"
pivot_root . mnt
cd /
umount -l /mnt
[ -z "$init" ] || mount --make-rshared / # as at a boot: credentials are mounted from within
exec /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 TERM=dumb DEBIAN_FRONTEND=noninteractive \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@"
'''


class Failed(Exception):
    pass


def say(text):
    print(f'roots: {text}', file=sys.stderr, flush=True)


def start(root, command, arch='amd64', layer=None, network=True, init=False, binds=(), **options):
    """Starts a command in the root and returns its Popen. layer: a folder for what it changes, else the root itself changes.
    binds: (outside, inside, 'ro' or 'rw'). init: the command is a systemd, and gets control groups. options as Popen has them."""
    arguments = [str(part) for bind in binds for part in bind]
    if layer:
        for name in ('upper', 'work', 'merged'):
            (pathlib.Path(layer) / name).mkdir(parents=True, exist_ok=True)
    flags = ['--user', '--mount', '--pid', '--ipc', '--uts', '--kill-child', '--fork']
    flags += ([] if network else ['--net']) + (['--cgroup'] if init else [])
    to_child, go = os.pipe()
    ready, from_child = os.pipe()
    # Standard output is the command's: the handshake has descriptors of its own.
    script = INSIDE.replace('echo entered; read -r _', f'echo entered >&{from_child}; read -r _ <&{to_child}\n'
                            f'exec {from_child}>&- {to_child}<&-')
    process = subprocess.Popen(
        ['unshare', *flags, 'bash', '-c', script, 'inside', root, EMULATORS.get(arch, ''), layer or '',
         'network' if network else '', 'init' if init else '', *arguments, '--', *command],
        stdin=subprocess.DEVNULL, pass_fds=(to_child, from_child), text=True, **options)
    os.close(from_child)
    os.close(to_child)
    with os.fdopen(ready) as pipe:
        entered = pipe.readline()
    if entered:
        for name in ('uid_map', 'gid_map'):
            pathlib.Path(f'/proc/{process.pid}/{name}').write_text(WHOLE_RANGE)
        os.write(go, b'go\n')
    os.close(go)
    return process


def enter(root, command, check=True, **options):
    """Runs a command in the root: options as start() has them. Returns (status, output or None)."""
    process = start(root, command, **options)
    output, _ = process.communicate()
    if check and process.returncode != 0:
        raise Failed(f'{" ".join(map(str, command))[:200]}: status {process.returncode}\n{output or ""}')
    return process.returncode, output


class Booted:
    """A root with systemd as its first process, without network but its own loopback. The root needs systemd-sysv."""

    def __init__(self, root, layer, binds=()):
        self.group = CONTROL_GROUPS / f'habit-{os.getpid()}-{id(self)}'
        self.group.mkdir()
        self.log = open(pathlib.Path(layer) / 'boot.log', 'a+')
        self.process = start(root, ['/lib/systemd/systemd', '--system', '--log-target=console'], layer=layer, network=False,
                             init=True, binds=binds, stdout=self.log, stderr=self.log, preexec_fn=self._join)
        self.first = self._first_process()
        self.run('systemctl', 'is-system-running', '--wait', check=False)

    def _join(self):
        (self.group / 'cgroup.procs').write_text(str(os.getpid()))

    def _first_process(self):
        children = pathlib.Path(f'/proc/{self.process.pid}/task/{self.process.pid}/children')
        for _ in range(600):
            if self.process.poll() is not None:
                raise Failed('systemd ended at once: see boot.log')
            first = children.read_text().split()
            if first and os.path.exists(f'/proc/{first[0]}/root/run/systemd/private'):
                return first[0]
            time.sleep(0.05)
        raise Failed('systemd does not come up: see boot.log')

    def command(self, *command):
        """The command as it is started from outside."""
        return ['nsenter', '-t', self.first, '-a', '-r', '-w', '/usr/bin/env', '-i', 'HOME=/root', 'LC_ALL=C.UTF-8',
                'DEBIAN_FRONTEND=noninteractive', 'PATH=/usr/sbin:/usr/bin:/sbin:/bin', *command]

    def run(self, *command, check=True, seconds=120):
        """Returns what the command says; raises Failed with that when it fails."""
        done = subprocess.run(self.command(*command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=seconds)
        if check and done.returncode != 0:
            raise Failed(f'{" ".join(command)[:300]}: status {done.returncode}\n{done.stdout}')
        return done.stdout

    def shell(self, script, **options):
        return self.run('sh', '-euc', script, **options)

    def stop(self):
        # All of its processes: a parent's end does not reach those that have gained capabilities.
        (self.group / 'cgroup.kill').write_text('1')
        self.process.wait()
        self.log.close()
        for _ in range(100):
            for folder in sorted((path for path in self.group.rglob('*') if path.is_dir()), reverse=True):
                with contextlib.suppress(OSError):
                    folder.rmdir()
            with contextlib.suppress(OSError):
                self.group.rmdir()
                return
            time.sleep(0.05)


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
            if (partial / 'proc').is_symlink():  # to this machine's, says Debian 13's script
                (partial / 'proc').unlink()
            enter(partial, ['env', 'container=lxc', '/debootstrap/debootstrap', '--second-stage'], arch=arch, stdout=log, stderr=log)
        (partial / 'etc/apt/sources.list').write_text(sources(suite))
        # No services: there is no init. Nobody asks.
        policy = partial / 'usr/sbin/policy-rc.d'
        policy.write_text('#!/bin/sh\nexit 101\n')
        policy.chmod(0o755)
        enter(partial, ['apt-get', 'update', '-q'], arch=arch, stdout=log, stderr=log)
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
            return enter(root, options.command, arch=options.arch, layer=folder, check=False)[0]
    except Failed as failed:
        print(f'roots: {failed}', file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main())
