# SPDX-License-Identifier: GPL-2.0-only
"""The command for git bisect run: builds the checkout, runs tests, says good, bad or skip."""

import argparse
import dataclasses
import os
import shutil
import sys
import traceback
import typing
from collections.abc import Sequence

from tdxtest.base.build_folder import Build
from tdxtest.base.failure import EXIT_FAIL, EXIT_NOT_RUN, EXIT_PASS, Failure
from tdxtest.base.progress import Progress
from tdxtest.guest import bisection, request, runs, stages
from tdxtest.guest.bisection import git, session_key
from tdxtest.guest.options import (Commands, add_boot_options, add_environment_option,
                                   add_place_options)
from tdxtest.guest.stages import Laid
from tdxtest.tree import abi, source, suite, td_tests
from tdxtest.tree.work_tree import WorkTree
from tdxtest.verdict import judging, ktap

# git takes 2 to 124 for bad as well, and gives up at 126 and more. EXIT_STOP makes it do so.
EXIT_GOOD, EXIT_BAD, EXIT_SKIP, EXIT_STOP = EXIT_PASS, EXIT_FAIL, EXIT_NOT_RUN, 128
WORDS = {EXIT_GOOD: 'good', EXIT_BAD: 'bad', EXIT_SKIP: 'skip', EXIT_STOP: 'stop'}

EPILOG = """\
Run it at the top of a kernel checkout:
  git bisect start BAD GOOD
  git bisect run .../tdxtest.py bisect TEST:CASE
exit status: 0 the tests did what --expect says; 1 they did not; 125 nothing is
known about this commit: it did not build or boot, every case was skipped, or what
was asked for cannot be done. With --check-ends also 128, which ends the bisection:
the test does not tell the good commit from the bad one. There is no other.
"""


class Tee:
    """Writes to the terminal and into the log of the step."""

    def __init__(self, *files: typing.TextIO) -> None:
        self._files = files

    def write(self, text: str) -> None:
        for file in self._files:
            file.write(text)

    def flush(self) -> None:
        for file in self._files:
            file.flush()


class KeptSuite(suite.Suite):
    """The test programs that the first step of a bisection built."""

    def __init__(self, build: Build, work: WorkTree, folder: str) -> None:
        super().__init__(build, work, folder)

    def compile(self, wanted: Sequence[str] = ()) -> None:
        raise AssertionError('kept programs are not built')


def kept_suite(laid: Laid, folder: str, key: str) -> tuple[suite.Suite, str]:
    """(programs, generation) of the first step of the bisection `key`: the tests of the request.

    The programs stay the same for all steps: what differs is then the kernel.
    So does the generation of the ABI that they expect, which would follow the
    version of the checkout, so that no step could ever fail.
    """
    stamp = os.path.join(folder, 'bisection')
    kept = KeptSuite(laid.build, laid.work, folder)
    text = read_text(stamp)
    wanted = list(dict.fromkeys(name for name, _ in laid.request.boot.tests
                                if name not in td_tests.NAMES))
    if key and text.startswith(key) and all(map(os.path.exists, map(kept.program, wanted))):
        generation = text.removeprefix(key).strip()
        laid.progress.say('suite: as the first step built it')
        return kept, generation
    built = stages.compile_suite(laid, wanted)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(os.path.join(folder, 'x86'))
    for name in wanted:
        shutil.copy2(built.program(name), kept.program(name))
    generation = laid.generation().name
    # Written last: a folder that has it is whole.
    with open(stamp, 'w', encoding='utf-8') as f:
        f.write(f'{key}{generation}\n')
    return kept, generation


def read_text(path: str) -> str:
    try:
        with open(path, encoding='utf-8', errors='replace') as f:
            return f.read()
    except FileNotFoundError:
        return ''


