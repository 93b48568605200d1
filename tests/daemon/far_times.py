#!/usr/bin/python3
"""Debian 12's armhf has 32 bits of seconds in a time_t, until 2038; a token may expire later. The clock's file is built for it, and
runs in an emulator."""
import os
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FILES = [os.path.join(ROOT, name) for name in ('tests/daemon/far_times.c', 'daemon/base/clock.c', 'daemon/base/trust.c')]

with tempfile.TemporaryDirectory() as folder:
    program = os.path.join(folder, 'far_times')
    subprocess.run(['arm-linux-gnueabihf-gcc', '-std=c11', '-D_GNU_SOURCE', '-O2', '-static', '-I', os.path.join(ROOT, 'daemon'),
                    '-o', program, *FILES, '-lpthread'], check=True)
    sys.exit(subprocess.run(['qemu-arm', program]).returncode)
