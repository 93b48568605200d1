#!/usr/bin/env python3
"""Prints engine/src/twiddles.c: a quarter of a sine wave, rounded once to float32.

    engine/tools/twiddles.py > engine/src/twiddles.c
"""
import math
import struct

STEPS = 4096


def nearest_float32(x):
    return struct.unpack('<f', struct.pack('<f', x))[0]


print('/* Made by engine/tools/twiddles.py: sin(2 pi k / %d) for k = 0 .. %d. */' % (STEPS, STEPS // 4))
print('#include "fft.h"\n\n/* clang-format off */')
print('const float habit_quarter_wave[HABIT_TWIDDLES / 4 + 1] = {')
values = ['%.9ef' % nearest_float32(math.sin(2 * math.pi * k / STEPS)) for k in range(STEPS // 4 + 1)]
for start in range(0, len(values), 6):
    print('    ' + ', '.join(values[start:start + 6]) + ',')
print('};\n/* clang-format on */')
