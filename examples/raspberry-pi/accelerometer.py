"""ADXL345, LIS3DH and ADXL355 behind I2C or SPI of a Raspberry Pi: equally spaced samples out of the chip's own FIFO.

A chip measures by its own clock and keeps the samples in its FIFO; this side only has to fetch them before it is full (10 to 80 ms),
which Linux can do. Asking for one sample at a time would measure the scheduler.

Needs python3-smbus2 for I2C, python3-spidev for SPI."""
import struct


class I2c:
    """Registers of a chip on an I2C bus."""

    def __init__(self, chip, bus, address):
        import smbus2  # only where it is used: a Pi with SPI need not have it
        self.bus, self.address, self.many = smbus2.SMBus(bus), address, chip.i2c_many

    def read(self, register, count=1):
        return bytes(self.bus.read_i2c_block_data(self.address, register | (self.many if count > 1 else 0), count))

    def write(self, register, value):
        self.bus.write_byte_data(self.address, register, value)


class Spi:
    """Registers of a chip on an SPI bus."""

    def __init__(self, chip, bus, select):
        import spidev
        self.chip, self.bus = chip, spidev.SpiDev()
        self.bus.open(bus, select)
        self.bus.mode, self.bus.max_speed_hz = chip.spi_mode, 2_000_000

    def read(self, register, count=1):
        command = self.chip.spi_command(register, True, count)
        return bytes(self.bus.xfer2([command] + [0] * count)[1:])

    def write(self, register, value):
        self.bus.xfer2([self.chip.spi_command(register, False, 1), value])


class Chip:
    """One kind of accelerometer. Each has

    rates       samples per second to the code of the register
    ranges      +- g to (code, g of one step)
    identity    register, value: how it says who it is
    i2c_address, i2c_many   as wired with SDO or SA0 low; what a read of several registers adds to the first one's number
    start(rate, range)      sets it up
    empty()     throws away what is in the FIFO
    fetch()     what is in the FIFO: consecutive samples, oldest first, a list of (x, y, z) in g
    fifo        how many it holds. Beyond, the oldest are overwritten; flags for that are gone with the next read, so who reads has
                to watch the time: see collect() of publish.py"""
    i2c_many, spi_mode = 0, 3

    def __init__(self, open_bus):
        self.bus, self.step = open_bus(self), 0.0

    def begin(self, rate, g_range):
        register, value = self.identity
        found = self.bus.read(register)[0]
        if found != value:
            raise OSError(f"no {type(self).__name__} answers: register {register:#04x} is {found:#04x}, not {value:#04x}; look at the wiring")
        code, self.step = self.ranges[g_range]
        self.start(self.rates[rate], code)

    def scaled(self, x, y, z):
        return x * self.step, y * self.step, z * self.step


class Adxl345(Chip):
    """Analog Devices ADXL345: FIFO of 32 samples, up to 3200 Hz, 16 g."""
    rates = {100: 0x0A, 200: 0x0B, 400: 0x0C, 800: 0x0D, 1600: 0x0E, 3200: 0x0F}
    ranges = {2: (0, 1 / 256), 4: (1, 1 / 256), 8: (2, 1 / 256), 16: (3, 1 / 256)}  # full resolution: the step stays
    identity, i2c_address, fifo = (0x00, 0xE5), 0x53, 32

    @staticmethod
    def spi_command(register, read, count):
        return register | (0x80 if read else 0) | (0x40 if count > 1 else 0)

    def start(self, rate, g_range):
        self.bus.write(0x2D, 0x00)            # POWER_CTL: standby
        self.bus.write(0x2C, rate)            # BW_RATE
        self.bus.write(0x31, 0x08 | g_range)  # DATA_FORMAT: full resolution
        self.bus.write(0x2D, 0x08)            # measure

    def empty(self):
        self.bus.write(0x38, 0x00)  # FIFO_CTL: bypass
        self.bus.write(0x38, 0x80)  # stream: the newest 32

    def fetch(self):
        count = self.bus.read(0x39)[0] & 0x3F  # FIFO_STATUS
        return [self.scaled(*struct.unpack("<3h", self.bus.read(0x32, 6))) for _ in range(count)]


