"""What a pattern says of a name. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from fnmatch import translate

_SIGNS = frozenset("*?[")


def name_matcher(text: str) -> Callable[[str], bool]:
    """Return what tells whether a name is meant by *text*, in which case does not count.

    One of its words is enough: a part of the name, or, with one of `*?[`, a pattern for all of it
    as a shell has it (fnmatch(3)). Without a word no name is meant.
    """
    words = text.casefold().split()
    plain = [word for word in words if not _SIGNS & set(word)]
    patterns = [re.compile(translate(word)) for word in words if _SIGNS & set(word)]

    def meant(name: str) -> bool:
        name = name.casefold()
        return any(word in name for word in plain) or any(one.match(name) for one in patterns)

    return meant
