# SPDX-License-Identifier: GPL-2.0-only
"""Each program that the tool starts has an environment that is given, not inherited.

command.environment() leaves out what a person exported for something else. A program
that tells what is wrong in the person's language is not understood without it.
"""

import ast
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.progress import Progress
from tdxtest.tree.project import files, text_of

NAME = 'environment of programs'
WHEN = When.STATIC
FOLDER = 'tools/testing/tdxtest/'
# The unit tests start programs of their own.
EXCEPT = 'tools/testing/tdxtest/tests/'
# What starts a program: functions of these modules, all of which take env.
STARTS = {'subprocess': ('run', 'call', 'check_call', 'check_output', 'Popen', 'getoutput',
                         'getstatusoutput'),
          'os': ('system', 'popen'), 'pty': ('spawn',)}


def inherits(text: str) -> Iterator[tuple[int, str]]:
    """(line, function) of each call in a file's text that starts a program without env."""
    for node in ast.walk(ast.parse(text)):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
                and isinstance(node.func.value, ast.Name)):
            continue
        module, name = node.func.value.id, node.func.attr
        if name in STARTS.get(module, ()) and 'env' not in [word.arg for word in node.keywords]:
            yield node.lineno, f'{module}.{name}()'


def check(_progress: Progress) -> Iterator[str]:
    for name in files():
        if name.startswith(FOLDER) and not name.startswith(EXCEPT) and name.endswith('.py'):
            for line, call in inherits(text_of(name)):
                yield f'{name}:{line}: {call} without env; give it command.environment()'
