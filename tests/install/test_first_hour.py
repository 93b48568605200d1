"""The first hour: from the packages to the page on a second host in one command, in a Debian that systemd has booted, as
docs/install.md says below 'On the network'."""
import re
import shutil
import subprocess

import pytest

import conftest
import steps

SETUP, *AFTER = steps.blocks('On the network')
SETUP = SETUP.strip() + ' --yes'  # nobody is there to be asked
GATEWAY, SECOND = '192.0.2.1', '192.0.2.2'
URL = f'https://{GATEWAY}:8088'


class SecondHost:
    """A network of its own, with a cable to the booted Debian's."""

    def __init__(self, machine, folder):
        self.folder = folder
        self.holder = subprocess.Popen(['unshare', '--net', 'sh', '-c', 'echo; exec sleep 3600'], stdout=subprocess.PIPE)
        self.holder.stdout.readline()  # its network is there
        subprocess.run(['ip', 'link', 'add', 'cable0', 'netns', machine.first, 'type', 'veth', 'peer', 'name', 'cable1', 'netns',
                        str(self.holder.pid)], check=True)
        subprocess.run(['nsenter', '-t', str(self.holder.pid), '-n', 'ip', 'link', 'set', 'lo', 'up'], check=True)
        for where, name, address in ((machine.first, 'cable0', GATEWAY), (self.holder.pid, 'cable1', SECOND)):
            for command in (['address', 'add', f'{address}/24', 'dev', name], ['link', 'set', name, 'up']):
                subprocess.run(['nsenter', '-t', str(where), '-n', 'ip', *command], check=True)

    def run(self, *command):
        """Status and what was said."""
        done = subprocess.run(['nsenter', '-t', str(self.holder.pid), '-n', *map(str, command)], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        return done.returncode, done.stdout

    def status(self, path, *more):
        return self.run('curl', '-s', '-o', '/dev/null', '-w', '%{http_code}', '--cacert', self.folder / 'ca.pem', *more, URL + path)[1]

    def close(self):
        self.holder.kill()
        self.holder.wait()


@pytest.fixture(scope='module')
def second(machine, tmp_path_factory):
    host = SecondHost(machine, tmp_path_factory.mktemp('second'))
    yield host
    host.close()


@pytest.fixture(scope='module')
def token(machine, second):
    """Installs as the page says, with a machine that has an alarm, and goes on the network."""
    script = steps.commands('Install').replace('apt install', 'apt-get install -y -q --no-install-recommends')
    machine.shell(f'cd /packages\n{script}'.replace('./habitd_*', './habitd_0.1*'), seconds=300)
    machine.shell('cd /root\n' + steps.commands('First machine'), seconds=300)
    assert second.run('curl', '-s', '-m', '5', f'http://{GATEWAY}:8088/livez')[0] == 7, 'it listens beyond loopback before'
    said = machine.shell(SETUP, seconds=120)
    assert f'{URL}/' in said and '█' in said, said
    shutil.copy(f'/proc/{machine.first}/root/etc/habit/tls/ca.pem', second.folder)
    machine.shell('for i in $(seq 60); do systemctl is-active -q habitd && exit 0; sleep 0.5; done; journalctl -u habitd; exit 1')
    return re.search(r'^ +(habit_\S+)$', said, re.M)[1]


def test_nothing_without_a_token(second, token):
    assert second.status('/livez') == '200'
    for path in ('/v1/machines', '/v1/reports/daily', '/metrics', '/openapi.json'):
        assert second.status(path) == '401', path
    assert second.status('/v1/machines', '-H', f'Authorization: Bearer {token[:-1]}x') == '401'
    assert second.status('/v1/machines', '-H', f'Authorization: Bearer {token}') == '200'


def test_the_page_on_the_second_host(second, token, tmp_path):
    said = conftest.page(second.holder.pid, tmp_path / 'page.png', URL + '/', token=token)
    assert 'pump-1' in said and '1 machine' in said, said


def test_the_broker_is_closed(machine, second, token):
    """And habitd gets in."""
    publish = ('mosquitto_pub', '-h', GATEWAY, '-t', 'habit/v1/x/pump-1/buffer', '-m', 'x')
    assert second.run(*publish)[0] != 0
    assert second.run(*publish, '-p', '8883', '--cafile', second.folder / 'ca.pem')[0] != 0
    machine.shell(f'for i in $(seq 30); do curl -s --cacert /etc/habit/tls/ca.pem -H "Authorization: Bearer {token}" {URL}/metrics '
                  '| grep -q "^habit_mqtt_connected 1" && exit 0; sleep 1; done; journalctl -u habitd -u mosquitto; exit 1')


def test_what_the_page_says_next(machine, token):
    """The command with its token, and a sensor's name and password."""
    said = machine.shell(f'cd /root; umask 077; echo {token} >token\n' + ''.join(AFTER) + 'habit machines; cat pump-1.h')
    assert 'pump-1' in said and '"machines":' in said and 'habit_password[] = "' in said, said


def test_knowledge_is_there_still(second, token):
    _, said = second.run('curl', '-s', '--cacert', second.folder / 'ca.pem', '-H', f'Authorization: Bearer {token}',
                         f'{URL}/v1/machines/pump-1')
    assert '"learned":60' in said, said


def test_setup_again_changes_nothing(machine, token):
    digest = 'find /etc/habit /etc/mosquitto -type f | sort | xargs sha256sum'
    before = machine.shell(digest)
    assert token not in machine.shell(SETUP)
    assert machine.shell(digest) == before


def test_purge_takes_keys_along(machine, token):
    machine.shell('apt-get purge -y -q habitd')
    machine.shell('! test -e /etc/habit && ! test -e /var/lib/habit')
