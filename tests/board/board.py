"""Emulated Cortex-M boards: how to build for them and how to run on them. Used by the golden vectors and the footprint."""
import collections
import os

HERE = os.path.dirname(os.path.abspath(__file__))
COMPILER = 'arm-none-eabi-gcc'
# What the engine is always built with; the bits depend on the second.
ENGINE_FLAGS = ['-std=c11', '-ffp-contract=off', '-fno-math-errno']
STACK_LENGTH = 2048

# memory, learned: bounds of the golden cases, in bytes and buffers. One core takes the time for the long ones.
Core = collections.namedtuple('Core', 'name flags machine flash ram memory learned', defaults=[None, 1000])
Memory = collections.namedtuple('Memory', 'origin length')

K, M = 1024, 1024 * 1024
MPS2 = (Memory(0, 4 * M), Memory(0x20000000, 4 * M))
FLOAT = '-mfloat-abi=hard'

# QEMU 7.2 has no Cortex-M0+: the microbit's M0 runs the same instructions and traps what an M0+ traps, but has 16 KiB of
# RAM; an M3 runs the same code with more.
CORES = {core.name: core for core in [
    Core('m0-microbit', ['-mcpu=cortex-m0plus'], 'microbit', Memory(0, 256 * K), Memory(0x20000000, 16 * K), 12 * K),
    Core('m0plus', ['-mcpu=cortex-m0plus'], 'mps2-an385', *MPS2),
    Core('m3', ['-mcpu=cortex-m3'], 'mps2-an385', *MPS2),
    Core('m4f', ['-mcpu=cortex-m4', '-mfpu=fpv4-sp-d16', FLOAT], 'mps2-an386', *MPS2, learned=None),
    Core('m7-sp', ['-mcpu=cortex-m7', '-mfpu=fpv5-sp-d16', FLOAT], 'mps2-an500', *MPS2),
    Core('m7-dp', ['-mcpu=cortex-m7', '-mfpu=fpv5-d16', FLOAT], 'mps2-an500', *MPS2),
    Core('m33', ['-mcpu=cortex-m33', '-mfpu=fpv5-sp-d16', FLOAT], 'mps2-an505',
         Memory(0x10000000, 4 * M), Memory(0x38000000, 4 * M)),
    Core('m55', ['-mcpu=cortex-m55+nomve', FLOAT], 'mps3-an547', Memory(0, 512 * K), Memory(0x20000000, 512 * K)),
    Core('m55-mve', ['-mcpu=cortex-m55', FLOAT], 'mps3-an547', Memory(0, 512 * K), Memory(0x20000000, 512 * K)),
]}


def compile_flags(core, optimisation):
    return [*ENGINE_FLAGS, optimisation, '-mthumb', *core.flags, '-ffunction-sections', '-fdata-sections']


def link_flags(core):
    memory = {'FLASH_ORIGIN': core.flash.origin, 'FLASH_LENGTH': core.flash.length,
              'RAM_ORIGIN': core.ram.origin, 'RAM_LENGTH': core.ram.length, 'STACK_LENGTH': STACK_LENGTH}
    return ['-mthumb', *core.flags, '--specs=nano.specs', '-nostartfiles', '-Wl,--gc-sections',
            '-T', os.path.join(HERE, 'link.ld'), *(f'-Wl,--defsym={name}={value}' for name, value in memory.items())]


def command(core, program, *options):
    return ['qemu-system-arm', '-M', core.machine, '-nographic', '-monitor', 'none', '-serial', 'none',
            '-semihosting-config', 'enable=on,target=native', *options, '-kernel', program]
