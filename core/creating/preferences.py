"""How the user of this machine makes chroots where nothing else is asked for."""

from __future__ import annotations

from ..value import Value
from .bases.store import Cache
from .options import BACKENDS


class Habits(Value):
    """What the settings say of creating."""

    backend: str = BACKENDS[0]
    cache: Cache = Cache()
