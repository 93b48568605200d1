"""The programs of firmware/examples on emulated boards: built against libhabit, as an integrator would, and run with a serial
line, a debugger that reads and writes memory, and a flash that outlives the emulator."""
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / 'tests' / 'board'), str(ROOT / 'firmware')]
import board  # noqa: E402
import libraries  # noqa: E402

EXAMPLES = ROOT / 'firmware' / 'examples'
LIBRARIES = f"{os.environ.get('HABIT_BUILD', ROOT / 'build')}-firmware"
INCLUDE = [ROOT / 'engine' / 'include', ROOT / 'firmware' / 'include', ROOT / 'tests' / 'golden', ROOT / 'tests' / 'board']
# What every example needs of a board.
SHARED = [EXAMPLES / 'board' / 'console.c', EXAMPLES / 'board' / 'machine.c', ROOT / 'tests' / 'golden' / 'signal.c',
          ROOT / 'tests' / 'board' / 'startup.c']
WARNINGS = ['-Wall', '-Wextra', '-Werror', '-Wconversion', '-Wshadow', '-Wundef', '-Wdouble-promotion']


def run(*command, check=True):
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False, timeout=300)
    assert not check or done.returncode == 0, f'{command[0]} ended with {done.returncode}\n{done.stdout}'
    return done.stdout


def build(program, core_name, sources, *macros, ram=None, check=True):
    """Compiles and links an example. Returns what the linker said."""
    core = board.CORES[core_name]
    if ram:
        core = core._replace(ram=core.ram._replace(length=ram))
    library = libraries.library(core_name, libraries.build(core_name, LIBRARIES))
    macros = [f'-DSERIAL_AT={board.SERIAL[core.machine]:#x}', *macros]
    return run(board.COMPILER, *board.compile_flags(core, '-Os'), *WARNINGS, *macros, *(f'-I{folder}' for folder in INCLUDE),
               '-o', program, *sources, *SHARED, library, *board.link_flags(core), '-lm', check=check)


def sources_of(example):
    return sorted((EXAMPLES / example).glob('*.c'))


def run_to_end(program, core_name, seconds=120):
    """Runs a program that ends by itself. Returns its exit code and what it sent over the serial line."""
    log = pathlib.Path(str(program) + '.serial')
    command = board.command(board.CORES[core_name], str(program), serial=f'file:{log}')
    done = subprocess.run(command, stdin=subprocess.DEVNULL, timeout=seconds, check=False)
    return done.returncode, log.read_text()


class Running:
    """A board that goes on until it is stopped, with a debugger at its memory."""

    def __init__(self, program, core_name, *options):
        self.log = pathlib.Path(str(program) + '.serial')
        self.log.unlink(missing_ok=True)
        self.monitor_path = str(program) + '.monitor'
        pathlib.Path(self.monitor_path).unlink(missing_ok=True)
        command = board.command(board.CORES[core_name], str(program), *options, serial=f'file:{self.log}',
                                monitor=f'unix:{self.monitor_path},server=on,wait=off')
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def serial(self):
        return self.log.read_text() if self.log.exists() else ''

    def wait_for(self, text, seconds=60):
        deadline = time.monotonic() + seconds
        while text not in self.serial():
            assert self.child.poll() is None, f'the board ended with {self.child.returncode}: {self.serial()}'
            assert time.monotonic() < deadline, f'no {text!r} in {seconds} s: {self.serial()}'
            time.sleep(0.01)
        return self.serial()

    def dump(self, origin, size, path):
        """As a debugger's dump of memory."""
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.connect(self.monitor_path)
            monitor.sendall(f'pmemsave {origin:#x} {size:#x} "{path}"\ninfo version\n'.encode())
            deadline = time.monotonic() + 20
            while not (path.exists() and path.stat().st_size == size):
                assert time.monotonic() < deadline, 'the emulator does not dump memory'
                time.sleep(0.01)
        return path

    def cut_power(self):
        self.child.send_signal(signal.SIGKILL)
        self.child.wait()
