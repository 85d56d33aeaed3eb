# SPDX-License-Identifier: GPL-2.0-only
"""The page of a run, as a parser sees it; report_page.py looks at it in a browser."""

import contextlib
import html.parser
import io
import json
import os
import tempfile
import unittest

from tdxtest.commands import coverage
from tdxtest.commands import report
from tdxtest.verdict import results
from tdxtest import program
from tdxtest.tests.verdict.results_test import LOGS, found

VOID = ('meta', 'br')


class Reader(html.parser.HTMLParser):
    """Checks that tags match, and keeps texts by class."""

    def __init__(self, text):
        super().__init__()
        self.open, self.texts, self.links = [], {}, []
        self.feed(text)
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.links += [v for k, v in attrs.items() if k in ('src', 'href')]
        if tag not in VOID:
            self.open.append((tag, (attrs.get('class') or '').split()))

    def handle_endtag(self, tag):
        assert self.open and self.open[-1][0] == tag, (tag, self.open)
        self.open.pop()

    def handle_data(self, data):
        for _, classes in self.open:
            for name in classes:
                self.texts.setdefault(name, []).append(data)


class Page(unittest.TestCase):
    def test_every_console_makes_a_page(self):
        for name in LOGS:
            with self.subTest(console=name):
                run = found(name)
                reader = Reader(report.page([run]))
                self.assertEqual(reader.texts['verdict'], [run['summary']])
                self.assertEqual(reader.links, [])

    def test_what_failed_is_said(self):
        reader = Reader(report.page([found('fail')]))
        self.assertIn('wanted TDVMCALL_STATUS_RETRY', ''.join(reader.texts['problems']))
        self.assertIn('fail', reader.texts['fail'])
        self.assertIn('FAIL', report.page([found('fail')]).split('<title>')[1].split('<')[0])

    def test_warnings_are_marked(self):
        reader = Reader(report.page([found('kernel_warns')]))
        self.assertTrue([t for t in reader.texts['warning'] if 'WARNING:' in t])
        self.assertNotIn('warning', Reader(report.page([found('pass')])).texts)

    def test_nothing_of_a_log_is_html(self):
        run = found('fail')
        run['tests'][2]['cases'][1]['note'] = '<script>alert(1)</script>'
        run['logs'][0][0]['text'] = '</pre><b>'
        text = report.page([run])
        Reader(text)
        self.assertNotIn('<script>', text)

    def test_generations_side_by_side(self):
        text = report.page([found('fail', abi='legacy'), found('pass', abi='merged')])
        matrix = text.split('<div id=matrix>')[1].split('</div>')[0]
        self.assertIn('1 case(s) that differ', matrix)
        self.assertIn('map_gpa.eagain_2nd_chunk.exits', matrix)
        self.assertNotIn('map_gpa.all_converted.exits', matrix)
        self.assertNotIn('id=matrix', report.page([found('pass')]))

    def test_a_case_that_one_generation_lacks(self):
        text = report.matrix([found('no_tests', abi='legacy'), found('pass', abi='merged')])
        self.assertIn('absent', text)

    def test_coverage(self):
        text = report.page([found('pass')], {'kernel': '7.3.4', 'lines': 200, 'lines_run': 199})
        self.assertIn('99.5', text)
        self.assertNotIn('Coverage', report.page([found('pass')]))

    def test_times(self):
        run = found('pass')
        for row, took in zip(run['tests'][2]['cases'], (1, 4, 2)):
            row['seconds'] = took
        text = report.slowest(run)
        self.assertLess(text.index('eagain_2nd'), text.index('einval_2nd'))
        self.assertIn('4.00', text)
        self.assertEqual(report.slowest(found('empty')), '')


def command(*words):
    """(exit status, last line on standard error) of the command."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        status = program.main(['report', *words])
    return status, (said.getvalue().splitlines() or [''])[-1]


class Command(unittest.TestCase):
    def test_the_results_of_the_last_run(self):
        with tempfile.TemporaryDirectory() as folder:
            results.write(os.path.join(folder, results.LAST), results.to_json([found('pass')]))
            out = os.path.join(folder, 'r.html')
            self.assertEqual(command('--build', folder, '-o', out), (0, ''))
            with open(out, encoding='utf-8') as f:
                self.assertIn('3 passed', f.read())

    def test_the_coverage_of_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            path, out = os.path.join(folder, 'c.json'), os.path.join(folder, 'r.html')
            results.write(os.path.join(folder, results.LAST), results.to_json([found('pass')]))
            held = {'format': coverage.FORMAT, 'kernel': '7.3.4', 'lines': 10, 'lines_run': 9}
            for text, wanted in ((json.dumps(held), ''), ('bad', 'is no JSON'),
                                 ('[]', 'is none that tdxtest.py coverage makes'),
                                 ('{}', 'is none that tdxtest.py coverage makes')):
                results.write(path, text)
                status, said = command('--build', folder, '-o', out, '--coverage', path)
                self.assertEqual(status, 2 if wanted else 0, text)
                self.assertIn(wanted, said)

    def test_no_results(self):
        with tempfile.TemporaryDirectory() as folder:
            status, said = command('--build', folder, '-o', '-')
        self.assertEqual(status, 2)
        self.assertIn('results.json is not there; tdxtest.py run makes it', said)
