#!/usr/bin/env python3
"""Prints engine/src/twiddles.c: points of the unit circle, rounded once to float32.

    engine/tools/twiddles.py > engine/src/twiddles.c
"""
import math
import struct

FINE, COARSE = 32, 24


def nearest_float32(x):
    return struct.unpack('<f', struct.pack('<f', x))[0]


def mirrored(b):
    """The bits of b behind the point, the lowest first: 0, 1/2, 1/4, 3/4, 1/8, 5/8 .."""
    value, weight = 0.0, 0.5
    while b:
        value += weight * (b & 1)
        b >>= 1
        weight /= 2
    return value


def table(name, size, turn):
    yield 'const float habit_%s_twiddles[2 * HABIT_%s_TWIDDLES] = {' % (name, name.upper())
    values = ['%.9ef, %.9ef' % (nearest_float32(math.cos(turn * mirrored(b))),
                                    nearest_float32(0.0 - math.sin(turn * mirrored(b)))) for b in range(size)]
    for start in range(0, size, 3):
        yield '    ' + ', '.join(values[start:start + 3]) + ','
    yield '};'


print('/* Made by engine/tools/twiddles.py: see fft.h. */')
print('#include "fft.h"\n\n/* clang-format off */')
print('\n'.join(table('fine', FINE, math.pi / 2)))
print()
print('\n'.join(table('coarse', COARSE, math.pi / 2 / FINE)))
print('/* clang-format on */')
