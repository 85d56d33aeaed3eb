# SPDX-License-Identifier: GPL-2.0-only
"""A host that is reached by ssh: its own kernel, and the TDX module that it has."""

import dataclasses
import os
import re
import shutil
import tarfile
from collections.abc import Iterable

from tdxtest.base import command
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure, UsageError

HERE = os.path.dirname(os.path.abspath(__file__))
PREFIX = 'ssh:'
# ssh must not ask questions.
OPTIONS = ('-o', 'BatchMode=yes', '-o', 'ConnectTimeout=20')
SCRIPT = os.path.join(HERE, 'ssh_run.sh')
REMOTE_SCRIPT = os.path.join(HERE, 'ssh_remote.sh')


@dataclasses.dataclass(frozen=True)
class Installation:
    """What answers on the host. version: of its kernel, as uname -r gives it."""

    version: str


@dataclasses.dataclass(frozen=True)
class Ssh:
    """A host. It is not booted: the tests run under the kernel that it has."""

    host: str
    name: str = 'ssh'
    watermark: str = ''
    parameters: str = ''
    debug_parameters: str = ''
    patches: tuple[str, ...] = ()
    runs_host: bool = True
    # If the host dies in a test, the connection ends, and ssh may exit with any status.
    guest_exits: range = range(256)

    @property
    def option(self) -> str:
        """The name as --machine takes it."""
        return f'{PREFIX}{self.host}'

    def prepare(self, build: Build) -> Installation:
        """Ask the host for its kernel; gives the Installation."""
        if not shutil.which('ssh'):
            raise Failure('ssh is not there; install openssh-client')
        version = command.output(['ssh', *OPTIONS, self.host, 'uname -r']).strip()
        if not re.match(r'\d+\.\d+', version):
            raise Failure(f'{self.host}: uname -r gives no version of Linux: {version[:60]!r}')
        build.progress.say(f'note: {PREFIX}{self.host} runs Linux {version}; '
                           'hosts with TDX were not tried yet')
        return Installation(version)

    def check_cpus(self, cpus: int) -> None:
        if cpus != 1:
            raise UsageError(f'CPUS={cpus}: {PREFIX}{self.host} has the CPUs that it has')

    def bundle(self, path: str, plan: str, programs: Iterable[str], patterns: str) -> None:
        """Pack what the host needs: the runner, the plan, the tests, the texts of warnings."""
        with tarfile.open(path, 'w') as tar:
            for source, name in ((REMOTE_SCRIPT, 'run.sh'), (plan, 'plan'),
                                 (patterns, 'kernel-warnings.list'),
                                 *((p, f'tests/{os.path.basename(p)}') for p in programs)):
                tar.add(source, name)

    def for_vmm(self, memory_mb: int) -> 'Ssh':
        """Nothing is booted: the host has the memory that it has."""
        return self

    def command(self, installation: Installation, folder: str, image: str, com: tuple[str, str],
                cpus: int) -> tuple[list[str], dict[str, str]]:
        """argv and environment that run the bundle `image`, its output in a file."""
        mode, device = com
        if mode != 'file':
            raise UsageError(f'{PREFIX}{self.host} has no console; use ssh')
        return ['sh', SCRIPT, self.host, image, device, *OPTIONS], {}
