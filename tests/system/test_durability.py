"""What was acknowledged is there after a crash, nothing is there twice, and a restart goes on where it was."""
import sqlite3
import threading
import time

import pytest
import requests

from support import RAW, ROOT, floats, numbers, retained, simulate, wait_until

SIZE = {"buffer_size": 64, "axes": 1, "false_alarms": "off"}  # the first window below raises
CRASHES = 3


def learning_machine(habitd, machine="pump-1", **settings):
    """A machine that learns on and on."""
    habitd.put_machine(machine, **{**SIZE, "learn": 100000, **settings})
    habitd.act(machine, "commission")


def watching_machine(habitd, buffers, machine="pump-1", **settings):
    """A machine that has learned these buffers and watches."""
    habitd.put_machine(machine, **{**SIZE, "learn": len(buffers), **settings})
    habitd.act(machine, "commission")
    habitd.post_all(machine, "buffers", buffers)
    assert habitd.machine(machine)["phase"] == "watching"


@pytest.fixture
def nominal(tmp_path):
    return simulate(tmp_path, 160, seed=3)


@pytest.fixture
def faulty(tmp_path):
    return simulate(tmp_path, 30, seed=3, fault="looseness")


# -------------------------------------------------------------------------------------------------- SIGKILL, over HTTP

class Sender(threading.Thread):
    """One client that learns buffers over HTTP until it is told to stop or has sent enough."""

    def __init__(self, habitd, name, buffers, numbered):
        super().__init__(daemon=True)
        self.habitd, self.name, self.buffers, self.numbered = habitd, name, buffers, numbered
        self.acknowledged = self.duplicates = 0
        self.stopping = threading.Event()
        self.error = None

    def run(self):
        try:
            seq = 0
            while not self.stopping.is_set():
                self.send(seq)
                seq += 1
        except Exception as error:  # told to the test, which fails
            self.error = error

    def send(self, seq):
        """A numbered buffer is sent until it is acknowledged, another one once."""
        while not self.try_once(seq):
            if not self.numbered:
                return
            self.stopping.wait(0.02)

    def try_once(self, seq):
        parameters = {"source": self.name, "boot": "b", "seq": seq} if self.numbered else {}
        try:
            answer = requests.post(self.habitd.url + "/v1/machines/pump-1/learn", data=self.buffers[seq % len(self.buffers)],
                                   headers=RAW, params=parameters, timeout=20)
        except requests.RequestException:
            return False
        assert answer.status_code == 200, answer.text
        self.acknowledged += 1
        self.duplicates += answer.json()["status"] == "duplicate"
        return True


def crash_while_sending(habitd, senders):
    """Kills habitd some times while all of them are at work, then lets them end."""
    for sender in senders:
        sender.start()
    for _ in range(CRASHES):
        before = sum(s.acknowledged for s in senders)
        wait_until(lambda: sum(s.acknowledged for s in senders) >= before + 40, "senders at work")
        habitd.crash()
    before = sum(s.acknowledged for s in senders)
    wait_until(lambda: sum(s.acknowledged for s in senders) >= before + 40, "senders at work again")
    for sender in senders:
        sender.stopping.set()
    for sender in senders:
        sender.join(20)
        assert sender.error is None and not sender.is_alive(), sender.error


def test_killed_while_learning_over_http(habitd, nominal):
    learning_machine(habitd)
    senders = [Sender(habitd, f"s{i}", nominal, numbered=False) for i in range(4)]
    crash_while_sending(habitd, senders)
    acknowledged, learned = sum(s.acknowledged for s in senders), habitd.learned("pump-1")
    # at each crash at most one request of each client was durable and not yet answered
    assert acknowledged <= learned <= acknowledged + CRASHES * len(senders)


def test_killed_while_learning_numbered_over_http(habitd, nominal):
    learning_machine(habitd)
    senders = [Sender(habitd, f"s{i}", nominal, numbered=True) for i in range(4)]
    crash_while_sending(habitd, senders)
    assert habitd.learned("pump-1") == sum(s.acknowledged for s in senders)


