"""`habit setup`: from an installed gateway to the page on a second host in one command; and what it leaves alone."""
import hashlib
import os
import re
import shutil
import signal
import subprocess

import pytest

from support import HABIT, HABITD, MOSQUITTO, REPOSITORY, habit, wait_until

ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for namespaces")


# -------------------------------------------------------------------------------------------------------------- an image

@pytest.fixture
def image(tmp_path):
    """What the packages have put into a root, mosquitto included."""
    root = tmp_path / "root"
    (root / "etc/habit").mkdir(parents=True)
    (root / "etc/mosquitto/conf.d").mkdir(parents=True)
    shutil.copy(REPOSITORY / "config/habitd.conf", root / "etc/habit")
    (root / "etc/mosquitto/mosquitto.conf").write_text(
        "# as Debian has it\npersistence true\npersistence_location /var/lib/mosquitto/\ninclude_dir /etc/mosquitto/conf.d\n")
    return root


def run_setup(root, *more, check=True):
    return habit("setup", "--yes", "--root", root, *more, check=check)


def openssl(*arguments):
    return subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, text=True).stdout


def state(root):
    """Every file with its mode and contents."""
    return {str(path.relative_to(root)): (path.stat().st_mode & 0o777, hashlib.sha256(path.read_bytes()).hexdigest())
            for path in sorted(root.rglob("*")) if path.is_file()}


def names_of(root, file="etc/habit/tls/habitd.pem"):
    text = openssl("x509", "-in", root / file, "-noout", "-ext", "subjectAltName")
    return re.findall(r"(?:DNS|IP Address):([^,\s]+)", text)


def token_of(done):
    return re.search(r"^    (habit_\S{43})$", done.stdout, re.M)[1]


def test_makes_everything_once(image):
    done = run_setup(image, "--gateway", "gw-7", "--name", "gw.example.org", "--name", "192.168.7.7")
    made = state(image)
    secrets = {"etc/habit/tls/ca.key": 0o600, "etc/habit/tls/habitd.key": 0o640, "etc/habit/tokens": 0o640,
               "etc/habit/mqtt-password": 0o640, "etc/mosquitto/certs/habit-broker.key": 0o640,
               "etc/mosquitto/habit.passwords": 0o640, "etc/mosquitto/habit.acl": 0o640}
    assert {name: made[name][0] for name in secrets} == secrets
    assert not [name for name in made if name.endswith(".before-setup") or re.search(r"\.[A-Za-z0-9]{6}$", name)]
    for certificate in ("etc/habit/tls/habitd.pem", "etc/mosquitto/certs/habit-broker.pem"):
        openssl("verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", image / "etc/habit/tls/ca.pem", image / certificate)
        assert {"gw.example.org", "192.168.7.7", "localhost", "127.0.0.1"} <= set(names_of(image, certificate))
    assert "https://gw.example.org:8088/" in done.stdout and "█" in done.stdout
    for name, file in (("habitd", "habitd.pem"), ("CA", "ca.pem")):
        digest = openssl("x509", "-in", image / "etc/habit/tls" / file, "-noout", "-fingerprint", "-sha256").split("=")[1].strip()
        assert re.search(rf"^    {name} +{digest}$", done.stdout, re.M)
    token = token_of(done)
    assert token not in "".join(p.read_text() for p in image.rglob("*") if p.is_file())
    for again in ((), ("--name", "gw.example.org"), ("--gateway", "gw-7", "--listen", "0.0.0.0")):
        assert token not in run_setup(image, *again).stdout
        assert state(image) == made
    printed = subprocess.run([HABITD, "--config", image / "etc/habit/habitd.conf", "--print-config"], capture_output=True,
                             text=True, check=True).stdout
    for line in ("id = gw-7", "address = 0.0.0.0", "port = 8883", "username = habitd", "ca = /etc/habit/tls/ca.pem"):
        assert "conf.d/50-setup.conf:" in printed and line in printed.splitlines()


