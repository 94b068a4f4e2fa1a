"""A base of a tree of one's own, of a kind that no mirror has. Imported as `support.kept_base`."""

from __future__ import annotations

from functools import cache

from chroot_tool.core.creating.bases import keeping
from chroot_tool.core.creating.bases.key import key_of
from chroot_tool.core.creating.bases.lock import BaseLock
from chroot_tool.core.creating.bases.store import Cache, Facts, Store
from chroot_tool.core.creating.options import CreateOptions, default_options
from chroot_tool.core.host.apt_proxy import Proxies

MIRROR = "http://mirror.example/debian"


def _options() -> CreateOptions:
    return default_options(CreateOptions(suite="bookworm", mirror=MIRROR))


@cache
def base_name() -> str:
    """What the base of that kind is called."""
    return key_of(_options()).name


def keep(directory: str, tree: str) -> None:
    """Keep *tree* as the base in *directory*: what follows a bootstrap."""
    options, cached = _options(), Cache(directory)
    request = keeping.CreateRequest(tree, options, Proxies(), cached)
    with Store(directory, make=True) as store, BaseLock(store, base_name()):
        store.tidy(base_name())
        keeping.pack(request, store, key_of(options), Facts(1.7e9, 30.0, 90), None)