def test_answer_precedes_nothing(habitd, nominal):
    """Killed right after one answer, again and again: the answered one is there."""
    learning_machine(habitd)
    for count, buffer in enumerate(nominal[:8], 1):
        assert habitd.post("pump-1", "learn", buffer)["learned"] == count
        habitd.crash()
        assert habitd.learned("pump-1") == count


def test_numbered_buffers_once(habitd, nominal):
    learning_machine(habitd)
    for seq in (1, 2, 3, 5):
        assert habitd.post("pump-1", "learn", nominal[seq], seq=seq, boot="a", source="esp")["status"] == "learned"
    before = habitd.knowledge("pump-1")
    habitd.crash()
    for seq in (1, 2, 3, 5):
        again = habitd.post("pump-1", "learn", nominal[seq], seq=seq, boot="a", source="esp")
        assert again["status"] == "duplicate" and again["duplicate"] is True and "similarity" not in again
    assert habitd.knowledge("pump-1") == before and habitd.learned("pump-1") == 4
    assert habitd.post("pump-1", "learn", nominal[4], seq=4, boot="a", source="esp")["status"] == "learned"
    assert habitd.post("pump-1", "learn", nominal[1], seq=1, boot="b", source="esp")["status"] == "learned"
    assert habitd.post("pump-1", "learn", nominal[1], seq=1, boot="a", source="other")["status"] == "learned"
    assert habitd.post("pump-1", "learn", nominal[1])["status"] == "learned", "without a number nothing is a duplicate"


def test_numbers_behind_the_window_are_duplicates(habitd, nominal):
    learning_machine(habitd)
    habitd.post("pump-1", "learn", nominal[0], seq=1000, boot="a")
    assert habitd.post("pump-1", "learn", nominal[1], seq=745, boot="a")["status"] == "learned"
    assert habitd.post("pump-1", "learn", nominal[1], seq=744, boot="a")["status"] == "duplicate"
    assert habitd.post("pump-1", "learn", nominal[1], seq=0, boot="a")["status"] == "duplicate"


def test_numbered_batch_counts_up(habitd, nominal):
    learning_machine(habitd)
    for _ in range(2):
        habitd.post("pump-1", "learn", b"".join(nominal[:10]), seq=10, boot="a")
    assert habitd.learned("pump-1") == 10
    verdicts = habitd.post("pump-1", "learn", b"".join(nominal[8:12]), seq=18, boot="a")["verdicts"]
    assert [v["status"] for v in verdicts] == ["duplicate", "duplicate", "learned", "learned"]


def test_json_carries_numbers(habitd, nominal):
    learning_machine(habitd)
    body = {"data": numbers(nominal[0]), "seq": 7, "boot": "a1", "source": "esp"}
    answers = [habitd.request("POST", "/v1/machines/pump-1/learn", json=body).json() for _ in range(2)]
    assert [a["status"] for a in answers] == ["learned", "duplicate"]


# ---------------------------------------------------------------------------------------------- a store that cannot commit

class Locked:
    """Somebody else has the database's write lock. habitd waits a second for it, then the commit fails."""

    def __init__(self, habitd):
        self.database = sqlite3.connect(habitd.store, isolation_level=None, timeout=10)

    def __enter__(self):
        self.database.execute("BEGIN IMMEDIATE")
        return self

    def __exit__(self, *_):
        self.database.rollback()
        self.database.close()


def test_store_that_cannot_commit(house, broker, nominal):
    """Learning is refused or held back, judging goes on, readyz says it, and all is well again by itself."""
    habitd = house.habitd(broker)
    watching_machine(habitd, nominal[:60])
    block = habitd.knowledge("pump-1")
    client = house.client(broker)
    with Locked(habitd):
        answer = habitd.request("POST", "/v1/machines/pump-1/learn", data=nominal[60], headers=RAW)
        assert answer.status_code == 503 and answer.headers["Retry-After"]
        assert answer.json()["type"] == "urn:habit:problem:store"
        assert habitd.post("pump-1", "detect", nominal[61])["status"] == "ok"
        ready = habitd.get("/readyz")
        assert ready.status_code == 200 and ready.json()["status"] == "degraded", ready.text
        assert any("store: nothing can be stored (database is locked)" in reason for reason in ready.json()["reasons"])
        assert habitd.knowledge("pump-1") == block, "memory is ahead of the store"
        client.publish(f"{ROOT}/pump-1/learn", nominal[62], seq=62)  # with a number: the crash may come before its acknowledgement
    wait_until(lambda: habitd.learned("pump-1") == 61, "the one over MQTT that was held back", 40)
    assert habitd.post("pump-1", "learn", nominal[63])["learned"] == 62
    wait_until(lambda: habitd.json("/readyz")["status"] == "ready", "ready again")
    assert habitd.crash().learned("pump-1") == 62


