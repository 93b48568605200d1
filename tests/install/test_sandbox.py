"""The system tests against the packaged habitd as systemd starts it: as user habit, without capabilities, behind the unit's system
call filter, on a read-only system (tests/system/unit.py checks that for each start). One file of them after the other."""
import subprocess

import pytest

import conftest
import roots

NEEDS = ['python3-pytest', 'python3-paho-mqtt', 'python3-requests', 'python3-jsonschema', 'python3-jinja2', 'openssl', 'sqlite3',
         'curl', 'mosquitto', 'mosquitto-clients']
FILES = ['main_job', 'rest', 'bad_input', 'durability', 'episodes', 'events', 'home_assistant', 'inputs', 'metrics', 'mqtt_out',
         'nodes', 'openapi', 'replay', 'reports', 'security', 'security_broker', 'strategy', 'streams']


@pytest.fixture(scope='module')
def machine(tmp_path_factory):
    with roots.layer() as layer:
        root, binds = conftest.prepared('amd64', tmp_path_factory.mktemp('sandbox'), layer, NEEDS)
        booted = roots.Booted(root, layer, [*binds, (conftest.REPOSITORY, '/srv/habit', 'ro')])
        booted.shell('''
            apt-get install -y -q --no-install-recommends /packages/habitd_0.1*.deb /packages/habit_*.deb
            systemctl stop mosquitto
            mkdir -p /srv/build/daemon /srv/build/cli
            ln -s /usr/sbin/habitd /srv/build/daemon/
            ln -s /usr/bin/habit /srv/build/cli/''', seconds=300)
        yield booted
        booted.stop()


@pytest.mark.parametrize('name', FILES)
def test_functional_suite(machine, name):
    try:
        machine.run('env', 'HABIT_BUILD=/srv/build', 'HABIT_UNIT=habitd.service', 'PYTHONDONTWRITEBYTECODE=1', 'sh', '-c',
                    'cd /srv/habit && exec python3 -m pytest -q -x -p no:cacheprovider --basetemp=/srv/test "$@"', 'pytest',
                    f'tests/system/test_{name}.py', seconds=1200)
    except (roots.Failed, subprocess.TimeoutExpired) as failed:
        pytest.fail(str(failed), pytrace=False)
