"""The broker's side: TLS that is verified at each connect, and the users and rights that `habit node` makes, with a real mosquitto."""
import getpass
import re
import shutil
import subprocess
import time

import pytest

from pki import Pki
from support import REPOSITORY, ROOT, Broker, floats, habit, wait_until

SIZE = {"buffer_size": 16, "axes": 1}
BUFFER = floats(range(16))


class SecureBroker(Broker):
    """A mosquitto that is told what config/mosquitto-habit-secure.conf says, with the paths of this test."""

    def __init__(self, folder, pki):
        super().__init__(folder)
        self.pki = pki
        self.acl, self.passwords = folder / "acl", folder / "passwords"
        self.certificate, self.key = folder / "broker.pem", folder / "broker.key"
        self.extra = ""

    def use(self, certificate, key):
        shutil.copy(certificate, self.certificate)
        shutil.copy(key, self.key)

    def configure(self):
        text = (REPOSITORY / "config" / "mosquitto-habit-secure.conf").read_text()
        for before, after in (("listener 8883", f"listener {self.port} 127.0.0.1"),
                              ("/etc/mosquitto/certs/habit-broker.pem", self.certificate),
                              ("/etc/mosquitto/certs/habit-broker.key", self.key),
                              ("/etc/mosquitto/habit.passwords", self.passwords), ("/etc/mosquitto/habit.acl", self.acl)):
            assert str(before) in text, before
            text = text.replace(str(before), str(after))
        (self.folder / "mosquitto.conf").write_text(
            text + f"\nuser {getpass.getuser()}\npersistence true\npersistence_location {self.store}/\n{self.extra}")


def node(broker, *arguments, check=True):
    return habit("node", *arguments, "--acl", broker.acl, "--passwords", broker.passwords, check=check)


@pytest.fixture
def pki(tmp_path):
    return Pki(tmp_path / "pki")


@pytest.fixture
def broker(house, pki):
    """A running one; habitd's password is in gateway.password."""
    broker = house._add(SecureBroker(house._place("mosquitto"), pki))
    broker.use(*pki.sign("broker"))
    node(broker, "add", "habitd", "--gateway", "gw", "--role", "gateway", "--password-file", broker.folder / "gateway.password")
    return broker.start()


def keys(broker, ca=None):
    return (f"username = habitd\npassword_file = {broker.folder / 'gateway.password'}\n"
            f"ca = {ca or broker.pki.certificate}\n")


def send(broker, user, password, topic, payload=BUFFER, ca=None):
    """mosquitto_pub with QoS 1. Returns its exit status."""
    return subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "--cafile", str(ca or broker.pki.certificate),
                           "-q", "1", "-V", "5", "-t", topic, "-s"], input=payload, capture_output=True, timeout=20, check=False,
                          env={"HOME": str(home(broker, user, password))}).returncode


def home(broker, user, password):
    """mosquitto_pub takes a user and a password from $HOME/.config/mosquitto_pub."""
    folder = broker.folder / f"home-{user}"
    (folder / ".config").mkdir(parents=True, exist_ok=True)
    (folder / ".config" / "mosquitto_pub").write_text(f"-u {user}\n-P {password}\n")
    return folder


def password_of(sketch):
    return re.search(r'habit_password\[\] = "(.+)";', sketch).group(1)


# ------------------------------------------------------------------------------------------------------------------ TLS

def test_buffers_over_tls(house, broker):
    """More than one batch at a time: what TLS has decrypted already does not show at the socket."""
    habitd = house.habitd(broker, mqtt=keys(broker))
    habitd.put_machine("pump-1", **SIZE)
    habitd.act("pump-1", "commission")
    password = password_of(node(broker, "add", "pump-1", "--gateway", "gw", "--learn").stdout)
    broker.reload()
    lines = b"".join(b"1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,%d\n" % i for i in range(500))
    done = subprocess.run(["mosquitto_pub", "-h", "127.0.0.1", "-p", str(broker.port), "--cafile", str(broker.pki.certificate), "-q",
                           "1", "-V", "5", "-D", "publish", "content-type", "text/csv", "-t", f"{ROOT}/pump-1/learn", "-l"],
                          input=lines, capture_output=True, timeout=60, check=False,
                          env={"HOME": str(home(broker, "pump-1", password))})
    assert done.returncode == 0, done.stderr
    wait_until(lambda: habitd.learned("pump-1") >= 500, "all are learned", 20)


BAD = {
    "wrong name": lambda pki, folder: pki.sign("bad", alternatives="DNS:other.test,IP:127.0.0.2"),
    "expired": lambda pki, folder: pki.sign("bad", days=-1),
    "another CA": lambda pki, folder: Pki(folder / "other", "other").sign("bad"),
    "self-signed": lambda pki, folder: (lambda own: (own.certificate, own.key))(Pki(folder / "self", "localhost")),
    "not for servers": lambda pki, folder: pki.sign("bad", usage="clientAuth"),
}


