"""Emulated Cortex-M boards: how to build for them and how to run on them. Used by the golden vectors and the footprint."""
import collections
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(HERE)), 'firmware'))
import libraries as firmware  # noqa: E402

COMPILER = 'arm-none-eabi-gcc'
# What the engine is always built with; the bits depend on the second.
ENGINE_FLAGS = ['-std=c11', '-ffp-contract=off', '-fno-math-errno']
STACK_LENGTH = 2048

# memory, learned: bounds of the golden cases, in bytes and buffers. One core takes the time for the long ones.
Core = collections.namedtuple('Core', 'name flags machine flash ram memory learned', defaults=[None, 1000])
Memory = collections.namedtuple('Memory', 'origin length')

K, M = 1024, 1024 * 1024
MPS2 = (Memory(0, 4 * M), Memory(0x20000000, 4 * M))
MPS3 = (Memory(0, 512 * K), Memory(0x20000000, 512 * K))


def core(name, *board, **bounds):
    """A core of firmware/cross."""
    return Core(name, firmware.core_flags(name), *board, **bounds)


# QEMU 7.2 has no Cortex-M0+: the microbit's M0 runs the same instructions and traps what an M0+ traps, but has 16 KiB of
# RAM; an M3 runs the same code with more.
CORES = {core.name: core for core in [
    Core('m0-microbit', firmware.core_flags('m0plus'), 'microbit', Memory(0, 256 * K), Memory(0x20000000, 16 * K), 12 * K),
    core('m0plus', 'mps2-an385', *MPS2),
    core('m3', 'mps2-an385', *MPS2),
    core('m4f', 'mps2-an386', *MPS2, learned=None),
    core('m7-sp', 'mps2-an500', *MPS2),
    core('m7-dp', 'mps2-an500', *MPS2),
    core('m33', 'mps2-an505', Memory(0x10000000, 4 * M), Memory(0x38000000, 4 * M)),
    core('m55', 'mps3-an547', *MPS3),
    Core('m55-mve', ['-mthumb', '-mcpu=cortex-m55', '-mfloat-abi=hard'], 'mps3-an547', *MPS3),
]}


# Where the first serial line (Arm's CMSDK APB UART) of a machine is.
SERIAL = {'mps2-an385': 0x40004000, 'mps2-an386': 0x40004000, 'mps2-an500': 0x40004000, 'mps2-an505': 0x40200000,
          'mps3-an547': 0x49303000}


def compile_flags(core, optimisation):
    return [*ENGINE_FLAGS, optimisation, *core.flags, '-ffunction-sections', '-fdata-sections']


def link_flags(core):
    memory = {'FLASH_ORIGIN': core.flash.origin, 'FLASH_LENGTH': core.flash.length,
              'RAM_ORIGIN': core.ram.origin, 'RAM_LENGTH': core.ram.length, 'STACK_LENGTH': STACK_LENGTH}
    return [*core.flags, '--specs=nano.specs', '-nostartfiles', '-Wl,--gc-sections',
            '-L', os.path.join(firmware.HERE, 'linker'), '-T', os.path.join(HERE, 'link.ld'), *(f'-Wl,--defsym={name}={value}' for name, value in memory.items())]


def command(core, program, *options, monitor='none', serial='none'):
    return ['qemu-system-arm', '-M', core.machine, '-nographic', '-monitor', monitor, '-serial', serial,
            '-semihosting-config', 'enable=on,target=native', *options, '-kernel', program]
