# SPDX-License-Identifier: GPL-2.0-only
"""Runs other programs: output to a log, one line when they fail."""

import contextlib
import errno
import os
import re
import shlex
import signal
import subprocess
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence

from tdxtest.base.failure import Failure

# The first line of a log that matches says best why a program failed.
REASONS = (
    re.compile(r'No space left on device'),
    re.compile(r'(fatal )?error: ', re.IGNORECASE),
    re.compile(r'^E: '),
    re.compile(r'undefined reference|\*\*\* '),
    # Of a checker that speaks JSON.
    re.compile(r'^"detail"'),
)


# Variables that a kernel developer may have exported for another build, and those that our own
# make exports.
OF_ANOTHER_BUILD = re.compile(
    r'GIT_\w+|KBUILD_\w+|KCONFIG_\w+|KC(PP)?FLAGS|KAFLAGS|KRUSTFLAGS|INSTALL(_\w+)?|'
    r'MAKE\w*|MFLAGS|GNUMAKEFLAGS|(SUB|SRC)?ARCH|CROSS_COMPILE|O|OUTPUT|[VWCM]|DEBUG|'
    r'(EXTRA_)?(C|CPP|LD)FLAGS|KHDR_INCLUDES|TESTS|KDIR|(SKIP_|FORCE_)?TARGETS|'
    r'TAR_OPTIONS|XZ_OPT|XZ_DEFAULTS|POSIXLY_CORRECT|CDPATH|BASH_ENV|ENV|LANGUAGE')
# Where distributions keep the links of a compiler cache, which have the compilers' names. They
# are found by PATH, so the command lines stay the same and nothing is built anew.
COMPILER_CACHES = ('/usr/lib/ccache', '/usr/lib64/ccache')


def with_compiler_cache(path: str, folders: Iterable[str] = COMPILER_CACHES) -> str:
    """PATH with the compiler cache first, if one is installed."""
    found = [f for f in folders if os.path.isdir(f) and f not in path.split(os.pathsep)]
    return os.pathsep.join([*found, path])


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The person's environment without what changes messages, builds, or finds a repo.

    The build folder lies inside a git repository. git would take it for the
    place to work in, so its search for one stops at the build folder.
    """
    env = {k: v for k, v in os.environ.items()
           if not OF_ANOTHER_BUILD.fullmatch(k)}
    env['LC_ALL'] = 'C.UTF-8'
    env['PATH'] = with_compiler_cache(env.get('PATH', os.defpath))
    env.update(extra or {})
    return env


def reason(log: str) -> str:
    """The line of the log file that tells why, or ''."""
    try:
        with open(log, encoding='utf-8', errors='replace') as f:
            return telling(f.read())
    except OSError:
        return ''


def last_line(log: str) -> str:
    """The start of the last line of a log file, '' if there is none."""
    try:
        with open(log, encoding='utf-8', errors='replace') as f:
            return (f.read().splitlines() or [''])[-1].strip()[:90]
    except OSError:
        return ''


def telling(said: str) -> str:
    """The line of a program's output that says why it failed, '' if there is no output."""
    # run() starts each entry of a log with the command line, which tells nothing.
    lines = [line.strip() for line in said.splitlines()
             if line.strip() and not line.startswith('$ ')]
    for pattern in REASONS:
        for line in lines:
            if pattern.search(line):
                return line[:300]
    return lines[-1][:300] if lines else ''


def run(argv: Sequence[str], log: str, *, cwd: str | None = None,
        env: Mapping[str, str] | None = None, what: str | None = None, stdout: str | None = None,
        in_session: bool = False) -> None:
    """Run a program, its output appended to the file `log`.

    stdout: the name of a file that takes its standard output instead.
    in_session: run it in our session, where sudo finds our terminal to ask on.

    Raises Failure with the telling line of the output and the log's name when
    it cannot be started or ends with another status than 0. It is started in a
    session of its own and ended with all its children when we are interrupted.
    One in our session gets Control-C itself, and we wait for its end.
    """
    what = what or os.path.basename(argv[0])
    begin = os.path.getsize(log) if os.path.exists(log) else 0
    try:
        with contextlib.ExitStack() as stack:
            errors = stack.enter_context(open(log, 'ab'))
            errors.write(f'$ {shlex.join(map(str, argv))}\n'.encode())
            errors.flush()
            out = stack.enter_context(open(stdout, 'wb')) if stdout else errors
            process = subprocess.Popen(argv, cwd=cwd, env=environment(env),
                                       stdin=subprocess.DEVNULL, stdout=out,
                                       stderr=errors, start_new_session=not in_session)
    except FileNotFoundError as e:
        raise Failure(f'{what}: {e.filename} is not there; install it') from e
    except OSError as e:
        raise Failure(f'{what}: {explain(e)}') from e
    with ended_with_us(process):
        status = process.wait()
    if status:
        tail = f'{log}.failed'
        with open(log, 'rb') as f, open(tail, 'wb') as out:
            f.seek(begin)
            out.write(f.read())
        why = reason(tail)
        raise Failure(f'{what} failed: {why} (whole output: {tail})', tail)


def output(argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: str | None = None,
           check: bool = True, allowed: typing.Any = (0,)) -> str:
    """What a program prints, as text. Failure when it fails and check is set.

    allowed: the statuses of a program that did not fail.
    """
    try:
        process = subprocess.Popen(argv, cwd=cwd, env=environment(env), text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, errors='replace',
                                   start_new_session=True)
    except FileNotFoundError as e:
        raise Failure(f'{argv[0]} is not there; install it') from e
    with process, ended_with_us(process):
        out, errors = process.communicate()
    if check and process.returncode not in allowed:
        why = (errors.strip().splitlines() or ['no message'])[0]
        raise Failure(f'{argv[0]}: {why}')
    return out


@contextlib.contextmanager
def ended_with_us(process: subprocess.Popen[typing.Any]) -> Iterator[None]:
    """End the leader of a session, with its children, when the body is interrupted."""
    try:
        yield
    except BaseException:
        kill_group(process)
        raise


def kill_group(process: subprocess.Popen[typing.Any]) -> None:
    """End a program that run() or a machine started, with its children."""
    for sig in (signal.SIGTERM, signal.SIGKILL):
        try:
            send_to_group(process.pid, sig)
            process.wait(timeout=5)
            return
        except (ProcessLookupError, PermissionError):
            # It has ended, is in our own session, or is root's: we can only wait for it.
            process.wait()
            return
        except subprocess.TimeoutExpired:
            continue


def send_to_group(group: int, sig: signal.Signals) -> None:
    """Send a signal to a process group. sudo runs as root, so only root may signal it."""
    try:
        os.killpg(group, sig)
    except PermissionError:
        subprocess.run(['sudo', '-n', 'kill', f'-{sig.name.removeprefix("SIG")}', '--',
                        f'-{group}'], env=environment(), check=False, stdin=subprocess.DEVNULL,
                       capture_output=True)


def explain(error: OSError) -> str:
    """An OSError as words that say what to do."""
    if error.errno == errno.ENOSPC:
        return (f'no space left on device for {error.filename or "the build folder"}; '
                'free 4 GB or set BUILD= to a larger disk')
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f'cannot write {error.filename}: {error.strerror}; set BUILD= to a writable folder'
    return f'{error.filename or ""}: {error.strerror}'.lstrip(': ')
