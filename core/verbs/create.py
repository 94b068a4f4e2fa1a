"""`create`: a new Debian in a directory."""

from __future__ import annotations

from ..chroot import refuse_silent
from ..events import ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..creating.bases.store import Cache
    from ..creating.options import CreateOptions
    from ..events import Report


def _refuse_silent(path: str, options: CreateOptions) -> None:
    refuse_silent(path)
    if options.source:
        from ..creating.images import is_image

        if not is_image(options.source):
            refuse_silent(options.source)


def plan_create(path: str, options: CreateOptions, cache: Cache) -> tuple[str, ...]:
    """As `Engine.plan_create`, with bases from *cache*."""
    from ..creating.unfinished import plan_take_back

    _refuse_silent(path, options)
    if options.source:
        from ..creating import from_source

        lines = from_source.describe(path, options)
    else:
        from ..creating.create import describe

        lines = describe(path, options, cache)
    return (*lines, *plan_take_back(path))


def create(
    path: str,
    options: CreateOptions,
    cache: Cache,
    *,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> None:
    """As `Engine.create`, with bases from *cache*."""
    _refuse_silent(path, options)
    if options.source:
        from ..creating import from_source

        from_source.create(path, options, report, cancelled)
        return
    from ..creating.create import create as make

    make(path, options, report, cancelled, cache)
