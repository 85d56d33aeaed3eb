# SPDX-License-Identifier: GPL-2.0-only
"""What can go wrong, and the exit status that says so."""

EXIT_PASS = 0
EXIT_FAIL = 1           # a test failed, or the kernel warned
EXIT_USAGE = 2          # what was asked for cannot be done
EXIT_NOT_RUN = 125      # something did not fetch, build or boot; git bisect: skip


class Failure(Exception):
    """Ends the run. The text is one line: what is wrong, and what to do.

    output: the file that holds all that the program said which failed, or ''.
    """

    status = EXIT_NOT_RUN

    def __init__(self, text: str, output: str = '') -> None:
        super().__init__(text)
        self.output = output


class UsageError(Failure):
    """The person asked for something that does not exist or cannot work."""

    status = EXIT_USAGE