def test_daily_ceiling_of_writes(house, nominal):
    """Near it answers to learns come later, readyz and metrics say why, and what is answered is as durable as ever."""
    habitd = house.habitd(flush="1h\ndaily_writes = 1")
    learning_machine(habitd, drift_budget=1000)
    sent = 0
    until = time.monotonic() + 30
    while habitd.json("/readyz")["status"] != "degraded":
        assert time.monotonic() < until, "a tenth of a MiB is written and readyz says nothing"
        if "habit_store_written_bytes_total 0\n" in habitd.get("/metrics").text and sent > 100:
            pytest.skip("this file system is in memory: nothing is written")
        habitd.post("pump-1", "learn", nominal[sent % len(nominal)])
        sent += 1
    ready = habitd.get("/readyz")
    assert ready.status_code == 200 and any("daily_writes" in reason for reason in ready.json()["reasons"])
    assert "habit_store_daily_writes_limit_bytes 1048576\n" in habitd.get("/metrics").text
    for more in range(3):
        assert habitd.post("pump-1", "learn", nominal[(sent + more) % len(nominal)])["status"] == "learned"
    assert habitd.crash().learned("pump-1") == sent + 3


def test_counters_survive_a_restart(habitd, nominal):
    """What the daily report counts, learned or judged, also where learning came last."""
    watching_machine(habitd, nominal[:60])
    habitd.post_all("pump-1", "buffers", nominal[60:70])
    habitd.post_all("pump-1", "learn", nominal[70:75])
    report = habitd.json("/v1/reports/daily", params={"machine": "pump-1"})["reports"][0]
    habitd.restart()
    again = habitd.json("/v1/reports/daily", params={"machine": "pump-1"})["reports"][0]
    assert (again["learned"], again["detected"]) == (report["learned"], report["detected"]) == (65, 10)


# -------------------------------------------------------------------------------------------------- SIGKILL, over MQTT

class Publisher(threading.Thread):
    """Publishes numbered buffers, each once, until it is told to stop."""

    def __init__(self, client, buffers):
        super().__init__(daemon=True)
        self.client, self.buffers = client, buffers
        self.sent = []
        self.stopping = threading.Event()

    def run(self):
        while not self.stopping.is_set():
            self.publish(len(self.sent))
            self.stopping.wait(0.001)

    def publish(self, seq):
        self.sent.append(self.client.publish(f"{ROOT}/pump-1/learn", self.buffers[seq % len(self.buffers)], wait=False,
                                             seq=seq, boot="b", source="esp"))

    def finish(self):
        self.stopping.set()
        self.join(10)
        for info in self.sent:
            info.wait_for_publish(30)
        return len(self.sent)


def test_killed_while_learning_over_mqtt(house, broker, nominal):
    """The broker has each message once; what habitd acknowledged before it was durable would be missing at the end."""
    habitd = house.habitd(broker)
    learning_machine(habitd)
    client = house.client(broker)
    publisher = Publisher(client, nominal)
    publisher.start()
    for _ in range(CRASHES):
        before = habitd.learned("pump-1")
        wait_until(lambda: habitd.learned("pump-1") >= before + 100, "learning goes on")
        habitd.crash()
    sent = publisher.finish()
    wait_until(lambda: habitd.learned("pump-1") >= sent, f"{sent} learned, all that were sent", 60)
    assert habitd.learned("pump-1") == sent
    for seq in range(sent - 50, sent):  # the source sends again what it is not sure of
        publisher.publish(seq)
    marker = floats(range(64))
    client.publish(f"{ROOT}/pump-1/learn", marker)  # unnumbered, behind them
    wait_until(lambda: habitd.learned("pump-1") == sent + 1, "the buffer behind the repeated ones")
    assert habitd.metrics()['habit_buffers_duplicate_total{machine="pump-1"}'] >= 50


