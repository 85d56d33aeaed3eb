# SPDX-License-Identifier: GPL-2.0-only
"""Configures and builds the kernel: bzImage, and KVM as modules."""

import hashlib
import os
import re
import typing
from collections.abc import Iterable, Mapping, Sequence

from tdxtest.base import command, table_file
from tdxtest.base.build_folder import UNFIT, Build, write_if_changed
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import CONFIGS, PROJECT, TABLES
from tdxtest.base.progress import LogLines, Meter
from tdxtest.tree.source import Source

SUITE_CONFIG = 'tools/testing/selftests/kvm/config.x86_64'
# The module that a test needs. It says itself which other modules it depends on.
KVM_MODULE = 'kvm-intel'
MODULE_PARAMS = {'kvm-intel': ['tdx=1']}
NEEDED = os.path.join(TABLES, 'needed-options.list')
DEFINED = re.compile(r'^\s*(?:menu)?config\s+(\w+)', re.MULTILINE)
OPTION = re.compile(r'CONFIG_(\w+)=(.*)|# CONFIG_(\w+) is not set')
# (file, [parameters]) of each module, in the order of loading.
Modules = Sequence[tuple[str, list[str]]]


def parse_config(text: str) -> dict[str, str]:
    """{option: value} of a .config or a fragment; "n" for one that is not set."""
    values = {}
    for line in text.splitlines():
        match = OPTION.fullmatch(line.strip())
        if match:
            values[match[1] or match[3]] = match[2] if match[1] else 'n'
    return values


def lost_options(wanted: Mapping[str, str], got: Mapping[str, str],
                 allow_modules: bool = False) -> list[str]:
    """Lines that name each wanted option that did not survive.

    allow_modules: "m" is as good as a wanted "y" (what kselftest asks for).
    """
    lost = []
    for option, value in wanted.items():
        have = got.get(option, 'n')
        if have != value and not (allow_modules and (value, have) == ('y', 'm')):
            lost.append(f'CONFIG_{option}: wanted {value}, got {have}')
    return lost


def fragment_path(name: str) -> str:
    """The file of a fragment: configs/NAME.config, or a person's own, by its absolute path."""
    return name if os.path.isabs(name) else os.path.join(CONFIGS, f'{name}.config')


def fragment_label(name: str) -> str:
    """A fragment in the name of a folder; two files of one name differ."""
    if not os.path.isabs(name):
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[:8]
    return f'{UNFIT.sub("_", os.path.basename(name))}-{digest}'


def fragments(names: Iterable[str]) -> dict[str, str]:
    """The merged options of fragments, later ones win."""
    wanted = {}
    for name in names:
        with open(fragment_path(name), encoding='utf-8') as f:
            wanted.update(parse_config(f.read()))
    return wanted


def check_own(path: str, names: Iterable[str]) -> None:
    """UsageError for a person's fragment that cannot be one, or takes from us what we need.

    names: of the fragments that it is added to.
    """
    try:
        with open(path, encoding='utf-8') as f:
            lines = f.read().splitlines()
    except (OSError, UnicodeDecodeError) as e:
        raise UsageError(f'CONFIG={path}: {getattr(e, "strerror", "") or "no text"}') from e
    for number, line in enumerate(lines, 1):
        word = line.strip()
        if word and not OPTION.fullmatch(word) and (not word.startswith('#')
                                                    or 'CONFIG_' in word and 'not set' in word):
            raise UsageError(f'CONFIG={path}: line {number}: wanted CONFIG_NAME=VALUE or '
                             f'# CONFIG_NAME is not set, got {word}')
    ours, own = fragments(names), parse_config('\n'.join(lines))
    if not own:
        raise UsageError(f'CONFIG={path}: names no option')
    for option in table_file.lines(NEEDED):
        if own.get(option, ours.get(option)) != ours.get(option):
            raise UsageError(f'CONFIG={path}: CONFIG_{option}={own[option]}: the tests need '
                             f'{ours[option]}')


