"""Refusing binds that the administrator does not allow, where nothing is planned to be mounted."""

from __future__ import annotations

from ...errors import PolicyError, Refusal
from ...mounts.observe import Observer
from ...mounts.sources import Sources

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from ...config.bind import Bind
    from ...kernel.rootpath import Root
    from ...mounts.limits import Limits


def refuse_wanted(root: Root, binds: Iterable[Bind], limits: Limits) -> None:
    """Raise PolicyError with what `on` would refuse of *binds*: not what it would leave out."""
    wanted = Observer().wanted(root, binds, limits)
    refused = [one.problem for one in wanted if isinstance(one.problem, Refusal)]
    if refused:
        raise PolicyError(refused)


def refuse_beyond(limits: Limits, binds: Iterable[Bind]) -> None:
    """Raise PolicyError with all of *binds* that are not allowed. A source is opened and closed."""
    sources = Sources()
    wanted = [bind for bind in binds if not bind.ignored]
    problems = [sources.refusal(limits, bind) for bind in wanted]
    refused = [problem for problem in problems if isinstance(problem, Refusal)]
    if refused:
        raise PolicyError(refused)
