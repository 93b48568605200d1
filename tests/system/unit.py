"""habitd as its systemd unit starts it, with the unit's user and sandbox, in place of a plain process: where the environment names
a unit in HABIT_UNIT, the system tests use it (support.py). For a system that systemd has booted and that may be thrown away:
tests/install/test_sandbox.py."""
import itertools
import os
import pathlib
import shutil
import signal
import subprocess
import time

UNITS = pathlib.Path("/run/systemd/system")
_numbers = itertools.count(1)

DROP_IN = """[Service]
ExecStart=
ExecStart={command}
Restart=no
ReadWritePaths={folder}
StandardOutput=append:{log}
StandardError=append:{log}
Environment={environment}
"""


def systemctl(*arguments):
    return subprocess.run(["systemctl", *arguments], check=True, capture_output=True, text=True, timeout=60).stdout


class Service:
    """As a Popen: one start of a copy of the unit, whose configuration and store are a test's. Beyond the unit itself it may write
    into that test's folder, as into /var/lib/habit."""

    def __init__(self, unit, command, folder, log, environment):
        self.name = f"habit-test-{os.getpid()}-{next(_numbers)}.service"
        self.folder = folder
        self.returncode = None
        drop_in = UNITS / f"{self.name}.d"
        drop_in.mkdir(parents=True)
        (UNITS / self.name).write_text(systemctl("cat", unit))
        (drop_in / "test.conf").write_text(DROP_IN.format(command=" ".join(map(str, command)), folder=folder, log=log,
                                                          environment=" ".join(f'"{k}={v}"' for k, v in environment.items())))
        self._hand_over()
        systemctl("daemon-reload")
        systemctl("start", "--no-block", self.name)
        self.pid = self._first_pid()
        self._check_sandbox(command[0])

    def _hand_over(self):
        """The unit's user gets what root's tests have written, as it would be installed for it; and a way to it."""
        for folder in self.folder.parent.parents:
            folder.chmod(folder.stat().st_mode | 0o011)
        for path in (self.folder.parent, *self.folder.parent.rglob("*")):
            if not path.is_symlink():
                shutil.chown(path, "habit", "habit")

    def _state(self):
        return dict(line.split("=", 1) for line in systemctl(
            "show", "-p", "ActiveState,Job,MainPID,ExecMainPID,ExecMainCode,ExecMainStatus", self.name).splitlines())

    def _first_pid(self):
        for _ in range(1000):
            state = self._state()
            if int(state["ExecMainPID"]) > 0:
                return int(state["ExecMainPID"])
            assert state["ActiveState"] != "failed", f"{self.name} does not start"
            time.sleep(0.01)
        raise AssertionError(f"{self.name} does not start")

    def _check_sandbox(self, program):
        """What the tests are about to say holds with the sandbox: so there is one."""
        program = os.path.realpath(program)
        try:
            while os.readlink(f"/proc/{self.pid}/exe") != program:  # systemd's own until then
                time.sleep(0.005)
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        except FileNotFoundError:
            return  # it has ended, as some tests want it to
        found = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        told = (found["NoNewPrivs"], found["Seccomp"], int(found["CapBnd"], 16), found["Uid"].split()[0] == "0")
        assert told == ("1", "2", 0, False), f"{self.name} has no sandbox: {told}"

    def poll(self):
        if self.returncode is None and not os.path.exists(f"/proc/{self.pid}"):
            state = self._state()
            if state["ActiveState"] in ("inactive", "failed"):
                status = int(state["ExecMainStatus"])
                self.returncode = status if int(state["ExecMainCode"]) == os.CLD_EXITED else -status
        return self.returncode

    def wait(self, timeout=None):
        deadline = None if timeout is None else time.monotonic() + timeout
        while self.poll() is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.name, timeout)
            time.sleep(0.01)
        return self.returncode

    def send_signal(self, number):
        if number == signal.SIGHUP:
            self._hand_over()
        if self.poll() is None:
            os.kill(self.pid, number)