def vanished(tree: str, options: Iterable[str]) -> list[str]:
    """Those of the options that no Kconfig file of a tree defines."""
    left = set(options)
    for folder, dirs, names in os.walk(tree):
        dirs[:] = [d for d in dirs if d not in ('Documentation', 'samples', 'tools')]
        for name in names:
            if left and name.startswith('Kconfig'):
                with open(os.path.join(folder, name), encoding='utf-8', errors='replace') as f:
                    left -= set(DEFINED.findall(f.read()))
    return sorted(left)


def suite_options() -> dict[str, str]:
    """The options that the suite asks for, as kselftest-merge would take them."""
    try:
        with open(os.path.join(PROJECT, SUITE_CONFIG), encoding='utf-8') as f:
            return parse_config(f.read())
    except FileNotFoundError:
        return {}


class Tree(typing.Protocol):
    """What a Kernel is built of, such as a WorkTree."""

    source: Source
    folder: str
    tree: str       # the folder of the source
    state: str      # changes with the source; '' if that is not known

    def out(self, *parts: str) -> str:
        """A path for what is made of it."""


class Kernel:
    """The build of one work tree with one list of config fragments.

    configs: names of configs/, and absolute paths of a person's own.
    """

    def __init__(self, build: Build, work: Tree, configs: Sequence[str],
                 replaced: Mapping[str, str] | None = None) -> None:
        self.build = build
        self.work = work
        self.configs = configs
        self.state = ''     # of the configuration, by configure()
        # {base name of a module: another build of it}
        self._replaced = dict(replaced or {})
        labels = '-'.join(map(fragment_label, configs))
        self.out = work.out('out' if configs == ['base', 'sim'] else f'out-{labels}')

    def make(self, *goals: str, log: str = 'build', env: Mapping[str, str] | None = None) -> None:
        argv = ['make', '-C', self.work.tree, f'O={self.out}', f'-j{os.cpu_count() or 1}', *goals]
        command.run(argv, self.build.log(log), env=env, what='make ' + ' '.join(goals[-2:]))

    def _kconfig_state(self, wanted: Mapping[str, str]) -> bytes:
        """Changes when .config must be made anew: the options or a Kconfig file."""
        digest = hashlib.sha256(repr(sorted(wanted.items())).encode())
        for folder, dirs, names in os.walk(self.work.tree):
            dirs[:] = sorted(d for d in dirs if d not in ('Documentation', 'samples'))
            for name in sorted(names):
                if name.startswith('Kconfig'):
                    # Neither paths nor times: the folder may have been moved or copied.
                    path = os.path.join(folder, name)
                    digest.update(os.path.relpath(path, self.work.tree).encode())
                    with open(path, 'rb') as f:
                        digest.update(f.read())
        return digest.hexdigest().encode()

    def configure(self) -> None:
        """Make .config from the fragments and check that every option survived."""
        wanted = fragments(self.configs)
        stamp = os.path.join(self.out, 'tdxtest-config')
        state = self._kconfig_state(wanted)
        self.state = state.decode()
        if os.path.exists(stamp):
            with open(stamp, 'rb') as f:
                if f.read() == state:
                    return
        os.makedirs(self.out, exist_ok=True)
        merged = ''.join(f'CONFIG_{k}={v}\n' for k, v in wanted.items())
        fragment = os.path.join(self.out, 'tdxtest.config')
        write_if_changed(fragment, merged.encode())
        with self.build.progress.step('configure', ' + '.join(map(os.path.basename, self.configs))):
            self.make('allnoconfig', log='configure', env={'KCONFIG_ALLCONFIG': fragment})
        self.verify(wanted)
        write_if_changed(stamp, state)

    def verify(self, wanted: Mapping[str, str]) -> None:
        """Failure for an option that .config does not have; a note if none needs it."""
        with open(os.path.join(self.out, '.config'), encoding='utf-8') as f:
            got = parse_config(f.read())
        asked = suite_options()
        off = {option for option, value in {**asked, **wanted}.items()
               if value != 'n' and got.get(option, 'n') == 'n'}
        gone = vanished(self.work.tree, off) if off else []
        own = fragments(name for name in self.configs if os.path.isabs(name))
        needed = {*table_file.lines(NEEDED), *own}
        for option in gone:
            if option in needed:
                raise Failure(f'Linux {self.work.source.version} has no CONFIG_{option}, '
                              + ('which CONFIG= asks for' if option in own else
                                 'without which no test runs; has it been renamed?'))
        if gone:
            self.build.progress.say(
                f'note: Linux {self.work.source.version} has no '
                + ', '.join(f'CONFIG_{option}' for option in gone) + '; the tests do without')
        left = {k: v for k, v in wanted.items() if k not in gone}
        if own:
            displaced = lost_options({k: v for k, v in left.items() if k not in needed}, got)
            left = {k: v for k, v in left.items() if k in needed}
            if displaced:
                self.build.progress.say('note: CONFIG= changes what the tool asks for: '
                                        + '; '.join(displaced))
        lost = lost_options(left, got)
        lost += lost_options({k: v for k, v in asked.items() if k not in gone}, got, True)
        if lost:
            raise Failure(f'Linux {self.work.source.version}: {len(lost)} config option(s) '
                          'did not survive, an option they depend on is missing: '
                          + '; '.join(lost))

    def compile(self) -> None:
        """Build what changed; make alone takes seconds to find that nothing did."""
        stamp = os.path.join(self.out, 'tdxtest-built')
        state = f'{self.work.state} {self.state}\n'.encode()
        if os.path.exists(stamp):
            with open(stamp, 'rb') as f:
                if f.read() == state:
                    self.build.progress.say('build: nothing changed')
                    return
            os.unlink(stamp)
        first = not os.path.exists(os.path.join(self.out, 'vmlinux'))
        with self.build.progress.step('build', f'Linux {self.work.source.version}, '
                                      f'make -j{os.cpu_count() or 1} bzImage modules',
                                      self._compiled,
                                      Meter(LogLines(self.build.log('build')), 'objects'),
                                      'build' if first else 'rebuild'):
            self.make('bzImage', 'modules')
        write_if_changed(stamp, state)

    def _compiled(self) -> str:
        """How far make is, for the step's line."""
        try:
            with open(self.build.log('build'), 'rb') as f:
                f.seek(max(0, os.path.getsize(f.name) - 300))
                last = f.read().decode(errors='replace').splitlines()[-1]
        except (OSError, IndexError):
            return ''
        return ' '.join(last.split())[:70]

    def with_modules(self, paths: Mapping[str, str]) -> 'Kernel':
        """The same build with other modules. paths: {base name of a module: its file}."""
        other = Kernel(self.build, self.work, self.configs, paths)
        other.state = self.state
        return other

    def image(self) -> str:
        return os.path.join(self.out, 'arch/x86/boot/bzImage')

    def has(self, option: str) -> bool:
        with open(os.path.join(self.out, '.config'), encoding='utf-8') as f:
            return parse_config(f.read()).get(option, 'n') != 'n'

    def modules(self) -> list[tuple[str, list[str]]]:
        """[(path, [parameters])] to load, each after what it depends on.

        A module of with_modules() depends on the same modules as the one that it replaces.
        """
        with open(os.path.join(self.out, 'modules.order'), encoding='utf-8') as f:
            paths = [line.strip() for line in f]
        built = {os.path.basename(p)[:-2].replace('-', '_'):
                 os.path.join(self.out, p[:-2] + '.ko') for p in paths}
        order = []

        def add(name: str) -> None:
            key = name.replace('-', '_')
            if key + '' not in built:
                raise Failure(f'{name}.ko was not built')
            path = built[key]
            with open(path, 'rb') as f:
                depends = re.search(rb'\0depends=([^\0]*)\0', f.read())
            for other in depends[1].decode().split(',') if depends else ():
                if other and built[other.replace('-', '_')] not in order:
                    add(other)
            order.append(path)

        add(KVM_MODULE)
        return [(self._replaced.get(os.path.basename(p), p),
                 MODULE_PARAMS.get(os.path.basename(p)[:-3], [])) for p in order]
