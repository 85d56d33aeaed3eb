# SPDX-License-Identifier: GPL-2.0-only
"""What is made of a command line: a request that is whole, or one line on what cannot be."""

import dataclasses
import os
import unittest

from tdxtest import program
from tdxtest.base.failure import UsageError
from tdxtest.guest import request
from tdxtest.guest.request import Request
from tdxtest.verdict import results


def made(*words, **more):
    return request.from_arguments(program.parse_arguments(words), **more)


class FromArguments(unittest.TestCase):
    def test_no_option_is_the_default(self):
        wanted = made('run')
        # One guest for each CPU is what a person wants, not what a request is without one.
        self.assertEqual(wanted.boot.jobs, os.cpu_count())
        self.assertEqual(wanted.with_boot(jobs=1), Request())

    def test_what_bench_repeats_is_not_each_test(self):
        self.assertEqual(made('bench', '--repeat', '3').boot.repeat, 1)

    def test_a_command_without_the_options(self):
        self.assertEqual(made('build'), Request())
        self.assertEqual(made('series', '-o', 'x').boot, Request().boot)

    def test_every_option(self):
        wanted = made('run', '--build', 'b', '--mirror', 'm', '--kernel', '7.2', '--update',
                      '--abi', 'legacy', '--debug', '--machine', 'qemu-kvm', '--cpus', '2',
                      '--jobs', '3', '--silence', '4', '--total', '5', '--trace', '-v',
                      '--repeat', '6',
                      '--env', 'A=1', '--expect', 'merged', '--strict-abi', '--json', 'j',
                      '--junit', 'u', '--lava', 'l', 'tdx_smoke_test:x*')
        build, boot, expect = wanted.build, wanted.boot, wanted.expect
        self.assertEqual((build.folder, build.mirror, build.kernel, build.kdir, build.update,
                          build.abi, build.patches, build.debug),
                         ('b', 'm', '7.2', '', True, 'legacy', (), True))
        self.assertEqual((boot.machine.name, boot.cpus, boot.jobs, boot.silence, boot.total,
                          boot.trace, boot.verbose, boot.repeat, boot.tests, boot.environment,
                          boot.collect),
                         ('qemu-kvm', 2, 3, 4, 5, 200, True, 6, (('tdx_smoke_test', 'x*'),),
                          (('A', '1'),), ''))
        self.assertEqual((expect.generation, expect.strict_abi), ('merged', True))
        self.assertEqual(wanted.output, results.Output('j', 'u', 'l'))

    def test_every_field_has_an_option(self):
        for kind, options in request.OPTIONS.items():
            fields = {field.name for field in dataclasses.fields(kind)} - {'collect', 'td'}
            self.assertEqual(fields, set(options), kind)

    def test_what_a_command_sets_itself(self):
        with self.assertRaisesRegex(UsageError, 'KDIR=/nowhere: no such folder'):
            made('bisect', 'tdx_smoke_test', kdir='/nowhere')

    def test_what_cannot_be(self):
        for words, said in ((('--kernel', '7.2', '--kdir', 'x'), 'two answers'),
                            (('--abi', 'latest'), 'no such generation'),
                            (('--expect', 'latest'), 'no such generation'),
                            (('--cpus', '99'), '1 to 8 CPUs'),
                            (('--jobs', '0'), 'wanted a number of guests'),
                            (('--repeat', '0'), '--repeat 0: wanted a number of repetitions'),
                            (('--machine', 'abacus'), 'there are bochs'),
                            (('--env', 'A'), 'wanted NAME=VALUE'),
                            (('--patch', 'x'), 'x'),
                            (('no_such_test',), 'no such test')):
            with self.subTest(words=words), self.assertRaisesRegex(UsageError, said):
                made('run', *words)


class Vary(unittest.TestCase):
    def test_the_first_one_stays(self):
        wanted = Request()
        self.assertEqual(wanted.with_boot(cpus=4).with_build(debug=True).boot.cpus, 4)
        self.assertEqual(wanted, Request())
        with self.assertRaises(dataclasses.FrozenInstanceError):
            wanted.boot.cpus = 2


class Environment(unittest.TestCase):
    def test_environment_of_the_tests(self):
        self.assertEqual(request.parse_environment(['A=1', 'B=x=y', 'C=']),
                         (('A', '1'), ('B', 'x=y'), ('C', '')))
        for word in ('A', '=1', '1A=2', 'A=b c'):
            with self.subTest(word=word), self.assertRaises(UsageError):
                request.parse_environment([word])
