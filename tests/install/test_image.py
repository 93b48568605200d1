"""The OCI image (packaging/image.py), unpacked by umoci and run by crun as docs/containers.md says: user and command of the image,
a read-only root, no capabilities, the network of its host, a volume for the store."""
import json
import pathlib
import re
import subprocess

import pytest

import conftest
import image
import roots
import steps

UNPACK = '''
mkdir /image && tar -C /image -xf /packages/"$1"
umoci unpack --image "/image:habit:$2" /out/bundle >/dev/null
'''

# habit is the image's own, in the container; both sides see the volume under the same name.
RUN = '''
mount -t tmpfs none /sys/fs/cgroup # no groups are managed here
mkdir -p /run/mosquitto && mosquitto -d -p 1883
habitd_start() {
    crun --cgroup-manager=disabled run -b /out/bundle habit >>/out/log 2>&1 &
    for _ in $(seq 120); do curl -sf http://127.0.0.1:8088/livez >/dev/null && return; sleep 0.5; done
    exit 1
}
habitd_stop() { crun --cgroup-manager=disabled kill habit TERM; wait $!; }
habit() { crun --cgroup-manager=disabled exec --user 808:808 --cwd /var/lib/habit habit /usr/bin/habit "$@"; }
knowledge() { curl -sSf http://127.0.0.1:8088/v1/machines/pump-1/knowledge | sha256sum; }
cd /var/lib/habit
habitd_start
( %s
)
grep -E '^(Uid|CapEff|CapBnd|NoNewPrivs)' /proc/$(pgrep -x habitd)/status
knowledge >/out/before
habitd_stop
habitd_start
knowledge | cmp - /out/before && echo 'kept'
habitd_stop && echo "ended with $?"
'''


def restricted(bundle):
    """What `--read-only --cap-drop=all --security-opt=no-new-privileges --network=host -v ...:/var/lib/habit` makes of the image."""
    path = bundle / 'config.json'
    config = json.loads(path.read_text())
    config['root']['readonly'] = True
    process = config['process']
    process['terminal'] = False
    process['noNewPrivileges'] = True
    process['capabilities'] = {}
    config['linux']['namespaces'] = [one for one in config['linux']['namespaces'] if one['type'] not in ('network', 'user', 'uts')]
    config.pop('hostname', None)
    config['linux'].pop('resources', None)
    # As without root: devices are those of outside, and no new ones are made.
    config['linux']['namespaces'].append({'type': 'user'})
    for key in ('uidMappings', 'gidMappings'):
        config['linux'][key] = [{'containerID': 0, 'hostID': 0, 'size': 65536}]
    config['mounts'] = [one for one in config['mounts'] if one['destination'] not in ('/sys/fs/cgroup', '/var/lib/habit')]
    config['mounts'] += [{'destination': '/var/lib/habit', 'type': 'bind', 'source': '/var/lib/habit', 'options': ['bind', 'rw']},
                         {'destination': '/tmp', 'type': 'tmpfs', 'source': 'tmpfs', 'options': ['mode=1777']}]
    path.write_text(json.dumps(config))
    return process


@pytest.mark.parametrize('arch', roots.ARCHITECTURES)
def test_the_image_does_the_main_job(arch, tmp_path):
    try:
        archive = image.build(conftest.SUITE, arch, conftest.BUILT)
    except roots.Failed as failed:
        pytest.fail(str(failed), pytrace=False)
    version = image.version_of(arch, conftest.BUILT)
    out, volume = tmp_path / 'out', tmp_path / 'volume'
    out.mkdir()
    volume.mkdir()
    binds = [(conftest.BUILT, '/packages', 'ro'), (out, '/out', 'rw'), (volume, '/var/lib/habit', 'rw')]
    with roots.layer() as layer:
        tools = image.tools_root()
        how = {'arch': arch, 'layer': layer, 'binds': binds, 'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT}
        roots.enter(tools, ['apt-get', 'install', '-y', '-q', '--no-install-recommends', *conftest.TOOLS, 'procps'], **how)
        roots.enter(tools, ['bash', '-euc', UNPACK, 'unpack', archive.name, version], **how)
        process = restricted(out / 'bundle')
        assert process['user']['uid'] == 808 and process['args'] == ['/usr/sbin/habitd', '--config', '/etc/habit/habitd.conf']
        subprocess.run(['chown', '808:808', volume], check=True)
        status, said = roots.enter(tools, ['bash', '-euc', RUN % steps.commands('First machine')], check=False, network=False, **how)
    log = (out / 'log').read_text() if (out / 'log').exists() else ''
    assert status == 0, said + log
    assert re.search(r'habit/v1/\S+/pump-1/anomaly \{.*"raised"', said), said + log
    assert 'kept' in said and 'ended with 0' in said, said + log
    if arch == 'amd64':  # of the others the emulator is what one sees
        assert re.search(r'Uid:\t808\t.*CapEff:\t0+\nCapBnd:\t0+\nNoNewPrivs:\t1\n', said, re.S), said
    assert not list(pathlib.Path(out).glob('core*'))