@pytest.mark.parametrize("name", BAD)
def test_verified_at_each_connect(house, broker, tmp_path, name):
    """First with a good certificate; then, when it must come back, with a bad one; and then it is good again."""
    good = tmp_path / "good.pem", tmp_path / "good.key"
    shutil.copy(broker.certificate, good[0])
    shutil.copy(broker.key, good[1])
    habitd = house.habitd(broker, mqtt=keys(broker))
    before = habitd.metrics().get("habit_mqtt_reconnects_total", 0)
    broker.stop()
    broker.use(*BAD[name](broker.pki, tmp_path))
    broker.start()
    connects = len(re.findall("New connection from", broker.log()))
    wait_until(lambda: len(re.findall("New connection from", broker.log())) >= connects + 3, "it tries three times", 25)
    assert not habitd.connected() and habitd.metrics().get("habit_mqtt_reconnects_total", 0) == before
    assert habitd.get("/readyz").status_code == 200 and "broker" in habitd.get("/readyz").text
    broker.stop()
    broker.use(*good)
    broker.start()
    habitd.wait_connected(40)


def test_wrong_ca_from_the_start(house, broker, tmp_path):
    other = Pki(tmp_path / "other", "other")
    habitd = house.habitd(broker, start=False, mqtt=keys(broker, other.certificate))
    habitd.start()
    wait_until(lambda: len(re.findall("New connection from", broker.log())) >= 2, "it tries twice", 20)
    assert not habitd.connected()
    missing = house.habitd(broker, start=False, mqtt=keys(broker, tmp_path / "nowhere.pem"))
    missing.start()
    wait_until(lambda: "[mqtt] ca, certificate or key cannot be read" in missing.log(), "says why")


def test_certificate_for_the_broker(house, broker):
    broker.stop()
    broker.extra = f"cafile {broker.pki.certificate}\nrequire_certificate true\n"
    broker.start()
    certificate, key = broker.pki.sign("gateway", usage="clientAuth")
    without = house.habitd(broker, start=False, mqtt=keys(broker))
    without.start()
    with_one = house.habitd(broker, mqtt=keys(broker) + f"certificate = {certificate}\nkey = {key}\n")
    assert with_one.connected() and not without.connected()


# --------------------------------------------------------------------------------------------------------- users, rights

def test_a_node_writes_its_own_topics_only(house, broker):
    habitd = house.habitd(broker, mqtt=keys(broker) + "commands = yes\n")
    passwords = {}
    for machine in ("pump-1", "pump-2"):
        habitd.put_machine(machine, **SIZE)
        passwords[machine] = password_of(node(broker, "add", machine, "--gateway", "gw").stdout)
    broker.reload()
    seen = []

    def refusals():
        return len(re.findall(r"Denied PUBLISH", broker.log()))

    for user, other in (("pump-1", "pump-2"), ("pump-2", "pump-1")):
        before = refusals()
        topics = [f"{other}/buffer", f"{other}/detect", f"{other}/context", f"{other}/learn", f"{user}/learn", f"{user}/cmd/initialize",
                  f"{other}/cmd/initialize", f"{user}/state", f"{user}/anomaly", "status", "info", f"{other}/report/daily"]
        for topic in topics:
            assert send(broker, user, passwords[user], f"{ROOT}/{topic}") != 0 or refusals() > before, topic
            seen.append((user, topic))
        assert send(broker, user, passwords[user], "homeassistant/device/x/config") != 0 or refusals() > before
        assert refusals() - before == len(topics) + 1
    assert len(seen) == 24
    time.sleep(0.5)
    assert all(habitd.machine(m)["last_seen"] is None for m in passwords)  # none arrived
    for user, password in passwords.items():
        assert send(broker, user, password, f"{ROOT}/{user}/buffer") == 0
        wait_until(lambda: habitd.machine(user)["last_seen"], f"the buffer of {user} arrives")
    assert send(broker, "pump-1", "wrong", f"{ROOT}/pump-1/buffer") != 0
    assert send(broker, "nobody", "", f"{ROOT}/pump-1/buffer") != 0


def test_removed_nodes_are_out(house, broker):
    password = password_of(node(broker, "add", "pump-1", "--gateway", "gw").stdout)
    node(broker, "add", "pump-10", "--gateway", "gw", "--machine", "a", "--machine", "b", "--learn")
    again = node(broker, "add", "pump-1", "--gateway", "gw", check=False)
    assert again.returncode == 1 and "already" in again.stderr
    broker.reload()
    assert send(broker, "pump-1", password, f"{ROOT}/pump-1/buffer") == 0
    node(broker, "remove", "pump-1")
    assert "user pump-10\n" in broker.acl.read_text() and "user pump-1\n" not in broker.acl.read_text()
    assert [line.split(":")[0] for line in broker.passwords.read_text().split()] == ["habitd", "pump-10"]
    broker.reload()
    assert send(broker, "pump-1", password, f"{ROOT}/pump-1/buffer") != 0
    assert password not in broker.passwords.read_text()
    assert broker.acl.stat().st_mode & 0o007 == 0 and broker.passwords.stat().st_mode & 0o007 == 0
    assert (broker.folder / "gateway.password").stat().st_mode & 0o007 == 0


