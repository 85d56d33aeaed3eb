# SPDX-License-Identifier: GPL-2.0-only
"""Installs the suite in the layout of kselftest, by the kernel's own makefiles."""

import os
import shutil

from tdxtest.base import apt, command
from tdxtest.base.build_folder import Build
from tdxtest.tree import suite
from tdxtest.tree.work_tree import WorkTree

SELFTESTS = 'tools/testing/selftests'
# Static, for whatever root file system a lab has; and QUIET: the selftest library
# greets with a line that is no KTAP.
EXTRA_CFLAGS = f'{suite.EXTRA_CFLAGS} -DQUIET'
# The kernel's own machinery for all of KVM's tests, restricted to the suite.
RESTRICT = (f'TEST_GEN_PROGS_x86=$({suite.LIST})', 'TEST_GEN_PROGS_EXTENDED_x86=',
            'TEST_PROGS_x86=')


def make(build: Build, work: WorkTree, goal: str, folder: str) -> None:
    """Run `goal` of the selftests of a work tree with `folder` as the place to install into."""
    apt.ensure_installed(build.progress, build.log('apt'), 'package')
    shutil.rmtree(folder, ignore_errors=True)
    suite.forget_other_flags(work.out('headers', 'kselftest'), EXTRA_CFLAGS)
    with build.progress.step('package', f'make TARGETS=kvm {goal}'):
        command.run(['make', '-C', os.path.join(work.tree, SELFTESTS), f'-j{os.cpu_count() or 1}',
                     'TARGETS=kvm', 'FORCE_TARGETS=1', f'O={work.out("headers")}',
                     f'KSFT_INSTALL_PATH={folder}', 'FORMAT=.xz', *RESTRICT,
                     'USERLDFLAGS=-static', f'EXTRA_CFLAGS={EXTRA_CFLAGS}', goal],
                    build.log('package'), env=suite.ENVIRONMENT, what=f'make {goal}')


def tarball(build: Build, work: WorkTree, series: str, folder: str) -> str:
    """Make kselftest-tdx-SERIES.tar.xz of a work tree in `folder`; gives its path."""
    staging = build.path('kselftest_install')
    make(build, work, 'gen_tar', staging)
    path = os.path.join(folder, f'kselftest-tdx-{series}.tar.xz')
    os.replace(os.path.join(staging, 'kselftest-packages', 'kselftest.tar.xz'), path)
    return path
