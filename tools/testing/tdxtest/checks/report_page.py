# SPDX-License-Identifier: GPL-2.0-only
"""Looks at the page of tdxtest.py report in a browser, as a person would."""

import html
import json
import os
import re
import struct
import subprocess
import tempfile
import typing
import zlib
from collections.abc import Iterator

from tdxtest.base import apt, command
from tdxtest.base.checking import When
from tdxtest.base.failure import Failure
from tdxtest.base.paths import TEST_DATA
from tdxtest.commands import report
from tdxtest.guest.stages import Built
from tdxtest.verdict import judging, results
from tdxtest.verdict.results import Results

NAME = 'report in a browser'
WHEN = When.LONG
CHROMIUM = ['chromium', '--headless', '--no-sandbox', '--disable-gpu', '--disable-quic',
            '--no-first-run', '--disable-background-networking', '--disable-component-update',
            '--disable-sync', '--hide-scrollbars']
WIDTHS = (1280, 600)
HEIGHT = 900
TIMEOUT_S = 120
# Consoles whose page shows everything that a page can show.
SAMPLES = (('pass', 'merged'), ('fail', 'legacy'), ('kernel_warns', 'posted'))
COVERAGE = {'kernel': '7.3.4', 'lines': 10, 'lines_run': 9, 'branches': 8, 'branches_taken': 7}
# What the browser made of the page; it leaves the answers where --dump-dom prints them.
PROBE = """<script>
const shown = node => node.getClientRects().length > 0;
const colour = (node, what) => getComputedStyle(node)[what];
const all = name => [...document.querySelectorAll(name)];
document.documentElement.dataset.probe = JSON.stringify({
  width: innerWidth,
  wide: document.documentElement.scrollWidth,
  title: document.title,
  verdicts: all('.verdict').map(n => ({text: n.textContent, shown: shown(n),
    top: n.getBoundingClientRect().top, colour: colour(n, 'color')})),
  warnings: all('.warning').map(n => ({text: n.textContent, shown: shown(n),
    own: !['rgba(0, 0, 0, 0)', colour(n.parentNode, 'backgroundColor')]
      .includes(colour(n, 'backgroundColor'))})),
  failed: all('td .fail').filter(shown).length,
  folded: all('details:not([open])').length,
  outside: all('[src], [href], script:not(:last-child)').length,
});
</script></body>"""


def sample_runs() -> Iterator[Results]:
    """Results of saved consoles: a pass, a failure and a warning, as three generations."""
    for name, abi in SAMPLES:
        with open(os.path.join(TEST_DATA, f'{name}.log'), encoding='utf-8') as f:
            guests = [results.parse_log(f)]
        yield results.collect(guests, judging.judge_all(guests), {'abi': abi, 'kernel': '7.3.4'})


def browse(page: str, folder: str, width: int,
           probe: str = PROBE) -> tuple[dict[str, typing.Any], str]:
    """(what the probe saw, the path of a screenshot) of a page's text."""
    file, shot = os.path.join(folder, 'page.html'), os.path.join(folder, f'{width}.png')
    results.write(file, page.replace('</body>', probe))
    said = ''
    for words in (['--dump-dom'], [f'--screenshot={shot}']):
        with tempfile.TemporaryDirectory(dir=folder) as profile:
            argv = [*CHROMIUM, f'--user-data-dir={profile}', f'--window-size={width},{HEIGHT}',
                    *words, f'file://{file}']
            try:
                done = subprocess.run(argv, capture_output=True, text=True, timeout=TIMEOUT_S,
                                      env=command.environment(), check=False)
            except subprocess.TimeoutExpired as e:
                raise Failure(f'chromium: no page after {TIMEOUT_S} s') from e
            said = said or done.stdout
    match = re.search(r'data-probe="([^"]*)"', said)
    if not match or not os.path.exists(shot):
        raise Failure(f'chromium showed no page: {(done.stderr.splitlines() or ["silent"])[-1]}')
    return json.loads(html.unescape(match[1])), shot


def colours(path: str) -> tuple[int, int, int]:
    """(width, height, how many different bytes its rows hold) of a PNG file."""
    with open(path, 'rb') as f:
        data = f.read()
    at, packed = 8, b''
    while at < len(data):
        size, kind = struct.unpack('>I4s', data[at:at + 8])
        packed += data[at + 8:at + 8 + size] if kind == b'IDAT' else b''
        at += size + 12
    width, height = struct.unpack('>II', data[16:24])
    return width, height, len(set(zlib.decompress(packed)))


def look(page: str, wanted: tuple[list[str], list[str]], folder: str) -> Iterator[str]:
    """Lines that are wrong with a page. wanted: (verdicts, warnings) that it must show."""
    for width in WIDTHS:
        seen, shot = browse(page, folder, width)
        where = f'report at {width} pixels'
        if seen['wide'] > seen['width']:
            yield f'{where}: {seen["wide"]} pixels wide, a reader has to scroll sideways'
        if [v['text'] for v in seen['verdicts']] != wanted[0]:
            yield f'{where}: wanted the verdicts {wanted[0]}, got {seen["verdicts"]}'
        if not all(v['shown'] for v in seen['verdicts']) or seen['verdicts'][0]['top'] > 200:
            yield f'{where}: the verdict is not at the top of the page: {seen["verdicts"]}'
        if wanted[1] != [w['text'] for w in seen['warnings']]:
            yield f'{where}: wanted the warnings {wanted[1]}, got {seen["warnings"]}'
        if not all(w['shown'] and w['own'] for w in seen['warnings']):
            yield f'{where}: a warning does not stand out: {seen["warnings"]}'
        if seen['outside']:
            yield f'{where}: {seen["outside"]} element(s) of it want something from elsewhere'
        wide, high, different = colours(shot)
        if (wide, high) != (width, HEIGHT) or different < 32:
            yield f'{where}: a picture of {wide}x{high} with {different} values, wanted a page'
    verdict_colours = {v['colour'] for v in seen['verdicts']}
    if len(verdict_colours) != len({v['text'][:4] for v in seen['verdicts']}):
        yield f'report: verdicts differ, their colours do not: {seen["verdicts"]}'


def check(built: Built) -> Iterator[str]:
    """The page of saved consoles, and that of the last run, look right."""
    apt.ensure_installed(built.progress, built.build.log('apt'), 'check-long')
    kept = [list(sample_runs())]
    last = built.build.path(results.LAST)
    if os.path.exists(last):
        kept.append(results.load(last))
    with tempfile.TemporaryDirectory(dir=built.build.root, prefix='report-') as folder:
        for runs in kept:
            wanted = ([run['summary'] for run in runs],
                      [row['text'] for run in runs for log in run['logs'] for row in log
                       if row['warning']])
            yield from look(report.page(runs, COVERAGE), wanted, folder)
