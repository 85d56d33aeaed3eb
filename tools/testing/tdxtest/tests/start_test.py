# SPDX-License-Identifier: GPL-2.0-only
"""How the tool starts: on a Python that is missing, old or not whole, in any locale."""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest

from tdxtest.base.failure import EXIT_NOT_RUN, EXIT_PASS
from tdxtest.base.paths import HERE, TOOL

PYTHON3_SH = os.path.join(HERE, 'python3.sh')
PROGRAMS = ('sh', 'cat', 'env', 'grep', 'mktemp', 'rm', 'seq', 'sleep')
# Installs a python3, unless a lock is held or no mirror has the package.
APT_GET = '''
echo "$DEBIAN_FRONTEND $http_proxy $*" >> "$FOLDER/said"
if [ -s "$FOLDER/locked" ]; then
	: > "$FOLDER/locked"; echo "E: Could not get lock x" >&2; exit 100
fi
case "$*" in
*install*) [ ! -e "$FOLDER/absent" ] || { echo "E: Unable to locate package python3" >&2; exit 100; }
	printf '#!/bin/sh\\nexit 0\\n' > "$FOLDER/python3"; PATH=/bin:/usr/bin chmod +x "$FOLDER/python3" ;;
esac
'''


class Python3(unittest.TestCase):
    """python3.sh where PATH has a few programs and what a test puts there."""

    def setUp(self):
        self.folder = self.enterContext(tempfile.TemporaryDirectory())
        for name in PROGRAMS:
            os.symlink(shutil.which(name), os.path.join(self.folder, name))
        self.program('id', 'echo 1000')
        self.program('sleep', ':')

    def program(self, name, text):
        path = os.path.join(self.folder, name)
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, 'w', encoding='utf-8') as f:
            f.write(f'#!/bin/sh\n{text}\n')
        os.chmod(path, 0o755)

    def check(self, status, *said):
        """Run it without a terminal."""
        done = subprocess.run([shutil.which('sh'), PYTHON3_SH], text=True, check=False,
                              env={'PATH': self.folder, 'FOLDER': self.folder,
                                   'http_proxy': 'http://[::1]:3128'},
                              stdin=subprocess.DEVNULL, capture_output=True,
                              start_new_session=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        for text in said:
            self.assertIn(text, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_it_is_there(self):
        self.program('python3', '')
        self.assertEqual(self.check(EXIT_PASS), '')

    def test_no_apt(self):
        self.check(EXIT_NOT_RUN, 'there is no apt-get; install Python 3.11')

    def test_neither_root_nor_sudo(self):
        self.program('apt-get', APT_GET)
        self.check(EXIT_NOT_RUN, 'neither root nor sudo; run as root: apt-get update && ')

    def test_sudo_cannot_ask(self):
        self.program('apt-get', APT_GET)
        self.program('sudo', 'exit 1')
        self.check(EXIT_NOT_RUN, 'no terminal where sudo can ask for a password; run as root: ')

    def test_a_part_of_it_is_there(self):
        self.program('python3', 'exit 1')
        self.program('apt-get', APT_GET)
        self.program('sudo', '[ "$1" = -n ] || { unset http_proxy; exec "$@"; }')
        self.check(EXIT_PASS, 'apt: will install python3')
        with open(os.path.join(self.folder, 'said'), encoding='utf-8') as f:
            self.assertRegex(f.read(), r'(?s)^noninteractive http://\[::1\]:3128 .* update [^\n]*\n'
                             r'noninteractive http://\[::1\]:3128 .* install ')

    def test_root_waits_for_a_lock(self):
        self.program('id', 'echo 0')
        self.program('apt-get', APT_GET)
        self.program('locked', '')
        self.check(EXIT_PASS, 'apt: waiting for another program: E: Could not get lock x')

    def test_it_cannot_be_had(self):
        self.program('id', 'echo 0')
        self.program('apt-get', APT_GET)
        self.program('absent', '')
        self.check(EXIT_NOT_RUN, 'E: Unable to locate package python3', 'apt-get failed; run as')


class Tool(unittest.TestCase):
    def run_after(self, text):
        """(exit status, standard error) of the tool, in a Python that ran `text` before."""
        program = (f'import sys\n{text}\nsys.argv = [{TOOL!r}, "list"]\n'
                   f'exec(compile(open({TOOL!r}).read(), {TOOL!r}, "exec"), '
                   f'{{"__name__": "__main__", "__file__": {TOOL!r}}})')
        done = subprocess.run([sys.executable, '-c', program], text=True, capture_output=True,
                              check=False)
        return done.returncode, done.stderr

    def test_an_old_python(self):
        status, said = self.run_after('sys.version_info = (3, 9, 2)')
        self.assertEqual(status, EXIT_NOT_RUN, said)
        self.assertRegex(said, r'^tdxtest: Python 3\.11 or later is needed, \S+ is 3\.9\n$')

    def test_a_python_without_modules(self):
        status, said = self.run_after('sys.modules["shutil"] = None')
        self.assertEqual(status, EXIT_NOT_RUN, said)
        self.assertRegex(said, r'^tdxtest: \S+ lacks the module shutil; Debian has the whole')

    def test_a_name_in_another_locale(self):
        """A locale that knows no UTF-8, as LANG=de_DE.ISO-8859-1 where that is installed."""
        with tempfile.TemporaryDirectory() as folder:
            log = os.path.join(folder, 'conso\N{LATIN SMALL LETTER L WITH STROKE}e')
            done = subprocess.run(
                [sys.executable, TOOL, 'parse', log], check=False, capture_output=True,
                env={**os.environ, 'LC_ALL': 'POSIX', 'PYTHONUTF8': '0',
                     'PYTHONCOERCECLOCALE': '0', 'PYTHONIOENCODING': ''})
        self.assertEqual(done.returncode, EXIT_NOT_RUN)
        self.assertIn(log.encode(), done.stderr)