# ------------------------------------------------------------------------------------------------------------- SIGTERM

def figures(verdict):
    return {key: verdict.get(key) for key in ("status", "similarity", "distance", "average", "phase", "explanation")}


def raised_after(verdicts):
    """How many buffers it took to raise; None if none did."""
    return next((count for count, v in enumerate(verdicts, 1) if v["anomaly"] is not None), None)


@pytest.mark.parametrize("end", ["restart", "crash"])
def test_restart_goes_on_where_it_was(house, nominal, faulty, end):
    """A twin that is never restarted gives the same answers to the same buffers."""
    twins = [house.habitd(), house.habitd()]
    for habitd in twins:
        watching_machine(habitd, nominal[:60])
        habitd.request("PUT", "/v1/machines/pump-1/sensitivity", json={"sensitivity": 1.3})
        habitd.post_all("pump-1", "buffers", nominal[60:67])
    restarted = twins[0]
    before = restarted.machine("pump-1")
    etag, block = restarted.get("/v1/machines/pump-1/knowledge").headers["ETag"], restarted.knowledge("pump-1")
    if end == "restart":
        restarted.restart()
    else:
        wait_flushed(restarted)
        restarted.crash()
    after = restarted.get("/v1/machines/pump-1/knowledge")
    assert after.headers["ETag"] == etag and after.content == block
    now = restarted.machine("pump-1")
    for key in ("phase", "phase_since", "learned", "settled", "sensitivity", "settings", "origin", "created", "last_seen"):
        assert now[key] == before[key], key
    answers = [habitd.post_all("pump-1", "buffers", nominal[67:72] + faulty) for habitd in twins]
    assert [figures(v) for v in answers[0]] == [figures(v) for v in answers[1]]
    assert raised_after(answers[0]) == raised_after(answers[1]) is not None


def wait_flushed(habitd):
    """Until what was judged before is in the store: a second flush has surely begun after it."""
    habitd.put_machine("other", **SIZE)
    for _ in range(2):
        commits = habitd.metrics()["habit_store_commits_total"]
        habitd.post("other", "buffers", bytes(4 * 64))  # something to flush
        wait_until(lambda: habitd.metrics()["habit_store_commits_total"] > commits, "a flush")


@pytest.mark.parametrize("end", ["restart", "crash"])
def test_open_anomaly_survives(house, broker, nominal, faulty, end):
    habitd = house.habitd(broker)
    client = house.client(broker, subscribe=[f"{ROOT}/+/anomaly"])
    watching_machine(habitd, nominal[:60])
    verdicts = habitd.post_all("pump-1", "buffers", nominal[60:70] + faulty)
    number = verdicts[-1]["anomaly"]
    assert number is not None
    getattr(habitd, end)()
    assert habitd.machine("pump-1")["anomaly"] == number
    anomaly = habitd.json(f"/v1/anomalies/{number}")
    assert anomaly["open"] and anomaly["machine"] == "pump-1" and anomaly["explanation"]
    if end == "restart":
        verdicts = habitd.post_all("pump-1", "buffers", nominal[70:100])
        assert verdicts[0]["anomaly"] == number, "the window was not empty: one nominal buffer clears nothing"
        assert verdicts[-1]["anomaly"] is None
    else:
        habitd.post_all("pump-1", "buffers", nominal[70:100])
    assert not habitd.json(f"/v1/anomalies/{number}")["open"]
    habitd.wait_connected()
    wait_until(lambda: any(e["event"] == "cleared" for e in client.documents(f"{ROOT}/pump-1/anomaly")), "cleared")
    events = [(e["event"], e["id"]) for e in client.documents(f"{ROOT}/pump-1/anomaly") if e["event"] != "worsened"]
    assert events == [("raised", number), ("cleared", number)], "raised once, cleared once, the same anomaly"


