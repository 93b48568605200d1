"""As much of smbus2 as the publisher calls, with one fake chip."""
import chips

ADDRESSES = {"adxl345": (0x53, 0), "lis3dh": (0x18, 0x80), "adxl355": (0x1D, 0)}  # and the bit of a read of several


class SMBus:
    def __init__(self, bus):
        assert bus == 1
        self.chip = chips.plugged_in()
        self.address, self.many = ADDRESSES[type(self.chip).__name__.lower()]

    def read_i2c_block_data(self, i2c_addr, register, length):
        assert i2c_addr == self.address and 1 <= length <= 32
        chips.check_wire()
        assert length == 1 or register & self.many == self.many
        return list(self.chip.read(register & ~self.many, length))

    def write_byte_data(self, i2c_addr, register, value):
        assert i2c_addr == self.address and 0 <= value <= 255
        chips.check_wire()
        self.chip.write(register, value)
