#!/usr/bin/python3
"""Prints the bill of materials, SPDX 2.3 as JSON, of packages that were built: sbom.py BUILDINFO DEB...

The packages with their checksums, what they depend on with the versions that they were built against, and what built them, all
from the .deb files and the .buildinfo of dpkg-buildpackage: no network, and the same bytes for the same build."""
import hashlib
import json
import pathlib
import re
import subprocess
import sys

# Whose code or headers end up in the packages, beside what they depend on when they run.
TOOLS = re.compile(r'gcc-\d+(-.*)?|gcc-arm-none-eabi|binutils(-.*)?|libnewlib-arm-none-eabi|libnewlib-dev|libc6-dev|meson|ninja-build|debhelper|.*-dev')


def field(deb, name):
    return subprocess.run(['dpkg-deb', '-f', deb, name], check=True, capture_output=True, text=True).stdout.strip()


def built_with(buildinfo):
    """Name to version of all that was installed when the packages were built."""
    text = re.search(r'^Installed-Build-Depends:\n((?: .*\n)+)', buildinfo.read_text(), re.M)[1]
    return dict(re.findall(r'^ (\S+?)(?::\S+)? \(= ([^)]+)\)', text, re.M))


def identifier(name):
    return 'SPDXRef-' + re.sub(r'[^A-Za-z0-9.-]', '-', name)


def of_debian(name, version):
    return {'SPDXID': identifier('debian-' + name), 'name': name, 'versionInfo': version, 'supplier': 'Organization: Debian',
            'downloadLocation': 'NOASSERTION', 'filesAnalyzed': False, 'licenseConcluded': 'NOASSERTION',
            'licenseDeclared': 'NOASSERTION', 'copyrightText': 'NOASSERTION',
            'externalRefs': [{'referenceCategory': 'PACKAGE-MANAGER', 'referenceType': 'purl',
                              'referenceLocator': f'pkg:deb/debian/{name}@{version}'}]}


def of_ours(deb):
    name, version = field(deb, 'Package'), field(deb, 'Version')
    return {'SPDXID': identifier(name), 'name': name, 'versionInfo': version, 'packageFileName': deb.name,
            'supplier': 'Organization: The habit developers', 'downloadLocation': 'NOASSERTION', 'filesAnalyzed': False,
            'checksums': [{'algorithm': 'SHA256', 'checksumValue': hashlib.sha256(deb.read_bytes()).hexdigest()}],
            'licenseConcluded': 'MIT', 'licenseDeclared': 'MIT', 'copyrightText': '2026 The habit developers'}


def relation(one, kind, other):
    return {'spdxElementId': one, 'relationshipType': kind, 'relatedSpdxElement': other}


def document(buildinfo, debs):
    installed = built_with(buildinfo)
    packages, relations, needed = [], [], {}
    for deb in debs:
        ours = of_ours(deb)
        packages.append(ours)
        relations.append(relation('SPDXRef-DOCUMENT', 'DESCRIBES', ours['SPDXID']))
        for name in re.findall(r'(?:^|, )([a-z0-9.+-]+)', field(deb, 'Depends')):
            needed[name] = installed.get(name, 'NOASSERTION')
            relations.append(relation(ours['SPDXID'], 'DEPENDS_ON', identifier('debian-' + name)))
    for name in sorted(set(installed) - set(needed)):
        if TOOLS.fullmatch(name):
            needed[name] = installed[name]
            relations.append(relation(identifier('debian-' + name), 'BUILD_DEPENDENCY_OF', packages[0]['SPDXID']))
    packages += [of_debian(name, version) for name, version in sorted(needed.items())]
    digest = hashlib.sha256(json.dumps([packages, relations]).encode()).hexdigest()
    date = re.search(r'^SOURCE_DATE_EPOCH="(\d+)"', buildinfo.read_text().replace('\n ', '\n'), re.M)
    created = subprocess.run(['date', '-u', '-d', '@' + (date[1] if date else '0'), '+%Y-%m-%dT%H:%M:%SZ'], check=True,
                             capture_output=True, text=True).stdout.strip()
    return {'spdxVersion': 'SPDX-2.3', 'dataLicense': 'CC0-1.0', 'SPDXID': 'SPDXRef-DOCUMENT', 'name': buildinfo.stem,
            'documentNamespace': f'urn:habit:sbom:{digest}',
            'creationInfo': {'created': created, 'creators': ['Tool: habit packaging/sbom.py']},
            'packages': packages, 'relationships': relations}


def main():
    buildinfo, *debs = map(pathlib.Path, sys.argv[1:])
    print(json.dumps(document(buildinfo, debs), indent=1))


if __name__ == '__main__':
    main()
