"""What a base is known by: everything that shapes the tree that a back end makes. Nearly pure.

A base is the tree before anything of the host or of the one chroot was put in: names, locale, time
zone, apt's further sources and proxy come later and shape nothing here. But a locale asks for the
package `locales`, and that does.
"""

from __future__ import annotations

from ...errors import ChrootError
from ...value import Value
from .. import mirror
from ..backends import packages

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..options import CreateOptions

_FORM = 1
"""Raised when `create` makes another tree of the same options: then no older base is taken."""
DIGITS = 8


class Key(Value):
    """What shaped a base, or would shape it."""

    suite: str
    arch: str
    variant: str
    mirror: str
    """Without a password; "" for the back end's own."""
    include: tuple[str, ...]
    """All that was installed on top of the variant, sorted."""
    backend: str
    keyring: str
    """SHA-256 of the keyring file, "" where there is none."""
    digest: str
    """SHA-256 over all of it, the whole address of the mirror among it."""

    @property
    def name(self) -> str:
        """What its files begin with: readable, and one name for one key."""
        words = (self.suite, self.arch, self.variant, self.backend, self.digest[:DIGITS])
        return "-".join(words)


def key_of(options: CreateOptions) -> Key:
    """Return the key of whole *options* (`default_options`). Reads the keyring file."""
    import hashlib

    address = options.mirror or next(iter(mirror.default_mirrors(options.suite)), "")
    address = address.rstrip("/")
    include = tuple(sorted(packages(options)))
    keys = _keyring(options.suite)
    what = (
        str(_FORM), options.suite, options.arch, options.variant, address, *include,
        options.backend, keys,
    )  # fmt: skip
    return Key(
        options.suite, options.arch, options.variant, mirror.without_password(address), include,
        options.backend, keys, hashlib.sha256("\0".join(what).encode()).hexdigest(),
    )  # fmt: skip


def _keyring(suite: str) -> str:
    import hashlib

    try:
        path = mirror.keyring(suite)
        if not path:
            return ""
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except (ChrootError, OSError):
        return ""  # `create` says it where it matters: before a bootstrap
