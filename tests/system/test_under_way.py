"""What is on its way to the disk is told to nobody, however slow the disk is."""
import threading

import pytest
import requests

from support import RAW, ROOT, Stall, wait_until
from test_durability import faulty, learning_machine, nominal, watching_machine  # noqa: F401: two of them are fixtures


@pytest.fixture
def stall(tmp_path):
    return Stall(tmp_path)


@pytest.fixture
def stalling(house, broker, stall):
    """A habitd whose commits the test can hold up."""
    return house.habitd(broker, environment=stall.environment)


class Request(threading.Thread):
    """A POST under way."""

    def __init__(self, habitd, verb, buffer, **parameters):
        super().__init__(daemon=True)
        self.arguments = (f"{habitd.url}/v1/machines/pump-1/{verb}", buffer, parameters)
        self.answer = None
        self.start()

    def run(self):
        url, buffer, parameters = self.arguments
        try:
            self.answer = requests.post(url, data=buffer, headers=RAW, params=parameters, timeout=20)
        except requests.RequestException:
            pass

    def is_held(self, seconds=0.5):
        """No answer for so long."""
        self.join(seconds)
        return self.is_alive()

    def status(self):
        self.join(20)
        return self.answer.json()["status"] if self.answer is not None else None


def test_no_answer_before_the_commit(stalling, stall, nominal):
    learning_machine(stalling)
    with stall.commits():
        request = Request(stalling, "learn", nominal[0])
        assert request.is_held(), "a learn was answered before it was durable"
    assert request.status() == "learned"


def test_killed_before_the_commit(stalling, stall, nominal):
    """Not durable, so not answered; and what was before is there."""
    learning_machine(stalling)
    stalling.post("pump-1", "learn", nominal[0])
    with stall.commits():
        request = Request(stalling, "learn", nominal[1])
        assert request.is_held()
        stalling.kill()
    assert request.status() is None
    assert stalling.start().learned("pump-1") == 1


def test_no_duplicate_before_the_commit(stalling, stall, nominal):
    """The repeated buffer must not be answered while the first one is still on its way to the disk."""
    learning_machine(stalling)
    with stall.commits():
        requests_ = [Request(stalling, "learn", nominal[0], seq=1, boot="a") for _ in range(2)]
        assert all(r.is_held(0.2) for r in requests_), "answered before it was durable"
    assert sorted(r.status() for r in requests_) == ["duplicate", "learned"]


def test_no_anomaly_before_the_commit(stalling, stall, nominal, faulty):
    """Judging goes on while the store is held up, but a raised anomaly is only told when it is durable."""
    watching_machine(stalling, nominal[:60])
    stalling.post_all("pump-1", "buffers", nominal[60:70])
    with stall.commits():
        for buffer in faulty:
            request = Request(stalling, "buffers", buffer)
            if request.is_held():
                break
            assert request.answer.json()["anomaly"] is None, "told before it was durable"
        assert request.is_held(0.1), "nothing was raised"
        assert Request(stalling, "detect", nominal[0], dry_run=1).status() == "ok"
    request.join(20)
    assert request.answer.json()["anomaly"] is not None


@pytest.mark.parametrize("verb", ["learn", "buffer"])
def test_no_puback_before_the_commit(house, broker, stalling, stall, nominal, verb):
    """habitd has read messages and is killed before they are durable: the broker still has them."""
    learning_machine(stalling)
    client = house.client(broker)
    with stall.commits():
        client.publish_all(f"{ROOT}/pump-1/{verb}", nominal[:10])
        wait_until(lambda: stalling.learned("pump-1") >= 1, "read and learned in memory")
        threading.Event().wait(0.5)  # for a PUBACK that should not be
        stalling.kill()
    stalling.start()
    assert wait_until(lambda: stalling.learned("pump-1") >= 10 and stalling.learned("pump-1"), "all ten come again") == 10
