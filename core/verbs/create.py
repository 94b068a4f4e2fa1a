"""`create`: a new Debian in a directory."""

from __future__ import annotations

from ..events import ignore

TYPE_CHECKING = False
if TYPE_CHECKING:
    from threading import Event as Flag

    from ..creating.options import CreateOptions
    from ..events import Report


def create_defaults(options: CreateOptions) -> CreateOptions:
    """As `Engine.create_defaults`."""
    from ..creating.options import default_options

    return default_options(options)


def plan_create(path: str, options: CreateOptions) -> tuple[str, ...]:
    """As `Engine.plan_create`."""
    from ..creating.bootstrap import describe

    return describe(path, options)


def create(
    path: str,
    options: CreateOptions,
    *,
    report: Report = ignore,
    cancelled: Flag | None = None,
) -> None:
    """As `Engine.create`."""
    from ..creating import bootstrap

    bootstrap.create(path, options, report, cancelled)