def test_renews_what_it_is_told_to(image):
    first = token_of(run_setup(image, "--name", "gw.example.org"))
    made = state(image)
    run_setup(image, "--renew", "--name", "new.example.org")
    renewed = state(image)
    assert {name for name in made if made[name] != renewed[name]} == {
        f"etc/{where}.{what}" for where in ("habit/tls/habitd", "mosquitto/certs/habit-broker") for what in ("key", "pem")}
    assert {"gw.example.org", "new.example.org"} <= set(names_of(image))
    openssl("verify", "-CAfile", image / "etc/habit/tls/ca.pem", image / "etc/habit/tls/habitd.pem")
    second = token_of(run_setup(image, "--new-token"))
    assert second != first and {n for n, v in state(image).items() if v != renewed[n]} == {"etc/habit/tokens"}
    lines = [line for line in (image / "etc/habit/tokens").read_text().splitlines() if line[0] != "#"]
    assert len(lines) == 1 and hashlib.sha256(second.encode()).hexdigest() in lines[0]


def verify(root, certificate):
    openssl("verify", "-CAfile", root / "etc/habit/tls/ca.pem", root / certificate)


@pytest.mark.parametrize("gone", [
    ("tls", "tokens", "mqtt-password", "conf.d/50-setup.conf"),  # as purge does it: what is in /etc/mosquitto stays
    ("tls/ca.pem", "tls/ca.key")])
def test_a_new_ca_signs_everything_anew(image, gone):
    run_setup(image, "--name", "gw.example.org")
    for name in gone:
        path = image / "etc/habit" / name
        (shutil.rmtree if path.is_dir() else os.unlink)(path)
    run_setup(image, "--name", "gw.example.org")
    for certificate in ("etc/habit/tls/habitd.pem", "etc/mosquitto/certs/habit-broker.pem"):
        verify(image, certificate)


def test_goes_on_where_the_first_one_was_cut_off(image):
    """Between the two files of the CA: the key is in its place, and nothing has been signed by it."""
    (image / "etc/habit/tls").mkdir()
    (image / "etc/habit/tls/ca.key").write_text("half of a CA\n")
    run_setup(image)
    verify(image, "etc/habit/tls/habitd.pem")


def test_daemons_get_through_its_folders(image):
    """Whatever umask root has: a folder that only root may enter would end habitd and the broker."""
    shutil.rmtree(image / "etc/mosquitto/conf.d")
    subprocess.run(["sh", "-c", f"umask 077; exec {HABIT} setup --yes --with-broker --root {image}"], check=True,
                   capture_output=True)
    for folder in ("habit/tls", "habit/conf.d", "mosquitto/certs", "mosquitto/conf.d"):
        assert (image / "etc" / folder).stat().st_mode & 0o777 == 0o755, folder


@ROOT
def test_groups_are_those_of_the_image(image):
    """Not this host's, where they have other numbers, or none."""
    (image / "etc/group").write_text("root:x:0:\nhabit:x:4242:\n")
    before = state(image)
    done = run_setup(image, "--with-broker", check=False)
    assert done.returncode == 3 and "mosquitto" in done.stderr and "etc/group" in done.stderr and state(image) == before
    (image / "etc/group").write_text("root:x:0:\nhabit:x:4242:\nmosquitto:x:4343:\n")
    run_setup(image, "--with-broker")
    groups = {"habit/tls/habitd.key": 4242, "habit/tokens": 4242, "habit/mqtt-password": 4242, "habit/tls/ca.key": 0,
              "mosquitto/certs/habit-broker.key": 4343, "mosquitto/habit.acl": 4343, "mosquitto/habit.passwords": 4343}
    assert {name: (image / "etc" / name).stat().st_gid for name in groups} == groups


