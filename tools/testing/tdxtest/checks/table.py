# SPDX-License-Identifier: GPL-2.0-only
"""The project's checks of itself that need no boot. Each gives lines that are wrong."""

import ast
import io
import os
import re
import unittest

from tdxtest.base import command
from tdxtest.base.paths import CONFIGS, HERE, PROJECT
from tdxtest.checks import ci_files, kselftest_tarball, patchset, second_opinion, skips, two_cpus
from tdxtest.tree import checkpatch, kernel, series, work_tree
from tdxtest.verdict import kunit, mutants, rules, sim_leafs

MAX_LINES = 500
# Data that is as long as it is.
LONG_FILES = ('LICENSE', 'Documentation/arch/x86/tdx-sim-leafs.rst')
# Licence text, transcripts, and patches carry none or their own.
NO_SPDX = ('LICENSE', 'README.md', 'tools/testing/tdxtest/README.md',
           'tools/testing/tdxtest/tests/test_data/', 'patches/', 'mutants/')
SPDX = 'SPDX-License-Identifier: GPL-2.0'
# The only files where a kernel's version may decide.
VERSION_FILES = ('tools/testing/tdxtest/tree/series.py', 'tools/testing/tdxtest/tree/source.py')
VERSION_TEST = re.compile(r'\bLINUX_VERSION_CODE\b|\bKERNEL_VERSION\s*\(|\buname\s*\(')
MACHINE_PATH = re.compile(r'(?<![\w.])/(?:work|root|home)/')
CHECKED_C = ('.c', '.h', '.S')


def project_files():
    """Paths of the project's files, relative to its top."""
    names = command.output(['git', '-c', f'safe.directory={PROJECT}', '-C', PROJECT, 'ls-files',
                            '-z', '-c', '-o', '--exclude-standard']).split('\0')
    return sorted(n for n in set(names) if n and os.path.isfile(os.path.join(PROJECT, n)))


def text_of(name):
    with open(os.path.join(PROJECT, name), encoding='utf-8', errors='replace') as f:
        return f.read()


def check_spdx():
    """The licence is on the first line, or the second under a #!."""
    for name in project_files():
        if name.startswith(NO_SPDX):
            continue
        head = text_of(name).splitlines()[:2]
        line = head[1] if head and head[0].startswith('#!') and len(head) > 1 else ''.join(head[:1])
        if SPDX not in line:
            yield f'{name}:1: wanted an SPDX line, got {line[:60]!r}'


def check_length():
    for name in project_files():
        lines = text_of(name).count('\n')
        if lines > MAX_LINES and name not in LONG_FILES:
            yield f'{name}: {lines} lines, wanted at most {MAX_LINES}'


def check_versions():
    """Differences between kernels live in patches/series, not in code."""
    for name in project_files():
        if not name.startswith(work_tree.OVERLAY) or name in VERSION_FILES + (own_name(),):
            continue
        for number, line in enumerate(text_of(name).splitlines(), 1):
            if VERSION_TEST.search(line):
                yield f'{name}:{number}: asks for the kernel version: {line.strip()}'


def own_name():
    return os.path.relpath(os.path.join(HERE, 'checks', 'table.py'), PROJECT)


def check_paths():
    """No path of the machine that something was written on."""
    for name in project_files():
        if name == own_name():
            continue
        for number, line in enumerate(text_of(name).splitlines(), 1):
            if MACHINE_PATH.search(line):
                yield f'{name}:{number}: names a path of one machine: {line.strip()}'


def check_python():
    """Every Python file compiles, without leaving byte code behind."""
    for name in project_files():
        if name.endswith('.py'):
            try:
                ast.parse(text_of(name), name)
            except SyntaxError as e:
                yield f'{name}:{e.lineno}: {e.msg}'


def check_series():
    """patches/series loads, lists every patch once, and the always ones first."""
    folder = os.path.join(PROJECT, 'patches')
    rows = series.load(folder)
    kinds = [series.KINDS.index(row.kind) for row in rows]
    for row, before, kind in zip(rows[1:], kinds, kinds[1:]):
        if kind < before:
            yield (f'patches/series: {row.file} comes after a row of a later kind; '
                   f'the order is {", ".join(series.KINDS)}')
    listed = [row.file for row in rows]
    for file in sorted({f for f in listed if listed.count(f) > 1}):
        ranges = [row.kernels for row in rows if row.file == file]
        if any(a.holds(b.since) for a in ranges for b in ranges if a is not b):
            yield f'patches/series: {file} is listed twice for one kernel'
    for name in project_files():
        if name.startswith('patches/') and name.endswith('.patch') and name[8:] not in listed:
            yield f'{name}: is not in patches/series'


def check_patches():
    """A patch is what git format-patch writes, and creates no file."""
    for name in project_files():
        if not name.endswith('.patch') or name.startswith('mutants/'):
            continue
        text = text_of(name)
        for wanted in ('From ', 'Subject: [PATCH', '\n---\n', '\ndiff --git '):
            if wanted not in text:
                yield f'{name}: wanted the form of git format-patch, found no {wanted.strip()!r}'
        for path, creates in series.touched(text).items():
            if creates:
                yield f'{name}: creates {path}; new files belong into the overlay'


