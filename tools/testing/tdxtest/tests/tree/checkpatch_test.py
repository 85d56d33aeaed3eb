# SPDX-License-Identifier: GPL-2.0-only
"""Unit tests of checkpatch.py, with a script in the place of checkpatch.pl."""

import os
import tempfile
import types
import unittest

from tdxtest.base.failure import Failure
from tdxtest.tree import checkpatch

# Says of each file how often it was asked, with the file's text, or fails.
SCRIPT = '''\
my $path = $ARGV[-1];
open(my $f, '<', $path); my $text = <$f>; chomp $text;
open(my $log, '>>', 'asked'); print $log "x\\n";
die 'broken' if $text eq 'fail';
print "$path:1: WARNING:LONG_LINE: $text\\n" if $text ne 'good';
exit($text ne 'good');
'''


class MemoryTest(unittest.TestCase):

    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = scratch.name
        self.file = os.path.join(self.folder, 'a.c')
        self.script = os.path.join(self.folder, 'tree/scripts/checkpatch.pl')
        os.makedirs(os.path.dirname(self.script))
        self.write(self.script, SCRIPT)

    @staticmethod
    def write(path, text):
        with open(path, 'w', encoding='utf-8') as f:
            f.write(text)

    def asked(self):
        with open(os.path.join(self.folder, 'asked'), encoding='utf-8') as f:
            return len(f.readlines())

    def complaints(self):
        work = types.SimpleNamespace(folder=self.folder,
                                     tree=os.path.join(self.folder, 'tree'))
        return list(checkpatch.complaints(work, [self.file], set()))

    def test_same_file_is_asked_once_and_told_twice(self):
        self.write(self.file, 'bad')
        first = self.complaints()
        self.assertEqual([f'{self.file}:1: WARNING:LONG_LINE: bad'], first)
        self.assertEqual(first, self.complaints())
        self.assertEqual(1, self.asked())

    def test_changed_file_is_asked_again(self):
        self.write(self.file, 'good')
        self.assertEqual([], self.complaints())
        self.write(self.file, 'worse')
        self.assertEqual([f'{self.file}:1: WARNING:LONG_LINE: worse'], self.complaints())

    def test_changed_script_is_asked_again(self):
        self.write(self.file, 'good')
        self.complaints()
        self.write(self.script, SCRIPT + '# newer\n')
        self.complaints()
        self.assertEqual(2, self.asked())

    def test_script_that_fails_is_no_clean_file(self):
        self.write(self.file, 'fail')
        for _ in range(2):
            with self.assertRaisesRegex(Failure, 'broken'):
                self.complaints()


if __name__ == '__main__':
    unittest.main()
