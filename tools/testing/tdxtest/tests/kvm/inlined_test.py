# SPDX-License-Identifier: GPL-2.0-only
"""Tests of inlined.py, with a module that the compiler of this machine makes."""

import os
import subprocess
import tempfile
import unittest

from tdxtest.kvm import inlined

SOURCE = """\
extern volatile int stop;
static inline __attribute__((always_inline)) void wait(void)
{
	while (!stop)
		;
}
int before(void)
{
	return stop;
}
int handle(void)
{
	wait();
	return 1;
}
"""


class Chain(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.object = os.path.join(self.folder, 'a.o')
        with open(os.path.join(self.folder, 'a.c'), 'w', encoding='ascii') as f:
            f.write(SOURCE)

    def compile(self, *flags):
        subprocess.run(['gcc', '-O2', '-c', '-o', self.object, *flags,
                        os.path.join(self.folder, 'a.c')], check=True)

    def test_an_inlined_function(self):
        self.compile('-g')
        found = [inlined.chain(self.object, 'handle', offset, [self.folder])
                 for offset in range(0, 12)]
        loop = next(places for places in found if len(places) == 2)
        self.assertEqual([name for name, _ in loop], ['wait', 'handle'])
        self.assertIn(loop[0][1], ('a.c:4', 'a.c:5'))
        self.assertEqual(loop[1][1], 'a.c:13')

    def test_what_is_not_known(self):
        self.compile('-g')
        self.assertEqual(inlined.chain(self.object, 'no_such_function', 0, []), [])
        self.compile()
        self.assertEqual(inlined.chain(self.object, 'handle', 0, []), [])

    def test_paths(self):
        self.assertEqual(inlined.short('/o/arch/x86/kvm/x.c:7 (discriminator 3)', ['/t', '/o']),
                         'arch/x86/kvm/x.c:7')
        self.assertEqual(inlined.short('/other/x.c:7', ['/o']), '/other/x.c:7')
