#!/usr/bin/env python3
"""The folder tree says who may use whom: fails where an include points another way."""
import os
import re
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..')

# Rooms of daemon/, and those whose headers they may include beside their own.
ROOMS = {
    'base': (),
    'page': (),
    'record': ('base',),
    'access': ('base',),
    'report': ('base', 'record'),
    'strategy': ('base', 'record'),
    'wire': ('base', 'record', 'report'),
    'config': ('base', 'record'),
    'store': ('base', 'record'),
    'registry': ('base', 'record', 'report', 'strategy', 'wire', 'config', 'store'),
    'mqtt': ('base', 'record', 'report', 'wire', 'config', 'store', 'registry'),
    'http': ('base', 'access', 'record', 'report', 'wire', 'config', 'store', 'registry', 'page'),
}
# Libraries, and the only rooms that may use them ('' = the files beside them).
LIBRARIES = {
    'jansson.h': ('wire',),
    'sqlite3.h': ('store',),
    'habit/engine.h': ('registry',),
    'mosquitto.h': ('mqtt',),
    'microhttpd.h': ('http',),
    'ini.h': ('config',),
    'gnutls/gnutls.h': ('access', 'http'),
    'gnutls/crypto.h': ('access',),
    'gnutls/x509.h': ('http',),
    'gnutls/abstract.h': ('http',),
    'systemd/sd-daemon.h': ('',),
    'systemd/sd-journal.h': ('base',),
}
INCLUDE = re.compile(r'^\s*#\s*include\s+[<"]([^>"]+)[>"]', re.M)


def room_of(path):
    parts = path.split('/')
    return parts[1] if len(parts) > 2 else ''


def faults_of(path, text):
    room = room_of(path)
    for name in INCLUDE.findall(text):
        if name in LIBRARIES and room not in LIBRARIES[name]:
            yield f'{path}: {name} belongs to {", ".join(LIBRARIES[name]) or "app.c and main.c"}'
        other = name.split('/')[0]
        if '/' in name and other in ROOMS and room and other != room and other not in ROOMS[room]:
            yield f'{path}: {room}/ may not use {name}'


def daemon_files():
    for folder, _, names in os.walk(os.path.join(ROOT, 'daemon')):
        for name in names:
            if name.endswith(('.c', '.h')):
                yield os.path.relpath(os.path.join(folder, name), ROOT)


def main():
    faults = []
    for path in sorted(daemon_files()):
        with open(os.path.join(ROOT, path)) as file:
            faults += faults_of(path, file.read())
    print('\n'.join(faults) if faults else 'includes: every room uses only what it may')
    return 1 if faults else 0


if __name__ == '__main__':
    sys.exit(main())
