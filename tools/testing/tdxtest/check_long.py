# SPDX-License-Identifier: GPL-2.0-only
"""The checks that take longer than a person waits: make check-long."""

import check
import ci_check
import patchset_check
import report_check
from failure import EXIT_FAIL, EXIT_PASS

# name: a function that takes the prepared session and gives lines that are wrong
CHECKS = {
    'CI job files, all checkers': ci_check.check_all,
    'report in a browser': report_check.check,
    'patch series, style': patchset_check.check_style,
    'patch series, each patch builds': patchset_check.check_builds,
}


def run(session):
    """Run them all on a session; gives the exit status."""
    session.prepare()
    failed = check.run(CHECKS, session.progress, session)
    session.progress.line(f'FAIL: {failed} long check(s) found something wrong' if failed else
                          f'PASS: {len(CHECKS)} long check(s)')
    return EXIT_FAIL if failed else EXIT_PASS
