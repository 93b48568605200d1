#!/usr/bin/python3
"""Builds the OCI image of packaging/oci/Containerfile out of packages that build.py has made, by buildah in a clean root: without
Docker, without a registry, and without changing this machine. The image's base is a clean Debian root too (packaging/roots.py).

usage: image.py [--suite bookworm] [ARCH...]     writes build-packages/SUITE/habit_VERSION_ARCH.oci.tar"""
import argparse
import pathlib
import subprocess
import sys

import roots

TREE = pathlib.Path(__file__).resolve().parents[1]
TOOLS = ['buildah', 'umoci', 'crun']  # the latter two unpack and run it: tests/install/test_image.py

# In the root of the tools. No layer of its own for the base: what the Containerfile removes of it is gone.
BUILD = '''
set -o pipefail
arch=$1 version=$2 platform=$3
export BUILDAH_ISOLATION=chroot
base=$(buildah from --platform "$platform" scratch)
tar -C /base --exclude './dev/*' --exclude './var/lib/apt/lists/*' --exclude './var/cache/apt/*' --exclude ./usr/sbin/policy-rc.d -c . |
    tar -C "$(buildah mount "$base")" -x
buildah commit -q --rm "$base" localhost/base >/dev/null
buildah bud -q --squash --pull-never --platform "$platform" --build-arg BASE=localhost/base --build-arg ARCH="$arch" \\
    --build-arg VERSION="$version" -t localhost/habit -f /oci/Containerfile /packages >/dev/null
buildah push -q localhost/habit "oci-archive:/out/habit_${version}_$arch.oci.tar:habit:$version"
'''
PLATFORMS = {'amd64': 'linux/amd64', 'arm64': 'linux/arm64', 'armhf': 'linux/arm/v7'}


def tools_root(suite='bookworm'):
    """A clean root with what handles images."""
    def how(target):
        roots.say('tools for images, once')
        partial = target.with_name(target.name + '.partial')
        subprocess.run(['rm', '-rf', partial], check=True)
        subprocess.run(['cp', '-a', roots.clean_root(suite, 'amd64'), partial], check=True)
        roots.enter(partial, ['apt-get', 'install', '-y', '-q', '--no-install-recommends', *TOOLS],
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # Layers as plain folders: this root is on an overlay itself when it is used.
        (partial / 'etc/containers/storage.conf').write_text(
            '[storage]\ndriver = "vfs"\nrunroot = "/run/containers/storage"\ngraphroot = "/var/lib/containers/storage"\n')
        partial.rename(target)

    return roots.made(f'{suite}-image-tools', how)


def version_of(arch, packages):
    """Of the newest package of habitd."""
    found = sorted(packages.glob(f'habitd_*_{arch}.deb'), key=lambda path: path.stat().st_mtime)
    if not found:
        raise roots.Failed(f'{packages} has no habitd for {arch}: ./dev package {arch}')
    return found[-1].name.split('_')[1]


def build(suite, arch, packages):
    """Returns the archive with the image."""
    version = version_of(arch, packages)
    roots.say(f'{suite} {arch}: image of habit {version}')
    binds = [(roots.clean_root(suite, arch), '/base', 'ro'), (packages, '/packages', 'ro'), (packages, '/out', 'rw'),
             (TREE / 'packaging/oci', '/oci', 'ro')]
    made = packages / f'habit_{version}_{arch}.oci.tar'
    made.unlink(missing_ok=True)
    tools = tools_root()
    with roots.layer() as layer:
        roots.enter(tools, ['bash', '-euc', BUILD, 'image', arch, version, PLATFORMS[arch]], arch=arch, layer=layer, binds=binds,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return made


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('--suite', default='bookworm', help='of Debian: bookworm (12) or trixie (13); default: %(default)s')
    parser.add_argument('arch', nargs='*', metavar='ARCH', help='default: amd64')
    options = parser.parse_args()
    unknown = set(options.arch) - set(roots.ARCHITECTURES)
    if unknown:
        parser.error(f'{", ".join(unknown)}: not one of {", ".join(roots.ARCHITECTURES)}')
    try:
        for arch in options.arch or ['amd64']:
            print(build(options.suite, arch, TREE / 'build-packages' / options.suite))
    except roots.Failed as failed:
        sys.exit(f'image: {failed}')


if __name__ == '__main__':
    main()
