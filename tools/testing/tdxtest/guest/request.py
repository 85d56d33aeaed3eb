# SPDX-License-Identifier: GPL-2.0-only
"""What a command asks for: what to build, what to boot, what to expect of it.

A request never changes. For something else, another request is made of it by
dataclasses.replace(), or by with_build() and with_boot(). The defaults of the command line are
those of these classes.
"""

import argparse
import dataclasses
import os
import re
import shlex
import typing
from collections.abc import Sequence

from tdxtest.base.build_folder import check_name
from tdxtest.base.failure import UsageError
from tdxtest.base.paths import PROJECT
from tdxtest.guest import machines, shards
from tdxtest.guest.machines import Machine, bochs
from tdxtest.guest.td.request import TdRequest
from tdxtest.tree import abi, kernel, series, source, suite
from tdxtest.verdict import kcidb, results

# Whose selftest library the suite is built with.
TREE, PACKAGED = LIBRARIES = ('tree', 'packaged')


@dataclasses.dataclass(frozen=True)
class BuildRequest:
    """What to build, and where."""

    folder: str = os.path.join(PROJECT, 'build')
    mirror: str = ''                # of Debian; '' is the one that the system's apt names
    kernel: str = ''                # a packaged series; '' is the newest
    kdir: str = ''                  # a person's tree, in place of a packaged one
    update: bool = False            # look for a newer package
    abi: str = ''                   # a generation; '' is the kernel's own
    patches: tuple[str, ...] = ()   # rows of patches/series on request
    debug: bool = False             # a kernel that checks itself
    carried: tuple[str, ...] = ()   # files of patches of the person's own
    config: str = ''                # a person's fragment of .config
    library: str = ''               # of LIBRARIES; '' is the tree's if the suite fits it


@dataclasses.dataclass(frozen=True)
class BootRequest:
    """What to boot, on what, and for how long."""

    machine: Machine = bochs.MACHINE
    cpus: int = 1                   # of a guest
    jobs: int = 1                   # guests that share the tests
    repeat: int = 1                 # how often each test runs
    silence: float = 180            # seconds without output after which a guest is ended
    total: float = 3600             # seconds in all
    trace: int = 0                  # events to print after a test that failed
    cost: bool = False              # tests print where the cost of their cases goes
    verbose: bool = False           # the whole console
    # (test, pattern of its cases or ''), all tests without any
    tests: tuple[tuple[str, str], ...] = ()
    # (name, value) of the environment of the tests
    environment: tuple[tuple[str, str], ...] = ()
    shard: shards.Shard = (1, 1)    # the part of the tests to run: (number, of how many)
    collect: str = ''               # a folder of the guest whose .gcda files are wanted
    td: TdRequest = TdRequest()     # for the tests that boot one


@dataclasses.dataclass(frozen=True)
class ExpectRequest:
    """What is expected of the tests."""

    generation: str = ''            # of the ABI; '' is the one that is built
    strict_abi: bool = False        # a case that the generation does not have fails
    strict_findings: bool = False   # a case that passes in spite of a finding is a problem


@dataclasses.dataclass(frozen=True)
class ShowRequest:
    """What to print of a run."""

    raw: bool = False               # its KTAP, on a terminal as well
    summary: bool = False           # the summary only
    failed: bool = False            # failed cases and the summary only


@dataclasses.dataclass(frozen=True)
class Request:
    """All that a command asks for."""

    build: BuildRequest = BuildRequest()
    boot: BootRequest = BootRequest()
    expect: ExpectRequest = ExpectRequest()
    output: results.Output = results.Output()
    show: ShowRequest = ShowRequest()

    def with_build(self, **changes: typing.Any) -> 'Request':
        return dataclasses.replace(self, build=dataclasses.replace(self.build, **changes))

    def with_boot(self, **changes: typing.Any) -> 'Request':
        return dataclasses.replace(self, boot=dataclasses.replace(self.boot, **changes))

    def generation(self, work_source: source.Source) -> abi.Generation:
        """The generation of the ABI that is built of a source."""
        return (abi.named(self.build.abi) if self.build.abi else
                abi.of_tree(work_source.key(), self.build.patches))

    def expected(self, work_source: source.Source) -> abi.Generation:
        """The generation of the ABI that the tests expect."""
        return (abi.named(self.expect.generation) if self.expect.generation else
                self.generation(work_source))


