"""The place of a chroot that is to come: for `clone`, `--keep` and `rename` the same rule.

The directory above is there already. To make it would be a guess: a path with a slash is one from
here, and somebody may well have meant one under the base directory.
"""

from __future__ import annotations

import os

from ...chroot import refuse_silent
from ...errors import ChrootError, UsageError
from ...kernel.rootpath import Root


def open_above(new: str, source: str, why: str) -> tuple[Root, str]:
    """Open the directory that *new* is to be in; return it and the physical path of *new*.

    The caller closes it. Raises ChrootError where it is not there, UsageError, which tells *why*,
    where it is the chroot at *source*, a physical path, or in it.
    """
    new = os.path.abspath(new)
    refuse_silent(new)
    above, name = os.path.split(new)
    there = above
    while not os.path.lexists(there):
        there = os.path.dirname(there)
    try:
        opened = Root(there)
    except NotADirectoryError:
        raise ChrootError(f"{there} is no directory", "choose another place") from None
    except OSError as error:
        raise ChrootError(f"{there}: {error.strerror}") from error
    path = f"{opened.path.rstrip('/')}{above[len(there.rstrip('/')) :]}/{name}"
    try:
        if f"{path}/".startswith(f"{source}/") and path != source:
            raise UsageError(f"{path} would lie in {why}", "choose another place")
        if there != above:
            raise ChrootError(f"{above} does not exist", f"mkdir -p {above}")
    except BaseException:
        opened.close()
        raise
    return opened, path
