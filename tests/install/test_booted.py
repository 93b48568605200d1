"""The packages in a clean Debian that systemd has booted: the whole life of an installation, in this order."""
import json
import re

import conftest
import steps

URL = 'http://127.0.0.1:8088'
KNOWLEDGE = f'curl -sf {URL}/v1/machines/pump-1/knowledge | sha256sum'


def version(machine):
    return machine.run('dpkg-query', '-W', '-f', '${Version}', 'habitd')


def property_of(machine, name):
    return machine.run('systemctl', 'show', '-P', name, 'habitd').strip()


def test_an_older_processor_is_refused(machine):
    """Raspberry Pi OS on a Pi Zero or Pi 1 takes armhf packages too."""
    machine.shell('mkdir -p /root/old; printf "#!/bin/sh\necho armv6l\n" >/root/old/uname; chmod +x /root/old/uname')
    said = machine.shell('! PATH=/root/old:$PATH dpkg -i /packages/habitd_0.1*.deb /packages/habit_*.deb 2>&1')
    for package in ('habit', 'habitd'):
        assert f'{package}: this processor, armv6l, is not supported' in said, said
        assert machine.run('dpkg-query', '-W', '-f', '${db:Status-Status}', package, check=False) in ('', 'not-installed') \
            or 'no packages found' in machine.run('dpkg-query', '-W', package, check=False)
    machine.shell('! test -e /usr/sbin/habitd && ! test -e /usr/bin/habit && rm -r /root/old')


def test_install(machine):
    script = steps.commands('Install').replace('apt install', 'apt-get install -y -q --no-install-recommends')
    machine.shell(f'cd /packages\n{script}'.replace('./habitd_*', './habitd_0.1*'), seconds=300)
    assert property_of(machine, 'ActiveState') == 'active', machine.run('journalctl', '-u', 'habitd')
    assert 'enabled' in machine.run('systemctl', 'is-enabled', 'habitd')


def test_main_job(machine):
    """Nothing but what the page says, and its alarm arrives."""
    said = machine.shell('cd /root\n' + steps.commands('First machine'), seconds=300)
    assert '"status":"learned"' in said.replace(' ', ''), said
    assert re.search(r'habit/v1/\S+/pump-1/anomaly \{.*"raised"', said), said
    report = steps.report(said)
    assert report['machine'] == 'pump-1' and report['learned'] == 60 and report['anomalies'] == 1, report


def test_page(machine, tmp_path):
    said = conftest.page(machine.first, tmp_path / 'page.png')
    assert '1 machine' in said and 'complaint' not in said and (tmp_path / 'page.png').stat().st_size > 10000, said


def test_status_and_exposure(machine):
    machine.shell('for i in $(seq 15); do systemctl show -P StatusText habitd | '
                  'grep "^1 machines: 0 new, 0 learning, 1 watching, 1 with an anomaly" && exit 0; sleep 1; done; exit 1')
    said = machine.run('systemd-analyze', 'security', '--threshold=15', '--no-pager', 'habitd.service')
    assert 'OK' in said.splitlines()[-1], said


def test_a_frozen_daemon_is_restarted_by_the_watchdog(machine):
    before = property_of(machine, 'MainPID')
    assert int(before) > 1, 'it does not run' # and a signal to 0 would stop this test itself
    machine.shell(f'kill -STOP {before}')
    machine.shell('for i in $(seq 60); do sleep 1; n=$(systemctl show -P NRestarts habitd); '
                  '[ "$n" = 1 ] && systemctl is-active -q habitd && exit 0; done; exit 1')
    assert property_of(machine, 'MainPID') != before
    assert json.loads(machine.run('curl', '-sf', f'{URL}/v1/machines/pump-1'))['learned'] == 60


def test_reload(machine):
    before = property_of(machine, 'MainPID')
    machine.run('systemctl', 'reload', 'habitd')
    assert property_of(machine, 'MainPID') == before and property_of(machine, 'ActiveState') == 'active'


def test_a_password_by_credential(machine):
    """Only root can read the file; the broker lets habitd in with what is in it."""
    machine.shell('''
        umask 077
        echo 'not-for-everybody' >/etc/habit/credentials/mqtt-password
        mosquitto_passwd -c -b /etc/mosquitto/passwd habitd not-for-everybody
        chown mosquitto /etc/mosquitto/passwd
        printf 'listener 1883 127.0.0.1\\nallow_anonymous false\\npassword_file /etc/mosquitto/passwd\\n' >/etc/mosquitto/conf.d/login.conf
        chmod 644 /etc/mosquitto/conf.d/login.conf
        cp -p /etc/habit/habitd.conf /root/
        sed -i 's/^#username =.*/username = habitd/; s/^#password_file =.*/password_file = mqtt-password/' /etc/habit/habitd.conf
        systemctl restart mosquitto habitd''')
    machine.shell('for i in $(seq 30); do curl -s 127.0.0.1:8088/metrics | grep -q "^habit_mqtt_connected 1" && exit 0; sleep 1; '
                  'done; journalctl -u habitd; exit 1')
    machine.shell('! setpriv --reuid=habit --clear-groups cat /etc/habit/credentials/mqtt-password 2>/dev/null')
    machine.shell('cp -p /root/habitd.conf /etc/habit/; rm /etc/mosquitto/conf.d/login.conf /etc/habit/credentials/*; '
                  'systemctl restart mosquitto habitd')


def test_socket_activation(machine):
    """While habitd is away, systemd holds the connection."""
    machine.shell('systemctl stop habitd; systemctl start habitd.socket; '
                  'systemctl is-active habitd && exit 1; curl -sSf http://127.0.0.1:8088/livez; systemctl is-active habitd; '
                  'systemctl stop habitd.socket; systemctl restart habitd')


def test_upgrade_and_downgrade_keep_knowledge(machine):
    before = machine.shell(KNOWLEDGE)
    for package in ('habitd_99.0_*', 'habitd_0.0.1_*'):
        machine.shell(f'dpkg -i /packages/{package}.deb')
        assert version(machine) in package
        assert property_of(machine, 'ActiveState') == 'active', machine.run('journalctl', '-u', 'habitd')
        assert machine.shell(KNOWLEDGE) == before
    assert json.loads(machine.run('curl', '-sf', f'{URL}/v1/anomalies'))['anomalies'], 'history is gone'


def test_a_changed_configuration_is_kept(machine):
    machine.shell("echo '# mine' >>/etc/habit/habitd.conf; dpkg -i /packages/habitd_99.0_*.deb")
    assert '# mine' in machine.run('tail', '-n', '1', '/etc/habit/habitd.conf')


def test_remove_keeps_the_store(machine):
    machine.shell('apt-get remove -y -q habitd')
    assert machine.run('systemctl', 'is-active', 'habitd', check=False).strip() == 'inactive'
    machine.shell('test -s /var/lib/habit/habit.db; test -s /etc/habit/habitd.conf')
    machine.shell('! test -e /usr/sbin/habitd')


def test_back_again_with_what_it_knew(machine):
    machine.shell('dpkg -i /packages/habitd_99.0_*.deb')
    state = json.loads(machine.run('curl', '-sf', f'{URL}/v1/machines/pump-1'))
    assert state['learned'] == 60, state


def test_purge_leaves_nothing(machine):
    machine.shell('apt-get purge -y -q habitd habit')
    left = machine.shell('find / -xdev -path /proc -prune -o -name "*habit*" -print | '
                         'grep -v -e ^/packages -e ^/sys -e ^/var/cache/apt -e ^/var/log -e ^/root -e ^/etc/mosquitto || true')
    assert left == '', left
