"""The real habitd, habit and mosquitto as things that tests start, stop, kill and talk to."""
import array
import contextlib
import getpass
import json
import os
import pathlib
import queue
import re
import signal
import socket
import subprocess
import time

import paho.mqtt.client as paho
import requests
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

import openapi
import unit

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HABIT_BUILD", REPOSITORY / "build"))
HABITD = BUILD / "daemon" / "habitd"
HABIT = BUILD / "cli" / "habit"
MOSQUITTO = "/usr/sbin/mosquitto"
UNIT = os.environ.get("HABIT_UNIT")  # see unit.py
DATA = pathlib.Path(os.environ.get("HABIT_DATA", REPOSITORY.parent / "shared" / "data"))
GATEWAY = "gw"
ROOT = f"habit/v1/{GATEWAY}"
RAW = {"Content-Type": "application/octet-stream"}
JSON = {"Content-Type": "application/json"}
CSV = {"Content-Type": "text/csv"}


# ------------------------------------------------------------------------------------------------------------ waiting

def wait_until(check, what, seconds=20):
    """Polls until check() gives something true, and returns that."""
    deadline = time.monotonic() + seconds
    while True:
        result = check()
        if result:
            return result
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def free_port():
    """A port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---------------------------------------------------------------------------------------------------------- processes

class Process:
    """A program with its log in a file."""

    def __init__(self, name, folder):
        self.name = name
        self.folder = folder
        self.log_file = folder / "log"
        self.child = None
        folder.mkdir()

    environment = {}  # beside the plain one

    def spawn(self, arguments):
        with open(self.log_file, "ab") as log:
            self.child = subprocess.Popen([str(a) for a in arguments], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                          cwd=self.folder, env={**clean_environment(), **self.environment})

    def running(self):
        return self.child is not None and self.child.poll() is None

    def condition(self):
        return "running" if self.running() else f"ended with {self.child.returncode if self.child else 'no start'}"

    def log(self):
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def kill(self):
        """SIGKILL: nothing is saved, nothing is said."""
        if self.running():
            self.child.send_signal(signal.SIGKILL)
        if self.child is not None:
            self.child.wait(10)

    def leave(self):
        """Ends at once; where coverage is measured in order, since only then it is written."""
        if os.environ.get("HABIT_COVERAGE") and self.running():
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(15)
            except subprocess.TimeoutExpired:
                pass
        self.kill()

    def terminate(self, seconds=5):
        """SIGTERM, and the end within so many seconds. Returns the exit status and how long it took."""
        began = time.monotonic()
        self.child.send_signal(signal.SIGTERM)
        status = self.child.wait(seconds)
        return status, time.monotonic() - began


def clean_environment():
    """Nothing of the developer's own settings reaches the programs."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HABIT_")}
    for name in ("JOURNAL_STREAM", "STATE_DIRECTORY", "NOTIFY_SOCKET", "TZ"):
        kept.pop(name, None)
    kept["LC_ALL"] = "C"
    return kept


class Broker(Process):
    """A mosquitto with a port, a configuration and a persistent store of its own."""

    def __init__(self, folder):
        super().__init__("mosquitto", folder)
        self.port = free_port()
        self.store = folder / "store"
        self.store.mkdir()

    def configure(self):
        (self.folder / "mosquitto.conf").write_text(
            f"listener {self.port} 127.0.0.1\n"
            "allow_anonymous true\n"
            f"user {getpass.getuser()}\n"
            "persistence true\n"
            f"persistence_location {self.store}/\n"
            "max_queued_messages 0\n")

    def start(self):
        """Starts, and waits until it accepts connections."""
        self.configure()
        self.spawn([MOSQUITTO, "-c", self.folder / "mosquitto.conf"])
        wait_until(self.answers, "mosquitto answers", 10)
        return self

    def answers(self):
        assert self.running(), f"mosquitto ended: {self.log()}"
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def reload(self):
        """Reads users and rights anew; whoever connects then meets them."""
        before = self.log().count("Reloading config")
        self.child.send_signal(signal.SIGHUP)
        wait_until(lambda: self.log().count("Reloading config") > before, "mosquitto reloads")

    def stop(self):
        """Ends in order: the sessions are saved."""
        self.terminate(10)

    def forget(self):
        """Loses all sessions, as a broker without persistence does when it restarts."""
        for file in self.store.iterdir():
            file.unlink()


