"""What the administrator allows one chroot, as whoever mounts needs it."""

from __future__ import annotations

from ..chroot import is_administered
from ..value import Value

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..config.merge import Config
    from ..config.policy import Rules


class Limits(Value):
    """What the administrator allows one chroot."""

    rules: Rules
    files: tuple[str, str]
    """The chroot's configuration, in the forms of tool.conf and of chroot.toml, for messages."""


def limits_of(path: str, config: Config) -> Limits | None:
    """Return what the administrator allows the chroot at *path*, None where there is no policy.

    Raises PolicyError where that can't be known: then nothing is to be mounted.
    """
    if not is_administered():
        return None
    from ..config.administration import rules_for

    rules = rules_for(path)
    return Limits(rules, config.files) if rules else None
