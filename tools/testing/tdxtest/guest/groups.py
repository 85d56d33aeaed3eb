# SPDX-License-Identifier: GPL-2.0-only
"""Tries several builds of KVM's modules in few boots: a group of the plan each.

The guest loads the modules of a group, runs its tests, takes the modules out and goes on with
the next. It stops after a group in which the kernel warned or kept a module, since later
effects could not be told from earlier ones. A group may also end the guest, and one that
spoils it unseen is the last that it is given. A fresh guest runs the groups that are left.
"""

import concurrent.futures
import dataclasses
import os
import threading
import typing
from collections.abc import Iterable, Sequence

from tdxtest.base.failure import Failure
from tdxtest.guest import boot, image, runs
from tdxtest.guest.stages import Built
from tdxtest.guest.td import tests as td
from tdxtest.tree.kernel import Modules
from tdxtest.tree.suite import Tests
from tdxtest.verdict import judging, ktap


@dataclasses.dataclass(frozen=True)
class Group:
    """What to load and to run together.

    modules: [(file, [parameters])] in the order of loading; tests: [(name, [arguments])];
    spoils: 0 if the guest is fit for other groups afterwards; 1 if it is probably not, and the
    guest notices that itself; 2 if it does not notice.
    """

    name: str
    modules: Modules
    tests: Tests
    spoils: int = 0

    def guest_path(self, file: str) -> str:
        return f'/lib/{self.name}/{os.path.basename(file)}'

    def plan_lines(self) -> list[str]:
        lines = [f'group {self.name}']
        lines += [' '.join(['module', self.guest_path(file), *parameters])
                  for file, parameters in self.modules]
        return lines + image.test_lines(self.tests)

    def weight(self) -> int:
        """About how long it takes, in cases; to load and to remove KVM is as long as five."""
        return 5 + sum(max(1, len(args) // 2) for _, args in self.tests)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The result of a group: its own KTAP document, and why the guest died in it, if it did."""

    group: Group
    console: ktap.Console
    died: str = ''

    def test(self, name: str) -> ktap.Test | None:
        return next((t for t in self.console.tests if t.result.name == name), None)

    def loaded(self) -> bool:
        step = self.test('load_kvm')
        return bool(step and step.result.ok)

    def warnings(self) -> list[str]:
        """The kernel's warnings while the group ran."""
        return [text for text, is_warning in self.console.log if is_warning]

    def warned(self) -> str:
        """The first of them, '' if there was none."""
        return next(iter(self.warnings()), '')

    def tests(self) -> list[str]:
        """The tests that the group has, in their order."""
        return [name for name, _ in self.group.tests]

    def names(self, test: str, case: str) -> bool:
        """The group has the case."""
        return any(name == test and (not args or case in args) for name, args in self.group.tests)

    def case_results(self, name: str) -> dict[str, ktap.Case]:
        """{case id: Case} of a test."""
        test = self.test(name) or self.console.open
        return {case.name: case for case in test.cases}

    def unended(self, name: str) -> str:
        """Why a test ended before its last case, '' if it did not."""
        test = self.test(name)
        if test is None:
            return self.died or 'it was not run'
        note = test.result.note
        return note if not test.result.ok and note.startswith(('TIMEOUT', 'killed')) else ''


def split(lines: Iterable[str]) -> list[tuple[str, list[str]]]:
    """The nested documents of a console: [(name, [lines])], the last one '' if it is open.

    A line of the kernel belongs to the document that is open.
    """
    documents, inner = [], []
    started = False
    for line in lines:
        if not started:
            started = bool(ktap.VERSION.match(line.rstrip('\r\n')))
            continue
        result = ktap.RESULT.match(line.rstrip('\r\n'))
        if line.startswith('  '):
            inner.append(line[2:])
        elif result:
            if any(ktap.VERSION.match(text.rstrip('\r\n')) for text in inner):
                documents.append((result[4].strip(), inner))
            inner = []
        elif inner:
            inner.append(line)
    if any(ktap.VERSION.match(text.rstrip('\r\n')) for text in inner):
        documents.append(('', inner))
    return documents


def read(lines: Iterable[str], groups: Sequence[Group],
         ended: str | None = '') -> tuple[list[Outcome], list[Group]]:
    """(outcomes, groups that are left) of a guest that had to run `groups`.

    ended: why the guest was ended, '' if it powered off by itself.
    """
    outcomes = []
    for group, (name, inner) in zip(groups, split(lines)):
        if name not in ('', group.name):
            raise Failure(f'the guest ran {name}, wanted {group.name}')
        console = ktap.Console()
        for line in inner:
            console.feed(line)
        died = '' if name else (console.panic or ended or 'the machine ended')
        outcomes.append(Outcome(group, console, died))
    return outcomes, list(groups[len(outcomes):])


def deal(groups: Sequence[Group], count: int) -> list[list[Group]]:
    """The groups as at most `count` shares of about the same weight.

    Groups that spoil a guest come last, since no group can run after them: first those after
    which the guest ends by itself, then those that it does not notice.
    """
    shares: list[list[Group]] = [[] for _ in range(max(1, min(count, len(groups))))]
    load = [0] * len(shares)
    for group in sorted(groups, key=lambda g: -g.weight()):
        least = load.index(min(load))
        shares[least].append(group)
        load[least] += group.weight()
    return [sorted(share, key=lambda g: (g.spoils, g.name)) for share in shares]


def one_guest(share: Sequence[Group]) -> Sequence[Group]:
    """The first groups of a share, up to one that spoils the guest and is not noticed."""
    end = next((n for n, group in enumerate(share, 1) if group.spoils > 1), len(share))
    return share[:end]


class Runner:
    """Boots guests until every group has an outcome.

    built: the kernel and the suite, and the request for the guests; outer: [(file,
    [parameters])], the modules that stay loaded; timeout_s: of each test, in guest time.
    """

    def __init__(self, built: Built, name: str, outer: Modules, timeout_s: int) -> None:
        self.built = built
        self.name = name
        self.outer = outer
        self.timeout_s = timeout_s
        self.boots = 0
        self._installation: typing.Any = None
        self._guests: dict[int, boot.Guest] = {}    # {number of a share: the guest that runs it}
        self._lock = threading.Lock()
        self._interrupted = False

    def _image(self, folder: str, share: Sequence[Group]) -> str:
        built = self.built
        watermark = (built.request.boot.machine.watermark if built.kernel.has('INTEL_TDX_SIM')
                     else '')
        plan = image.plan_text([], self.outer, watermark, self.timeout_s, False,
                               runs.environment(built))
        plan += '\n'.join(line for group in share for line in group.plan_lines()) + '\n'
        extra = {group.guest_path(file): file for group in share for file, _ in group.modules}
        tests = [test for group in share for test in group.tests]
        extra.update(td.files(built, tests))
        programs = td.programs(built, sorted({name for name, _ in tests}))
        return image.Image(built.build, folder).make(built.kernel, programs, plan, '',
                                                     runs.parameters(built.request), extra)

    def _boot(self, number: int, image_path: str, folder: str) -> tuple[list[str], str | None]:
        """Boot the guest of a share; gives (lines, why it was ended)."""
        wanted = self.built.request.boot
        guest = runs.new_guest(self.built.request, folder)
        with self._lock:
            if self._interrupted:
                return [], ''
            self.boots += 1
            self._guests[number] = guest
        boot.run([guest], [image_path], self._installation, wanted.cpus,
                 self.built.progress.line if wanted.verbose else lambda line: None)
        if self._interrupted:
            return [], ''
        why = judging.not_run_why(guest.console, guest.ended)
        if why:
            raise Failure(f'guest: {why} (console: {guest.console_path})')
        with open(guest.console_path, encoding='utf-8', errors='replace') as f:
            return f.readlines(), guest.ended

    def _run_share(self, number: int, share: Sequence[Group], folder: str,
                   image_path: str) -> list[Outcome]:
        """The outcomes of a share, in as many boots as it takes."""
        outcomes = []
        while share and not self._interrupted:
            lines, ended = self._boot(number, image_path, folder)
            if self._interrupted:
                break
            done, _ = read(lines, one_guest(share), ended)
            share = share[len(done):]
            if not done:
                raise Failure(f'the guest came to none of its groups: {ended or "no reason"}')
            outcomes += done
            if share:
                image_path = self._image(folder, one_guest(share))
        return outcomes

    def _interrupt(self) -> None:
        """End all guests: one share failed, or the tool was interrupted."""
        with self._lock:
            self._interrupted = True
            for guest in self._guests.values():
                guest.close()

    def run(self, shares: Sequence[Sequence[Group]]) -> list[Outcome]:
        """The Outcomes of all groups; each share has a guest to itself at a time."""
        self.built = built = td.fitting(
            self.built, [group.tests for share in shares for group in share])
        self._installation = built.request.boot.machine.prepare(built.build)
        folders = [built.build.folder('run', built.work.source.name, self.name, str(n))
                   for n in range(1, len(shares) + 1)]
        with built.progress.step('image', f'{len(shares)} boot image(s) with '
                                   f'{sum(map(len, shares))} group(s)'):
            images = [self._image(folder, one_guest(share))
                      for folder, share in zip(folders, shares)]
        where, cpus = os.path.dirname(folders[0]), built.request.boot.cpus
        with built.progress.step('boot', f'{len(shares)} guest(s), {cpus} CPU(s) each; '
                                   f'consoles below {where}',
                                   lambda: boot.how_far(list(self._guests.values()))), \
                concurrent.futures.ThreadPoolExecutor(len(shares)) as pool:
            running = [pool.submit(self._run_share, *one) for one in
                       zip(range(1, len(shares) + 1), shares, folders, images)]
            try:
                # A share that failed must not wait for those before it.
                ended, _ = concurrent.futures.wait(
                    running, return_when=concurrent.futures.FIRST_EXCEPTION)
                for share in ended:
                    share.result()
                return [outcome for share in running for outcome in share.result()]
            except BaseException:
                self._interrupt()
                raise