def check_configs():
    """Each fragment line is an option or a comment; none is named twice."""
    folder = CONFIGS
    for name in sorted(os.listdir(folder)):
        seen = set()
        with open(os.path.join(folder, name), encoding='utf-8') as f:
            for number, line in enumerate(f, 1):
                match = kernel.OPTION.fullmatch(line.strip())
                if not match:
                    if line.strip() and not line.startswith('#'):
                        yield f'configs/{name}:{number}: no option: {line.strip()}'
                    continue
                option = match[1] or match[3]
                if option in seen:
                    yield f'configs/{name}:{number}: CONFIG_{option} occurs twice'
                seen.add(option)


def check_statuses():
    """Each status that the simulated module defines has a row in its list of names."""
    folder = 'arch/x86/virt/vmx/tdx/sim'
    rows = set(re.findall(r'^STATUS\((\w+)\)', text_of(f'{folder}/status.def'), re.MULTILINE))
    operands = set(re.findall(r'^OPERAND\((\w+)\)', text_of(f'{folder}/status.def'),
                              re.MULTILINE))
    text = text_of(f'{folder}/abi.h')
    for name in re.findall(r'^#define (TDX_\w+)\s+0x[0-9A-F]{16}ULL', text, re.MULTILINE):
        if name not in rows:
            yield f'{folder}/status.def: has no row for {name} of abi.h'
    for name in re.findall(r'^#define TDX_OPERAND_ID_(\w+)', text, re.MULTILINE):
        if name not in operands:
            yield f'{folder}/status.def: has no row for TDX_OPERAND_ID_{name} of abi.h'


def check_unit_tests():
    """unittest over the tool's own tests."""
    out = io.StringIO()
    suite = unittest.defaultTestLoader.discover(os.path.join(HERE, 'tests'), pattern='*_test.py',
                                                top_level_dir=os.path.dirname(HERE))
    result = unittest.TextTestRunner(stream=out, verbosity=0).run(suite)
    if not result.testsRun:
        yield 'unit tests: none was found'
    for test, trace in result.failures + result.errors:
        yield f'{test.id()}: {trace.strip().splitlines()[-1]}'


# Checks that need nothing but the project.
STATIC = {
    'SPDX lines': check_spdx,
    'file lengths': check_length,
    'version tests': check_versions,
    'machine paths': check_paths,
    'Python syntax': check_python,
    'patches/series': check_series,
    'patches': check_patches,
    'mutants': mutants.check_form,
    'config fragments': check_configs,
    'names of statuses': check_statuses,
    'unit tests': check_unit_tests,
    'leafs of the module': sim_leafs.check_page,
}

# The same, with something to say beside what is wrong.
WITH_PROGRESS = {
    'CI job files': ci_files.check_present,
}


def check_overlay(work):
    """No overlay file is a file of the kernel; patches change files that it has."""
    for path in work_tree.overlay_files():
        if work.pristine(path) is not None:
            yield f'{path}: Linux {work.source.version} has this file: change it by a patch'
    for patch in series.load(os.path.join(PROJECT, 'patches')):
        if not patch.kernels.holds(work.source.key()):
            continue
        for path in series.touched(text_of(f'patches/{patch.file}')):
            if work.pristine(path) is None:
                yield f'patches/{patch.file}: Linux {work.source.version} has no {path}'


def check_style(work):
    """checkpatch.pl --strict, as it comes with the kernel, finds nothing unexcused."""
    names = [n for n in project_files() if n.endswith(CHECKED_C + ('.patch',)) and
             # What a mutant says is for the tool, and its code is wrong on purpose.
             not n.startswith('mutants/')]
    used = set()
    yield from checkpatch.findings(work, [os.path.join(PROJECT, name) for name in names], used)
    for kind, prefix in checkpatch.excuses():
        if (kind, prefix) not in used:
            yield f'checkpatch.tsv: {kind} of {prefix} excuses nothing; drop the row'


# Checks that need the source of a kernel.
WITH_TREE = {
    'overlay invariant': check_overlay,
    'checkpatch': check_style,
    'KUnit verdicts': kunit.check_verdicts,
    'KTAP, by KUnit\'s parser too': second_opinion.check_saved,
}

# Checks that need the built suite.
WITH_SUITE = {
    'rules': rules.check,
    'cases of mutants': mutants.check_suite,
}

# Checks that need the whole session: a boot, a build of another kind.
WITH_BOOT = {
    'KUnit tests': kunit.check,
    'answers of the module': sim_leafs.check,
    'kselftest tarball': kselftest_tarball.check,
    'patch series': patchset.check_applies,
}

# Checks of a run of the suite.
AFTER_RUN = {
    'the run, by KUnit\'s parser too': second_opinion.check_run,
    'reasons of skips': skips.check_reasons,
    'two CPUs': two_cpus.check,
}


def run(checks, progress, *args):
    """Run the checks of a table; gives how many found something wrong."""
    failed = 0
    for name, check in checks.items():
        wrong = list(check(*args))
        progress.say(f'check: {name}: ' + (f'{len(wrong)} wrong' if wrong else 'ok'))
        for line in wrong:
            progress.line(f'  {line}')
        failed += bool(wrong)
    return failed
