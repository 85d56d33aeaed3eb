# SPDX-License-Identifier: GPL-2.0-only
"""Debian roots: a system of another suite in a folder, and commands that run in it.

    why = root.unavailable()                     # '' where roots can be made
    base = root.make(build, 'gcc-14', 'trixie', ('gcc', 'make'))
    base.run(['make'], log, cwd='/src', mounts=[root.Mount(tree, '/src')])

    with base.copied('user') as fresh:           # for what must not change the base
        fresh.add_user('tester')                 # one who may use sudo
        fresh.run(['make', '-C', 'project', 'run'], log, user='tester')

make() keeps a root below the build folder and makes it anew when its packages or its
mirror differ, or when it is a week old. run() is command.run(): it raises Failure when
the command fails. command() gives the argument list, for a caller that wants the
exit status.

It takes root or sudo, or else a user with subordinate ids (newuidmap) where the kernel
lets him make namespaces. Every command runs in mount and PID namespaces of its own
(root_enter.sh). So its mounts are never seen in the folder from outside, and its processes
and mounts end with it, killed or not: remove() has nothing to follow out of the root.
It refuses a folder with a mount in it all the same.
"""

import contextlib
import dataclasses
import json
import os
import re
import shutil
import subprocess
import time
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tdxtest.base import apt, command, privilege
from tdxtest.base.build_folder import Build, write_if_changed
from tdxtest.base.failure import Failure

ENTER = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'root_enter.sh')
# --kill-child: the first process of a PID namespace takes all others with it.
NAMESPACES = ('unshare', '--mount', '--propagation', 'private', '--pid', '--mount-proc',
              '--fork', '--kill-child')
AS_ROOT_OF_USER = ('unshare', '--user', '--map-root-user', '--map-auto')
PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
# A suite that moves has other packages a week later.
DAY_S = 24 * 60 * 60
MAX_AGE_S = 7 * DAY_S
PROXY = re.compile(r'Acquire::.*proxy.*', re.IGNORECASE)


@dataclasses.dataclass(frozen=True)
class Mount:
    """A file or folder of this machine that is seen in a root."""

    source: str
    target: str             # absolute, in the root; made if it is not there
    writable: bool = False


def privileged(argv: list[str]) -> list[str]:
    """argv by root, through sudo, or by the root of a user namespace."""
    if privilege.is_root() or shutil.which('sudo'):
        return privilege.as_root(argv, {})
    return [*AS_ROOT_OF_USER, *argv]


def run_privileged(argv: list[str], log: str, what: str) -> None:
    """command.run() of privileged(); sudo may ask for a password."""
    command.run(privileged(argv), log, what=what, in_session=not privilege.is_root())


def unavailable() -> str:
    """Why this machine cannot make roots, in a few words; '' where it can."""
    why = privilege.refusal()
    if why and shutil.which('sudo'):
        return why
    if why and not shutil.which('newuidmap'):
        return f'{why}, nor newuidmap of the package uidmap'
    done = subprocess.run(privileged([*NAMESPACES, 'true']), stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False,
                          env=command.environment())
    if done.returncode:
        return ('mount namespaces are not allowed: '
                + (done.stderr.strip().splitlines() or ['no message'])[-1])
    return ''


def mounts_below(folder: str, mountinfo: str) -> list[str]:
    """The mount points at or below a folder, by the text of /proc/self/mountinfo."""
    # A space and the like is written as \040.
    points = [re.sub(r'\\([0-7]{3})', lambda m: chr(int(m[1], 8)), line.split()[4])
              for line in mountinfo.splitlines()]
    return [p for p in points if p == folder or p.startswith(folder + '/')]


