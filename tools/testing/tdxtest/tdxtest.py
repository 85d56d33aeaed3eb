#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Starts the package around it: tdxtest.py COMMAND is python3 -m tdxtest COMMAND."""

import os
import sys

sys.dont_write_bytecode = True
# It was the folder of this file, whose modules belong to the package tdxtest.
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

MIN_PYTHON = (3, 11)
# failure.EXIT_NOT_RUN: Python ends with 1 for its own errors, as if a test had failed.
EXIT_NOT_RUN = 125


def refuse(text):
    sys.stderr.write('tdxtest: %s\n' % text)
    sys.exit(EXIT_NOT_RUN)


def load():
    """The tool's function that runs a command line. This file is all that an old Python reads."""
    if sys.version_info < MIN_PYTHON:
        refuse('Python %d.%d or later is needed, %s is %d.%d'
               % (MIN_PYTHON + (sys.executable,) + sys.version_info[:2]))
    try:
        from tdxtest.program import run_program  # pylint: disable=import-outside-toplevel
    except ModuleNotFoundError as e:
        if str(e.name).startswith('tdxtest'):
            raise
        refuse('%s lacks the module %s; Debian has the whole of it in the package python3'
               % (sys.executable, e.name))
    return run_program


if __name__ == '__main__':
    # Names of files are read and written as UTF-8, whatever the locale is.
    if sys.getfilesystemencoding() != 'utf-8' and load():
        os.execv(sys.executable, [sys.executable, '-X', 'utf8', *sys.orig_argv[1:]])
    sys.exit(load()(sys.argv[1:]))