class Lis3dh(Chip):
    """ST LIS3DH: FIFO of 32 samples, up to 1344 Hz with 12 bits, 16 g."""
    rates = {100: 0x50, 200: 0x60, 400: 0x70, 1344: 0x90}
    ranges = {2: (0x00, 0.001 / 16), 4: (0x10, 0.002 / 16), 8: (0x20, 0.004 / 16), 16: (0x30, 0.012 / 16)}  # 12 bits, left in 16
    identity, i2c_address, fifo = (0x0F, 0x33), 0x18, 32
    i2c_many = 0x80

    @staticmethod
    def spi_command(register, read, count):
        return register | (0x80 if read else 0) | (0x40 if count > 1 else 0)

    def start(self, rate, g_range):
        self.bus.write(0x20, 0x00)                   # CTRL_REG1: off
        self.bus.write(0x23, 0x80 | 0x08 | g_range)  # CTRL_REG4: whole samples only, 12 bits
        self.bus.write(0x24, 0x40)                   # CTRL_REG5: FIFO on
        self.bus.write(0x20, rate | 0x07)            # three axes, on

    def empty(self):
        self.bus.write(0x2E, 0x00)  # FIFO_CTRL_REG: bypass
        self.bus.write(0x2E, 0x80)  # stream: the newest 32

    def fetch(self):
        count = self.bus.read(0x2F)[0] & 0x1F  # FIFO_SRC_REG
        return [self.scaled(*struct.unpack("<3h", self.bus.read(0x28, 6))) for _ in range(count)]


class Adxl355(Chip):
    """Analog Devices ADXL355: low noise, 20 bits, FIFO of 32 samples, up to 4000 Hz, 8 g."""
    rates = {125: 5, 250: 4, 500: 3, 1000: 2, 2000: 1, 4000: 0}
    ranges = {2: (1, 1 / 256000), 4: (2, 1 / 128000), 8: (3, 1 / 64000)}
    identity, i2c_address, fifo = (0x02, 0xED), 0x1D, 32
    spi_mode = 0

    @staticmethod
    def spi_command(register, read, count):
        return register << 1 | read

    def start(self, rate, g_range):
        self.bus.write(0x2D, 0x01)            # POWER_CTL: standby
        self.bus.write(0x2C, 0x80 | g_range)  # Range, fast I2C
        self.bus.write(0x28, rate)            # Filter: no high-pass
        self.bus.write(0x2D, 0x00)            # measure

    def empty(self):
        self.fetch()

    def fetch(self):
        count = (self.bus.read(0x05)[0] & 0x7F) // 3             # FIFO_ENTRIES: values
        words = [self.bus.read(0x11, 9) for _ in range(count)]  # FIFO_DATA
        if any(not word[2] & 1 for word in words):              # the lowest bit marks x
            raise OSError("ADXL355: x, y and z are out of step")
        return [self.scaled(*(self.value(word[i:i + 3]) for i in (0, 3, 6))) for word in words]

    @staticmethod
    def value(word):
        """20 bits, signed, at the left of 24."""
        return int.from_bytes(word, "big", signed=True) >> 4


CHIPS = {"adxl345": Adxl345, "lis3dh": Lis3dh, "adxl355": Adxl355}


def open_chip(name, bus, number, select, address):
    """bus: i2c or spi; number: of the bus (/dev/i2c-1, /dev/spidev0.x); select: chip select; address: None = the usual one."""
    kind = CHIPS[name]
    if bus == "spi":
        return kind(lambda chip: Spi(chip, number, select))
    return kind(lambda chip: I2c(chip, number, kind.i2c_address if address is None else address))