def judge(console: ktap.Console, ended: str | None, names: Sequence[str], skip_is_bad: bool = False,
          xfail_is_bad: typing.Any = False) -> tuple[int, str]:
    """(EXIT_*, why) of the tests `names`, where they are expected to pass.

    Only what was asked for counts: a kernel may warn at its boot for reasons of
    its own, and a skipped case says nothing, unless skip_is_bad. Neither does a case
    that fails as a finding says, unless xfail_is_bad.
    """
    why = judging.not_run_why(console, ended)
    if why:
        return EXIT_SKIP, why
    load = next((t.result for t in console.tests if t.result.name == 'load_kvm'), None)
    if not load:
        return EXIT_SKIP, f'{console.panic or ended}, {console.running()}'
    if not load.ok:
        return EXIT_SKIP, 'KVM did not load'
    # A test that was named twice, with two patterns, runs twice.
    found = [test for test in console.tests if test.result.name in names]
    if len(found) < len(names):
        if not console.powered_off:
            return EXIT_BAD, f'{console.panic or ended}, {console.running()}'
        return EXIT_SKIP, f'{len(found)} of {len(names)} tests were run'
    cases: list[ktap.Case] = []
    for test in found:
        if test.planned == 0 and not test.result.skip:
            return EXIT_SKIP, f'{test.result.name}: no case was run'
        problems = judging.test_problems(test)
        if problems:
            return EXIT_BAD, problems[0]
        cases += test.cases or [test.result]
    outcomes = [case.outcome() for case in cases]
    skipped, xfails = outcomes.count('skip'), outcomes.count(ktap.XFAIL)
    if skipped and skip_is_bad:
        return EXIT_BAD, f'{skipped} case(s) were skipped'
    if xfails and xfail_is_bad:
        return EXIT_BAD, next(case.note for case in cases if case.outcome() == ktap.XFAIL)
    if skipped == len(cases):
        reasons = [test.skip_reason for test in found if test.skip_reason]
        return EXIT_SKIP, ': '.join(['every case was skipped', *reasons[:1]])
    if skipped + xfails == len(cases):
        return EXIT_SKIP, 'every case failed as a finding says, or was skipped'
    return EXIT_GOOD, f'{len(cases) - skipped - xfails} case(s) passed'


def expected(status: int, outcome: str) -> int:
    """The status of a step that judge() gave `status`, where `outcome` is good."""
    if outcome == 'fail' and status != EXIT_SKIP:
        return EXIT_BAD if status == EXIT_GOOD else EXIT_GOOD
    return status


class WrongEnds(Failure):
    """A test cannot tell the good end of a bisection from the bad one."""

    status = EXIT_STOP


def step(args: argparse.Namespace, top: str, commit: str, progress: Progress) -> tuple[int, str]:
    """(EXIT_*, why) of the commit that is checked out at `top`."""
    wanted = request.from_arguments(args, kdir=top)
    # The version of a commit says nothing of what KVM has there: a step must find out.
    wanted = wanted.with_boot(environment=((abi.LACKS, ''), *wanted.boot.environment))
    laid = stages.fetch(wanted, stages.opened(wanted, progress))
    folder = laid.build.folder('bisect', laid.work.source.name)
    # The programs first: a kernel that does not build must not keep them from
    # being those of the first step.
    programs, generation = kept_suite(laid, os.path.join(folder, 'suite'), session_key())
    laid = laid.expecting(args.generation or generation)
    if args.check_ends:
        if check_ends(args, laid, programs, folder):
            stages.lay(laid)
    return attempt_kernel(args, laid, programs, commit)


def attempt_kernel(args: argparse.Namespace, laid: Laid, programs: suite.Suite,
                   commit: str) -> tuple[int, str]:
    """(EXIT_*, why) of a kernel, which is built and booted with the kept programs."""
    built = stages.Built(laid.request, laid.build, laid.work, stages.compile_kernel(laid), programs)
    tests = programs.select(laid.request.boot.tests)
    [guest] = runs.boot_guests(built, [tests])
    shutil.copy2(guest.console_path, laid.build.path('bisect', f'{commit}.console.log'))
    status, why = judge(guest.console, guest.ended, [name for name, _ in tests],
                        args.skip_is_bad, xfail_is_bad=args.outcome == 'fail')
    return expected(status, args.outcome), f'{why}; expected: {args.outcome}'


