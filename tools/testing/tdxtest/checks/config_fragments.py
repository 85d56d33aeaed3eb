# SPDX-License-Identifier: GPL-2.0-only
"""Each line of a fragment is an option or a comment; none is named twice."""

import os
from collections.abc import Iterator

from tdxtest.base.checking import When
from tdxtest.base.paths import CONFIGS
from tdxtest.base.progress import Progress
from tdxtest.tree.kernel import OPTION

NAME = 'config fragments'
WHEN = When.STATIC


def check(_progress: Progress) -> Iterator[str]:
    for name in sorted(os.listdir(CONFIGS)):
        seen = set()
        with open(os.path.join(CONFIGS, name), encoding='utf-8') as f:
            for number, line in enumerate(f, 1):
                match = OPTION.fullmatch(line.strip())
                if not match:
                    if line.strip() and not line.startswith('#'):
                        yield f'configs/{name}:{number}: no option: {line.strip()}'
                    continue
                option = match[1] or match[3]
                if option in seen:
                    yield f'configs/{name}:{number}: CONFIG_{option} occurs twice'
                seen.add(option)
