#!/usr/bin/env python3
"""Writes files as one C table: see asset.h. usage: embed.py OUTPUT FILE..."""
import hashlib
import os
import sys

TYPES = {
    '.html': 'text/html; charset=utf-8',
    '.css': 'text/css; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.json': 'application/json',
    '.svg': 'image/svg+xml',
}
WIDTH = 32


def array(number, content):
    rows = (content[at:at + WIDTH] for at in range(0, len(content), WIDTH))
    yield f'static const unsigned char bytes_{number}[] = {{\n'
    for row in rows:
        yield ','.join(map(str, row)) + ',\n'
    yield '};\n'


def row(number, path, content):
    name = os.path.basename(path)
    etag = hashlib.sha256(content).hexdigest()[:16]
    return f'    {{ "{name}", "{TYPES[os.path.splitext(name)[1]]}", "\\"{etag}\\"", bytes_{number}, sizeof(bytes_{number}) }},\n'


def main():
    output, *paths = sys.argv[1:]
    contents = [open(path, 'rb').read() for path in paths]
    with open(output, 'w') as file:
        file.write('#include "page/asset.h"\n\n')
        for number, content in enumerate(contents):
            file.writelines(array(number, content))
        file.write('\nconst struct asset assets[] = {\n')
        file.writelines(row(number, path, content) for number, (path, content) in enumerate(zip(paths, contents)))
        file.write('    { NULL, NULL, NULL, NULL, 0 },\n};\n')


if __name__ == '__main__':
    main()
