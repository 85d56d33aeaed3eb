# SPDX-License-Identifier: GPL-2.0-only
"""A git history of a packaged kernel, to try git bisect on.

Its commits touch C files of KVM only, so that a step builds its modules. It begins with KVM as
it was in 6.16, and changes it as KVM did (tables/kvm-history.tsv). Other commits break it
for a while. Most change no code; bisect must find the others, or get past them.
"""

import dataclasses
import os
import shutil
from collections.abc import Iterable

from tdxtest.base import command, table_file
from tdxtest.base.build_folder import Build
from tdxtest.base.failure import Failure
from tdxtest.base.paths import HERE, TABLES
from tdxtest.tree import series, source

VMX = 'arch/x86/kvm/vmx'
TABLE = os.path.join(TABLES, 'kvm-history.tsv')
COMMITS = 40
# Commit 0 is the packaged source, taken back before all rows of the table. Number of the
# commit that brings the first row's change, and how many are from one row to the next.
FIRST_CHANGE, DISTANCE = 3, 3
# Numbers of the other commits that do something.
NO_BUILD = 21       # a slip of the pen ...
BUILDS = 23         # ... that is put right some commits later
NO_TDX = 26         # KVM offers no TDs ...
TDX = 28            # ... and does again
NO_LOAD = 31        # kvm-intel refuses to load ...
LOADS = 33          # ... and does again
REGRESSION = 36     # a MapGPA call offers userspace a chunk too many


@dataclasses.dataclass(frozen=True)
class Change:
    """A row of the table. number: of the commit that makes the change."""

    number: int
    since: str
    upstream: str
    patch: str          # takes a newer kernel back
    case: str           # holds since then
    what: str


def changes(kernel: str) -> list[Change]:
    """The rows that a kernel's version is not older than, in the order of the commits."""
    version = series.parse_version(kernel)
    rows = [row for row in table_file.rows(TABLE) if series.parse_version(row[0]) <= version]
    return [Change(FIRST_CHANGE + DISTANCE * n, since, upstream,
                   os.path.normpath(os.path.join(HERE, patch)), case, what)
            for n, (since, upstream, patch, case, what) in enumerate(rows)]


# number: (subject, file, its text, what that becomes)
EDITS = {
    NO_BUILD: ('KVM: TDX: Name the chunk size of MAPGPA by its unit', 'tdx.c',
               '#define TDX_MAP_GPA_MAX_LEN ', '#define TDX_MAP_GPA_MAX_BYTES '),
    BUILDS: ('KVM: TDX: Restore the name of the chunk size of MAPGPA', 'tdx.c',
             '#define TDX_MAP_GPA_MAX_BYTES ', '#define TDX_MAP_GPA_MAX_LEN '),
    NO_TDX: ('KVM: VMX: Offer the types of VMs that userspace knows', 'main.c',
             'supported_vm_types |= BIT(KVM_X86_TDX_VM);',
             'supported_vm_types &= ~BIT(KVM_X86_TDX_VM);'),
    TDX: ('KVM: VMX: Offer TDs again', 'main.c',
          'supported_vm_types &= ~BIT(KVM_X86_TDX_VM);',
          'supported_vm_types |= BIT(KVM_X86_TDX_VM);'),
    NO_LOAD: ('KVM: VMX: Find out early that VMX is missing', 'main.c',
              'r = vmx_init();',
              'r = cpu_feature_enabled(X86_FEATURE_VMX) ? -ENODEV : vmx_init();'),
    LOADS: ('KVM: VMX: Load where VMX is present', 'main.c',
            'r = cpu_feature_enabled(X86_FEATURE_VMX) ? -ENODEV : vmx_init();', 'r = vmx_init();'),
    REGRESSION: ('KVM: TDX: Continue MAPGPA up to the end of its range', 'tdx.c',
                 'if (tdx->map_gpa_next >= tdx->map_gpa_end)',
                 'if (tdx->map_gpa_next > tdx->map_gpa_end)'),
}
# Files that the other commits take turns to add a comment to.
NEUTRAL = ('posted_intr.c', 'tdx.c', 'vmcs12.c')


def git(folder: str, *words: str) -> str:
    """Run git in `folder` with an identity of its own; gives its output."""
    identity = {f'GIT_{who}_{what}': value for who in ('AUTHOR', 'COMMITTER')
                for what, value in (('NAME', 'A U Thor'), ('EMAIL', 'author@example.com'),
                                    ('DATE', '2026-01-01T00:00:00+0000'))}
    options = ['-c', 'core.compression=0', '-c', 'gc.auto=0', '-c', 'core.autocrlf=false',
               '-c', 'init.defaultBranch=main', '-c', 'advice.detachedHead=false']
    return command.output(['git', *options, '-C', folder, *words], env=identity).strip()


def make(build: Build, folder: str, name: str) -> list[str]:
    """The history of the packaged series `name` in `folder`; gives its commits, oldest first.

    A folder that has it already is used again: make must see the same times.
    """
    if not os.path.exists(os.path.join(folder, '.git', 'made')):
        fill(build, folder, name)
    commits = git(folder, 'rev-list', '--reverse', 'main').split()
    if len(commits) != COMMITS:
        raise Failure(f'{folder}: {len(commits)} commits, wanted {COMMITS}; remove it')
    return commits


def fill(build: Build, folder: str, name: str) -> None:
    record = source.unpacked(build)[name]
    rows = changes(record['version'])
    deb = source.downloaded(build, record['package'], record['package_version'])
    if not deb:
        raise Failure(f'{build.path("downloads")} has no {record["package"]} any more; '
                      'run with --update to fetch it')
    shutil.rmtree(folder, ignore_errors=True)
    with build.progress.step('history', f'{COMMITS} commits over {os.path.basename(deb)}'):
        os.makedirs(folder)
        source.unpack(deb, record['package'], folder)
        git(folder, 'init', '-q')
        for change in reversed(rows):
            git(folder, 'apply', '--include=arch/x86/kvm/*', change.patch)
        # The kernel's own .gitignore would leave out some files of the package.
        git(folder, 'add', '-A', '-f')
        git(folder, 'commit', '-q', '-m', f'Linux {record["version"]}')
        for number in range(1, COMMITS):
            git(folder, 'commit', '-q', '-a', '-m', edit(folder, number, rows))
        # Written last: a history that has it is whole.
        with open(os.path.join(folder, '.git', 'made'), 'w', encoding='ascii'):
            pass


def edit(folder: str, number: int, rows: Iterable[Change]) -> str:
    """Edit the tree for commit `number`; gives its subject. rows: of changes()."""
    made = next((change for change in rows if change.number == number), None)
    if made:
        git(folder, 'apply', '--reverse', '--include=arch/x86/kvm/*', made.patch)
        return f'KVM: TDX: From {made.since} on {made.what}'
    if number in EDITS:
        subject, name, old, new = EDITS[number]
        replace(os.path.join(folder, VMX, name), old, new)
        return subject
    name = NEUTRAL[number % len(NEUTRAL)]
    with open(os.path.join(folder, VMX, name), 'a', encoding='utf-8') as f:
        f.write(f'\n/* Remark {number}. */\n')
    return f'KVM: VMX: Remark on {name}, {number}'


def replace(path: str, old: str, new: str) -> None:
    with open(path, encoding='utf-8') as f:
        text = f.read()
    if text.count(old) != 1:
        raise Failure(f'{path}: wanted one {old!r}, found {text.count(old)}')
    with open(path, 'w', encoding='utf-8') as f:
        f.write(text.replace(old, new))