def check_ends(args: argparse.Namespace, laid: Laid, programs: suite.Suite, folder: str) -> bool:
    """Try the commits that the person called good and bad, once in a bisection.

    True if they were tried now. WrongEnds if one is not what it was called: then no step
    would say anything.
    """
    stamp = os.path.join(folder, 'ends')
    if read_text(stamp) == session_key():
        return False
    for word, commit in bisection.ends():
        place = os.path.join(folder, 'end')
        with laid.progress.step('ends', f'trying the {word} commit {commit[:12]}: its files'):
            bisection.extract(commit, place)
        # In the work tree of the steps, where only what differs is built.
        version = source.makefile_version(place)
        end = dataclasses.replace(laid.work.source, pristine=place, version=version)
        other = stages.lay(dataclasses.replace(laid, work=WorkTree(laid.build, end)))
        try:
            status, why = attempt_kernel(args, other, programs, commit)
        except Failure as e:
            status, why = EXIT_SKIP, str(e)
        shutil.rmtree(place)
        laid.progress.say(f'ends: {commit[:12]}: {WORDS[status]}: {why}')
        if WORDS[status] != word:
            raise WrongEnds(f'the {word} commit {commit[:12]} is {WORDS[status]} by this test, '
                            f'so that no step can tell good from bad: {why}')
    with open(stamp, 'w', encoding='utf-8') as f:
        f.write(session_key())
    return True


def run(args: argparse.Namespace) -> int:
    """The command; gives 0, 1 or 125 whatever happens."""
    status, why = EXIT_SKIP, 'interrupted'
    commit = log = ''
    try:
        commit = git('rev-parse', 'HEAD')
        top = git('rev-parse', '--show-toplevel')
        folder = os.path.join(args.build, 'bisect')
        os.makedirs(folder, exist_ok=True)
        log = os.path.join(folder, f'{commit}.log')
        with open(log, 'w', encoding='utf-8') as f:
            progress = Progress(Tee(sys.stdout, f))
            progress.line(git('log', '-1', '--format=%H %cs %s'))
            status, why = attempt(args, top, commit, progress)
            progress.line(f'bisect: {commit[:12]}: {WORDS[status]}: {why}')
    except (Failure, OSError) as e:
        # The log cannot be written; git needs a status all the same.
        print(f'bisect: {commit[:12]}: {WORDS[status]}: {e}', file=sys.stderr)
    return status


def attempt(args: argparse.Namespace, top: str, commit: str, progress: Progress) -> tuple[int, str]:
    """step(), with EXIT_SKIP for every error."""
    try:
        return step(args, top, commit, progress)
    except KeyboardInterrupt as e:
        return EXIT_SKIP, str(e) or 'interrupted'
    except WrongEnds as e:
        return EXIT_STOP, str(e)
    except Failure as e:
        # The next step overwrites it.
        progress.line(read_text(e.output).rstrip() if e.output else '')
        return EXIT_SKIP, str(e)
    except Exception:   # pylint: disable=broad-except
        # Python would end with 1, which git takes for a bad commit.
        progress.line(traceback.format_exc().rstrip())
        return EXIT_SKIP, 'this tool failed'


def add_parser(commands: Commands) -> argparse.ArgumentParser:
    parser = commands.add_parser('bisect', help='one step of git bisect run', epilog=EPILOG,
                                 formatter_class=argparse.RawDescriptionHelpFormatter)
    add_place_options(parser)
    parser.add_argument('--expect', dest='outcome', choices=('pass', 'fail'), default='pass',
                        help='what a good commit does (default: %(default)s); '
                             'fail looks for the commit that made the tests pass, also '
                             'for the one that fixed what a finding is about')
    parser.add_argument('--generation', default='', metavar='NAME', choices=abi.NAMES,
                        help='the generation of the MapGPA ABI that a passing commit has: '
                             f'{", ".join(abi.NAMES)} (default: that of the first step)')
    parser.add_argument('--skip-is-bad', action='store_true',
                        help='a skipped case fails, instead of saying nothing')
    parser.add_argument('--patch', action='append', default=[], metavar='FILE',
                        help='apply a row of patches/series to each step')
    parser.add_argument('--check-ends', action='store_true',
                        help='before the first step try the good and the bad commit, and end the '
                             'bisection if the test does not tell them apart')
    parser.add_argument('--with', dest='carried', action='append', default=[], metavar='PATCH',
                        help='apply a patch or mbox of your own to each step, such as one that '
                             'shows a bug or mends a build; may be given several times')
    add_boot_options(parser, jobs=False)
    add_environment_option(parser)
    parser.add_argument('tests', nargs='+', metavar='TEST[:CASE]',
                        help="a test, or the cases of one that match a pattern such as 'eagain*'")
    return parser