def test_next_anomaly_has_another_number(habitd, nominal, faulty):
    watching_machine(habitd, nominal[:60])
    first = habitd.post_all("pump-1", "buffers", nominal[60:70] + faulty)[-1]["anomaly"]
    habitd.post_all("pump-1", "buffers", nominal[70:100])
    habitd.restart()
    second = habitd.post_all("pump-1", "buffers", faulty)[-1]["anomaly"]
    assert None not in (first, second) and second > first
    assert [a["id"] for a in habitd.anomalies()] == [second, first]


def test_learning_continues_after_restart(habitd, nominal):
    """learn = 60 means 60 in all, wherever habitd ended in between; the bytes are as without the restart."""
    for machine in ("pump-1", "twin"):
        habitd.put_machine(machine, **SIZE, learn=60)
        habitd.act(machine, "commission")
    habitd.post_all("twin", "buffers", nominal[:60])
    habitd.post_all("pump-1", "buffers", nominal[:25])
    habitd.restart()
    assert habitd.machine("pump-1")["phase"] == "learning"
    habitd.post_all("pump-1", "buffers", nominal[25:40])
    habitd.crash()
    verdicts = habitd.post_all("pump-1", "buffers", nominal[40:60])
    assert [v["phase"] for v in verdicts] == ["learning"] * 19 + ["watching"]
    assert habitd.knowledge("pump-1") == habitd.knowledge("twin")


def test_stops_in_order(house, broker, nominal):
    client = house.client(broker, subscribe=[f"{ROOT}/status"])
    habitd = house.habitd(broker)
    client.wait_text(f"{ROOT}/status", "online")
    learning_machine(habitd)
    habitd.post_all("pump-1", "learn", nominal[:10])
    status, seconds = habitd.terminate(10)
    assert status == 0 and seconds < 5
    client.wait_text(f"{ROOT}/status", "offline")
    assert retained(house, broker, f"{ROOT}/status") == "offline"
    assert "closed its connection" not in broker.log().split("as habit-gw")[-1], "it left without saying goodbye"
    assert habitd.start().learned("pump-1") == 10


def test_stops_in_order_under_load(house, broker, nominal):
    """SIGTERM while buffers stream in: nothing is lost, nothing comes twice, the end comes in time."""
    habitd = house.habitd(broker)
    learning_machine(habitd)
    publisher = Publisher(house.client(broker), nominal)
    publisher.start()
    wait_until(lambda: habitd.learned("pump-1") >= 100, "learning under way")
    status, seconds = habitd.terminate(10)
    assert status == 0 and seconds < 5
    habitd.start()
    sent = publisher.finish()
    wait_until(lambda: habitd.learned("pump-1") >= sent, f"{sent} learned", 60)
    assert habitd.learned("pump-1") == sent


def test_stops_while_http_waits(house, nominal):
    """Requests under way when SIGTERM comes are answered or refused; answered ones are durable."""
    habitd = house.habitd()
    learning_machine(habitd)
    senders = [Sender(habitd, f"s{i}", nominal, numbered=False) for i in range(4)]
    for sender in senders:
        sender.start()
    wait_until(lambda: sum(s.acknowledged for s in senders) >= 100, "senders at work")
    status, seconds = habitd.terminate(10)
    for sender in senders:
        sender.stopping.set()
        sender.join(20)
        assert sender.error is None
    assert status == 0 and seconds < 5
    acknowledged = sum(s.acknowledged for s in senders)
    assert acknowledged <= habitd.start().learned("pump-1") <= acknowledged + len(senders)


def test_will_speaks_for_the_dead(house, broker):
    client = house.client(broker, subscribe=[f"{ROOT}/status"])
    habitd = house.habitd(broker)
    client.wait_text(f"{ROOT}/status", "online")
    habitd.kill()
    client.wait_text(f"{ROOT}/status", "offline")
    assert retained(house, broker, f"{ROOT}/status") == "offline"
    habitd.start().wait_connected()
    client.wait_text(f"{ROOT}/status", "online")


# ---------------------------------------------------------------------------------------------------------- the broker

def listener(house, broker, name="listener"):
    """A client whose session the broker keeps, so that it misses nothing."""
    return house.client(broker, subscribe=[f"{ROOT}/+/anomaly"], name=name, persistent=True)


