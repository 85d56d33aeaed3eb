# SPDX-License-Identifier: GPL-2.0-only
"""The layers of the simulated module: what may use what.

The Makefile of the module lists the objects from top to bottom. An object uses
only what is in those after it, so that there is no circle among them. It shows in
two ways: by the headers that a file includes, and by the symbols of the objects.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping

SIM = 'arch/x86/virt/vmx/tdx/sim'
MAKEFILE = f'{SIM}/Makefile'
LIST = re.compile(r'^([\w-]+?)-(?:y|\$\(\w+\)) [:+]?= (.*\.o)$', re.MULTILINE)
INCLUDE = re.compile(r'^#include "([^"]+)"', re.MULTILINE)
# A function or a variable that a header declares. Prototypes may have several lines.
DECLARED = re.compile(r'^(?:extern )?\w[\w ]*?[ *](\w+)(?:\([^;{]*\)|\[\])?;$', re.MULTILINE)


def stem(path: str) -> str:
    """state/sept of state/sept.c, state/sept.h and state/sept.o."""
    return os.path.splitext(path)[0]


def order(makefile: str) -> list[str]:
    """The stems of the objects of a makefile, top first."""
    lists = LIST.findall(makefile)
    composite = {name for name, _ in lists if name != 'obj'}
    return [stem(word) for _, words in lists for word in words.split()
            if stem(word) not in composite]


def unlisted(stems: list[str], files: Iterable[str]) -> Iterator[str]:
    """Lines for sources that the list does not have, and rows that have no source."""
    sources = {stem(path) for path in files if path.endswith(('.c', '.S'))}
    for name in sorted({n for n in stems if stems.count(n) > 1}):
        yield f'{MAKEFILE}: {name}.o is listed twice'
    for name in sorted(sources ^ set(stems)):
        yield (f'{MAKEFILE}: does not list {name}.o' if name in sources else
               f'{MAKEFILE}: {name}.o has no source')


def included(path: str, texts: Mapping[str, str], stems: list[str],
             above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The headers that a file includes, each with the way to it.

    If a header has no object, the headers that it includes count too.
    """
    for name in INCLUDE.findall(texts[path]):
        near = os.path.normpath(os.path.join(os.path.dirname(path), name))
        header = near if near in texts else name
        if header not in texts or header in above:
            continue
        if stem(header) in stems:
            yield *above, header
        else:
            yield from included(header, texts, stems, (*above, header))


def upward_includes(makefile: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Lines for each include of a header whose object stands before the file's own.

    texts: {path below SIM: content} of C files, assembly and headers.
    """
    stems = order(makefile)
    yield from unlisted(stems, texts)
    place = {name: number for number, name in enumerate(stems)}
    for path in sorted(texts):
        own = place.get(stem(path))
        if own is None:
            continue
        for way in included(path, texts, stems):
            if place[stem(way[-1])] < own:
                yield (f'{SIM}/{path}: includes {" -> ".join(way)}, and {stem(way[-1])}.o stands '
                       f'before {stem(path)}.o in the Makefile')


def symbols(listing: str) -> tuple[set[str], set[str]]:
    """(defined, undefined) global symbols of an object, of what nm -P says of it."""
    defined, undefined = set(), set()
    for line in listing.splitlines():
        name, kind = line.split()[:2]
        if kind == 'U':
            undefined.add(name)
        elif kind.isupper():
            defined.add(name)
    return defined, undefined


def upward_calls(makefile: str, listings: Mapping[str, str]) -> Iterator[str]:
    """Lines for each symbol that an object uses, and an object before it defines.

    listings: {stem: what nm -P says of its object}.
    """
    stems = order(makefile)
    found = {name: symbols(listings[name]) for name in stems if name in listings}
    for name in stems:
        if name not in found:
            yield f'{SIM}/{name}.o: was not built'
    place = {name: number for number, name in enumerate(stems)}
    definer = {symbol: name for name, (defined, _) in found.items() for symbol in defined}
    for name, (_, undefined) in found.items():
        for symbol in sorted(undefined & set(definer)):
            if place[definer[symbol]] < place[name]:
                yield (f'{SIM}/{name}.o: uses {symbol} of {definer[symbol]}.o, which stands '
                       'before it in the Makefile')


def foreign_declarations(headers: Mapping[str, str], listings: Mapping[str, str]) -> Iterator[str]:
    """Lines for each symbol that a header declares and another file than its own defines."""
    definer = {symbol: name for name, text in listings.items() for symbol in symbols(text)[0]}
    for path in sorted(headers):
        for symbol in DECLARED.findall(headers[path]):
            if definer.get(symbol, stem(path)) != stem(path):
                yield f'{SIM}/{path}: declares {symbol} of {definer[symbol]}.c'
