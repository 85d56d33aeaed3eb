# SPDX-License-Identifier: GPL-2.0-only
"""Measures the tools that kernel developers use for a boot and a test, on the same tree.

Both run in QEMU without KVM, as this project runs in Bochs: the speed of a CPU with VMX
would say nothing about the tools.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence

from tdxtest.base import apt, command
from tdxtest.base.failure import Failure
from tdxtest.base.progress import Progress

KUNIT = 'tools/testing/kunit/kunit.py'
KUNIT_TIMES = re.compile(r'Elapsed time: [\d.]+s total, ([\d.]+)s configuring, '
                         r'([\d.]+)s building, ([\d.]+)s running')
# A small suite that kunit.py runs by itself, in its default configuration.
KUNIT_SUITE = 'list-kunit-test'
# kunit.py lets QEMU use KVM wherever /dev/kvm exists, even if it does not work.
KVM = '/dev/kvm'
WITHOUT_KVM = ('unshare', '--map-root-user', '--mount', 'sh', '-c',
               f'mount --bind /dev/null {KVM} && exec "$@"', 'sh')
VNG = 'virtme-ng'
# What was measured, its unit, and the samples.
Samples = tuple[str, str, list[float]]


def timed(argv: Sequence[str], log: str, cwd: str) -> tuple[float, str]:
    """Seconds that a command took, and what it printed; Failure if it failed."""
    begin = time.monotonic()
    done = subprocess.run(argv, cwd=cwd, env=command.environment(), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          errors='replace', check=False)
    with open(log, 'w', encoding='utf-8') as f:
        f.write(done.stdout)
    if done.returncode:
        raise Failure(f'{argv[0]} ended with {done.returncode}; what it said is in {log}')
    return time.monotonic() - begin, done.stdout


def kunit(tree: str, folder: str, progress: Progress, repeat: int) -> list[Samples]:
    """[(what, unit, samples)] of kunit's own tool under QEMU."""
    out = os.path.join(folder, 'out')
    shutil.rmtree(out, ignore_errors=True)
    argv = [*(WITHOUT_KVM if os.path.exists(KVM) else ()), sys.executable, KUNIT, 'run',
            '--arch=x86_64', f'--build_dir={out}', f'--jobs={os.cpu_count() or 1}']
    rows: dict[str, list[float]] = {}
    parts = [('build from nothing', [KUNIT_SUITE])]
    parts += [('one suite', [KUNIT_SUITE])] * repeat
    # It takes minutes, and the same each time.
    parts += [('all suites', [])]
    for what, words in parts:
        took, text = timed([*argv, *words], os.path.join(folder, 'kunit.log'), tree)
        match = KUNIT_TIMES.search(text)
        if not match:
            raise Failure('kunit.py told no times')
        if what == 'build from nothing':
            took = float(match[2])
        rows.setdefault(what, []).append(took)
        if what == 'one suite':
            rows.setdefault('one suite, of it the boot', []).append(float(match[3]))
    return [(what, 's', samples) for what, samples in rows.items()]


def virtme(tree: str, folder: str, progress: Progress, repeat: int) -> list[Samples]:
    """The same of virtme-ng, nothing where it is not packaged."""
    if not apt.AptState().versions(VNG):
        progress.say(f'bench: {VNG} is not packaged for this system, and is left out')
        return []
    if not shutil.which('vng'):
        apt.install({VNG: 'a peer of the bench'}, progress, os.path.join(folder, 'apt.log'))
    out = os.path.join(folder, 'out')
    os.makedirs(out, exist_ok=True)
    build, _ = timed(['vng', '--build', f'O={out}', f'--jobs={os.cpu_count() or 1}'],
                     os.path.join(folder, 'build.log'), tree)
    image = os.path.join(out, 'arch/x86/boot/bzImage')
    argv = ['vng', '--disable-kvm', '--run', image, '--', 'uname -r']
    boots = [timed(argv, os.path.join(folder, 'boot.log'), folder)[0] for _ in range(repeat)]
    return [('build from nothing', 's', [build]), ('boot', 's', boots)]


# The groups of the table, and who measures them.
PEERS = {'kunit.py': kunit, VNG: virtme}