def test_without_a_broker(house, nominal, faulty):
    """Starts and works without one; what was raised meanwhile arrives once when one appears."""
    broker = house.broker()
    listener(house, broker).close()
    broker.stop()
    habitd = house.habitd(broker)
    assert habitd.json("/readyz")["status"] == "degraded" and not habitd.connected()
    watching_machine(habitd, nominal[:60])
    number = habitd.post_all("pump-1", "buffers", nominal[60:70] + faulty)[-1]["anomaly"]
    habitd.post_all("pump-1", "buffers", nominal[70:100])
    habitd.restart()  # the outbox outlives it

    broker.start()
    habitd.wait_connected()
    assert habitd.json("/readyz")["status"] == "ready"
    client = listener(house, broker)
    topic = f"{ROOT}/pump-1/anomaly"
    wait_until(lambda: any(e["event"] == "cleared" for e in client.documents(topic)), "the anomaly arrives")
    habitd.restart().wait_connected()
    client.publish(topic, '{"event":"end"}')  # behind whatever would come again
    wait_until(lambda: client.documents(topic)[-1]["event"] == "end", "the end")
    events = [(e["event"], e.get("id")) for e in client.documents(topic) if e["event"] in ("raised", "cleared")]
    assert events == [("raised", number), ("cleared", number)]


def test_broker_restarts(house, broker, nominal):
    habitd = house.habitd(broker)
    learning_machine(habitd)
    house.client(broker).publish(f"{ROOT}/pump-1/learn", nominal[0])
    wait_until(lambda: habitd.learned("pump-1") == 1, "the first")
    broker.stop()
    wait_until(lambda: not habitd.connected(), "habitd notices")
    habitd.post("pump-1", "learn", nominal[1])  # HTTP goes on
    broker.start()
    habitd.wait_connected()
    house.client(broker).publish(f"{ROOT}/pump-1/learn", nominal[2])
    wait_until(lambda: habitd.learned("pump-1") == 3, "the one after the restart")


def test_broker_forgets_everything(house, broker, nominal):
    """A new session: habitd subscribes again and publishes its retained topics anew."""
    habitd = house.habitd(broker)
    learning_machine(habitd)
    habitd.post("pump-1", "learn", nominal[0])
    broker.kill()
    broker.forget()
    broker.start()
    wait_until(lambda: "new session" in habitd.log().split("answers on")[-1].split("connected to broker")[-1]
               and habitd.connected(), "a new session", 30)
    client = house.client(broker, subscribe=[f"{ROOT}/#"])
    client.publish(f"{ROOT}/pump-1/learn", nominal[1])
    wait_until(lambda: habitd.learned("pump-1") == 2, "the one after the new session")
    client.wait_text(f"{ROOT}/status", "online")
    client.wait_document(f"{ROOT}/pump-1/state", lambda d: d["learned"] == 2, "the state")
    client.wait_text(f"{ROOT}/pump-1/availability", "online")
    assert client.documents(f"{ROOT}/info")


@pytest.mark.parametrize("end", ["terminate", "kill"])
def test_messages_wait_while_habitd_is_away(house, broker, nominal, end):
    habitd = house.habitd(broker)
    learning_machine(habitd)
    getattr(habitd, end)()
    client = house.client(broker)
    client.publish_all(f"{ROOT}/pump-1/learn", nominal[:50])
    habitd.start()
    wait_until(lambda: habitd.learned("pump-1") >= 50, "the fifty that waited")
    client.publish(f"{ROOT}/pump-1/learn", nominal[50])
    wait_until(lambda: habitd.learned("pump-1") >= 51, "one more")
    assert habitd.learned("pump-1") == 51


def test_same_order_same_knowledge_over_both_doors(house, broker, nominal):
    habitd = house.habitd(broker)
    for machine in ("http", "mqtt"):
        learning_machine(habitd, machine)
    habitd.post_all("http", "learn", nominal)
    house.client(broker).publish_all(f"{ROOT}/mqtt/learn", nominal)
    wait_until(lambda: habitd.learned("mqtt") == len(nominal), "all over MQTT")
    assert habitd.knowledge("http") == habitd.knowledge("mqtt")
