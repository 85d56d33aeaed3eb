# SPDX-License-Identifier: GPL-2.0-only
"""Packages: the system's own, and an isolated apt state for newer ones.

The isolated state lives in the build folder and reads Debian 13, its backports
and unstable from the mirror that the system's apt names. The system's sources
are never edited, and apt checks every signature against Debian's keyring.
"""

import dataclasses
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

from tdxtest.base import command, privilege, table_file
from tdxtest.base.failure import Failure, UsageError
from tdxtest.base.paths import TABLES
from tdxtest.base.progress import Progress

KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg'
# No release of Debian carries each linux-source-7.x; these suites together do.
SUITES = ('trixie', 'trixie-backports', 'unstable')
# Nothing of a package may ask a question.
ENVIRONMENT = {'DEBIAN_FRONTEND': 'noninteractive', 'LC_ALL': 'C.UTF-8'}
LOCK_PATIENCE_S = 300
LOCK_POLL_S = 3
LOCKED = re.compile(r'(Could not get lock|Unable to lock|Unable to acquire) '
                    r'.*?(?=\. |, | \(whole|$)')
MAIN_PACKAGES = re.compile(r"^'(.+/)dists/([^/']+)/main/binary-[^/]+/Packages", re.MULTILINE)
DEBIAN_SUITES = ('bookworm', 'trixie', 'forky', 'duke', 'oldstable', 'stable', 'testing',
                 'unstable', 'sid')


@dataclasses.dataclass(frozen=True)
class Need:
    """A row of packages.tsv."""

    package: str
    sign: str
    purpose: str
    only: str = ''      # the command that needs it, '' for all

    def met(self) -> bool:
        if self.sign.startswith('/'):
            return os.path.exists(self.sign)
        return shutil.which(self.sign) is not None


def needs(path: str = os.path.join(TABLES, 'packages.tsv')) -> list[Need]:
    return [Need(*row) for row in table_file.rows(path)]


def version_key(version: str) -> tuple[int, ...]:
    """Orders the digits of a version: "3.0+dfsg-1" -> (3, 0, ...)."""
    return tuple(int(n) for n in re.findall(r'\d+', version.split(':', 1)[-1]))


def by_hand(packages: Iterable[str]) -> str:
    """What a person must do where the tool cannot install packages."""
    if not shutil.which('apt-get'):
        return 'install what Debian has in these packages: ' + ' '.join(packages)
    return ('run as root: apt-get update && apt-get install --no-install-recommends '
            + ' '.join(packages))


def run_as_root(argv: list[str], progress: Progress, log: str) -> None:
    """Run a command of apt as root; waits while another program holds a lock of apt.

    A machine that was just started updates its packages by itself.
    """
    until = time.monotonic() + LOCK_PATIENCE_S
    told = False
    while True:
        try:
            command.run(privilege.as_root(argv, ENVIRONMENT), log, env=ENVIRONMENT,
                        what=' '.join(argv[:2]), in_session=True)
            return
        except Failure as e:
            locked = LOCKED.search(str(e))
            if not locked or time.monotonic() > until:
                raise
            if not told:
                progress.say(f'apt: waiting for another program: {locked[0]}')
            told = True
            time.sleep(LOCK_POLL_S)


def install(packages: Mapping[str, str], progress: Progress, log: str) -> None:
    """Install packages by the system's apt. packages: {name: what for}.

    UsageError where neither root nor sudo is available, with the command that root must run.
    """
    width = max(map(len, packages))
    progress.say('apt: will install (apt-get install --no-install-recommends):')
    for name, purpose in packages.items():
        progress.line(f'    {name:{width}}  {purpose}')
    why = (privilege.refusal() if shutil.which('apt-get') else 'this system has no apt-get')
    if why:
        raise UsageError(f'packages are missing, and {why}; {by_hand(packages)}')
    stale = ''
    with progress.step('apt', f'installing {len(packages)} package(s)', asks=True):
        try:
            run_as_root(['apt-get', 'update', '-q', '-o', 'APT::Update::Error-Mode=any'],
                        progress, log)
        except Failure as e:
            # The person's own sources may fail and yet have nothing that is wanted.
            stale = str(e)
            progress.say(f'note: {stale}')
        try:
            run_as_root(['apt-get', 'install', '-q', '-y', '-o',
                         f'DPkg::Lock::Timeout={LOCK_PATIENCE_S}', '--no-install-recommends',
                         *packages], progress, log)
        except Failure as e:
            raise Failure(f'{e}; before it, {stale}' if stale else str(e), e.output) from e


def ensure_installed(progress: Progress, log: str, only: str = '') -> None:
    """Install every package of packages.tsv whose sign is missing.

    only: a command, for the rows that it alone needs; '' for those that all need.
    """
    rows = [n for n in needs() if n.only == only]
    missing = {n.package: n.purpose for n in rows if not n.met()}
    if missing:
        install(missing, progress, log)
        left = [n for n in rows if not n.met()]
        if left:
            raise Failure(f'{left[0].package} is installed, but {left[0].sign} is not there')


