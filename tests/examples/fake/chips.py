"""Accelerometers as their data sheets describe them: registers, and a FIFO that fills by the clock whether it is read or not.

What they feel is a file of float32 x y z in g, $FAKE_SAMPLES, from its beginning to its end and over again; it is read anew when it
changes, so a test can break the machine."""
import array
import os
import time


class Signal:
    def __init__(self):
        self.path, self.stamp, self.values, self.at = os.environ["FAKE_SAMPLES"], None, None, 0

    def next(self):
        stamp = os.stat(self.path).st_mtime_ns
        if stamp != self.stamp:
            self.stamp, self.at = stamp, 0
            self.values = array.array("f", open(self.path, "rb").read())
        sample = self.values[self.at:self.at + 3]
        self.at = (self.at + 3) % len(self.values)
        return sample


class Chip:
    registers = 0x40

    def __init__(self):
        self.memory = bytearray(self.registers)
        self.fifo, self.signal, self.overrun, self.measuring = [], Signal(), False, None
        self.reset()

    def run(self):
        """Measures what is due by now."""
        now, rate = time.monotonic(), self.rate()
        if rate == 0:
            self.measuring = None
            return
        if self.measuring is None:
            self.measuring = now
        while self.measuring + 1 / rate <= now:
            self.measuring += 1 / rate
            self.take(self.signal.next())

    def take(self, sample):
        self.fifo.append(sample)
        while len(self.fifo) > 32:
            self.fifo.pop(0)
            self.overrun = True

    def read(self, register, count):
        self.run()
        return self.answer(register, count)

    def write(self, register, value):
        self.run()
        self.memory[register] = value
        self.changed(register, value)

    def changed(self, register, value):
        pass


def words(sample, steps_per_g, shift):
    """Little-endian int16, saturated."""
    return b"".join((max(-32768, min(32767, round(v * steps_per_g) << shift)) & 0xFFFF).to_bytes(2, "little") for v in sample)


class Adxl345(Chip):
    """FIFO_STATUS 0x39, INT_SOURCE 0x30; a read of 0x32..0x37 takes one sample out."""
    def reset(self):
        self.memory[0x00], self.memory[0x2C] = 0xE5, 0x0A

    def rate(self):
        return 3200 / 2 ** (15 - (self.memory[0x2C] & 15)) if self.memory[0x2D] & 8 else 0

    def changed(self, register, value):
        if register == 0x38 and value >> 6 == 0:  # bypass
            self.fifo, self.overrun = [], False

    def answer(self, register, count):
        if register == 0x39:
            return bytes([len(self.fifo)])
        if register == 0x30:
            return bytes([0x83 if self.overrun else 0x80])
        if register == 0x32:
            assert count == 6, "the six of a sample are read together"
            assert self.memory[0x38] >> 6 == 2 and self.memory[0x31] & 8
            self.overrun = False
            return words(self.fifo.pop(0), 256, 0)
        return bytes(self.memory[register:register + count])


class Lis3dh(Chip):
    """FIFO_SRC_REG 0x2F. 12 bits, left-aligned."""
    RATES = {0: 0, 5: 100, 6: 200, 7: 400, 9: 1344}
    STEPS = (1000, 500, 250, 1000 / 12)

    def reset(self):
        self.memory[0x0F] = 0x33

    def rate(self):
        return self.RATES[self.memory[0x20] >> 4] if self.memory[0x20] & 7 == 7 else 0

    def changed(self, register, value):
        if register == 0x2E and value >> 6 == 0:
            self.fifo, self.overrun = [], False

    def answer(self, register, count):
        if register == 0x2F:
            return bytes([0x40 | 31 if self.overrun else len(self.fifo) & 31])
        if register == 0x28:
            assert count == 6 and self.memory[0x24] & 0x40 and self.memory[0x2E] >> 6 == 2 and self.memory[0x23] & 8
            self.overrun = False
            return words(self.fifo.pop(0), self.STEPS[self.memory[0x23] >> 4 & 3], 4)
        return bytes(self.memory[register:register + count])


class Adxl355(Chip):
    """FIFO_ENTRIES 0x05 counts values, three a sample; FIFO_DATA 0x11 gives the next ones, x with its lowest bit set."""
    STEPS = (0, 256000, 128000, 64000)

    def reset(self):
        self.memory[0:3], self.memory[0x2D], self.memory[0x2C] = b"\xad\x1d\xed", 1, 0x81

    def rate(self):
        return 0 if self.memory[0x2D] & 1 else 4000 / 2 ** (self.memory[0x28] & 15)

    def answer(self, register, count):
        if register == 0x04:
            was, self.overrun = self.overrun, False
            return bytes([4 if was else 0])
        if register == 0x05:
            return bytes([3 * len(self.fifo)])
        if register == 0x11:
            assert count == 9
            if not self.fifo:
                return bytes([0, 0, 2] * 3)
            return b"".join(((round(v * self.STEPS[self.memory[0x2C] & 3]) << 4 & 0xFFFFF0) | (axis == 0)).to_bytes(3, "big")
                            for axis, v in enumerate(self.fifo.pop(0)))
        return bytes(self.memory[register:register + count])


KINDS = {"adxl345": Adxl345, "lis3dh": Lis3dh, "adxl355": Adxl355}


def plugged_in():
    """The chip of this test; $FAKE_UNPLUGGED names a file: while it is there the wire is broken."""
    return KINDS[os.environ["FAKE_CHIP"]]()


def check_wire():
    if os.path.exists(os.environ.get("FAKE_UNPLUGGED", "/nonexistent")):
        raise OSError(121, "Remote I/O error")