class Root:
    """A Debian system in a folder below the build folder."""

    def __init__(self, build: Build, name: str) -> None:
        self.build = build
        self.name = name
        self.folder = os.path.realpath(build.path('roots', name))

    def command(self, argv: Sequence[str], *, user: str = 'root', cwd: str = '',
                env: Mapping[str, str] | None = None, mounts: Sequence[Mount] = ()) -> list[str]:
        """The argument list that runs argv in the root.

        cwd: the user's home unless one is given.
        env: all that the command finds in its environment, beside HOME, PATH, USER
        and a UTF-8 locale.
        """
        home = '/root' if user == 'root' else os.path.join('/home', user)
        env = {'HOME': home, 'PATH': PATH, 'USER': user, 'LC_ALL': 'C.UTF-8', **(env or {})}
        words = [w for m in mounts for w in (os.path.realpath(m.source), m.target,
                                             'rw' if m.writable else 'ro')]
        become = [] if user == 'root' else ['setpriv', f'--reuid={user}', f'--regid={user}',
                                            '--init-groups']
        return privileged([*NAMESPACES, 'sh', ENTER, self.folder, *words, '--', *become, 'env',
                           '-i', '-C', cwd or home, *(f'{k}={v}' for k, v in env.items()), *argv])

    def run(self, argv: Sequence[str], log: str, *, what: str | None = None,
            stdout: str | None = None, **how: typing.Any) -> None:
        """command.run() in the root; how: what command() takes."""
        command.run(self.command(argv, **how), log, what=what or f'{argv[0]} in {self.name}',
                    stdout=stdout, in_session=not privilege.is_root())

    def add_user(self, name: str) -> None:
        """A user with a home, who may become root by sudo without a password."""
        log = self.build.log('roots')
        self.run(['useradd', '--create-home', '--shell', '/bin/sh', name], log)
        self.run(['sh', '-c', 'mkdir -p /etc/sudoers.d && echo "$1 ALL=(ALL) NOPASSWD: ALL" '
                  '> "/etc/sudoers.d/$1" && chmod 440 "/etc/sudoers.d/$1"', 'sh', name], log)

    def copy(self, name: str) -> 'Root':
        """A copy of the root, in the place of an older one of that name."""
        copy = Root(self.build, name)
        copy.remove()
        run_privileged(['cp', '-a', '--one-file-system', '--reflink=auto', self.folder,
                        copy.folder], self.build.log('roots'), f'copy of {self.name}')
        return copy

    @contextlib.contextmanager
    def copied(self, name: str) -> Iterator['Root']:
        """A copy of the root for the body, removed after it."""
        try:
            yield self.copy(name)
        finally:
            Root(self.build, name).remove()

    def remove(self) -> None:
        """Remove the root, nothing that is mounted in it. Failure if something is."""
        with open('/proc/self/mountinfo', encoding='utf-8') as f:
            mounted = mounts_below(self.folder, f.read())
        if mounted:
            raise Failure(f'{mounted[0]} is mounted; unmount it, for {self.folder} to be removed')
        run_privileged(['rm', '-rf', '--one-file-system', '--preserve-root=all', '--',
                        self.folder], self.build.log('roots'), f'removal of {self.name}')


def proxies(dump: str) -> list[str]:
    """The lines of apt-config dump that name a proxy."""
    return [line for line in dump.splitlines() if PROXY.fullmatch(line) and '""' not in line]


def is_made(stamp: str, facts: Mapping[str, object]) -> bool:
    """Whether a root of these facts is there, and is not too old."""
    try:
        with open(stamp, encoding='utf-8') as f:
            return json.load(f) == facts and time.time() - os.path.getmtime(stamp) < MAX_AGE_S
    except (FileNotFoundError, ValueError):
        return False


def make(build: Build, name: str, suite: str, packages: Iterable[str] = ()) -> Root:
    """The Root of a Debian suite with packages, which is made if it is not there yet.

    name: of its folder; each caller has names of its own.

    The mirror is the build's. mmdebstrap must be installed: packages.tsv has it.
    """
    packages = sorted(packages)
    root = Root(build, name)
    mirror = build.mirror()
    stamp = build.path('roots', f'{name}.json')
    facts = {'suite': suite, 'packages': packages, 'mirror': mirror}
    if is_made(stamp, facts) and os.path.isdir(root.folder):
        return root
    options = [f'--include={package}' for package in packages]
    options += [f'--aptopt={line}' for line in proxies(command.output(['apt-config', 'dump']))]

    def debootstrap(source: str) -> None:
        run_privileged([*NAMESPACES, 'mmdebstrap', '--mode=root', '--variant=minbase',
                        f'--keyring={apt.KEYRING}', *options, suite, root.folder, source],
                       build.log('roots'), f'mmdebstrap {suite}')

    build.folder('roots')
    with contextlib.suppress(FileNotFoundError):
        os.unlink(stamp)
    with build.progress.step('roots', f'Debian {suite} from {mirror}, '
                             f'{len(packages)} package(s) more than the smallest'):
        root.remove()
        try:
            debootstrap(f'deb {mirror} {suite} main')
        except Failure as e:
            # As IsolatedApt.update() does: signatures are checked all the same.
            if 'is expired' not in str(e):
                raise
            build.progress.say(f'note: the lists of {mirror} have expired; '
                               'it is taken for a snapshot')
            root.remove()
            debootstrap(f'deb [check-valid-until=no] {mirror} {suite} main')
    write_if_changed(stamp, json.dumps(facts, indent=1).encode())
    return root
