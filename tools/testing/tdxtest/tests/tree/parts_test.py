# SPDX-License-Identifier: GPL-2.0-only
"""How the project is cut into series that can be posted."""

import os
import tempfile
import types
import unittest
from unittest import mock

from tdxtest.base.failure import Failure, UsageError
from tdxtest.commands import series as series_command
from tdxtest.tree import parts, patchset
from tdxtest.verdict import results

RECORD = 'Part: {name}\nCover: KVM: {name}\nKind: {kind}\n{more}\nWhy.\n'


def load(*records):
    with tempfile.NamedTemporaryFile('w', suffix='.txt') as f:
        f.write('\n---\n'.join(records))
        f.flush()
        return parts.load(f.name)


class Table(unittest.TestCase):

    def test_what_a_part_needs(self):
        first = RECORD.format(name='a', kind='suite', more='Tests: a_* b_test')
        second = RECORD.format(name='b', kind='suite', more='After: a\nTests: *')
        found = load(first, second)
        self.assertEqual((found[0].tests, found[1].after, found[1].text),
                         (('a_*', 'b_test'), ('a',), 'Why.\n'))
        with self.assertRaisesRegex(Failure, 'b: comes after a, which is not before it'):
            load(second, first)
        with self.assertRaisesRegex(Failure, 'a: wanted Part, Cover and a Kind'):
            load(RECORD.format(name='a', kind='other', more=''))


class Cut(unittest.TestCase):
    """The project itself."""

    @classmethod
    def setUpClass(cls):
        cls.cutter = parts.Cutter((7, 3, 4))
        cls.pieces = cls.cutter.pieces()

    def test_no_series_is_long(self):
        for piece in self.pieces:
            self.assertTrue(0 < len(piece.steps) <= parts.MOST, piece.name)
        self.assertTrue({'fixes', 'mapgpa', 'exits', 'lifecycle', 'module'} <=
                        {piece.name for piece in self.pieces})

    def test_all_of_the_project_is_in_one_series(self):
        steps, _ = patchset.plan((7, 3, 4))
        wanted = sorted([path for step in steps for path in step.files] +
                        [step.patch for step in steps if step.patch] +
                        [step.patch for step in self.cutter.fixes])
        found = sorted(path for piece in self.pieces for step in piece.steps
                       for path in (step.files if not step.patch else [step.patch]))
        self.assertEqual(found, wanted)

    def test_a_library_file_comes_with_a_test(self):
        for piece in self.pieces:
            for step in piece.steps:
                library = [path for path in step.files if '/tdx/' in path]
                if library and piece.part.kind == 'suite' and not step.subject.endswith('run TDs'):
                    self.assertTrue(parts.stem_of(step), f'{piece.name}: {step.subject}')

    def test_what_a_test_includes_is_there(self):
        headers = {patchset.stem(path) for step in self.cutter.suite for path in step.files
                   if path.endswith(('.h', '.def'))}
        for piece in self.pieces:
            if piece.part.kind != 'suite':
                continue
            present = {path for step in piece.before for path in step.files}
            for step in piece.steps:
                present.update(step.files)
                wanted = parts.includes(step.files) & headers if step.files else set()
                self.assertFalse(wanted - set(map(patchset.stem, present)),
                                 f'{piece.name}: {step.subject}')

    def test_pieces_of_a_long_part(self):
        with mock.patch.object(parts, 'MOST', 5):
            pieces = self.cutter.pieces()
            second = self.cutter.piece('mapgpa-2')
        self.assertEqual([p.name for p in pieces][:4], ['fixes', 'fixes-2', 'fixes-3', 'fixes-4'])
        self.assertEqual((second.number, len(second.before)), (2, 5))
        self.assertIn('piece 2 of', parts.blurb(second, '7.3.4', 'Run.'))
        with self.assertRaisesRegex(UsageError, '--part nothing: there are: fixes, '):
            self.cutter.piece('nothing')

    def test_a_cover_letter(self):
        exits = self.cutter.piece('exits')
        text = parts.blurb(exits, '7.3.4', 'Run on Linux 7.3.4.')
        self.assertIn('It depends on mapgpa, which is posted before it.', text)
        self.assertIn('Run on Linux 7.3.4.', text)
        self.assertIn('It depends on no other', parts.blurb(self.cutter.piece('fixes'), '7', 'x'))


class Written(unittest.TestCase):

    def test_patches_on_the_parts_before_them(self):
        rows = 'tools/testing/selftests/kvm/x86/{}.c'
        first = patchset.Step('KVM: one', 'Text.', [rows.format('tdx_smoke_test')])
        second = patchset.Step('KVM: two', 'Text.', [rows.format('tdx_io_test')])
        part = parts.Part('b', 'KVM: The cover', 'suite', 'Why.\n', ('a',))
        with tempfile.TemporaryDirectory() as folder:
            build = types.SimpleNamespace(root=folder, log=lambda name: os.path.join(folder, name))
            source = types.SimpleNamespace(version='7.3.4', pristine='')
            work = types.SimpleNamespace(build=build, source=source, original=lambda path: b'')
            # A repository needs a file to begin with.
            with mock.patch.object(patchset.Repository, 'commit',
                                   commit_even_nothing(patchset.Repository.commit)):
                paths = parts.make(work, parts.Piece('b', part, [second], [first]),
                                   os.path.join(folder, 'out'), 'A <a@b.c>', 1, 'Run on it.')
            self.assertEqual(len(paths), 2)
            with open(paths[0], encoding='utf-8') as f:
                cover = f.read()
            for wanted in ('[PATCH 0/1] KVM: The cover', 'Why.', 'It depends on a', 'Run on it.',
                           'base: the tag v7.3.4', 'prerequisite-patch-id: '):
                self.assertIn(wanted, cover)
            with open(paths[1], encoding='utf-8') as f:
                self.assertNotIn('tdx_smoke_test.c', f.read())


def commit_even_nothing(commit):
    return lambda self, message, *options: commit(self, message, '--allow-empty', *options)


class Tested(unittest.TestCase):

    def test_what_was_run(self):
        case = {'name': 'f.x', 'ok': True, 'skip': False, 'note': '', 'seconds': 1, 'mark': ''}
        test = {'name': 'a_test', 'ok': True, 'skip': False, 'note': '', 'seconds': 1,
                'cases': [case, {**case, 'mark': 'xfail'}]}
        run = {'kernel': '7.3.4', 'machine': 'bochs', 'patches': [], 'tests': [test]}
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 'results.json')
            self.assertEqual(series_command.tested(path, '7.3.4', ['a_test']),
                             'No run on Linux 7.3.4 is at hand.')
            results.write(path, results.to_json([run]))
            text = series_command.tested(path, '7.3.4', ['a_test', 'b_test'])
            self.assertIn('cases: 1 passed, 1 failed for known bugs of KVM. Not run: b_test.', text)
            self.assertIn('No run on Linux 7.2', series_command.tested(path, '7.2', []))