def choose_mirror(targets: Iterable[str]) -> str:
    """The mirror of the main Debian archive among the system's apt targets.

    targets: lines of apt-get indextargets, "uri|suite|origin|label|component".
    Gives '' when there is none. Origin and label may be unknown: then the suite's name
    has to do.
    """
    known, likely = [], []
    for line in targets:
        uri, suite, origin, label, component = (line.split('|') + [''] * 5)[:5]
        if component != 'main' or uri.startswith('cdrom:'):
            continue
        if origin == 'Debian' and label == 'Debian':
            known.append(uri)
        elif not origin.strip('$()ORIGIN') and suite in DEBIAN_SUITES:
            likely.append(uri)
    # Other archives call a suite "stable" as well.
    likely.sort(key=lambda uri: 'debian' not in uri)
    return (known + likely + [''])[0]


def targets_of_sources(printed: str) -> list[str]:
    """What choose_mirror() takes, by apt-get update --print-uris.

    apt has no targets before its first update, as in an image without lists.
    """
    return [f'{uri}|{suite}|||main' for uri, suite in MAIN_PACKAGES.findall(printed)]


def system_mirror() -> str:
    form = '$(REPO_URI)|$(RELEASE)|$(ORIGIN)|$(LABEL)|$(COMPONENT)'
    lines = command.output(['apt-get', 'indextargets', '--format', form,
                            'Created-By: Packages']).splitlines()
    mirror = choose_mirror(lines) or choose_mirror(targets_of_sources(
        command.output(['apt-get', 'update', '--print-uris'], check=False)))
    if not mirror:
        raise UsageError("the system's apt names no Debian mirror; give one, the folder where "
                         'it has dists/ and pool/, as MIRROR=http://HOST/debian; '
                         'www.debian.org/mirror/list has hosts')
    return mirror


class AptState:
    """The system's apt, asked without changing it: which versions it carries."""

    name = "the system's apt"

    def __init__(self) -> None:
        self.options: list[str] = []

    def versions(self, package: str) -> list[tuple[str, str]]:
        """[(version, suites text)] that can be fetched, newest first."""
        text = command.output(['apt-cache', *self.options, 'madison', package])
        rows = [[c.strip() for c in line.split('|')] for line in text.splitlines()]
        return [(row[1], row[2]) for row in rows
                if len(row) == 3 and row[0] == package and row[2].endswith('Packages')]

    def packages(self, pattern: str) -> list[str]:
        """Names of the packages that match the whole regular expression."""
        text = command.output(['apt-cache', *self.options, 'pkgnames', pattern.split('[')[0]])
        return [name for name in text.split() if re.fullmatch(pattern, name)]

    def download(self, package: str, version: str, folder: str, log: str) -> str:
        """Fetch one package file, checked by apt; gives its path in `folder`.

        apt writes into a folder of its own first: a file in `folder` is whole.
        """
        part = os.path.join(folder, 'partial')
        shutil.rmtree(part, ignore_errors=True)
        os.makedirs(part)
        command.run(['apt-get', *self.options, '-q', 'download', f'{package}={version}'],
                    log, cwd=part, what=f'download of {package} {version}')
        names = [n for n in os.listdir(part) if n.endswith('.deb')]
        if len(names) != 1:
            raise Failure(f'download of {package} {version}: apt left {len(names)} files')
        path = os.path.join(folder, names[0])
        os.replace(os.path.join(part, names[0]), path)
        return path