def parse_environment(words: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """['NAME=VALUE'] as pairs; UsageError for a word that is none."""
    for word in words:
        if not re.fullmatch(r'[A-Za-z_]\w*=\S*', word):
            raise UsageError(f'--env {word}: wanted NAME=VALUE without spaces')
    pairs = (word.partition('=') for word in words)
    return tuple((name, value) for name, _, value in pairs)


def parse_repeat(times: int) -> int:
    """How often each test runs; UsageError for less than once."""
    if times < 1:
        raise UsageError(f'--repeat {times}: wanted a number of repetitions, 1 or more')
    return times


# The field of a request: the option that it comes from, and what is made of its value.
OPTIONS: dict[type, dict[str, tuple[str, typing.Callable[[typing.Any], typing.Any]]]] = {
    BuildRequest: {
        'folder': ('build', str), 'mirror': ('mirror', str), 'kernel': ('kernel', str),
        'kdir': ('kdir', str), 'update': ('update', bool), 'abi': ('abi', str),
        'patches': ('patch', series.requested), 'debug': ('debug', bool),
        'carried': ('carried', tuple),
        'config': ('config', lambda path: os.path.abspath(os.path.expanduser(path))
                   if path else ''),
        'library': ('library', str),
    },
    BootRequest: {
        'machine': ('machine', machines.named), 'cpus': ('cpus', int),
        'jobs': ('jobs', shards.jobs), 'silence': ('silence', float), 'total': ('total', float),
        'repeat': ('repetitions', parse_repeat),
        'trace': ('trace', int), 'cost': ('cost', bool),
        'verbose': ('verbose', bool),
        'tests': ('tests', lambda words: tuple(suite.parse_selection(' '.join(words)))),
        'environment': ('env', parse_environment),
        'shard': ('shard', shards.parse_shard),
    },
    ExpectRequest: {
        'generation': ('expect', str), 'strict_abi': ('strict_abi', bool),
        'strict_findings': ('strict', bool),
    },
    ShowRequest: {
        'raw': ('raw_output', bool), 'summary': ('summary', bool), 'failed': ('failed', bool),
    },
    results.Output: {
        'json': ('json', str), 'junit': ('junit', str), 'lava': ('lava', str),
        'kcidb': ('kcidb', str), 'kcidb_origin': ('kcidb_origin', kcidb.check_origin),
    },
}
# What a host that keeps its own kernel cannot have.
OF_OWN_KERNEL = {'abi': '--abi', 'patches': '--patch', 'debug': '--debug', 'kdir': '--kdir',
                 'config': '--config', 'library': '--library'}


def part(kind: type, given: dict[str, typing.Any]) -> typing.Any:
    """A request of one kind from those of its options that a command has."""
    return kind(**{field: make(given[option]) for field, (option, make) in OPTIONS[kind].items()
                   if option in given})


def from_arguments(args: argparse.Namespace, **more: typing.Any) -> Request:
    """The request of a command line; more: options that the command sets by itself.

    UsageError for what cannot be done, before anything long is.
    """
    given = {**vars(args), **more}
    request = Request(part(BuildRequest, given), part(BootRequest, given),
                      part(ExpectRequest, given), part(results.Output, given),
                      part(ShowRequest, given))
    check_name(request.build.folder)
    if request.build.kernel and request.build.kdir:
        raise UsageError('KERNEL= and KDIR= are two answers to one question; give one')
    request.boot.machine.check_cpus(request.boot.cpus)
    if request.boot.machine.runs_host:
        check_host(given['command'], request)
    for name in filter(None, (request.build.abi, request.expect.generation)):
        abi.named(name)
    if request.build.kdir:
        source.from_kdir(request.build.kdir)
    if request.build.config:
        kernel.check_own(request.build.config, ('base', 'sim'))
    return request


def again(request: Request, test: str) -> str:
    """The command that runs one test or case as a request does."""
    build, boot, expect = request.build, request.boot, request.expect
    words = ['tdxtest.py', 'run']
    for value, default, option in (
            (build.folder, BuildRequest.folder, '--build'), (build.kernel, '', '--kernel'),
            (build.kdir, '', '--kdir'), (build.abi, '', '--abi'),
            (boot.machine.option, BootRequest.machine.option, '--machine'),
            (boot.cpus, BootRequest.cpus, '--cpus'),
            (boot.repeat, BootRequest.repeat, '--repeat'), (expect.generation, '', '--expect')):
        if value != default:
            words += [option, str(value)]
    for patch in build.patches:
        words += ['--patch', patch]
    for pair in boot.environment:
        words += ['--env', '='.join(pair)]
    words += [option for wanted, option in ((build.debug, '--debug'), (boot.trace, '--trace'),
                                            (expect.strict_abi, '--strict-abi')) if wanted]
    # --trace may take a number: no test may follow it.
    words.sort(key=lambda word: word == '--trace')
    return shlex.join([*words, *(['--'] if boot.trace else []), test])


def check_host(command: str, request: Request) -> None:
    """UsageError for what would change the kernel of somebody's host."""
    wrong = [option for field, option in OF_OWN_KERNEL.items()
             if dataclasses.asdict(request.build)[field]]
    wrong += ['--cost'] if request.boot.cost else []
    if command != 'run':
        wrong.insert(0, command)
    if wrong:
        raise UsageError(f'--machine {request.boot.machine.option}: {wrong[0]} needs a kernel '
                         'that is built here; the host keeps its own')
