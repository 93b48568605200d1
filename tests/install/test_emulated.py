"""The packages for arm64 and armhf in clean roots of these, all programs by qemu-user. systemd is not the first process there (it
does not start under qemu-user): habitd is started as its unit's user, without capabilities."""
import concurrent.futures
import pathlib
import re
import subprocess
import time

import pytest

import conftest
import roots
import steps

START = '''
install -d -o mosquitto /run/mosquitto # a service would have it from systemd
mosquitto -d -c /etc/mosquitto/mosquitto.conf
habitd_start() {
    STATE_DIRECTORY=/var/lib/habit setpriv --reuid=habit --regid=habit --init-groups --no-new-privs --inh-caps=-all \\
        --bounding-set=-all /usr/sbin/habitd --config /etc/habit/habitd.conf 2>>/var/log/habitd.log &
    pid=$!
    curl -sSf --retry 60 --retry-connrefused --retry-delay 1 http://127.0.0.1:8088/livez >/dev/null || { cat /var/log/habitd.log; exit 1; }
}
habitd_stop() { kill $pid; wait $pid; }
knowledge() { curl -sSf http://127.0.0.1:8088/v1/machines/pump-1/knowledge | sha256sum; }
'''

LIFE = '''
cp /usr/share/habit/mosquitto-habit.conf /etc/mosquitto/conf.d/habit.conf
%(start)s
habitd_start
cd /root
( %(job)s
)
touch /shared/ready # for a browser outside
until test -e /shared/seen; do sleep 0.5; done
knowledge >/root/before
habitd_stop
for version in 99.0 0.0.1; do
    dpkg -i /packages/habitd_${version}_*.deb
    habitd_start
    knowledge >/root/after
    cmp /root/before /root/after && echo "kept by $version"
    habitd_stop
done
apt-get remove -y -q habitd
test -s /var/lib/habit/habit.db && echo 'store is there'
apt-get purge -y -q habitd habit
test ! -e /var/lib/habit && test ! -e /etc/habit && echo 'purged'
'''


def life(root, shared, script, how):
    """Runs the script, and has the page looked at when its machine has an alarm. Returns what the script and the page said."""
    process = roots.start(root, ['bash', '-euc', script], **how)
    with concurrent.futures.ThreadPoolExecutor() as pool:
        told = pool.submit(process.communicate)
        seen = ''
        try:
            while process.poll() is None and not (shared / 'ready').exists():
                time.sleep(0.5)
            if process.poll() is None:
                inside = pathlib.Path(f'/proc/{process.pid}/task/{process.pid}/children').read_text().split()[0]
                seen = conftest.page(inside, shared / 'page.png')
                (shared / 'seen').touch()
            said, _ = told.result()
        finally:
            process.kill()
    assert process.returncode == 0, said
    return said, seen


@pytest.mark.parametrize('arch', ['arm64', 'armhf'])
def test_life(arch, tmp_path):
    shared = tmp_path / 'shared'
    shared.mkdir()
    with roots.layer() as layer:
        root, binds = conftest.prepared(arch, tmp_path, layer)
        how = {'arch': arch, 'layer': layer, 'network': False, 'binds': [*binds, (shared, '/shared', 'rw')],
               'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT}
        install = ('apt-get install -y -q --no-install-recommends /packages/habitd_0.1*.deb /packages/habit_*.deb '
                   + ' '.join(conftest.TOOLS))
        status, said = roots.enter(root, ['sh', '-euc', install], check=False, **how)
        assert status == 0, said
        said, seen = life(root, shared, LIFE % {'start': START, 'job': steps.commands('First machine')}, how)
    assert re.search(r'habit/v1/\S+/pump-1/anomaly \{.*"raised"', said), said
    report = steps.report(said)
    assert report['machine'] == 'pump-1' and report['learned'] == 60 and report['anomalies'] == 1, report
    assert '1 machine' in seen and 'complaint' not in seen, seen
    for line in ('kept by 99.0', 'kept by 0.0.1', 'store is there', 'purged'):
        assert line in said, said