class IsolatedApt(AptState):
    """An apt state of our own under `root`, for SUITES of the mirror."""

    name = 'isolated apt state'

    def __init__(self, root: str, mirror: str) -> None:
        super().__init__()
        self.root = root
        self.mirror = mirror
        for folder in ('lists/partial', 'cache/archives/partial', 'preferences.d', 'sources.d',
                       'dpkg'):
            os.makedirs(os.path.join(root, folder), exist_ok=True)
        # A system with nothing installed. The locks are made beside this file.
        with open(os.path.join(root, 'dpkg', 'status'), 'w', encoding='ascii'):
            pass
        # Sandbox::User: root's apt would otherwise become a user who has no access to this folder.
        # The system's apt.conf stays in force: it may name a proxy.
        self.options = [word for key, value in {
            'Dir::State::lists': os.path.join(root, 'lists'),
            'Dir::State::status': os.path.join(root, 'dpkg', 'status'),
            'Dir::Cache': os.path.join(root, 'cache'),
            'Dir::Etc::sourcelist': os.path.join(root, 'sources.list'),
            'Dir::Etc::sourceparts': os.path.join(root, 'sources.d'),
            'Dir::Etc::preferences': os.path.join(root, 'preferences'),
            'Dir::Etc::preferencesparts': os.path.join(root, 'preferences.d'),
            'Dir::Cache::pkgcache': 'pkgcache.bin',
            'Dir::Cache::srcpkgcache': 'srcpkgcache.bin',
            'APT::Sandbox::User': 'root',
            'APT::Architecture': 'amd64',
            'APT::Architectures::': 'amd64',
            'APT::Update::Error-Mode': 'any',
            'Acquire::Languages': 'none',
            'Acquire::Retries': '3',
            'Acquire::http::Timeout': '30',
        }.items() for word in ('-o', f'{key}={value}')]

    def update(self, log: str, say: Callable[[str], None]) -> None:
        """Read the package lists. The state is not ready before that.

        say: takes a line for the person. A mirror may lack one of the newer suites, or be a
        snapshot whose lists have expired. It is used all the same: the signatures are checked
        in any case.
        """
        suites, options = list(SUITES), f'signed-by={KEYRING}'
        while True:
            with open(os.path.join(self.root, 'sources.list'), 'w', encoding='utf-8') as f:
                f.writelines(f'deb [{options}] {self.mirror} {suite} main\n' for suite in suites)
            try:
                command.run(['apt-get', *self.options, '-q', 'update'], log,
                            what='reading the package lists')
                break
            except Failure as e:
                text = str(e)
                lacking = [s for s in suites[1:] if f' {s} Release' in text]
                if 'is expired' in text and 'check-valid-until' not in options:
                    options += ' check-valid-until=no'
                    say(f'note: the lists of {self.mirror} have expired; '
                        'it is taken for a snapshot')
                elif 'does not have a Release file' in text and lacking:
                    suites.remove(lacking[0])
                    say(f'note: {self.mirror} does not carry {lacking[0]}')
                elif lacks_keys(e.output):
                    raise Failure(f'{KEYRING} does not have the keys that sign {self.mirror}; '
                                  'install a newer debian-archive-keyring') from e
                else:
                    raise Failure(f'{e}; is there a network, and does {self.mirror} carry '
                                  'Debian? MIRROR=URI gives another mirror') from e
        with open(os.path.join(self.root, 'mirror'), 'w', encoding='utf-8') as f:
            f.write(self.mirror)

    def ready(self) -> bool:
        """True when update() has finished for this mirror."""
        try:
            with open(os.path.join(self.root, 'mirror'), encoding='utf-8') as f:
                return f.read() == self.mirror
        except FileNotFoundError:
            return False

    def closure(self, packages: Sequence[str], suite: str) -> list[tuple[str, str]]:
        """[(package, version)] that `packages` need on a system with nothing."""
        text = command.output(['apt-get', *self.options, '-s', '-q', 'install', '-t', suite,
                               '--no-install-recommends', *packages])
        return re.findall(r'^Inst (\S+) \((\S+) ', text, re.MULTILINE)

    def download_closure(self, packages: Sequence[str], suite: str, log: str) -> list[str]:
        """Fetch packages and all they need; gives the paths of the files."""
        archives = os.path.join(self.root, 'cache', 'archives')
        command.run(['apt-get', *self.options, '-q', '-y', '--download-only', '-t', suite,
                     '--no-install-recommends', 'install', *packages], log,
                    what=f'download of {packages[0]}')
        wanted = self.closure(packages, suite)
        files = []
        for package, version in wanted:
            head = f'{package}_{version.replace(":", "%3a")}_'
            found = [n for n in os.listdir(archives) if n.startswith(head)]
            if not found:
                raise Failure(f'download of {packages[0]}: apt did not leave {head}*.deb')
            files.append(os.path.join(archives, found[0]))
        return files


def lacks_keys(output: str) -> bool:
    """Whether apt-get, whose output is in a file, misses the key of a signature."""
    if not output:
        return False
    with open(output, encoding='utf-8', errors='replace') as f:
        return re.search('NO_PUBKEY|Missing key', f.read()) is not None


def unpack(deb: str, folder: str, patterns: Iterable[str]) -> None:
    """Unpack the members of a package that match tar patterns, if any."""
    env = command.environment()
    with subprocess.Popen(['dpkg-deb', '--fsys-tarfile', deb], env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE) as source:
        result = subprocess.run(['tar', '-x', '-C', folder, '--wildcards', *patterns],
                                env=env, stdin=source.stdout, capture_output=True, text=True,
                                errors='replace', check=False)
    errors = [line for line in result.stderr.splitlines()
              if 'Not found in archive' not in line and 'Exiting with failure' not in line]
    if errors or source.returncode not in (0, -13):
        raise Failure(f'unpacking {deb}: {(errors or ["dpkg-deb failed"])[0]}')