def all_at_once(commands):
    children = [subprocess.Popen([HABIT, *map(str, command)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                for command in commands]
    assert {child.wait(60) for child in children} == {0}


def test_commands_at_once_lose_nothing(tmp_path):
    """Each reads the whole file and writes it whole: a revoked token must not come back with the one that another adds."""
    tokens, acl, passwords = (tmp_path / name for name in ("tokens", "acl", "passwords"))
    names = [f"n{i}" for i in range(24)]
    all_at_once(("token", "add", name, "--scope", "read", "--file", tokens) for name in names)
    assert sorted(line.split()[0] for line in tokens.read_text().splitlines() if line[0] != "#") == sorted(names)
    users = ("--acl", acl, "--passwords", passwords)
    all_at_once(("node", "add", name, "--gateway", "g", *users) for name in names)
    assert sorted(line.split(":")[0] for line in passwords.read_text().splitlines()) == sorted(names)
    assert sorted(line.split()[1] for line in acl.read_text().splitlines() if line.startswith("user ")) == sorted(names)


def test_setup_waits_for_others(image):
    """For as long as another command has the tokens, it makes nothing."""
    with subprocess.Popen(["flock", image / "etc/habit", "sleep", "1"]) as holder:
        wait_until(lambda: subprocess.run(["flock", "-n", image / "etc/habit", "true"], check=False).returncode, "the lock", 5)
        run_setup(image)
        assert holder.poll() == 0, "it did not wait"


def test_no_node_is_removed_by_a_wrong_name(tmp_path):
    """Whoever takes a node away must not believe that it is out while it is in."""
    users = ("--acl", tmp_path / "acl", "--passwords", tmp_path / "passwords")
    habit("node", "add", "pump-1", "--gateway", "g", *users)
    wrong = habit("node", "remove", "pump_1", *users, check=False)
    assert wrong.returncode == 1 and "no user pump_1" in wrong.stderr and "reload" not in wrong.stderr
    (tmp_path / "acl").write_text("")  # a password is enough to come in
    habit("node", "remove", "pump-1", *users)
    assert "pump-1" not in (tmp_path / "passwords").read_text()


def test_leaves_other_tokens_and_users(image):
    habit("token", "add", "grafana", "--scope", "read", "--file", image / "etc/habit/tokens")
    habit("node", "add", "pump-1", "--gateway", "g", "--acl", image / "etc/mosquitto/habit.acl", "--passwords",
          image / "etc/mosquitto/habit.passwords")
    run_setup(image)
    for file, words in (("etc/habit/tokens", ("grafana ", "admin ")), ("etc/mosquitto/habit.acl", ("user pump-1", "user habitd")),
                        ("etc/mosquitto/habit.passwords", ("pump-1:", "habitd:"))):
        assert all(word in (image / file).read_text() for word in words)


@pytest.mark.parametrize("file, text, words", [
    ("etc/habit/habitd.conf", "[http]\naddress = 127.0.0.1\n", "habitd.conf:2: [http] address is set there"),
    ("etc/habit/conf.d/10-mine.conf", "\n[http]\ntokens = /x\n", "10-mine.conf:3: [http] tokens is set there"),
    ("etc/habit/conf.d/60-mine.conf", "[mqtt]\nhost = 192.168.1.9\n", "60-mine.conf:2: [mqtt] host is set there"),
    ("etc/habit/habitd.conf", "[http]\nport = x\n", "habitd.conf:2: [http] port"),
    ("etc/mosquitto/mosquitto.conf", "persistence true\nlistener 1883\n", "mosquitto.conf:2: listener"),
    ("etc/mosquitto/conf.d/mine.conf", "password_file /etc/x\n", "mine.conf:1: password_file"),
    ("etc/mosquitto/conf.d/mine.conf", "  listener 1883\n", "mine.conf:1: listener"),
    ("etc/mosquitto/habit.acl", "user habitd\ntopic read x\n", "user habitd already"),
    ("etc/habit/tokens", "nonsense\n", "tokens:1"),
    ("etc/habit/tls/ca.pem", "nonsense\n", "the CA cannot sign"),
    ("etc/mosquitto/certs", "a file where a folder must be\n", "/certs"),
])
def test_changes_nothing_that_somebody_wrote(image, file, text, words):
    (image / file).parent.mkdir(parents=True, exist_ok=True)
    (image / file).write_text(text)
    (image / file).chmod(0o640)
    before = state(image)
    done = run_setup(image, "--with-broker", check=False)
    assert done.returncode != 0 and words in done.stderr, done.stderr
    assert done.stdout == "" and state(image) == before


@pytest.mark.parametrize("more", [("--listen", "127.0.0.1"), ("--gateway", "other"), ("--without-broker",), ("--name", "new.example.org"),
                                  ("--name", "192.0.2.77")])
def test_does_not_decide_between_file_and_option(image, more):
    run_setup(image)
    before = state(image)
    assert run_setup(image, *more, check=False).returncode == 3
    assert state(image) == before


@pytest.mark.parametrize("wrong", [("--listen", "eth0"), ("--name", "a b"), ("--gateway", "a_b"), ("--with-broker", "--without-broker")])
def test_wrong_options(image, wrong):
    before = state(image)
    assert run_setup(image, *wrong, check=False).returncode == 2 and state(image) == before


def test_needs_somebody_to_ask(image):
    assert "--yes" in habit("setup", "--root", image, check=False).stderr


def test_without_a_broker(image):
    before = state(image)
    run_setup(image, "--without-broker")
    assert all(name in before for name in state(image) if name.startswith("etc/mosquitto"))
    assert "[mqtt]" not in (image / "etc/habit/conf.d/50-setup.conf").read_text()


def test_broker_is_told_what_the_delivered_files_say(image):
    """The lines of both drop-ins are in the one that setup makes."""
    run_setup(image)
    made = (image / "etc/mosquitto/conf.d/habit-setup.conf").read_text().splitlines()
    for name in ("mosquitto-habit.conf", "mosquitto-habit-secure.conf"):
        wanted = [line for line in (REPOSITORY / "config" / name).read_text().splitlines() if line and line[0] != "#"]
        assert wanted and not [line for line in wanted if line not in made]


def test_asks_on_a_terminal(image):
    """Nothing is changed before the last answer; then as was answered."""
    before = state(image)
    for last, status in (("n", 1), ("y", 0)):
        answers = f"127.0.0.1\ngw.example.org\nn\n{last}\n"
        done = subprocess.run(["script", "-qec", f"{HABIT} setup --root {image}", "/dev/null"], input=answers, text=True,
                              capture_output=True, check=False)
        assert done.returncode == status, done.stdout
        assert (state(image) == before) == (last == "n")
    text = (image / "etc/habit/conf.d/50-setup.conf").read_text()
    assert "address = 127.0.0.1" in text and "[mqtt]" not in text and names_of(image)[0] == "gw.example.org"


@pytest.mark.skipif(not shutil.which("strace"), reason="strace lets a call fail")
@pytest.mark.parametrize("nth", [1, 4, 7, 10])
def test_a_failure_on_the_way_takes_everything_back(image, nth):
    habit("node", "add", "pump-1", "--gateway", "g", "--acl", image / "etc/mosquitto/habit.acl", "--passwords",
          image / "etc/mosquitto/habit.passwords")
    before = state(image)
    done = subprocess.run(["strace", "-qq", "-o", "/dev/null", "-e", "trace=rename", "-e", f"inject=rename:error=EIO:when={nth}",
                           HABIT, "setup", "--yes", "--root", image, "--with-broker"], capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Input/output error" in done.stderr and done.stdout == ""
    assert state(image) == before
    run_setup(image)


# ------------------------------------------------------------------------------------------------------------ two hosts

class Network:
    """A gateway and a phone, each with a network of its own and a cable between them; the gateway with an /etc of its own."""

    def __init__(self, folder):
        self.names = [f"habit-gw-{os.getpid()}", f"habit-ph-{os.getpid()}"]
        self.holders, self.started = [], []
        for name in self.names:
            self.holders.append(subprocess.Popen(["unshare", "--net", "--mount", "sleep", "600"]))
        for holder in self.holders:
            wait_until(lambda: os.readlink(f"/proc/{holder.pid}/ns/net") != os.readlink("/proc/self/ns/net"), "a namespace", 5)
        gateway, phone = (holder.pid for holder in self.holders)
        self.root("ip", "link", "add", "hgw", "netns", gateway, "type", "veth", "peer", "name", "hph", "netns", phone)
        self.etc = folder / "etc"
        subprocess.run(["cp", "-a", "/etc", self.etc], check=True)
        self.gateway("mount", "--bind", self.etc, "/etc")
        for run, link, address in ((self.gateway, "hgw", "10.77.0.1/24"), (self.phone, "hph", "10.77.0.2/24")):
            run("ip", "link", "set", "lo", "up")
            run("ip", "address", "add", address, "dev", link)
            run("ip", "link", "set", link, "up")

    @staticmethod
    def root(*command):
        return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)

    def inside(self, which):
        return ["nsenter", "--net", "--mount", "-t", str(self.holders[which].pid), "--wd=/"]

    def gateway(self, *command):
        return self.root(*self.inside(0), *command)

    def phone(self, *command):
        return self.root(*self.inside(1), *command)

    def start(self, log, *command):
        child = subprocess.Popen([*self.inside(0), *map(str, command)], stdout=log.open("w"), stderr=subprocess.STDOUT)
        self.started.append(child)
        return child

    def close(self):
        for child in reversed(self.started + self.holders):
            child.send_signal(signal.SIGTERM)
            child.wait(10)


@pytest.fixture
def network(tmp_path):
    net = Network(tmp_path)
    yield net
    net.close()


@ROOT
def test_from_the_package_to_the_page_on_a_second_host(network, tmp_path):
    net = network
    shutil.rmtree(net.etc / "habit", ignore_errors=True)
    (net.etc / "habit").mkdir()
    shutil.copy(REPOSITORY / "config/habitd.conf", net.etc / "habit")
    (net.etc / "habit/conf.d").mkdir()
    (net.etc / "habit/conf.d/90-test.conf").write_text(f"[store]\npath = {tmp_path}/habit.db\n")
    mosquitto = net.etc / "mosquitto"
    shutil.rmtree(mosquitto, ignore_errors=True)
    (mosquitto / "conf.d").mkdir(parents=True)
    (mosquitto / "mosquitto.conf").write_text(f"user root\npersistence true\npersistence_location {tmp_path}/\ninclude_dir /etc/mosquitto/conf.d\n")

    # A stand-in for systemd, which notes what it is told.
    net.gateway("mount", "-t", "tmpfs", "tmpfs", "/run")
    net.gateway("mkdir", "-p", "/run/systemd/system")
    told, systemctl = tmp_path / "told", tmp_path / "bin/systemctl"
    systemctl.parent.mkdir()
    systemctl.write_text(f"#!/bin/sh\necho $* >> {told}\n[ ! -e {tmp_path}/broken ]\n")
    systemctl.chmod(0o755)

    def run_here(*more):
        told.write_text("")
        done = net.gateway("env", "-i", f"PATH={systemctl.parent}:/usr/bin:/bin", HABIT, "setup", "--yes", *more)
        return done, told.read_text().splitlines()

    done, verbs = run_here("--name", "gw.test")
    assert verbs == ["restart mosquitto", "restart habitd"]
    assert "https://10.77.0.1:8088/" in done.stdout
    net.start(tmp_path / "mosquitto.log", MOSQUITTO, "-c", "/etc/mosquitto/mosquitto.conf")
    net.start(tmp_path / "habitd.log", "env", "-i", HABITD, "--config", "/etc/habit/habitd.conf")
    log = lambda: (tmp_path / "habitd.log").read_text() + (tmp_path / "mosquitto.log").read_text()
    wait_until(lambda: "answers on https://0.0.0.0:8088" in log(), "habitd is ready", 10)

    ca = tmp_path / "ca.pem"  # as the phone gets it
    shutil.copy(net.etc / "habit/tls/ca.pem", ca)
    token = tmp_path / "token"
    token.write_text(token_of(done))

    def curl(path, *more, host="10.77.0.1"):
        found = net.phone("curl", "-sS", "--cacert", ca, "-w", "\n%{http_code}", *more, f"https://{host}:8088{path}").stdout
        body, _, status = found.rpartition("\n")
        return int(status), body

    bearer = ("-H", f"Authorization: Bearer {token.read_text()}")
    assert curl("/v1/machines")[0] == 401
    assert curl("/v1/machines", *bearer)[0] == 200
    assert curl("/v1/machines", *bearer, "--resolve", "gw.test:8088:10.77.0.1", host="gw.test")[0] == 200
    status, page = curl("/", "-H", "Accept: text/html")
    assert status == 200 and "<html" in page
    assert curl("/page/app.js")[0] == 200
    with pytest.raises(subprocess.CalledProcessError) as strange:  # not without the CA
        net.phone("curl", "-sS", "https://10.77.0.1:8088/livez")
    assert "certificate" in strange.value.stderr
    wait_until(lambda: "reasons\":[]" in curl("/readyz")[1].replace(" ", ""), "the broker is connected", 15)

    # A sensor on the second host: by TLS and its password, and not without.
    made = net.gateway(HABIT, "node", "add", "pump-1", "--gateway", "gw", "--acl", "/etc/mosquitto/habit.acl")
    sketch = made.stdout
    assert ca.read_text() in sketch and "/etc/habit/tls/ca.pem" in made.stderr, "the CA of setup, without --ca"
    password = re.search(r'habit_password\[\] = "([^"]+)"', sketch)[1]
    net.started[0].send_signal(signal.SIGHUP)
    publish = ["mosquitto_pub", "--cafile", ca, "-h", "10.77.0.1", "-p", "8883", "-q", "1", "-t", "habit/v1/gw/pump-1/buffer", "-m", "x"]
    wait_until(lambda: net.phone(*publish, "-u", "pump-1", "-P", password).returncode == 0, "the sensor", 10)
    with pytest.raises(subprocess.CalledProcessError):
        net.phone(*publish)
    secret = tmp_path / "sensor-password"
    secret.write_text(password + "\n")
    simulate = [HABIT, "simulate", "--machine", "pump-1", "--buffers", "1", "--root", "habit/v1/gw", "--mqtt"]
    net.phone(*simulate, "10.77.0.1:8883", "--ca", ca, "--username", "pump-1", "--password-file", secret)
    for wrong in (("10.77.0.1:8883", "--ca", ca), ("10.77.0.1:8883", "--username", "pump-1", "--password-file", secret),
                  ("10.77.0.1:8883", "--ca", secret, "--username", "pump-1", "--password-file", secret)):
        with pytest.raises(subprocess.CalledProcessError):
            net.phone("timeout", "5", *simulate, *wrong)

    # The same again changes nothing, and a renewed certificate is taken by SIGHUP.
    before = state(net.etc / "habit")
    assert run_here()[1] == [] and state(net.etc / "habit") == before
    assert run_here("--renew")[1] == ["restart mosquitto", "reload habitd"]
    (tmp_path / "broken").touch()
    with pytest.raises(subprocess.CalledProcessError) as broken:
        run_here("--renew")
    assert "`systemctl restart mosquitto` failed" in broken.value.stderr
    assert told.read_text().splitlines() == ["restart mosquitto", "reload habitd"], "everything else is done"
    with pytest.raises(subprocess.CalledProcessError) as broken:
        run_here("--new-token")
    assert "`systemctl reload habitd` failed" in broken.value.stderr
    token.write_text(token_of(broken.value))  # it is in force with the reload, so it is shown all the same
    bearer = ("-H", f"Authorization: Bearer {token.read_text()}")
    net.started[1].send_signal(signal.SIGHUP)
    wait_until(lambda: "reloaded" in log(), "the reload", 5)
    assert curl("/v1/machines", *bearer)[0] == 200