def test_node_options(broker):
    for wrong in (["add", "x"], ["add", "a/b", "--gateway", "gw"], ["add", "x", "--gateway", "g_w"], ["drop", "x"],
                  ["add", "x", "--gateway", "gw", "--role", "reader", "--learn"], ["add", "x", "--gateway", "gw", "--commands"],
                  ["add", "x", "--gateway", "gw", "--read", "a\nuser root"], ["add", "x", "--gateway", "gw", "--machine", "+"]):
        assert node(broker, *wrong, check=False).returncode == 2, wrong
    assert "user x\n" not in broker.acl.read_text()


def test_the_sketch_has_the_ca_that_is_named(broker, tmp_path):
    made = node(broker, "add", "pump-1", "--gateway", "gw", "--ca", broker.pki.certificate)
    assert broker.pki.certificate.read_text() in made.stdout and str(broker.pki.certificate) in made.stderr
    before = broker.acl.read_text(), broker.passwords.read_text()
    for wrong in (tmp_path / "none", broker.key):
        refused = node(broker, "add", "pump-2", "--gateway", "gw", "--ca", wrong, check=False)
        assert refused.returncode == 1 and str(wrong) in refused.stderr and refused.stdout == ""
    assert (broker.acl.read_text(), broker.passwords.read_text()) == before


def test_simulate_says_that_tls_is_wanted(broker, tmp_path):
    """And soon: it does not wait for what cannot come."""
    secret = tmp_path / "password"
    node(broker, "add", "pump-1", "--gateway", "gw", "--password-file", secret)
    broker.reload()
    words = ("simulate", "--machine", "pump-1", "--buffers", 1, "--root", "habit/v1/gw", "--mqtt", f"localhost:{broker.port}", "--username",
             "pump-1", "--password-file", secret)
    habit(*words, "--ca", broker.pki.certificate)
    other = Pki(tmp_path / "other").certificate
    for more, named in (((), "wants --ca FILE"), (("--ca", other), "--ca must be the CA")):
        began = time.monotonic()
        refused = habit(*words, *more, check=False)
        assert refused.returncode == 1 and named in refused.stderr and time.monotonic() - began < 15, refused.stderr


def test_nobody_inherits_what_a_removed_node_might(broker):
    """A topic belongs to the user above it, also behind a blank line or a comment."""
    broker.acl.write_text("user zora\ntopic read weather/#\n\n"
                          "user pump-1\ntopic write a/#\n\n# by hand\n  topic readwrite b/#\n\npattern read c/%u\n\nuser yan\ntopic read d\n")
    node(broker, "remove", "pump-1")
    assert broker.acl.read_text() == ("user zora\ntopic read weather/#\n\n# by hand\npattern read c/%u\n\nuser yan\ntopic read d\n")


def test_a_password_that_cannot_be_written_makes_no_node(broker, tmp_path):
    before = broker.acl.read_text(), broker.passwords.read_text()
    refused = node(broker, "add", "pump-1", "--gateway", "gw", "--password-file", tmp_path / "missing" / "password", check=False)
    assert refused.returncode == 1 and "missing/password" in refused.stderr
    assert (broker.acl.read_text(), broker.passwords.read_text()) == before


def test_what_stands_around_stays(broker):
    before = "# mine\nuser zora\ntopic read weather/#\n\npattern read $SYS/#\n"
    broker.acl.write_text(before)
    node(broker, "add", "pump-1", "--gateway", "gw")
    node(broker, "remove", "pump-1")
    assert broker.acl.read_text() == before


def test_commands_are_recorded(house, broker):
    habitd = house.habitd(broker, mqtt=keys(broker) + "commands = yes\n")
    habitd.put_machine("pump-1", **SIZE)
    password = node(broker, "add", "desk", "--gateway", "gw", "--role", "reader", "--commands").stdout.strip()
    broker.reload()
    assert send(broker, "desk", password, f"{ROOT}/pump-1/cmd/sensitivity", b'{"sensitivity": 1.5}') == 0
    wait_until(lambda: habitd.machine("pump-1")["settings"]["sensitivity"] == 1.5, "the command is done")
    row = wait_until(lambda: next((r for r in habitd.json("/v1/audit")["audit"] if r["door"] == "mqtt" and r["outcome"]), None),
                     "its record")
    assert (row["actor"], row["action"], row["machine"], row["outcome"]) == ("mqtt", "cmd/sensitivity", "pump-1", 200)
    assert "1.5" in row["detail"]

