#!/usr/bin/env python3
"""Writes the inputs from which fuzzing starts, anew: corpus/interface and corpus/knowledge.

They follow the targets' own encoding, not the layout of the knowledge, so a change of the engine leaves them as they are.
What once failed is kept in regressions/ by hand, in a folder of the target's name."""
import os
import random
import shutil
import struct

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES, PROFILES = 17, 3
RECIPES = 8
CALLS = 19
LEARN, LEARN_I16, LEARN_MANY, DETECT, DETECT_I16, ACCEPT, WINDOW = 0, 3, 4, 5, 7, 8, 9


def samples(rng, recipe=0):
    return bytes([recipe, rng.choice([0, 0, 0, 4, 252, 40, 200]), rng.choice([0, 0, 1, 127, 255]),
                  rng.randrange(48), rng.randrange(256)]) + struct.pack('<I', rng.randrange(1 << 32)) + \
        (bytes([rng.randrange(23)]) if recipe == 6 else b'')


def learn(rng, recipe=0):
    return bytes([LEARN, 0]) + samples(rng, recipe)


def detect(rng, recipe=0):
    return bytes([DETECT, 0]) + samples(rng, recipe)


def many(rng):
    return bytes([LEARN_MANY, 0]) + struct.pack('<I', rng.randrange(1 << 32))


def any_call(rng):
    call = rng.randrange(CALLS)
    if call in (LEARN, DETECT):
        return bytes([call, 0]) + samples(rng, rng.randrange(RECIPES))
    if call == ACCEPT:
        return bytes([call, 1 + rng.randrange(2)]) + samples(rng) + samples(rng)
    return bytes([call]) + rng.randbytes(6)


def interface(rng, k):
    """A geometry, some learning, and calls of all sorts."""
    start = bytes([k % SIZES, rng.choice([0, 1, 2, 5, 15]) if k % SIZES < 13 else 0, k % PROFILES,
                   rng.randrange(5), rng.choice([0, 0, 1, 2, 3])])
    calls = [learn(rng) for _ in range(rng.choice([0, 5, 9]))] + [many(rng) for _ in range(rng.randrange(4))]
    calls += [detect(rng, r) for r in range(RECIPES)] + [bytes([WINDOW])] * 3
    calls += [any_call(rng) for _ in range(12)]
    return start + b''.join(calls)


def header(size, axes, profile):
    """A block without knowledge; the target fills it up with zeros, and seals it."""
    return struct.pack('<4sHHIIIIIfHBBff12s72x', b'HABT', 1, 128, 0, 0, 0, 1, 0, 1.0, size, axes, profile, 0.0, 1.0, b'g')


def knowledge(rng, k):
    if k % 6 == 0:
        return bytes([0]) + header(rng.choice([1, 2, 8, 64]), rng.choice([1, 3, 16]), k % PROFILES) + bytes(8 * (k % 4))
    patches = b''.join(bytes([0]) + struct.pack('<H', rng.randrange(700)) + bytes([rng.randrange(192)])
                       for _ in range(k % 4))
    return bytes([1, k % 6, rng.randrange(4), k // 6 % PROFILES, rng.randrange(8)]) + patches


def main():
    for name, make, count in (('interface', interface, 36), ('knowledge', knowledge, 48)):
        folder = os.path.join(HERE, 'corpus', name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for k in range(count):
            with open(os.path.join(folder, f'{k:02}'), 'wb') as f:
                f.write(make(random.Random(1000 * k + len(name)), k))


if __name__ == '__main__':
    main()