class Stall:
    """One call of a habitd that is started with its environment does not come back: while the name is in the file."""

    def __init__(self, folder):
        self.file = folder / "stall"
        self.environment = {"LD_PRELOAD": str(BUILD / "tests" / "system" / "libstall.so"), "STALL_FILE": str(self.file),
                            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}

    def begin(self, call):
        self.file.write_text(call)

    def end(self):
        self.file.unlink()

    @contextlib.contextmanager
    def commits(self):
        """As on a slow disk: nothing is written before the end of the block, however long that takes."""
        self.begin("pwrite64")
        try:
            yield
        finally:
            self.end()


class Habitd(Process):
    """A habitd with a configuration and a store of its own."""

    def __init__(self, folder, broker=None, sections="", **keys):
        super().__init__("habitd", folder)
        self.store = folder / "habit.db"
        self.conf = folder / "habitd.conf"
        self.url = None
        self.session = requests.Session()
        self.session.hooks["response"].append(lambda answer, **_: openapi.check_answer(answer, self.url, BUILD, self.session))
        self.conf.write_text(configuration(self.store, broker, sections, **keys))

    def spawn(self, arguments):
        if not UNIT:
            return super().spawn(arguments)
        self.child = unit.Service(UNIT, arguments, self.folder, self.log_file, {"LC_ALL": "C", **self.environment})

    def start(self, seconds=10):
        """Starts, and waits until readyz answers."""
        before = len(self.log())
        self.spawn([HABITD, "--config", self.conf])
        wait_until(lambda: self.answers(before), "habitd is ready", seconds)
        return self

    def answers(self, before):
        log = self.log()[before:]
        assert self.running(), f"habitd ended: {log}"
        found = re.search(r"answers on (https?://\S+)", log)
        if not found:
            return False
        self.url = found.group(1).replace("//0.0.0.0:", "//127.0.0.1:")
        try:
            return self.session.get(self.url + "/readyz", timeout=2).status_code == 200
        except requests.ConnectionError:
            return False

    def restart(self):
        """Ends in order and starts again."""
        status, _ = self.terminate()
        assert status == 0, f"habitd ended with {status}"
        return self.start()

    def crash(self):
        """SIGKILL and a new start."""
        self.kill()
        return self.start()

    # --- requests

    def request(self, method, path, **more):
        return self.session.request(method, self.url + path, timeout=20, **more)

    def get(self, path, **more):
        return self.request("GET", path, **more)

    def json(self, path, **more):
        """The document at a path, which must be there."""
        answer = self.get(path, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def put_machine(self, machine, **settings):
        """Makes a machine or replaces its settings."""
        answer = self.request("PUT", f"/v1/machines/{machine}", json=settings)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()

    def patch(self, machine, **settings):
        answer = self.request("PATCH", f"/v1/machines/{machine}", json=settings)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, machine, verb):
        """commission or initialize."""
        answer = self.request("POST", f"/v1/machines/{machine}/{verb}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def machine(self, machine):
        return self.json(f"/v1/machines/{machine}")

    def learned(self, machine):
        return self.machine(machine)["learned"]

    def knowledge(self, machine):
        answer = self.get(f"/v1/machines/{machine}/knowledge")
        assert answer.status_code == 200, answer.text
        return answer.content

    def post(self, machine, verb, buffer, **parameters):
        """One raw buffer; returns the verdict."""
        answer = self.request("POST", f"/v1/machines/{machine}/{verb}", data=buffer, headers=RAW, params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def post_all(self, machine, verb, buffers):
        return [self.post(machine, verb, buffer) for buffer in buffers]

    def anomalies(self, **parameters):
        return self.json("/v1/anomalies", params=parameters)["anomalies"]

    def metrics(self):
        """Name with labels to value."""
        lines = self.get("/metrics").text.splitlines()
        return {name: float(value) for name, value in (l.rsplit(" ", 1) for l in lines if l and l[0] != "#")}

    def refusals(self):
        """How many were refused or dropped, by reason."""
        found = [(re.fullmatch(r'habit_buffers_rejected_total\{reason="(.+)"\}', name), value)
                 for name, value in self.metrics().items()]
        return {match.group(1): int(value) for match, value in found if match}

    def connected(self):
        return self.metrics().get("habit_mqtt_connected") == 1

    def wait_connected(self, seconds=30):
        """Until the broker has taken habitd's connection and subscriptions."""
        wait_until(self.connected, "habitd is connected to the broker", seconds)
        return self


def configuration(store, broker=None, sections="", gateway="", mqtt="", flush="300ms"):
    """Text of a configuration file; broker: a Broker, or None for a gateway without one."""
    host = "127.0.0.1" if broker else ""
    port = broker.port if broker else 1883
    return (f"[gateway]\nid = {GATEWAY}\ntimezone = UTC\n{gateway}\n"
            "[http]\nport = 0\n\n"
            f"[mqtt]\nhost = {host}\nport = {port}\n{mqtt}\n"
            f"[store]\npath = {store}\nflush = {flush}\n\n"
            f"{sections}\n")


class House:
    """Everything that a test starts. All of it ends with the test."""

    def __init__(self, folder):
        self.folder = folder
        self.processes = []
        self.clients = []

    def _add(self, process):
        self.processes.append(process)
        return process

    def _place(self, name):
        return self.folder / f"{name}-{len(self.processes) + 1}"

    def broker(self):
        """A running broker."""
        for _ in range(3):  # another test may have taken the port meanwhile
            broker = self._add(Broker(self._place("mosquitto")))
            try:
                return broker.start()
            except AssertionError:
                broker.kill()
        raise AssertionError(f"no broker starts: {broker.log()}")

    def habitd(self, broker=None, start=True, environment=None, **keys):
        """A running habitd, connected where there is a running broker."""
        habitd = self._add(Habitd(self._place("habitd"), broker, **keys))
        habitd.environment = environment or {}
        if start:
            habitd.start()
            if broker and broker.running():
                habitd.wait_connected()
        return habitd

    def client(self, broker, **keys):
        """A connected MQTT client."""
        client = Client(broker, **keys)
        self.clients.append(client)
        return client

    def close(self):
        for client in self.clients:
            client.close()
        for process in reversed(self.processes):
            process.leave()

    def logs(self):
        return [(f"log of {p.folder.name} ({p.condition()})", p.log()) for p in self.processes]


# --------------------------------------------------------------------------------------------------------------- MQTT

class Client:
    """A client of the broker; collects what comes."""

    def __init__(self, broker, subscribe=(), name="", persistent=False):
        self.messages = queue.Queue()
        self.seen = []
        self.subscribed = queue.Queue()
        self.paho = paho.Client(name, protocol=paho.MQTTv5)
        self.paho.max_inflight_messages_set(100)
        self.paho.on_message = lambda _client, _user, message: self.messages.put(message)
        self.paho.on_subscribe = lambda *_: self.subscribed.put(True)
        self.connect(broker, persistent)
        for topic in subscribe:
            self.paho.subscribe(topic, qos=1)
            self.subscribed.get(timeout=10)

    def connect(self, broker, persistent):
        connected = queue.Queue()
        properties = Properties(PacketTypes.CONNECT)
        if persistent:
            properties.SessionExpiryInterval = 3600
        self.paho.on_connect = lambda _client, _user, _flags, reason, _properties: connected.put(reason)
        self.paho.connect("127.0.0.1", broker.port, keepalive=30, clean_start=not persistent, properties=properties)
        self.paho.loop_start()
        assert connected.get(timeout=10) == 0

    def close(self):
        self.paho.disconnect()
        self.paho.loop_stop()

    def publish(self, topic, payload, retain=False, content_type=None, wait=True, **user):
        """QoS 1; waits until the broker has it, unless told otherwise."""
        properties = Properties(PacketTypes.PUBLISH)
        if content_type:
            properties.ContentType = content_type
        if user:
            properties.UserProperty = [(name, str(value)) for name, value in user.items()]
        info = self.paho.publish(topic, payload, qos=1, retain=retain, properties=properties)
        if wait:
            wait_published([info])
        return info

    def publish_all(self, topic, payloads, **more):
        wait_published([self.publish(topic, payload, wait=False, **more) for payload in payloads])

    def take(self):
        """Moves what has come to self.seen, which it returns."""
        while not self.messages.empty():
            self.seen.append(self.messages.get())
        return self.seen

    def texts(self, topic):
        """Payloads so far of one topic."""
        return [message.payload.decode() for message in self.take() if message.topic == topic]

    def documents(self, topic):
        return [json.loads(text) for text in self.texts(topic)]

    def wait_text(self, topic, text, seconds=20):
        """Until the latest payload of a topic is this."""
        wait_until(lambda: self.texts(topic)[-1:] == [text], f"{text} on {topic}", seconds)

    def wait_document(self, topic, check, what, seconds=20):
        """The first document of a topic that check likes."""
        return wait_until(lambda: next((d for d in self.documents(topic) if check(d)), None), f"{what} on {topic}", seconds)


def wait_published(infos):
    for info in infos:
        info.wait_for_publish(30)
        assert info.is_published(), "the broker has not acknowledged a message"


def retained(house, broker, topic):
    """The retained message of a topic as text, None if there is none."""
    client = house.client(broker, subscribe=[topic])
    marker = f"marker/{topic}"
    client.paho.subscribe(marker, qos=1)
    client.subscribed.get(timeout=10)
    client.publish(marker, "end")  # comes behind what was retained
    wait_until(lambda: client.texts(marker), "the marker")
    found = [m for m in client.take() if m.topic == topic and m.retain]
    client.close()
    return found[-1].payload.decode() if found else None


# --------------------------------------------------------------------------------------------------------------- data

def floats(values):
    """Little-endian float32."""
    return array.array("f", values).tobytes()


def numbers(buffer):
    return array.array("f", buffer).tolist()


def split(data, size):
    assert len(data) % size == 0
    return [data[at:at + size] for at in range(0, len(data), size)]


def habit(*arguments, url=None, check=True):
    """Runs the command line tool."""
    environment = clean_environment()
    if url:
        environment["HABIT_URL"] = url
    done = subprocess.run([str(HABIT), *map(str, arguments)], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, env=environment, check=False)
    assert not check or done.returncode == 0, f"habit {arguments}: {done.returncode}: {done.stdout}{done.stderr}"
    return done


def simulate(folder, buffers, buffer_size=64, axes=1, seed=1, fault=None):
    """Buffers of one simulated machine, its character given by the seed; faulty from the first where a fault is named."""
    file = folder / f"simulated-{buffer_size}-{axes}-{seed}-{buffers}-{fault}.f32"
    more = ["--fault", fault] if fault else []
    habit("simulate", "--buffers", buffers, "--buffer-size", buffer_size, "--axes", axes, "--seed", seed,
          "--output", file, *more)
    return split(file.read_bytes(), 4 * buffer_size * axes)


def recording(name, file):
    """Buffers of a recorded machine, or None where the data are not there."""
    path = DATA / name / f"{file}.f32"
    if not path.exists():
        return None
    meta = json.loads((DATA / name / "meta.json").read_text())
    return split(path.read_bytes(), 4 * meta["buffer_size"] * meta["axes"])
